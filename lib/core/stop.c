/* SPDX-License-Identifier: MIT */
#include "stop.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "internal.h"

/* The first loss that can count as risen: those before it show what noise is usual, and by that
 * measure none of them has. Keras' callback begins at the same one. */
enum { FIRST_JUDGED = 7 };

/* So many losses in a row must have risen: a spike, or two, is not a divergence. */
enum { IN_A_ROW = 3 };

void findlr_stop_init(findlr_stop *stop, size_t size) {
  if (!stop || size < sizeof(uint32_t))
    return;
  findlr_stop defaults = { (uint32_t)size, FINDLR_STOP_RISE, 4, NULL };
  memset(stop, 0, size);
  memcpy(stop, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

int32_t findlr__stopper_init(findlr__stopper *stopper, const findlr_stop *stop,
                             findlr_error *err) {
  findlr_stop taken;
  findlr_stop_init(&taken, sizeof taken);
  int32_t status = findlr__take(&taken, sizeof taken, stop, FINDLR_SIZE_UP_TO(findlr_stop, smoothing),
                                "findlr_stop", err);
  if (status != FINDLR_OK)
    return status;
  if (taken.rule > FINDLR_STOP_RISE)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "stop rule is %u, wanted one of FINDLR_STOP_...",
                        taken.rule);
  double least = taken.rule == FINDLR_STOP_FACTOR ? 1 : 0;
  if (taken.rule >= FINDLR_STOP_FACTOR && !(taken.factor > least && isfinite(taken.factor)))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "stop factor is %g, wanted more than %g",
                        taken.factor, least);

  findlr__stopper fresh = { .rule = taken.rule, .factor = taken.factor };
  const findlr_smoothing ema = { sizeof ema, FINDLR_SMOOTHING_EMA, 0.98 };
  const findlr_smoothing seeded = { sizeof seeded, FINDLR_SMOOTHING_SEEDED_EMA, 0.05 };
  status = findlr__smoother_init(&fresh.smoothed, taken.smoothing ? taken.smoothing : &ema, err);
  if (status == FINDLR_OK)
    status = findlr__smoother_init(&fresh.seeded, &seeded, err);
  if (status == FINDLR_OK)
    *stopper = fresh;
  return status;
}

/* Takes in the count-th value (FIRST_JUDGED stands for all later ones, too) and says whether it lies
 * more than factor times the scale above the best. Added to the best, not taken from the value: so
 * with positive losses this is never true before peers' value > (1 + factor) * best. */
static bool risen(findlr__watched *of, uint32_t count, double value, double factor) {
  if (count == 1 || value < of->best)
    of->best = value;
  if (count == 1 || (count < FIRST_JUDGED && value > of->highest))
    of->highest = value;
  return value > of->best + factor * fmax(fabs(of->best), of->highest - of->best);
}

int32_t findlr__stopper_add(findlr__stopper *s, double loss) {
  if (s->rule == FINDLR_STOP_NONE)
    return FINDLR_REASON_RUNNING;
  if (!isfinite(loss))
    return FINDLR_REASON_NOT_FINITE;
  if (s->rule == FINDLR_STOP_NOT_FINITE)
    return FINDLR_REASON_RUNNING;

  if (s->count < FIRST_JUDGED)
    s->count++;
  double smoothed = findlr__smoother_next(&s->smoothed, loss);
  double seeded = findlr__smoother_next(&s->seeded, loss);
  s->high = risen(&s->of_raw, s->count, loss, s->factor) ? s->high + (s->high < IN_A_ROW) : 0;
  bool seeded_risen = risen(&s->of_seeded, s->count, seeded, s->factor);
  bool smoothed_risen = risen(&s->of_smoothed, s->count, smoothed, s->factor);
  bool diverged;
  if (s->rule == FINDLR_STOP_FACTOR)
    diverged = smoothed > s->factor * s->of_smoothed.best;
  else
    diverged = s->high == IN_A_ROW && seeded_risen && smoothed_risen;
  return diverged ? FINDLR_REASON_DIVERGED : FINDLR_REASON_RUNNING;
}
