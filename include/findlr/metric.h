/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_METRIC_H
#define FINDLR_METRIC_H

#include "base.h"

FINDLR_BEGIN

/* Which way a metric gets better. */
enum {
  FINDLR_METRIC_MIN = 0, /* the smaller the better: a loss */
  FINDLR_METRIC_MAX = 1  /* the larger the better: accuracy, r2 */
};

FINDLR_END

#endif
