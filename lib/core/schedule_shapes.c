/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdbool.h>

#include "internal.h"
#include "schedule.h"

#define PI 3.14159265358979323846

/* Steps and counts go through double: in saved state, and as parts of each other. */
#define MOST_STEPS ((int64_t)1 << 53)

enum { MOST_MILESTONES = 4096, MOST_MULT = 1000000 };

/* --- what a kind demands -----------------------------------------------------------------------
 */

static bool is_cyclical(uint32_t kind) {
  return kind == FINDLR_SCHEDULE_TRIANGULAR || kind == FINDLR_SCHEDULE_TRIANGULAR2 ||
         kind == FINDLR_SCHEDULE_EXP_RANGE;
}

static bool is_one_cycle(uint32_t kind) {
  return kind == FINDLR_SCHEDULE_ONE_CYCLE || kind == FINDLR_SCHEDULE_ONE_CYCLE_FASTAI;
}

static int32_t refuse(findlr_error *err, const findlr_schedule_options *o, const char *word,
                      double value, const char *wanted) {
  return findlr__fail(err, FINDLR_ERR_ARGUMENT, "schedule %s: %s is %g, wanted %s",
                      findlr_schedule_name(o->kind), word, value, wanted);
}

static int32_t check_real(findlr_error *err, const findlr_schedule_options *o, const char *word,
                          double value, double least, double most) {
  if (value >= least && value <= most)
    return FINDLR_OK;
  return findlr__fail(err, FINDLR_ERR_ARGUMENT, "schedule %s: %s is %g, wanted %g to %g",
                      findlr_schedule_name(o->kind), word, value, least, most);
}

static int32_t check_count(findlr_error *err, const findlr_schedule_options *o, const char *word,
                           int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most)
    return FINDLR_OK;
  return findlr__fail(err, FINDLR_ERR_ARGUMENT, "schedule %s: %s is %lld, wanted %lld to %lld",
                      findlr_schedule_name(o->kind), word, (long long)value, (long long)least,
                      (long long)most);
}

static int32_t check_choice(findlr_error *err, const findlr_schedule_options *o, const char *word,
                            uint32_t value, uint32_t least, uint32_t most) {
  return check_count(err, o, word, value, least, most);
}

static int32_t check_factor(findlr_error *err, const findlr_schedule_options *o) {
  bool below = o->kind == FINDLR_SCHEDULE_REDUCE_ON_PLATEAU;
  if (o->gamma > 0 && (below ? o->gamma < 1 : o->gamma <= 1))
    return FINDLR_OK;
  return refuse(err, o, below ? "factor" : "gamma", o->gamma,
                below ? "more than 0 and less than 1" : "more than 0 and at most 1");
}

/* Is there a kind's length, or a number of the caller's in its place? */
static int32_t check_length(findlr_error *err, const findlr_schedule_options *o,
                            const char *instead) {
  int64_t least = o->kind == FINDLR_SCHEDULE_RAMP ? 2 : 1;
  if (o->steps >= least && o->steps <= MOST_STEPS)
    return FINDLR_OK;
  return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                      "schedule %s: steps is %lld, wanted %lld or more%s%s",
                      findlr_schedule_name(o->kind), (long long)o->steps, (long long)least,
                      instead ? ", or " : "", instead ? instead : "");
}

/* ceil(steps / parts) */
static int64_t share(int64_t steps, int64_t parts) {
  return (steps - 1) / parts + 1;
}

static int32_t check_milestones(findlr_error *err, const findlr_schedule_options *o) {
  int32_t status =
      check_count(err, o, "the number of milestones", o->milestone_count, 0, MOST_MILESTONES);
  if (status == FINDLR_OK && o->milestone_count && !o->milestones)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "schedule multi_step: milestones is NULL, wanted "
                        "%u steps",
                        o->milestone_count);
  for (uint32_t i = 0; status == FINDLR_OK && i < o->milestone_count; i++)
    status = check_count(err, o, "a milestone", o->milestones[i], i ? o->milestones[i - 1] + 1 : 0,
                         MOST_STEPS);
  return status;
}

static int32_t check_restarts(findlr_error *err, findlr_schedule_options *o) {
  int32_t status = check_count(err, o, "mult", o->mult, 1, MOST_MULT);
  if (status == FINDLR_OK)
    status = check_count(err, o, "first", o->every, 0, MOST_STEPS);
  if (status == FINDLR_OK && o->every == 0) {
    status = check_length(err, o, "first");
    if (status == FINDLR_OK)
      o->every = share(o->steps, 1 + o->mult + o->mult * o->mult);
  }
  return status;
}

static int32_t check_cycle(findlr_error *err, findlr_schedule_options *o) {
  int32_t status = check_count(err, o, "up", o->up, 0, MOST_STEPS);
  if (status == FINDLR_OK)
    status = check_count(err, o, "down", o->down, 0, MOST_STEPS);
  if (status == FINDLR_OK && o->up == 0) {
    status = check_length(err, o, "up");
    if (status == FINDLR_OK)
      o->up = share(o->steps, 10);
  }
  if (o->down == 0)
    o->down = o->up;
  if (status == FINDLR_OK && o->kind == FINDLR_SCHEDULE_EXP_RANGE)
    status = check_factor(err, o);
  return status;
}

static int32_t check_one_cycle(findlr_error *err, const findlr_schedule_options *o) {
  bool three = o->kind == FINDLR_SCHEDULE_ONE_CYCLE && o->three_phase;
  int32_t status = check_length(err, o, NULL);
  if (status == FINDLR_OK)
    status = check_real(err, o, "part", o->part, 0, three ? 0.5 : 1);
  if (status == FINDLR_OK && !(o->div >= 1 && isfinite(o->div)))
    status = refuse(err, o, "div", o->div, "1 or more");
  if (status == FINDLR_OK && !(o->final_div >= 1 && isfinite(o->final_div)))
    status = refuse(err, o, "final_div", o->final_div, "1 or more");
  if (status == FINDLR_OK && o->kind == FINDLR_SCHEDULE_ONE_CYCLE) {
    status = check_choice(err, o, "anneal", o->anneal, FINDLR_ANNEAL_COSINE, FINDLR_ANNEAL_LINEAR);
    if (status == FINDLR_OK)
      status = check_choice(err, o, "three_phase", o->three_phase, 0, 1);
  }
  return status;
}

static int32_t check_momentum(findlr_error *err, const findlr_schedule_options *o) {
  int32_t status = check_choice(err, o, "cycle_momentum", o->cycle_momentum, 0, 1);
  if (status != FINDLR_OK || !o->cycle_momentum)
    return status;
  if (!(o->high_momentum >= 0 && o->high_momentum < 1))
    return refuse(err, o, "high_momentum", o->high_momentum, "0 or more and less than 1");
  return check_real(err, o, "low_momentum", o->low_momentum, 0, o->high_momentum);
}

static int32_t check_plateau(findlr_error *err, const findlr_schedule_options *o) {
  int32_t status = check_factor(err, o);
  if (status == FINDLR_OK)
    status = check_choice(err, o, "mode", o->mode, FINDLR_METRIC_MIN, FINDLR_METRIC_MAX);
  if (status == FINDLR_OK)
    status = check_choice(err, o, "threshold_mode", o->threshold_mode, FINDLR_THRESHOLD_RELATIVE,
                          FINDLR_THRESHOLD_ABSOLUTE);
  if (status == FINDLR_OK && !(o->threshold >= 0 && isfinite(o->threshold)))
    status = refuse(err, o, "threshold", o->threshold, "0 or more");
  if (status == FINDLR_OK && !(o->eps >= 0 && isfinite(o->eps)))
    status = refuse(err, o, "eps", o->eps, "0 or more");
  if (status == FINDLR_OK)
    status = check_count(err, o, "patience", o->patience, 0, MOST_STEPS);
  if (status == FINDLR_OK)
    status = check_count(err, o, "cooldown", o->cooldown, 0, MOST_STEPS);
  return status;
}

static int32_t check_ramp(findlr_error *err, const findlr_schedule_options *o) {
  double ignored;
  int32_t status = check_length(err, o, NULL);
  if (status == FINDLR_OK && !(o->min_lr >= 0))
    status = refuse(err, o, "start", o->min_lr, "0 or more");
  if (status == FINDLR_OK)
    status = findlr_ramp_rate(o->mode, o->min_lr, o->lr, 0, o->steps, &ignored, err);
  return status;
}

static int32_t check_kind(findlr_error *err, findlr_schedule_options *o) {
  int32_t status = FINDLR_OK;
  switch (o->kind) {
  case FINDLR_SCHEDULE_STEP:
    status = check_count(err, o, "every", o->every, 0, MOST_STEPS);
    if (status == FINDLR_OK && o->every == 0) {
      status = check_length(err, o, "every");
      if (status == FINDLR_OK)
        o->every = share(o->steps, 3);
    }
    return status == FINDLR_OK ? check_factor(err, o) : status;
  case FINDLR_SCHEDULE_MULTI_STEP:
    status = check_milestones(err, o);
    return status == FINDLR_OK ? check_factor(err, o) : status;
  case FINDLR_SCHEDULE_EXPONENTIAL:
    status = check_count(err, o, "every", o->every, 1, MOST_STEPS);
    return status == FINDLR_OK ? check_factor(err, o) : status;
  case FINDLR_SCHEDULE_POLYNOMIAL:
    if (!(o->power > 0 && isfinite(o->power)))
      return refuse(err, o, "power", o->power, "more than 0");
    return check_length(err, o, NULL);
  case FINDLR_SCHEDULE_LINEAR:
    status = check_real(err, o, "start", o->start_factor, 0, 1);
    if (status == FINDLR_OK)
      status = check_real(err, o, "end", o->end_factor, 0, 1);
    return status == FINDLR_OK ? check_length(err, o, NULL) : status;
  case FINDLR_SCHEDULE_COSINE:
    return check_length(err, o, NULL);
  case FINDLR_SCHEDULE_COSINE_RESTARTS:
    return check_restarts(err, o);
  case FINDLR_SCHEDULE_INVERSE_SQRT:
    if (!(o->timescale >= 0 && isfinite(o->timescale)))
      return refuse(err, o, "timescale", o->timescale, "0 or more");
    if (o->timescale == 0)
      o->timescale = o->warmup ? (double)o->warmup : 10000;
    return FINDLR_OK;
  case FINDLR_SCHEDULE_FLAT_ANNEAL:
    status = check_real(err, o, "flat", o->part, 0, 1);
    if (status == FINDLR_OK)
      status =
          check_choice(err, o, "anneal", o->anneal, FINDLR_ANNEAL_COSINE, FINDLR_ANNEAL_LINEAR);
    return status == FINDLR_OK ? check_length(err, o, NULL) : status;
  case FINDLR_SCHEDULE_TRIANGULAR:
  case FINDLR_SCHEDULE_TRIANGULAR2:
  case FINDLR_SCHEDULE_EXP_RANGE:
    return check_cycle(err, o);
  case FINDLR_SCHEDULE_ONE_CYCLE:
  case FINDLR_SCHEDULE_ONE_CYCLE_FASTAI:
    return check_one_cycle(err, o);
  case FINDLR_SCHEDULE_REDUCE_ON_PLATEAU:
    return check_plateau(err, o);
  case FINDLR_SCHEDULE_RAMP:
    return check_ramp(err, o);
  default:
    return FINDLR_OK;
  }
}

static int32_t check_warmup(findlr_error *err, const findlr_schedule_options *o) {
  int32_t status = check_count(err, o, "warmup", o->warmup, 0, MOST_STEPS);
  if (status != FINDLR_OK || o->warmup == 0)
    return status;
  status = check_choice(err, o, "warmup_mode", o->warmup_mode, FINDLR_WARMUP_LINEAR,
                        FINDLR_WARMUP_CONSTANT);
  if (status == FINDLR_OK)
    status = check_real(err, o, "warmup_start", o->warmup_start, 0, 1);
  if (status == FINDLR_OK && o->warmup_mode == FINDLR_WARMUP_EXPONENTIAL && o->warmup_start == 0)
    status = refuse(err, o, "warmup_start", 0, "more than 0 for an exponential warm-up");
  return status;
}

int32_t findlr__schedule_check(findlr_schedule_options *o, findlr_error *err) {
  if (o->kind < FINDLR_SCHEDULE_CONSTANT || o->kind >= FINDLR_SCHEDULE_AFTER_LAST)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "schedule kind is %u, wanted one of FINDLR_SCHEDULE_...", o->kind);
  bool peak = is_cyclical(o->kind) || is_one_cycle(o->kind), ramp = o->kind == FINDLR_SCHEDULE_RAMP;
  if (!(o->lr > 0 && isfinite(o->lr)))
    return refuse(err, o, peak ? "max" : ramp ? "end" : "lr", o->lr, "a rate above 0");
  int32_t status = FINDLR_OK;
  if (is_cyclical(o->kind) && o->min_lr == 0)
    o->min_lr = o->lr / 4;
  if (!ramp)
    status = check_real(err, o, "min", o->min_lr, 0, o->lr);
  if (status == FINDLR_OK)
    status = check_warmup(err, o);
  if (status == FINDLR_OK)
    status = check_kind(err, o);
  if (status == FINDLR_OK && peak)
    status = check_momentum(err, o);
  return status;
}

/* --- formulas --------------------------------------------------------------------------------- */

/* From start to end while t goes from 0 to 1. */
static double anneal(uint32_t how, double start, double end, double t) {
  if (how == FINDLR_ANNEAL_LINEAR)
    return (end - start) * t + start;
  return end + (start - end) / 2 * (cos(PI * t) + 1);
}

/* Where i lies in a cycle of `every` steps, or in one of those after, each mult times as long. */
static double place_in_cycle(int64_t every, int64_t mult, int64_t i) {
  if (mult == 1)
    return (double)(i % every) / (double)every;
  while (i >= every) {
    i -= every;
    every = every > INT64_MAX / mult ? INT64_MAX : every * mult;
  }
  return (double)i / (double)every;
}

static uint32_t milestones_until(const findlr_schedule_options *o, int64_t i) {
  uint32_t low = 0, high = o->milestone_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (o->milestones[middle] <= i)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* How high a cyclical schedule stands: 0 to 1. */
static double cycle_height(const findlr_schedule_options *o, int64_t i) {
  int64_t length = o->up + o->down, cycle = i / length, at = i % length;
  double height =
      at <= o->up ? (double)at / (double)o->up : (double)(length - at) / (double)o->down;
  if (o->kind == FINDLR_SCHEDULE_TRIANGULAR2)
    return ldexp(height, cycle < 2000 ? -(int)cycle : -2000);
  if (o->kind == FINDLR_SCHEDULE_EXP_RANGE)
    return height * pow(o->gamma, (double)i);
  return height;
}

/* One phase after another: rates and momenta at their ends, and where those lie. */
typedef struct phases {
  uint32_t count;
  double end[4], lr[4], momentum[4]; /* [0] is the beginning */
} phases;

static void walk_phases(const phases *p, uint32_t how, double at, double *ret_lr,
                        double *ret_momentum) {
  uint32_t k = 1;
  while (k < p->count && at > p->end[k])
    k++;
  double length = p->end[k] - p->end[k - 1];
  double t = length > 0 ? fmin((at - p->end[k - 1]) / length, 1) : 1;
  *ret_lr = anneal(how, p->lr[k - 1], p->lr[k], t);
  *ret_momentum = anneal(how, p->momentum[k - 1], p->momentum[k], t);
}

static void one_cycle(const findlr_schedule_options *o, int64_t i, double *ret_lr,
                      double *ret_momentum) {
  double steps = (double)o->steps, first = o->lr / o->div, last = first / o->final_div;
  double low = o->low_momentum, high = o->high_momentum;
  phases two = {
    2, { 0, o->part * steps - 1, steps - 1 }, { first, o->lr, last }, { high, low, high }
  };
  phases three = { 3,
                   { 0, o->part * steps - 1, 2 * o->part * steps - 2, steps - 1 },
                   { first, o->lr, first, last },
                   { high, low, high, high } };
  walk_phases(o->three_phase ? &three : &two, o->anneal, (double)i, ret_lr, ret_momentum);
}

static void one_cycle_fastai(const findlr_schedule_options *o, int64_t i, double *ret_lr,
                             double *ret_momentum) {
  double low = o->low_momentum, high = o->high_momentum;
  phases two = {
    2, { 0, o->part, 1 }, { o->lr / o->div, o->lr, o->lr / o->final_div }, { high, low, high }
  };
  walk_phases(&two, FINDLR_ANNEAL_COSINE, (double)i / (double)o->steps, ret_lr, ret_momentum);
}

static double flat_anneal(const findlr_schedule_options *o, double place) {
  if (place < o->part)
    return o->lr;
  double t = o->part < 1 ? (place - o->part) / (1 - o->part) : 1;
  return anneal(o->anneal, o->lr, o->min_lr, t);
}

void findlr__schedule_shape(const findlr_schedule *s, int64_t i, double *ret_lr,
                            double *ret_momentum) {
  const findlr_schedule_options *o = &s->o;
  double lr = o->lr, momentum = NAN;
  double place = o->steps > i ? (double)i / (double)o->steps : 1; /* of kinds that have steps */
  switch (o->kind) {
  case FINDLR_SCHEDULE_STEP:
    lr *= pow(o->gamma, (double)(i / o->every));
    break;
  case FINDLR_SCHEDULE_MULTI_STEP:
    lr *= pow(o->gamma, milestones_until(o, i));
    break;
  case FINDLR_SCHEDULE_EXPONENTIAL:
    lr *= pow(o->gamma, (double)i / (double)o->every);
    break;
  case FINDLR_SCHEDULE_POLYNOMIAL:
    lr = o->min_lr + (lr - o->min_lr) * pow(1 - place, o->power);
    break;
  case FINDLR_SCHEDULE_LINEAR:
    lr *= o->start_factor + (o->end_factor - o->start_factor) * place;
    break;
  case FINDLR_SCHEDULE_COSINE_RESTARTS:
    place = place_in_cycle(o->every, o->mult, i);
    /* fall through */
  case FINDLR_SCHEDULE_COSINE:
    lr = o->min_lr + (lr - o->min_lr) * ((1 + cos(PI * place)) / 2);
    break;
  case FINDLR_SCHEDULE_INVERSE_SQRT:
    lr /= sqrt(1 + (double)i / o->timescale);
    break;
  case FINDLR_SCHEDULE_FLAT_ANNEAL:
    lr = flat_anneal(o, place);
    break;
  case FINDLR_SCHEDULE_TRIANGULAR:
  case FINDLR_SCHEDULE_TRIANGULAR2:
  case FINDLR_SCHEDULE_EXP_RANGE: {
    double height = cycle_height(o, i);
    lr = o->min_lr + (lr - o->min_lr) * height;
    momentum = o->high_momentum - (o->high_momentum - o->low_momentum) * height;
    break;
  }
  case FINDLR_SCHEDULE_ONE_CYCLE:
    one_cycle(o, i < o->steps ? i : o->steps - 1, &lr, &momentum);
    break;
  case FINDLR_SCHEDULE_ONE_CYCLE_FASTAI:
    one_cycle_fastai(o, i < o->steps ? i : o->steps, &lr, &momentum);
    break;
  case FINDLR_SCHEDULE_REDUCE_ON_PLATEAU:
    lr = s->lr;
    break;
  case FINDLR_SCHEDULE_RAMP:
    findlr_ramp_rate(o->mode, o->min_lr, o->lr, i < o->steps ? i : o->steps - 1, o->steps, &lr,
                     NULL);
    break;
  default:
    break;
  }
  *ret_lr = lr;
  *ret_momentum = o->cycle_momentum ? momentum : NAN;
}
