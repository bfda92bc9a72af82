/* SPDX-License-Identifier: MIT */
#include "protocol.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data.h"

/* Seeds of the oracle and of the sweeps have nothing in common: what a sweep saw by chance the
 * training does not see again. */
enum { ORACLE_SEED = 1, SWEEP_SEED = 101, START_SEED = 1001 };

static const double VALIDATION = 0.25;
static const double BLOWN_UP = 1e20;
static const double START_RATE = 0.003;

const char *policy_name(int policy) {
  static const char *const names[] = { "constant", "decay", "one_cycle" };
  return names[policy];
}

double grid_log10(int i) {
  return -6 + 0.25 * i;
}

static double cosine(double from, double to, double part) {
  return to + (from - to) * (1 + cos(3.14159265358979323846 * part)) / 2;
}

double policy_rate(int policy, double rate, int64_t step, int64_t steps) {
  double part = (double)step / (double)steps;
  switch (policy) {
  case DECAY:
    return rate * (1 - part);
  case ONE_CYCLE:
    return part < 0.3 ? cosine(rate / 25, rate, part / 0.3)
                      : cosine(rate, rate / 250000, (part - 0.3) / 0.7);
  default:
    return rate;
  }
}

static int say(const task *t, const findlr_error *err) {
  char id[TASK_ID];
  task_id(t, id);
  fprintf(stderr, "quality: %s: %s\n", id, err->message);
  return -1;
}

static int32_t open_session(findlr_context *context, const task *t, const dataset *d,
                            const char *optimizer, uint64_t seed, findlr_session **ret,
                            findlr_error *err) {
  char model[128];
  task_model(t, model);
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.data_object = &d->data;
  o.model = model;
  o.optimizer = optimizer;
  o.loss = d->classes ? "cross_entropy" : "mse";
  o.batch_size = t->batch;
  o.validation = VALIDATION;
  o.seed = seed;
  o.flags = data_is_standardized(t->data) ? FINDLR_SESSION_STANDARDIZE : 0;
  return findlr_session_create(context, &o, ret, err);
}

/* The same seed holds out the same rows, so that no model starts from what it is judged on. */
static int32_t train_before(findlr_context *context, const task *t, const dataset *d, uint64_t seed,
                            findlr_session *session, findlr_error *err) {
  findlr_session *before;
  int32_t status = open_session(context, t, d, "adam", seed, &before, err);
  if (status)
    return status;
  double loss;
  for (int64_t i = 0; i < t->start_steps && !status; i++)
    status = findlr_session_step(before, &START_RATE, 1, &loss, err);
  findlr_named_tensor from = { .struct_size = sizeof from }, to = from;
  for (uint32_t i = 0; !status && findlr_session_state(session, i, &to, err) == FINDLR_OK; i++)
    if (!strncmp(to.name, "parameter.", 10)) {
      status = findlr_session_state(before, i, &from, err);
      if (!status)
        memcpy(to.tensor.data, from.tensor.data,
               (size_t)findlr_tensor_count(&to.tensor) * to.tensor.dtype_bits / 8);
    }
  findlr_session_destroy(before);
  return status;
}

/* The task's data, and the data that it was trained on before. */
typedef struct material {
  dataset data, before;
} material;

static int material_open(findlr_context *context, const task *t, const char *directory,
                         material *m) {
  *m = (material){ 0 };
  if (dataset_make(context, t->data, 0, directory, &m->data))
    return -1;
  if (t->start != START_FRESH &&
      dataset_make(context, t->data, t->start == START_SIBLING, directory, &m->before)) {
    dataset_free(&m->data);
    return -1;
  }
  return 0;
}

static void material_close(material *m) {
  dataset_free(&m->data);
  dataset_free(&m->before);
}

static int32_t open_task(findlr_context *context, const task *t, const material *m, uint64_t seed,
                         findlr_session **ret, findlr_error *err) {
  int32_t status = open_session(context, t, &m->data, task_optimizer(t), seed, ret, err);
  if (!status && t->start != START_FRESH) {
    status = train_before(context, t, &m->before, seed, *ret, err);
    if (status)
      findlr_session_destroy(*ret);
  }
  return status;
}

/* Trains from slot 0; *ret_best: the least held-out loss. */
static int32_t train(findlr_session *session, int policy, double rate, int64_t steps,
                     double *ret_best, findlr_error *err) {
  *ret_best = INFINITY;
  int32_t status = findlr_session_restore(session, 0, err);
  for (int64_t i = 0; i < steps && !status; i++) {
    double now = policy_rate(policy, rate, i, steps), loss;
    status = findlr_session_step(session, &now, 1, &loss, err);
    if (!status && !(fabs(loss) < BLOWN_UP))
      return FINDLR_OK;
    if (!status && (i + 1) * EVALUATIONS / steps > i * EVALUATIONS / steps) {
      status = findlr_session_evaluate(session, &loss, err);
      if (!status && loss < *ret_best)
        *ret_best = loss;
    }
  }
  return status;
}

int oracle_measure(findlr_context *context, const task *t, const char *directory, oracle *out) {
  findlr_error err = FINDLR_ERROR_INIT;
  material m;
  if (material_open(context, t, directory, &m))
    return -1;
  int32_t status = FINDLR_OK;
  for (int seed = 0; seed < ORACLE_SEEDS && !status; seed++) {
    findlr_session *session;
    status = open_task(context, t, &m, (uint64_t)(ORACLE_SEED + seed), &session, &err);
    if (status)
      break;
    status = findlr_session_save(session, 0, &err);
    if (!status)
      status = findlr_session_evaluate(session, &out->initial[seed], &err);
    for (int policy = 0; policy < POLICIES && !status; policy++)
      for (int k = 0; k < RATES && !status; k++)
        status = train(session, policy, pow(10, grid_log10(k)), t->steps,
                       &out->best[policy][seed][k], &err);
    findlr_session_destroy(session);
  }
  material_close(&m);
  out->present = !status;
  return status ? say(t, &err) : 0;
}

int sweeps_measure(findlr_context *context, const task *t, const char *directory, sweeps *out) {
  findlr_error err = FINDLR_ERROR_INIT;
  material m;
  if (material_open(context, t, directory, &m))
    return -1;
  findlr_stop never;
  findlr_stop_init(&never, sizeof never);
  never.rule = FINDLR_STOP_NONE; /* each rule stops where its own project would */
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.start_lr = SWEEP_START;
  o.end_lr = SWEEP_END;
  o.num_iter = SWEEP_STEPS;
  o.stop = &never;
  int32_t status = FINDLR_OK;
  for (int seed = 0; seed < SWEEP_SEEDS && !status; seed++) {
    findlr_session *session;
    findlr_range_test *test;
    status = open_task(context, t, &m, (uint64_t)(SWEEP_SEED + seed), &session, &err);
    if (status)
      break;
    status = findlr_range_test_create(NULL, &o, &test, &err);
    if (!status) {
      status = findlr_drive(test, findlr_session_trainer(session), NULL, &err);
      const findlr_curve *curve = findlr_range_test_curve(test);
      for (size_t i = 0; i < SWEEP_STEPS; i++)
        out->loss[seed][i] = i < findlr_curve_count(curve) ? findlr_curve_loss(curve)[i] : NAN;
      findlr_range_test_destroy(test);
    }
    findlr_session_destroy(session);
  }
  material_close(&m);
  out->present = !status;
  return status ? say(t, &err) : 0;
}

double step_microseconds(findlr_context *context, const task *t, const char *directory) {
  enum { STEPS = 60 };
  findlr_error err = FINDLR_ERROR_INIT;
  material m;
  if (material_open(context, t, directory, &m))
    return -1;
  findlr_session *session;
  double microseconds = -1;
  task fresh = *t;
  fresh.start = START_FRESH;
  int32_t status = open_task(context, &fresh, &m, ORACLE_SEED, &session, &err);
  if (!status) {
    struct timespec from, to;
    double rate = 1e-6, loss;
    for (int i = 0; i < 2 * STEPS && !status; i++) {
      if (i == STEPS)
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
      status = findlr_session_step(session, &rate, 1, &loss, &err);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    microseconds =
        ((double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3) /
        STEPS;
    findlr_session_destroy(session);
  }
  material_close(&m);
  return status ? say(t, &err) : microseconds;
}
