/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_EARLY_STOPPING_H
#define FINDLR_EARLY_STOPPING_H

#include "allocator.h"
#include "error.h"
#include "metric.h"

FINDLR_BEGIN

/* When to end training because a metric gets no better, and which state to go back to. It never owns the
 * loop or the state:
 *
 *   findlr_early_stopping_tell(stopping, epoch, validation_loss, &said, &err);
 *   if (said & FINDLR_EARLY_STOPPING_BEST) save();
 *   if (said & FINDLR_EARLY_STOPPING_STOP) break;
 *   ...
 *   if (findlr_early_stopping_restores(stopping)) restore();
 *
 * Where names agree the meaning is that of Keras' callback EarlyStopping. Pure and deterministic; one
 * thread at a time. */
typedef struct findlr_early_stopping findlr_early_stopping;

enum {
  FINDLR_NAN_IS_NO_IMPROVEMENT = 0,
  FINDLR_NAN_STOPS = 1 /* NaN and infinity stop at once, whatever the step (Keras: TerminateOnNaN) */
};

typedef struct findlr_early_stopping_options {
  uint32_t struct_size;
  uint32_t mode;        /* FINDLR_METRIC_MIN */
  int64_t patience;     /* 0; metrics in a row without improvement that stop; 0 stops as 1 does */
  double min_delta;     /* 0; what an improvement must be more than; >= 0 */
  double baseline;      /* NaN: none. Patience only begins anew with an improvement that also beats
                           the baseline by min_delta */
  int64_t start_from;   /* 0; metrics of earlier steps do not count */
  uint32_t nan;         /* FINDLR_NAN_IS_NO_IMPROVEMENT */
  uint32_t restore_best; /* 0; 1: the caller wants the best state back at the end */
} findlr_early_stopping_options;

FINDLR_API void findlr_early_stopping_options_init(findlr_early_stopping_options *options,
                                                   size_t size);

/* allocator NULL: malloc; it must outlive the object. options NULL: the defaults. FINDLR_ERR_ARGUMENT,
 * FINDLR_ERR_NO_MEMORY. */
FINDLR_API int32_t findlr_early_stopping_create(const findlr_allocator *allocator,
                                                const findlr_early_stopping_options *options,
                                                findlr_early_stopping **ret_stopping,
                                                findlr_error *err);
FINDLR_API void findlr_early_stopping_destroy(findlr_early_stopping *stopping);

enum {
  FINDLR_EARLY_STOPPING_BEST = 1, /* a new best: keep this state. Also said of the first metric that
                                     counts, whatever it is, so that there is one to go back to */
  FINDLR_EARLY_STOPPING_STOP = 2  /* end training */
};

/* Tells the metric of a step (an epoch, a batch: whatever the caller counts, from 0, rising). Sets *ret_said
 * to 0 or the flags above. Step 0 does not stop. After a stop it goes on as if there had been none.
 * FINDLR_ERR_ARGUMENT, changing nothing, for a step below 0 or not above the last one told. */
FINDLR_API int32_t findlr_early_stopping_tell(findlr_early_stopping *stopping, int64_t step,
                                              double metric, uint32_t *ret_said, findlr_error *err);

/* The best metric, and the step of the state to go back to; NaN and -1 before there is one. (If the
 * first metric was NaN the step is already that one's.) */
FINDLR_API double findlr_early_stopping_best(const findlr_early_stopping *stopping);
FINDLR_API int64_t findlr_early_stopping_best_step(const findlr_early_stopping *stopping);

/* The step that said STOP (the last one that did), or -1. */
FINDLR_API int64_t findlr_early_stopping_stopped_step(const findlr_early_stopping *stopping);

/* 1 if the best is to be restored and there is one. */
FINDLR_API int findlr_early_stopping_restores(const findlr_early_stopping *stopping);

/* As findlr_schedule_save and findlr_schedule_load: the state as *ret_count <= 8 numbers, which may be
 * infinite. */
FINDLR_API int32_t findlr_early_stopping_save(const findlr_early_stopping *stopping, double *state,
                                              size_t room, size_t *ret_count, findlr_error *err);
FINDLR_API int32_t findlr_early_stopping_load(findlr_early_stopping *stopping, const double *state,
                                              size_t count, findlr_error *err);

FINDLR_END

#endif
