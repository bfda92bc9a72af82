/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_SCHEDULE_H
#define FINDLR_SCHEDULE_H

#include "allocator.h"
#include "error.h"
#include "metric.h"

FINDLR_BEGIN

/* A schedule maps the number of a step to a learning rate, and to a momentum where it has an opinion.
 * It knows no model, optimizer or loop:
 *
 *   findlr_schedule_options options;
 *   findlr_schedule_options_init(&options, sizeof options, FINDLR_SCHEDULE_COSINE);
 *   options.lr = 0.1;
 *   options.steps = 1000;
 *   findlr_schedule_create(NULL, &options, &schedule, &err);
 *   for (int64_t step = 0; step < 1000; step++) {
 *     findlr_schedule_at(schedule, step, &lr, NULL, &err);
 *     my_training_step(lr);
 *   }
 *
 * findlr_schedule_parse (spec.h) makes one from text: "cosine:lr=0.1,steps=1000". A step may be a
 * batch or an epoch, whatever the caller counts; the first is 0. One thread at a time may use a
 * schedule; different ones any. Only create allocates. The same options give the same bits. */

/* --- the range test's ramp -------------------------------------------------------------------- */

enum {
  FINDLR_RAMP_EXPONENTIAL = 1, /* start * (end / start)^(i / (steps - 1)) */
  FINDLR_RAMP_LINEAR = 2       /* start + (end - start) * (i / (steps - 1)) */
};

/* The rate of step i (0 <= i < steps, steps >= 2) of a ramp from start to end; the first is exactly
 * start, the last exactly end. start != end; both finite, and greater than 0 in the exponential mode
 * (start < end is the range test's own demand). Writes *ret_rate. FINDLR_ERR_ARGUMENT otherwise. Pure.
 * [any thread] Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2015), section
 * 3.3 (linear); the exponential form as in fastai and pytorch-lr-finder, with both ends reached. */
FINDLR_API int32_t findlr_ramp_rate(uint32_t mode, double start, double end, int64_t i,
                                    int64_t steps, double *ret_rate, findlr_error *err);

/* --- the kinds -------------------------------------------------------------------------------- */

/* i is the step, counted from the end of the warm-up; other words are members of the options below.
 * A schedule that ends (it has steps) keeps its last rate and momentum from i = steps on.
 *
 * CONSTANT          lr
 * STEP              lr gamma^floor(i / every). As PyTorch's StepLR.
 * MULTI_STEP        lr gamma^(milestones that are <= i). As MultiStepLR.
 * EXPONENTIAL       lr gamma^(i / every). As ExponentialLR (every = 1), Keras' ExponentialDecay.
 * POLYNOMIAL        min_lr + (lr - min_lr) (1 - i/steps)^power. As PolynomialLR (min_lr = 0), Keras'
 *                   PolynomialDecay.
 * LINEAR            lr (start_factor + (end_factor - start_factor) i/steps). As LinearLR.
 * COSINE            min_lr + (lr - min_lr) (1 + cos(pi i/steps)) / 2. Loshchilov and Hutter, "SGDR:
 *                   Stochastic Gradient Descent with Warm Restarts" (2016), without restarts. As
 *                   CosineAnnealingLR, which rises again after T_max = steps.
 * COSINE_RESTARTS   the same over a cycle of `every` steps, then of every * mult, every * mult^2...
 *                   SGDR; as CosineAnnealingWarmRestarts (T_0, T_mult).
 * INVERSE_SQRT      lr / sqrt(1 + i/timescale). Vaswani et al., "Attention Is All You Need" (2017),
 *                   after the warm-up; as in fairseq and Transformers with timescale = warmup.
 * FLAT_ANNEAL       lr while i/steps < part, then down to min_lr along half a cosine or a line. As
 *                   fastai's fit_flat_cos (min_lr = lr/div_final).
 * TRIANGULAR        min_lr + (lr - min_lr) t: t rises from 0 to 1 in `up` steps and falls back in
 *                   `down`, again and again. Smith (2015), section 3.1. As PyTorch's CyclicLR and
 *                   bckenstler's CLR (up = down = step_size).
 * TRIANGULAR2       the same with t halved in each cycle: t / 2^(cycle - 1), cycle from 1
 * EXP_RANGE         the same with t gamma^i
 * ONE_CYCLE         up from lr/div to lr, then down to lr/div/final_div; with three_phase down to
 *                   lr/div in the time of the rise first. Smith and Topin, "Super-Convergence" (2017).
 *                   As OneCycleLR: the first phase ends at step part * steps - 1, the second of three
 *                   at 2 part * steps - 2, the last at steps - 1.
 * ONE_CYCLE_FASTAI  up from lr/div to lr while i/steps < part, then down to lr/final_div, both half a
 *                   cosine. As fastai's fit_one_cycle, whose position is of single precision.
 * REDUCE_ON_PLATEAU lr, times gamma whenever more than patience metrics in a row were no better than
 *                   the best; see findlr_schedule_tell. As ReduceLROnPlateau.
 * RAMP              findlr_ramp_rate from min_lr to lr
 *
 * Momentum goes the other way than the rate: at high_momentum where the rate is lowest, at
 * low_momentum where it is highest, along the same curve (cyclical kinds: as CyclicLR; one-cycle: as
 * OneCycleLR and fastai, high_momentum in the third phase). Beware: momentum m makes steps 1/(1 - m)
 * times as long, so a rate that was found without momentum is too large for such a schedule. */

/* X(name, value, the word in spec strings) */
#define FINDLR_SCHEDULE_LIST(X)                                                                    \
  X(FINDLR_SCHEDULE_CONSTANT, 1, "constant")                                                       \
  X(FINDLR_SCHEDULE_STEP, 2, "step")                                                               \
  X(FINDLR_SCHEDULE_MULTI_STEP, 3, "multi_step")                                                   \
  X(FINDLR_SCHEDULE_EXPONENTIAL, 4, "exponential")                                                 \
  X(FINDLR_SCHEDULE_POLYNOMIAL, 5, "polynomial")                                                   \
  X(FINDLR_SCHEDULE_LINEAR, 6, "linear")                                                           \
  X(FINDLR_SCHEDULE_COSINE, 7, "cosine")                                                           \
  X(FINDLR_SCHEDULE_COSINE_RESTARTS, 8, "cosine_restarts")                                         \
  X(FINDLR_SCHEDULE_INVERSE_SQRT, 9, "inverse_sqrt")                                               \
  X(FINDLR_SCHEDULE_FLAT_ANNEAL, 10, "flat_anneal")                                                \
  X(FINDLR_SCHEDULE_TRIANGULAR, 11, "triangular")                                                  \
  X(FINDLR_SCHEDULE_TRIANGULAR2, 12, "triangular2")                                                \
  X(FINDLR_SCHEDULE_EXP_RANGE, 13, "exp_range")                                                    \
  X(FINDLR_SCHEDULE_ONE_CYCLE, 14, "one_cycle")                                                    \
  X(FINDLR_SCHEDULE_ONE_CYCLE_FASTAI, 15, "one_cycle_fastai")                                      \
  X(FINDLR_SCHEDULE_REDUCE_ON_PLATEAU, 16, "reduce_on_plateau")                                    \
  X(FINDLR_SCHEDULE_RAMP, 17, "ramp")

enum {
#define FINDLR_SCHEDULE_CONSTANT_OF(name, value, word) name = value,
  FINDLR_SCHEDULE_LIST(FINDLR_SCHEDULE_CONSTANT_OF)
#undef FINDLR_SCHEDULE_CONSTANT_OF
  FINDLR_SCHEDULE_AFTER_LAST = 18
};

enum { FINDLR_ANNEAL_COSINE = 0, FINDLR_ANNEAL_LINEAR = 1 };

/* What stands before the schedule for `warmup` steps, with first = its own rate at i = 0. The step
 * after has exactly first. In PyTorch: SequentialLR with LinearLR or ConstantLR before. */
enum {
  FINDLR_WARMUP_LINEAR = 0,      /* first (warmup_start + (1 - warmup_start) step/warmup) */
  FINDLR_WARMUP_EXPONENTIAL = 1, /* first warmup_start^(1 - step/warmup) */
  FINDLR_WARMUP_CONSTANT = 2     /* first warmup_start */
};

enum { FINDLR_THRESHOLD_RELATIVE = 0, FINDLR_THRESHOLD_ABSOLUTE = 1 };

/* Members that a kind does not use are ignored. In parentheses what findlr_schedule_options_init
 * sets; lr, and steps where the kind needs them, have no default. */
typedef struct findlr_schedule_options {
  uint32_t struct_size;
  uint32_t kind; /* FINDLR_SCHEDULE_... */
  double lr;     /* (0) the rate it begins with or keeps, or the peak; > 0 */
  double min_lr; /* (0) the lowest rate, 0 <= min_lr <= lr; cyclical kinds: 0 is lr/4; RAMP (1e-7): where it
                    begins, != lr */
  int64_t steps; /* (0) of the run without warm-up, >= 1 (RAMP: 2). POLYNOMIAL, LINEAR, COSINE, FLAT_ANNEAL,
                    ONE_CYCLE, ONE_CYCLE_FASTAI, RAMP need it; so do those that 0 below refers to it */
  double gamma;  /* (0.1; EXPONENTIAL 0.99, EXP_RANGE 0.99994) a factor, 0 < gamma <= 1; < 1 for
                    REDUCE_ON_PLATEAU */
  int64_t every; /* STEP (0: ceil(steps/3)), EXPONENTIAL (1), COSINE_RESTARTS (0: the least with which three
                    cycles last for steps); >= 0 */
  const int64_t *milestones; /* MULTI_STEP: rising steps >= 0. Copied. */
  uint32_t milestone_count;  /* (0) at most 4,096 */
  uint32_t anneal;           /* FLAT_ANNEAL, ONE_CYCLE: (FINDLR_ANNEAL_COSINE) */
  double power;              /* POLYNOMIAL: (1) > 0 */
  double start_factor;       /* LINEAR: (1) 0..1 */
  double end_factor;         /* LINEAR: (0) 0..1 */
  int64_t mult;              /* COSINE_RESTARTS: (1) 1..1,000,000 */
  double timescale;          /* INVERSE_SQRT: (0: warmup, or 10,000 without one) >= 0 */
  double part;               /* of the steps: FLAT_ANNEAL (0.75), ONE_CYCLE (0.3; with three_phase at most
                                0.5), ONE_CYCLE_FASTAI (0.25); 0..1 */
  int64_t up, down;          /* cyclical kinds: (up 0: ceil(steps/10), five cycles; down 0: as up) >= 0 */
  double div;                /* one-cycle: (25) >= 1 */
  double final_div;          /* ONE_CYCLE (1e4), ONE_CYCLE_FASTAI (1e5): >= 1 */
  uint32_t three_phase;      /* ONE_CYCLE: (0) */
  uint32_t cycle_momentum;   /* cyclical kinds and one-cycle: (1); 0 leaves momentum alone */
  double low_momentum;       /* (0.8; one-cycle 0.85) 0 <= low <= high < 1 */
  double high_momentum;      /* (0.9; one-cycle 0.95) */
  uint32_t mode;             /* REDUCE_ON_PLATEAU: (FINDLR_METRIC_MIN); RAMP: (FINDLR_RAMP_EXPONENTIAL) */
  uint32_t threshold_mode;   /* (FINDLR_THRESHOLD_RELATIVE) best (1 -+ threshold); ABSOLUTE: best -+ it */
  double threshold;          /* (1e-4) >= 0 */
  int64_t patience;          /* (10) 0..2^53 */
  int64_t cooldown;          /* (0) 0..2^53; metrics that do not count after the rate was lowered */
  double eps;                /* (1e-8) the rate is not lowered by less than that; >= 0 */
  int64_t warmup;            /* (0) >= 0, in front of any kind */
  uint32_t warmup_mode;      /* (FINDLR_WARMUP_LINEAR) */
  uint32_t reserved;         /* 0 */
  double warmup_start;       /* (0.01) 0..1; > 0 if exponential */
} findlr_schedule_options;

/* Sets struct_size to size and the defaults of a kind. [any thread] */
FINDLR_API void findlr_schedule_options_init(findlr_schedule_options *options, size_t size,
                                             uint32_t kind);

typedef struct findlr_schedule findlr_schedule;

/* allocator NULL: malloc; it must outlive the schedule. FINDLR_ERR_ARGUMENT for a value out of range (the
 * sentence names it by its word in spec strings), FINDLR_ERR_NO_MEMORY. */
FINDLR_API int32_t findlr_schedule_create(const findlr_allocator *allocator,
                                          const findlr_schedule_options *options,
                                          findlr_schedule **ret_schedule, findlr_error *err);
FINDLR_API void findlr_schedule_destroy(findlr_schedule *schedule);

/* The rate of a step >= 0, finite and >= 0, and the momentum: NaN where the schedule leaves that alone.
 * ret_momentum may be NULL. In any order, as often as wanted. FINDLR_ERR_ARGUMENT for a step below 0. */
FINDLR_API int32_t findlr_schedule_at(const findlr_schedule *schedule, int64_t step, double *ret_lr,
                                      double *ret_momentum, findlr_error *err);

/* 1 if the schedule listens to a metric (REDUCE_ON_PLATEAU), else 0. */
FINDLR_API int findlr_schedule_listens(const findlr_schedule *schedule);

/* Tells a metric, at whatever intervals; patience counts these calls. It is better if below
 * best (1 - threshold), or best - threshold (MAX: above best (1 + threshold), or best + threshold). NaN is
 * never better. Of a schedule that does not listen it changes nothing. */
FINDLR_API int32_t findlr_schedule_tell(findlr_schedule *schedule, double metric, findlr_error *err);

/* Writes what tell has changed as *ret_count <= 8 numbers (0 for a schedule that does not listen; the best
 * metric may be infinite). room is that of state; state NULL and room 0: only the count.
 * FINDLR_ERR_LIMIT if room does not suffice. */
FINDLR_API int32_t findlr_schedule_save(const findlr_schedule *schedule, double *state, size_t room,
                                        size_t *ret_count, findlr_error *err);

/* Takes what save wrote, of a schedule with the same options: from now on both answer the same.
 * FINDLR_ERR_FORMAT, changing nothing, for numbers that it cannot have written. */
FINDLR_API int32_t findlr_schedule_load(findlr_schedule *schedule, const double *state, size_t count,
                                        findlr_error *err);

/* The word of a kind in spec strings; "unknown" for others. Static. [any thread] */
FINDLR_API const char *findlr_schedule_name(uint32_t kind);

FINDLR_END

#endif
