/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "chart.h"
#include "host.h"
#include "message.h"
#include "picture.h"
#include "record.h"
#include "terminal.h"

/* What a schedule says, step by step. */
typedef struct course {
  const char *spec;
  size_t n;
  double *steps, *rates, *momentum;
  bool moves; /* it has a say in momentum */
  bool listens;
} course;

static void list_kinds(FILE *to) {
  const findlr_component *c;
  for (uint32_t i = 0; (c = findlr_schedule_component(i)) != NULL; i++)
    fprintf(to, "  %-18s %s\n", c->name, c->help);
  fputs("\nfindlr schedule NAME draws one, findlr plugins NAME shows its options.\n", to);
}

static int32_t check_rate(const arguments *args, findlr_error *err) {
  char rate[FINDLR_TEXT_SIZE];
  if (args->lr > 0 && isfinite(args->lr))
    return FINDLR_OK;
  return fail(err, FINDLR_ERR_ARGUMENT, "--lr %s: the rate must be positive and finite",
              number(args->lr, rate));
}

/* Where a metric is listened to it never gets better. */
static int32_t follow(findlr_schedule *schedule, course *c, findlr_error *err) {
  c->listens = findlr_schedule_listens(schedule);
  c->steps = allocate(3 * c->n * sizeof *c->steps);
  c->rates = c->steps + c->n;
  c->momentum = c->rates + c->n;
  int32_t status = FINDLR_OK;
  for (size_t i = 0; i < c->n && status == FINDLR_OK; i++) {
    c->steps[i] = (double)i;
    status = findlr_schedule_at(schedule, (int64_t)i, &c->rates[i], &c->momentum[i], err);
    if (status == FINDLR_OK)
      status = findlr_schedule_tell(schedule, 0, err);
  }
  c->moves = !isnan(c->momentum[0]);
  return as_failure(status, err);
}

static chart chart_of(const course *c, const char *title) {
  return (chart){
    .n = c->n,
    .lr = c->steps,
    .loss = c->rates,
    .suggested = NAN,
    .low = NAN,
    .high = NAN,
    .title = title ? title : c->spec,
    .subtitle = c->listens ? "as if its metric never got better" : NULL,
    .y_label = "learning rate",
    .note = "learning rate",
    .plain = true,
    .x_label = "step",
    .below = c->moves ? c->momentum : NULL,
    .below_label = "momentum",
  };
}

static int32_t write_text(void *ud, const void *bytes, size_t size) {
  fwrite(bytes, 1, size, ud);
  return FINDLR_OK;
}

/* "first 0.004, highest 0.1 at step 299, last 4e-07" */
static void tell_range(FILE *to, const char *what, const double *values, size_t n) {
  char first[FINDLR_TEXT_SIZE], top[FINDLR_TEXT_SIZE], bottom[FINDLR_TEXT_SIZE],
      last[FINDLR_TEXT_SIZE];
  size_t high = 0, low = 0;
  for (size_t i = 0; i < n; i++) {
    high = values[i] > values[high] ? i : high;
    low = values[i] < values[low] ? i : low;
  }
  fprintf(to, "%s: first %s, last %s, lowest %s at step %zu, highest %s at step %zu.\n", what,
          chart_number(values[0], 3, first), chart_number(values[n - 1], 3, last),
          chart_number(values[low], 3, bottom), low, chart_number(values[high], 3, top), high);
}

static int32_t report_course(const course *c, const char *title, findlr_error *err) {
  enum { WIDEST = 100, ROWS = 16 };
  FILE *to = output_text();
  chart picture = chart_of(c, title);
  int columns = terminal_columns(to);
  uint32_t flags =
      (terminal_unicode() ? CHART_UNICODE : 0) | (terminal_color(to) ? CHART_COLOR : 0);
  int32_t status = chart_text(&picture, (uint32_t)(columns < WIDEST ? columns : WIDEST), ROWS,
                              flags, write_text, to, err);
  if (status != FINDLR_OK)
    return as_failure(status, err);
  fputc('\n', to);
  tell_range(to, "Learning rate", c->rates, c->n);
  if (c->moves)
    tell_range(to, "Momentum", c->momentum, c->n);
  if (c->listens)
    fputs("It was drawn as if its metric never got better.\n", to);
  return FINDLR_OK;
}

static void write_json(const course *c, output *to) {
  cJSON *root = cJSON_CreateObject();
  cJSON_AddRawToObject(root, "format", "1");
  json_text(root, "findlr", findlr_version());
  json_text(root, "schedule", c->spec);
  json_numbers(root, "rates", c->rates, c->n);
  if (c->moves)
    json_numbers(root, "momentum", c->momentum, c->n);
  else
    json_text(root, "momentum", NULL);
  char *text = cJSON_Print(root);
  cJSON_Delete(root);
  output_write(to, text, strlen(text));
  output_write(to, "\n", 1);
  cJSON_free(text);
}

static int32_t write_picture(const course *c, const char *title, const char *format,
                             findlr_context *context, output *to, findlr_error *err) {
  chart picture = chart_of(c, title);
  int32_t status = chart_write(&picture, format, context, output_write, to, err);
  if (status == FINDLR_OK)
    return output_close(to, err);
  output_discard(to);
  return as_failure(status, err);
}

static int32_t show(const arguments *args, findlr_context *context, course *c, findlr_error *err) {
  const char *format = NULL;
  output *json = NULL, *plot = NULL;
  findlr_schedule *schedule = NULL;
  findlr_schedule_basis basis = { sizeof basis, 0, args->lr, 0, 0, args->steps };
  int32_t status = check_rate(args, err);
  if (status == FINDLR_OK && args->json && args->plot && output_same(args->json, args->plot))
    status = fail(err, FINDLR_ERR_ARGUMENT, "--json and --plot both write %s", args->json);
  if (status == FINDLR_OK && args->plot)
    status = picture_format(args->plot, context, &format, err);
  if (status == FINDLR_OK)
    status = as_usage(findlr_schedule_parse(context, c->spec, &basis, &schedule, err), err);
  if (status == FINDLR_OK)
    status = follow(schedule, c, err);
  if (status == FINDLR_OK && args->json)
    status = output_open(args->json, &json, err);
  if (status == FINDLR_OK && args->plot)
    status = output_open(args->plot, &plot, err);
  if (status == FINDLR_OK && plot) {
    status = write_picture(c, args->title, format, context, plot, err);
    plot = NULL;
  }
  if (status == FINDLR_OK && json) {
    write_json(c, json);
    status = output_close(json, err);
    json = NULL;
  }
  output_discard(json);
  output_discard(plot);
  if (status == FINDLR_OK && !args->quiet)
    status = report_course(c, args->title, err);
  findlr_schedule_destroy(schedule);
  return status;
}

int32_t schedule_command(const arguments *args, findlr_error *err) {
  if (args->files.count == 0) {
    if (args->json || args->plot)
      return fail(err, FINDLR_ERR_ARGUMENT, "schedule needs a SPEC to %s: findlr schedule cosine",
                  args->plot ? "draw" : "write");
    list_kinds(output_text());
    return FINDLR_OK;
  }
  findlr_context *context;
  int32_t status = host_open(args, &context, err);
  if (status != FINDLR_OK)
    return status;
  course c = { .spec = args->files.at[0], .n = (size_t)args->steps };
  status = show(args, context, &c, err);
  free(c.steps);
  findlr_context_destroy(context);
  return status;
}
