/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_BUILTIN_DIGITS_H
#define FINDLR_BUILTIN_DIGITS_H

#include "findlr/component.h"

enum { FINDLR__DIGITS_ROWS = 1797, FINDLR__DIGITS_PIXELS = 64 };

extern const char findlr__digits_rows[FINDLR__DIGITS_ROWS][1 + FINDLR__DIGITS_PIXELS + 1];

/* The data source "digits": the 1,797 8x8 digits of the UCI test set, in [0, 1] by 1/16, 10 classes. */
extern const findlr_component findlr__digits;

#endif
