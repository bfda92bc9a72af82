/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include "failure.h"

/* at::set_num_threads starts and ends pools of threads: 7 ms a call. What matters is OpenMP's number, which
 * belongs to the thread, and OpenBLAS's. A libtorch without them leaves these symbols open. */
extern "C" {
int omp_get_max_threads(void) __attribute__((weak));
void omp_set_num_threads(int) __attribute__((weak));
int openblas_get_num_threads(void) __attribute__((weak));
void openblas_set_num_threads(int) __attribute__((weak));
}

static std::mutex one_at_a_time;

/* Whose turn it is, for what a module prints. */
static const wishes *whose;

static void log_text(const wishes &w, int32_t level, const std::string &text) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at)
      w.host->log(w.ctx, level, text.data() + at, end - at);
    at = end + 1;
  }
}

static void print_to_log(const std::string &text) {
  if (whose)
    log_text(*whose, FINDLR_LOG_INFO, text);
}

void turn::warnings::log(const std::string &text) {
  log_text(w, FINDLR_LOG_WARNING, "libtorch: " + one_sentence(text.c_str()));
}

static int set_openmp_threads(int n) {
  const int before = at::get_num_threads(); /* it also initialises the thread's own number */
  if (before != n && omp_set_num_threads)
    omp_set_num_threads(n);
  else if (before != n)
    at::set_num_threads(n);
  return before;
}

static int set_blas_threads(int n) {
  if (!openblas_get_num_threads || !openblas_set_num_threads)
    return n;
  const int before = openblas_get_num_threads();
  if (before != n)
    openblas_set_num_threads(n);
  return before;
}

static at::Tensor swap_generator(const at::Device &device, const at::Tensor &state) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  std::lock_guard<std::mutex> lock(generator.mutex());
  at::Tensor before = generator.get_state();
  generator.set_state(state);
  return before;
}

turn::turn(wishes &w, bool gradients, bool remember)
    : lock(one_at_a_time), w(w), remember(remember), openmp_threads(set_openmp_threads(w.threads)),
      blas_threads(set_blas_threads(w.threads)), handler(w), warn(&handler),
      print(torch::jit::getPrintHandler()), mode(gradients), optimize(false) {
  whose = &w;
  torch::jit::setPrintHandler(print_to_log);
  try {
    if (w.generator.defined())
      found = swap_generator(w.device, w.generator);
  } catch (...) {
    /* Nothing was swapped: the state was altered to something that is no generator's. */
    torch::jit::setPrintHandler(print);
    set_openmp_threads(openmp_threads);
    set_blas_threads(blas_threads);
    throw;
  }
}

turn::~turn() {
  if (found.defined()) {
    const at::Tensor after = swap_generator(w.device, found);
    if (remember)
      w.generator.copy_(after);
  }
  whose = nullptr;
  torch::jit::setPrintHandler(print);
  set_openmp_threads(openmp_threads);
  set_blas_threads(blas_threads);
}
