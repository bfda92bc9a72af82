/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_DRAWING_H
#define FINDLR_CLI_DRAWING_H

/* A findlr_drawing under construction. Where memory runs out, all calls after do nothing and
 * drawing_finish returns NULL: check once, at the end. */

#include <stdbool.h>

#include "findlr/findlr.h"

typedef struct drawing_stroke drawing_stroke; /* a findlr_stroke and what it owns */

typedef struct drawing {
  findlr_drawing view;
  findlr_stroke **strokes; /* each the first member of a drawing_stroke */
  size_t capacity;
  char *title;
  bool failed;
  findlr_stroke spare; /* what callers get to fill once memory has run out */
} drawing;

/* Strings are copied; what is no UTF-8, and control characters, become U+FFFD. title NULL: none. */
void drawing_init(drawing *d, double width, double height, const char *title);
void drawing_clear(drawing *d);

/* Begins a stroke; drawing_point adds to the last one begun. Returns it, for its rarer
 * members. */
findlr_stroke *drawing_begin(drawing *d, uint32_t type, uint32_t color, double width);
void drawing_point(drawing *d, double x, double y);

findlr_stroke *drawing_line(drawing *d, uint32_t color, double width, double x0, double y0,
                            double x1, double y1);
void drawing_box(drawing *d, uint32_t color, double x0, double y0, double x1, double y1);

/* Text shrinks down to four fifths of its size, then is cut, to remain within room points. Returns
 * its stroke. */
findlr_stroke *drawing_text(drawing *d, uint32_t color, double size, uint32_t align, double x,
                            double y, double room, const char *text);

/* About how wide a text is in a common sans-serif face; rather too wide. */
double drawing_text_width(const char *text, double size);

/* What was drawn, valid until drawing_clear; NULL if memory ran out. */
const findlr_drawing *drawing_finish(drawing *d);

#endif
