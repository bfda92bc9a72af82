/* SPDX-License-Identifier: MIT */
#include "findlr/schedule.h"

#include <math.h>

#include "internal.h"

int32_t findlr_ramp_rate(uint32_t mode, double start, double end, int64_t i, int64_t steps,
                         double *ret_rate, findlr_error *err) {
  if (!ret_rate)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ret_rate is NULL");
  if (mode != FINDLR_RAMP_EXPONENTIAL && mode != FINDLR_RAMP_LINEAR)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ramp mode is %u, wanted one of FINDLR_RAMP_...",
                        mode);
  if (!isfinite(start) || !isfinite(end) || start == end)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "a ramp from %g to %g, wanted two different finite rates", start, end);
  if (mode == FINDLR_RAMP_EXPONENTIAL && (start <= 0 || end <= 0))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "an exponential ramp from %g to %g, wanted rates above 0", start, end);
  if (steps < 2 || i < 0 || i >= steps)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "step %lld of a ramp of %lld, wanted 2 steps or more and one of them",
                        (long long)i, (long long)steps);

  double part = (double)i / (double)(steps - 1);
  if (i == 0)
    *ret_rate = start;
  else if (i == steps - 1)
    *ret_rate = end;
  else if (mode == FINDLR_RAMP_EXPONENTIAL) {
    double ratio = end / start;
    /* A ratio that no double holds still has rates that one does. */
    *ret_rate = isnormal(ratio) ? start * pow(ratio, part) : pow(start, 1 - part) * pow(end, part);
  } else {
    double rise = end - start;
    *ret_rate = isfinite(rise) ? start + rise * part : start * (1 - part) + end * part;
  }
  return FINDLR_OK;
}
