/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TORCH_TURN_H
#define FINDLR_TORCH_TURN_H

#include <mutex>

#include <ATen/core/Generator.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/version.h>

#include "findlr/plugin.h"

/* Since 2.0 a warning is an object. */
#if TORCH_VERSION_MAJOR < 2
namespace warning_utils = c10::Warning;
#else
namespace warning_utils = c10::WarningUtils;
#endif

/* What an instance wants around its calls. */
struct wishes {
  const findlr_host *host;
  void *ctx;
  int threads;
  at::Device device;
  at::Tensor generator; /* state of the device's default generator; undefined: leave it alone */
};

/* One call into libtorch. Its default generators, numbers of threads and print handler belong to the
 * process, its warnings and autograd's mode to the thread: a turn sets them as the instance wants, and puts
 * back what it found. Only one instance has a turn at a time. */
class turn {
 public:
  /* remember: the generator's state goes back to the instance (training); else what the call drew from it
   * is forgotten. */
  turn(wishes &w, bool gradients, bool remember);
  ~turn();
  turn(const turn &) = delete;
  turn &operator=(const turn &) = delete;

 private:
  struct warnings : c10::WarningHandler {
    explicit warnings(const wishes &w) : w(w) {}
#if TORCH_VERSION_MAJOR < 2
    void process(const c10::SourceLocation &, const std::string &text, bool) override { log(text); }
#else
    void process(const c10::Warning &warning) override { log(warning.msg()); }
#endif
    void log(const std::string &text);
    const wishes &w;
  };

  std::unique_lock<std::mutex> lock;
  wishes &w;
  const bool remember;
  const int openmp_threads, blas_threads;
  warnings handler;
  warning_utils::WarningHandlerGuard warn;
  const torch::jit::PrintHandler print;
  c10::AutoGradMode mode;
  /* Without its optimizer, which compiles at the second run, the first step and every later one compute
   * the same bits. */
  torch::jit::GraphOptimizerEnabledGuard optimize;
  at::Tensor found; /* the generator's state before */
};

#endif
