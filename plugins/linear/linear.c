/* SPDX-License-Identifier: MIT */
/* The shortest complete plugin, to copy: one affine layer, outputs = inputs weight' + bias. With
 * the loss mse it is least squares, with cross_entropy softmax regression. Plain C; mlp with no
 * hidden layer computes the same, faster. */
#include <math.h>
#include <string.h>

#include "findlr/plugin.h"

enum { OPTION_BIAS, OPTION_COUNT };

enum { WEIGHT, BIAS, WEIGHT_GRADIENT, BIAS_GRADIENT, OUTPUT, ARRAY_COUNT };

/* One instance. It keeps the host and ctx that it was created with and uses no other: all that a
 * plugin needs from outside comes through them. */
typedef struct linear {
  const findlr_host *host;
  void *ctx;
  uint32_t dtype;
  int32_t has_bias; /* without, the bias stays at zero and is no parameter */
  int64_t max_batch, features, outputs;
  void *array[ARRAY_COUNT];
  size_t size[ARRAY_COUNT];               /* in bytes */
  int64_t weight_shape[2], bias_shape[1]; /* tensors point to their shapes */
  int64_t output_shape[2];
  findlr_tensor output;
  const void *inputs; /* of the forward that backward may follow; NULL: none */
} linear;

/* The arithmetic, once for each type. x: [rows, features], y: [rows, outputs]. */
#define DEFINE_ARITHMETIC(real)                                                                    \
  static void forward_##real(const linear *self, int64_t rows, const real *x) {                    \
    const real *w = self->array[WEIGHT], *b = self->array[BIAS];                                   \
    real *y = self->array[OUTPUT];                                                                 \
    for (int64_t r = 0; r < rows; r++, x += self->features)                                        \
      for (int64_t o = 0; o < self->outputs; o++) {                                                \
        real sum = b[o];                                                                           \
        for (int64_t i = 0; i < self->features; i++)                                               \
          sum += x[i] * w[o * self->features + i];                                                 \
        *y++ = sum;                                                                                \
      }                                                                                            \
  }                                                                                                \
                                                                                                   \
  static void backward_##real(const linear *self, int64_t rows, const real *x, const real *dy) {   \
    real *dw = self->array[WEIGHT_GRADIENT], *db = self->array[BIAS_GRADIENT];                     \
    for (int64_t r = 0; r < rows; r++, x += self->features, dy += self->outputs)                   \
      for (int64_t o = 0; o < self->outputs; o++) {                                                \
        for (int64_t i = 0; i < self->features; i++)                                               \
          dw[o * self->features + i] += dy[o] * x[i];                                              \
        db[o] += dy[o];                                                                            \
      }                                                                                            \
  }                                                                                                \
                                                                                                   \
  static void fill_##real(real *values, size_t size, double bound,                                 \
                          const findlr_host_random *random, uint64_t generator[4]) {               \
    for (size_t i = 0; i < size / sizeof(real); i++)                                               \
      values[i] = (real)((2 * random->uniform(generator) - 1) * bound);                            \
  }

DEFINE_ARITHMETIC(float)
DEFINE_ARITHMETIC(double)

static findlr_tensor tensor(void *data, uint32_t dtype, int64_t *shape, int32_t ndim) {
  findlr_tensor t = { data,  FINDLR_DEVICE_CPU, 0, ndim, (uint8_t)dtype, (uint8_t)(dtype >> 8), 1,
                      shape, NULL,              0 };
  return t;
}

static const void *data(const findlr_tensor *t) {
  return (const unsigned char *)t->data + t->byte_offset;
}

static void destroy(void *instance) {
  linear *self = instance;
  for (int i = 0; i < ARRAY_COUNT; i++)
    if (self->array[i])
      self->host->alloc(self->ctx, self->array[i], self->size[i], 0, 64);
  self->host->alloc(self->ctx, self, sizeof *self, 0, 64);
}

/* Starts as PyTorch's Linear: uniform in +-1/sqrt(features). */
static void initialise(linear *self, const findlr_host_random *random, uint64_t seed) {
  const double bound = 1 / sqrt((double)self->features);
  uint64_t generator[4];
  random->seed(generator, seed);
  for (int i = WEIGHT; i <= (self->has_bias ? BIAS : WEIGHT); i++)
    if (self->dtype == FINDLR_DTYPE_FLOAT32)
      fill_float(self->array[i], self->size[i], bound, random, generator);
    else
      fill_double(self->array[i], self->size[i], bound, random, generator);
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                      void **ret_self) {
  const findlr_host_random *random = host->get_extension(ctx, FINDLR_EXT_RANDOM);
  double features = 1; /* a double cannot overflow */
  for (int32_t i = 0; i < spec->input_ndim; i++)
    features *= (double)spec->input_shape[i];
  const double largest = fmax(features, (double)spec->max_batch) * (double)spec->outputs;
  if (!random || (spec->dtype != FINDLR_DTYPE_FLOAT32 && spec->dtype != FINDLR_DTYPE_FLOAT64))
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "linear needs float32 or float64, and a host with " FINDLR_EXT_RANDOM);
  if (largest * sizeof(double) > (double)PTRDIFF_MAX)
    return findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT,
                            "%.0f inputs x %lld outputs x %lld rows are too large for linear",
                            features, (long long)spec->outputs, (long long)spec->max_batch);

  linear *self = host->alloc(ctx, NULL, 0, sizeof *self, 64);
  if (!self)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for a linear model");
  memset(self, 0, sizeof *self);
  self->host = host;
  self->ctx = ctx;
  self->dtype = spec->dtype;
  self->has_bias = (int32_t)spec->options[OPTION_BIAS]->integer;
  self->max_batch = spec->max_batch;
  self->features = self->weight_shape[1] = (int64_t)features;
  self->outputs = self->weight_shape[0] = self->bias_shape[0] = self->output_shape[1] =
      spec->outputs;

  /* All memory is taken here: a step allocates nothing. */
  const size_t number = spec->dtype == FINDLR_DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
  const size_t bias_size = (size_t)self->outputs * number;
  self->size[WEIGHT] = self->size[WEIGHT_GRADIENT] = (size_t)self->features * bias_size;
  self->size[BIAS] = self->size[BIAS_GRADIENT] = bias_size;
  self->size[OUTPUT] = (size_t)self->max_batch * bias_size;
  for (int i = 0; i < ARRAY_COUNT; i++) {
    self->array[i] = host->alloc(ctx, NULL, 0, self->size[i], 64);
    if (!self->array[i]) {
      const double size = (double)self->size[i] / 0x1p20;
      destroy(self);
      return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY,
                              "no memory for %.3f MiB of a linear model", size);
    }
    memset(self->array[i], 0, self->size[i]);
  }
  initialise(self, random, spec->seed);
  self->output = tensor(self->array[OUTPUT], self->dtype, self->output_shape, 2);
  *ret_self = self;
  return FINDLR_OK;
}

/* The host keeps its side of the contract: compact tensors of the spec's shape and dtype. What
 * varies is the number of rows. */
static int32_t forward(void *instance, const findlr_tensor *inputs, uint32_t mode,
                       const findlr_tensor **ret_outputs) {
  linear *self = instance;
  const int64_t rows = inputs->shape[0];
  self->inputs = NULL;
  if (rows < 1 || rows > self->max_batch)
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                            "a batch of %lld rows, not 1 to %lld", (long long)rows,
                            (long long)self->max_batch);
  if (self->dtype == FINDLR_DTYPE_FLOAT32)
    forward_float(self, rows, data(inputs));
  else
    forward_double(self, rows, data(inputs));
  if (mode == FINDLR_MODE_TRAIN)
    self->inputs = data(inputs);
  self->output_shape[0] = rows;
  *ret_outputs = &self->output;
  return FINDLR_OK;
}

static int32_t backward(void *instance, const findlr_tensor *grad_outputs, uint32_t flags) {
  linear *self = instance;
  const int64_t rows = self->output_shape[0];
  if (!self->inputs)
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_STATE,
                            "backward must follow a forward in training mode");
  if (!(flags & FINDLR_BACKWARD_ACCUMULATE))
    for (int i = WEIGHT_GRADIENT; i <= BIAS_GRADIENT; i++)
      memset(self->array[i], 0, self->size[i]);
  if (self->dtype == FINDLR_DTYPE_FLOAT32)
    backward_float(self, rows, self->inputs, data(grad_outputs));
  else
    backward_double(self, rows, self->inputs, data(grad_outputs));
  self->inputs = NULL;
  return FINDLR_OK;
}

static int32_t parameter(void *instance, uint32_t i, findlr_parameter *out) {
  linear *self = instance;
  if (i > (self->has_bias ? 1 : 0))
    return FINDLR_DONE;
  int64_t *shape = i == 0 ? self->weight_shape : self->bias_shape;
  out->group = 0;
  out->name = i == 0 ? "weight" : "bias";
  out->value = tensor(self->array[WEIGHT + i], self->dtype, shape, i == 0 ? 2 : 1);
  out->gradient = tensor(self->array[WEIGHT_GRADIENT + i], self->dtype, shape, i == 0 ? 2 : 1);
  return FINDLR_OK;
}

/* Nothing but the parameters changes in training. */
static int32_t state(void *instance, uint32_t i, findlr_named_tensor *out) {
  (void)instance;
  (void)i;
  (void)out;
  return FINDLR_DONE;
}

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
  (void)i; /* there is only one */
  out->type = FINDLR_OPTION_BOOLEAN;
  out->name = "bias";
  out->help = "add a bias";
  out->default_value = "true";
  out->choices = NULL;
  out->minimum = -HUGE_VAL;
  out->maximum = HUGE_VAL;
  return FINDLR_OK;
}

static const findlr_model_vtable vtable = {
  .struct_size = sizeof vtable,
  .create = create,
  .destroy = destroy,
  .forward = forward,
  .backward = backward,
  .parameter = parameter,
  .state = state,
};

static const findlr_component component = {
  .struct_size = sizeof component,
  .kind = FINDLR_KIND_MODEL,
  .name = "linear",
  .help = "one affine layer: least squares, or softmax regression",
  .vtable = &vtable,
  .option_count = OPTION_COUNT,
  .option = option,
};

static const findlr_component *component_at(uint32_t i) {
  return i == 0 ? &component : NULL;
}

/* The one symbol that a plugin exports. */
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  static const findlr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
    .id = "linear",
    .version = FINDLR_VERSION,
    .description = "least squares and softmax regression",
    .component = component_at,
  };
  return &plugin;
}
