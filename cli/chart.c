/* SPDX-License-Identifier: MIT */
#include "chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axis.h"
#include "drawing.h"
#include "svg.h"

/* Colours that colour-blind people can tell apart (Okabe and Ito's), of different darkness, and
 * every mark has a shape of its own besides. */
enum {
  INK = 0x222222,
  QUIET = 0x595959,
  FRAME = 0x8C8C8C,
  GRID = 0xECECEC,
  RAW = 0xA3A3A3,
  LINE = 0x0063A5,
  SUGGESTED = 0xC84E00,
  BAND = 0xFBEBCF,
  BAND_EDGE = 0xD9B36C
};

/* The picture in points; the rest follows from them. */
#define WIDTH 640.0
#define PLOT_HEIGHT 270.0
#define BELOW_HEIGHT 110.0
#define MARGIN 16.0
#define LABEL_SIZE 11.0
#define SMALL_SIZE 10.0
#define MINUS "\xE2\x88\x92" /* U+2212 */

typedef struct canvas {
  drawing d;
  const chart *c;
  axis rates, losses;
  double left, top, right, bottom; /* of the frame */
  bool cut, nonfinite, skipped;    /* what there was to mark */
} canvas;

static double place_x(const canvas *v, double place) {
  return v->left + (v->right - v->left) * place;
}

static double place_y(const canvas *v, double place) {
  return v->bottom - (v->bottom - v->top) * place;
}

static double at_x(const canvas *v, double lr) {
  return place_x(v, axis_place(&v->rates, lr));
}

static double at_y(const canvas *v, double loss) {
  return place_y(v, axis_place(&v->losses, loss));
}

/* --- the frame ------------------------------------------------------------------------------- */

static void draw_rates_axis(canvas *v) {
  tick ticks[AXIS_TICKS];
  size_t n = axis_ticks(&v->rates, 9, ticks);
  double last_end = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    const tick *t = &ticks[i];
    double x = at_x(v, t->value), y = v->bottom + 17;
    bool labelled = t->label[0];
    drawing_line(&v->d, labelled ? QUIET : FRAME, labelled ? 1 : 0.6, x, v->bottom, x,
                 v->bottom + (labelled ? 5 : 3));
    if (!labelled)
      continue;
    if (t->decade) {
      char power[16];
      snprintf(power, sizeof power, "%s%d", t->power < 0 ? MINUS : "", abs(t->power));
      double seam = x + 2 - drawing_text_width(power, 8) / 2 + 5;
      drawing_text(&v->d, INK, LABEL_SIZE, FINDLR_ALIGN_END, seam - 0.5, y, 40, "10");
      drawing_text(&v->d, INK, 8, FINDLR_ALIGN_START, seam, y - 5, 40, power);
      continue;
    }
    double half = drawing_text_width(t->label, LABEL_SIZE) / 2;
    if (x - half < last_end + 4)
      continue;
    last_end = x + half;
    drawing_text(&v->d, INK, LABEL_SIZE, FINDLR_ALIGN_MIDDLE, x, y, 80, t->label);
  }
}

static void draw_losses_axis(canvas *v, const tick *ticks, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double y = at_y(v, ticks[i].value);
    drawing_line(&v->d, GRID, 0.8, v->left, y, v->right, y);
    drawing_line(&v->d, QUIET, 1, v->left - 5, y, v->left, y);
    char label[FINDLR_TEXT_SIZE + 4];
    bool minus = ticks[i].label[0] == '-';
    snprintf(label, sizeof label, "%s%s", minus ? MINUS : "", ticks[i].label + minus);
    drawing_text(&v->d, INK, LABEL_SIZE, FINDLR_ALIGN_END, v->left - 8, y + 4, 90, label);
  }
}

/* --- what was recorded ----------------------------------------------------------------------- */

/* One dot a step, but none where another covers it. */
static bool draw_raw(canvas *v) {
  const chart *c = v->c;
  double size = c->n <= 400 ? 2.6 : c->n <= 2000 ? 2 : 1.5;
  double cell = size * (c->n <= 2000 ? 0.3 : 0.7);
  size_t columns = (size_t)((v->right - v->left) / cell) + 2;
  size_t rows = (size_t)((v->bottom - v->top) / cell) + 2;
  uint8_t *taken = calloc(columns * rows, 1);
  if (!taken)
    return false;
  drawing_begin(&v->d, FINDLR_DRAW_MARKERS, RAW, size);
  for (size_t i = 0; i < c->n; i++) {
    if (chart_skipped(c, i) || !chart_drawable(c->loss[i]) || !chart_drawable(c->lr[i]))
      continue;
    double x = at_x(v, c->lr[i]), y = at_y(v, c->loss[i]);
    if (!(x >= v->left && x <= v->right && y >= v->top && y <= v->bottom))
      continue;
    uint8_t *spot =
        &taken[(size_t)((y - v->top) / cell) * columns + (size_t)((x - v->left) / cell)];
    if (!*spot)
      drawing_point(&v->d, x, y);
    *spot = 1;
  }
  free(taken);
  return true;
}

/* A small triangle that points up: here the line goes on. */
static void draw_cut(canvas *v, double x, double y) {
  drawing_begin(&v->d, FINDLR_DRAW_AREA, LINE, 0);
  drawing_point(&v->d, x - 4.5, y);
  drawing_point(&v->d, x + 4.5, y);
  drawing_point(&v->d, x, y - 7);
}

static void draw_line(canvas *v) {
  pen p = { .c = v->c, .line = chart_line(v->c), .rates = &v->rates, .losses = &v->losses };
  piece next;
  double cut_x = -INFINITY;
  while (pen_move(&p, &next)) {
    double x0 = place_x(v, next.x0), y0 = place_y(v, next.y0);
    double x1 = place_x(v, next.x1), y1 = place_y(v, next.y1);
    if (x0 == x1 && y0 == y1) {
      drawing_begin(&v->d, FINDLR_DRAW_MARKERS, LINE, 4);
      drawing_point(&v->d, x0, y0);
      continue;
    }
    if (!next.joined) {
      drawing_begin(&v->d, FINDLR_DRAW_LINE, LINE, 2.2);
      drawing_point(&v->d, x0, y0);
    }
    drawing_point(&v->d, x1, y1);
  }
  /* Strokes do not nest: a second walk for the places where it leaves. */
  p = (pen){ .c = v->c, .line = p.line, .rates = &v->rates, .losses = &v->losses };
  while (pen_move(&p, &next)) {
    double x = place_x(v, next.x1);
    if (!next.leaves || x - cut_x < 10)
      continue;
    draw_cut(v, x, v->top);
    cut_x = x;
    v->cut = true;
  }
}

/* Steps without a place of their own: a cross at the upper edge where the loss was NaN or infinite,
 * a stroke at the lower edge where the step was skipped. */
static void draw_marks(canvas *v) {
  const chart *c = v->c;
  double last = -INFINITY;
  for (size_t i = 0; i < c->n; i++) {
    if (!chart_drawable(c->lr[i]))
      continue;
    double x = at_x(v, c->lr[i]);
    if (chart_skipped(c, i)) {
      drawing_line(&v->d, INK, 1, x, v->bottom - 8, x, v->bottom);
      v->skipped = true;
    } else if (!isfinite(c->loss[i])) {
      v->nonfinite = true;
      if (x - last < 7)
        continue;
      last = x;
      drawing_line(&v->d, INK, 1.2, x - 2.5, v->top + 4, x + 2.5, v->top + 9);
      drawing_line(&v->d, INK, 1.2, x - 2.5, v->top + 9, x + 2.5, v->top + 4);
    }
  }
}

/* --- the suggestion -------------------------------------------------------------------------- */

static bool in_frame(const canvas *v, double lr) {
  return chart_drawable(lr) && lr >= v->rates.low && lr <= v->rates.high;
}

static bool has_band(const canvas *v) {
  return v->c->low < v->c->high && v->c->low < v->rates.high && v->c->high > v->rates.low;
}

static void draw_band(canvas *v) {
  if (!has_band(v))
    return;
  double low = in_frame(v, v->c->low) ? at_x(v, v->c->low) : v->left;
  double high = in_frame(v, v->c->high) ? at_x(v, v->c->high) : v->right;
  drawing_box(&v->d, BAND, low, v->top, high, v->bottom);
  drawing_line(&v->d, BAND_EDGE, 0.8, low, v->top, low, v->bottom);
  drawing_line(&v->d, BAND_EDGE, 0.8, high, v->top, high, v->bottom);
}

static void draw_suggestion_line(canvas *v) {
  if (!in_frame(v, v->c->suggested))
    return;
  double x = at_x(v, v->c->suggested);
  drawing_line(&v->d, SUGGESTED, 1.4, x, v->top - 5, x, v->bottom)->dash = 4;
}

/* Above the frame, where no curve runs. */
static void draw_suggestion_label(canvas *v) {
  const chart *c = v->c;
  double room = v->right - v->left, y = v->top - 12;
  if (!isfinite(c->suggested)) {
    if (c->note)
      drawing_text(&v->d, INK, LABEL_SIZE, FINDLR_ALIGN_START, v->left, y, room, c->note);
    return;
  }
  char number[FINDLR_TEXT_SIZE], text[64];
  snprintf(text, sizeof text, "suggested %s", chart_number(c->suggested, 3, number));
  double half = drawing_text_width(text, 12) * 0.55; /* bold runs wider */
  double x = in_frame(v, c->suggested) ? at_x(v, c->suggested) : v->right;
  x = fmin(fmax(x, v->left + half), v->right - half);
  drawing_text(&v->d, SUGGESTED, 12, FINDLR_ALIGN_MIDDLE, x, y, room, text)->bold = 1;

  double loss = in_frame(v, c->suggested) ? chart_line_at(c, &v->rates, c->suggested) : NAN;
  if (!(loss >= v->losses.low && loss <= v->losses.high))
    return;
  static const struct {
    uint32_t color;
    double size;
  } rings[] = { { 0xFFFFFF, 11 }, { SUGGESTED, 8.5 } };
  for (size_t i = 0; i < 2; i++) {
    drawing_begin(&v->d, FINDLR_DRAW_MARKERS, rings[i].color, rings[i].size);
    drawing_point(&v->d, at_x(v, c->suggested), at_y(v, loss));
  }
}

/* --- legend ---------------------------------------------------------------------------------- */

enum { KEY_RAW, KEY_LINE, KEY_BAND, KEY_CUT, KEY_NONFINITE, KEY_SKIPPED };

static void draw_key(canvas *v, int key, double x, double y) {
  drawing *d = &v->d;
  switch (key) {
  case KEY_RAW:
    drawing_begin(d, FINDLR_DRAW_MARKERS, RAW, 2.6);
    drawing_point(d, x + 3, y + 1.5);
    drawing_point(d, x + 9, y - 2);
    drawing_point(d, x + 15, y + 1);
    break;
  case KEY_LINE:
    drawing_line(d, LINE, 2.2, x, y, x + 18, y);
    break;
  case KEY_BAND:
    drawing_box(d, BAND, x, y - 5, x + 18, y + 5);
    drawing_line(d, BAND_EDGE, 0.8, x, y - 5, x, y + 5);
    drawing_line(d, BAND_EDGE, 0.8, x + 18, y - 5, x + 18, y + 5);
    break;
  case KEY_CUT:
    draw_cut(v, x + 9, y + 3.5);
    break;
  case KEY_NONFINITE:
    drawing_line(d, INK, 1.2, x + 6.5, y - 2.5, x + 11.5, y + 2.5);
    drawing_line(d, INK, 1.2, x + 6.5, y + 2.5, x + 11.5, y - 2.5);
    break;
  case KEY_SKIPPED:
    drawing_line(d, INK, 1, x + 9, y - 4, x + 9, y + 4);
    break;
  }
}

/* One line, or as many as it takes. Returns where the next would stand. */
static double draw_legend(canvas *v, double y) {
  const chart *c = v->c;
  char low[FINDLR_TEXT_SIZE], high[FINDLR_TEXT_SIZE], band[3 * FINDLR_TEXT_SIZE];
  snprintf(band, sizeof band, "%s to %s, for cyclical schedules", chart_number(c->low, 3, low),
           chart_number(c->high, 3, high));
  bool both = chart_line(c) != c->loss;
  const struct {
    bool wanted;
    int key;
    const char *text;
  } entries[] = {
    { both, KEY_RAW, "each step" },
    { true, KEY_LINE, both ? "smoothed" : "each step" },
    { v->cut, KEY_CUT, "goes on above" },
    { has_band(v), KEY_BAND, band },
    { v->nonfinite, KEY_NONFINITE, "NaN or infinite" },
    { v->skipped, KEY_SKIPPED, "step skipped" },
  };
  double x = v->left;
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    if (!entries[i].wanted)
      continue;
    double width = 24 + drawing_text_width(entries[i].text, SMALL_SIZE);
    if (x > v->left && x + width > v->right) {
      x = v->left;
      y += 16;
    }
    draw_key(v, entries[i].key, x, y - 3.5);
    drawing_text(&v->d, QUIET, SMALL_SIZE, FINDLR_ALIGN_START, x + 24, y, v->right - x - 24,
                 entries[i].text);
    x += width + 14;
  }
  return y + 16;
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool given(const char *text) {
  return text && *text;
}

/* How wide the labels of an axis are. */
static double label_width(const tick *ticks, size_t n) {
  double width = 0;
  for (size_t i = 0; i < n; i++)
    width = fmax(width, drawing_text_width(ticks[i].label, LABEL_SIZE));
  return width;
}

static void draw_frame(canvas *v) {
  drawing_begin(&v->d, FINDLR_DRAW_LINE, FRAME, 1);
  drawing_point(&v->d, v->left, v->top);
  drawing_point(&v->d, v->left, v->bottom);
  drawing_point(&v->d, v->right, v->bottom);
}

static void draw_y_label(canvas *v, const char *text) {
  drawing_text(&v->d, INK, LABEL_SIZE, FINDLR_ALIGN_MIDDLE, MARGIN + 8, (v->top + v->bottom) / 2,
               v->bottom - v->top, text)
      ->rotation = 90;
}

/* The second curve of a plain chart; the frame moves down to it. */
static void draw_below(canvas *v, const chart *lower, const tick *ticks, size_t n) {
  v->c = lower;
  v->top = v->bottom + 16;
  v->bottom = v->top + BELOW_HEIGHT;
  axis_of_losses(lower, &v->losses);
  draw_losses_axis(v, ticks, n);
  draw_line(v);
  draw_frame(v);
  draw_y_label(v, given(lower->below_label) ? lower->below_label : "");
}

/* False if there is no memory. The caller clears the drawing either way. */
static bool draw_chart(canvas *v, const chart *c) {
  chart lower = *c;
  axis below = { 0, 1, false };
  tick below_ticks[AXIS_TICKS];
  size_t n_below = 0;
  *v = (canvas){ .c = c, .rates = axis_of_rates(c) };
  drawing *d = &v->d;
  drawing_init(d, WIDTH, 0, given(c->title) ? c->title : "Learning-rate curve");
  if (!axis_of_losses(c, &v->losses))
    return false;
  tick ticks[AXIS_TICKS];
  size_t n = axis_ticks(&v->losses, 6, ticks);
  double labels = label_width(ticks, n);
  if (c->plain && c->below) {
    lower.loss = c->below;
    axis_of_losses(&lower, &below);
    n_below = axis_ticks(&below, 3, below_ticks);
    labels = fmax(labels, label_width(below_ticks, n_below));
  }

  double y = MARGIN;
  v->left = MARGIN + 20 + fmin(labels, 90) + 8;
  v->right = WIDTH - MARGIN;
  if (given(c->title)) {
    y += 13;
    drawing_text(d, INK, 15, FINDLR_ALIGN_START, v->left, y, (v->right - v->left) * 0.92, c->title)
        ->bold = 1;
    y += 5;
  }
  if (given(c->subtitle)) {
    y += 12;
    drawing_text(d, QUIET, LABEL_SIZE, FINDLR_ALIGN_START, v->left, y, v->right - v->left,
                 c->subtitle);
    y += 5;
  }
  v->top = y + (c->plain ? 12 : 28);
  v->bottom = v->top + PLOT_HEIGHT;

  draw_band(v);
  draw_losses_axis(v, ticks, n);
  bool done = c->plain || draw_raw(v);
  draw_suggestion_line(v);
  draw_line(v);
  if (!c->plain)
    draw_marks(v);
  draw_frame(v);
  draw_y_label(v, given(c->y_label) ? c->y_label : "loss");
  if (c->plain && c->below)
    draw_below(v, &lower, below_ticks, n_below);
  draw_rates_axis(v);
  if (!c->plain)
    draw_suggestion_label(v);

  double middle = (v->left + v->right) / 2;
  drawing_text(d, INK, LABEL_SIZE, FINDLR_ALIGN_MIDDLE, middle, v->bottom + 36, WIDTH,
               given(c->x_label) ? c->x_label
               : v->rates.log    ? "learning rate (log scale)"
                                 : "learning rate");
  d->view.height = c->plain ? v->bottom + 36 + MARGIN : draw_legend(v, v->bottom + 58) - 16 + MARGIN;
  v->c = c;
  return done && !d->failed;
}

/* --- files ----------------------------------------------------------------------------------- */

static int32_t fail(findlr_error *err, int32_t code, const char *format, ...) {
  if (err) {
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
  }
  return code;
}

static int32_t no_memory(findlr_error *err) {
  return fail(err, FINDLR_ERR_NO_MEMORY, "no memory for the picture");
}

static int32_t write_svg(const findlr_drawing *picture, chart_sink sink, void *ud,
                         findlr_error *err) {
  size_t size;
  char *svg = svg_from_drawing(picture, &size);
  if (!svg)
    return no_memory(err);
  int32_t status = sink(ud, svg, size);
  free(svg);
  return status;
}

/* Remembers whether the sink failed, so that its failure is told from the plugin's. */
typedef struct watch {
  chart_sink sink;
  void *ud;
  int32_t status;
} watch;

static int32_t watch_sink(void *ud, const void *bytes, size_t size) {
  watch *w = ud;
  return w->status = w->sink(w->ud, bytes, size);
}

static int32_t write_rendered(const findlr_drawing *picture, const char *format,
                              findlr_context *context, chart_sink sink, void *ud,
                              findlr_error *err) {
  const void *extension;
  findlr_error why = FINDLR_ERROR_INIT;
  int32_t status = findlr_plugin_extension(context, "cairo", FINDLR_EXT_RENDER, &extension, &why);
  if (status == FINDLR_ERR_NOT_FOUND || status == FINDLR_ERR_UNSUPPORTED)
    return fail(err, FINDLR_ERR_UNSUPPORTED, "a %s needs the plugin cairo, an svg does not: %s",
                format, why.message);
  if (status < 0)
    return fail(err, status, "%s", why.message);
  const findlr_render *render = extension;
  if (render->struct_size < sizeof *render || !render->render)
    return fail(err, FINDLR_ERR_PLUGIN_INVALID, "the plugin cairo offers no complete %s",
                FINDLR_EXT_RENDER);
  void *ctx;
  const findlr_host *host = findlr_context_host(context, &ctx);
  watch w = { sink, ud, 0 };
  status = render->render(host, ctx, picture, format, 2, watch_sink, &w);
  if (status < 0 && w.status >= 0)
    return fail(err, status, "%s", findlr_context_host_error(context));
  return status;
}

int32_t chart_write(const chart *c, const char *format, findlr_context *context, chart_sink sink,
                    void *ud, findlr_error *err) {
  bool svg = !strcmp(format, "svg");
  if (!svg && strcmp(format, "png") && strcmp(format, "pdf"))
    return fail(err, FINDLR_ERR_ARGUMENT, "a picture can be svg, png or pdf, not \"%s\"", format);
  canvas v;
  int32_t status;
  if (!draw_chart(&v, c))
    status = no_memory(err);
  else if (svg)
    status = write_svg(drawing_finish(&v.d), sink, ud, err);
  else
    status = write_rendered(drawing_finish(&v.d), format, context, sink, ud, err);
  drawing_clear(&v.d);
  return status;
}
