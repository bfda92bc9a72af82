/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TEXT_H
#define FINDLR_TEXT_H

#include "base.h"

FINDLR_BEGIN

/* Numbers as text, the same in every locale. Pure. [any thread] */

/* A buffer of this size holds any double. */
#define FINDLR_TEXT_SIZE 32

/* Reads the decimal number at the start of text (at most len bytes; no leading space): digits with an
 * optional sign, point and exponent, or "inf", "infinity", "nan" in any case. Correctly rounded.
 * Returns how many bytes belong to it and sets *ret_value, or returns 0 and leaves it. */
FINDLR_API size_t findlr_text_parse(const char *text, size_t len, double *ret_value);

/* Writes the shortest decimal text that reads back equal ("0.1", "1e-07", "inf", "nan") and a NUL.
 * Returns its length without the NUL, or 0 if size does not suffice. */
FINDLR_API size_t findlr_text_format(double value, char *buffer, size_t size);

FINDLR_END

#endif
