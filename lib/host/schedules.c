/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "findlr/text.h"
#include "host/rules.h"

/* Schedules and early stopping as spec strings. */

#define AT(member) offsetof(findlr_schedule_options, member)
#define OPTION(kind, type, name, help, value, choices, least, most) \
  { sizeof(findlr_option), FINDLR_OPTION_##kind, name, help, value, choices, least, most }
#define REAL(name, member, help, value, least, most) \
  { OPTION(REAL, REAL, name, help, value, NULL, least, most), AT(member), FINDLR__TO_REAL }
#define INTEGER(name, member, help, value, least)                                             \
  {                                                                                           \
    OPTION(INTEGER, INTEGER, name, help, value, NULL, least, 9007199254740992.0), AT(member), \
        FINDLR__TO_INTEGER                                                                    \
  }
#define CHOICE(name, member, help, value, choices)                                       \
  {                                                                                      \
    OPTION(CHOICE, CHOICE, name, help, value, choices, -HUGE_VAL, HUGE_VAL), AT(member), \
        FINDLR__TO_WORD                                                                  \
  }
#define BOOLEAN(name, member, help, value)                                              \
  {                                                                                     \
    OPTION(BOOLEAN, BOOLEAN, name, help, value, NULL, -HUGE_VAL, HUGE_VAL), AT(member), \
        FINDLR__TO_WORD                                                                 \
  }

#define LR REAL("lr", lr, "rate it begins with; 0: the one found or given", "0", 0, HUGE_VAL)
#define MIN REAL("min", min_lr, "lowest rate", "0", 0, HUGE_VAL)
#define PEAK(help) REAL("max", lr, help, "0", 0, HUGE_VAL)
#define STEPS(help) INTEGER("steps", steps, help, "0", 0)
#define OWN_STEPS STEPS("steps it takes, without the warm-up; 0: the whole run")
#define ANNEAL CHOICE("anneal", anneal, "way down", "cosine", "cosine|linear")
#define MOMENTUM(low, high)                                                                \
  BOOLEAN("cycle_momentum", cycle_momentum, "move the momentum against the rate", "true"), \
      REAL("low_momentum", low_momentum, "momentum at the highest rate", low, 0, 1),       \
      REAL("high_momentum", high_momentum, "momentum at the lowest rate", high, 0, 1)
#define WARMUP                                                                                    \
  INTEGER("warmup", warmup, "steps of warm-up in front", "0", 0),                                 \
      CHOICE("warmup_mode", warmup_mode, "way of the warm-up", "linear",                          \
             "linear|exponential|constant"),                                                      \
      REAL("warmup_start", warmup_start, "where the warm-up begins, as a part of the first rate", \
           "0.01", 0, 1)
#define CYCLE                                                                                 \
  PEAK("highest rate; 0: the high end found, or the rate"),                                   \
      REAL("min", min_lr, "lowest rate; 0: the low end found, or max / 4", "0", 0, HUGE_VAL), \
      INTEGER("up", up, "steps from min to max; 0: a tenth of the steps", "0", 0),            \
      INTEGER("down", down, "steps back; 0: as up", "0", 0)
#define ONE_CYCLE(pct)                                                            \
  PEAK("highest rate; 0: the high end found, or the rate"), OWN_STEPS,            \
      REAL("part", part, "part of the steps in which the rate rises", pct, 0, 1), \
      REAL("div", div, "the first rate is max / div", "25", 1, HUGE_VAL)

static const findlr__rule_option constant_options[] = { LR, OWN_STEPS, WARMUP };
static const findlr__rule_option step_options[] = {
  INTEGER("every", every, "steps between two drops; 0: a third of the steps", "0", 0),
  REAL("gamma", gamma, "times which the rate is taken at each", "0.1", 0, 1),
  LR,
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option multi_step_options[] = {
  { OPTION(SIZES, SIZES, "at", "steps at which the rate drops, as 300x600x800", NULL, NULL, 0,
           9007199254740992.0),
    0, FINDLR__TO_NOTHING },
  REAL("gamma", gamma, "times which the rate is taken at each", "0.1", 0, 1),
  LR,
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option exponential_options[] = {
  REAL("gamma", gamma, "times which the rate is taken", "0.99", 0, 1),
  INTEGER("every", every, "steps in which that happens, smoothly", "1", 1),
  LR,
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option polynomial_options[] = {
  REAL("power", power, "of the part that is left; 1 is a line", "1", 0, HUGE_VAL),
  MIN,
  LR,
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option linear_options[] = {
  REAL("start", start_factor, "times lr at the start", "1", 0, 1),
  REAL("end", end_factor, "times lr at the end", "0", 0, 1),
  LR,
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option cosine_options[] = { MIN, LR, OWN_STEPS, WARMUP };
static const findlr__rule_option cosine_restarts_options[] = {
  INTEGER("first", every, "steps of the first cycle; 0: such that three fill the run", "0", 0),
  INTEGER("mult", mult, "times which each cycle is longer than the last", "1", 1),
  MIN,
  LR,
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option inverse_sqrt_options[] = {
  REAL("timescale", timescale, "lr / sqrt(1 + step / timescale); 0: the warm-up's steps, or 10000",
       "0", 0, HUGE_VAL),
  LR,
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option flat_anneal_options[] = {
  REAL("flat", part, "part of the steps with lr", "0.75", 0, 1), ANNEAL, MIN, LR, OWN_STEPS, WARMUP,
};
static const findlr__rule_option triangular_options[] = { CYCLE, MOMENTUM("0.8", "0.9"), OWN_STEPS,
                                                          WARMUP };
static const findlr__rule_option exp_range_options[] = {
  CYCLE,
  REAL("gamma", gamma, "times which the height is taken at each step", "0.99994", 0, 1),
  MOMENTUM("0.8", "0.9"),
  OWN_STEPS,
  WARMUP,
};
static const findlr__rule_option one_cycle_options[] = {
  ONE_CYCLE("0.3"),
  REAL("final_div", final_div, "the last rate is the first / final_div", "10000", 1, HUGE_VAL),
  CHOICE("anneal", anneal, "way up and down", "cosine", "cosine|linear"),
  BOOLEAN("three_phase", three_phase, "back to the first rate, then to the last", "false"),
  MOMENTUM("0.85", "0.95"),
  WARMUP,
};
static const findlr__rule_option one_cycle_fastai_options[] = {
  ONE_CYCLE("0.25"),
  REAL("final_div", final_div, "the last rate is max / final_div", "100000", 1, HUGE_VAL),
  MOMENTUM("0.85", "0.95"),
  WARMUP,
};
static const findlr__rule_option reduce_on_plateau_options[] = {
  CHOICE("mode", mode, "which metric is better", "min", "min|max"),
  REAL("factor", gamma, "times which the rate is taken on a plateau", "0.1", 0, 1),
  INTEGER("patience", patience, "metrics without improvement that are borne", "10", 0),
  REAL("threshold", threshold, "least improvement", "0.0001", 0, HUGE_VAL),
  CHOICE("threshold_mode", threshold_mode, "of the best, or as it is", "rel", "rel|abs"),
  INTEGER("cooldown", cooldown, "metrics that do not count after a drop", "0", 0),
  MIN,
  REAL("eps", eps, "no drop is smaller", "1e-8", 0, HUGE_VAL),
  LR,
  OWN_STEPS,
  WARMUP,
};
/* RAMP's modes begin at 1: see below. */
static const findlr__rule_option ramp_options[] = {
  REAL("start", min_lr, "first rate", "1e-7", 0, HUGE_VAL),
  REAL("end", lr, "last rate", "10", 0, HUGE_VAL),
  CHOICE("mode", mode, "way from one to the other", "exponential", "exponential|linear"),
  OWN_STEPS,
  WARMUP,
};

#define KIND(name, help)                                                               \
  {                                                                                    \
    sizeof(findlr_component), 0, #name, help, NULL, (void *)(uintptr_t)name##_options, \
        sizeof name##_options / sizeof name##_options[0], 0, findlr__rule_describe     \
  }
#define KIND_AS(name, other, help)                                                      \
  {                                                                                     \
    sizeof(findlr_component), 0, #name, help, NULL, (void *)(uintptr_t)other##_options, \
        sizeof other##_options / sizeof other##_options[0], 0, findlr__rule_describe    \
  }

/* Each at the place of its FINDLR_SCHEDULE_... - 1. */
static const findlr_component kinds[] = {
  KIND(constant, "the same rate all the time"),
  KIND(step, "drops by a factor every so many steps"),
  KIND(multi_step, "drops by a factor at given steps"),
  KIND(exponential, "shrinks by the same factor at every step"),
  KIND(polynomial, "down to min along a power of what is left"),
  KIND(linear, "along a line"),
  KIND(cosine, "down to min along half a cosine"),
  KIND(cosine_restarts, "half cosines, again and again, each longer than the last (SGDR)"),
  KIND(inverse_sqrt, "down with the square root of the steps"),
  KIND(flat_anneal, "flat, then down"),
  KIND(triangular, "up and down between min and max (cyclical rates)"),
  KIND_AS(triangular2, triangular, "the same, half as high in each cycle"),
  KIND(exp_range, "the same, lower at every step"),
  KIND(one_cycle, "up to max, then far down (as PyTorch)"),
  KIND(one_cycle_fastai, "up to max, then far down (as fastai)"),
  KIND(reduce_on_plateau, "drops when a metric gets no better"),
  KIND(ramp, "the range test's: from start to end"),
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

const findlr_component *findlr_schedule_component(uint32_t i) {
  return i < KIND_COUNT ? &kinds[i] : NULL;
}

static int is_peaked(uint32_t kind) {
  return kind >= FINDLR_SCHEDULE_TRIANGULAR && kind <= FINDLR_SCHEDULE_ONE_CYCLE_FASTAI;
}

/* What the spec string left open. */
static int32_t complete(findlr_schedule_options *o, const findlr_schedule_basis *basis,
                        findlr_error *err) {
  int peaked = is_peaked(o->kind), open = o->lr == 0;
  if (open)
    o->lr = peaked && basis->high != 0 ? basis->high : basis->lr;
  if (open && o->lr == 0)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "schedule %s: option %s must be given where no rate is known",
                        findlr_schedule_name(o->kind), peaked ? "max" : "lr");
  /* The low end goes with the high end that was found, not with one that the user chose. */
  if (open && peaked && o->kind <= FINDLR_SCHEDULE_EXP_RANGE && o->min_lr == 0 &&
      basis->low < o->lr)
    o->min_lr = basis->low;
  if (o->steps != 0)
    return FINDLR_OK;
  if (basis->steps > 0 && o->warmup >= basis->steps)
    return findlr__fail(
        err, FINDLR_ERR_ARGUMENT, "schedule %s: warmup is %lld of a run of %lld steps, wanted less",
        findlr_schedule_name(o->kind), (long long)o->warmup, (long long)basis->steps);
  o->steps = basis->steps > 0 ? basis->steps - o->warmup : basis->steps;
  return FINDLR_OK;
}

int32_t findlr_schedule_parse(findlr_context *context, const char *text,
                              const findlr_schedule_basis *basis, findlr_schedule **ret_schedule,
                              findlr_error *err) {
  findlr_schedule_basis known = { sizeof known, 0, 0, 0, 0, 0 };
  int32_t status =
      findlr__take(&known, sizeof known, basis, FINDLR_SIZE_UP_TO(findlr_schedule_basis, steps),
                   "findlr_schedule_basis", err);
  if (status < 0)
    return status;
  /* A suggestion without a number is NaN; so is a rate that was never found. */
  known.lr = isnan(known.lr) ? 0 : known.lr;
  known.low = isnan(known.low) ? 0 : known.low;
  known.high = isnan(known.high) ? 0 : known.high;
  const findlr__rules table = { kinds, KIND_COUNT };
  findlr_spec *spec;
  uint32_t index;
  status = findlr__rule_parse(context, "schedule", &table, text, &index, &spec, err);
  if (status < 0)
    return status;
  findlr_schedule_options options;
  findlr_schedule_options_init(&options, sizeof options, index + 1);
  findlr__rule_apply(spec, &options);
  if (options.kind == FINDLR_SCHEDULE_RAMP)
    options.mode += FINDLR_RAMP_EXPONENTIAL;
  if (options.kind == FINDLR_SCHEDULE_MULTI_STEP) {
    const findlr_value *at = findlr_spec_values(spec, NULL)[0];
    options.milestones = at->sizes;
    options.milestone_count = at->count;
  }
  status = complete(&options, &known, err);
  if (status == FINDLR_OK)
    status = findlr_schedule_create(findlr_context_allocator(context), &options, ret_schedule, err);
  findlr_spec_destroy(spec);
  return status;
}

/* --- early stopping --------------------------------------------------------------------------- */

#undef AT
#define AT(member) offsetof(findlr_early_stopping_options, member)

static const findlr__rule_option early_stopping_options[] = {
  INTEGER("patience", patience, "metrics in a row without improvement that stop", "0", 0),
  REAL("min_delta", min_delta, "what an improvement must be more than", "0", 0, HUGE_VAL),
  /* There is no text for "none" among the numbers: empty. */
  { OPTION(TEXT, TEXT, "baseline", "a metric to beat before patience begins anew", "", NULL, 0, 0),
    0, FINDLR__TO_NOTHING },
  INTEGER("start_from", start_from, "first step that counts", "0", 0),
  CHOICE("nan", nan, "what NaN does: no improvement, or the end", "ignore", "ignore|stop"),
  BOOLEAN("restore_best", restore_best, "go back to the best state at the end", "false"),
};

/* Each at the place of its FINDLR_METRIC_... */
static const findlr_component modes[] = {
  KIND_AS(min, early_stopping, "the smaller the metric the better"),
  KIND_AS(max, early_stopping, "the larger the metric the better"),
};

int32_t findlr_early_stopping_parse(findlr_context *context, const char *text,
                                    findlr_early_stopping_options *ret_options, findlr_error *err) {
  enum { BASELINE = 2 };
  const findlr__rules table = { modes, sizeof modes / sizeof modes[0] };
  findlr_spec *spec;
  uint32_t mode;
  int32_t status = findlr__rule_parse(context, "early stopping", &table, text, &mode, &spec, err);
  if (status < 0)
    return status;
  findlr_early_stopping_options options;
  findlr_early_stopping_options_init(&options, sizeof options);
  findlr__rule_apply(spec, &options);
  options.mode = mode;
  const char *baseline = findlr_spec_values(spec, NULL)[BASELINE]->text;
  size_t n = strlen(baseline);
  if (n > 0 &&
      (findlr_text_parse(baseline, n, &options.baseline) != n || !isfinite(options.baseline)))
    status = findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "early stopping %s: option baseline is \"%.*s\", wanted a finite number",
                          modes[mode].name, findlr__shown(baseline), baseline);
  findlr_spec_destroy(spec);
  if (status < 0)
    return status;
  return findlr__give(ret_options, &options, sizeof options,
                      FINDLR_SIZE_UP_TO(findlr_early_stopping_options, restore_best),
                      "findlr_early_stopping_options", err);
}
