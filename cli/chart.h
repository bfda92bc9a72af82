/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_CHART_H
#define FINDLR_CLI_CHART_H

/* The picture of a learning-rate curve: as a file (SVG, PNG, PDF) and as text for a terminal.
 *
 * Rates run along a logarithmic axis, or a linear one if one of them is not positive. The losses
 * may be anything: what explodes leaves the picture at its upper edge, NaN and infinite ones are
 * gaps. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findlr/findlr.h"

typedef struct chart {
  size_t n;               /* rows; 0 is allowed everywhere */
  const double *lr;       /* n rates */
  const double *loss;     /* n raw losses */
  const double *smoothed; /* n, or NULL: none */
  const uint8_t *skipped; /* n, FINDLR_POINT_SKIPPED where a step did not count (a curve's flags
                           * will do); or NULL: none */
  double suggested;       /* NaN: none */
  double low, high;       /* the interval for a cyclical schedule; NaN: none */
  const char *title;      /* UTF-8; NULL or "": none. "MLP 64-128-10 on digits" */
  const char *subtitle;   /* "adam, cross_entropy, batch 64, 100 steps" */
  const char *y_label;    /* NULL: "loss" */
  const char *note; /* one sentence to say in the suggestion's place if there is none: a verdict */
  /* A plain curve is another kind of picture: loss over any rising lr (a schedule's rates over steps), all of
   * it, on linear axes, without dots, marks, suggestion and legend. */
  bool plain;
  const char *x_label;     /* NULL: "learning rate", and its scale */
  const double *below;     /* plain, as a file: n values for a smaller panel below; NULL: none */
  const char *below_label;
} chart;

/* Takes a piece of what was made. Returns 0, or a negative status, which is passed on. */
typedef int32_t (*chart_sink)(void *ud, const void *bytes, size_t size);

/* Writes the picture in a format: "svg", "png" or "pdf". The last two need the plugin cairo, which
 * is loaded through context (not used, and may be NULL, for svg). FINDLR_ERR_ARGUMENT for another
 * format (the sentence lists them), FINDLR_ERR_UNSUPPORTED without the plugin,
 * FINDLR_ERR_NO_MEMORY, FINDLR_ERR_BACKEND if cairo fails (a part of a pdf may have been written),
 * or what sink returned: then err holds a sentence only if sink's owner put one there. */
int32_t chart_write(const chart *c, const char *format, findlr_context *context, chart_sink sink,
                    void *ud, findlr_error *err);

enum {
  CHART_UNICODE = 1, /* braille and box drawing; else ASCII */
  CHART_COLOR = 2    /* ANSI colours */
};

/* Writes the curve as rows lines of at most columns characters, each ended by a newline. Never
 * larger than asked for, but for a smallest size of 30 x 8. FINDLR_ERR_NO_MEMORY, or what sink
 * returned. */
int32_t chart_text(const chart *c, uint32_t columns, uint32_t rows, uint32_t flags, chart_sink sink,
                   void *ud, findlr_error *err);

/* A number for people, rounded to so many significant digits: "0.0148", "1.48e-07", "nan". The same
 * in every locale. buffer has room for FINDLR_TEXT_SIZE bytes. Returns buffer. */
char *chart_number(double value, int digits, char *buffer);

#endif
