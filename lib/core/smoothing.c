/* SPDX-License-Identifier: MIT */
#include "findlr/smoothing.h"

#include <math.h>
#include <string.h>

#include "internal.h"
#include "smoother.h"

void findlr_smoothing_init(findlr_smoothing *smoothing, size_t size) {
  if (!smoothing || size < sizeof(uint32_t))
    return;
  findlr_smoothing defaults = { 0, FINDLR_SMOOTHING_GAUSSIAN, 3 };
  defaults.struct_size = (uint32_t)size;
  memset(smoothing, 0, size);
  memcpy(smoothing, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

/* The caller's smoothing with the defaults where it has none, checked. */
static int32_t take(findlr_smoothing *ret, const findlr_smoothing *given, findlr_error *err) {
  findlr_smoothing_init(ret, sizeof *ret);
  int32_t status = findlr__take(ret, sizeof *ret, given,
                                FINDLR_SIZE_UP_TO(findlr_smoothing, parameter), "findlr_smoothing",
                                err);
  if (status != FINDLR_OK)
    return status;
  double p = ret->parameter;
  switch (ret->kind) {
  case FINDLR_SMOOTHING_NONE:
    return FINDLR_OK;
  case FINDLR_SMOOTHING_EMA:
    if (p >= 0 && p < 1)
      return FINDLR_OK;
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "smoothing beta is %g, wanted 0 <= beta < 1", p);
  case FINDLR_SMOOTHING_SEEDED_EMA:
    if (p > 0 && p <= 1)
      return FINDLR_OK;
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "smoothing weight is %g, wanted 0 < weight <= 1",
                        p);
  case FINDLR_SMOOTHING_GAUSSIAN:
    if (p > 0 && isfinite(p))
      return FINDLR_OK;
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "smoothing sigma is %g, wanted more than 0 steps",
                        p);
  default:
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "smoothing kind is %u, wanted one of FINDLR_SMOOTHING_...", ret->kind);
  }
}

int32_t findlr__smoother_init(findlr__smoother *s, const findlr_smoothing *smoothing,
                              findlr_error *err) {
  findlr_smoothing taken;
  int32_t status = take(&taken, smoothing, err);
  if (status != FINDLR_OK)
    return status;
  if (taken.kind == FINDLR_SMOOTHING_GAUSSIAN)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "a Gaussian smoothing looks ahead, wanted one that looks back only");
  *s = (findlr__smoother){ .kind = taken.kind, .parameter = taken.parameter };
  return FINDLR_OK;
}

double findlr__smoother_next(findlr__smoother *s, double x) {
  if (!isfinite(x))
    return NAN;
  s->count++;
  switch (s->kind) {
  case FINDLR_SMOOTHING_EMA:
    s->state = s->parameter * s->state + (1 - s->parameter) * x;
    return s->state / (1 - pow(s->parameter, s->count));
  case FINDLR_SMOOTHING_SEEDED_EMA:
    s->state = s->count == 1 ? x : s->parameter * x + (1 - s->parameter) * s->state;
    return s->state;
  default:
    return x;
  }
}

/* The kernel's values are shared by a block of outputs, so that neither memory nor an exp a product
 * is needed. They are scaled to sum to one, so that no sum of finite values overflows. */
enum { BLOCK = 64 };

static void gaussian(double sigma, const double *x, size_t n, double *out) {
  size_t radius = n - 1;
  if (4 * sigma < (double)radius)
    radius = (size_t)(4 * sigma);
  double total = 1;
  for (size_t d = 1; d <= radius; d++)
    total += 2 * exp(-0.5 * ((double)d / sigma) * ((double)d / sigma));
  for (size_t start = 0; start < n; start += BLOCK) {
    size_t count = n - start < BLOCK ? n - start : BLOCK;
    double sum[BLOCK] = { 0 }, weight[BLOCK] = { 0 };
    for (size_t d = 0; d <= radius; d++) {
      double w = exp(-0.5 * ((double)d / sigma) * ((double)d / sigma)) / total;
      for (size_t k = 0; k < count; k++) {
        size_t i = start + k;
        if (i >= d && isfinite(x[i - d])) {
          sum[k] += w * x[i - d];
          weight[k] += w;
        }
        if (d > 0 && d < n - i && isfinite(x[i + d])) {
          sum[k] += w * x[i + d];
          weight[k] += w;
        }
      }
    }
    for (size_t k = 0; k < count; k++)
      out[start + k] = isfinite(x[start + k]) ? sum[k] / weight[k] : NAN;
  }
}

int32_t findlr_smooth(const findlr_smoothing *smoothing, const double *values, size_t n,
                      double *out, findlr_error *err) {
  findlr_smoothing taken;
  int32_t status = take(&taken, smoothing, err);
  if (status != FINDLR_OK)
    return status;
  if (n == 0)
    return FINDLR_OK;
  if (!values || !out)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL, wanted %zu numbers",
                        values ? "out" : "values", n);
  if (taken.kind == FINDLR_SMOOTHING_GAUSSIAN) {
    if (values == out)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "out is values, wanted another place for a Gaussian smoothing");
    gaussian(taken.parameter, values, n, out);
    return FINDLR_OK;
  }
  findlr__smoother s = { .kind = taken.kind, .parameter = taken.parameter };
  for (size_t i = 0; i < n; i++)
    out[i] = findlr__smoother_next(&s, values[i]);
  return FINDLR_OK;
}
