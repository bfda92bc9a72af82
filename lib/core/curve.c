/* SPDX-License-Identifier: MIT */
#include "curve.h"

#include <math.h>
#include <string.h>

#include "internal.h"

enum { LEAST_CAPACITY = 16, MOST_GROUPS = 1024 };

/* One block of memory holds all columns: the rates of each group, loss, train_loss, flags. */
struct findlr_curve {
  const findlr_allocator *allocator;
  double *block;
  size_t count, capacity;
  int64_t requested;
  uint32_t groups;
};

static double *column(const findlr_curve *curve, size_t c) {
  return curve->block + c * curve->capacity;
}

static uint8_t *flag_column(const findlr_curve *curve) {
  return (uint8_t *)column(curve, (size_t)curve->groups + 2);
}

/* Bytes for capacity rows; 0 if too many. */
static size_t block_size(uint32_t groups, size_t capacity) {
  return findlr__size(capacity, ((size_t)groups + 2) * sizeof(double) + 1, 0);
}

/* Room for capacity rows, more than now. */
static int32_t grow(findlr_curve *curve, size_t capacity, findlr_error *err) {
  findlr_curve larger = *curve;
  larger.capacity = capacity;
  size_t size = block_size(curve->groups, capacity);
  larger.block = size ? findlr__allocate(curve->allocator, size) : NULL;
  if (!larger.block)
    return findlr__no_memory(err, "a curve");
  if (curve->count > 0) {
    for (size_t c = 0; c < (size_t)curve->groups + 2; c++)
      memcpy(column(&larger, c), column(curve, c), curve->count * sizeof(double));
    memcpy(flag_column(&larger), flag_column(curve), curve->count);
  }
  findlr__release(curve->allocator, curve->block, block_size(curve->groups, curve->capacity));
  *curve = larger;
  return FINDLR_OK;
}

int32_t findlr_curve_create(const findlr_allocator *allocator, uint32_t groups, size_t capacity,
                            findlr_curve **ret_curve, findlr_error *err) {
  if (!ret_curve)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ret_curve is NULL");
  if (groups < 1 || groups > MOST_GROUPS)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "a curve of %u groups, wanted 1 to %d", groups,
                        MOST_GROUPS);
  allocator = findlr__allocator(allocator);
  findlr_curve *curve = findlr__allocate(allocator, sizeof *curve);
  if (!curve)
    return findlr__no_memory(err, "a curve");
  curve->allocator = allocator;
  curve->groups = groups;
  if (capacity > 0) {
    int32_t status = grow(curve, capacity, err);
    if (status != FINDLR_OK) {
      findlr_curve_destroy(curve);
      return status;
    }
  }
  *ret_curve = curve;
  return FINDLR_OK;
}

void findlr_curve_destroy(findlr_curve *curve) {
  if (!curve)
    return;
  findlr__release(curve->allocator, curve->block, block_size(curve->groups, curve->capacity));
  findlr__release(curve->allocator, curve, sizeof *curve);
}

int32_t findlr_curve_append(findlr_curve *curve, const double *rates, double loss,
                            double train_loss, uint32_t flags, findlr_error *err) {
  if (!curve || !rates)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL", curve ? "rates" : "curve");
  if (flags & ~(uint32_t)FINDLR_POINT_SKIPPED)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "flags are %u, wanted FINDLR_POINT_SKIPPED or 0",
                        flags);
  for (uint32_t g = 0; g < curve->groups; g++)
    if (!isfinite(rates[g]))
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "the rate of group %u is %g, wanted a finite number", g, rates[g]);
  if (curve->count == curve->capacity) {
    size_t capacity = LEAST_CAPACITY;
    if (curve->capacity >= LEAST_CAPACITY)
      capacity = curve->capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * curve->capacity;
    int32_t status = grow(curve, capacity, err);
    if (status != FINDLR_OK)
      return status;
  }
  size_t row = curve->count++;
  for (uint32_t g = 0; g < curve->groups; g++)
    column(curve, g)[row] = rates[g];
  if (flags & FINDLR_POINT_SKIPPED)
    loss = train_loss = NAN;
  else if (!isfinite(loss))
    flags = FINDLR_POINT_NOT_FINITE;
  column(curve, curve->groups)[row] = loss;
  column(curve, (size_t)curve->groups + 1)[row] = train_loss;
  flag_column(curve)[row] = (uint8_t)flags;
  return FINDLR_OK;
}

void findlr_curve_clear(findlr_curve *curve) {
  if (curve)
    curve->count = 0;
}

size_t findlr_curve_count(const findlr_curve *curve) {
  return curve ? curve->count : 0;
}

uint32_t findlr_curve_groups(const findlr_curve *curve) {
  return curve ? curve->groups : 0;
}

/* A column that is never NULL for a curve without rows, so that NULL means only "not there". */
static const double *data(const findlr_curve *curve, size_t c) {
  static const double none[1] = { 0 };
  return curve->block ? column(curve, c) : none;
}

const double *findlr_curve_lr(const findlr_curve *curve, uint32_t group) {
  return curve && group < curve->groups ? data(curve, group) : NULL;
}

const double *findlr_curve_loss(const findlr_curve *curve) {
  return curve ? data(curve, curve->groups) : NULL;
}

const double *findlr_curve_train_loss(const findlr_curve *curve) {
  return curve ? data(curve, (size_t)curve->groups + 1) : NULL;
}

const uint8_t *findlr_curve_flags(const findlr_curve *curve) {
  static const uint8_t none[1] = { 0 };
  if (!curve)
    return NULL;
  return curve->block ? flag_column(curve) : none;
}

int64_t findlr_curve_requested(const findlr_curve *curve) {
  return curve ? curve->requested : 0;
}

void findlr_curve_set_requested(findlr_curve *curve, int64_t steps) {
  if (curve)
    curve->requested = steps > 0 ? steps : 0;
}

const findlr_allocator *findlr__curve_allocator(const findlr_curve *curve) {
  return curve->allocator;
}

int32_t findlr_curve_smooth(const findlr_curve *curve, const findlr_smoothing *smoothing,
                            double *out, size_t n, findlr_error *err) {
  if (!curve)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "curve is NULL");
  if (n != curve->count)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "out has %zu entries, wanted %zu, one a row", n,
                        curve->count);
  const double *loss = findlr_curve_loss(curve);
  const uint8_t *flags = findlr_curve_flags(curve);
  size_t counted = 0;
  for (size_t i = 0; i < n; i++)
    counted += !(flags[i] & FINDLR_POINT_SKIPPED);
  if (counted == n)
    return findlr_smooth(smoothing, loss, n, out, err);
  if (!out)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "out is NULL, wanted %zu numbers", n);

  /* A skipped row took no place in the ramp, so it takes none in the smoothing. */
  size_t size = 2 * n * sizeof(double);
  double *packed = findlr__allocate(curve->allocator, size);
  if (!packed)
    return findlr__no_memory(err, "smoothing a curve");
  double *smoothed = packed + n;
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    if (!(flags[i] & FINDLR_POINT_SKIPPED))
      packed[k++] = loss[i];
  int32_t status = findlr_smooth(smoothing, packed, counted, smoothed, err);
  k = 0;
  for (size_t i = 0; i < n && status == FINDLR_OK; i++)
    out[i] = flags[i] & FINDLR_POINT_SKIPPED ? NAN : smoothed[k++];
  findlr__release(curve->allocator, packed, size);
  return status;
}
