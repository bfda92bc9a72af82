/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_AXIS_H
#define FINDLR_CLI_AXIS_H

/* What the picture and the terminal share: which part of a curve to show, and where the ticks
 * stand. */

#include "chart.h"

typedef struct axis {
  double low, high; /* finite, low < high */
  bool log;         /* then both are positive */
} axis;

/* The rates, with a little room at both ends. */
axis axis_of_rates(const chart *c);

/* The losses: plateau, fall, and the beginning of the divergence, not all of it. False if there is
 * no memory. */
bool axis_of_losses(const chart *c, axis *ret_axis);

/* Where a value lies: 0 at low, 1 at high, beyond them outside. NaN for NaN. */
double axis_place(const axis *a, double value);

/* The value at a place: the other way round. */
double axis_value(const axis *a, double place);

typedef struct tick {
  double value;
  char label[FINDLR_TEXT_SIZE]; /* "" for one without a label */
  bool decade;                  /* a power of ten on an axis that shows only these: */
  int power;                    /* 10^power */
} tick;

enum { AXIS_TICKS = 256 };

/* The ticks, rising; about wanted of them have labels. Returns how many there are. */
size_t axis_ticks(const axis *a, uint32_t wanted, tick out[AXIS_TICKS]);

/* Is it a number that can be drawn? Was step i skipped? */
bool chart_drawable(double value);
bool chart_skipped(const chart *c, size_t i);

/* The strong line: smoothed losses, or the raw ones if there are none. */
const double *chart_line(const chart *c);

/* The line piece by piece, as a pen draws it: through the steps that count, clipped to the axes,
 * with a gap where a loss is no number. Coordinates are places on the axes. */
typedef struct piece {
  double x0, y0, x1, y1; /* equal ends: a point without neighbours */
  bool joined;           /* begins where the one before ended */
  bool leaves;           /* the line goes on above */
} piece;

typedef struct pen {
  const chart *c;
  const double *line; /* chart_line(c) */
  const axis *rates, *losses;
  size_t next; /* begin with 0, and the rest cleared */
  double x, y;
  bool started, alone, down;
} pen;

/* The next piece, or false after the last. */
bool pen_move(pen *p, piece *out);

/* The line's loss at a rate, between two rows if need be; NaN if it has none there. */
double chart_line_at(const chart *c, const axis *rates, double lr);

#endif
