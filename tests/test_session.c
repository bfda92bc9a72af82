/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <dirent.h>
#include <unistd.h>

/* --- helpers --------------------------------------------------------------------------------- */

static findlr_context *context;

static void open_context(void) {
  ERR;
  ck_ok(findlr_context_create(NULL, &context, &err));
}

static void close_context(void) {
  findlr_context_destroy(context);
}

static findlr_session_options defaults(void) {
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.model = "mlp:hidden=16";
  return o;
}

static findlr_session *open_session(const findlr_session_options *o) {
  ERR;
  findlr_session *s = NULL;
  ck_ok(findlr_session_create(context, o, &s, &err));
  return s;
}

static uint64_t fingerprint(findlr_session *s) {
  ERR;
  uint64_t hash = 0;
  ck_ok(findlr_session_fingerprint(s, &hash, &err));
  return hash;
}

static double step(findlr_session *s, double rate) {
  ERR;
  double loss = NAN;
  ck_ok(findlr_session_step(s, &rate, 1, &loss, &err));
  return loss;
}

static findlr_range_test *make_test(findlr_session *s, double end, int64_t num_iter) {
  ERR;
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.end_lr = end;
  o.num_iter = num_iter;
  ck_ok(findlr_session_fit_options(s, &o, &err));
  findlr_range_test *test = NULL;
  ck_ok(findlr_range_test_create(NULL, &o, &test, &err));
  return test;
}

/* Data of the test's own: y = 2 x0 - x1, or its sign as a class; gather can be told to fail. */
typedef struct table {
  int64_t rows, classes, shape[1];
  int gathers, fail_at;
  bool not_finite;
} table;

static int32_t table_describe(void *self, findlr_data_info *out) {
  table *t = self;
  t->shape[0] = 2;
  out->rows = t->rows;
  out->input_ndim = 1;
  out->input_shape = t->shape;
  out->classes = t->classes;
  out->target_columns = 1;
  return FINDLR_OK;
}

static int32_t table_gather(void *self, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                            const findlr_tensor *targets) {
  table *t = self;
  if (t->fail_at && ++t->gathers >= t->fail_at)
    return FINDLR_ERR_IO;
  for (int64_t i = 0; i < n; i++) {
    double x[2] = { sin((double)rows[i] * 12.9898), sin((double)rows[i] * 78.233) };
    double y = t->not_finite ? NAN : 2 * x[0] - x[1];
    for (int j = 0; inputs && j < 2; j++)
      if (inputs->dtype_bits == 32)
        ((float *)inputs->data)[2 * i + j] = (float)x[j];
      else
        ((double *)inputs->data)[2 * i + j] = x[j];
    if (targets && targets->dtype_code == 0)
      ((int64_t *)targets->data)[i] = (y > 0) ^ (rows[i] % 5 == 0); /* not separable */
    else if (targets && targets->dtype_bits == 32)
      ((float *)targets->data)[i] = (float)y;
    else if (targets)
      ((double *)targets->data)[i] = y;
  }
  return FINDLR_OK;
}

static const findlr_data_vtable table_vtable = { .struct_size = sizeof table_vtable,
                                                 .describe = table_describe,
                                                 .gather = table_gather };

static findlr_data object(table *t) {
  return (findlr_data){ sizeof(findlr_data), 0, &table_vtable, t };
}

/* A model of the test's own: outputs = w * sum(inputs) + noise in training, with a generator listed as
 * state and a counter that only the opaque extension holds. With an engine it trains by itself. */
typedef struct probe {
  double weight, gradient, grad_store, generator, last_sum[64];
  int64_t scalar_shape[1], counter, strides[1];
  int64_t outputs_shape[2];
  double outputs[64];
  findlr_tensor view;
} probe;

static struct {
  bool engine, strided, no_parameters, two_parameters, told_groups;
  uint32_t groups[2]; /* what it was told */
} probe_is;

static int32_t probe_create(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                            void **ret_self) {
  (void)spec;
  probe *p = host->alloc(ctx, NULL, 0, sizeof *p, 64);
  if (!p)
    return FINDLR_ERR_NO_MEMORY;
  memset(p, 0, sizeof *p);
  p->weight = 3;
  p->generator = 0.25;
  p->scalar_shape[0] = 1;
  p->strides[0] = 7;
  *ret_self = p;
  return FINDLR_OK;
}

/* The allocator is malloc's here, so the block can go without the host at hand. */
static void probe_destroy(void *self) {
  free(self);
}

static findlr_tensor scalar(double *value, int64_t *shape) {
  return (findlr_tensor){ .data = value, .device_type = FINDLR_DEVICE_CPU, .ndim = 1,
                          .dtype_code = 2, .dtype_bits = 64, .dtype_lanes = 1, .shape = shape };
}

static int32_t probe_forward(void *self, const findlr_tensor *inputs, uint32_t mode,
                             const findlr_tensor **ret_outputs) {
  probe *p = self;
  int64_t n = inputs->shape[0];
  const double *x = inputs->data;
  if (mode == FINDLR_MODE_TRAIN) {
    p->generator = fmod(p->generator * 3.7 + 0.1, 1);
    p->counter++;
  }
  for (int64_t i = 0; i < n; i++) {
    p->last_sum[i] = x[2 * i] + x[2 * i + 1];
    p->outputs[i] = p->weight * p->last_sum[i] + (mode == FINDLR_MODE_TRAIN ? p->generator : 0);
  }
  p->outputs_shape[0] = n;
  p->outputs_shape[1] = 1;
  p->view = scalar(p->outputs, p->outputs_shape);
  p->view.ndim = 2;
  *ret_outputs = &p->view;
  return FINDLR_OK;
}

static int32_t probe_backward(void *self, const findlr_tensor *grad, uint32_t flags) {
  probe *p = self;
  double sum = flags & FINDLR_BACKWARD_ACCUMULATE ? p->gradient : 0;
  for (int64_t i = 0; i < grad->shape[0]; i++)
    sum += ((double *)grad->data)[i] * p->last_sum[i];
  p->gradient = sum;
  return FINDLR_OK;
}

static int32_t probe_parameter(void *self, uint32_t i, findlr_parameter *out) {
  probe *p = self;
  if (i > probe_is.two_parameters || probe_is.no_parameters)
    return FINDLR_DONE;
  out->name = i ? "spare" : "slope";
  out->group = 0;
  out->value = scalar(&p->weight, p->scalar_shape);
  out->gradient = scalar(&p->gradient, p->scalar_shape);
  if (probe_is.strided) {
    p->scalar_shape[0] = 2;
    out->value.strides = p->strides;
  }
  return FINDLR_OK;
}

static int32_t probe_state(void *self, uint32_t i, findlr_named_tensor *out) {
  probe *p = self;
  if (i)
    return FINDLR_DONE;
  out->name = "generator";
  out->tensor = scalar(&p->generator, p->scalar_shape);
  return FINDLR_OK;
}

static int32_t probe_save(void *self, void *buffer, size_t capacity, size_t *ret_size) {
  probe *p = self;
  *ret_size = sizeof p->counter;
  if (buffer && capacity >= sizeof p->counter)
    memcpy(buffer, &p->counter, sizeof p->counter);
  return FINDLR_OK;
}

static int32_t probe_restore(void *self, const void *buffer, size_t size) {
  if (size != sizeof(int64_t))
    return FINDLR_ERR_FORMAT;
  memcpy(&((probe *)self)->counter, buffer, size);
  return FINDLR_OK;
}

/* The engine: plain gradient descent on the squared error. */
static int32_t engine_accumulate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                                 double *ret_sum, double *ret_weight) {
  probe *p = self;
  const findlr_tensor *outputs;
  probe_forward(self, inputs, FINDLR_MODE_TRAIN, &outputs);
  *ret_sum = 0;
  for (int64_t i = 0; i < inputs->shape[0]; i++) {
    double difference = p->outputs[i] - ((double *)targets->data)[i];
    *ret_sum += difference * difference;
    p->grad_store += 2 * difference * p->last_sum[i];
  }
  *ret_weight = (double)inputs->shape[0];
  return FINDLR_OK;
}

static int32_t engine_apply(void *self, const double *rates, uint32_t n, double grad_scale) {
  probe *p = self;
  (void)n;
  p->weight -= rates[0] * grad_scale * p->grad_store;
  p->grad_store = 0;
  return FINDLR_OK;
}

static int32_t engine_evaluate(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                               double *ret_sum, double *ret_weight) {
  probe *p = self;
  const findlr_tensor *outputs;
  probe_forward(self, inputs, FINDLR_MODE_EVAL, &outputs);
  *ret_sum = 0;
  for (int64_t i = 0; i < inputs->shape[0]; i++)
    *ret_sum += pow(p->outputs[i] - ((double *)targets->data)[i], 2);
  *ret_weight = (double)inputs->shape[0];
  return FINDLR_OK;
}

static int32_t engine_set(void *self, const char *option, double value) {
  (void)self;
  (void)option;
  (void)value;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t engine_set_groups(void *self, const uint32_t *groups, uint32_t n) {
  (void)self;
  memcpy(probe_is.groups, groups, n * sizeof *groups);
  return FINDLR_OK;
}

static const void *probe_extension(void *self, const char *id) {
  (void)self;
  static const findlr_opaque_state opaque = { sizeof opaque, 0, probe_save, probe_restore };
  static const findlr_train engine = { sizeof engine, 0, engine_accumulate, engine_apply,
                                       engine_evaluate, engine_set, NULL, engine_set_groups };
  static const findlr_train one_rate = { FINDLR_SIZE_UP_TO(findlr_train, grad_norm), 0,
                                         engine_accumulate, engine_apply, engine_evaluate,
                                         engine_set, NULL, NULL };
  if (!strcmp(id, FINDLR_EXT_STATE))
    return &opaque;
  if (!probe_is.engine || strcmp(id, FINDLR_EXT_TRAIN))
    return NULL;
  return probe_is.told_groups ? &engine : &one_rate;
}

static const findlr_model_vtable probe_vtable = {
  .struct_size = sizeof probe_vtable, .create = probe_create, .destroy = probe_destroy,
  .forward = probe_forward, .backward = probe_backward, .parameter = probe_parameter,
  .state = probe_state, .get_extension = probe_extension,
};

static findlr_component probe_component = {
  .struct_size = sizeof probe_component, .kind = FINDLR_KIND_MODEL, .name = "probe",
  .help = "a model of the tests", .vtable = &probe_vtable,
};

static findlr_session *open_probe(table *t, findlr_data *d, double validation) {
  ERR;
  *d = object(t);
  findlr_session_options o = defaults();
  ck_ok(findlr_register(context, &probe_component, &err));
  o.data_object = d;
  o.model = "probe";
  o.optimizer = probe_is.engine ? NULL : "adam";
  o.dtype = FINDLR_DTYPE_FLOAT64;
  o.batch_size = 8;
  o.validation = validation;
  return open_session(&o);
}

/* --- it trains ------------------------------------------------------------------------------- */

START_TEST(digits_are_learnt) {
  findlr_session_options o = defaults();
  o.validation = 0.2;
  findlr_session *s = open_session(&o);
  ERR;
  double before, after;
  ck_ok(findlr_session_evaluate(s, &before, &err));
  for (int i = 0; i < 300; i++)
    step(s, 1e-2);
  ck_ok(findlr_session_evaluate(s, &after, &err));
  ck_assert_msg(before > 2 && after < 0.5, "%g -> %g", before, after);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(a_seed_gives_one_curve_bit_for_bit) {
  findlr_session_options o = defaults();
  uint64_t first[3] = { 0 };
  double losses[3][20];
  const uint64_t seeds[] = { 4, 4, 5 };
  for (int run = 0; run < 3; run++) {
    o.seed = seeds[run];
    findlr_session *s = open_session(&o);
    for (int i = 0; i < 20; i++)
      losses[run][i] = step(s, 1e-2);
    first[run] = fingerprint(s);
    findlr_session_destroy(s);
  }
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  ck_assert(first[0] == first[1] && first[0] != first[2]);
}
END_TEST

/* Sums and weights: pieces of a batch give what the whole gives, the ragged last one included. */
START_TEST(accumulated_batches_are_one_batch) {
  const struct {
    int64_t rows, batch, accumulate;
  } cases[] = { { 64, 16, 4 }, { 10, 4, 3 }, { 64, 64, 1 }, { 10, 10, 1 } };
  double losses[4], weights[4];
  for (int i = 0; i < 4; i++) {
    ERR;
    table t = { .rows = cases[i].rows };
    findlr_data d = object(&t);
    findlr_session_options o = defaults();
    o.data_object = &d;
    o.model = "linear";
    o.optimizer = "sgd";
    o.dtype = FINDLR_DTYPE_FLOAT64;
    o.sampling = FINDLR_SAMPLING_SEQUENTIAL;
    o.batch_size = cases[i].batch;
    o.accumulate = cases[i].accumulate;
    findlr_session *s = open_session(&o);
    for (int j = 0; j < 5; j++)
      losses[i] = step(s, 0.1);
    findlr_named_tensor w = { .struct_size = sizeof w };
    ck_ok(findlr_session_state(s, 0, &w, &err));
    weights[i] = *(double *)w.tensor.data;
    findlr_session_destroy(s);
  }
  ck_assert_double_eq_tol(losses[0], losses[2], 1e-12);
  ck_assert_double_eq_tol(weights[0], weights[2], 1e-12);
  ck_assert_double_eq_tol(losses[1], losses[3], 1e-12);
  ck_assert_double_eq_tol(weights[1], weights[3], 1e-12);
}
END_TEST

START_TEST(evaluation_changes_nothing_and_repeats) {
  ERR;
  findlr_session_options o = defaults();
  o.validation = 0.3;
  double whole, few, again;
  findlr_session *s = open_session(&o);
  step(s, 1e-2);
  uint64_t before = fingerprint(s);
  ck_ok(findlr_session_evaluate(s, &whole, &err));
  ck_ok(findlr_session_evaluate(s, &again, &err));
  ck_assert(whole == again && before == fingerprint(s));
  double next = step(s, 1e-2);
  findlr_session_destroy(s);

  o.validation_batches = 2;
  s = open_session(&o);
  step(s, 1e-2);
  ck_ok(findlr_session_evaluate(s, &few, &err));
  ck_ok(findlr_session_evaluate(s, &again, &err));
  ck_assert(few == again && few != whole);
  ck_assert_double_eq(step(s, 1e-2), next); /* the order of training does not depend on it */
  findlr_session_destroy(s);

  o.validation = 0;
  s = open_session(&o);
  ck_fails(findlr_session_evaluate(s, &few, &err), FINDLR_ERR_STATE, "held-out");
  findlr_session_destroy(s);
}
END_TEST

START_TEST(standardized_inputs_train_otherwise) {
  findlr_session_options o = defaults();
  findlr_session *plain = open_session(&o);
  o.flags = FINDLR_SESSION_STANDARDIZE;
  findlr_session *standardized = open_session(&o);
  ck_assert_double_ne(step(plain, 1e-2), step(standardized, 1e-2));
  findlr_session_destroy(plain);
  findlr_session_destroy(standardized);
}
END_TEST

/* --- state ----------------------------------------------------------------------------------- */

static const char *const models[] = { "linear", "mlp:hidden=8x8", "mlp:hidden=8,activation=tanh" };
static const char *const optimizers[] = { "sgd", "sgd:momentum=0.9,nesterov=true", "adam", "adamw",
                                          "rmsprop:momentum=0.5,centered=true", "adagrad" };

static int32_t cancel_at_10(void *ud, const findlr_range_test *test) {
  (void)ud;
  return findlr_range_test_steps(test) == 10;
}

START_TEST(a_range_test_leaves_no_trace) {
  for (size_t m = 0; m < sizeof models / sizeof *models; m++)
    for (size_t k = 0; k < sizeof optimizers / sizeof *optimizers; k++)
      for (int way = 0; way < 4; way++) {
        ERR;
        table t = { .rows = 100, .classes = 2 };
        findlr_data d = object(&t);
        findlr_session_options o = defaults();
        o.model = models[m];
        o.optimizer = optimizers[k];
        o.data_object = &d;
        o.batch_size = 16;
        findlr_session *s = open_session(&o);
        for (int i = 0; i < 3; i++)
          step(s, 1e-3); /* state that is not the initial one */
        uint64_t before = fingerprint(s);

        findlr_drive_options drive;
        findlr_drive_options_init(&drive, sizeof drive);
        findlr_range_test *test = make_test(s, way == 1 ? 1e30 : 0.1, way == 1 ? 200 : 30);
        int32_t wanted = FINDLR_OK, reason = FINDLR_REASON_FINISHED;
        if (way == 2) {
          drive.progress = cancel_at_10;
          wanted = FINDLR_ERR_CANCELLED;
          reason = FINDLR_REASON_CANCELLED;
        } else if (way == 3) {
          t.gathers = 0;
          t.fail_at = 12;
          wanted = FINDLR_ERR_IO;
          reason = FINDLR_REASON_FAILED;
        }
        ck_fails(findlr_drive(test, findlr_session_trainer(s), &drive, &err), wanted, "");
        if (way == 1)
          ck_assert_msg(findlr_range_test_reason(test) == FINDLR_REASON_DIVERGED ||
                            findlr_range_test_reason(test) == FINDLR_REASON_NOT_FINITE,
                        "%s with %s did not diverge", models[m], optimizers[k]);
        else
          ck_assert_int_eq(findlr_range_test_reason(test), reason);
        ck_assert_msg(fingerprint(s) == before, "%s with %s, way %d", models[m], optimizers[k], way);
        findlr_range_test_destroy(test);
        findlr_session_destroy(s);
      }
}
END_TEST

/* Training after a range test goes on as if there had been none. */
START_TEST(training_goes_on_as_if_nothing_had_been) {
  ERR;
  findlr_session_options o = defaults();
  findlr_session *with = open_session(&o), *without = open_session(&o);
  step(with, 1e-2);
  step(without, 1e-2);
  findlr_range_test *test = make_test(with, 10, 40);
  ck_ok(findlr_drive(test, findlr_session_trainer(with), NULL, &err));
  for (int i = 0; i < 40; i++)
    ck_assert_double_eq(step(with, 1e-2), step(without, 1e-2));
  ck_assert(fingerprint(with) == fingerprint(without));
  findlr_range_test_destroy(test);
  findlr_session_destroy(with);
  findlr_session_destroy(without);
}
END_TEST

/* Parameters, moments, counters, generators, sampler: any bit of any of them shows. */
START_TEST(the_fingerprint_sees_every_component) {
  for (size_t k = 0; k < sizeof optimizers / sizeof *optimizers; k++) {
    ERR;
    findlr_session_options o = defaults();
    o.optimizer = optimizers[k];
    findlr_session *s = open_session(&o);
    step(s, 1e-3);
    uint64_t before = fingerprint(s);
    findlr_named_tensor entry = { .struct_size = sizeof entry };
    uint32_t count = 0;
    bool sampler = false, steps = false, moments = false, parameters = false;
    for (; findlr_session_state(s, count, &entry, &err) == FINDLR_OK; count++) {
      sampler |= !strcmp(entry.name, "session.sampler");
      steps |= !strcmp(entry.name, "session.steps");
      moments |= !strncmp(entry.name, "optimizer.", 10);
      parameters |= !strncmp(entry.name, "parameter.", 10);
      int64_t n = findlr_tensor_count(&entry.tensor);
      size_t size = entry.tensor.dtype_bits / 8;
      unsigned char *data = (unsigned char *)entry.tensor.data + entry.tensor.byte_offset;
      for (int64_t i = 0; i < n; i += n > 1 ? n - 1 : 1) {
        data[(size_t)i * size] ^= 1;
        ck_assert_msg(fingerprint(s) != before, "%s[%lld]", entry.name, (long long)i);
        data[(size_t)i * size] ^= 1;
      }
      ck_assert_msg(fingerprint(s) == before, "%s", entry.name);
    }
    ck_assert_msg(sampler && steps && parameters && moments == (k > 0), "%s lists %u entries", optimizers[k],
                  count);
    findlr_session_destroy(s);
  }
}
END_TEST

START_TEST(generators_and_opaque_state_are_kept) {
  ERR;
  memset(&probe_is, 0, sizeof probe_is);
  table t = { .rows = 40 };
  findlr_data d;
  findlr_session *s = open_probe(&t, &d, 0.2);
  step(s, 1e-2);
  uint64_t before = fingerprint(s);
  findlr_named_tensor entry = { .struct_size = sizeof entry };
  probe *p = NULL;
  for (uint32_t i = 0; findlr_session_state(s, i, &entry, &err) == FINDLR_OK; i++)
    if (!strcmp(entry.name, "model.generator"))
      p = (probe *)((char *)entry.tensor.data - offsetof(probe, generator));
  ck_assert_ptr_nonnull(p);
  ck_ok(findlr_session_save(s, 3, &err));
  double kept = p->generator;
  p->generator += 0.125;
  ck_assert(fingerprint(s) != before);
  p->generator = kept;
  p->counter++;
  ck_assert(fingerprint(s) != before);
  step(s, 1e-2);
  ck_ok(findlr_session_restore(s, 3, &err));
  ck_assert(fingerprint(s) == before);
  ck_assert_int_eq(p->counter, 1);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(slots_are_independent_and_checked) {
  ERR;
  findlr_session_options o = defaults();
  findlr_session *s = open_session(&o);
  uint64_t hash[3];
  for (uint32_t i = 0; i < 3; i++) {
    hash[i] = fingerprint(s);
    ck_ok(findlr_session_save(s, i, &err));
    step(s, 1e-2);
  }
  const uint32_t order[] = { 1, 0, 2, 1 };
  for (int i = 0; i < 4; i++) {
    ck_ok(findlr_session_restore(s, order[i], &err));
    ck_assert(fingerprint(s) == hash[order[i]]);
  }
  ck_fails(findlr_session_restore(s, 5, &err), FINDLR_ERR_STATE, "slot 5");
  ck_fails(findlr_session_save(s, 64, &err), FINDLR_ERR_LIMIT, "slot 64");
  ck_assert(fingerprint(s) == hash[1]);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(slots_in_files_leave_no_files) {
  ERR;
  char directory[] = "/tmp/findlr-test-XXXXXX";
  ck_assert_ptr_nonnull(mkdtemp(directory));
  findlr_session_options o = defaults();
  o.slot_directory = directory;
  findlr_session *s = open_session(&o);
  uint64_t before = fingerprint(s);
  ck_ok(findlr_session_save(s, 0, &err));
  step(s, 1e-2);
  ck_ok(findlr_session_save(s, 1, &err));
  uint64_t after = fingerprint(s);
  ck_ok(findlr_session_restore(s, 0, &err));
  ck_assert(fingerprint(s) == before);
  ck_ok(findlr_session_restore(s, 1, &err));
  ck_assert(fingerprint(s) == after);
  int files = 0;
  DIR *d = opendir(directory);
  for (struct dirent *e; (e = readdir(d)) != NULL;)
    files += e->d_name[0] != '.';
  closedir(d);
  ck_assert_int_eq(files, 0);
  findlr_session_destroy(s);
  rmdir(directory);
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_IO, directory);
}
END_TEST

/* --- groups ---------------------------------------------------------------------------------- */

START_TEST(groups_get_their_share_of_the_rate) {
  ERR;
  const char *patterns[] = { "*.bias" };
  const double factors[] = { 0.25 };
  findlr_session_options o = defaults();
  o.optimizer = "sgd";
  findlr_session *plain = open_session(&o);
  o.group_count = 1;
  o.group_patterns = patterns;
  o.group_factors = factors;
  findlr_session *grouped = open_session(&o);
  ck_assert_str_eq(findlr_session_group_pattern(grouped, 0), "*");
  ck_assert_str_eq(findlr_session_group_pattern(grouped, 1), "*.bias");
  ck_assert_ptr_null(findlr_session_group_pattern(grouped, 2));
  enum { WEIGHTS = 16 * 64, BIASES = 16 };
  static float moved[2][WEIGHTS + BIASES]; /* of the first layer */
  findlr_session *both[] = { plain, grouped };
  for (int i = 0; i < 2; i++)
    for (int late = 0; late < 2; late++) {
      if (late)
        step(both[i], 0.5);
      findlr_named_tensor entry = { .struct_size = sizeof entry };
      for (uint32_t j = 0; findlr_session_state(both[i], j, &entry, &err) == FINDLR_OK; j++) {
        bool weight = !strcmp(entry.name, "parameter.0.weight");
        if (!weight && strcmp(entry.name, "parameter.0.bias"))
          continue;
        for (int n = 0; n < (weight ? WEIGHTS : BIASES); n++) {
          float value = ((float *)entry.tensor.data)[n];
          moved[i][n + (weight ? 0 : WEIGHTS)] += late ? value : -value;
        }
      }
    }
  double weights_moved = 0, biases_moved = 0;
  for (int n = 0; n < WEIGHTS + BIASES; n++) {
    *(n < WEIGHTS ? &weights_moved : &biases_moved) += fabsf(moved[0][n]);
    ck_assert_float_eq_tol(moved[1][n], moved[0][n] * (n < WEIGHTS ? 1 : 0.25f), 1e-6f);
  }
  ck_assert(weights_moved > 0.01 && biases_moved > 0.001);

  findlr_range_test *test = make_test(grouped, 1, 10);
  ck_ok(findlr_drive(test, findlr_session_trainer(grouped), NULL, &err));
  const findlr_curve *curve = findlr_range_test_curve(test);
  ck_assert_uint_eq(findlr_curve_groups(curve), 2);
  ck_assert_double_eq(findlr_curve_lr(curve, 1)[9], 0.25);
  ck_assert_double_eq(findlr_curve_lr(curve, 0)[9], 1);
  findlr_range_test_destroy(test);
  findlr_session_destroy(plain);
  findlr_session_destroy(grouped);

  const char *unknown[] = { "nosuch*" };
  o.group_patterns = unknown;
  ck_fails(findlr_session_create(context, &o, &plain, &err), FINDLR_ERR_ARGUMENT, "nosuch*");
}
END_TEST

/* --- models that train by themselves ---------------------------------------------------------- */

START_TEST(an_engine_of_the_models_own_trains) {
  ERR;
  memset(&probe_is, 0, sizeof probe_is);
  probe_is.engine = true;
  table t = { .rows = 40 };
  findlr_data d;
  findlr_session *s = open_probe(&t, &d, 0.2);
  double first, last;
  uint64_t before = fingerprint(s);
  ck_ok(findlr_session_evaluate(s, &first, &err));
  findlr_range_test *test = make_test(s, 1, 20);
  ck_ok(findlr_drive(test, findlr_session_trainer(s), NULL, &err));
  ck_assert(fingerprint(s) == before);
  for (int i = 0; i < 50; i++)
    step(s, 0.05);
  ck_ok(findlr_session_evaluate(s, &last, &err));
  ck_assert_double_lt(last, first);
  findlr_session_info info = { .struct_size = sizeof info };
  ck_ok(findlr_session_describe(s, &info, &err));
  ck_assert_str_eq(info.optimizer, "");
  findlr_range_test_destroy(test);
  findlr_session_destroy(s);

  findlr_session_options o = defaults();
  o.data_object = &d;
  o.model = "probe";
  o.optimizer = "sgd";
  o.dtype = FINDLR_DTYPE_FLOAT64;
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT, "trains by itself");
}
END_TEST

START_TEST(an_engine_is_told_the_groups_or_refuses_them) {
  ERR;
  memset(&probe_is, 0, sizeof probe_is);
  probe_is.engine = probe_is.two_parameters = true;
  table t = { .rows = 40 };
  findlr_data d;
  findlr_session *s = open_probe(&t, &d, 0);
  findlr_session_destroy(s);

  const char *patterns[] = { "slope" };
  const double factors[] = { 0.5 };
  findlr_session_options o = defaults();
  o.data_object = &d;
  o.model = "probe";
  o.dtype = FINDLR_DTYPE_FLOAT64;
  o.optimizer = NULL;
  o.group_count = 1;
  o.group_patterns = patterns;
  o.group_factors = factors;
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_UNSUPPORTED,
           "takes no parameter groups");
  probe_is.told_groups = true;
  ck_ok(findlr_session_create(context, &o, &s, &err));
  ck_assert(probe_is.groups[0] == 1 && probe_is.groups[1] == 0);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(parameters_that_do_not_fit_are_named) {
  ERR;
  table t = { .rows = 40 };
  findlr_data d = object(&t);
  findlr_session *s = NULL;
  findlr_session_options o = defaults();
  o.data_object = &d;
  o.model = "probe";
  o.dtype = FINDLR_DTYPE_FLOAT64;
  ck_ok(findlr_register(context, &probe_component, &err));
  memset(&probe_is, 0, sizeof probe_is);
  probe_is.strided = true;
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_UNSUPPORTED, "\"slope\"");
  memset(&probe_is, 0, sizeof probe_is);
  probe_is.no_parameters = true;
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_PLUGIN_INVALID, "no parameters");
}
END_TEST

/* --- what is refused -------------------------------------------------------------------------- */

START_TEST(options_that_cannot_be_are_refused) {
  ERR;
  findlr_session *s = NULL;
  findlr_session_options o;
#define REFUSED(member, value, status, text)                                                       \
  o = defaults();                                                                                  \
  o.member = value;                                                                                \
  ck_fails(findlr_session_create(context, &o, &s, &err), status, text)
  REFUSED(batch_size, -1, FINDLR_ERR_ARGUMENT, "-1");
  REFUSED(batch_size, 5000, FINDLR_ERR_ARGUMENT, "5000");
  REFUSED(accumulate, 0, FINDLR_ERR_ARGUMENT, "accumulate");
  REFUSED(validation, 1, FINDLR_ERR_ARGUMENT, "validation fraction");
  REFUSED(validation, -0.5, FINDLR_ERR_ARGUMENT, "validation fraction");
  REFUSED(validation, NAN, FINDLR_ERR_ARGUMENT, "validation fraction");
  REFUSED(threads, 0, FINDLR_ERR_ARGUMENT, "threads");
  REFUSED(dtype, FINDLR_DTYPE_UINT8, FINDLR_ERR_ARGUMENT, "uint8");
  REFUSED(sampling, 9, FINDLR_ERR_ARGUMENT, "sampling");
  REFUSED(flags, 64, FINDLR_ERR_ARGUMENT, "flags");
  REFUSED(model, "mpl", FINDLR_ERR_NOT_FOUND, "mlp");
  REFUSED(optimizer, "adan", FINDLR_ERR_NOT_FOUND, "adam");
  REFUSED(loss, "mes", FINDLR_ERR_NOT_FOUND, "mse");
  REFUSED(data, "digit", FINDLR_ERR_NOT_FOUND, "digits");
  REFUSED(loss, "bce_with_logits", FINDLR_ERR_ARGUMENT, "2 classes");
  REFUSED(struct_size, 0, FINDLR_ERR_ARGUMENT, "struct_size");
#undef REFUSED
  double loss, rate = NAN, two[] = { 1, 2 };
  o = defaults();
  s = open_session(&o);
  uint64_t before = fingerprint(s);
  ck_fails(findlr_session_step(s, &rate, 1, &loss, &err), FINDLR_ERR_ARGUMENT, "finite");
  ck_fails(findlr_session_step(s, two, 2, &loss, &err), FINDLR_ERR_ARGUMENT, "2 rates");
  ck_assert(fingerprint(s) == before);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(losses_and_targets_must_agree) {
  ERR;
  table real = { .rows = 30 }, two = { .rows = 30, .classes = 2 };
  findlr_data d = object(&real);
  findlr_session *s = NULL;
  findlr_session_options o = defaults();
  o.data_object = &d;
  o.loss = "cross_entropy";
  ck_fails(findlr_session_create(context, &o, &s, &err), FINDLR_ERR_ARGUMENT, "real numbers");
  d = object(&two);
  o.loss = "bce_with_logits";
  s = open_session(&o);
  double first = step(s, 0.1), last = 0;
  for (int i = 0; i < 60; i++)
    last = step(s, 0.1);
  ck_assert_msg(first < 1 && last < first, "%g -> %g", first, last);
  findlr_session_destroy(s);
  o.loss = "mse";
  s = open_session(&o);
  step(s, 0.1);
  findlr_session_destroy(s);
}
END_TEST

START_TEST(a_nan_loss_is_a_loss) {
  ERR;
  table t = { .rows = 30, .not_finite = true };
  findlr_data d = object(&t);
  findlr_session_options o = defaults();
  o.data_object = &d;
  findlr_session *s = open_session(&o);
  uint64_t before = fingerprint(s);
  findlr_range_test *test = make_test(s, 1, 20);
  ck_ok(findlr_drive(test, findlr_session_trainer(s), NULL, &err));
  ck_assert_int_eq(findlr_range_test_reason(test), FINDLR_REASON_NOT_FINITE);
  ck_assert_int_eq(findlr_range_test_steps(test), 1);
  ck_assert(fingerprint(s) == before);
  findlr_range_test_destroy(test);
  findlr_session_destroy(s);
}
END_TEST

/* --- memory ---------------------------------------------------------------------------------- */

/* Everything from the context to the suggestion, with each allocation failing in turn: no-memory, or
 * success; what exists stays usable. */
START_TEST(every_allocation_may_fail) {
  for_each_failure(a) {
    ERR;
    findlr_context *c = NULL;
    findlr_session *s = NULL;
    findlr_range_test *test = NULL;
    findlr_context_options co;
    findlr_context_options_init(&co, sizeof co);
    co.allocator = &a.allocator;
    const char *patterns[] = { "*.bias" };
    const double factors[] = { 0.5 };
    findlr_session_options o = defaults();
    o.model = "mlp:hidden=2";
    o.validation = 0.2;
    o.batch_size = 256;
    o.flags = FINDLR_SESSION_STANDARDIZE;
    o.group_count = 1;
    o.group_patterns = patterns;
    o.group_factors = factors;
    int32_t status = findlr_context_create(&co, &c, &err);
    if (!status)
      status = findlr_session_create(c, &o, &s, &err);
    findlr_range_test_options ramp;
    findlr_range_test_options_init(&ramp, sizeof ramp);
    ramp.num_iter = 3;
    if (!status)
      status = findlr_session_fit_options(s, &ramp, &err);
    if (!status)
      status = findlr_range_test_create(&a.allocator, &ramp, &test, &err);
    if (!status) {
      uint64_t before = 0, after = 0;
      double loss;
      status = findlr_session_fingerprint(s, &before, &err);
      if (!status)
        status = findlr_drive(test, findlr_session_trainer(s), NULL, &err);
      ck_ok(findlr_session_fingerprint(s, &after, &err));
      ck_assert(before == after);
      ck_ok(findlr_session_evaluate(s, &loss, &err));
      findlr_suggestion found = FINDLR_SUGGESTION_INIT;
      if (!status)
        status = findlr_range_test_suggest(test, NULL, &found, &err);
    }
    ck_no_memory(status, a);
    findlr_range_test_destroy(test);
    findlr_session_destroy(s);
    findlr_context_destroy(c);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("session");
  TCase *t = tcase_create("session");
  tcase_add_checked_fixture(t, open_context, close_context);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, digits_are_learnt);
  tcase_add_test(t, a_seed_gives_one_curve_bit_for_bit);
  tcase_add_test(t, accumulated_batches_are_one_batch);
  tcase_add_test(t, evaluation_changes_nothing_and_repeats);
  tcase_add_test(t, standardized_inputs_train_otherwise);
  tcase_add_test(t, a_range_test_leaves_no_trace);
  tcase_add_test(t, training_goes_on_as_if_nothing_had_been);
  tcase_add_test(t, the_fingerprint_sees_every_component);
  tcase_add_test(t, generators_and_opaque_state_are_kept);
  tcase_add_test(t, slots_are_independent_and_checked);
  tcase_add_test(t, slots_in_files_leave_no_files);
  tcase_add_test(t, groups_get_their_share_of_the_rate);
  tcase_add_test(t, an_engine_of_the_models_own_trains);
  tcase_add_test(t, an_engine_is_told_the_groups_or_refuses_them);
  tcase_add_test(t, parameters_that_do_not_fit_are_named);
  tcase_add_test(t, options_that_cannot_be_are_refused);
  tcase_add_test(t, losses_and_targets_must_agree);
  tcase_add_test(t, a_nan_loss_is_a_loss);
  tcase_add_test(t, every_allocation_may_fail);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
