/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <ctype.h>
#include <stdio.h>

#include "chart.h"

/* --- memory that runs out ----------------------------------------------------------------------
 */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void __wrap_free(void *ptr);

static long until_refusal = -1; /* -1: never */
static bool once;               /* then all goes well again */
static long living;

static bool refused(void) {
  if (until_refusal > 0)
    until_refusal--;
  bool now = until_refusal == 0;
  if (now && once)
    until_refusal = -1;
  return now;
}

static void *counted(void *ptr) {
  living += ptr != NULL;
  return ptr;
}

void *__wrap_malloc(size_t size) {
  return refused() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size) {
  return refused() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *ptr, size_t size) {
  if (refused())
    return NULL;
  void *moved = __real_realloc(ptr, size);
  living += !ptr && moved;
  return moved;
}

void __wrap_free(void *ptr) {
  living -= ptr != NULL;
  __real_free(ptr);
}

/* What fontconfig keeps for the whole process is not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
}

/* --- what the tests share ----------------------------------------------------------------------
 */

enum { ROWS = 100, MOST_ROWS = 10000, ROOM = 1 << 20 };

static char output[ROOM];
static size_t output_size;
static double lr[MOST_ROWS], loss[MOST_ROWS], smoothed[MOST_ROWS];
static uint8_t skipped[MOST_ROWS];

static int32_t take(void *ud, const void *bytes, size_t size) {
  (void)ud;
  if (size >= sizeof output - output_size)
    return FINDLR_ERR_LIMIT; /* no assertion here: Check may need memory for it */
  memcpy(output + output_size, bytes, size);
  output_size += size;
  output[output_size] = 0;
  return 0;
}

static int32_t refuse(void *ud, const void *bytes, size_t size) {
  (void)ud, (void)bytes, (void)size;
  return FINDLR_ERR_IO;
}

/* Plateau, fall, divergence. */
static chart usual(size_t n) {
  for (size_t i = 0; i < n; i++) {
    double x = n > 1 ? -7 + 8 * (double)i / (double)(n - 1) : -7;
    lr[i] = pow(10, x);
    smoothed[i] = 2.3 - 1.8 / (1 + exp(-3 * (x + 2.5))) + 5 * pow(fmax(0, x + 0.5), 2);
    loss[i] = smoothed[i] + 0.1 * sin(31.0 * (double)i);
    skipped[i] = 0;
  }
  return (chart){ .n = n,
                  .lr = lr,
                  .loss = loss,
                  .smoothed = smoothed,
                  .skipped = skipped,
                  .suggested = 0.01482,
                  .low = 0.0012,
                  .high = 0.1,
                  .title = "MLP on digits",
                  .subtitle = "adam, batch 64" };
}

static const char *svg(const chart *c) {
  ERR;
  output_size = 0;
  ck_ok(chart_write(c, "svg", NULL, take, NULL, &err));
  return output;
}

static size_t count(const char *text, const char *what) {
  size_t n = 0;
  for (; (text = strstr(text, what)); text += strlen(what))
    n++;
  return n;
}

/* An assertion for inner loops: Check's own writes to a file each time. */
#define want(condition)                          \
  do {                                           \
    if (!(condition))                            \
      ck_abort_msg("%s: %.200s", #condition, t); \
  } while (0)

/* Are tags balanced, attributes quoted and unique to their places, entities known, bytes allowed?
 */
static void ck_well_formed(const char *t) {
  char open[16][16];
  size_t depth = 0, roots = 0;
  ck_assert_int_eq(strncmp(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 39), 0);
  for (t += 39; *t;) {
    if (*t == '&') {
      want(!strncmp(t, "&amp;", 5) || !strncmp(t, "&lt;", 4) || !strncmp(t, "&gt;", 4));
    } else if (*t == '<') {
      bool closing = t[1] == '/';
      char name[16] = "";
      t += 1 + closing;
      for (size_t n = 0; isalpha((unsigned char)*t); t++) {
        want(n < sizeof name - 1);
        name[n++] = *t;
      }
      want(*name);
      while (*t == ' ') {
        t++;
        while (isalpha((unsigned char)*t) || *t == '-')
          t++;
        want(t[0] == '=' && t[1] == '"');
        for (t += 2; *t != '"'; t++)
          want(*t && *t != '<' && *t != '&');
        t++;
      }
      bool empty = *t == '/';
      t += empty;
      want(*t == '>');
      if (closing) {
        want(depth > 0);
        want(!strcmp(open[--depth], name));
      } else {
        roots += depth == 0;
        want(depth < 16);
        if (!empty)
          strcpy(open[depth++], name);
      }
    } else {
      want(*t == '\n' || (unsigned char)*t >= 0x20);
      want(depth || *t == '\n'); /* no text outside the root */
    }
    t++;
  }
  ck_assert_uint_eq(depth, 0);
  ck_assert_uint_eq(roots, 1);
}

/* Does every point of every line, area and dot lie in the picture? */
static void ck_inside(const char *t) {
  static const char *const lists[] = { " points=\"", " d=\"M" };
  want(!strstr(t, "=\"nan") && !strstr(t, "=\"inf") && !strstr(t, "=\"-"));
  for (size_t k = 0; k < 2; k++)
    for (const char *a = t; (a = strstr(a, lists[k]));)
      for (a += strlen(lists[k]); *a != '"';) {
        double value = 0;
        size_t n = findlr_text_parse(a, strcspn(a, "\" ,Mh"), &value);
        want(value >= 0 && value <= 640);
        a += n ? n : 1;
      }
}

/* --- numbers -----------------------------------------------------------------------------------
 */

START_TEST(numbers_are_rounded_for_people) {
  static const struct {
    double value;
    int digits;
    const char *text;
  } cases[] = {
    { 0.014823, 3, "0.0148" },
    { 0.0148, 2, "0.015" },
    { 9.996, 3, "10" },
    { 999.96, 4, "1000" },
    { 999999.6, 3, "1e+06" },
    { 123456, 3, "123000" },
    { 1.2345e-7, 3, "1.23e-07" },
    { 9.999e-5, 3, "0.0001" },
    { 0.00031622, 3, "0.000316" },
    { -2.5, 3, "-2.5" },
    { 0, 3, "0" },
    { -0.0, 3, "0" },
    { 1e-300, 3, "1e-300" },
    { 5e-324, 3, "5e-324" },
    { 1.7976931348623157e308, 2, "1.8e+308" },
    { 100, 1, "100" },
    { 0.1, 17, "0.1" },
    { NAN, 3, "nan" },
    { INFINITY, 3, "inf" },
    { -INFINITY, 3, "-inf" },
    { 10, 0, "10" },
  };
  char text[FINDLR_TEXT_SIZE];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_str_eq(chart_number(cases[i].value, cases[i].digits, text), cases[i].text);
}
END_TEST

/* --- svg ---------------------------------------------------------------------------------------
 */

START_TEST(svg_shows_what_was_found) {
  chart c = usual(ROWS);
  const char *t = svg(&c);
  ck_well_formed(t);
  ck_inside(t);
  ck_assert(strstr(t, "suggested 0.0148</text>"));
  ck_assert(strstr(t, "0.0012 to 0.1, for cyclical schedules</text>"));
  ck_assert(strstr(t, "<title>MLP on digits</title>"));
  ck_assert(strstr(t, ">adam, batch 64</text>"));
  ck_assert(strstr(t, "font-family=\"sans-serif\""));
  ck_assert(strstr(t, "learning rate (log scale)"));
  ck_assert(strstr(t, "viewBox=\"0 0 640 "));
}
END_TEST

START_TEST(svg_without_a_suggestion_says_why) {
  chart c = usual(ROWS);
  c.suggested = c.low = c.high = NAN;
  c.note = "the loss never fell";
  const char *t = svg(&c);
  ck_assert(strstr(t, ">the loss never fell</text>"));
  ck_assert(!strstr(t, "suggested"));
  ck_assert(!strstr(t, "cyclical"));
  ck_assert(!strstr(t, "nan"));
}
END_TEST

START_TEST(svg_escapes_any_title) {
  chart c = usual(ROWS);
  c.title = "a<b> & \"c\" \x01\xFF\xC0\x80\xED\xA0\x80\xEF\xBF\xBE \xE2\x82";
  const char *t = svg(&c);
  ck_well_formed(t);
  ck_assert(strstr(t, "a&lt;b&gt; &amp; \"c\" \xEF\xBF\xBD"));
  for (size_t i = 0; i < output_size; i++)
    if ((unsigned char)t[i] == 0xFF || (unsigned char)t[i] == 0xC0 || t[i] == 1)
      ck_abort_msg("byte %d", t[i]);
}
END_TEST

START_TEST(svg_cuts_a_title_that_is_too_long) {
  static char title[4001];
  memset(title, 'm', 4000);
  chart c = usual(ROWS);
  c.title = title;
  const char *t = strstr(svg(&c), "<text ");
  t = strchr(t, '>') + 1;
  ck_assert_uint_lt((size_t)(strchr(t, '<') - t), 100);
  ck_assert(strstr(output, "m\xE2\x80\xA6</text>"));
}
END_TEST

START_TEST(svg_keeps_the_fall_visible_below_an_explosion) {
  chart c = usual(ROWS);
  for (size_t i = 85; i < ROWS; i++)
    loss[i] = smoothed[i] = pow(10, (double)i - 70);
  loss[99] = smoothed[99] = INFINITY;
  const char *t = svg(&c);
  ck_well_formed(t);
  ck_inside(t);
  ck_assert(strstr(t, ">1.0</text>") && strstr(t, ">2.5</text>"));
  ck_assert_msg(!strstr(t, "e+"), "the loss axis follows the explosion");
  ck_assert(strstr(t, "goes on above"));
  ck_assert(strstr(t, "NaN or infinite"));
}
END_TEST

START_TEST(svg_line_passes_over_skipped_steps_but_not_over_nan) {
  chart c = usual(ROWS);
  size_t axes = count(svg(&c), "stroke=\"#0063a5\""); /* the line and its key */
  skipped[30] = FINDLR_POINT_SKIPPED;
  skipped[31] = FINDLR_POINT_NOT_FINITE; /* another bit: not skipped */
  loss[30] = smoothed[30] = NAN;
  ck_assert_uint_eq(count(svg(&c), "stroke=\"#0063a5\""), axes);
  ck_assert_uint_eq(count(output, "step skipped"), 1);
  ck_assert_uint_eq(count(output, "NaN or infinite"), 0);
  skipped[30] = 0;
  ck_assert_uint_eq(count(svg(&c), "stroke=\"#0063a5\""), axes + 1);
  ck_assert_uint_eq(count(output, "step skipped"), 0);
  ck_assert_uint_eq(count(output, "NaN or infinite"), 1);
}
END_TEST

START_TEST(svg_of_many_rows_stays_small) {
  chart c = usual(MOST_ROWS);
  for (size_t i = 0; i < MOST_ROWS; i++)
    loss[i] = smoothed[i] + 0.3 * sin(31.0 * (double)(i * i));
  svg(&c);
  ck_well_formed(output);
  ck_assert_uint_lt(output_size, 250000);
}
END_TEST

START_TEST(rates_that_are_not_positive_get_a_linear_axis) {
  chart c = usual(ROWS);
  for (size_t i = 0; i < ROWS; i++)
    lr[i] = 0.5 * (double)i / (ROWS - 1);
  ck_assert(strstr(svg(&c), ">learning rate</text>"));
  ck_assert(strstr(output, ">0.50</text>"));
  for (size_t i = 0; i < ROWS; i++)
    lr[i] += 0.01;
  ck_assert(strstr(svg(&c), ">learning rate (log scale)</text>"));
}
END_TEST

START_TEST(y_label_is_the_callers) {
  chart c = usual(ROWS);
  c.y_label = "validation loss";
  ck_assert(strstr(svg(&c), ">validation loss</text>"));
}
END_TEST

/* --- garbage -----------------------------------------------------------------------------------
 */

static const double odd[] = { NAN,   INFINITY, -INFINITY, 0,    -0.0,    1,      -1,
                              1e308, -1e308,   5e-324,    1e-7, 1.0 / 3, 1e-300, 2.5 };
enum { ODD = sizeof odd / sizeof *odd };

static void ck_draws(const chart *c) {
  ERR;
  ck_well_formed(svg(c));
  ck_inside(output);
  output_size = 0;
  ck_ok(chart_text(c, 60, 12, CHART_UNICODE | CHART_COLOR, take, NULL, &err));
  ck_assert_uint_eq(count(output, "\n"), 12);
}

START_TEST(garbage_is_drawn) {
  chart c = usual(ROWS);
  c.n = 0;
  ck_draws(&c);
  c = (chart){ .suggested = NAN, .low = NAN, .high = NAN };
  ck_draws(&c);
  for (size_t n = 1; n <= 4; n++) {
    c = usual(n);
    ck_draws(&c);
  }
  for (size_t a = 0; a < ODD; a++)
    for (size_t b = 0; b < ODD; b++) {
      c = usual(20);
      for (size_t i = 0; i < 20; i++) {
        loss[i] = odd[i % 2 ? a : b];
        smoothed[i] = odd[i % 3 ? a : b];
      }
      c.suggested = odd[a];
      c.low = odd[b];
      ck_draws(&c);
      for (size_t i = 0; i < 20; i++)
        lr[i] = odd[i % 2 ? a : b];
      ck_draws(&c);
      c.smoothed = NULL;
      c.skipped = NULL;
      ck_draws(&c);
    }
}
END_TEST

START_TEST(any_mixture_is_drawn) {
  uint64_t state = 1;
  for (int round = 0; round < 100; round++) {
    chart c = usual(30);
    for (size_t i = 0; i < 30; i++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      loss[i] = odd[(state >> 40) % ODD];
      smoothed[i] = odd[(state >> 44) % ODD];
      lr[i] = state >> 63 ? lr[i] : odd[(state >> 48) % ODD];
      skipped[i] = (uint8_t)(state >> 52 & 1);
    }
    ck_draws(&c);
  }
}
END_TEST

static chart plain(size_t n) {
  chart c = usual(n);
  for (size_t i = 0; i < n; i++)
    lr[i] = (double)i;
  c.plain = true;
  c.smoothed = NULL;
  c.skipped = NULL;
  c.suggested = c.low = c.high = (double)NAN;
  c.x_label = "step";
  c.y_label = "learning rate";
  c.note = NULL;
  c.below = smoothed;
  c.below_label = "momentum";
  return c;
}

START_TEST(a_plain_curve_is_all_shown) {
  chart c = plain(ROWS);
  loss[7] = 1000; /* what diverges is no reason to cut it off */
  const char *t = svg(&c);
  ck_well_formed(t);
  ck_assert(strstr(t, ">1000<") && strstr(t, ">step<") && strstr(t, ">learning rate<") &&
            strstr(t, ">momentum<"));
  ck_assert(!strstr(t, "each step") && !strstr(t, "goes on above") && !strstr(t, "suggested"));
  c.below = NULL;
  ck_assert(!strstr(svg(&c), ">momentum<"));
  uint64_t state = 1;
  for (int round = 0; round < 100; round++) {
    c = plain((size_t)round % 30);
    for (size_t i = 0; i < c.n; i++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      loss[i] = odd[(state >> 40) % ODD];
      smoothed[i] = odd[(state >> 44) % ODD];
      lr[i] = state >> 63 ? lr[i] : odd[(state >> 48) % ODD];
    }
    ck_draws(&c);
  }
}
END_TEST

/* --- text --------------------------------------------------------------------------------------
 */

START_TEST(text_fits_its_place) {
  chart c = usual(ROWS);
  ERR;
  static const uint32_t sizes[][2] = { { 80, 24 }, { 30, 8 }, { 33, 11 }, { 200, 60 }, { 132, 9 } };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (uint32_t flags = 0; flags <= 1; flags++) {
      output_size = 0;
      ck_ok(chart_text(&c, sizes[i][0], sizes[i][1], flags, take, NULL, &err));
      size_t width = 0, lines = 0;
      for (size_t k = 0; k < output_size; k++) {
        unsigned char ch = (unsigned char)output[k];
        if (ch == 033 || (!flags && ch >= 128))
          ck_abort_msg("byte %d", ch);
        width = ch == '\n' ? 0 : width + ((ch & 0xC0) != 0x80);
        lines += ch == '\n';
        if (width > sizes[i][0])
          ck_abort_msg("%zu columns", width);
      }
      ck_assert_uint_eq(lines, sizes[i][1]);
      ck_assert(strstr(output, flags ? "\xE2\x96\xBC 0.0148" : "v 0.0148"));
    }
  output_size = 0;
  ck_ok(chart_text(&c, 0, 0, 0, take, NULL, &err));
  ck_assert_uint_eq(count(output, "\n"), 8);
}
END_TEST

START_TEST(text_shows_the_curve) {
  /* From the upper left corner to the lower right one: a star in each row, further right each time.
   */
  chart c = usual(11);
  for (size_t i = 0; i < 11; i++) {
    lr[i] = pow(10, (double)i - 10);
    loss[i] = smoothed[i] = 10 - (double)i;
  }
  c.suggested = c.low = c.high = NAN;
  ERR;
  output_size = 0;
  ck_ok(chart_text(&c, 60, 20, 0, take, NULL, &err));
  size_t last = 0, rows = 0;
  for (char *row = strtok(output, "\n"); row; row = strtok(NULL, "\n")) {
    char *star = strchr(row, '*');
    if (!star)
      continue;
    ck_assert_uint_gt((size_t)(star - row), last);
    last = (size_t)(star - row);
    rows++;
  }
  ck_assert_uint_ge(rows, 14);
  ck_assert_uint_ge(last, 50);
}
END_TEST

START_TEST(text_has_colors_when_asked) {
  chart c = usual(ROWS);
  ERR;
  output_size = 0;
  ck_ok(chart_text(&c, 80, 24, CHART_COLOR | CHART_UNICODE, take, NULL, &err));
  ck_assert(strstr(output, "\033["));
  /* Nothing is left on at the end of a line. */
  for (char *row = strtok(output, "\n"); row; row = strtok(NULL, "\n")) {
    const char *last = NULL;
    for (const char *at = row; (at = strstr(at, "\033[")); at++)
      last = at;
    ck_assert(!last || !strncmp(last, "\033[0m", 4));
  }
}
END_TEST

/* --- failures ----------------------------------------------------------------------------------
 */

START_TEST(memory_may_run_out_anywhere) {
  ERR;
  for (int way = 0; way < 8; way++) {
    chart c = way & 4 ? plain(ROWS) : usual(ROWS);
    long k = 0;
    int32_t status = FINDLR_ERR_NO_MEMORY;
    while (status == FINDLR_ERR_NO_MEMORY) {
      output_size = 0;
      err.message[0] = 0;
      long before = living;
      once = way & 1;
      until_refusal = ++k;
      status = way & 2 ? chart_text(&c, 80, 24, 0, take, NULL, &err)
                       : chart_write(&c, "svg", NULL, take, NULL, &err);
      until_refusal = -1;
      ck_assert_int_eq(living, before);
      ck_assert_int_lt(k, 10000);
      if (status == FINDLR_ERR_NO_MEMORY) {
        ck_assert(strstr(err.message, "memory"));
        ck_assert_uint_eq(output_size, 0);
      }
    }
    ck_assert_int_eq(status, FINDLR_OK);
    ck_assert_int_ge(k, 2);
  }
}
END_TEST

START_TEST(a_format_that_is_none_is_refused) {
  chart c = usual(ROWS);
  ERR;
  output_size = 0;
  ck_fails(chart_write(&c, "bmp", NULL, take, NULL, &err), FINDLR_ERR_ARGUMENT, "\"bmp\"");
  ck_fails(chart_write(&c, "", NULL, take, NULL, NULL), FINDLR_ERR_ARGUMENT, "");
  ck_assert_uint_eq(output_size, 0);
}
END_TEST

START_TEST(a_sink_that_fails_is_passed_on) {
  chart c = usual(ROWS);
  ERR;
  ck_assert_int_eq(chart_write(&c, "svg", NULL, refuse, NULL, &err), FINDLR_ERR_IO);
  ck_assert_int_eq(chart_text(&c, 80, 24, 0, refuse, NULL, &err), FINDLR_ERR_IO);
  ck_assert_str_eq(err.message, "");
}
END_TEST

/* --- cairo -------------------------------------------------------------------------------------
 */

static findlr_context *new_context(void) {
  ERR;
  findlr_context *context = NULL;
  ck_ok(findlr_context_create(NULL, &context, &err));
  return context;
}

#ifdef HAVE_CAIRO

START_TEST(cairo_writes_png_and_pdf) {
  chart c = usual(ROWS);
  ERR;
  findlr_context *context = new_context();
  output_size = 0;
  ck_ok(chart_write(&c, "png", context, take, NULL, &err));
  ck_assert_uint_gt(output_size, 5000);
  ck_assert_mem_eq(output, "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x05\0", 20); /* 1280 pixels wide */
  output_size = 0;
  ck_ok(chart_write(&c, "pdf", context, take, NULL, &err));
  ck_assert_mem_eq(output, "%PDF-", 5);
  ck_assert_mem_eq(output + output_size - 6, "%%EOF\n", 6);
  findlr_context_destroy(context);
}
END_TEST

START_TEST(cairo_draws_garbage_too) {
  ERR;
  findlr_context *context = new_context();
  chart c = usual(20);
  c.title = "\xFF\xFE";
  for (size_t i = 0; i < 20; i++)
    loss[i] = smoothed[i] = odd[i % ODD];
  output_size = 0;
  ck_ok(chart_write(&c, "png", context, take, NULL, &err));
  c.n = 0;
  output_size = 0;
  ck_ok(chart_write(&c, "pdf", context, take, NULL, &err));
  findlr_context_destroy(context);
}
END_TEST

START_TEST(cairo_passes_on_a_sink_that_fails) {
  chart c = usual(ROWS);
  ERR;
  findlr_context *context = new_context();
  ck_assert_int_eq(chart_write(&c, "png", context, refuse, NULL, &err), FINDLR_ERR_IO);
  ck_assert_int_eq(chart_write(&c, "pdf", context, refuse, NULL, &err), FINDLR_ERR_IO);
  ck_assert_str_eq(err.message, "");
  findlr_context_destroy(context);
}
END_TEST

START_TEST(cairo_refuses_what_it_does_not_know) {
  ERR;
  findlr_context *context = new_context();
  const void *extension = NULL;
  ck_ok(findlr_plugin_extension(context, "cairo", FINDLR_EXT_RENDER, &extension, &err));
  void *ctx;
  const findlr_host *host = findlr_context_host(context, &ctx);
  const findlr_render *render = extension;
  findlr_drawing empty = { .struct_size = sizeof empty, .width = 10, .height = 10, .title = "" };
  ck_assert_int_eq(render->render(host, ctx, &empty, "gif", 1, take, NULL), FINDLR_ERR_UNSUPPORTED);
  ck_assert(strstr(findlr_context_host_error(context), "\"gif\""));
  ck_assert_int_eq(render->render(host, ctx, &empty, "png", 1e9, take, NULL), FINDLR_ERR_ARGUMENT);
  ck_assert_int_eq(render->render(host, ctx, &empty, "png", NAN, take, NULL), FINDLR_ERR_ARGUMENT);
  output_size = 0;
  ck_assert_int_eq(render->render(host, ctx, &empty, "png", 1, take, NULL), FINDLR_OK);
  ck_assert_int_eq(findlr_plugin_extension(context, "cairo", "no.such/1", &extension, &err),
                   FINDLR_ERR_UNSUPPORTED);
  findlr_context_destroy(context);
}
END_TEST

#endif

/* A plugin of that name which is not what it should be. */
static findlr_render incomplete;

static const void *no_extension(const char *id) {
  (void)id;
  return NULL;
}

static const void *incomplete_extension(const char *id) {
  (void)id;
  return &incomplete;
}

static findlr_plugin other = {
  .struct_size = sizeof other, .id = "cairo", .version = "1", .description = "another"
};

static const findlr_plugin *other_entry(void) {
  return &other;
}

START_TEST(without_cairo_a_sentence_says_so) {
  chart c = usual(ROWS);
  ERR;
  other.get_extension = no_extension;
  findlr_context *context = new_context();
  ck_ok(findlr_register_static(context, other_entry, &err));
  output_size = 0;
  ck_fails(chart_write(&c, "png", context, take, NULL, &err), FINDLR_ERR_UNSUPPORTED,
           "a png needs the plugin cairo");
  findlr_context_destroy(context);

  other.get_extension = incomplete_extension;
  context = new_context();
  ck_ok(findlr_register_static(context, other_entry, &err));
  ck_fails(chart_write(&c, "pdf", context, take, NULL, &err), FINDLR_ERR_PLUGIN_INVALID, "cairo");
  ck_assert_uint_eq(output_size, 0);
  findlr_context_destroy(context);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("chart");
  TCase *picture = tcase_create("picture");
  tcase_set_timeout(picture, 60);
  tcase_add_test(picture, numbers_are_rounded_for_people);
  tcase_add_test(picture, svg_shows_what_was_found);
  tcase_add_test(picture, svg_without_a_suggestion_says_why);
  tcase_add_test(picture, svg_escapes_any_title);
  tcase_add_test(picture, svg_cuts_a_title_that_is_too_long);
  tcase_add_test(picture, svg_keeps_the_fall_visible_below_an_explosion);
  tcase_add_test(picture, svg_line_passes_over_skipped_steps_but_not_over_nan);
  tcase_add_test(picture, svg_of_many_rows_stays_small);
  tcase_add_test(picture, rates_that_are_not_positive_get_a_linear_axis);
  tcase_add_test(picture, y_label_is_the_callers);
  tcase_add_test(picture, garbage_is_drawn);
  tcase_add_test(picture, any_mixture_is_drawn);
  tcase_add_test(picture, a_plain_curve_is_all_shown);
  tcase_add_test(picture, text_fits_its_place);
  tcase_add_test(picture, text_shows_the_curve);
  tcase_add_test(picture, text_has_colors_when_asked);
  tcase_add_test(picture, memory_may_run_out_anywhere);
  tcase_add_test(picture, a_format_that_is_none_is_refused);
  tcase_add_test(picture, a_sink_that_fails_is_passed_on);
  suite_add_tcase(s, picture);
  TCase *cairo = tcase_create("cairo");
  tcase_set_timeout(cairo, 60);
#ifdef HAVE_CAIRO
  tcase_add_test(cairo, cairo_writes_png_and_pdf);
  tcase_add_test(cairo, cairo_draws_garbage_too);
  tcase_add_test(cairo, cairo_passes_on_a_sink_that_fails);
  tcase_add_test(cairo, cairo_refuses_what_it_does_not_know);
#endif
  tcase_add_test(cairo, without_cairo_a_sentence_says_so);
  suite_add_tcase(s, cairo);
  return s;
}

TEST_MAIN(suite())
