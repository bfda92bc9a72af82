/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <math.h>
#include <string.h>

#include "internal.h"

int32_t findlr_ramp_rate(uint32_t mode, double start, double end, int64_t i, int64_t steps,
                         double *ret_rate, findlr_error *err) {
  if (!ret_rate)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ret_rate is NULL");
  if (mode != FINDLR_RAMP_EXPONENTIAL && mode != FINDLR_RAMP_LINEAR)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ramp mode is %u, wanted one of FINDLR_RAMP_...",
                        mode);
  if (!isfinite(start) || !isfinite(end) || start == end)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "a ramp from %g to %g, wanted two different finite rates", start, end);
  if (mode == FINDLR_RAMP_EXPONENTIAL && (start <= 0 || end <= 0))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "an exponential ramp from %g to %g, wanted rates above 0", start, end);
  if (steps < 2 || i < 0 || i >= steps)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "step %lld of a ramp of %lld, wanted 2 steps or more and one of them",
                        (long long)i, (long long)steps);

  double part = (double)i / (double)(steps - 1);
  if (i == 0)
    *ret_rate = start;
  else if (i == steps - 1)
    *ret_rate = end;
  else if (mode == FINDLR_RAMP_EXPONENTIAL) {
    double ratio = end / start;
    /* A ratio that no double holds still has rates that one does. */
    *ret_rate = isnormal(ratio) ? start * pow(ratio, part) : pow(start, 1 - part) * pow(end, part);
  } else {
    double rise = end - start;
    *ret_rate = isfinite(rise) ? start + rise * part : start * (1 - part) + end * part;
  }
  return FINDLR_OK;
}

/* --- the handle ------------------------------------------------------------------------------- */

enum { STATE_COUNT = 4 };

const char *findlr_schedule_name(uint32_t kind) {
  switch (kind) {
#define CASE(name, value, word)                                                                    \
  case name:                                                                                       \
    return word;
    FINDLR_SCHEDULE_LIST(CASE)
#undef CASE
  default:
    return "unknown";
  }
}

void findlr_schedule_options_init(findlr_schedule_options *options, size_t size, uint32_t kind) {
  if (!options || size < sizeof(uint32_t))
    return;
  findlr_schedule_options defaults = {
    .struct_size = (uint32_t)size,
    .kind = kind,
    .gamma = 0.1,
    .power = 1,
    .start_factor = 1,
    .mult = 1,
    .div = 25,
    .final_div = 1e4,
    .cycle_momentum = 1,
    .low_momentum = 0.8,
    .high_momentum = 0.9,
    .threshold = 1e-4,
    .patience = 10,
    .eps = 1e-8,
    .warmup_start = 0.01,
  };
  switch (kind) {
  case FINDLR_SCHEDULE_EXPONENTIAL:
    defaults.gamma = 0.99;
    defaults.every = 1;
    break;
  case FINDLR_SCHEDULE_EXP_RANGE:
    defaults.gamma = 0.99994;
    break;
  case FINDLR_SCHEDULE_FLAT_ANNEAL:
    defaults.part = 0.75;
    break;
  case FINDLR_SCHEDULE_ONE_CYCLE:
    defaults.part = 0.3;
    defaults.low_momentum = 0.85;
    defaults.high_momentum = 0.95;
    break;
  case FINDLR_SCHEDULE_ONE_CYCLE_FASTAI:
    defaults.part = 0.25;
    defaults.final_div = 1e5;
    defaults.low_momentum = 0.85;
    defaults.high_momentum = 0.95;
    break;
  case FINDLR_SCHEDULE_RAMP:
    defaults.min_lr = 1e-7;
    defaults.mode = FINDLR_RAMP_EXPONENTIAL;
    break;
  default:
    break;
  }
  memset(options, 0, size);
  memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

int32_t findlr_schedule_create(const findlr_allocator *allocator,
                               const findlr_schedule_options *options,
                               findlr_schedule **ret_schedule, findlr_error *err) {
  if (!options || !ret_schedule)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL",
                        options ? "ret_schedule" : "options");
  findlr_schedule_options o;
  findlr_schedule_options_init(&o, sizeof o, options->kind);
  int32_t status = findlr__take(&o, sizeof o, options,
                                FINDLR_SIZE_UP_TO(findlr_schedule_options, warmup_start),
                                "findlr_schedule_options", err);
  if (status == FINDLR_OK)
    status = findlr__schedule_check(&o, err);
  if (status != FINDLR_OK)
    return status;
  if (o.kind != FINDLR_SCHEDULE_MULTI_STEP)
    o.milestone_count = 0;

  const findlr_allocator *a = findlr__allocator(allocator);
  findlr_schedule *s = findlr__allocate(a, sizeof *s);
  if (!s)
    return findlr__no_memory(err, "a schedule");
  s->allocator = a;
  s->o = o;
  s->o.milestones = NULL;
  if (o.milestone_count) {
    size_t size = o.milestone_count * sizeof *s->milestones;
    s->milestones = findlr__allocate(a, size);
    if (!s->milestones) {
      findlr__release(a, s, sizeof *s);
      return findlr__no_memory(err, "a schedule");
    }
    memcpy(s->milestones, o.milestones, size);
    s->o.milestones = s->milestones;
  }
  s->lr = o.lr;
  s->best = o.mode == FINDLR_METRIC_MAX ? -HUGE_VAL : HUGE_VAL;
  *ret_schedule = s;
  return FINDLR_OK;
}

void findlr_schedule_destroy(findlr_schedule *s) {
  if (!s)
    return;
  findlr__release(s->allocator, s->milestones, s->o.milestone_count * sizeof *s->milestones);
  findlr__release(s->allocator, s, sizeof *s);
}

int32_t findlr_schedule_at(const findlr_schedule *s, int64_t step, double *ret_lr,
                           double *ret_momentum, findlr_error *err) {
  if (!s || !ret_lr)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL", s ? "ret_lr" : "schedule");
  if (step < 0)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "step %lld of a schedule, wanted 0 or more",
                        (long long)step);
  const findlr_schedule_options *o = &s->o;
  double lr, momentum;
  if (step >= o->warmup) {
    findlr__schedule_shape(s, step - o->warmup, &lr, &momentum);
  } else {
    findlr__schedule_shape(s, 0, &lr, &momentum);
    double place = (double)step / (double)o->warmup, start = o->warmup_start;
    lr *= o->warmup_mode == FINDLR_WARMUP_LINEAR        ? start + (1 - start) * place
          : o->warmup_mode == FINDLR_WARMUP_EXPONENTIAL ? pow(start, 1 - place)
                                                        : start;
  }
  *ret_lr = lr;
  if (ret_momentum)
    *ret_momentum = momentum;
  return FINDLR_OK;
}

/* --- what listens to a metric ----------------------------------------------------------------- */

int findlr_schedule_listens(const findlr_schedule *s) {
  return s && s->o.kind == FINDLR_SCHEDULE_REDUCE_ON_PLATEAU;
}

static int is_better(const findlr_schedule *s, double metric) {
  const findlr_schedule_options *o = &s->o;
  int relative = o->threshold_mode == FINDLR_THRESHOLD_RELATIVE;
  if (o->mode == FINDLR_METRIC_MIN)
    return metric < (relative ? s->best * (1 - o->threshold) : s->best - o->threshold);
  return metric > (relative ? s->best * (1 + o->threshold) : s->best + o->threshold);
}

int32_t findlr_schedule_tell(findlr_schedule *s, double metric, findlr_error *err) {
  if (!s)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "schedule is NULL");
  if (!findlr_schedule_listens(s))
    return FINDLR_OK;
  if (is_better(s, metric)) {
    s->best = metric;
    s->bad = 0;
  } else {
    s->bad++;
  }
  if (s->cooling > 0) {
    s->cooling--;
    s->bad = 0;
  }
  if (s->bad > s->o.patience) {
    double lower = fmax(s->lr * s->o.gamma, s->o.min_lr);
    if (s->lr - lower > s->o.eps)
      s->lr = lower;
    s->cooling = s->o.cooldown;
    s->bad = 0;
  }
  return FINDLR_OK;
}

int32_t findlr_schedule_save(const findlr_schedule *s, double *state, size_t room,
                             size_t *ret_count, findlr_error *err) {
  if (!s || !ret_count)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL", s ? "ret_count" : "schedule");
  size_t count = findlr_schedule_listens(s) ? STATE_COUNT : 0;
  if (state || room) {
    if (room < count || (count && !state))
      return findlr__fail(err, FINDLR_ERR_LIMIT, "room for %zu numbers of a schedule, wanted %zu",
                          state ? room : 0, count);
    if (count) {
      const double numbers[STATE_COUNT] = { s->lr, s->best, (double)s->bad, (double)s->cooling };
      memcpy(state, numbers, sizeof numbers);
    }
  }
  *ret_count = count;
  return FINDLR_OK;
}

static int is_count(double value, int64_t most) {
  return value >= 0 && value <= (double)most && floor(value) == value;
}

int32_t findlr_schedule_load(findlr_schedule *s, const double *state, size_t count,
                             findlr_error *err) {
  if (!s)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "schedule is NULL");
  size_t wanted = findlr_schedule_listens(s) ? STATE_COUNT : 0;
  if (count != wanted || (count && !state))
    return findlr__fail(err, FINDLR_ERR_FORMAT, "the state of schedule %s has %zu numbers, wanted %zu",
                        findlr_schedule_name(s->o.kind), state ? count : 0, wanted);
  if (count == 0)
    return FINDLR_OK;
  if (!(state[0] >= s->o.min_lr && state[0] <= s->o.lr) || isnan(state[1]) ||
      !is_count(state[2], s->o.patience) || !is_count(state[3], s->o.cooldown))
    return findlr__fail(err, FINDLR_ERR_FORMAT,
                        "the state of schedule %s is %g, %g, %g, %g, wanted what a schedule with the "
                        "same options saved",
                        findlr_schedule_name(s->o.kind), state[0], state[1], state[2], state[3]);
  s->lr = state[0];
  s->best = state[1];
  s->bad = (int64_t)state[2];
  s->cooling = (int64_t)state[3];
  return FINDLR_OK;
}
