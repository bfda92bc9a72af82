/* SPDX-License-Identifier: MIT */
/* What findlr costs beside libtorch: training steps of one TorchScript network, taken by a loop over libtorch
 * and by sessions over the torch plugin, in turns, in one process, on one thread. Microseconds a step: medians
 * over blocks of steps.
 *
 *   torch FILE SHAPE [BATCH]     torch cnn.pt 1x8x8 */
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ATen/Parallel.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim/adam.h>
#include <torch/script.h>

#include "findlr/findlr.h"

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

enum { ROWS = 4096, CLASSES = 10, BLOCKS = 60 };

void require(int32_t status, const findlr_error &err) {
  if (status == FINDLR_OK)
    return;
  std::fprintf(stderr, "torch: %s\n", err.message);
  std::exit(EXIT_FAILURE);
}

template <class Step> double block(int steps, Step step) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < steps; i++)
    step();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count() / steps;
}

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

struct data {
  at::Tensor inputs, targets;
  std::vector<int64_t> shape;
};

/* What anybody writes who trains with libtorch. */
class by_itself {
 public:
  by_itself(const char *file, const data &d, int64_t batch)
      : d(d), batch(batch), module(torch::jit::load(file)), optimizer(parameters(), 1e-3) {
    module.train();
  }

  void operator()() {
    if (at + batch > order.size(0)) {
      order = at::randperm(ROWS, at::kLong);
      at = 0;
    }
    const at::Tensor rows = order.narrow(0, at, batch);
    at += batch;
    const at::Tensor x = d.inputs.index_select(0, rows), y = d.targets.index_select(0, rows);
    optimizer.zero_grad();
    const at::Tensor loss = torch::nn::functional::cross_entropy(module.forward({ x }).toTensor(), y);
    loss.backward();
    optimizer.step();
    last = loss.item<double>();
  }

  double last = 0;

 private:
  std::vector<at::Tensor> parameters() {
    std::vector<at::Tensor> list;
    for (const at::Tensor &p : module.parameters())
      list.push_back(p);
    return list;
  }

  const data &d;
  const int64_t batch;
  int64_t at = 0;
  at::Tensor order = at::empty(0, at::kLong);
  torch::jit::Module module;
  torch::optim::Adam optimizer;
};

findlr_session *make(findlr_context *context, const findlr_data *rows, int64_t batch, const std::string &model) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_session *s;
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.data_object = rows;
  o.model = model.c_str();
  o.batch_size = batch;
  require(findlr_session_create(context, &o, &s, &err), err);
  return s;
}

findlr_tensor view(at::Tensor &t, std::vector<int64_t> &shape, uint32_t dtype) {
  shape = t.sizes().vec();
  findlr_tensor v = {};
  v.data = t.data_ptr();
  v.device_type = FINDLR_DEVICE_CPU;
  v.ndim = static_cast<int32_t>(t.dim());
  v.dtype_code = static_cast<uint8_t>(dtype);
  v.dtype_bits = static_cast<uint8_t>(dtype >> 8);
  v.dtype_lanes = 1;
  v.shape = shape.data();
  return v;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: torch FILE SHAPE [BATCH]\n");
    return EXIT_FAILURE;
  }
  const int64_t batch = argc > 3 ? std::atoll(argv[3]) : 64;
  at::set_num_threads(1);
  if (openblas_set_num_threads)
    openblas_set_num_threads(1);
  data d;
  d.shape = { ROWS };
  for (const char *p = argv[2]; *p; p += *p == 'x')
    d.shape.push_back(std::strtoll(p, const_cast<char **>(&p), 10));
  d.inputs = at::rand(d.shape);
  d.targets = at::randint(0, CLASSES, { ROWS }, at::kLong);

  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  findlr_data rows = {};
  std::vector<int64_t> input_shape, target_shape;
  const findlr_tensor inputs = view(d.inputs, input_shape, FINDLR_DTYPE_FLOAT32),
                      targets = view(d.targets, target_shape, FINDLR_DTYPE_INT64);
  require(findlr_context_create(nullptr, &context, &err), err);
  require(findlr_memory_data_create(nullptr, &inputs, &targets, CLASSES, &rows, &err), err);
  const std::string model = std::string("torch:file=\"") + argv[1] + "\"";
  findlr_session *engine = make(context, &rows, batch, model + ",optimizer=adam"),
                 *own = make(context, &rows, batch, model);
  by_itself loop(argv[1], d, batch);
  const auto step = [](findlr_session *s) {
    return [s] {
      findlr_error e = FINDLR_ERROR_INIT;
      const double rate = 1e-3;
      double loss;
      require(findlr_session_step(s, &rate, 1, &loss, &e), e);
    };
  };

  block(20, step(engine)), block(20, step(own));
  const double guess = block(20, [&] { loop(); });
  const int steps = std::max(5, static_cast<int>(20000 / guess));
  std::vector<double> times[3];
  for (int i = 0; i < BLOCKS; i++) {
    times[0].push_back(block(steps, [&] { loop(); }));
    times[1].push_back(block(steps, step(engine)));
    times[2].push_back(block(steps, step(own)));
  }
  const char *const names[] = { "libtorch by itself", "findlr, optimizer=adam", "findlr, its own adam" };
  const double base = median(times[0]);
  for (int k = 0; k < 3; k++)
    std::printf("%-24s %9.1f us  %6.3f\n", names[k], median(times[k]), median(times[k]) / base);
  findlr_session_destroy(own);
  findlr_session_destroy(engine);
  findlr_context_destroy(context);
  findlr_memory_data_destroy(&rows);
}
