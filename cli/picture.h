/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_PICTURE_H
#define FINDLR_CLI_PICTURE_H

#include "chart.h"
#include "record.h"

/* The chart of a concluded record; title NULL: as its configuration says. Lives as long as the record
 * and subtitle, the buffer that it borrows. */
enum { PICTURE_TEXT = 256 };
chart picture_chart(const record *r, const char *title, char subtitle[PICTURE_TEXT]);

/* Can a picture be made at this path? Its ending names the format, "-" is SVG; png and pdf need the
 * plugin cairo. Sets *ret_format. */
int32_t picture_format(const char *path, findlr_context *context, const char **ret_format,
                       findlr_error *err);

/* Draws a concluded record into an output, and closes that, whatever happens. */
int32_t picture_write(const record *r, const char *title, const char *format, findlr_context *context,
                      output *to, findlr_error *err);

#endif
