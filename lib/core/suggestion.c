/* SPDX-License-Identifier: MIT */
#include "findlr/suggestion.h"

#include <math.h>
#include <string.h>

#include "curve.h"
#include "findlr/text.h"
#include "internal.h"
#include "peers.h"
#include "reading.h"

/* --- the sentence ---------------------------------------------------------------------------- */

#define SAY(...) findlr__format(s->message, sizeof s->message, __VA_ARGS__)

/* x with three digits, for people. Through text, so that no digits of rounding appear. */
static double brief(double x) {
  if (x == 0 || !isfinite(x))
    return x;
  int magnitude = (int)floor(log10(fabs(x)));
  int half = magnitude / 2; /* 10^magnitude itself may underflow */
  double digits = round(x / pow(10, half) / pow(10, magnitude - half) * 100);
  char text[FINDLR_TEXT_SIZE];
  size_t length = findlr__format(text, sizeof text, "%de%d", (int)digits, magnitude - 2);
  findlr_text_parse(text, length, &x);
  return x;
}

static void explain_number(const findlr__reading *r, const findlr__sweep *sweep,
                           findlr_suggestion *s) {
  double level = brief(r->level), least = brief(r->least), lr = brief(s->lr);
  double low = sweep->lr[r->low], high = sweep->lr[r->high];
  const char *late = "";
  if (r->late_start)
    late = "; it fell from the first rate on: start lower to see all of it";
  if (s->lr < low || s->lr > high)
    SAY("the loss falls from %g to %g between the rates %g and %g, and %g lies outside: use auto, "
        "or compare methods on the picture",
        level, least, brief(low), brief(high), lr);
  else if (s->verdict == FINDLR_VERDICT_GOOD)
    SAY("the loss falls from %g to %g and rises again: train with a rate of %g, or let it cycle "
        "from %g to %g%s",
        level, least, lr, brief(low), brief(high), late);
  else
    SAY("the loss falls from %g to %g and has not risen by the last rate, %g: %g is a cautious "
        "choice; end higher to see where it diverges%s",
        level, least, brief(sweep->lr[sweep->n - 1]), lr, late);
}

static int has_number(int32_t verdict) {
  return verdict == FINDLR_VERDICT_GOOD || verdict == FINDLR_VERDICT_NEVER_DIVERGED ||
         verdict == FINDLR_VERDICT_UNCERTAIN;
}

static void explain_guess(const findlr__reading *r, const findlr__sweep *sweep,
                          findlr_suggestion *s) {
  if (r->fell)
    SAY("the loss falls from %g to %g, %s: try a rate of %g, and take more steps or larger batches "
        "to be surer",
        brief(r->level), brief(r->least),
        r->heavy ? "but single batches scatter far" : "which hardly stands out of the noise",
        brief(s->lr));
  else
    SAY("no fall stands out of the noise, but at a rate of %g the loss leaves its level, %g: %g, well "
        "below, is a guess; take more steps or larger batches",
        brief(sweep->lr[r->divergence]), brief(r->level), brief(s->lr));
}

static void explain(const findlr__reading *r, const findlr__sweep *sweep, findlr_suggestion *s) {
  switch (s->verdict) {
  case FINDLR_VERDICT_GOOD:
  case FINDLR_VERDICT_NEVER_DIVERGED:
    explain_number(r, sweep, s);
    return;
  case FINDLR_VERDICT_UNCERTAIN:
    explain_guess(r, sweep, s);
    return;
  case FINDLR_VERDICT_NEVER_DESCENDED:
    if (r->diverged)
      SAY("the loss never falls clearly below its first level, %g, and rises at a rate of %g: "
          "start lower, and if that does not help, check the model and its gradients",
          brief(r->level), brief(sweep->lr[r->divergence]));
    else
      SAY("the loss stays at its first level, %g, up to the last rate, %g: end higher, or take "
          "more steps or larger batches if the noise hides a fall",
          brief(r->level), brief(sweep->lr[sweep->n - 1]));
    return;
  case FINDLR_VERDICT_NOT_FINITE:
    SAY("the loss is not finite almost from the first step: start lower than %g, or check the "
        "data and the model",
        brief(sweep->lr[0]));
    return;
  default:
    SAY("too few losses to read: %zu, wanted at least %d and better 100; take more steps", sweep->n,
        FINDLR__LEAST_ROWS);
  }
}

/* --- the methods ----------------------------------------------------------------------------- */

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
    return "where most of the fall is done, or well before the divergence if noise hides the fall";
  const findlr__peer *peer = find_peer(method);
  return peer ? peer->help : NULL;
}

const char *findlr_verdict_name(int32_t verdict) {
  switch (verdict) {
#define CASE(name, value, word) \
  case value:                   \
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

/* What a peer answers; the reading's verdict stands where it allows no number. A guess of ours is no
 * fall that another project's rule could speak about. */
static void ask_peer(const findlr__peer *peer, const findlr__sweep *sweep, const findlr__reading *r,
                     findlr__pick *pick, findlr_suggestion *s) {
  *pick = peer->pick(sweep);
  if (s->verdict == FINDLR_VERDICT_UNCERTAIN && !r->fell)
    s->verdict = FINDLR_VERDICT_NEVER_DESCENDED;
  if (!has_number(s->verdict))
    return;
  if (pick->outcome == FINDLR__PICK_ROW && sweep->lr[pick->row] / pick->divisor > 0)
    return;
  if (pick->outcome == FINDLR__PICK_TOO_FEW) {
    s->verdict = FINDLR_VERDICT_TOO_FEW_POINTS;
    SAY("%s stops after %zu of %zu rows and sees %zu of those, too few for it: use auto, or take "
        "more steps",
        peer->name, pick->stopped, sweep->n, pick->had);
  } else {
    s->verdict = FINDLR_VERDICT_NEVER_DESCENDED;
    SAY("%s finds no fall in the %zu rows that it sees, although the loss falls from %g to %g: "
        "use auto, or start lower",
        peer->name, pick->had, brief(r->level), brief(r->least));
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
static int32_t gather(const findlr_curve *curve, uint32_t group, double *lr, double *loss,
                      size_t *ret_n, findlr_error *err) {
  const double *all_lr = findlr_curve_lr(curve, group), *all_loss = findlr_curve_loss(curve);
  const uint8_t *flags = findlr_curve_flags(curve);
  size_t count = findlr_curve_count(curve), n = 0;
  for (size_t i = 0; i < count; i++) {
    if (flags[i] & FINDLR_POINT_SKIPPED)
      continue;
    if (n > 0 && !(all_lr[i] > lr[n - 1]))
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "row %zu of the curve has a rate of %g after %g, wanted rates that rise",
                          i, all_lr[i], lr[n - 1]);
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
  findlr__sweep positive = {
    .lr = sweep->lr + from, .loss = sweep->loss + from, .n = sweep->n - from, .work = sweep->work
  };
  findlr__reading r = findlr__read(&positive);
  s->verdict = r.verdict;
  findlr__pick pick = { FINDLR__PICK_ROW, from + r.best, 1, 0, 0 };
  if (peer)
    ask_peer(peer, sweep, &r, &pick, s);
  if (has_number(s->verdict)) {
    s->index = row_in(curve, pick.row);
    s->lr = sweep->lr[pick.row] / pick.divisor;
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
  int32_t status = findlr__take(&o, sizeof o, options,
                                FINDLR_SIZE_UP_TO(findlr_suggestion_options, num_iter),
                                "findlr_suggestion_options", err);
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
    status = findlr__give(ret_suggestion, &s, sizeof s,
                          FINDLR_SIZE_UP_TO(findlr_suggestion, message), "findlr_suggestion", err);
  }
  findlr__release(allocator, memory, size);
  return status;
}
