/* SPDX-License-Identifier: MIT */
#include "candidate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1024 };

const constants candidate_constants = { 0.6, -0.1, -0.8, 2, 8, { 0, 0.2, 0.05 } };

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(const double *x, size_t n) {
  double sorted[MOST];
  memcpy(sorted, x, n * sizeof *x);
  qsort(sorted, n, sizeof *sorted, compare);
  return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static void running_median(const double *x, size_t n, double *out) {
  for (size_t i = 0; i < n; i++) {
    double window[5];
    for (int k = -2; k <= 2; k++) {
      long at = (long)i + k;
      window[k + 2] = x[at < 0 ? 0 : at >= (long)n ? (long)n - 1 : at];
    }
    out[i] = median(window, 5);
  }
}

/* Zero-phase, three steps wide, cut at four of its deviations, renormalised at the ends. */
static void smooth(const double *y, size_t n, double cap, double *out) {
  for (long i = 0; i < (long)n; i++) {
    double sum = 0, weight = 0;
    for (long j = i < 12 ? 0 : i - 12; j < (long)n && j <= i + 12; j++) {
      double w = exp(-.5 * (double)((i - j) * (i - j)) / 9);
      sum += w * fmin(y[j], cap);
      weight += w;
    }
    out[i] = sum / weight;
  }
}

/* From differences, so that a fall does not count. */
static double noise(const double *x, size_t n, double level) {
  double kept[40], size[40];
  size_t count = 0;
  for (size_t i = 0; i < n && i < 40; i++)
    if (isfinite(x[i]))
      kept[count++] = x[i];
  for (size_t i = 0; i + 1 < count; i++)
    size[i] = fabs(kept[i + 1] - kept[i]);
  double sigma = count > 3 ? median(size, count - 1) / .6745 / sqrt(2) : 0;
  return fmax(fmax(sigma, 1e-4 * fabs(level)), 1e-12);
}

static double least(const double *x, size_t n, size_t *at) {
  *at = 0;
  for (size_t i = 1; i < n; i++)
    if (x[i] < x[*at])
      *at = i;
  return x[*at];
}

/* Where the loss leaves for good, jumps to what is not a number, or (sudden) jumps as never before.
 */
static size_t divergence(const double *x, size_t n, double level, double threshold, int sudden) {
  double record = 0;
  for (size_t k = 0; k < n; k++) {
    if (k > 0)
      record = fmax(record, x[k - 1] - level);
    if (!(x[k] > threshold))
      continue;
    if (!isfinite(x[k]))
      return k > 1 ? k : 1;
    size_t above = 0, wanted = n - k < 3 ? n - k : 3;
    for (size_t j = k; j < n && j < k + 5; j++)
      above += x[j] > threshold;
    if (above >= wanted)
      return k > 1 ? k : 1;
    if (sudden && k >= 25 && x[k] - level > 3 * record)
      return k;
  }
  return n;
}

static double last_crossing(const double *l, const double *x, size_t from, double level) {
  size_t i = from;
  while (i > 0 && x[i - 1] < level)
    i--;
  if (i == 0)
    return l[0];
  double part = x[i] != x[i - 1] ? (level - x[i - 1]) / (x[i] - x[i - 1]) : 1;
  return l[i - 1] + fmin(fmax(part, 0), 1) * (l[i] - l[i - 1]);
}

static features look(const double *l, const double *x, size_t n, double spread, int sudden) {
  double y[MOST] = { 0 }, s[MOST];
  size_t at;
  double level = median(x, n < 15 ? n : 15), sigma = noise(x, n, level);
  running_median(x, n, y);
  smooth(y, n, level + 3 * sigma, s);
  double fall = fmax(level - least(s, n, &at), 3 * sigma);
  size_t cut = divergence(x, n, level, level + fmax(fall, spread * sigma), sudden);
  if (cut < n)
    fall = fmax(level - least(s, cut > 2 ? cut - 1 : 1, &at), 3 * sigma);
  smooth(y, n, level + fall, s);
  double depth = level - least(s, cut > 2 ? cut : 2, &at);
  return (features){
    .c50 = last_crossing(l, s, at, level - .5 * depth),
    .c90 = last_crossing(l, s, at, level - .9 * depth),
    .least = l[at],
    .hard = cut < n ? l[cut] : NAN,
    .end = l[n - 1],
    /* What a running median and this Gaussian leave of the noise. */
    .z = fmax(depth, 0) / (sigma * 0.307 * 0.82),
    .depth = depth / fmax(fabs(level), 1e-12),
  };
}

features features_of(const double *l, const double *loss, size_t n) {
  double x[MOST] = { 0 }, u[MOST], most = -INFINITY, fewest = INFINITY;
  n = n < MOST ? n : MOST;
  for (size_t i = 0; i < n; i++) {
    x[i] = isfinite(loss[i]) && loss[i] < 1e20 ? loss[i] : INFINITY;
    fewest = fmin(fewest, x[i]);
    if (i < 40 && isfinite(x[i]))
      most = fmax(most, x[i]);
  }
  double level = median(x, n < 15 ? n : 15), sigma = noise(x, n, level);
  if (!((most - level) / sigma > 6))
    return look(l, x, n, 8, 1);
  for (size_t i = 0; i < n; i++)
    u[i] = !isfinite(x[i]) ? x[i] : fewest > 0 ? log(x[i]) : asinh((x[i] - level) / sigma);
  features f = look(l, u, n, 4, 0);
  f.heavy = 1;
  return f;
}

double candidate_rate(const features *f, const constants *c, int policy) {
  double clear = fmax(f->z - c->no_z, 0), w = clear / (clear + c->half_z);
  double hard = isnan(f->hard) ? f->end : f->hard;
  double fall = c->c50_share * f->c50 + (1 - c->c50_share) * f->c90 + c->fall_shift;
  return w * fall + (1 - w) * (hard + c->hard_shift) + c->policy[policy];
}

int candidate_is_good(const features *f) {
  return !f->heavy && f->z >= 8 && f->depth >= .1;
}
