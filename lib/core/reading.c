/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include <math.h>
#include <string.h>

#include "findlr/smoothing.h"

/* docs/suggestion.md has the reasons for these numbers, and what was measured. */
enum {
  COARSE = 6,       /* rows are pooled as long as the smoothing's sigma is so many pools or more */
  FIRST_LEVEL = 5,  /* the level before the fall: median over so many sigmas of the smoothing */
  FIRST_NOISE = 13, /* the noise: over so many */
  SPREAD = 8,       /* a loss so many noise sigmas above its level has left it */
  HEAVY = 6         /* two of the first losses so many above their neighbours: heavy tails */
};

static const double ROWS_A_DECADE = 99 / 8.;  /* of the sweeps that the constants were fitted to */
static const double SIGMA_DECADES = 3 / 12.4; /* width of the smoothing */
static const double FALL_SIGMAS = 5; /* a smaller fall, in sigmas of the smoothed noise, is none */
static const double GOOD_SIGMAS = 6.5; /* one that can be vouched for */
static const double HALF_SIGMAS =
    2.5; /* so far above FALL_SIGMAS it weighs as much as the divergence */
static const double FIRST_FALL = 0.1; /* `low` is where so much of the fall is reached */
static const double LAST_RISE = 0.25; /* and a rise of so much of it shows the upper edge */

/* The rate, from where half and 9 tenths of the fall are reached, and from where the loss diverges:
 * decades at ROWS_A_DECADE, and how they grow with the logarithm of the rows in a decade. */
static const double HALF_SHARE = 0.2;
static const double AFTER_FALL = -0.15, AFTER_FALL_SLOPE = 0.6;
static const double BEFORE_DIVERGENCE = -1, BEFORE_DIVERGENCE_SLOPE = 0.45;
static const double HEAVY_SHARE = 0.1;
static const double HEAVY_SHIFT = -0.75; /* lower where the noise has heavy tails */
static const double PLATEAU = 1.6; /* decades that must lie before a divergence without a fall */
/* The interval where there is no fall: decades from the rate. */
static const double GUESS_LOW = 0.7, GUESS_HIGH = 0.4;

static const double PI = 3.14159265358979323846;

/* The k-th smallest of n > k numbers, none NaN; reorders them (Wirth's version of Hoare's find). */
static double kth(double *x, size_t n, size_t k) {
  ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, wanted = (ptrdiff_t)k;
  while (low < high) {
    double pivot = x[wanted];
    ptrdiff_t i = low, j = high;
    do {
      while (x[i] < pivot)
        i++;
      while (pivot < x[j])
        j--;
      if (i <= j) {
        double t = x[i];
        x[i++] = x[j];
        x[j--] = t;
      }
    } while (i <= j);
    if (j < wanted)
      low = i;
    if (wanted < i)
      high = j;
  }
  return x[wanted];
}

static double median(double *x, size_t n) {
  double upper = kth(x, n, n / 2);
  if (n % 2)
    return upper;
  double lower = kth(x, n, n / 2 - 1);
  return lower == upper ? lower : lower / 2 + upper / 2;
}

static double middle_of(double a, double b, double c) {
  return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* x as a whole number from low to high. */
static size_t clamp(double x, size_t low, size_t high) {
  if (!(x > (double)low) || high <= low)
    return low;
  return x < (double)high ? (size_t)x : high;
}

/* Neighbouring rows made into one where they are denser than the smoothing needs: a constant amount
 * of work, whatever the number of rows. A loss that is not finite counts as infinitely bad. */
typedef struct pools {
  double *x;    /* log10 of the rate in the middle */
  double *raw;  /* median of the losses */
  double *work; /* n numbers to write in */
  double *smooth;
  size_t n, size; /* the last pool may be larger */
  double sigma;   /* of the smoothing, in pools */
  double density; /* log10 of the rows in a decade, by those of ROWS_A_DECADE */
} pools;

static size_t row_of(const pools *p, size_t pool) {
  return pool * p->size + p->size / 2;
}

static void pool(const findlr__sweep *sweep, pools *p) {
  size_t n = sweep->n;
  double decades = log10(sweep->lr[n - 1]) - log10(sweep->lr[0]);
  double sigma = SIGMA_DECADES * (double)(n - 1) / decades;
  p->density = log10((double)(n - 1) / decades / ROWS_A_DECADE);
  sigma = fmax(1, fmin(sigma, (double)n / 16));
  p->size = clamp(sigma / COARSE, 1, n);
  p->n = n / p->size;
  p->sigma = sigma / (double)p->size;
  p->x = sweep->work;
  p->raw = sweep->work + n;
  p->work = sweep->work + 2 * n;
  p->smooth = sweep->work + 3 * n;
  for (size_t i = 0; i < p->n; i++) {
    size_t first = i * p->size, count = i + 1 < p->n ? p->size : n - first;
    for (size_t k = 0; k < count; k++)
      p->work[k] = isfinite(sweep->loss[first + k]) ? sweep->loss[first + k] : INFINITY;
    p->raw[i] = median(p->work, count);
    p->x[i] = log10(sweep->lr[row_of(p, i)]);
  }
}

/* Sigma of the noise, from first differences, which a slow fall hardly touches, and from second
 * ones, which a steady fall does not touch at all: the smaller. */
static double noise(const pools *p, size_t n) {
  double sigma[2] = { 0, 0 };
  for (size_t order = 0; order < 2; order++) {
    size_t count = 0;
    for (size_t i = 1; i + order < n; i++) {
      double d = p->raw[i] - p->raw[i - 1];
      if (order)
        d -= p->raw[i + 1] - p->raw[i];
      if (isfinite(d))
        p->work[count++] = fabs(d);
    }
    /* A normal variable's median size is 0.6745 sigma; the differences have 2 and 6 variances. */
    if (count > 0)
      sigma[order] = median(p->work, count) / 0.6745 / sqrt(order ? 6 : 2);
  }
  return fmin(sigma[0], sigma[1]);
}

/* Smooths the losses, single spikes taken out and cut off at a cap, so that it does not matter how
 * high an explosion is. */
static void smooth(const pools *p, double cap) {
  const double *raw = p->raw;
  for (size_t i = 0; i < p->n; i++) {
    size_t m = i == 0 ? 1 : i + 1 == p->n ? i - 1 : i;
    p->work[i] = fmin(middle_of(raw[m - 1], raw[m], raw[m + 1]), cap);
  }
  findlr_smoothing gaussian;
  findlr_smoothing_init(&gaussian, sizeof gaussian);
  gaussian.parameter = p->sigma;
  findlr_smooth(&gaussian, p->work, p->n, p->smooth, NULL);
}

static size_t least(const double *x, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (x[i] < x[best])
      best = i;
  return best;
}

static double fall_before(const pools *p, size_t end, double level) {
  return level - p->smooth[least(p->smooth, end)];
}

/* The first pool from which the loss is above top and mostly stays there; n if there is none. */
static size_t divergence(const double *raw, size_t n, double top) {
  for (size_t i = 0; i < n; i++) {
    if (!(raw[i] > top))
      continue;
    size_t seen = 0, above = 0;
    for (; seen < 5 && i + seen < n; seen++)
      above += raw[i + seen] > top;
    if (above >= (seen < 3 ? seen : 3))
      return i;
  }
  return n;
}

/* Whether the noise has heavy tails: two of the first n losses lie so far above their neighbours as a
 * normal variable never does, and by a share of the fall: where all weights begin at zero, the first
 * losses are equal and the noise only comes with the fall. */
static int is_heavy(const pools *p, size_t n, double noise, double fall) {
  const double *x = p->raw, most = fmax(HEAVY * noise, HEAVY_SHARE * fall);
  size_t far = 0;
  for (size_t i = 1; i + 1 < n; i++)
    far += isfinite(x[i]) && x[i] - middle_of(x[i - 1], x[i], x[i + 1]) > most;
  return far > 1;
}

/* log10 of the rate at which the smoothed loss crosses a value for the last time before a pool. */
static double last_crossing(const pools *p, size_t before, double value) {
  size_t i = before;
  while (i > 0 && p->smooth[i - 1] < value)
    i--;
  if (i == 0)
    return p->x[0];
  double fall = p->smooth[i - 1] - p->smooth[i];
  double part = fall > 0 ? fmin(fmax(0, (p->smooth[i - 1] - value) / fall), 1) : 1;
  return p->x[i - 1] + part * (p->x[i] - p->x[i - 1]);
}

/* The row whose rate is nearest to 10^x. */
static size_t nearest_row(const findlr__sweep *sweep, double x) {
  size_t low = 0, high = sweep->n - 1;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    *(log10(sweep->lr[middle]) < x ? &low : &high) = middle;
  }
  return x - log10(sweep->lr[low]) < log10(sweep->lr[high]) - x ? low : high;
}

/* Where there is no fall, but a plateau with an end: a guess from that end alone. */
static void guess(const findlr__sweep *sweep, double x, findlr__reading *r) {
  r->verdict = FINDLR_VERDICT_UNCERTAIN;
  r->best = nearest_row(sweep, x);
  r->low = nearest_row(sweep, x - GUESS_LOW);
  r->high = nearest_row(sweep, x + GUESS_HIGH);
}

findlr__reading findlr__read(const findlr__sweep *sweep) {
  findlr__reading r = { .verdict = FINDLR_VERDICT_TOO_FEW_POINTS };
  size_t finite = 0;
  for (size_t i = 0; i < sweep->n; i++)
    finite += isfinite(sweep->loss[i]) != 0;
  if (finite < FINDLR__LEAST_ROWS) {
    if (sweep->n >= FINDLR__LEAST_ROWS)
      r.verdict = FINDLR_VERDICT_NOT_FINITE;
    return r;
  }

  pools p;
  pool(sweep, &p);
  size_t first = clamp(FIRST_LEVEL * p.sigma, 1, p.n / 3);
  memcpy(p.work, p.raw, first * sizeof *p.work);
  r.level = median(p.work, first);
  if (!isfinite(r.level)) {
    r.verdict = FINDLR_VERDICT_NOT_FINITE;
    return r;
  }
  size_t plateau = clamp(FIRST_NOISE * p.sigma, FINDLR__LEAST_ROWS, p.n);
  r.noise = noise(&p, plateau);
  /* What rounding alone does to a loss in single precision is no fall. */
  r.noise = fmax(r.noise, 1e-6 * fabs(r.level));
  double first_noise = r.noise;

  /* A loss that comes back down after an explosion must not pass for the minimum: so the fall is
   * measured to find the divergence, and then again before it. */
  smooth(&p, r.level + 3 * r.noise);
  double fall = fmax(fall_before(&p, p.n, r.level), 3 * r.noise);
  size_t end = divergence(p.raw, p.n, r.level + fmax(fall, SPREAD * r.noise));
  fall = fmax(fall_before(&p, end, r.level), 3 * r.noise);
  smooth(&p, r.level + fall);
  size_t bottom = least(p.smooth, end);
  fall = fall_before(&p, end, r.level);
  r.least = r.level - fall;
  r.diverged = end < p.n;
  r.divergence = r.diverged ? end * p.size : sweep->n;
  r.high = row_of(&p, bottom);
  r.verdict = FINDLR_VERDICT_NEVER_DESCENDED;
  r.noise =
      fmax(noise(&p, end < FINDLR__LEAST_ROWS ? FINDLR__LEAST_ROWS : end), 1e-6 * fabs(r.level));
  double smoothed_noise = r.noise / sqrt(2 * sqrt(PI) * p.sigma);
  double clear = FALL_SIGMAS * smoothed_noise;
  r.heavy = is_heavy(&p, bottom < plateau ? bottom : plateau, first_noise, fall);
  double shift = r.heavy ? HEAVY_SHIFT : 0;
  double hard =
      p.x[end < p.n ? end : p.n - 1] + BEFORE_DIVERGENCE + BEFORE_DIVERGENCE_SLOPE * p.density;
  if (bottom == 0 || !(fall > clear)) {
    if (end < p.n && p.x[end] - p.x[0] >= PLATEAU)
      guess(sweep, hard + shift, &r);
    return r;
  }

  double edge = r.level - fmax(FIRST_FALL * fall, 2 * smoothed_noise);
  size_t low = bottom;
  while (low > 0 && p.smooth[low - 1] < edge)
    low--;
  double weight = (fall - clear) / (fall - clear + HALF_SIGMAS * smoothed_noise);
  double late = last_crossing(&p, bottom, r.level - 0.9 * fall);
  double middle = last_crossing(&p, bottom, r.level - 0.5 * fall);
  double fallen =
      HALF_SHARE * middle + (1 - HALF_SHARE) * late + AFTER_FALL + AFTER_FALL_SLOPE * p.density;
  r.fell = 1;
  r.best = nearest_row(sweep, fmin(weight * fallen + (1 - weight) * hard + shift, p.x[bottom]));
  r.low = row_of(&p, low);
  r.late_start = low == 0;
  for (size_t i = bottom; i < p.n; i++)
    r.diverged |= p.smooth[i] - r.least > fmax(LAST_RISE * fall, clear);
  r.verdict = FINDLR_VERDICT_GOOD;
  if (!r.diverged)
    r.verdict = FINDLR_VERDICT_NEVER_DIVERGED;
  else if (r.heavy || fall < GOOD_SIGMAS * smoothed_noise)
    r.verdict = FINDLR_VERDICT_UNCERTAIN;
  return r;
}
