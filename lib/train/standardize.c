/* SPDX-License-Identifier: MIT */
#include "train/standardize.h"

#include <math.h>
#include <string.h>

int32_t findlr__standardize_make(findlr__standardize *s, const findlr_allocator *a,
                                 int64_t features, findlr_error *err) {
  memset(s, 0, sizeof *s);
  size_t bytes = findlr__size((size_t)features, 2 * sizeof(double), 0);
  s->mean = bytes ? findlr__allocate(a, bytes) : NULL;
  if (!s->mean)
    return findlr__no_memory(err, "the statistics of the inputs");
  s->features = features;
  s->scale = s->mean + features;
  return FINDLR_OK;
}

void findlr__standardize_free(findlr__standardize *s, const findlr_allocator *a) {
  findlr__release(a, s->mean, (size_t)s->features * 2 * sizeof(double));
  memset(s, 0, sizeof *s);
}

static double at(const findlr_tensor *t, int64_t i) {
  const void *data = findlr__tensor_data(t);
  return t->dtype_bits == 32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

void findlr__standardize_add(findlr__standardize *s, const findlr_tensor *inputs) {
  for (int64_t row = 0; row < inputs->shape[0]; row++) {
    s->count++;
    for (int64_t j = 0; j < s->features; j++) {
      double x = at(inputs, row * s->features + j), delta = x - s->mean[j];
      s->mean[j] += delta / s->count;
      s->scale[j] += delta * (x - s->mean[j]);
    }
  }
}

void findlr__standardize_finish(findlr__standardize *s) {
  for (int64_t j = 0; j < s->features; j++) {
    double deviation = sqrt(s->scale[j] / s->count);
    /* What rounding leaves of a constant is no deviation. */
    bool constant = !(deviation > 1e-12 * fabs(s->mean[j])) || deviation == 0;
    s->scale[j] = constant ? 1 : 1 / deviation;
  }
}

void findlr__standardize_apply(const findlr__standardize *s, const findlr_tensor *inputs) {
  void *data = findlr__tensor_data(inputs);
  int64_t i = 0;
  for (int64_t row = 0; row < inputs->shape[0]; row++)
    for (int64_t j = 0; j < s->features; j++, i++) {
      double x = (at(inputs, i) - s->mean[j]) * s->scale[j];
      if (inputs->dtype_bits == 32)
        ((float *)data)[i] = (float)x;
      else
        ((double *)data)[i] = x;
    }
}
