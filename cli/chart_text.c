/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axis.h"
#include "utf8.h"

/* The curve in characters: braille patterns, eight dots a cell, or in ASCII a star a cell. */

static const char PAINT_NONE[] = "", PAINT_DIM[] = "\033[2m", PAINT_LINE[] = "\033[1;36m",
                  PAINT_SUGGESTED[] = "\033[1;33m";

typedef struct screen {
  const chart *c;
  axis rates, losses;
  bool unicode, color;
  uint32_t margin;         /* columns left of the plot, its axis included */
  uint32_t columns, rows;  /* of the plot, in cells */
  uint32_t dots_x, dots_y; /* of a cell */
  uint8_t *raw, *line;     /* the dots of each cell, as in U+2800 */
  uint32_t suggested;      /* its column; UINT32_MAX: none */
  /* the line of text that is being made */
  char *text;
  size_t size, capacity;
  const char *paint;
} screen;

static void put(screen *s, const char *text) {
  size_t n = strlen(text);
  if (n >= s->capacity - s->size)
    return;
  memcpy(s->text + s->size, text, n + 1);
  s->size += n;
}

static void paint(screen *s, const char *with) {
  if (!s->color || s->paint == with)
    return;
  if (s->paint != PAINT_NONE)
    put(s, "\033[0m");
  put(s, with);
  s->paint = with;
}

static void put_spaces(screen *s, size_t n) {
  for (; n && n < s->capacity; n--)
    put(s, " ");
}

static int32_t end_line(screen *s, chart_sink sink, void *ud) {
  while (s->size && s->text[s->size - 1] == ' ')
    s->size--;
  paint(s, PAINT_NONE);
  put(s, "\n");
  int32_t status = sink(ud, s->text, s->size);
  s->size = 0;
  return status;
}

/* --- dots ------------------------------------------------------------------------------------ */

/* Which of n dots a place from 0 to 1 falls on. */
static uint32_t dot(double place, uint32_t n) {
  return (uint32_t)(place * (n - 1) + 0.5);
}

static void set_dot(screen *s, uint8_t *layer, double place_x, double place_y) {
  static const uint8_t bits[4][2] = {
    { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
  };
  if (!(place_x >= 0 && place_x <= 1 && place_y >= 0 && place_y <= 1))
    return;
  uint32_t x = dot(place_x, s->columns * s->dots_x), y = dot(1 - place_y, s->rows * s->dots_y);
  layer[y / s->dots_y * s->columns + x / s->dots_x] |= bits[y % s->dots_y][x % s->dots_x];
}

static void draw(screen *s) {
  const chart *c = s->c;
  for (size_t i = 0; i < c->n; i++)
    if (!chart_skipped(c, i) && chart_drawable(c->loss[i]) && chart_drawable(c->lr[i]))
      set_dot(s, s->raw, axis_place(&s->rates, c->lr[i]), axis_place(&s->losses, c->loss[i]));
  pen p = { .c = c, .line = chart_line(c), .rates = &s->rates, .losses = &s->losses };
  piece next;
  while (pen_move(&p, &next)) {
    double dx = next.x1 - next.x0, dy = next.y1 - next.y0;
    double steps =
        ceil(fmax(fabs(dx) * s->columns * s->dots_x, fabs(dy) * s->rows * s->dots_y)) + 1;
    for (double t = 0; t <= steps; t++)
      set_dot(s, s->line, next.x0 + dx * t / steps, next.y0 + dy * t / steps);
  }
}

static void put_cell(screen *s, uint8_t dots) {
  if (!s->unicode) {
    put(s, "*");
    return;
  }
  char text[4] = { '\xE2', (char)(0xA0 + (dots >> 6)), (char)(0x80 + (dots & 0x3F)), 0 };
  put(s, text);
}

/* --- lines ----------------------------------------------------------------------------------- */

static uint32_t column_of(const screen *s, double lr) {
  double place = axis_place(&s->rates, lr);
  return place >= 0 && place <= 1 ? dot(place, s->columns * s->dots_x) / s->dots_x : UINT32_MAX;
}

static uint32_t row_of(const screen *s, double loss) {
  double place = axis_place(&s->losses, loss);
  return place >= 0 && place <= 1 ? dot(1 - place, s->rows * s->dots_y) / s->dots_y : UINT32_MAX;
}

/* At most room columns of a text. */
static void put_text(screen *s, const char *text, uint32_t room) {
  utf8_char ch;
  uint32_t length = 0;
  for (const char *t = text; utf8_next(&t, &ch);)
    length++;
  uint32_t kept = length <= room ? length : room - (s->unicode ? 1 : 3);
  for (uint32_t i = 0; i < kept && utf8_next(&text, &ch); i++) {
    char one[5] = "";
    memcpy(one, ch.bytes, ch.size);
    put(s, ch.code < 128 || s->unicode ? one : "?");
  }
  if (kept < length)
    put(s, s->unicode ? "\xE2\x80\xA6" : "...");
}

/* The suggested rate over its column, or the note. */
static void put_suggestion(screen *s) {
  const chart *c = s->c;
  if (s->suggested == UINT32_MAX) {
    put_spaces(s, s->margin);
    put_text(s, c->note ? c->note : "", s->columns);
    return;
  }
  char number[FINDLR_TEXT_SIZE];
  chart_number(c->suggested, 3, number);
  uint32_t length = (uint32_t)strlen(number);
  bool right = s->suggested + 2 + length <= s->columns;
  put_spaces(s, s->margin + s->suggested - (right ? 0 : length + 1));
  paint(s, PAINT_SUGGESTED);
  if (!right) {
    put(s, number);
    put(s, " ");
  }
  put(s, s->unicode ? "\xE2\x96\xBC" : "v");
  if (right) {
    put(s, " ");
    put(s, number);
  }
}

static void put_row(screen *s, uint32_t row, const char *label) {
  put_spaces(s, s->margin - 2 - strlen(label));
  put(s, label);
  put(s, s->unicode ? (*label ? " \xE2\x94\xA4" : " \xE2\x94\x82") : *label ? " +" : " |");
  double loss = s->suggested == UINT32_MAX ? NAN : chart_line_at(s->c, &s->rates, s->c->suggested);
  uint32_t marker = row_of(s, loss);
  bool only_line = chart_line(s->c) == s->c->loss;
  for (uint32_t x = 0; x < s->columns; x++) {
    uint8_t line = s->line[row * s->columns + x], raw = s->raw[row * s->columns + x];
    if (x == s->suggested && row == marker) {
      paint(s, PAINT_SUGGESTED);
      put(s, s->unicode ? "\xE2\x97\x8F" : "O");
    } else if (line) {
      paint(s, PAINT_LINE);
      put_cell(s, line);
    } else if (x == s->suggested) {
      paint(s, PAINT_SUGGESTED);
      put(s, s->unicode ? "\xE2\x94\x8A" : ":");
    } else if (raw && !only_line && (s->color || !s->unicode)) {
      paint(s, PAINT_DIM);
      if (s->unicode)
        put_cell(s, raw);
      else
        put(s, ".");
    } else {
      paint(s, s->paint == PAINT_DIM ? PAINT_NONE : s->paint);
      put(s, " ");
    }
  }
}

/* The axis itself; the interval for cyclical schedules is its thick part. */
static void put_axis(screen *s, const tick *ticks, size_t n) {
  uint32_t low = 1, high = 0;
  if (s->c->low < s->c->high && s->c->low < s->rates.high && s->c->high > s->rates.low) {
    low = column_of(s, fmax(s->c->low, s->rates.low));
    high = column_of(s, fmin(s->c->high, s->rates.high));
  }
  put_spaces(s, s->margin - 1);
  put(s, s->unicode ? "\xE2\x94\x94" : "+");
  for (uint32_t x = 0; x < s->columns; x++) {
    bool thick = x >= low && x <= high, labelled = false;
    for (size_t i = 0; i < n; i++)
      labelled = labelled || (*ticks[i].label && column_of(s, ticks[i].value) == x);
    paint(s, thick ? PAINT_SUGGESTED : PAINT_NONE);
    if (s->unicode)
      put(s, thick      ? (labelled ? "\xE2\x94\xAF" : "\xE2\x94\x81")
             : labelled ? "\xE2\x94\xAC"
                        : "\xE2\x94\x80");
    else
      put(s, labelled ? "+" : thick ? "=" : "-");
  }
}

static void put_rate_labels(screen *s, const tick *ticks, size_t n) {
  uint32_t end = 0; /* columns written */
  for (size_t i = 0; i < n; i++) {
    uint32_t length = (uint32_t)strlen(ticks[i].label), x = column_of(s, ticks[i].value);
    if (!length || x == UINT32_MAX)
      continue;
    x += s->margin;
    uint32_t start = x > length / 2 ? x - length / 2 : 0, width = s->margin + s->columns;
    if (start + length > width)
      start = width - length;
    if (start < end + (end > 0))
      continue;
    put_spaces(s, start - end);
    put(s, ticks[i].label);
    end = start + length;
  }
}

/* --- the whole ------------------------------------------------------------------------------- */

static int32_t write_lines(screen *s, uint32_t rows, chart_sink sink, void *ud) {
  const chart *c = s->c;
  tick losses[AXIS_TICKS], rates[AXIS_TICKS];
  size_t n_losses = axis_ticks(&s->losses, s->rows / 3 + 1, losses);
  size_t n_rates = axis_ticks(&s->rates, s->columns / 8 + 1, rates);
  int32_t status = 0;
  if (rows > s->rows + 3) {
    put_spaces(s, s->margin);
    put_text(s, c->title, s->columns);
    status = end_line(s, sink, ud);
  }
  put_suggestion(s);
  if (status >= 0)
    status = end_line(s, sink, ud);
  for (uint32_t row = 0; row < s->rows && status >= 0; row++) {
    const char *label = "";
    for (size_t i = 0; i < n_losses; i++)
      if (row_of(s, losses[i].value) == row)
        label = losses[i].label;
    put_row(s, row, label);
    status = end_line(s, sink, ud);
  }
  if (status >= 0) {
    put_axis(s, rates, n_rates);
    status = end_line(s, sink, ud);
  }
  if (status >= 0) {
    put_rate_labels(s, rates, n_rates);
    status = end_line(s, sink, ud);
  }
  return status;
}

int32_t chart_text(const chart *c, uint32_t columns, uint32_t rows, uint32_t flags, chart_sink sink,
                   void *ud, findlr_error *err) {
  columns = columns < 30 ? 30 : columns > 1000 ? 1000 : columns;
  rows = rows < 8 ? 8 : rows > 500 ? 500 : rows;
  screen s = { .c = c, .rates = axis_of_rates(c), .paint = PAINT_NONE };
  s.unicode = flags & CHART_UNICODE;
  s.color = flags & CHART_COLOR;
  s.dots_x = s.unicode ? 2 : 1;
  s.dots_y = s.unicode ? 4 : 1;
  s.rows = rows - 3 - (c->title && *c->title);
  s.capacity = (size_t)columns * 20 + 64;
  bool done = axis_of_losses(c, &s.losses);
  uint8_t *memory = NULL;
  if (done) {
    tick ticks[AXIS_TICKS];
    size_t n = axis_ticks(&s.losses, s.rows / 3 + 1, ticks), length = 1;
    for (size_t i = 0; i < n; i++)
      length = strlen(ticks[i].label) > length ? strlen(ticks[i].label) : length;
    s.margin = (uint32_t)(length < 14 ? length : 14) + 3;
    s.columns = columns - s.margin;
    s.suggested = isfinite(c->suggested) ? column_of(&s, c->suggested) : UINT32_MAX;
    size_t cells = (size_t)s.columns * s.rows;
    memory = calloc(2 * cells + s.capacity, 1);
    s.raw = memory;
    s.line = memory + cells;
    s.text = (char *)memory + 2 * cells;
  }
  if (!memory) {
    if (err) {
      err->code = FINDLR_ERR_NO_MEMORY;
      snprintf(err->message, sizeof err->message, "no memory for the picture");
    }
    return FINDLR_ERR_NO_MEMORY;
  }
  draw(&s);
  int32_t status = write_lines(&s, rows, sink, ud);
  free(memory);
  return status;
}
