/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_CURVE_H
#define FINDLR_CORE_CURVE_H

#include "findlr/curve.h"

/* The allocator that the curve was made with, for what is computed from it. */
const findlr_allocator *findlr__curve_allocator(const findlr_curve *curve);

#endif
