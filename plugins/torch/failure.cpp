/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <cstring>
#include <new>

enum { LONGEST_SENTENCE = 300 };

/* Where the reason begins in a line such as "RuntimeError: mat1 and mat2 ..."; npos if it does not
 * begin with the name of an exception. */
static size_t after_exception_name(const std::string &line) {
  const size_t colon = line.find(": ");
  if (colon == std::string::npos || line.find(' ') < colon)
    return std::string::npos;
  const std::string name = line.substr(0, colon);
  for (const char *kind : { "Error", "Exception", "Failure" })
    if (name.find(kind) != std::string::npos)
      return colon + 2;
  return std::string::npos;
}

/* The interpreter's text is its own traceback, then the exception with its reason, then perhaps the
 * C++ traceback: the last line that names an exception is what the user needs, else the first line. */
std::string one_sentence(const char *what) {
  std::string text = what, sentence;
  text.resize(std::min(text.find("\nException raised from "), text.size()));
  bool named = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t begins = after_exception_name(line);
    if (begins != std::string::npos || (!named && sentence.empty()))
      sentence = line.substr(begins == std::string::npos ? 0 : begins);
    named = named || begins != std::string::npos;
  }
  if (sentence.size() > LONGEST_SENTENCE)
    sentence = sentence.substr(0, LONGEST_SENTENCE) + "...";
  else
    while (!sentence.empty() && std::strchr(". \n", sentence.back()))
      sentence.pop_back();
  return sentence.empty() ? "it gave no reason" : sentence;
}

static int32_t tell(const findlr_host *host, void *ctx, int32_t code, const char *text) noexcept {
  host->set_error(ctx, code, text, std::strlen(text));
  return code;
}

int32_t report_failure(const findlr_host *host, void *ctx) noexcept {
  try {
    throw;
  } catch (const failure &f) {
    return tell(host, ctx, f.code, f.what());
  } catch (const std::bad_alloc &) {
    return tell(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for libtorch");
  } catch (const std::exception &e) {
    try {
      const bool memory = std::strstr(e.what(), "not enough memory") ||
                          std::strstr(e.what(), "can't allocate memory") ||
                          std::strstr(e.what(), "out of memory");
      return tell(host, ctx, memory ? FINDLR_ERR_NO_MEMORY : FINDLR_ERR_BACKEND,
                  one_sentence(e.what()).c_str());
    } catch (...) {
      return tell(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for libtorch's message");
    }
  } catch (...) {
    return tell(host, ctx, FINDLR_ERR_BACKEND, "libtorch threw what is no exception");
  }
}
