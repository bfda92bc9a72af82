/* SPDX-License-Identifier: MIT */
#include "drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct drawing_stroke {
  findlr_stroke stroke; /* first: the drawing's list points here */
  double *points;
  size_t capacity;
  char *text;
};

static char *copy_text(const char *text) {
  size_t size = 1;
  utf8_char ch;
  for (const char *t = text; utf8_next(&t, &ch);)
    size += ch.size;
  char *copy = malloc(size), *out = copy;
  if (!copy)
    return NULL;
  for (const char *t = text; utf8_next(&t, &ch); out += ch.size)
    memcpy(out, ch.bytes, ch.size);
  *out = 0;
  return copy;
}

void drawing_init(drawing *d, double width, double height, const char *title) {
  *d = (drawing){ .view = { .struct_size = sizeof d->view, .width = width, .height = height } };
  d->title = copy_text(title ? title : "");
  d->failed = !d->title;
  d->view.title = d->title;
}

void drawing_clear(drawing *d) {
  for (uint32_t i = 0; i < d->view.stroke_count; i++) {
    drawing_stroke *s = (drawing_stroke *)d->strokes[i];
    free(s->points);
    free(s->text);
    free(s);
  }
  free(d->strokes);
  free(d->title);
  *d = (drawing){ .failed = true };
}

findlr_stroke *drawing_begin(drawing *d, uint32_t type, uint32_t color, double width) {
  if (!d->failed && d->view.stroke_count == d->capacity) {
    size_t capacity = d->capacity ? 2 * d->capacity : 64;
    findlr_stroke **strokes = realloc(d->strokes, capacity * sizeof *strokes);
    if (strokes) {
      d->strokes = strokes;
      d->capacity = capacity;
    }
    d->failed = !strokes;
  }
  drawing_stroke *s = d->failed ? NULL : calloc(1, sizeof *s);
  if (!s) {
    d->failed = true;
    return &d->spare;
  }
  s->stroke = (findlr_stroke){
    .struct_size = sizeof s->stroke, .type = type, .color = color, .opacity = 1, .width = width
  };
  d->strokes[d->view.stroke_count++] = &s->stroke;
  return &s->stroke;
}

void drawing_point(drawing *d, double x, double y) {
  if (d->failed)
    return;
  drawing_stroke *s = (drawing_stroke *)d->strokes[d->view.stroke_count - 1];
  if (s->stroke.point_count == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 4;
    double *points =
        capacity < UINT32_MAX / 2 ? realloc(s->points, capacity * 2 * sizeof *points) : NULL;
    if (!points) {
      d->failed = true;
      return;
    }
    s->points = points;
    s->stroke.points = points;
    s->capacity = capacity;
  }
  s->points[2 * s->stroke.point_count] = x;
  s->points[2 * s->stroke.point_count + 1] = y;
  s->stroke.point_count++;
}

findlr_stroke *drawing_line(drawing *d, uint32_t color, double width, double x0, double y0,
                            double x1, double y1) {
  findlr_stroke *stroke = drawing_begin(d, FINDLR_DRAW_LINE, color, width);
  drawing_point(d, x0, y0);
  drawing_point(d, x1, y1);
  return stroke;
}

void drawing_box(drawing *d, uint32_t color, double x0, double y0, double x1, double y1) {
  drawing_begin(d, FINDLR_DRAW_AREA, color, 0);
  drawing_point(d, x0, y0);
  drawing_point(d, x1, y0);
  drawing_point(d, x1, y1);
  drawing_point(d, x0, y1);
}

/* --- text ------------------------------------------------------------------------------------ */

/* Advances of DejaVu Sans, which is wider than Helvetica, Arial and most others. */
static double advance(uint32_t code) {
  if (code >= '0' && code <= '9')
    return 0.64;
  if (code < 128 && strchr("il.,:;'|!jI()[]/ -", (int)code))
    return 0.38;
  if (code < 128 && strchr("mwMW%@", (int)code))
    return 0.95;
  if (code >= 'A' && code <= 'Z')
    return 0.72;
  return code < 0x1100 ? 0.62 : 1.0;
}

double drawing_text_width(const char *text, double size) {
  double width = 0;
  utf8_char ch;
  while (utf8_next(&text, &ch))
    width += advance(ch.code) * size;
  return width;
}

/* Cuts text so that with an ellipsis it fits. */
static void cut_text(char *text, double size, double room) {
  static const char ellipsis[] = "\xE2\x80\xA6";
  double width = drawing_text_width(ellipsis, size);
  const char *end = text, *fits = text;
  utf8_char ch;
  while (utf8_next(&end, &ch)) {
    width += advance(ch.code) * size;
    if (width > room)
      break;
    fits = end;
  }
  /* What is cut off is wider than the room for the ellipsis, but need not be longer. */
  size_t kept = (size_t)(fits - text), length = strlen(text);
  if (length - kept >= sizeof ellipsis - 1)
    memcpy(text + kept, ellipsis, sizeof ellipsis);
  else
    text[kept] = 0;
}

findlr_stroke *drawing_text(drawing *d, uint32_t color, double size, uint32_t align, double x,
                            double y, double room, const char *text) {
  char *copy = d->failed ? NULL : copy_text(text);
  if (!copy) {
    d->failed = true;
    return &d->spare;
  }
  double width = drawing_text_width(copy, size);
  if (width > room) {
    size *= fmax(room / width, 0.8);
    if (drawing_text_width(copy, size) > room * 1.0001)
      cut_text(copy, size, room);
  }
  findlr_stroke *stroke = drawing_begin(d, FINDLR_DRAW_TEXT, color, size);
  if (d->failed) {
    free(copy);
    return stroke;
  }
  ((drawing_stroke *)stroke)->text = copy;
  stroke->text = copy;
  stroke->align = align;
  drawing_point(d, x, y);
  return stroke;
}

const findlr_drawing *drawing_finish(drawing *d) {
  if (d->failed)
    return NULL;
  d->view.strokes = (const findlr_stroke *const *)d->strokes;
  return &d->view;
}
