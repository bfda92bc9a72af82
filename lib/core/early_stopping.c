/* SPDX-License-Identifier: MIT */
#include "findlr/early_stopping.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "internal.h"

/* Counts and steps are saved as doubles. */
#define MOST_STEPS ((int64_t)1 << 53)

enum { STATE_COUNT = 6 };

struct findlr_early_stopping {
  const findlr_allocator *allocator;
  findlr_early_stopping_options o;
  double best;
  int64_t last, best_step, stopped_step; /* -1: none */
  int64_t wait;                          /* metrics since the last improvement, up to patience */
  bool improved;                         /* best is a metric */
};

void findlr_early_stopping_options_init(findlr_early_stopping_options *options, size_t size) {
  if (!options || size < sizeof(uint32_t))
    return;
  findlr_early_stopping_options defaults = { .struct_size = (uint32_t)size,
                                             .baseline = (double)NAN };
  memset(options, 0, size);
  memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

static int32_t check(const findlr_early_stopping_options *o, findlr_error *err) {
  if (o->mode != FINDLR_METRIC_MIN && o->mode != FINDLR_METRIC_MAX)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "early stopping: mode is %u, wanted one of FINDLR_METRIC_...", o->mode);
  if (o->patience < 0 || o->patience > MOST_STEPS)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "early stopping: patience is %lld, wanted 0 to %lld",
                        (long long)o->patience, (long long)MOST_STEPS);
  if (!(o->min_delta >= 0 && isfinite(o->min_delta)))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "early stopping: min_delta is %g, wanted 0 or more", o->min_delta);
  if (isinf(o->baseline))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "early stopping: baseline is %g, wanted a finite number, or NaN for none",
                        o->baseline);
  if (o->start_from < 0 || o->start_from > MOST_STEPS)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "early stopping: start_from is %lld, wanted 0 to %lld",
                        (long long)o->start_from, (long long)MOST_STEPS);
  if (o->nan > FINDLR_NAN_STOPS || o->restore_best > 1)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "early stopping: %s is %u, wanted 0 or 1",
                        o->nan > FINDLR_NAN_STOPS ? "nan" : "restore_best",
                        o->nan > FINDLR_NAN_STOPS ? o->nan : o->restore_best);
  return FINDLR_OK;
}

int32_t findlr_early_stopping_create(const findlr_allocator *allocator,
                                     const findlr_early_stopping_options *options,
                                     findlr_early_stopping **ret_stopping, findlr_error *err) {
  if (!ret_stopping)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ret_stopping is NULL");
  findlr_early_stopping_options o;
  findlr_early_stopping_options_init(&o, sizeof o);
  int32_t status = findlr__take(&o, sizeof o, options,
                                FINDLR_SIZE_UP_TO(findlr_early_stopping_options, restore_best),
                                "findlr_early_stopping_options", err);
  if (status == FINDLR_OK)
    status = check(&o, err);
  if (status != FINDLR_OK)
    return status;
  const findlr_allocator *a = findlr__allocator(allocator);
  findlr_early_stopping *s = findlr__allocate(a, sizeof *s);
  if (!s)
    return findlr__no_memory(err, "early stopping");
  s->allocator = a;
  s->o = o;
  s->best = o.mode == FINDLR_METRIC_MAX ? -HUGE_VAL : HUGE_VAL;
  s->last = s->best_step = s->stopped_step = -1;
  *ret_stopping = s;
  return FINDLR_OK;
}

void findlr_early_stopping_destroy(findlr_early_stopping *s) {
  if (s)
    findlr__release(s->allocator, s, sizeof *s);
}

static bool is_improvement(const findlr_early_stopping *s, double metric, double reference) {
  return s->o.mode == FINDLR_METRIC_MIN ? metric + s->o.min_delta < reference
                                        : metric - s->o.min_delta > reference;
}

int32_t findlr_early_stopping_tell(findlr_early_stopping *s, int64_t step, double metric,
                                   uint32_t *ret_said, findlr_error *err) {
  if (!s || !ret_said)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL", s ? "ret_said" : "stopping");
  if (step <= s->last || step > MOST_STEPS)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "early stopping was told of step %lld, wanted %lld to %lld",
                        (long long)step, (long long)s->last + 1, (long long)MOST_STEPS);
  uint32_t said = 0;
  s->last = step;
  if (s->o.nan == FINDLR_NAN_STOPS && !isfinite(metric)) {
    said = FINDLR_EARLY_STOPPING_STOP;
  } else if (step >= s->o.start_from) {
    if (s->best_step < 0) {
      s->best_step = step;
      said |= FINDLR_EARLY_STOPPING_BEST;
    }
    if (s->wait < s->o.patience)
      s->wait++;
    if (is_improvement(s, metric, s->best)) {
      s->best = metric;
      s->best_step = step;
      s->improved = true;
      said |= FINDLR_EARLY_STOPPING_BEST;
      if (isnan(s->o.baseline) || is_improvement(s, metric, s->o.baseline))
        s->wait = 0;
    } else if (s->wait >= s->o.patience && step > 0) {
      said |= FINDLR_EARLY_STOPPING_STOP;
    }
  }
  if (said & FINDLR_EARLY_STOPPING_STOP)
    s->stopped_step = step;
  *ret_said = said;
  return FINDLR_OK;
}

double findlr_early_stopping_best(const findlr_early_stopping *s) {
  return s && s->improved ? s->best : (double)NAN;
}

int64_t findlr_early_stopping_best_step(const findlr_early_stopping *s) {
  return s ? s->best_step : -1;
}

int64_t findlr_early_stopping_stopped_step(const findlr_early_stopping *s) {
  return s ? s->stopped_step : -1;
}

int findlr_early_stopping_restores(const findlr_early_stopping *s) {
  return s && s->o.restore_best && s->best_step >= 0;
}

/* --- state ------------------------------------------------------------------------------------ */

int32_t findlr_early_stopping_save(const findlr_early_stopping *s, double *state, size_t room,
                                   size_t *ret_count, findlr_error *err) {
  if (!s || !ret_count)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL", s ? "ret_count" : "stopping");
  if (state || room) {
    if (room < STATE_COUNT || !state)
      return findlr__fail(err, FINDLR_ERR_LIMIT,
                          "room for %zu numbers of early stopping, wanted %d", state ? room : 0,
                          (int)STATE_COUNT);
    const double numbers[STATE_COUNT] = {
      s->best,         s->improved,          (double)s->wait,
      (double)s->last, (double)s->best_step, (double)s->stopped_step
    };
    memcpy(state, numbers, sizeof numbers);
  }
  *ret_count = STATE_COUNT;
  return FINDLR_OK;
}

static bool is_whole(double value, double least, double most) {
  return value >= least && value <= most && floor(value) == value;
}

static bool is_sound(const findlr_early_stopping *s, const double *state) {
  double worst = s->o.mode == FINDLR_METRIC_MAX ? -HUGE_VAL : HUGE_VAL, last = state[3];
  return is_whole(state[1], 0, 1) && (state[1] != 0 ? !isnan(state[0]) : state[0] == worst) &&
         is_whole(state[2], 0, (double)s->o.patience) && is_whole(last, -1, (double)MOST_STEPS) &&
         is_whole(state[4], -1, last) && is_whole(state[5], -1, last) &&
         (state[1] == 0 || state[4] >= 0);
}

int32_t findlr_early_stopping_load(findlr_early_stopping *s, const double *state, size_t count,
                                   findlr_error *err) {
  if (!s)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "stopping is NULL");
  if (count != STATE_COUNT || !state)
    return findlr__fail(err, FINDLR_ERR_FORMAT,
                        "the state of early stopping has %zu numbers, wanted %d", state ? count : 0,
                        (int)STATE_COUNT);
  if (!is_sound(s, state))
    return findlr__fail(
        err, FINDLR_ERR_FORMAT,
        "the state of early stopping is %g, %g, %g, %g, %g, %g, wanted what one with "
        "the same options saved",
        state[0], state[1], state[2], state[3], state[4], state[5]);
  s->best = state[0];
  s->improved = state[1] != 0;
  s->wait = (int64_t)state[2];
  s->last = (int64_t)state[3];
  s->best_step = (int64_t)state[4];
  s->stopped_step = (int64_t)state[5];
  return FINDLR_OK;
}
