/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "host.h"
#include "interrupt.h"
#include "message.h"
#include "picture.h"
#include "report.h"
#include "subject.h"
#include "terminal.h"

/* What a run holds; run_close gives it back. */
typedef struct run {
  const arguments *args;
  findlr_context *context;
  findlr_smoothing smoothing, stop_smoothing;
  findlr_stop stop;
  const char *picture_format;
  output *json, *csv, *plot;
  subject *subject;
  findlr_range_test_options options;
  findlr_range_test *test;
} run;

static void run_close(run *r) {
  output_discard(r->json);
  output_discard(r->csv);
  output_discard(r->plot);
  findlr_range_test_destroy(r->test);
  subject_free(r->subject);
  findlr_context_destroy(r->context);
}

/* --- what can be checked before anything runs --------------------------------------------------- */

static int32_t check_numbers(const arguments *a, findlr_error *err) {
  char x[FINDLR_TEXT_SIZE], y[FINDLR_TEXT_SIZE];
  bool exponential = strcmp(a->mode, "exponential") == 0;
  if (!isfinite(a->start_lr) || (exponential && a->start_lr <= 0))
    return fail(err, FINDLR_ERR_ARGUMENT, "--start-lr %s: a%s number is wanted", number(a->start_lr, x),
                exponential ? " positive" : " finite");
  if (!isfinite(a->end_lr))
    return fail(err, FINDLR_ERR_ARGUMENT, "--end-lr %s: a finite number is wanted", number(a->end_lr, x));
  if (a->start_lr >= a->end_lr)
    return fail(err, FINDLR_ERR_ARGUMENT, "--start-lr %s is not below --end-lr %s", number(a->start_lr, x),
                number(a->end_lr, y));
  return FINDLR_OK;
}

/* "train", "validation", "validation:batches=K" (or ":K"). */
static int32_t read_follow(run *r, findlr_error *err) {
  const char *text = r->args->follow, *word = "validation";
  if (strcmp(text, "train") == 0)
    return FINDLR_OK;
  size_t length = strlen(word);
  if (strncmp(text, word, length) != 0 || (text[length] && text[length] != ':'))
    return fail(err, FINDLR_ERR_ARGUMENT,
                "--follow %s: train, validation or validation:batches=K is wanted", text);
  if (text[length] == ':') {
    const char *count = text + length + 1;
    if (strncmp(count, "batches=", 8) == 0)
      count += 8;
    char *end;
    long batches = strtol(count, &end, 10);
    if (*count < '0' || *count > '9' || *end || batches < 1 || batches > 1000000000)
      return fail(err, FINDLR_ERR_ARGUMENT, "--follow %s: a number of batches from 1 is wanted", text);
    r->subject->validation_batches = batches;
  }
  r->subject->follows_validation = true;
  r->options.follow = FINDLR_FOLLOW_VALIDATION;
  return FINDLR_OK;
}

/* No two results may go to one place. */
static int32_t check_outputs(const arguments *a, findlr_error *err) {
  const char *const names[] = { "--json", "--csv", "--plot" };
  const char *const paths[] = { a->json, a->csv, a->plot };
  for (int i = 0; i < 3; i++)
    for (int k = i + 1; k < 3; k++)
      if (paths[i] && paths[k] && output_same(paths[i], paths[k]))
        return fail(err, FINDLR_ERR_ARGUMENT, "%s and %s cannot both write %s", names[i], names[k],
                    output_is_stdout(paths[i]) ? "standard output" : paths[i]);
  return FINDLR_OK;
}

static int32_t check(run *r, findlr_error *err) {
  const arguments *a = r->args;
  int32_t status = check_numbers(a, err);
  if (status == FINDLR_OK)
    status = check_method(a->method, err);
  if (status == FINDLR_OK)
    status = read_follow(r, err);
  if (status == FINDLR_OK)
    status = check_outputs(a, err);
  if (status == FINDLR_OK)
    status = host_open(a, &r->context, err);
  if (status == FINDLR_OK)
    status = as_usage(findlr_smoothing_parse(r->context, a->smoothing, &r->smoothing, err), err);
  if (status == FINDLR_OK)
    status = as_usage(findlr_stop_parse(r->context, a->stop, &r->stop, &r->stop_smoothing, err), err);
  r->subject->context = r->context;
  if (status == FINDLR_OK)
    status = r->subject->kind->check(r->subject, err);
  if (status == FINDLR_OK && a->plot)
    status = picture_format(a->plot, r->context, &r->picture_format, err);
  return status;
}

static int32_t open_outputs(run *r, findlr_error *err) {
  int32_t status = FINDLR_OK;
  if (r->args->json)
    status = output_open(r->args->json, &r->json, err);
  if (status == FINDLR_OK && r->args->csv)
    status = output_open(r->args->csv, &r->csv, err);
  if (status == FINDLR_OK && r->args->plot)
    status = output_open(r->args->plot, &r->plot, err);
  return status;
}

/* --- the range test --------------------------------------------------------------------------- */

static int32_t make_test(run *r, findlr_error *err) {
  r->options.mode = strcmp(r->args->mode, "linear") == 0 ? FINDLR_RAMP_LINEAR : FINDLR_RAMP_EXPONENTIAL;
  r->options.start_lr = r->args->start_lr;
  r->options.end_lr = r->args->end_lr;
  r->options.num_iter = r->args->num_iter;
  r->options.stop = &r->stop;
  int32_t status = r->subject->kind->fit(r->subject, &r->options, err);
  return status == FINDLR_OK ? findlr_range_test_create(findlr_context_allocator(r->context), &r->options,
                                                        &r->test, err)
                             : status;
}

static int32_t show_progress(void *ud, const findlr_range_test *test) {
  (void)ud;
  const findlr_curve *curve = findlr_range_test_curve(test);
  size_t n = findlr_curve_count(curve);
  if (n > 0)
    progress_show(findlr_range_test_steps(test), findlr_range_test_num_iter(test),
                  findlr_curve_lr(curve, 0)[n - 1], findlr_curve_loss(curve)[n - 1]);
  return 0;
}

static int32_t drive(run *r, findlr_error *err) {
  findlr_drive_options options;
  findlr_drive_options_init(&options, sizeof options);
  options.progress = show_progress;
  options.log = log_line;
  options.ud = (void *)(uintptr_t)&r->args->quiet;
  progress_begin(!r->args->quiet);
  interrupt_watch(r->test);
  int32_t status = findlr_drive(r->test, r->subject->trainer, &options, err);
  interrupt_watch(NULL);
  progress_end();
  return status;
}

/* --- results ---------------------------------------------------------------------------------- */

static void smoothing_text(const findlr_smoothing *s, char *buffer, size_t size) {
  static const char *const names[] = { "none", "ema:beta=", "seeded_ema:weight=", "gaussian:sigma=" };
  char value[FINDLR_TEXT_SIZE];
  snprintf(buffer, size, "%s%s", names[s->kind],
           s->kind == FINDLR_SMOOTHING_NONE ? "" : number(s->parameter, value));
}

static void stop_text(const findlr_stop *s, char *buffer, size_t size) {
  static const char *const names[] = { "none", "not_finite", "factor", "rise" };
  char factor[FINDLR_TEXT_SIZE], beta[FINDLR_TEXT_SIZE];
  bool rule = s->rule == FINDLR_STOP_FACTOR || s->rule == FINDLR_STOP_RISE;
  if (rule)
    snprintf(buffer, size, "%s:factor=%s,beta=%s", names[s->rule], number(s->factor, factor),
             number(s->smoothing ? s->smoothing->parameter : 0.98, beta));
  else
    snprintf(buffer, size, "%s", names[s->rule]);
}

/* Every option as it was understood, and what the subject says of itself. */
static cJSON *make_config(const run *r) {
  const arguments *a = r->args;
  const subject *trained = r->subject;
  cJSON *c = cJSON_CreateObject();
  char text[128];
  char *title = a->title ? joined(a->title, "", "") : trained->kind->title(trained);
  json_text(c, "title", title);
  free(title);
  trained->kind->configure(trained, c);
  json_number(c, "threads", (double)a->threads);
  json_number(c, "seed", (double)a->seed);
  json_text(c, "follow", trained->follows_validation ? "validation" : "train");
  json_number(c, "start_lr", a->start_lr);
  json_number(c, "end_lr", a->end_lr);
  json_number(c, "num_iter", (double)a->num_iter);
  json_text(c, "mode", a->mode);
  stop_text(&r->stop, text, sizeof text);
  json_text(c, "stop", text);
  smoothing_text(&r->smoothing, text, sizeof text);
  json_text(c, "smoothing", text);
  json_text(c, "method", a->method);
  cJSON *groups = cJSON_AddObjectToObject(c, "groups");
  for (uint32_t g = 0; g < r->options.groups; g++)
    json_number(groups, trained->kind->group(trained, g), trained->kind->factor(trained, g));
  return c;
}

static record make_record(const run *r) {
  record made = {
    .curve = findlr_range_test_curve(r->test),
    .groups = allocate((r->options.groups + 1) * sizeof(char *)),
    .config = make_config(r),
    .reason = findlr_reason_name(findlr_range_test_reason(r->test)),
    .step = findlr_range_test_steps(r->test),
    .validation = r->subject->follows_validation,
    .smoothing = r->smoothing,
  };
  for (uint32_t g = 0; g < r->options.groups; g++)
    made.groups[g] = r->subject->kind->group(r->subject, g);
  return made;
}

/* Writes what was asked for. What fails is told; the others are written all the same. */
static int32_t write_results(run *r, const record *made) {
  findlr_error err = FINDLR_ERROR_INIT;
  int32_t worst = FINDLR_OK;
  if (r->json)
    record_write_json(made, r->json);
  if (r->csv)
    record_write_csv(made, r->csv);
  output **outputs[] = { &r->json, &r->csv, &r->plot };
  for (int i = 0; i < 3; i++) {
    int32_t status = FINDLR_OK;
    if (*outputs[i] && *outputs[i] == r->plot)
      status = picture_write(made, NULL, r->picture_format, r->context, r->plot, &err);
    else if (*outputs[i])
      status = output_close(*outputs[i], &err);
    *outputs[i] = NULL;
    if (status != FINDLR_OK) {
      complain("%s", err.message);
      worst = FINDLR_DONE;
    }
  }
  return worst;
}

static int32_t conclude(run *r, int32_t driven, findlr_error *err) {
  findlr_error why = FINDLR_ERROR_INIT;
  if (driven < 0 && findlr_curve_count(findlr_range_test_curve(r->test)) == 0)
    return driven == FINDLR_ERR_CANCELLED ? driven : as_failure(driven, err);
  record made = make_record(r);
  int32_t status = as_failure(record_conclude(&made, r->args->method, &why), &why), written = FINDLR_OK;
  if (status == FINDLR_OK) {
    written = write_results(r, &made);
    status = report(&made, r->args->quiet, &why);
  }
  record_free(&made);
  if (driven < 0)
    return driven == FINDLR_ERR_CANCELLED ? driven : as_failure(driven, err);
  if (status < 0)
    *err = why;
  return status != FINDLR_OK ? status : written;
}

int32_t run_command(const arguments *args, findlr_error *err) {
  run r = { .args = args, .subject = subject_make(args) };
  findlr_range_test_options_init(&r.options, sizeof r.options);
  findlr_smoothing_init(&r.smoothing, sizeof r.smoothing);
  findlr_smoothing_init(&r.stop_smoothing, sizeof r.stop_smoothing);
  findlr_stop_init(&r.stop, sizeof r.stop);
  int32_t status = check(&r, err);
  if (status == FINDLR_OK)
    status = open_outputs(&r, err);
  if (status == FINDLR_OK)
    status = r.subject->kind->open(r.subject, err);
  if (status == FINDLR_OK)
    status = make_test(&r, err);
  if (status == FINDLR_OK) {
    if (!args->quiet) {
      r.subject->kind->tell(r.subject, output_text());
      fflush(output_text());
    }
    status = conclude(&r, drive(&r, err), err);
  }
  run_close(&r);
  return status;
}
