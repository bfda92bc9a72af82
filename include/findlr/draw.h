/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_DRAW_H
#define FINDLR_DRAW_H

#include "host.h"

FINDLR_BEGIN

/* A picture as a list of strokes, so that one description serves SVG, PNG and PDF. */

enum {
  FINDLR_DRAW_LINE = 1, /* points joined, width and dash as set */
  FINDLR_DRAW_AREA = 2, /* points as a filled polygon */
  FINDLR_DRAW_MARKERS = 3, /* a filled circle of diameter `width` at each point */
  FINDLR_DRAW_TEXT = 4  /* text at points[0] */
};

enum { FINDLR_ALIGN_START = 0, FINDLR_ALIGN_MIDDLE = 1, FINDLR_ALIGN_END = 2 };

/* One stroke. Units are points (1/72 inch), x to the right and y down from the upper left corner. */
typedef struct findlr_stroke {
  uint32_t struct_size;
  uint32_t type;     /* FINDLR_DRAW_... */
  uint32_t color;    /* 0xRRGGBB */
  uint32_t align;    /* TEXT: FINDLR_ALIGN_... */
  uint32_t point_count;
  uint32_t bold;     /* TEXT */
  double opacity;    /* 0..1 */
  double width;      /* LINE: stroke width; MARKERS: diameter; TEXT: font size */
  double dash;       /* LINE: length of dash and gap; 0: solid */
  double rotation;   /* TEXT: degrees, counter-clockwise */
  const double *points; /* x, y, x, y, ... */
  const char *text;  /* TEXT: UTF-8 */
} findlr_stroke;

typedef struct findlr_drawing {
  uint32_t struct_size;
  uint32_t stroke_count;
  double width, height; /* points; the background is white */
  const char *title;    /* for the file's metadata */
  const findlr_stroke *const *strokes; /* drawn in this order */
} findlr_drawing;

/* Extension of a plugin that can write drawings in a file format. write is handed the finished bytes
 * in order and returns 0, or a negative status that render passes on. */
#define FINDLR_EXT_RENDER "findlr.render/1"
typedef struct findlr_render {
  uint32_t struct_size;
  uint32_t reserved;
  /* format: "png" or "pdf"; scale: pixels a point for png. FINDLR_ERR_UNSUPPORTED for others. */
  int32_t (*render)(const findlr_host *host, void *ctx, const findlr_drawing *drawing,
                    const char *format, double scale,
                    int32_t (*write)(void *ud, const void *bytes, size_t size), void *ud);
} findlr_render;

FINDLR_END

#endif
