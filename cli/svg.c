/* SPDX-License-Identifier: MIT */
#include "svg.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct buffer {
  char *bytes; /* NULL once memory has run out */
  size_t size, capacity;
} buffer;

static void put_bytes(buffer *out, const char *text, size_t n) {
  if (out->bytes && n > out->capacity - out->size) {
    size_t capacity = 2 * (out->capacity + n);
    char *bytes = realloc(out->bytes, capacity);
    if (!bytes)
      free(out->bytes);
    out->bytes = bytes;
    out->capacity = capacity;
  }
  if (!out->bytes)
    return;
  memcpy(out->bytes + out->size, text, n);
  out->size += n;
}

static void put(buffer *out, const char *text) {
  put_bytes(out, text, strlen(text));
}

/* Hundredths of a point are finer than any screen. */
static void put_number(buffer *out, double value) {
  char text[FINDLR_TEXT_SIZE];
  double rounded = round(value * 100) / 100;
  put_bytes(out, text, findlr_text_format(rounded == 0 ? 0 : rounded, text, sizeof text));
}

static void put_attribute(buffer *out, const char *name, double value) {
  put(out, " ");
  put(out, name);
  put(out, "=\"");
  put_number(out, value);
  put(out, "\"");
}

static void put_color(buffer *out, const char *name, const findlr_stroke *s) {
  char text[64];
  int n = snprintf(text, sizeof text, " %s=\"#%06x\"", name, (unsigned)(s->color & 0xFFFFFF));
  put_bytes(out, text, (size_t)n);
  if (s->opacity < 1)
    put_attribute(out, "opacity", s->opacity);
}

static void put_escaped(buffer *out, const char *text) {
  for (; *text; text++)
    switch (*text) {
    case '&':
      put(out, "&amp;");
      break;
    case '<':
      put(out, "&lt;");
      break;
    case '>':
      put(out, "&gt;");
      break;
    default:
      put_bytes(out, text, 1);
    }
}

static void put_points(buffer *out, const findlr_stroke *s) {
  put(out, " points=\"");
  for (uint32_t i = 0; i < 2 * s->point_count; i++) {
    if (i)
      put(out, i % 2 ? "," : " ");
    put_number(out, s->points[i]);
  }
  put(out, "\"");
}

/* A dot is a line without length and with round ends: a dozen bytes each. */
static void put_dots(buffer *out, const findlr_stroke *s) {
  put(out, " d=\"");
  for (uint32_t i = 0; i < s->point_count; i++) {
    put(out, "M");
    put_number(out, round(s->points[2 * i] * 10) / 10);
    put(out, ",");
    put_number(out, round(s->points[2 * i + 1] * 10) / 10);
    put(out, "h0");
  }
  put(out, "\"");
}

static void put_text(buffer *out, const findlr_stroke *s) {
  static const char *const anchors[] = { "start", "middle", "end" };
  double x = s->points[0], y = s->points[1];
  put_attribute(out, "x", x);
  put_attribute(out, "y", y);
  put_attribute(out, "font-size", s->width);
  if (s->align != FINDLR_ALIGN_START && s->align <= FINDLR_ALIGN_END) {
    put(out, " text-anchor=\"");
    put(out, anchors[s->align]);
    put(out, "\"");
  }
  if (s->bold)
    put(out, " font-weight=\"bold\"");
  if (s->rotation != 0) {
    put(out, " transform=\"rotate(");
    put_number(out, -s->rotation);
    put(out, " ");
    put_number(out, x);
    put(out, " ");
    put_number(out, y);
    put(out, ")\"");
  }
  put_color(out, "fill", s);
  put(out, ">");
  put_escaped(out, s->text);
  put(out, "</text>\n");
}

static void put_stroke(buffer *out, const findlr_stroke *s) {
  if (!s->point_count)
    return;
  switch (s->type) {
  case FINDLR_DRAW_LINE:
    put(out, "<polyline fill=\"none\" stroke-linejoin=\"round\"");
    put_color(out, "stroke", s);
    put_attribute(out, "stroke-width", s->width);
    if (s->dash > 0)
      put_attribute(out, "stroke-dasharray", s->dash);
    put_points(out, s);
    put(out, "/>\n");
    break;
  case FINDLR_DRAW_AREA:
    put(out, "<polygon");
    put_color(out, "fill", s);
    put_points(out, s);
    put(out, "/>\n");
    break;
  case FINDLR_DRAW_MARKERS:
    put(out, "<path fill=\"none\" stroke-linecap=\"round\"");
    put_color(out, "stroke", s);
    put_attribute(out, "stroke-width", s->width);
    put_dots(out, s);
    put(out, "/>\n");
    break;
  case FINDLR_DRAW_TEXT:
    put(out, "<text");
    put_text(out, s);
    break;
  }
}

char *svg_from_drawing(const findlr_drawing *drawing, size_t *ret_size) {
  buffer out = { malloc(16384), 0, 16384 };
  put(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" role=\"img\"");
  /* In CSS pixels a point is 4/3; browsers show the picture at its printed size. */
  put_attribute(&out, "width", drawing->width * 4 / 3);
  put_attribute(&out, "height", drawing->height * 4 / 3);
  put(&out, " viewBox=\"0 0 ");
  put_number(&out, drawing->width);
  put(&out, " ");
  put_number(&out, drawing->height);
  put(&out, "\" font-family=\"sans-serif\">\n<title>");
  put_escaped(&out, drawing->title);
  put(&out, "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
  for (uint32_t i = 0; i < drawing->stroke_count; i++)
    put_stroke(&out, drawing->strokes[i]);
  put(&out, "</svg>\n");
  *ret_size = out.size;
  return out.bytes;
}
