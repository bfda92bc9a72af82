/* SPDX-License-Identifier: MIT */
#include "findlr/suggestion.h"

#include <math.h>
#include <string.h>

#include "curve.h"
#include "findlr/text.h"
#include "internal.h"
#include "peers.h"

/* Every answer begins with one reading of the curve: its level before the fall, the noise, where it
 * diverges, the fall. The method `auto` takes its rate from it, and every method its bounds and its
 * verdict. docs/suggestion.md has the reasons and the measurements. */

enum {
  LEAST_ROWS = 5,   /* fewer rows say nothing */
  COARSE = 6,       /* rows are pooled as long as the smoothing's sigma is so many pools or more */
  FIRST_LEVEL = 5,  /* the level before the fall: median over so many sigmas of the smoothing */
  FIRST_NOISE = 13, /* the noise: over so many */
  SPREAD = 8        /* a loss so many noise sigmas above its level has left it */
};

static const double SIGMA_DECADES = 3 / 12.4; /* width of the smoothing */
static const double FALL_SIGMAS = 5;  /* a smaller fall, in sigmas of the smoothed noise, is none */
static const double FIRST_FALL = 0.1; /* `low` is where so much of the fall is reached */
static const double LAST_RISE = 0.25; /* and a rise of so much of it shows the upper edge */

static const double PI = 3.14159265358979323846;

typedef struct reading {
  int32_t verdict;
  size_t low, best, high; /* rows of the sweep */
  double level, least;    /* the smoothed loss before the fall and at its minimum */
  double noise;           /* sigma of a single loss */
  int diverged;           /* the loss rose clearly after the minimum */
  size_t divergence;      /* the row where it left its level; the number of rows if it did not */
  int late_start;         /* the fall had begun before the first row */
} reading;

/* --- small statistics -------------------------------------------------------------------------- */

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

/* --- the reading ------------------------------------------------------------------------------- */

/* Neighbouring rows made into one where they are denser than the smoothing needs: a constant amount
 * of work, whatever the number of rows. A loss that is not finite counts as infinitely bad. */
typedef struct pools {
  double *x;    /* log10 of the rate in the middle */
  double *raw;  /* median of the losses */
  double *work; /* n numbers to write in */
  double *smooth;
  size_t n, size; /* the last pool may be larger */
  double sigma;   /* of the smoothing, in pools */
} pools;

static size_t row_of(const pools *p, size_t pool) {
  return pool * p->size + p->size / 2;
}

static void pool(const findlr__sweep *sweep, double *memory, pools *p) {
  size_t n = sweep->n;
  double decades = log10(sweep->lr[n - 1]) - log10(sweep->lr[0]);
  double sigma = SIGMA_DECADES * (double)(n - 1) / decades;
  sigma = fmax(1, fmin(sigma, (double)n / 16));
  p->size = clamp(sigma / COARSE, 1, n);
  p->n = n / p->size;
  p->sigma = sigma / (double)p->size;
  p->x = memory;
  p->raw = memory + n;
  p->work = memory + 2 * n;
  p->smooth = memory + 3 * n;
  for (size_t i = 0; i < p->n; i++) {
    size_t first = i * p->size, count = i + 1 < p->n ? p->size : n - first;
    for (size_t k = 0; k < count; k++)
      p->work[k] = isfinite(sweep->loss[first + k]) ? sweep->loss[first + k] : INFINITY;
    p->raw[i] = median(p->work, count);
    p->x[i] = log10(sweep->lr[row_of(p, i)]);
  }
}

/* Sigma of the noise, from first differences, which a slow fall hardly touches, and from second ones,
 * which a steady fall does not touch at all: the smaller. */
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

/* memory: 4 * n numbers. */
static reading read_curve(const findlr__sweep *sweep, double *memory) {
  reading r = { .verdict = FINDLR_VERDICT_TOO_FEW_POINTS };
  size_t finite = 0;
  for (size_t i = 0; i < sweep->n; i++)
    finite += isfinite(sweep->loss[i]) != 0;
  if (finite < LEAST_ROWS) {
    if (sweep->n >= LEAST_ROWS)
      r.verdict = FINDLR_VERDICT_NOT_FINITE;
    return r;
  }

  pools p;
  pool(sweep, memory, &p);
  size_t first = clamp(FIRST_LEVEL * p.sigma, 1, p.n / 3);
  memcpy(p.work, p.raw, first * sizeof *p.work);
  r.level = median(p.work, first);
  if (!isfinite(r.level)) {
    r.verdict = FINDLR_VERDICT_NOT_FINITE;
    return r;
  }
  r.noise = noise(&p, clamp(FIRST_NOISE * p.sigma, LEAST_ROWS, p.n));
  /* What rounding alone does to a loss in single precision is no fall. */
  r.noise = fmax(r.noise, 1e-6 * fabs(r.level));

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
  r.noise = fmax(noise(&p, end < LEAST_ROWS ? LEAST_ROWS : end), 1e-6 * fabs(r.level));
  double smoothed_noise = r.noise / sqrt(2 * sqrt(PI) * p.sigma);
  double clear = FALL_SIGMAS * smoothed_noise;
  if (bottom == 0 || !(fall > clear))
    return r;

  size_t low = bottom;
  double edge = r.level - fmax(FIRST_FALL * fall, 2 * smoothed_noise);
  while (low > 0 && p.smooth[low - 1] < edge)
    low--;
  size_t best = low;
  double steepest = INFINITY;
  for (size_t i = low; i < bottom; i++) {
    size_t before = i > 0 ? i - 1 : 0;
    double slope = (p.smooth[i + 1] - p.smooth[before]) / (p.x[i + 1] - p.x[before]);
    if (slope < steepest) {
      steepest = slope;
      best = i;
    }
  }
  r.low = row_of(&p, low);
  r.best = row_of(&p, best);
  r.late_start = low == 0;
  for (size_t i = bottom; i < p.n; i++)
    r.diverged |= p.smooth[i] - r.least > fmax(LAST_RISE * fall, clear);
  r.verdict = r.diverged ? FINDLR_VERDICT_GOOD : FINDLR_VERDICT_NEVER_DIVERGED;
  return r;
}

/* --- the sentence ------------------------------------------------------------------------------ */

/* x with three digits, for people. Through text, so that no digits of rounding appear. */
static double brief(double x) {
  int magnitude = x == 0 || !isfinite(x) ? 0 : (int)floor(log10(fabs(x)));
  int half = magnitude / 2; /* 10^magnitude itself may underflow */
  double digits = round(x / pow(10, half) / pow(10, magnitude - half) * 100);
  char text[FINDLR_TEXT_SIZE];
  size_t length = findlr__format(text, sizeof text, "%de%d", (int)digits, magnitude - 2);
  findlr_text_parse(text, length, &x);
  return x;
}

static void explain(const reading *r, const findlr__sweep *sweep, findlr_suggestion *s) {
  double last = sweep->n ? brief(sweep->lr[sweep->n - 1]) : 0;
  double level = brief(r->level), bottom = brief(r->least);
  const char *late =
      r->late_start ? "; it fell from the first rate on: start lower to see all of it" : "";
  char *out = s->message;
  size_t size = sizeof s->message;
  switch (s->verdict) {
  case FINDLR_VERDICT_GOOD:
  case FINDLR_VERDICT_NEVER_DIVERGED: {
    double low = sweep->lr[r->low], high = sweep->lr[r->high];
    int good = s->verdict == FINDLR_VERDICT_GOOD;
    if (s->lr < low || s->lr > high)
      findlr__format(out, size,
                     "the loss falls from %g to %g between the rates %g and %g, and %g lies outside: "
                     "use auto, or compare methods on the picture",
                     level, bottom, brief(low), brief(high), brief(s->lr));
    else if (good)
      findlr__format(out, size,
                     "the loss falls from %g to %g and rises again: train with a rate of %g, or let "
                     "it cycle from %g to %g%s",
                     level, bottom, brief(s->lr), brief(s->low), brief(s->high), late);
    else
      findlr__format(out, size,
                     "the loss falls from %g to %g and has not risen by the last rate, %g: %g is a "
                     "cautious choice; end higher to see where it diverges%s",
                     level, bottom, last, brief(s->lr), late);
    return;
  }
  case FINDLR_VERDICT_NEVER_DESCENDED:
    if (r->diverged)
      findlr__format(out, size,
                     "the loss never falls clearly below its first level, %g, and rises at a rate of "
                     "%g: start lower, and if that does not help, check the model and its gradients",
                     level, brief(sweep->lr[r->divergence]));
    else
      findlr__format(out, size,
                     "the loss stays at its first level, %g, up to the last rate, %g: end higher, or "
                     "take more steps or larger batches if the noise hides a fall",
                     level, last);
    return;
  case FINDLR_VERDICT_NOT_FINITE:
    findlr__format(out, size,
                   "the loss is not finite almost from the first step: start lower than %g, or check "
                   "the data and the model",
                   brief(sweep->lr[0]));
    return;
  default:
    findlr__format(out, size, "too few losses to read: %zu, wanted at least %d and better 100; take more steps",
                   sweep->n, LEAST_ROWS);
  }
}

/* --- the methods ------------------------------------------------------------------------------- */

static const char AUTO[] = "auto";

const char *findlr_suggestion_method(uint32_t i) {
  if (i == 0)
    return AUTO;
  const findlr__peer *peer = findlr__peer_at(i - 1);
  return peer ? peer->name : NULL;
}

static const char *next_method(const void *ud, uint32_t i) {
  (void)ud;
  return findlr_suggestion_method(i);
}

static const findlr__peer *find_peer(const char *name) {
  const findlr__peer *peer;
  for (uint32_t i = 0; (peer = findlr__peer_at(i)) != NULL; i++)
    if (strcmp(peer->name, name) == 0)
      return peer;
  return NULL;
}

const char *findlr_suggestion_method_help(const char *method) {
  if (!method)
    return NULL;
  if (strcmp(method, AUTO) == 0)
    return "where the loss, smoothed without lag, falls most before its minimum";
  const findlr__peer *peer = find_peer(method);
  return peer ? peer->help : NULL;
}

const char *findlr_verdict_name(int32_t verdict) {
  switch (verdict) {
#define CASE(name, value, word)                                                                    \
  case value:                                                                                      \
    return word;
    FINDLR_VERDICT_LIST(CASE)
#undef CASE
  default:
    return "unknown";
  }
}

void findlr_suggestion_options_init(findlr_suggestion_options *options, size_t size) {
  if (!options || size < sizeof(uint32_t))
    return;
  memset(options, 0, size);
  options->struct_size = (uint32_t)size;
}

void findlr_suggestion_init(findlr_suggestion *suggestion, size_t size) {
  if (!suggestion || size < sizeof(uint32_t))
    return;
  findlr_suggestion empty = { .struct_size = (uint32_t)size,
                              .verdict = FINDLR_VERDICT_TOO_FEW_POINTS,
                              .lr = NAN,
                              .low = NAN,
                              .high = NAN,
                              .index = -1 };
  memset(suggestion, 0, size);
  memcpy(suggestion, &empty, size < sizeof empty ? size : sizeof empty);
}

/* What a peer answers; the reading's verdict stands where it allows no number. */
static void ask_peer(const findlr__peer *peer, const findlr__sweep *sweep, const reading *r,
                     findlr__pick *pick, findlr_suggestion *s) {
  *pick = peer->pick(sweep);
  if (s->verdict != FINDLR_VERDICT_GOOD && s->verdict != FINDLR_VERDICT_NEVER_DIVERGED)
    return;
  if (pick->outcome == FINDLR__PICK_ROW && sweep->lr[pick->row] > 0)
    return;
  const char *name = peer->name;
  if (pick->outcome == FINDLR__PICK_TOO_FEW) {
    s->verdict = FINDLR_VERDICT_TOO_FEW_POINTS;
    findlr__format(s->message, sizeof s->message,
                   "%s stops after %zu of %zu rows and sees %zu of those, too few for it: use auto, or "
                   "take more steps",
                   name, pick->stopped, sweep->n, pick->had);
  } else {
    s->verdict = FINDLR_VERDICT_NEVER_DESCENDED;
    findlr__format(s->message, sizeof s->message,
                   "%s finds no fall in the %zu rows that it sees, although the loss falls from %g to "
                   "%g: use auto, or start lower",
                   name, pick->had, brief(r->level), brief(r->least));
  }
}

/* Where a counted row stands in the curve. */
static int64_t row_in(const findlr_curve *curve, size_t counted) {
  const uint8_t *flags = findlr_curve_flags(curve);
  size_t row = 0;
  for (;; row++)
    if (!(flags[row] & FINDLR_POINT_SKIPPED) && counted-- == 0)
      return (int64_t)row;
}

/* The rows that count, into lr and loss; checks that the rates rise. */
static int32_t gather(const findlr_curve *curve, uint32_t group, double *lr, double *loss, size_t *ret_n,
                      findlr_error *err) {
  const double *all_lr = findlr_curve_lr(curve, group), *all_loss = findlr_curve_loss(curve);
  const uint8_t *flags = findlr_curve_flags(curve);
  size_t count = findlr_curve_count(curve), n = 0;
  for (size_t i = 0; i < count; i++) {
    if (flags[i] & FINDLR_POINT_SKIPPED)
      continue;
    if (n > 0 && !(all_lr[i] > lr[n - 1]))
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "row %zu of the curve has a rate of %g after %g, wanted rates that rise", i,
                          all_lr[i], lr[n - 1]);
    lr[n] = all_lr[i];
    loss[n++] = all_loss[i];
  }
  *ret_n = n;
  return FINDLR_OK;
}

static void suggest(const findlr_curve *curve, const findlr__peer *peer, findlr__sweep *sweep,
                    findlr_suggestion *s) {
  /* A linear ramp may begin at zero, where there is no logarithm and nothing to suggest. */
  size_t from = 0;
  while (from < sweep->n && !(sweep->lr[from] > 0))
    from++;
  findlr__sweep positive = { .lr = sweep->lr + from,
                             .loss = sweep->loss + from,
                             .n = sweep->n - from };
  reading r = read_curve(&positive, sweep->work);
  s->verdict = r.verdict;
  findlr__pick pick = { FINDLR__PICK_ROW, from + r.best, 1, 0, 0 };
  if (peer)
    ask_peer(peer, sweep, &r, &pick, s);
  if (s->verdict == FINDLR_VERDICT_GOOD || s->verdict == FINDLR_VERDICT_NEVER_DIVERGED) {
    s->index = row_in(curve, pick.row);
    s->lr = sweep->lr[pick.row] * pick.factor;
    s->low = fmin(positive.lr[r.low], s->lr);
    s->high = fmax(positive.lr[r.high], s->lr);
  }
  if (!s->message[0])
    explain(&r, &positive, s);
}

int32_t findlr_suggest(const findlr_curve *curve, const findlr_suggestion_options *options,
                       findlr_suggestion *ret_suggestion, findlr_error *err) {
  if (!curve)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "curve is NULL");
  findlr_suggestion_options o;
  findlr_suggestion_options_init(&o, sizeof o);
  int32_t status = findlr__take(&o, sizeof o, options, sizeof o, "findlr_suggestion_options", err);
  if (status != FINDLR_OK)
    return status;
  const char *method = o.method ? o.method : AUTO;
  const findlr__peer *peer = find_peer(method);
  if (!peer && strcmp(method, AUTO) != 0) {
    const char *near = findlr__nearest(method, next_method, NULL);
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "there is no method \"%s\"%s%s%s", method,
                        near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  }
  if (o.group >= findlr_curve_groups(curve))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "group is %u, wanted less than %u", o.group,
                        findlr_curve_groups(curve));

  findlr_suggestion s;
  findlr_suggestion_init(&s, sizeof s);
  findlr__format(s.method, sizeof s.method, "%s", method);

  const findlr_allocator *allocator = findlr__curve_allocator(curve);
  size_t count = findlr_curve_count(curve), size = findlr__size(count + 1, 6 * sizeof(double), 0);
  double *memory = size ? findlr__allocate(allocator, size) : NULL;
  if (!memory)
    return findlr__no_memory(err, "reading a curve");
  findlr__sweep sweep = { .lr = memory, .loss = memory + count, .work = memory + 2 * count };
  status = gather(curve, o.group, memory, memory + count, &sweep.n, err);
  if (status == FINDLR_OK) {
    sweep.requested = findlr_curve_requested(curve);
    if (sweep.requested <= 0)
      sweep.requested = o.num_iter;
    if (sweep.requested <= 0)
      sweep.requested = sweep.n > 0 ? (int64_t)sweep.n : 1;
    suggest(curve, peer, &sweep, &s);
    status = findlr__give(ret_suggestion, &s, sizeof s, sizeof s, "findlr_suggestion", err);
  }
  findlr__release(allocator, memory, size);
  return status;
}
