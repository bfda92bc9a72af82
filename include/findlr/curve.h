/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CURVE_H
#define FINDLR_CURVE_H

#include "smoothing.h"

FINDLR_BEGIN

/* What a range test recorded: a row a step with the rates used, the raw losses and flags. Nothing is
 * ever thrown away or smoothed in place. One thread at a time. */
typedef struct findlr_curve findlr_curve;

enum {
  FINDLR_POINT_SKIPPED = 1,   /* the step did not count; its losses are NaN */
  FINDLR_POINT_NOT_FINITE = 2 /* the loss is NaN or infinite */
};

/* Makes an empty curve for groups (1..1024) parameter groups, with room for capacity rows (it grows).
 * allocator NULL: malloc; it must outlive the curve. FINDLR_ERR_ARGUMENT, FINDLR_ERR_NO_MEMORY. */
FINDLR_API int32_t findlr_curve_create(const findlr_allocator *allocator, uint32_t groups,
                                       size_t capacity, findlr_curve **ret_curve,
                                       findlr_error *err);

/* NULL is allowed. */
FINDLR_API void findlr_curve_destroy(findlr_curve *curve);

/* Adds a row: rates has one entry a group, each finite. loss is the one that the test follows;
 * train_loss is the loss of the training batch (the same, unless a held-out loss is followed). flags:
 * FINDLR_POINT_SKIPPED or 0; NOT_FINITE is set by the curve. On failure the curve is unchanged. */
FINDLR_API int32_t findlr_curve_append(findlr_curve *curve, const double *rates, double loss,
                                       double train_loss, uint32_t flags, findlr_error *err);

/* Makes the curve empty. */
FINDLR_API void findlr_curve_clear(findlr_curve *curve);

FINDLR_API size_t findlr_curve_count(const findlr_curve *curve);
FINDLR_API uint32_t findlr_curve_groups(const findlr_curve *curve);

/* The columns, findlr_curve_count entries each, valid until the curve changes. lr is NULL for a group
 * that is not there. */
FINDLR_API const double *findlr_curve_lr(const findlr_curve *curve, uint32_t group);
FINDLR_API const double *findlr_curve_loss(const findlr_curve *curve);
FINDLR_API const double *findlr_curve_train_loss(const findlr_curve *curve);
FINDLR_API const uint8_t *findlr_curve_flags(const findlr_curve *curve);

/* The number of steps that the test was asked for (a test that stopped early has fewer rows); 0 if
 * unknown. Some rules of peers need it. */
FINDLR_API int64_t findlr_curve_requested(const findlr_curve *curve);
FINDLR_API void findlr_curve_set_requested(findlr_curve *curve, int64_t steps);

/* The loss smoothed, into out (n entries, n = findlr_curve_count); a skipped row is left out and
 * reads NaN. Allocates where there are skipped rows: FINDLR_ERR_NO_MEMORY. */
FINDLR_API int32_t findlr_curve_smooth(const findlr_curve *curve, const findlr_smoothing *smoothing,
                                       double *out, size_t n, findlr_error *err);

FINDLR_END

#endif
