/* SPDX-License-Identifier: MIT */

/* Writes drawings as PNG and PDF with cairo. No components: an extension alone. */

#include <cairo-pdf.h>
#include <cairo.h>
#include <stdbool.h>
#include <string.h>

#include "findlr/plugin.h"

/* What cairo's write callback needs; cairo itself only hears that it failed. */
typedef struct target {
  int32_t (*write)(void *ud, const void *bytes, size_t size);
  void *ud;
  int32_t status;
} target;

static cairo_status_t write_on(void *closure, const unsigned char *bytes, unsigned int size) {
  target *t = closure;
  if (t->status >= 0)
    t->status = t->write(t->ud, bytes, size);
  return t->status < 0 ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void draw_path(cairo_t *cr, const findlr_stroke *s) {
  for (uint32_t i = 0; i < s->point_count; i++)
    cairo_line_to(cr, s->points[2 * i], s->points[2 * i + 1]);
}

static void draw_text(cairo_t *cr, const findlr_stroke *s) {
  cairo_text_extents_t extents;
  cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         s->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cr, s->width);
  cairo_text_extents(cr, s->text, &extents);
  double shift = s->align == FINDLR_ALIGN_START ? 0 : -extents.x_advance;
  if (s->align == FINDLR_ALIGN_MIDDLE)
    shift /= 2;
  cairo_translate(cr, s->points[0], s->points[1]);
  cairo_rotate(cr, -s->rotation * 3.14159265358979323846 / 180);
  cairo_move_to(cr, shift, 0);
  cairo_show_text(cr, s->text);
}

static void draw_stroke(cairo_t *cr, const findlr_stroke *s) {
  if (!s->point_count)
    return;
  cairo_save(cr);
  cairo_new_path(cr);
  cairo_set_source_rgba(cr, (s->color >> 16 & 0xFF) / 255.0, (s->color >> 8 & 0xFF) / 255.0,
                        (s->color & 0xFF) / 255.0, s->opacity);
  cairo_set_line_width(cr, s->width);
  cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
  switch (s->type) {
  case FINDLR_DRAW_LINE:
    if (s->dash > 0)
      cairo_set_dash(cr, &s->dash, 1, 0);
    draw_path(cr, s);
    cairo_stroke(cr);
    break;
  case FINDLR_DRAW_AREA:
    draw_path(cr, s);
    cairo_fill(cr);
    break;
  case FINDLR_DRAW_MARKERS:
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    for (uint32_t i = 0; i < s->point_count; i++) {
      cairo_move_to(cr, s->points[2 * i], s->points[2 * i + 1]);
      cairo_close_path(cr);
    }
    cairo_stroke(cr);
    break;
  case FINDLR_DRAW_TEXT:
    draw_text(cr, s);
    break;
  }
  cairo_restore(cr);
}

static int32_t render(const findlr_host *host, void *ctx, const findlr_drawing *drawing,
                      const char *format, double scale,
                      int32_t (*write)(void *ud, const void *bytes, size_t size), void *ud) {
  bool png = !strcmp(format, "png");
  if (!png && strcmp(format, "pdf"))
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "cairo writes png and pdf, not \"%.40s\"", format);
  double width = drawing->width * scale, height = drawing->height * scale;
  if (png && !(width >= 1 && height >= 1 && width <= 32767 && height <= 32767))
    return findlr_host_fail(host, ctx, FINDLR_ERR_ARGUMENT,
                            "a png can have 1 to 32767 pixels a side, not %.0f x %.0f", width,
                            height);
  target t = { write, ud, 0 };
  cairo_surface_t *surface =
      png ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width + 0.5), (int)(height + 0.5))
          : cairo_pdf_surface_create_for_stream(write_on, &t, drawing->width, drawing->height);
  if (!png)
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, drawing->title);
  cairo_t *cr = cairo_create(surface);
  if (png)
    cairo_scale(cr, scale, scale);
  cairo_set_source_rgb(cr, 1, 1, 1);
  cairo_paint(cr);
  for (uint32_t i = 0; i < drawing->stroke_count; i++)
    draw_stroke(cr, drawing->strokes[i]);
  cairo_status_t status = cairo_status(cr);
  cairo_destroy(cr);
  if (png && status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream(surface, write_on, &t);
  cairo_surface_finish(surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status(surface);
  cairo_surface_destroy(surface);
  if (t.status < 0)
    return t.status;
  if (status == CAIRO_STATUS_NO_MEMORY)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for the %s", format);
  if (status != CAIRO_STATUS_SUCCESS)
    return findlr_host_fail(host, ctx, FINDLR_ERR_BACKEND, "cairo: %s",
                            cairo_status_to_string(status));
  return FINDLR_OK;
}

static const void *get_extension(const char *id) {
  static const findlr_render extension = { sizeof extension, 0, render };
  return !strcmp(id, FINDLR_EXT_RENDER) ? &extension : NULL;
}

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  static const findlr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
    .id = "cairo",
    .version = FINDLR_VERSION,
    .description = "pictures as PNG and PDF, with cairo " CAIRO_VERSION_STRING,
    .get_extension = get_extension,
  };
  return &plugin;
}
