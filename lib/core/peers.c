/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <math.h>

/* Sources: fastai 2 (callback/schedule.py), pytorch-lr-finder 0.2.2, PyTorch Ignite
 * (handlers/lr_finder.py), PyTorch Lightning 2.5.2 and 2.6.2 (tuner/lr_finder.py), keras_lr_finder
 * (commit 3c8fe71). Single precision is kept where they use it: it decides between equal losses.
 * Rounding a double operation on two floats gives the float operation's own result. */
static double single(double x) {
  return (double)(float)x;
}

static double exact(double x) {
  return x;
}

typedef double (*rounding)(double x);

/* What a peer has recorded when its sweep ends. A NaN poisons its average and never stops it: it
 * runs on to the steps asked for, where a findlr sweep ends at once. */
typedef struct record {
  size_t count;  /* rows it would have */
  size_t finite; /* rows before the first smoothed loss that is not finite */
} record;

/* How many of the rows a peer sees that ends after the steps asked for. */
static size_t rows(const findlr__sweep *sweep, int64_t requested) {
  return (uint64_t)requested < sweep->n ? (size_t)requested : sweep->n;
}

/* The rows left of a record after skips at both ends, from before the first not-finite loss. */
static size_t slice(record r, size_t begin, size_t end) {
  size_t stop = r.count > end ? r.count - end : 0;
  if (stop > r.finite)
    stop = r.finite;
  return stop > begin ? stop - begin : 0;
}

static findlr__pick none(int32_t outcome, record r, size_t had) {
  return (findlr__pick){ .outcome = outcome, .divisor = 1, .had = had, .stopped = r.count };
}

static findlr__pick found(size_t row, record r, size_t had) {
  return (findlr__pick){ FINDLR__PICK_ROW, row, 1, had, r.count };
}

/* The first smallest of n numbers, those that are not finite left out; n if there is none. */
static size_t smallest(const double *x, size_t n) {
  size_t best = n;
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i]) && (best == n || x[i] < x[best]))
      best = i;
  return best;
}

/* numpy.gradient with unit spacing; n >= 2. */
static void gradient(const double *x, size_t n, rounding round, double *g) {
  g[0] = round(x[1] - x[0]);
  g[n - 1] = round(x[n - 1] - x[n - 2]);
  for (size_t i = 1; i + 1 < n; i++)
    g[i] = round(round(x[i + 1] - x[i - 1]) / 2);
}

/* The row where a gradient over rows first.. is least. A peer takes the least rise where nothing
 * falls; here that is no answer. */
static findlr__pick steepest_of(const double *g, size_t n, size_t first, record r, size_t had) {
  size_t best = smallest(g, n);
  if (best == n)
    return none(FINDLR__PICK_TOO_FEW, r, had);
  if (g[best] >= 0)
    return none(FINDLR__PICK_NO_DESCENT, r, had);
  return found(first + best, r, had);
}

/* --- fastai: bias-corrected average, stop above 4 times the best, rows N / 10 to -5 ------ */

static record fastai_record(const findlr__sweep *sweep, int64_t requested) {
  double *v = sweep->work;
  size_t n = rows(sweep, requested);
  record r = { n, n };
  double average = 0, best = INFINITY;
  /* torch.lerp(loss, average, 0.98), in the form it has for weights of a half and more. */
  const double pull = single(1 - single(0.98));
  for (size_t i = 0; i < n; i++) {
    average = single(average - single(single(average - single(sweep->loss[i])) * pull));
    v[i] = single(average / single(1 - pow(0.98, (double)(i + 1))));
    if (v[i] < best)
      best = v[i];
    if (!isfinite(v[i]) && i < r.finite)
      r.finite = i;
    if (v[i] > 4 * best) {
      r.count = i + 1;
      return r;
    }
  }
  if (r.finite < n)
    r.count = (size_t)requested;
  return r;
}

/* The rows that fastai's four rules see. */
typedef struct view {
  record record;
  const double *lr, *loss;
  size_t first, n;
} view;

static view fastai(const findlr__sweep *sweep) {
  int64_t requested = sweep->requested < 6 ? 6 : sweep->requested;
  view w = { .record = fastai_record(sweep, requested), .first = (size_t)(requested / 10) };
  w.n = slice(w.record, w.first, 5);
  if (w.n > 0) {
    w.lr = sweep->lr + w.first;
    w.loss = sweep->work + w.first;
  }
  return w;
}

size_t findlr__longest_decrease(const double *loss, size_t n, double *tails, size_t *ret_end) {
  size_t longest = 0;
  for (size_t i = 0; i < n; i++) {
    /* tails[l] is the largest loss that ends a decrease of l + 1; they fall with l. */
    size_t low = 0, high = longest;
    while (low < high) {
      size_t middle = low + (high - low) / 2;
      if (tails[middle] > loss[i])
        low = middle + 1;
      else
        high = middle;
    }
    tails[low] = loss[i];
    if (low == longest) {
      longest++;
      *ret_end = i;
    }
  }
  return longest;
}

static findlr__pick valley(const findlr__sweep *sweep) {
  view w = fastai(sweep);
  if (w.n < 3)
    return none(FINDLR__PICK_TOO_FEW, w.record, w.n);
  size_t end = 0;
  size_t length = findlr__longest_decrease(w.loss, w.n, sweep->work + 2 * sweep->n, &end);
  /* fastai's answer would be the first row, or the row before it. */
  if (length < 3)
    return none(FINDLR__PICK_NO_DESCENT, w.record, w.n);
  double section = (double)length / 3;
  size_t half = (size_t)section + (size_t)(section / 2);
  return found(w.first + end - length + half, w.record, w.n);
}

static findlr__pick slide(const findlr__sweep *sweep) {
  view w = fastai(sweep);
  if (w.n < 16)
    return none(FINDLR__PICK_TOO_FEW, w.record, w.n);
  double *g = sweep->work + sweep->n;
  gradient(w.loss, w.n, single, g);
  size_t row = w.n - 16;
  for (size_t left = w.n - 16;; left--) {
    if (!(single(fabs(g[left + 15] - g[left])) > single(0.005)))
      break;
    row = left;
    if (left == 0)
      break;
  }
  return found(w.first + row, w.record, w.n);
}

static findlr__pick minimum(const findlr__sweep *sweep) {
  view w = fastai(sweep);
  if (w.n < 1)
    return none(FINDLR__PICK_TOO_FEW, w.record, w.n);
  findlr__pick pick = found(w.first + smallest(w.loss, w.n), w.record, w.n);
  pick.divisor = 10;
  return pick;
}

static findlr__pick steep(const findlr__sweep *sweep) {
  view w = fastai(sweep);
  if (w.n < 2)
    return none(FINDLR__PICK_TOO_FEW, w.record, w.n);
  double *g = sweep->work + sweep->n;
  for (size_t i = 0; i + 1 < w.n; i++) {
    double step = single(single(log(single(w.lr[i + 1]))) - single(log(single(w.lr[i]))));
    g[i] = single(single(w.loss[i + 1] - w.loss[i]) / step);
  }
  return steepest_of(g, w.n - 1, w.first, w.record, w.n);
}

/* --- pytorch-lr-finder, Ignite: seeded average, stop above 5 times the best -------------- */

static record seeded(const findlr__sweep *sweep) {
  double *v = sweep->work;
  size_t n = rows(sweep, sweep->requested);
  record r = { n, n };
  double best = INFINITY;
  for (size_t i = 0; i < n; i++) {
    v[i] = i == 0 ? sweep->loss[0] : 0.05 * sweep->loss[i] + (1 - 0.05) * v[i - 1];
    if (v[i] < best)
      best = v[i];
    if (!isfinite(v[i]) && i < r.finite)
      r.finite = i;
    if (v[i] > 5 * best) {
      r.count = i + 1;
      return r;
    }
  }
  if (r.finite < n)
    r.count = (size_t)sweep->requested;
  return r;
}

static findlr__pick steepest(const findlr__sweep *sweep) {
  record r = seeded(sweep);
  size_t n = slice(r, 10, 5);
  if (n < 2)
    return none(FINDLR__PICK_TOO_FEW, r, n);
  double *g = sweep->work + sweep->n;
  gradient(sweep->work + 10, n, exact, g);
  return steepest_of(g, n, 10, r, n);
}

static findlr__pick ignite(const findlr__sweep *sweep) {
  record r = seeded(sweep);
  double *v = sweep->work, *g = v + sweep->n;
  size_t n = slice(r, 0, 0);
  for (size_t i = 0; i < n; i++)
    v[i] = single(v[i]);
  size_t least = smallest(v, n);
  if (n < 3 || least + 1 < 3) /* "the curve should be somehow U-shaped" */
    return none(n < 3 ? FINDLR__PICK_TOO_FEW : FINDLR__PICK_NO_DESCENT, r, n);
  gradient(v, least + 1, single, g);
  return steepest_of(g + 1, least - 1, 1, r, n);
}

/* --- Lightning: average with an exponent one too high, stop above 4 times the best ------- */

static record lightning_record(const findlr__sweep *sweep) {
  double *v = sweep->work;
  size_t n = rows(sweep, sweep->requested);
  record r = { n, n };
  double average = 0, best = 0;
  for (size_t i = 0; i < n; i++) {
    average = 0.98 * average + (1 - 0.98) * sweep->loss[i];
    double smoothed = average / (1 - pow(0.98, (double)(i + 2)));
    v[i] = single(smoothed);
    if (!isfinite(v[i]) && i < r.finite)
      r.finite = i;
    if (i > 0 && smoothed > 4 * best) {
      r.count = i + 1;
      return r;
    }
    if (i == 0 || smoothed < best)
      best = smoothed;
  }
  if (r.finite < n)
    r.count = (size_t)sweep->requested;
  return r;
}

/* torch.gradient(loss, spacing=[lr]), in its order of operations. */
static findlr__pick lightning(const findlr__sweep *sweep) {
  record r = lightning_record(sweep);
  size_t n = slice(r, 10, 1);
  if (n < 2)
    return none(FINDLR__PICK_TOO_FEW, r, n);
  const double *v = sweep->work + 10, *lr = sweep->lr + 10;
  double *g = sweep->work + sweep->n, *step = g + sweep->n;
  for (size_t i = 0; i + 1 < n; i++)
    step[i] = single(single(lr[i + 1]) - single(lr[i]));
  g[0] = single(single(v[1] - v[0]) / step[0]);
  g[n - 1] = single(single(v[n - 1] - v[n - 2]) / step[n - 2]);
  for (size_t i = 1; i + 1 < n; i++) {
    double h = step[i - 1], k = step[i], both = single(h + k);
    double a = single(-k / single(h * both));
    double b = single(single(k - h) / single(h * k));
    double c = single(h / single(k * both));
    g[i] = single(single(single(a * v[i - 1]) + single(b * v[i])) + single(c * v[i + 1]));
  }
  return steepest_of(g, n, 10, r, n);
}

static findlr__pick lightning_2_5_2(const findlr__sweep *sweep) {
  record r = lightning_record(sweep);
  size_t n = slice(r, 10, 1);
  if (n < 2)
    return none(FINDLR__PICK_TOO_FEW, r, n);
  double *g = sweep->work + sweep->n;
  gradient(sweep->work + 10, n, single, g);
  return steepest_of(g, n, 10, r, n);
}

/* --- keras_lr_finder: no smoothing, stop at NaN or above 4 times the best ---------------- */

enum { SMA = 20 };

static findlr__pick keras(const findlr__sweep *sweep) {
  size_t n = rows(sweep, sweep->requested);
  record r = { n, n };
  double best = 1e9;
  for (size_t i = 0; i < n; i++) {
    double loss = sweep->loss[i];
    if (i > 5 && (isnan(loss) || loss > 4 * best)) {
      r.count = i + 1;
      break;
    }
    if (loss < best)
      best = loss;
  }
  size_t kept = slice(r, 10, 5);
  if (kept < 1)
    return none(FINDLR__PICK_TOO_FEW, r, kept);
  double *d = sweep->work;
  for (size_t i = 10; i < 10 + kept; i++)
    d[i - 10] = i < SMA ? 0 : (sweep->loss[i] - sweep->loss[i - SMA]) / SMA;
  return steepest_of(d, kept, 10, r, kept);
}

static const findlr__peer peers[] = {
  { "valley", "fastai's default: half way down its longest decrease", valley },
  { "slide", "fastai: left end of the interval before the gradient explodes", slide },
  { "minimum", "fastai: a tenth of the rate where the loss is least", minimum },
  { "steep", "fastai: where the loss falls most per log rate", steep },
  { "steepest", "pytorch-lr-finder: where the smoothed loss falls most per step", steepest },
  { "ignite", "PyTorch Ignite: where the smoothed loss falls most before its minimum", ignite },
  { "lightning", "PyTorch Lightning 2.5.3 and later: where the loss falls most per rate",
    lightning },
  { "lightning_2.5.2", "PyTorch Lightning up to 2.5.2: where the loss falls most per step",
    lightning_2_5_2 },
  { "keras", "keras_lr_finder: where the loss falls most over 20 steps", keras },
};

const findlr__peer *findlr__peer_at(uint32_t i) {
  return i < sizeof peers / sizeof *peers ? &peers[i] : NULL;
}
