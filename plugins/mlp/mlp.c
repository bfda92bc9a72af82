/* SPDX-License-Identifier: MIT */
/* The multilayer perceptron: affine layers with an activation between them. Parameters are named
 * and laid out as those of PyTorch's Sequential(Linear, activation, [Dropout,] Linear, ...), and
 * start with the same distribution. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elementwise.h"
#include "products.h"

/* PRODUCTS and PRODUCTS_NAME come from the build: products_onednn and "oneDNN 2.6.3", for one. */

enum { OPTION_HIDDEN, OPTION_ACTIVATION, OPTION_BIAS, OPTION_DROPOUT, OPTION_COUNT };

enum { ALIGNMENT = 64, MAX_HIDDEN = 65535 };

typedef struct layer {
  int64_t inputs;
  int64_t outputs;
  char weight_name[32];
  char bias_name[32];
  int64_t weight_shape[2]; /* outputs, inputs */
  int64_t bias_shape[1];
  void *weight;
  void *bias; /* NULL: none */
  void *weight_gradient;
  void *bias_gradient;
  void *output; /* [max_batch, outputs], after the activation; in backward, its gradient */
  void *slope;  /* likewise, of the activation (and dropout); NULL in the last layer */
} layer;

typedef struct mlp {
  const findlr_host *host;
  void *ctx;
  const findlr_host_random *random;
  const elementwise *real; /* of the dtype */
  product_function *product;
  uint32_t dtype;
  uint32_t threads;
  uint32_t activation;
  uint32_t has_bias;
  double dropout;
  int64_t max_batch;
  uint64_t generator[4];
  int64_t generator_shape[1];
  int64_t output_shape[2];
  findlr_tensor output;

  const void *inputs; /* of the forward that backward may follow; NULL: none */
  int64_t rows;

  void *memory; /* all arrays of all layers */
  size_t memory_size;
  uint32_t layer_count;
  layer layers[];
} mlp;

static findlr_tensor tensor(void *data, uint32_t dtype, int64_t *shape, int32_t ndim) {
  return (findlr_tensor){
    .data = data,
    .device_type = FINDLR_DEVICE_CPU,
    .ndim = ndim,
    .dtype_code = (uint8_t)dtype,
    .dtype_bits = (uint8_t)(dtype >> 8),
    .dtype_lanes = 1,
    .shape = shape,
  };
}

/* --- memory: everything at create ------------------------------------------------------------ */

/* Gives an array its place, unless memory is NULL, and moves *used past it. A double counts: it
 * cannot overflow, and is exact far beyond any memory. */
static void place(void **array, unsigned char *memory, double *used, int64_t rows, int64_t columns,
                  size_t size) {
  if (memory)
    *array = memory + (size_t)*used;
  *used += ceil((double)rows * (double)columns * (double)size / ALIGNMENT) * ALIGNMENT;
}

/* Places every array; returns the bytes they take. */
static double lay_out(mlp *self, unsigned char *memory) {
  const size_t size = self->real->size;
  double used = 0;
  for (layer *l = self->layers; l < self->layers + self->layer_count; l++) {
    place(&l->weight, memory, &used, l->outputs, l->inputs, size);
    place(&l->weight_gradient, memory, &used, l->outputs, l->inputs, size);
    if (self->has_bias) {
      place(&l->bias, memory, &used, 1, l->outputs, size);
      place(&l->bias_gradient, memory, &used, 1, l->outputs, size);
    }
    place(&l->output, memory, &used, self->max_batch, l->outputs, size);
    if (l + 1 < self->layers + self->layer_count)
      place(&l->slope, memory, &used, self->max_batch, l->outputs, size);
  }
  return used;
}

/* What this machine has. An allocation beyond it may well succeed, and kill the process later. */
static double physical_memory(void) {
  double bytes = (double)PTRDIFF_MAX;
#ifdef _SC_PHYS_PAGES
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages > 0 && size > 0)
    bytes = fmin(bytes, (double)pages * (double)size);
#endif
  return bytes;
}

static void destroy(void *instance) {
  mlp *self = instance;
  self->host->alloc(self->ctx, self->memory, self->memory_size, 0, ALIGNMENT);
  self->host->alloc(self->ctx, self, sizeof *self + self->layer_count * sizeof *self->layers, 0,
                    ALIGNMENT);
}

/* Weights and biases in +-1/sqrt(inputs), as PyTorch's Linear. */
static void initialise(mlp *self, uint64_t seed) {
  self->random->seed(self->generator, seed);
  memset(self->memory, 0, self->memory_size);
  for (layer *l = self->layers; l < self->layers + self->layer_count; l++) {
    const double bound = 1 / sqrt((double)l->inputs);
    self->real->initialise(l->outputs * l->inputs, l->weight, bound, self->random, self->generator);
    if (l->bias)
      self->real->initialise(l->outputs, l->bias, bound, self->random, self->generator);
  }
}

/* The numbers in one row of inputs; more than INT32_MAX where the product would be. */
static int64_t row_size(const findlr_model_spec *spec) {
  int64_t size = 1;
  for (int32_t i = 0; i < spec->input_ndim && size <= INT32_MAX; i++)
    size = spec->input_shape[i] > INT32_MAX ? INT64_MAX : size * spec->input_shape[i];
  return size;
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                      void **ret_self) {
  const findlr_value *hidden = spec->options[OPTION_HIDDEN];
  const findlr_host_random *random = host->get_extension(ctx, FINDLR_EXT_RANDOM);
  const int64_t features = row_size(spec);
  const products *library = &PRODUCTS;
  if (!random)
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "the host does not offer " FINDLR_EXT_RANDOM);
  if (spec->dtype != FINDLR_DTYPE_FLOAT32 && spec->dtype != FINDLR_DTYPE_FLOAT64)
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "mlp works in float32 and float64 only");
  if (features > INT32_MAX || spec->outputs > INT32_MAX || spec->max_batch > INT32_MAX)
    return findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT,
                            "inputs, outputs and rows of mlp are at most %d each", INT32_MAX);
  if (hidden->count > MAX_HIDDEN)
    return findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT,
                            "%u hidden layers, of which mlp has at most %d",
                            (unsigned)hidden->count, MAX_HIDDEN);

  const size_t self_size = sizeof(mlp) + ((size_t)hidden->count + 1) * sizeof(layer);
  mlp *self = host->alloc(ctx, NULL, 0, self_size, ALIGNMENT);
  if (!self)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for %u layers",
                            (unsigned)hidden->count + 1);
  memset(self, 0, self_size);
  self->host = host;
  self->ctx = ctx;
  self->random = random;
  self->dtype = spec->dtype;
  self->threads = spec->threads;
  self->activation = (uint32_t)spec->options[OPTION_ACTIVATION]->integer;
  self->has_bias = (uint32_t)spec->options[OPTION_BIAS]->integer;
  self->dropout = spec->options[OPTION_DROPOUT]->real;
  self->max_batch = spec->max_batch;
  self->generator_shape[0] = 4;
  self->layer_count = hidden->count + 1;
  if (spec->dtype == FINDLR_DTYPE_FLOAT32) {
    self->real = &elementwise_f32;
    self->product = library->f32 ? library->f32 : products_plain.f32;
  } else {
    self->real = &elementwise_f64;
    self->product = library->f64 ? library->f64 : products_plain.f64;
  }

  int64_t inputs = features;
  for (uint32_t i = 0; i < self->layer_count; i++) {
    const unsigned place = (self->dropout > 0 ? 3 : 2) * i;
    layer *l = &self->layers[i];
    snprintf(l->weight_name, sizeof l->weight_name, "%u.weight", place);
    snprintf(l->bias_name, sizeof l->bias_name, "%u.bias", place);
    l->inputs = l->weight_shape[1] = inputs;
    l->outputs = l->weight_shape[0] = l->bias_shape[0] =
        i < hidden->count ? hidden->sizes[i] : spec->outputs;
    inputs = l->outputs;
  }

  const double bytes = lay_out(self, NULL), limit = physical_memory();
  int32_t status = FINDLR_OK;
  if (bytes > limit) {
    status = findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT,
                              "a network of %.0f MiB with batches of %lld rows is too large for "
                              "the %.0f MiB of this machine",
                              ceil(bytes / 0x1p20), (long long)spec->max_batch, limit / 0x1p20);
  } else {
    self->memory = host->alloc(ctx, NULL, 0, (size_t)bytes, ALIGNMENT);
    if (!self->memory)
      status = findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY,
                                "no memory for a network of %.0f MiB with batches of %lld rows",
                                ceil(bytes / 0x1p20), (long long)spec->max_batch);
  }
  if (status != FINDLR_OK) {
    destroy(self);
    return status;
  }
  self->memory_size = (size_t)bytes;
  lay_out(self, self->memory);
  initialise(self, spec->seed);
  self->output_shape[1] = spec->outputs;
  self->output =
      tensor(self->layers[self->layer_count - 1].output, self->dtype, self->output_shape, 2);
  *ret_self = self;
  return FINDLR_OK;
}

/* --- the pass there and the pass back -------------------------------------------------------- */

/* Are these rows of that many numbers of the network's dtype, for a batch it has room for? */
static int32_t check(mlp *self, const findlr_tensor *t, int64_t columns, const char *what) {
  const int64_t rows = t->ndim > 0 ? t->shape[0] : 0;
  int64_t size = 1;
  for (int32_t i = 1; i < t->ndim && size <= columns; i++)
    size *= t->shape[i] <= columns ? t->shape[i] : columns + 1;
  if (t->dtype_code != (uint8_t)self->dtype || t->dtype_bits != (uint8_t)(self->dtype >> 8))
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                            "%s are not float%d, the dtype of the network", what,
                            (int)(uint8_t)(self->dtype >> 8));
  if (rows < 1 || rows > self->max_batch)
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                            "%s have %lld rows, not 1 to %lld", what, (long long)rows,
                            (long long)self->max_batch);
  if (size != columns)
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                            "a row of the %s has not the %lld numbers that the network takes", what,
                            (long long)columns);
  return FINDLR_OK;
}

static void *data(const findlr_tensor *t) {
  return (unsigned char *)t->data + t->byte_offset;
}

static int32_t no_memory_in_product(mlp *self) {
  return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_NO_MEMORY,
                          PRODUCTS_NAME " had no memory for a product of matrices");
}

static int32_t forward(void *instance, const findlr_tensor *inputs, uint32_t mode,
                       const findlr_tensor **ret_outputs) {
  mlp *self = instance;
  self->inputs = NULL;
  const int32_t status = check(self, inputs, self->layers[0].inputs, "inputs");
  if (status != FINDLR_OK)
    return status;
  const int64_t rows = inputs->shape[0];
  const void *x = data(inputs);
  for (layer *l = self->layers; l < self->layers + self->layer_count; l++) {
    const int64_t numbers = rows * l->outputs;
    if (self->product(0, 1, rows, l->outputs, l->inputs, x, l->weight, 0, l->output, self->threads))
      return no_memory_in_product(self);
    if (l->bias)
      self->real->add_bias(rows, l->outputs, l->output, l->bias);
    if (l->slope) {
      const int train = mode == FINDLR_MODE_TRAIN;
      self->real->activate[self->activation](numbers, l->output, train ? l->slope : NULL);
      if (train && self->dropout > 0)
        self->real->drop(numbers, l->output, l->slope, self->dropout, self->random,
                         self->generator);
    }
    x = l->output;
  }
  if (mode == FINDLR_MODE_TRAIN) {
    self->inputs = data(inputs);
    self->rows = rows;
  }
  self->output_shape[0] = rows;
  *ret_outputs = &self->output;
  return FINDLR_OK;
}

static int32_t backward(void *instance, const findlr_tensor *grad_outputs, uint32_t flags) {
  mlp *self = instance;
  if (!self->inputs)
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_STATE,
                            "backward must follow a forward in training mode");
  const int32_t status = check(self, grad_outputs, self->output_shape[1], "output gradients");
  if (status != FINDLR_OK)
    return status;
  if (grad_outputs->shape[0] != self->rows)
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                            "gradients of %lld rows for outputs of %lld rows",
                            (long long)grad_outputs->shape[0], (long long)self->rows);

  const void *inputs = self->inputs, *gradient = data(grad_outputs);
  const int accumulate = (flags & FINDLR_BACKWARD_ACCUMULATE) != 0;
  const int64_t rows = self->rows;
  self->inputs = NULL;
  for (layer *l = self->layers + self->layer_count - 1; l >= self->layers; l--) {
    layer *below = l > self->layers ? l - 1 : NULL;
    if (self->product(1, 0, l->outputs, l->inputs, rows, gradient, below ? below->output : inputs,
                      accumulate, l->weight_gradient, self->threads))
      return no_memory_in_product(self);
    if (l->bias)
      self->real->sum_rows(rows, l->outputs, gradient, accumulate, l->bias_gradient);
    if (!below)
      break;
    if (self->product(0, 0, rows, l->inputs, l->outputs, gradient, l->weight, 0, below->output,
                      self->threads))
      return no_memory_in_product(self);
    self->real->multiply(rows * l->inputs, below->output, below->slope);
    gradient = below->output;
  }
  return FINDLR_OK;
}

/* --- what the host asks about ---------------------------------------------------------------- */

static int32_t parameter(void *instance, uint32_t i, findlr_parameter *out) {
  mlp *self = instance;
  const uint32_t each = self->has_bias ? 2 : 1;
  if (i / each >= self->layer_count)
    return FINDLR_DONE;
  layer *l = &self->layers[i / each];
  out->group = 0;
  if (i % each == 0) {
    out->name = l->weight_name;
    out->value = tensor(l->weight, self->dtype, l->weight_shape, 2);
    out->gradient = tensor(l->weight_gradient, self->dtype, l->weight_shape, 2);
  } else {
    out->name = l->bias_name;
    out->value = tensor(l->bias, self->dtype, l->bias_shape, 1);
    out->gradient = tensor(l->bias_gradient, self->dtype, l->bias_shape, 1);
  }
  return FINDLR_OK;
}

/* The generator moves only where there is dropout. */
static int32_t state(void *instance, uint32_t i, findlr_named_tensor *out) {
  mlp *self = instance;
  if (i > 0 || self->dropout <= 0)
    return FINDLR_DONE;
  out->name = "generator";
  out->tensor = tensor(self->generator, FINDLR_DTYPE_INT64, self->generator_shape, 1);
  return FINDLR_OK;
}

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
  out->choices = NULL;
  out->minimum = -HUGE_VAL;
  out->maximum = HUGE_VAL;
  switch (i) {
  case OPTION_HIDDEN:
    out->type = FINDLR_OPTION_SIZES;
    out->name = "hidden";
    out->help = "widths of the hidden layers; empty for none";
    out->default_value = "128";
    out->minimum = 1;
    out->maximum = INT32_MAX;
    break;
  case OPTION_ACTIVATION:
    out->type = FINDLR_OPTION_CHOICE;
    out->name = "activation";
    out->help = "what follows each hidden layer";
    out->default_value = "relu";
    out->choices = "relu|tanh|sigmoid|gelu"; /* the order of elementwise.activate */
    break;
  case OPTION_BIAS:
    out->type = FINDLR_OPTION_BOOLEAN;
    out->name = "bias";
    out->help = "add a bias in every layer";
    out->default_value = "true";
    break;
  case OPTION_DROPOUT:
    out->type = FINDLR_OPTION_REAL;
    out->name = "dropout";
    out->help = "probability of dropping a hidden unit in training";
    out->default_value = "0";
    out->minimum = 0;
    out->maximum = 1;
    break;
  }
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
  .name = "mlp",
  .help = "multilayer perceptron (matrix products: " PRODUCTS_NAME ")",
  .vtable = &vtable,
  .option_count = OPTION_COUNT,
  .option = option,
};

static const findlr_component *component_at(uint32_t i) {
  return i == 0 ? &component : NULL;
}

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  static const findlr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
    .id = "mlp",
    .version = FINDLR_VERSION,
    .description = "multilayer perceptron (matrix products: " PRODUCTS_NAME ")",
    .component = component_at,
  };
  return &plugin;
}
