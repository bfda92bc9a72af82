/* SPDX-License-Identifier: MIT */
/* Networks of libfann, the Fast Artificial Neural Network library. FANN has no mini-batches: it trains
 * row by row, or on all rows at once. What it does for all rows at once is done here for the rows of a
 * batch, by the same functions of FANN, so that the rate found is FANN's learning_rate and the loss its
 * mean squared error. */
#include <math.h>
#include <string.h>

#include "network.h"

enum {
  OPTION_FILE,
  OPTION_HIDDEN,
  OPTION_ACTIVATION,
  OPTION_OUTPUT_ACTIVATION,
  OPTION_STEEPNESS,
  OPTION_INIT,
  OPTION_ALGORITHM,
  OPTION_MOMENTUM,
  OPTION_ERROR,
  OPTION_COUNT
};

enum { BATCH, QUICKPROP };

#ifdef FANN_DOUBLE
enum { DTYPE = FINDLR_DTYPE_FLOAT64 };
#else
enum { DTYPE = FINDLR_DTYPE_FLOAT32 };
#endif

/* FANN's names of what it can train, as choices, in the order of the option table below. */
static const enum fann_activationfunc_enum activations[] = {
  FANN_LINEAR,         FANN_SIGMOID,
  FANN_SIGMOID_STEPWISE, FANN_SIGMOID_SYMMETRIC,
  FANN_SIGMOID_SYMMETRIC_STEPWISE, FANN_GAUSSIAN,
  FANN_GAUSSIAN_SYMMETRIC, FANN_ELLIOT,
  FANN_ELLIOT_SYMMETRIC, FANN_LINEAR_PIECE,
  FANN_LINEAR_PIECE_SYMMETRIC, FANN_SIN_SYMMETRIC,
  FANN_COS_SYMMETRIC, FANN_SIN,
  FANN_COS,
};
#define ACTIVATIONS                                                                                \
  "linear|sigmoid|sigmoid_stepwise|sigmoid_symmetric|sigmoid_symmetric_stepwise|gaussian|"         \
  "gaussian_symmetric|elliot|elliot_symmetric|linear_piece|linear_piece_symmetric|sin_symmetric|"  \
  "cos_symmetric|sin|cos"

/* The connections into one layer: one parameter. In a full layer the last column is the bias. */
typedef struct layer_weights {
  char name[24];
  uint32_t group;
  unsigned int first, past_end; /* connections */
  int32_t ndim;
  int64_t shape[2];
} layer_weights;

typedef struct model {
  const findlr_host *host;
  void *ctx;
  struct fann *ann;
  int64_t max_batch, features, outputs, rows; /* rows: accumulated since the last step */
  int32_t algorithm;
  double momentum;
  double off; /* the target of a class that is not the row's: 0 or -1 */
  layer_weights *layers;
  unsigned int layer_count;
  fann_type *deltas; /* the last change of each weight, for momentum */
  fann_type *output, *target; /* [max_batch, outputs]; one row */
  int64_t output_shape[2], count_shape[1], rows_shape[1];
  findlr_tensor output_view;
} model;

static findlr_tensor tensor(void *data, int64_t *shape, int32_t ndim) {
  findlr_tensor t = { data,  FINDLR_DEVICE_CPU, 0, ndim, (uint8_t)DTYPE, (uint8_t)(DTYPE >> 8), 1,
                      shape, NULL,              0 };
  return t;
}

static void *data(const findlr_tensor *t) {
  return (unsigned char *)t->data + t->byte_offset;
}

static size_t weights_size(const model *m) {
  return m->ann->total_connections * sizeof(fann_type);
}

static void give_back(model *m, void *memory, size_t size) {
  if (memory)
    m->host->alloc(m->ctx, memory, size, 0, 64);
}

static void destroy(void *self) {
  model *m = self;
  if (m->ann) {
    give_back(m, m->deltas, weights_size(m));
    give_back(m, m->layers, m->layer_count * sizeof *m->layers);
    fann_destroy(m->ann);
  }
  give_back(m, m->output, (size_t)(m->max_batch * m->outputs) * sizeof(fann_type));
  give_back(m, m->target, (size_t)m->outputs * sizeof(fann_type));
  m->host->alloc(m->ctx, m, sizeof *m, 0, 64);
}

/* Everything but the network. */
static int32_t take_memory(model *m) {
  m->output = m->host->alloc(m->ctx, NULL, 0,
                             (size_t)(m->max_batch * m->outputs) * sizeof(fann_type), 64);
  m->target = m->host->alloc(m->ctx, NULL, 0, (size_t)m->outputs * sizeof(fann_type), 64);
  m->layers = m->host->alloc(m->ctx, NULL, 0, m->layer_count * sizeof *m->layers, 64);
  m->deltas = m->host->alloc(m->ctx, NULL, 0, weights_size(m), 64);
  if (m->output && m->target && m->layers && m->deltas)
    memset(m->deltas, 0, weights_size(m));
  /* FANN's own arrays: slopes, and the last steps and slopes of quickprop, all zero. */
  m->ann->training_algorithm = m->algorithm == QUICKPROP ? FANN_TRAIN_QUICKPROP : FANN_TRAIN_BATCH;
  fann_clear_train_arrays(m->ann);
  if (!m->output || !m->target || !m->layers || !m->deltas || !m->ann->train_slopes ||
      !m->ann->prev_steps || !m->ann->prev_train_slopes)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_NO_MEMORY, "no memory for training with FANN");
  return FINDLR_OK;
}

static void list_layers(model *m) {
  const struct fann *ann = m->ann;
  for (unsigned int i = 0; i < m->layer_count; i++) {
    const struct fann_layer *layer = ann->first_layer + i + 1;
    layer_weights *w = &m->layers[i];
    w->first = layer->first_neuron->first_con;
    w->past_end = (layer->last_neuron - 1)->last_con;
    w->group = 0;
    snprintf(w->name, sizeof w->name, "%u.weight", i);
    w->ndim = 1;
    w->shape[0] = w->past_end - w->first;
    if (ann->network_type == FANN_NETTYPE_LAYER && ann->connection_rate >= 1) {
      w->ndim = 2;
      w->shape[1] = (layer - 1)->last_neuron - (layer - 1)->first_neuron;
      w->shape[0] /= w->shape[1];
    }
  }
}

static int32_t make_network(model *m, const findlr_model_spec *spec) {
  const findlr_value *const *options = spec->options;
  const char *file = options[OPTION_FILE]->text;
  if (*file) {
    for (int i = OPTION_HIDDEN; i <= OPTION_INIT; i++)
      if (options[i]->given)
        return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT,
                                "%s is given together with a file, which says it already",
                                i == OPTION_HIDDEN       ? "hidden"
                                : i == OPTION_ACTIVATION ? "activation"
                                : i == OPTION_OUTPUT_ACTIVATION ? "output_activation"
                                : i == OPTION_STEEPNESS  ? "steepness"
                                                         : "init");
    int32_t status = network_read(m->host, m->ctx, file, &m->ann);
    if (status)
      return status;
    if (m->ann->num_input != m->features || m->ann->num_output != m->outputs)
      return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT,
                              "%s has %u inputs and %u outputs, the data %lld and %lld", file,
                              m->ann->num_input, m->ann->num_output, (long long)m->features,
                              (long long)m->outputs);
  } else {
    /* auto: FANN's own default for classes; real targets may lie anywhere. */
    const int64_t output = options[OPTION_OUTPUT_ACTIVATION]->integer;
    const network_plan plan = {
      .inputs = m->features,
      .outputs = m->outputs,
      .hidden = options[OPTION_HIDDEN]->sizes,
      .hidden_count = options[OPTION_HIDDEN]->count,
      .activation = activations[options[OPTION_ACTIVATION]->integer],
      .output_activation = output ? activations[output - 1]
                           : spec->classes ? FANN_SIGMOID_STEPWISE
                                           : FANN_LINEAR,
      .steepness = options[OPTION_STEEPNESS]->real,
      .init = options[OPTION_INIT]->real,
      .seed = spec->seed,
    };
    int32_t status = network_build(m->host, m->ctx, &plan, &m->ann);
    if (status)
      return status;
  }
  if (!*file || options[OPTION_ERROR]->given)
    m->ann->train_error_function =
        options[OPTION_ERROR]->integer ? FANN_ERRORFUNC_LINEAR : FANN_ERRORFUNC_TANH;
  m->momentum = !*file || options[OPTION_MOMENTUM]->given ? options[OPTION_MOMENTUM]->real
                                                          : m->ann->learning_momentum;
  return FINDLR_OK;
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                      void **ret_self) {
  double features = 1; /* a double cannot overflow */
  for (int32_t i = 0; i < spec->input_ndim; i++)
    features *= (double)spec->input_shape[i];
  if (spec->dtype != (uint32_t)DTYPE)
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            DTYPE == FINDLR_DTYPE_FLOAT32
                                ? "it computes in float32; model fann_double is for float64"
                                : "it computes in float64; model fann is for float32");
  if (features > 1e8 || (double)spec->max_batch * (double)spec->outputs > 1e9)
    return findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT,
                            "%.0f inputs, %lld outputs, batches of %lld rows: too large for FANN",
                            features, (long long)spec->outputs, (long long)spec->max_batch);

  model *m = host->alloc(ctx, NULL, 0, sizeof *m, 64);
  if (!m)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for a FANN model");
  memset(m, 0, sizeof *m);
  m->host = host;
  m->ctx = ctx;
  m->max_batch = spec->max_batch;
  m->features = (int64_t)features;
  m->outputs = m->output_shape[1] = spec->outputs;
  m->rows_shape[0] = 1;
  m->algorithm = (int32_t)spec->options[OPTION_ALGORITHM]->integer;
  int32_t status = make_network(m, spec);
  if (!status) {
    m->layer_count = (unsigned int)(m->ann->last_layer - m->ann->first_layer) - 1;
    m->count_shape[0] = m->ann->total_connections;
    status = take_memory(m);
  }
  if (!status && m->momentum > 0 && m->algorithm == QUICKPROP)
    status = findlr_host_fail(host, ctx, FINDLR_ERR_ARGUMENT,
                              "momentum is %g, but quickprop has none: wanted 0", m->momentum);
  if (status) {
    destroy(m);
    return status;
  }
  list_layers(m);
  m->output_view = tensor(m->output, m->output_shape, 2);
  m->off = network_is_symmetric((m->ann->last_layer - 1)->first_neuron->activation_function) ? -1 : 0;
  *ret_self = m;
  return FINDLR_OK;
}

/* --- running --------------------------------------------------------------------------------- */

static int32_t forward(void *self, const findlr_tensor *inputs, uint32_t mode,
                       const findlr_tensor **ret_outputs) {
  model *m = self;
  const int64_t rows = inputs->shape[0];
  fann_type *x = data(inputs);
  (void)mode; /* nothing in FANN behaves differently in training */
  if (rows < 1 || rows > m->max_batch)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT,
                            "a batch of %lld rows, not 1 to %lld", (long long)rows,
                            (long long)m->max_batch);
  for (int64_t r = 0; r < rows; r++)
    memcpy(m->output + r * m->outputs, fann_run(m->ann, x + r * m->features),
           (size_t)m->outputs * sizeof(fann_type));
  m->output_shape[0] = rows;
  *ret_outputs = &m->output_view;
  return FINDLR_OK;
}

static int32_t backward(void *self, const findlr_tensor *grad_outputs, uint32_t flags) {
  const model *m = self;
  (void)grad_outputs, (void)flags;
  return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_UNSUPPORTED,
                          "FANN takes no gradients from outside: it trains by itself");
}

/* --- training -------------------------------------------------------------------------------- */

/* The targets of row r: as they are, or a class as one output on and the others off. */
static fann_type *target_of(model *m, const findlr_tensor *targets, int64_t r) {
  if (targets->dtype_code == 2)
    return (fann_type *)data(targets) + r * m->outputs;
  const int64_t class = ((const int64_t *)data(targets))[r];
  for (int64_t i = 0; i < m->outputs; i++)
    m->target[i] = i == class ? 1 : (fann_type)m->off;
  return m->target;
}

static int32_t accumulate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                          double *ret_sum, double *ret_weight) {
  model *m = self;
  struct fann *ann = m->ann;
  fann_type *x = data(inputs);
  fann_reset_MSE(ann);
  for (int64_t r = 0; r < inputs->shape[0]; r++) {
    fann_run(ann, x + r * m->features);
    fann_compute_MSE(ann, target_of(m, targets, r));
    fann_backpropagate_MSE(ann);
    fann_update_slopes_batch(ann, ann->first_layer + 1, ann->last_layer - 1);
  }
  m->rows += inputs->shape[0];
  *ret_sum = ann->MSE_value;
  *ret_weight = ann->num_MSE;
  return FINDLR_OK;
}

/* As FANN does row by row: the last change of a weight goes on, the weaker by momentum. */
static void update_with_momentum(model *m, const layer_weights *w) {
  const float epsilon = m->ann->learning_rate / (float)m->rows;
  const fann_type momentum = (fann_type)m->momentum;
  for (unsigned int i = w->first; i != w->past_end; i++) {
    m->deltas[i] = m->ann->train_slopes[i] * epsilon + momentum * m->deltas[i];
    m->ann->weights[i] += m->deltas[i];
    m->ann->train_slopes[i] = 0;
  }
}

/* FANN divides by rows, the host by rows times outputs (the weight of the mean squared error): the
 * product of scale and weight is 1, or less where the host clips. */
static int32_t apply(void *self, const double *rates, uint32_t n, double grad_scale) {
  model *m = self;
  (void)n;
  if (!m->rows)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_STATE, "apply must follow accumulate");
  const double factor = grad_scale * (double)(m->rows * m->outputs);
  const unsigned int rows = (unsigned int)m->rows;
  for (unsigned int i = 0; i < m->layer_count; i++) {
    const layer_weights *w = &m->layers[i];
    fann_set_learning_rate(m->ann, (float)(rates[w->group] * factor));
    if (m->algorithm == QUICKPROP)
      fann_update_weights_quickprop(m->ann, rows, w->first, w->past_end);
    else if (m->momentum > 0)
      update_with_momentum(m, w);
    else
      fann_update_weights_batch(m->ann, rows, w->first, w->past_end);
  }
  m->rows = 0;
  return FINDLR_OK;
}

static int32_t evaluate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                        double *ret_sum, double *ret_weight) {
  model *m = self;
  fann_type *x = data(inputs);
  fann_reset_MSE(m->ann);
  for (int64_t r = 0; r < inputs->shape[0]; r++)
    fann_test(m->ann, x + r * m->features, target_of(m, targets, r));
  *ret_sum = m->ann->MSE_value;
  *ret_weight = m->ann->num_MSE;
  return FINDLR_OK;
}

static int32_t set(void *self, const char *option, double value) {
  model *m = self;
  if (strcmp(option, "momentum") != 0 || m->algorithm == QUICKPROP)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_UNSUPPORTED,
                            "FANN has no %s to set while it trains%s", option,
                            m->algorithm == QUICKPROP ? " by quickprop" : "");
  if (!(value >= 0 && value <= 1))
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT, "momentum is %g, wanted 0 to 1",
                            value);
  m->momentum = value;
  return FINDLR_OK;
}

static int32_t grad_norm(void *self, double *ret_norm) {
  const model *m = self;
  double sum = 0;
  for (unsigned int i = 0; i < m->ann->total_connections; i++)
    sum += (double)m->ann->train_slopes[i] * (double)m->ann->train_slopes[i];
  *ret_norm = sqrt(sum);
  return FINDLR_OK;
}

static int32_t set_groups(void *self, const uint32_t *groups, uint32_t n) {
  model *m = self;
  for (uint32_t i = 0; i < n; i++)
    m->layers[i].group = groups[i];
  return FINDLR_OK;
}

/* --- what it consists of --------------------------------------------------------------------- */

static int32_t parameter(void *self, uint32_t i, findlr_parameter *out) {
  model *m = self;
  if (i >= m->layer_count)
    return FINDLR_DONE;
  layer_weights *w = &m->layers[i];
  out->group = 0;
  out->name = w->name;
  out->value = tensor(m->ann->weights + w->first, w->shape, w->ndim);
  out->gradient = tensor(m->ann->train_slopes + w->first, w->shape, w->ndim);
  return FINDLR_OK;
}

/* Slopes and rows are zero between steps, but a step that fails half-way leaves some. */
static int32_t state(void *self, uint32_t i, findlr_named_tensor *out) {
  model *m = self;
  const struct {
    const char *name;
    fann_type *values;
  } all[] = { { "slopes", m->ann->train_slopes },
              { "deltas", m->deltas },
              { "steps", m->ann->prev_steps },
              { "previous_slopes", m->ann->prev_train_slopes } };
  if (i > (m->algorithm == QUICKPROP ? 4 : 2))
    return FINDLR_DONE;
  if (i == 0) {
    out->name = "rows";
    out->tensor = tensor(&m->rows, m->rows_shape, 1);
    out->tensor.dtype_code = 0;
    out->tensor.dtype_bits = 64;
  } else {
    out->name = all[i - 1].name;
    out->tensor = tensor(all[i - 1].values, m->count_shape, 1);
  }
  return FINDLR_OK;
}

static const void *get_extension(void *self, const char *id) {
  static const findlr_train train = {
    .struct_size = sizeof train,
    .accumulate = accumulate,
    .apply = apply,
    .evaluate = evaluate,
    .set = set,
    .grad_norm = grad_norm,
    .set_groups = set_groups,
  };
  (void)self;
  return strcmp(id, FINDLR_EXT_TRAIN) == 0 ? (const void *)&train : NULL;
}

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  static const struct {
    uint32_t type;
    const char *name, *help, *default_value, *choices;
    double minimum, maximum;
  } table[OPTION_COUNT] = {
    [OPTION_FILE] = { FINDLR_OPTION_TEXT, "file", "a network that fann_save wrote; without, one is built",
                      "", NULL, -HUGE_VAL, HUGE_VAL },
    [OPTION_HIDDEN] = { FINDLR_OPTION_SIZES, "hidden", "neurons of each hidden layer", "32", NULL, 1,
                        1e6 },
    [OPTION_ACTIVATION] = { FINDLR_OPTION_CHOICE, "activation", "of the hidden layers",
                            "sigmoid_stepwise", ACTIVATIONS, -HUGE_VAL, HUGE_VAL },
    [OPTION_OUTPUT_ACTIVATION] = { FINDLR_OPTION_CHOICE, "output_activation",
                                   "of the outputs; auto: sigmoid_stepwise for classes, else linear",
                                   "auto", "auto|" ACTIVATIONS, -HUGE_VAL, HUGE_VAL },
    [OPTION_STEEPNESS] = { FINDLR_OPTION_REAL, "steepness", "factor within the activations", "0.5",
                           NULL, 1e-3, 1e3 },
    [OPTION_INIT] = { FINDLR_OPTION_REAL, "init", "weights begin uniform in +-init", "0.1", NULL, 0,
                      1e3 },
    [OPTION_ALGORITHM] = { FINDLR_OPTION_CHOICE, "algorithm",
                           "FANN's training algorithms that have a learning rate", "batch",
                           "batch|quickprop", -HUGE_VAL, HUGE_VAL },
    [OPTION_MOMENTUM] = { FINDLR_OPTION_REAL, "momentum", "FANN's learning_momentum; of batch only",
                          "0", NULL, 0, 1 },
    [OPTION_ERROR] = { FINDLR_OPTION_CHOICE, "error", "FANN's error function", "tanh", "tanh|linear",
                       -HUGE_VAL, HUGE_VAL },
  };
  (void)user;
  out->type = table[i].type;
  out->name = table[i].name;
  out->help = table[i].help;
  out->default_value = table[i].default_value;
  out->choices = table[i].choices;
  out->minimum = table[i].minimum;
  out->maximum = table[i].maximum;
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
  .get_extension = get_extension,
};

static const findlr_component component = {
  .struct_size = sizeof component,
  .kind = FINDLR_KIND_MODEL,
  .name = FANN_MODEL,
  .help = "a network of libfann, trained by FANN itself on its mean squared error",
  .vtable = &vtable,
  .option_count = OPTION_COUNT,
  .option = option,
};

/* libfloatfann, libdoublefann and libfixedfann have the same names. If the program itself has another of
 * them, that one answers here too, and reads our memory as its own kind of numbers. */
static int32_t init(const findlr_host *host, void *ctx) {
  struct fann *ann = fann_allocate_structure(2);
  if (!ann)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for a FANN network");
  const int is_ours = fann_get_bit_fail_limit(ann) == (fann_type)0.35; /* FANN's default */
  fann_destroy(ann);
  return is_ours ? FINDLR_OK
                 : findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                                    "this program has loaded another build of FANN, whose functions "
                                    "have the same names as those of " FANN_LIBRARY);
}

static const findlr_component *component_at(uint32_t i) {
  return i == 0 ? &component : NULL;
}

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  static const findlr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
    .id = FANN_MODEL,
    .version = FINDLR_VERSION,
    .description = "networks of " FANN_LIBRARY " (FANN 2)",
    .init = init,
    .component = component_at,
  };
  return &plugin;
}
