/* SPDX-License-Identifier: MIT */
/* Networks of darknet from a .cfg, trained by darknet's own SGD with momentum and weight decay. One batch
 * of the session is one batch of darknet's; the rate found is its learning_rate under policy=constant. */
#include <darknet.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cfg.h"
#include "common/bytes.h"
#include "manners.h"

enum {
  OPTION_FILE,
  OPTION_WEIGHTS,
  OPTION_MOMENTUM,
  OPTION_DECAY,
  OPTION_CHECK,
  OPTION_COUNT
};

/* An array of a layer: with updates a parameter (darknet keeps gradient and momentum in one array), else
 * a statistic that training moves. */
typedef struct array {
  char name[32], updates_name[40];
  float *values, *updates;
  int64_t shape[2];
  int32_t ndim;
  int layer;
  uint32_t group;
} array;

typedef struct model {
  const findlr_host *host;
  void *ctx;
  network *net;
  int64_t max_batch, features, outputs;
  int64_t rows; /* accumulated since the last step */
  array *arrays; /* parameters first */
  uint32_t array_count, array_room, parameter_count;
  float *scales; /* of each layer's rate, as the cfg says */
  uint32_t groups;
  int draws; /* does training draw from rand()? */
  manners_random random;
  int64_t one[1], random_shape[1], output_shape[2];
  findlr_tensor output_view;
} model;

static findlr_tensor tensor(void *data, uint32_t dtype, int64_t *shape, int32_t ndim) {
  findlr_tensor t = { data,  FINDLR_DEVICE_CPU, 0, ndim, (uint8_t)dtype, (uint8_t)(dtype >> 8), 1,
                      shape, NULL,              0 };
  return t;
}

static const void *data_of(const findlr_tensor *t) {
  return (const unsigned char *)t->data + t->byte_offset;
}

static void destroy(void *self) {
  model *m = self;
  if (m->scales)
    m->host->alloc(m->ctx, m->scales, (size_t)m->net->n * sizeof *m->scales, 0, 64);
  if (m->arrays)
    m->host->alloc(m->ctx, m->arrays, m->array_room * sizeof *m->arrays, 0, 64);
  if (m->net)
    free_network(m->net);
  m->host->alloc(m->ctx, m, sizeof *m, 0, 64);
}

/* --- the network ----------------------------------------------------------------------------- */

static int32_t write_all(int fd, const char *text, size_t n) {
  while (n) {
    const ssize_t written = write(fd, text, n);
    if (written <= 0)
      return FINDLR_ERR_IO;
    text += written;
    n -= (size_t)written;
  }
  return FINDLR_OK;
}

/* Lets darknet read the text, through a file without a name. */
static int32_t parse_text(model *m, const char *text, size_t n) {
  char handle[32];
  manners borrowed;
  const int fd = manners_file();
  snprintf(handle, sizeof handle, "/dev/fd/%d", fd);
  if (fd < 0 || write_all(fd, text, n) || lseek(fd, 0, SEEK_SET) || access(handle, R_OK)) {
    if (fd >= 0)
      close(fd);
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_IO,
                            "no file for darknet to read could be made in TMPDIR or /tmp");
  }
  manners_begin(&borrowed, &m->random, MANNERS_CATCH);
  m->net = parse_network_cfg(handle);
  manners_end(&borrowed, m->host, m->ctx);
  close(fd);
  return FINDLR_OK;
}

/* The file is checked, and darknet reads what was understood of it. */
static int32_t parse_checked(model *m, const char *path) {
  cfg c;
  int32_t status = cfg_read(&c, m->host, m->ctx, path, m->max_batch);
  if (status)
    return status;
  const cfg_section *last = &c.sections[c.section_count - 1];
  if (c.inputs != m->features || last->outputs != m->outputs) {
    status = findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT,
                              "%s has %lld inputs and %lld outputs, the data %lld and %lld", c.file,
                              (long long)c.inputs, (long long)last->outputs, (long long)m->features,
                              (long long)m->outputs);
    cfg_free(&c);
    return status;
  }
  /* darknet takes its memory without asking, and does not look whether it got any: so ask before. */
  const double memory = c.bytes + 1e6;
  void *room = memory < 1e15 ? m->host->alloc(m->ctx, NULL, 0, (size_t)memory, 64) : NULL;
  const size_t n = cfg_write(&c, m->max_batch, NULL, 0);
  char *text = room ? m->host->alloc(m->ctx, NULL, 0, n + 1, 1) : NULL;
  if (room)
    m->host->alloc(m->ctx, room, (size_t)memory, 0, 64);
  if (text) {
    cfg_write(&c, m->max_batch, text, n + 1);
    status = parse_text(m, text, n);
    m->host->alloc(m->ctx, text, n + 1, 0, 1);
  } else {
    status = findlr_host_fail(m->host, m->ctx, FINDLR_ERR_NO_MEMORY,
                              "no memory for the %.0f MiB of %s with batches of %lld rows",
                              memory / 0x1p20, c.file, (long long)m->max_batch);
  }
  if (!status) {
    m->net->momentum = (float)c.momentum;
    m->net->decay = (float)c.decay;
  }
  cfg_free(&c);
  return status;
}

/* The file goes to darknet as it is. What darknet then does is darknet's: a process of its own helps. */
static int32_t parse_unchecked(model *m, const char *path) {
  char *name = m->host->alloc(m->ctx, NULL, 0, strlen(path) + 1, 1); /* darknet's is not const */
  manners borrowed;
  if (!name)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_NO_MEMORY, "no memory for a path");
  memcpy(name, path, strlen(path) + 1);
  manners_begin(&borrowed, &m->random, MANNERS_LET_OUT);
  m->net = parse_network_cfg(name);
  manners_end(&borrowed, m->host, m->ctx);
  m->host->alloc(m->ctx, name, strlen(path) + 1, 0, 1);
  network *net = m->net;
  if (net->batch < m->max_batch)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT,
                            "%s says batches of %d rows (batch / subdivisions), wanted at least the "
                            "session's %lld",
                            bytes_name(path), net->batch, (long long)m->max_batch);
  if (net->inputs != m->features || net->outputs != m->outputs || net->truths != m->outputs)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT,
                            "%s has %d inputs and %d outputs, the data %lld and %lld",
                            bytes_name(path), net->inputs, net->outputs, (long long)m->features,
                            (long long)m->outputs);
  net->subdivisions = 1;
  net->policy = CONSTANT;
  net->burn_in = 0;
  return FINDLR_OK;
}

/* --- its state ------------------------------------------------------------------------------- */

static void add(model *m, int layer, const char *what, float *values, float *updates, int64_t rows,
                int64_t columns) {
  if (!values)
    return;
  array *a = &m->arrays[m->array_count++];
  memset(a, 0, sizeof *a);
  snprintf(a->name, sizeof a->name, "%d.%s", layer, what);
  snprintf(a->updates_name, sizeof a->updates_name, "%s.updates", a->name);
  a->values = values;
  a->updates = updates;
  a->layer = layer;
  a->ndim = columns ? 2 : 1;
  a->shape[0] = rows;
  a->shape[1] = columns;
}

/* What each kind of layer keeps between steps. */
static int32_t list_arrays(model *m) {
  const network *net = m->net;
  m->array_room = (uint32_t)net->n * 5 + 1;
  m->arrays = m->host->alloc(m->ctx, NULL, 0, m->array_room * sizeof *m->arrays, 64);
  m->scales = m->host->alloc(m->ctx, NULL, 0, (size_t)net->n * sizeof *m->scales, 64);
  if (!m->arrays || !m->scales)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_NO_MEMORY,
                            "no memory for the list of a network's state");
  for (int i = 0; i < net->n; i++) {
    const layer *l = &net->layers[i];
    m->scales[i] = l->learning_rate_scale;
    switch (l->type) {
    case CONVOLUTIONAL:
      add(m, i, "weights", l->weights, l->weight_updates, l->n, l->nweights / l->n);
      add(m, i, "biases", l->biases, l->bias_updates, l->n, 0);
      add(m, i, "scales", l->scales, l->scale_updates, l->n, 0);
      break;
    case CONNECTED:
      add(m, i, "weights", l->weights, l->weight_updates, l->outputs, l->inputs);
      add(m, i, "biases", l->biases, l->bias_updates, l->outputs, 0);
      add(m, i, "scales", l->scales, l->scale_updates, l->outputs, 0);
      break;
    case DROPOUT:
      m->draws = 1;
      break;
    case MAXPOOL:
    case AVGPOOL:
    case SHORTCUT:
    case ROUTE:
    case UPSAMPLE:
    case ACTIVE:
    case SOFTMAX:
    case LOGXENT:
    case COST:
      break;
    default:
      return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_UNSUPPORTED,
                              "layer %d is of a kind whose state cannot be taken back after a range "
                              "test",
                              i);
    }
  }
  m->parameter_count = m->array_count;
  for (int i = 0; i < net->n; i++) {
    const layer *l = &net->layers[i];
    if (l->rolling_mean) {
      const int64_t n = l->type == CONNECTED ? l->outputs : l->n;
      add(m, i, "rolling_mean", l->rolling_mean, NULL, n, 0);
      add(m, i, "rolling_variance", l->rolling_variance, NULL, n, 0);
    }
  }
  return FINDLR_OK;
}

/* As darknet initialises them, from the session's seed: darknet's own normal numbers depend on what was
 * made before in the process. */
static void initialise(const model *m, const findlr_host_random *random, uint64_t seed) {
  uint64_t generator[4];
  random->seed(generator, seed);
  for (uint32_t k = 0; k < m->parameter_count; k++) {
    const array *a = &m->arrays[k];
    const int64_t n = a->shape[0] * a->shape[1];
    if (a->ndim != 2)
      continue;
    const double scale = sqrt(2 / (double)a->shape[1]);
    const int normal = m->net->layers[a->layer].type == CONVOLUTIONAL;
    for (int64_t i = 0; i < n; i++) {
      const double u = random->uniform(generator);
      if (normal)
        a->values[i] = (float)(scale * sqrt(-2 * log(1 - u)) *
                               cos(2 * 3.14159265358979323846 * random->uniform(generator)));
      else
        a->values[i] = (float)(scale * (2 * u - 1));
    }
  }
}

static const unsigned char *copy(float *to, int64_t n, const unsigned char *from) {
  memcpy(to, from, (size_t)n * sizeof(float));
  return from + (size_t)n * sizeof(float);
}

/* A .weights file: three numbers of a version, the rows seen, and every array in darknet's order. */
static int32_t load_weights_file(model *m, const char *path) {
  bytes file;
  int32_t version[3] = { 0, 0, 0 }, status = bytes_read(&file, m->host, m->ctx, path);
  if (status)
    return status;
  if (file.size >= sizeof version)
    memcpy(version, file.data, sizeof version);
  const int known = version[0] >= 0 && version[0] < 1000 && version[1] >= 0 && version[1] < 1000;
  const int wide = known && version[0] * 10 + version[1] >= 2; /* the rows seen, in 8 bytes */
  size_t wanted = sizeof version + (wide ? 8 : 4);
  for (int i = 0; i < m->net->n; i++) {
    const layer *l = &m->net->layers[i];
    const size_t columns = (size_t)(l->type == CONNECTED ? l->outputs : l->n);
    if (l->type == CONVOLUTIONAL)
      wanted += ((size_t)l->nweights + columns * (l->batch_normalize ? 4 : 1)) * sizeof(float);
    else if (l->type == CONNECTED)
      wanted += ((size_t)l->inputs + (l->batch_normalize ? 4 : 1)) * columns * sizeof(float);
  }
  if (!known || file.size != wanted) {
    status = findlr_host_fail(m->host, m->ctx, FINDLR_ERR_FORMAT,
                              known ? "%s has %zu bytes, wanted the %zu of this network's weights"
                                    : "%s is no file of darknet weights (%zu bytes, wanted %zu)",
                              bytes_name(path), file.size, wanted);
    bytes_free(&file);
    return status;
  }
  const unsigned char *at = file.data + sizeof version;
  if (wide) {
    uint64_t seen;
    memcpy(&seen, at, sizeof seen);
    *m->net->seen = (size_t)seen;
    at += sizeof seen;
  } else {
    int32_t seen;
    memcpy(&seen, at, sizeof seen);
    *m->net->seen = (size_t)seen;
    at += sizeof seen;
  }
  for (int i = 0; i < m->net->n; i++) {
    const layer *l = &m->net->layers[i];
    const int64_t n = l->type == CONNECTED ? l->outputs : l->n;
    if (l->type != CONVOLUTIONAL && l->type != CONNECTED)
      continue;
    at = copy(l->biases, n, at);
    if (l->type == CONNECTED)
      at = copy(l->weights, n * l->inputs, at);
    if (l->batch_normalize) {
      at = copy(l->scales, n, at);
      at = copy(l->rolling_mean, n, at);
      at = copy(l->rolling_variance, n, at);
    }
    if (l->type == CONVOLUTIONAL)
      at = copy(l->weights, l->nweights, at);
  }
  bytes_free(&file);
  return FINDLR_OK;
}

static int32_t make(model *m, const findlr_model_spec *spec, const findlr_host_random *random) {
  const findlr_value *const *options = spec->options;
  const char *path = options[OPTION_FILE]->text;
  manners_seed(&m->random, spec->seed);
  int32_t status = options[OPTION_CHECK]->integer ? parse_checked(m, path) : parse_unchecked(m, path);
  if (!status)
    status = list_arrays(m);
  if (status)
    return status;
  if (options[OPTION_MOMENTUM]->given)
    m->net->momentum = (float)options[OPTION_MOMENTUM]->real;
  if (options[OPTION_DECAY]->given)
    m->net->decay = (float)options[OPTION_DECAY]->real;
  manners_seed(&m->random, spec->seed); /* reading the cfg drew from it */
  initialise(m, random, spec->seed);
  m->output_view = tensor(m->net->output, FINDLR_DTYPE_FLOAT32, m->output_shape, 2);
  return *options[OPTION_WEIGHTS]->text ? load_weights_file(m, options[OPTION_WEIGHTS]->text)
                                        : FINDLR_OK;
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                      void **ret_self) {
  const findlr_host_random *random = host->get_extension(ctx, FINDLR_EXT_RANDOM);
  double features = 1; /* a double cannot overflow */
  for (int32_t i = 0; i < spec->input_ndim; i++)
    features *= (double)spec->input_shape[i];
  if (spec->dtype != FINDLR_DTYPE_FLOAT32 || !random || !host->get_extension(ctx, FINDLR_EXT_TEXT))
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "darknet computes in float32 only, and needs a host with "
                            FINDLR_EXT_RANDOM " and " FINDLR_EXT_TEXT);
  model *m = host->alloc(ctx, NULL, 0, sizeof *m, 64);
  if (!m)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for a darknet model");
  memset(m, 0, sizeof *m);
  m->host = host;
  m->ctx = ctx;
  m->max_batch = spec->max_batch;
  m->features = features < 1e15 ? (int64_t)features : 0;
  m->outputs = m->output_shape[1] = spec->outputs;
  m->groups = 1;
  m->one[0] = 1;
  m->random_shape[0] = MANNERS_RANDOM_SIZE;
  int32_t status = make(m, spec, random);
  if (status)
    destroy(m);
  else
    *ret_self = m;
  return status;
}

/* --- running --------------------------------------------------------------------------------- */

static int32_t check_rows(const model *m, int64_t rows) {
  if (rows >= 1 && rows <= m->max_batch)
    return FINDLR_OK;
  return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT, "a batch of %lld rows, not 1 to %lld",
                          (long long)rows, (long long)m->max_batch);
}

/* Inputs into darknet's batch. */
static void set_inputs(model *m, const findlr_tensor *inputs) {
  const int64_t rows = inputs->shape[0];
  set_batch_network(m->net, (int)rows);
  memcpy(m->net->input, data_of(inputs), (size_t)(rows * m->features) * sizeof(float));
}

/* Targets as they are, or a class as a 1 among zeros. */
static void set_targets(model *m, const findlr_tensor *targets) {
  const int64_t rows = targets->shape[0], n = m->outputs;
  if (targets->dtype_code == 2) {
    memcpy(m->net->truth, data_of(targets), (size_t)(rows * n) * sizeof(float));
    return;
  }
  memset(m->net->truth, 0, (size_t)(rows * n) * sizeof(float));
  for (int64_t r = 0; r < rows; r++)
    m->net->truth[r * n + ((const int64_t *)data_of(targets))[r]] = 1;
}

static void run_forward(model *m) {
  manners borrowed;
  if (!m->net->train || !m->draws) {
    forward_network(m->net);
    return;
  }
  manners_begin(&borrowed, &m->random, MANNERS_SILENT);
  forward_network(m->net);
  manners_end(&borrowed, m->host, m->ctx);
}

/* Where a [maxpool] saw no number in a window (all are NaN or -inf), it remembers position -1, and darknet
 * would add the gradient to what lies before its memory. */
static int lost_its_way(const network *net) {
  for (int i = 0; i < net->n; i++) {
    const layer *l = &net->layers[i];
    if (l->type == MAXPOOL)
      for (int k = 0; k < l->outputs * l->batch; k++)
        if (l->indexes[k] < 0)
          return 1;
  }
  return 0;
}

static int32_t forward(void *self, const findlr_tensor *inputs, uint32_t mode,
                       const findlr_tensor **ret_outputs) {
  model *m = self;
  int32_t status = check_rows(m, inputs->shape[0]);
  if (status)
    return status;
  float *truth = m->net->truth;
  set_inputs(m, inputs);
  m->net->train = mode == FINDLR_MODE_TRAIN;
  m->net->truth = NULL; /* nothing to compare with */
  run_forward(m);
  m->net->truth = truth;
  m->output_shape[0] = inputs->shape[0];
  *ret_outputs = &m->output_view;
  return FINDLR_OK;
}

static int32_t backward(void *self, const findlr_tensor *grad_outputs, uint32_t flags) {
  const model *m = self;
  (void)grad_outputs, (void)flags;
  return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_UNSUPPORTED,
                          "darknet takes no gradients from outside: it trains by itself");
}

/* --- training -------------------------------------------------------------------------------- */

static int32_t accumulate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                          double *ret_sum, double *ret_weight) {
  model *m = self;
  network *net = m->net;
  int32_t status = check_rows(m, inputs->shape[0]);
  if (status)
    return status;
  set_inputs(m, inputs);
  set_targets(m, targets);
  *net->seen += (size_t)inputs->shape[0];
  m->rows += inputs->shape[0];
  net->train = 1;
  run_forward(m);
  *ret_sum = *net->cost;
  if (lost_its_way(net))
    *ret_sum = NAN;
  else
    backward_network(net);
  *ret_weight = (double)inputs->shape[0];
  return FINDLR_OK;
}

static int32_t apply(void *self, const double *rates, uint32_t n, double grad_scale) {
  model *m = self;
  network *net = m->net;
  (void)n;
  if (!m->rows)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_STATE, "apply must follow accumulate");
  if (fabs(grad_scale * (double)m->rows - 1) > 1e-9)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_UNSUPPORTED,
                            "darknet cannot scale gradients: it keeps them in one array with the "
                            "momentum");
  if (m->groups == 1) {
    net->learning_rate = (float)rates[0];
  } else {
    net->learning_rate = 1;
    for (uint32_t k = 0; k < m->parameter_count; k++) {
      const array *a = &m->arrays[k];
      net->layers[a->layer].learning_rate_scale = m->scales[a->layer] * (float)rates[a->group];
    }
  }
  net->batch = (int)m->rows; /* what darknet divides by */
  update_network(net);
  m->rows = 0;
  return FINDLR_OK;
}

static int32_t evaluate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                        double *ret_sum, double *ret_weight) {
  model *m = self;
  int32_t status = check_rows(m, inputs->shape[0]);
  if (status)
    return status;
  set_inputs(m, inputs);
  set_targets(m, targets);
  m->net->train = 0;
  run_forward(m);
  *ret_sum = *m->net->cost;
  *ret_weight = (double)inputs->shape[0];
  return FINDLR_OK;
}

static int32_t set(void *self, const char *option, double value) {
  model *m = self;
  float *number = strcmp(option, "momentum") == 0 ? &m->net->momentum
                  : strcmp(option, "decay") == 0  ? &m->net->decay
                                                  : NULL;
  if (!number)
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_UNSUPPORTED,
                            "darknet has no %s to set, only momentum and decay", option);
  if (!(value >= 0 && value <= 1))
    return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_ARGUMENT, "%s is %g, wanted 0 to 1", option,
                            value);
  *number = (float)value;
  return FINDLR_OK;
}

/* darknet has one factor a layer. */
static int32_t set_groups(void *self, const uint32_t *groups, uint32_t n) {
  model *m = self;
  for (uint32_t i = 0; i < n; i++) {
    if (i && m->arrays[i].layer == m->arrays[i - 1].layer && groups[i] != groups[i - 1])
      return findlr_host_fail(m->host, m->ctx, FINDLR_ERR_UNSUPPORTED,
                              "%s and %s are in different groups, but darknet has one rate a layer: "
                              "use patterns such as \"%d.*\"",
                              m->arrays[i - 1].name, m->arrays[i].name, m->arrays[i].layer);
    m->arrays[i].group = groups[i];
    if (groups[i] >= m->groups)
      m->groups = groups[i] + 1;
  }
  return FINDLR_OK;
}

/* --- what it consists of --------------------------------------------------------------------- */

static int32_t parameter(void *self, uint32_t i, findlr_parameter *out) {
  model *m = self;
  if (i >= m->parameter_count)
    return FINDLR_DONE;
  array *a = &m->arrays[i];
  out->group = 0;
  out->name = a->name;
  out->value = tensor(a->values, FINDLR_DTYPE_FLOAT32, a->shape, a->ndim);
  out->gradient = tensor(a->updates, FINDLR_DTYPE_FLOAT32, a->shape, a->ndim);
  return FINDLR_OK;
}

/* The updates of each parameter, the statistics, and what counts. */
static int32_t state(void *self, uint32_t i, findlr_named_tensor *out) {
  model *m = self;
  const findlr_tensor number = tensor(NULL, FINDLR_DTYPE_UINT8, m->one, 1);
  if (i < m->array_count) {
    array *a = &m->arrays[i];
    out->name = a->updates ? a->updates_name : a->name;
    out->tensor = tensor(a->updates ? a->updates : a->values, FINDLR_DTYPE_FLOAT32, a->shape, a->ndim);
    return FINDLR_OK;
  }
  out->tensor = number;
  switch (i - m->array_count) {
  case 0:
    out->name = "rows";
    out->tensor = tensor(&m->rows, FINDLR_DTYPE_INT64, m->one, 1);
    return FINDLR_OK;
  case 1:
    out->name = "seen";
    out->tensor = tensor(m->net->seen, FINDLR_DTYPE_INT64, m->one, 1);
    out->tensor.dtype_bits = 8 * sizeof *m->net->seen;
    return FINDLR_OK;
  case 2:
    out->name = "t";
    out->tensor = tensor(m->net->t, FINDLR_DTYPE_INT64, m->one, 1);
    out->tensor.dtype_bits = 8 * sizeof *m->net->t;
    return FINDLR_OK;
  case 3:
    out->name = "random";
    out->tensor = tensor(&m->random, FINDLR_DTYPE_UINT8, m->random_shape, 1);
    return FINDLR_OK;
  default:
    return FINDLR_DONE;
  }
}

static const void *get_extension(void *self, const char *id) {
  static const findlr_train train = {
    .struct_size = sizeof train,
    .accumulate = accumulate,
    .apply = apply,
    .evaluate = evaluate,
    .set = set,
    .set_groups = set_groups,
  };
  (void)self;
  return strcmp(id, FINDLR_EXT_TRAIN) == 0 ? (const void *)&train : NULL;
}

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  static const struct {
    uint32_t type;
    const char *name, *help, *default_value;
    double minimum, maximum;
  } table[OPTION_COUNT] = {
    [OPTION_FILE] = { FINDLR_OPTION_TEXT, "file", "the network, a .cfg", NULL, -HUGE_VAL, HUGE_VAL },
    [OPTION_WEIGHTS] = { FINDLR_OPTION_TEXT, "weights", "a .weights file to begin with; else random", "",
                         -HUGE_VAL, HUGE_VAL },
    [OPTION_MOMENTUM] = { FINDLR_OPTION_REAL, "momentum", "instead of the cfg's", "0.9", 0, 1 },
    [OPTION_DECAY] = { FINDLR_OPTION_REAL, "decay", "weight decay, instead of the cfg's", "0.0001", 0,
                       1 },
    [OPTION_CHECK] = { FINDLR_OPTION_BOOLEAN, "check",
                       "read the cfg before darknet, which ends the process where it does not like it",
                       "true", -HUGE_VAL, HUGE_VAL },
  };
  (void)user;
  out->type = table[i].type;
  out->name = table[i].name;
  out->help = table[i].help;
  out->default_value = table[i].default_value;
  out->choices = NULL;
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
  .name = "darknet",
  .help = "a network of darknet from a .cfg, trained by darknet itself on its own loss",
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
    .id = "darknet",
    .version = FINDLR_VERSION,
    .description = "networks of libdarknet (2018)",
    .component = component_at,
  };
  return &plugin;
}
