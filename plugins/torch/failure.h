/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TORCH_FAILURE_H
#define FINDLR_TORCH_FAILURE_H

#include <exception>
#include <string>

#include "findlr/plugin.h"

/* Inside the plugin what goes wrong is thrown; each slot catches it and returns a status. */
class failure : public std::exception {
 public:
  failure(int32_t code, std::string text) : code(code), text(std::move(text)) {}
  const char *what() const noexcept override { return text.c_str(); }

  const int32_t code;

 private:
  const std::string text;
};

/* One sentence out of what libtorch throws, which may be a page with two stack traces. */
std::string one_sentence(const char *what);

/* Tells the host why the slot fails; only to be called while something is being handled. */
int32_t report_failure(const findlr_host *host, void *ctx) noexcept;

#endif
