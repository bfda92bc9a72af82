/* SPDX-License-Identifier: MIT */
/* Networks that were written in PyTorch and saved as TorchScript, trained by libtorch without Python. */
#include <cmath>
#include <cstring>
#include <new>

#include <ATen/Context.h>
#include <sys/stat.h>
#include <torch/cuda.h>
#include <torch/nn/functional/loss.h>
#include <torch/version.h>

#include "engine.h"
#include "failure.h"
#include "turn.h"

namespace {

/* --- options --------------------------------------------------------------------------------- */

enum { OPTION_FILE, OPTION_DEVICE, OPTION_SHAPE, OPTION_DTYPE, OPTION_OPTIMIZER, OPTION_LOSS,
       OPTION_FIRST_HYPERPARAMETER, OPTION_COUNT = OPTION_FIRST_HYPERPARAMETER + HYPERPARAMETER_COUNT };

enum { DTYPE_AUTO, DTYPE_FLOAT32, DTYPE_FLOAT64, DTYPE_BFLOAT16 };
enum { LOSS_AUTO, LOSS_CROSS_ENTROPY, LOSS_MSE, LOSS_L1, LOSS_HUBER, LOSS_BCE, LOSS_MODULE };

const double infinity = HUGE_VAL;

/* type, name, help, default, choices, minimum, maximum */
const findlr_option options[OPTION_COUNT] = {
  { 0, FINDLR_OPTION_TEXT, "file", "TorchScript file, written by torch.jit.script(module).save(file)",
    nullptr, nullptr, -infinity, infinity },
  { 0, FINDLR_OPTION_CHOICE, "device", "where the network lives; cuda needs an optimizer of libtorch's",
    "cpu", "cpu|cuda", -infinity, infinity },
  { 0, FINDLR_OPTION_SIZES, "shape", "shape of one row as the network wants it, such as 1x28x28; empty: as the data",
    "", nullptr, 1, 0x1p40 },
  { 0, FINDLR_OPTION_CHOICE, "dtype",
    "of the network; auto: as the data; another needs an optimizer of libtorch's", "auto",
    "auto|float32|float64|bfloat16", -infinity, infinity },
  { 0, FINDLR_OPTION_CHOICE, "optimizer", "libtorch's own; none: the session's", "none",
    "none|sgd|adam|adamw|rmsprop|adagrad", -infinity, infinity },
  { 0, FINDLR_OPTION_CHOICE, "loss",
    "with libtorch's optimizer; module: its method loss(inputs, targets); auto: that, or by the targets",
    "auto", "auto|cross_entropy|mse|l1|huber|bce_with_logits|module", -infinity, infinity },
  { 0, FINDLR_OPTION_REAL, "momentum", "sgd, rmsprop: share of the last update kept in the next", "0",
    nullptr, 0, 1 },
  { 0, FINDLR_OPTION_REAL, "dampening", "sgd: share of the gradient that momentum leaves out", "0",
    nullptr, 0, 1 },
  { 0, FINDLR_OPTION_BOOLEAN, "nesterov", "sgd: look ahead by the momentum", "false", nullptr,
    -infinity, infinity },
  { 0, FINDLR_OPTION_REAL, "weight_decay", "L2 penalty, for adamw the decay itself (0.01 if not given)",
    "0", nullptr, 0, infinity },
  { 0, FINDLR_OPTION_REAL, "beta1", "adam, adamw: share kept in the mean of the gradient", "0.9",
    nullptr, 0, 1 },
  { 0, FINDLR_OPTION_REAL, "beta2", "adam, adamw: share kept in the mean of its square", "0.999",
    nullptr, 0, 1 },
  { 0, FINDLR_OPTION_REAL, "alpha", "rmsprop: share kept in the mean of the squared gradient", "0.99",
    nullptr, 0, 1 },
  { 0, FINDLR_OPTION_REAL, "eps", "added to the denominator (adagrad: 1e-10 if not given)", "1e-8",
    nullptr, 0, infinity },
  { 0, FINDLR_OPTION_BOOLEAN, "amsgrad", "adam, adamw: use the largest mean of the square so far",
    "false", nullptr, -infinity, infinity },
  { 0, FINDLR_OPTION_BOOLEAN, "centered", "rmsprop: divide by an estimate of the deviation", "false",
    nullptr, -infinity, infinity },
};

int32_t option(void *, uint32_t i, findlr_option *out) {
  const uint32_t size = out->struct_size;
  std::memcpy(out, &options[i], size < sizeof options[i] ? size : sizeof options[i]);
  out->struct_size = size;
  return FINDLR_OK;
}

/* --- an instance ----------------------------------------------------------------------------- */

struct instance {
  instance(const findlr_host *host, void *ctx) : w{ host, ctx, 1, at::Device(at::kCPU), {} } {}

  wishes w;
  std::vector<int64_t> input_shape; /* of a batch; [0] varies */
  int64_t outputs = 0;
  bool classes = false;
  at::ScalarType dtype = at::kFloat;
  int loss = LOSS_AUTO;
  std::unique_ptr<named_tensor> generator;
  std::unique_ptr<network> net;
  std::vector<named_tensor> gradients; /* empty with an engine, which lets libtorch make them */

  /* Between forward and backward. */
  at::Tensor result;
  std::vector<int64_t> result_shape;
  findlr_tensor result_view = {};
  bool backward_may_follow = false;

  /* With libtorch's optimizer. */
  optimizer_kind kind = NO_OPTIMIZER;
  hyperparameters values = {};
  std::vector<uint32_t> groups; /* one a parameter */
  std::unique_ptr<engine> optimizer;
  double unit = 0; /* gradients are of the sum of the loss divided by this; 0: there are none */
  std::string snapshot; /* between the two calls of save */
};

/* Runs a slot's body; what it throws becomes a status and a sentence. */
template <class Body> int32_t slot(void *self, Body body) noexcept {
  instance *i = static_cast<instance *>(self);
  try {
    body(*i);
    return FINDLR_OK;
  } catch (...) {
    return report_failure(i->w.host, i->w.ctx);
  }
}

std::string text_of(const std::vector<int64_t> &shape) {
  std::string text;
  for (const int64_t n : shape)
    text += (text.empty() ? "" : " x ") + std::to_string(n);
  return text.empty() ? "a single number" : text;
}

/* --- create ---------------------------------------------------------------------------------- */

void choose_shape(instance &i, const findlr_model_spec &spec) {
  const findlr_value &shape = *spec.options[OPTION_SHAPE];
  const std::vector<int64_t> row(spec.input_shape, spec.input_shape + spec.input_ndim);
  std::vector<int64_t> wanted(shape.sizes, shape.sizes + shape.count);
  double has = 1, wants = 1;
  for (const int64_t n : row)
    has *= static_cast<double>(n);
  for (const int64_t n : wanted)
    wants *= static_cast<double>(n);
  if (wanted.empty())
    wanted = row;
  else if (wants != has)
    throw failure(FINDLR_ERR_ARGUMENT, "shape is " + text_of(wanted) + ", but a row of the data is " +
                                           text_of(row) + ": their products must be equal");
  i.input_shape = { 0 };
  i.input_shape.insert(i.input_shape.end(), wanted.begin(), wanted.end());
}

void choose_optimizer(instance &i, const findlr_model_spec &spec) {
  const findlr_value &name = *spec.options[OPTION_OPTIMIZER], &loss = *spec.options[OPTION_LOSS];
  i.kind = static_cast<optimizer_kind>(name.integer);
  i.loss = static_cast<int>(loss.integer);
  const uint32_t takes = optimizer_takes(i.kind);
  for (int k = 0; k < HYPERPARAMETER_COUNT; k++) {
    const findlr_value &v = *spec.options[OPTION_FIRST_HYPERPARAMETER + k];
    const bool real = options[OPTION_FIRST_HYPERPARAMETER + k].type == FINDLR_OPTION_REAL;
    i.values[k] = { v.given != 0, real ? v.real : static_cast<double>(v.integer) };
    if (v.given && !(takes >> k & 1))
      throw failure(FINDLR_ERR_ARGUMENT,
                    options[OPTION_FIRST_HYPERPARAMETER + k].name +
                        (i.kind ? " is no option of libtorch's " + std::string(name.text)
                                : std::string(" belongs to libtorch's optimizers: give optimizer, or write "
                                              "it with the session's own")));
  }
  if (!i.kind && loss.given)
    throw failure(FINDLR_ERR_ARGUMENT,
                  "loss belongs to libtorch's optimizers: give optimizer, or use the session's own loss");
  const bool wants_classes = i.loss == LOSS_CROSS_ENTROPY;
  const bool wants_numbers = i.loss >= LOSS_MSE && i.loss <= LOSS_BCE;
  if ((wants_classes && !i.classes) || (wants_numbers && i.classes))
    throw failure(FINDLR_ERR_ARGUMENT, "loss " + std::string(loss.text) + " wants " +
                                           (wants_classes ? "classes" : "numbers") +
                                           " as targets, and the data's are " +
                                           (i.classes ? "classes" : "numbers"));
}

void choose_dtype_and_device(instance &i, const findlr_model_spec &spec) {
  static const at::ScalarType types[] = { at::kFloat, at::kFloat, at::kDouble, at::kBFloat16 };
  const findlr_value &device = *spec.options[OPTION_DEVICE], &dtype = *spec.options[OPTION_DTYPE];
  const at::ScalarType data = spec.dtype == FINDLR_DTYPE_FLOAT64 ? at::kDouble : at::kFloat;
  i.dtype = dtype.integer == DTYPE_AUTO ? data : types[dtype.integer];
  i.w.device = at::Device(device.integer ? at::kCUDA : at::kCPU, device.integer ? 0 : -1);
  if (device.integer && !torch::cuda::is_available())
    throw failure(FINDLR_ERR_UNSUPPORTED,
                  at::hasCUDA() ? "device=cuda: libtorch finds no CUDA device"
                                : "device=cuda: this libtorch (" TORCH_VERSION ") has no CUDA");
  if (!i.kind && (device.integer || i.dtype != data))
    throw failure(FINDLR_ERR_ARGUMENT,
                  (device.integer ? std::string("device=cuda") : "dtype=" + std::string(dtype.text)) +
                      " needs one of libtorch's own optimizers (optimizer=adam): the session's work on CPU "
                      "memory of the data's dtype");
}

/* libtorch opens what it is given; what cannot be read is told apart here. */
void check_file(const char *file) {
  struct stat info;
  if (stat(file, &info) != 0)
    throw failure(FINDLR_ERR_NOT_FOUND, "there is no file " + std::string(file));
  if (!S_ISREG(info.st_mode))
    throw failure(FINDLR_ERR_FORMAT, std::string(file) + " is no regular file, wanted TorchScript");
}

void make_generator(instance &i, uint64_t seed) {
  at::Generator fresh = at::globalContext().defaultGenerator(i.w.device).clone();
  fresh.set_current_seed(seed);
  i.w.generator = fresh.get_state().clone();
  i.generator = std::make_unique<named_tensor>("torch.generator", i.w.generator);
}

void make_gradients(instance &i) {
  at::NoGradGuard no_gradients;
  for (named_tensor &p : i.net->parameters) {
    at::Tensor g = at::zeros(p.tensor.sizes(), p.tensor.options().requires_grad(false));
    p.tensor.mutable_grad() = g;
    i.gradients.emplace_back(p.name, g);
  }
}

void make(instance &i, const findlr_model_spec &spec) {
  const char *file = spec.options[OPTION_FILE]->text;
  i.w.threads = static_cast<int>(spec.threads);
  i.outputs = spec.outputs;
  i.classes = spec.classes > 0;
  choose_shape(i, spec);
  choose_optimizer(i, spec);
  choose_dtype_and_device(i, spec);
  check_file(file);
  turn t(i.w, true, false);
  i.net = std::make_unique<network>(file, i.w.device, i.dtype);
  if (i.kind && i.loss == LOSS_AUTO)
    i.loss = i.net->has_loss() ? LOSS_MODULE : i.classes ? LOSS_CROSS_ENTROPY : LOSS_MSE;
  if (i.loss == LOSS_MODULE && !i.net->has_loss())
    throw failure(FINDLR_ERR_ARGUMENT, "the module in " + std::string(file) +
                                           " exports no method loss(inputs, targets)");
  i.groups.assign(i.net->parameters.size(), 0);
  if (i.kind)
    i.optimizer = engine::make(i.kind, i.net->parameters, i.groups, i.values);
  else
    make_gradients(i);
  make_generator(i, spec.seed);
}

void destroy(void *self) {
  instance *i = static_cast<instance *>(self);
  const findlr_host *host = i->w.host;
  void *ctx = i->w.ctx;
  i->~instance();
  host->alloc(ctx, i, sizeof *i, 0, 64);
}

int32_t create(const findlr_host *host, void *ctx, const findlr_model_spec *spec, void **ret_self) {
  void *memory = host->alloc(ctx, nullptr, 0, sizeof(instance), 64);
  if (!memory)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for a torch model");
  instance *i = new (memory) instance(host, ctx);
  const int32_t status = slot(i, [&](instance &self) { make(self, *spec); });
  if (status) {
    destroy(i);
    return status;
  }
  *ret_self = i;
  return FINDLR_OK;
}

/* --- forward and backward -------------------------------------------------------------------- */

/* The host's memory as a tensor, on the network's device and of its dtype. */
at::Tensor wrap(const instance &i, const findlr_tensor *t, at::IntArrayRef shape, bool convert) {
  const at::ScalarType type = t->dtype_code == 0   ? at::kLong
                              : t->dtype_bits == 64 ? at::kDouble
                                                    : at::kFloat;
  const at::Tensor x = at::from_blob(static_cast<char *>(t->data) + t->byte_offset, shape, type);
  return convert ? x.to(i.w.device, type == at::kLong ? type : i.dtype) : x;
}

at::Tensor wrap_inputs(instance &i, const findlr_tensor *inputs) {
  i.input_shape[0] = inputs->shape[0];
  return wrap(i, inputs, i.input_shape, true);
}

/* The network's outputs as rows x outputs. */
at::Tensor outputs_of(instance &i, const at::Tensor &x) {
  const at::Tensor y = i.net->run_forward(x);
  const int64_t rows = x.size(0);
  if (y.dim() < 1 || y.size(0) != rows || y.numel() != rows * i.outputs)
    throw failure(FINDLR_ERR_UNSUPPORTED, "the module's outputs are " + text_of(y.sizes().vec()) +
                                              ", wanted " + text_of({ rows, i.outputs }));
  if (y.scalar_type() != i.dtype)
    throw failure(FINDLR_ERR_UNSUPPORTED, std::string("the module's outputs are of the dtype ") +
                                              c10::toString(y.scalar_type()) + ", wanted " +
                                              c10::toString(i.dtype));
  return y.dim() == 2 ? y : y.reshape({ rows, i.outputs });
}

void forget_batch(instance &i) {
  i.backward_may_follow = false;
  i.result = at::Tensor();
  i.snapshot.clear();
}

int32_t forward(void *self, const findlr_tensor *inputs, uint32_t mode,
                const findlr_tensor **ret_outputs) {
  return slot(self, [&](instance &i) {
    const bool train = mode == FINDLR_MODE_TRAIN;
    forget_batch(i);
    turn t(i.w, train, train);
    i.net->set_training(train);
    const at::Tensor x = wrap_inputs(i, inputs);
    if (train) {
      i.result = outputs_of(i, x).contiguous();
    } else {
      network::rehearsal rehearsal(*i.net);
      i.result = outputs_of(i, x).contiguous();
    }
    if (train && !i.result.requires_grad())
      throw failure(FINDLR_ERR_UNSUPPORTED,
                    "the module's outputs depend on no parameter that wants gradients");
    i.result_shape = i.result.sizes().vec();
    i.result_view = view_of(i.result, i.result_shape.data());
    i.backward_may_follow = train;
    *ret_outputs = &i.result_view;
  });
}

int32_t backward(void *self, const findlr_tensor *grad_outputs, uint32_t flags) {
  return slot(self, [&](instance &i) {
    if (!i.backward_may_follow)
      throw failure(FINDLR_ERR_STATE, "backward must follow a forward in training mode");
    if (i.kind)
      throw failure(FINDLR_ERR_STATE, "a network with an optimizer of libtorch's trains by itself");
    turn t(i.w, true, true);
    if (!(flags & FINDLR_BACKWARD_ACCUMULATE))
      for (named_tensor &g : i.gradients)
        std::memset(g.tensor.data_ptr(), 0, g.tensor.nbytes());
    const at::Tensor result = i.result;
    forget_batch(i);
    result.backward(wrap(i, grad_outputs, i.result_shape, false));
  });
}

/* --- what it consists of --------------------------------------------------------------------- */

int32_t parameter(void *self, uint32_t n, findlr_parameter *out) {
  instance &i = *static_cast<instance *>(self);
  if (n >= i.net->parameters.size())
    return FINDLR_DONE;
  out->group = 0;
  out->name = i.net->parameters[n].name.c_str();
  out->value = i.net->parameters[n].view();
  out->gradient = i.kind ? findlr_tensor() : i.gradients[n].view();
  return FINDLR_OK;
}

bool on_cpu(const instance &i) {
  return i.w.device.is_cpu();
}

/* The generator, then what the host can copy by itself. */
int32_t state(void *self, uint32_t n, findlr_named_tensor *out) {
  instance &i = *static_cast<instance *>(self);
  network &net = *i.net;
  named_tensor *t = nullptr;
  if (n == 0)
    t = i.generator.get();
  else if (on_cpu(i) && n <= net.buffers.size())
    t = &net.buffers[n - 1];
  else if (on_cpu(i) && n <= net.buffers.size() + net.frozen.size())
    t = &net.frozen[n - 1 - net.buffers.size()];
  if (!t)
    return FINDLR_DONE;
  out->name = t->name.c_str();
  out->tensor = t->view();
  return FINDLR_OK;
}

/* All else: numbers among the attributes, libtorch's optimizer, and what lies on another device. */
void read_rest(instance &i, reader &from) {
  i.net->read_numbers(from);
  if (i.optimizer)
    i.optimizer->read_state(from);
  if (!on_cpu(i))
    for (const std::vector<named_tensor> *list : { &i.net->parameters, &i.net->frozen, &i.net->buffers })
      for (const named_tensor &n : *list)
        from.into(n.tensor);
  from.end();
}

int32_t save(void *self, void *buffer, size_t capacity, size_t *ret_size) {
  return slot(self, [&](instance &i) {
    if (!buffer || i.snapshot.empty()) {
      turn t(i.w, false, false);
      std::string bytes;
      i.net->append_numbers(bytes);
      if (i.optimizer)
        i.optimizer->append_state(bytes);
      if (!on_cpu(i))
        for (const std::vector<named_tensor> *list : { &i.net->parameters, &i.net->frozen, &i.net->buffers })
          for (const named_tensor &n : *list)
            append(bytes, n.tensor);
      i.snapshot = std::move(bytes);
    }
    if (buffer) {
      const std::string bytes = std::move(i.snapshot);
      i.snapshot.clear();
      if (bytes.size() > capacity)
        throw failure(FINDLR_ERR_ARGUMENT, "the buffer is too small for the network's state");
      std::memcpy(buffer, bytes.data(), bytes.size());
      *ret_size = bytes.size();
    } else {
      *ret_size = i.snapshot.size();
    }
  });
}

void drop_gradients(instance &i) {
  for (named_tensor &p : i.net->parameters)
    p.tensor.mutable_grad().reset();
  i.unit = 0;
}

int32_t restore(void *self, const void *buffer, size_t size) {
  return slot(self, [&](instance &i) {
    turn t(i.w, false, false);
    forget_batch(i);
    reader look(buffer, size, false);
    read_rest(i, look);
    reader put(buffer, size, true);
    read_rest(i, put);
    if (i.kind)
      drop_gradients(i);
  });
}

const findlr_opaque_state opaque = { sizeof opaque, 0, save, restore };

/* --- training by itself ---------------------------------------------------------------------- */

/* The loss averaged over the batch as PyTorch does it, and the weight that makes it a sum. */
at::Tensor mean_loss(instance &i, const findlr_tensor *inputs, const findlr_tensor *targets,
                     double *ret_weight) {
  namespace F = torch::nn::functional;
  const at::Tensor x = wrap_inputs(i, inputs);
  const at::IntArrayRef shape(targets->shape, static_cast<size_t>(targets->ndim));
  const at::Tensor y = wrap(i, targets, shape, true);
  const double rows = static_cast<double>(x.size(0));
  *ret_weight = rows;
  if (i.loss == LOSS_MODULE)
    return i.net->run_loss(x, y);
  /* A loss in bfloat16 would have two digits. */
  const at::Tensor out = outputs_of(i, x), z = i.dtype == at::kBFloat16 ? out.to(at::kFloat) : out;
  if (i.loss == LOSS_CROSS_ENTROPY)
    return F::cross_entropy(z, y);
  const at::Tensor numbers = y.to(z.scalar_type());
  *ret_weight = rows * static_cast<double>(i.outputs);
  switch (i.loss) {
  case LOSS_L1:
    return F::l1_loss(z, numbers);
  case LOSS_HUBER:
    return F::huber_loss(z, numbers);
  case LOSS_BCE:
    return F::binary_cross_entropy_with_logits(z, numbers);
  default:
    return F::mse_loss(z, numbers);
  }
}

/* Gradients are kept in the unit of the first batch, so that one batch a step, the common case, needs no
 * scaling: it is PyTorch's own arithmetic. */
int32_t accumulate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                   double *ret_sum, double *ret_weight) {
  const int32_t status = slot(self, [&](instance &i) {
    turn t(i.w, true, true);
    forget_batch(i);
    i.net->set_training(true);
    double weight;
    const at::Tensor mean = mean_loss(i, inputs, targets, &weight);
    if (!mean.requires_grad())
      throw failure(FINDLR_ERR_UNSUPPORTED, "the loss depends on no parameter that wants gradients");
    if (i.unit == 0)
      i.unit = weight;
    if (weight == i.unit)
      mean.backward();
    else
      mean.backward(at::full_like(mean, weight / i.unit));
    *ret_sum = mean.item().toDouble() * weight;
    *ret_weight = weight;
  });
  if (status)
    drop_gradients(*static_cast<instance *>(self));
  return status;
}

int32_t apply(void *self, const double *rates, uint32_t n, double grad_scale) {
  return slot(self, [&](instance &i) {
    turn t(i.w, false, false);
    forget_batch(i);
    if (i.unit == 0)
      throw failure(FINDLR_ERR_STATE, "apply must follow accumulate");
    if (grad_scale != 1 / i.unit)
      for (named_tensor &p : i.net->parameters)
        if (p.tensor.grad().defined())
          p.tensor.mutable_grad().mul_(grad_scale * i.unit);
    i.optimizer->step(rates, n);
    drop_gradients(i);
  });
}

int32_t evaluate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                 double *ret_sum, double *ret_weight) {
  return slot(self, [&](instance &i) {
    turn t(i.w, false, false);
    forget_batch(i);
    i.net->set_training(false);
    network::rehearsal rehearsal(*i.net);
    double weight;
    *ret_sum = mean_loss(i, inputs, targets, &weight).item().toDouble() * weight;
    *ret_weight = weight;
  });
}

int32_t set(void *self, const char *name, double value) {
  return slot(self, [&](instance &i) {
    for (int k = 0; k < HYPERPARAMETER_COUNT; k++) {
      const findlr_option &o = options[OPTION_FIRST_HYPERPARAMETER + k];
      const bool adam = i.kind == ADAM || i.kind == ADAMW;
      if (std::strcmp(name, o.name) != 0 || (!(optimizer_takes(i.kind) >> k & 1) && !(adam && k == MOMENTUM)))
        continue;
      if (!(value >= o.minimum && value <= o.maximum) || o.type != FINDLR_OPTION_REAL)
        break;
      i.optimizer->set(k, value);
      return;
    }
    throw failure(FINDLR_ERR_UNSUPPORTED, "the option \"" + std::string(name) + "\" cannot become " +
                                              std::to_string(value) + " in this optimizer");
  });
}

int32_t grad_norm(void *self, double *ret_norm) {
  return slot(self, [&](instance &i) {
    turn t(i.w, false, false);
    double squares = 0;
    for (const named_tensor &p : i.net->parameters)
      if (p.tensor.grad().defined())
        squares += std::pow(p.tensor.grad().to(at::kDouble).norm().item().toDouble(), 2);
    *ret_norm = std::sqrt(squares) * i.unit;
  });
}

int32_t set_groups(void *self, const uint32_t *groups, uint32_t n) {
  return slot(self, [&](instance &i) {
    turn t(i.w, true, false);
    i.groups.assign(groups, groups + n);
    i.optimizer = engine::make(i.kind, i.net->parameters, i.groups, i.values);
  });
}

const findlr_train train = { sizeof train, 0, accumulate, apply, evaluate, set, grad_norm, set_groups };

const void *get_extension(void *self, const char *id) {
  const instance &i = *static_cast<instance *>(self);
  if (std::strcmp(id, FINDLR_EXT_STATE) == 0)
    return &opaque;
  return i.kind && std::strcmp(id, FINDLR_EXT_TRAIN) == 0 ? &train : nullptr;
}

/* --- the component --------------------------------------------------------------------------- */

const findlr_model_vtable vtable = { sizeof vtable, 0,     create, destroy, forward, backward,
                                     parameter,     state, get_extension };

const findlr_component component = {
  sizeof component, FINDLR_KIND_MODEL, "torch", "a TorchScript module, trained by libtorch", &vtable,
  nullptr, OPTION_COUNT, 0, option,
};

} // namespace

/* For the plugin's first half. */
extern "C" FINDLR_PLUGIN_EXPORT const findlr_component *findlr_torch_component(void);
extern "C" FINDLR_PLUGIN_EXPORT const findlr_component *findlr_torch_component(void) {
  return &component;
}
