/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "host.h"
#include "interrupt.h"
#include "message.h"
#include "picture.h"
#include "report.h"
#include "terminal.h"

enum { MOST_GROUPS = 64 };

/* What a run holds; run_close gives it back. */
typedef struct run {
  const arguments *args;
  findlr_context *context;
  char *data; /* --data with --target in it */
  char *patterns[MOST_GROUPS];
  double factors[MOST_GROUPS];
  findlr_smoothing smoothing, stop_smoothing;
  findlr_stop stop;
  int64_t validation_batches;
  const char *picture_format;
  output *json, *csv, *plot;
  findlr_session *session;
  findlr_session_info info;
  findlr_range_test_options options;
  findlr_range_test *test;
} run;

static void run_close(run *r) {
  output_discard(r->json);
  output_discard(r->csv);
  output_discard(r->plot);
  findlr_range_test_destroy(r->test);
  findlr_session_destroy(r->session);
  findlr_context_destroy(r->context);
  for (size_t i = 0; i < MOST_GROUPS; i++)
    free(r->patterns[i]);
  free(r->data);
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
  if (!(a->validation >= 0 && a->validation < 1))
    return fail(err, FINDLR_ERR_ARGUMENT, "--validation %s: a fraction from 0 to below 1 is wanted",
                number(a->validation, x));
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
    r->validation_batches = batches;
  }
  if (r->args->validation == 0)
    return fail(err, FINDLR_ERR_ARGUMENT,
                "--follow validation needs rows to be held out: add --validation 0.2");
  r->options.follow = FINDLR_FOLLOW_VALIDATION;
  return FINDLR_OK;
}

static int32_t read_groups(run *r, findlr_error *err) {
  const texts *groups = &r->args->groups;
  if (groups->count > MOST_GROUPS)
    return fail(err, FINDLR_ERR_ARGUMENT, "--group was given %zu times, %d are possible", groups->count,
                MOST_GROUPS);
  for (size_t i = 0; i < groups->count; i++) {
    const char *text = groups->at[i], *equals = strrchr(text, '=');
    size_t length = equals ? strlen(equals + 1) : 0;
    if (!equals || equals == text || findlr_text_parse(equals + 1, length, &r->factors[i]) != length ||
        length == 0 || !(r->factors[i] > 0) || !isfinite(r->factors[i]))
      return fail(err, FINDLR_ERR_ARGUMENT,
                  "--group %s: PATTERN=FACTOR with a positive factor is wanted, as in --group '0.*=0.1'",
                  text);
    r->patterns[i] = joined(text, "", "");
    r->patterns[i][equals - text] = 0;
    for (size_t k = 0; k < i; k++)
      if (strcmp(r->patterns[k], r->patterns[i]) == 0)
        return fail(err, FINDLR_ERR_ARGUMENT, "--group %s: the pattern was given before", text);
  }
  return FINDLR_OK;
}

static int32_t check_spec(run *r, uint32_t kind, const char *text, findlr_error *err) {
  findlr_spec *spec;
  int32_t status = text ? findlr_spec_parse(r->context, kind, text, &spec, err) : FINDLR_DONE;
  if (status == FINDLR_OK)
    findlr_spec_destroy(spec);
  return status < 0 ? as_usage(status, err) : FINDLR_OK;
}

/* A value in double quotes, as a spec string takes any. */
static char *quoted(const char *text) {
  char *result = allocate(2 * strlen(text) + 3), *to = result;
  *to++ = '"';
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      *to++ = '\\';
    *to++ = *text;
  }
  *to++ = '"';
  *to = 0;
  return result;
}

/* --target is an option of the data source: puts it into the spec. */
static int32_t read_data(run *r, findlr_error *err) {
  const char *text = r->args->data, *target = r->args->target;
  if (!target) {
    r->data = joined(text, "", "");
    return check_spec(r, FINDLR_KIND_DATA, text, err);
  }
  findlr_spec *spec;
  int32_t status = findlr_spec_parse(r->context, FINDLR_KIND_DATA, text, &spec, err);
  if (status != FINDLR_OK)
    return as_usage(status, err);
  const findlr_component *source = findlr_spec_component(spec);
  bool known = false;
  for (uint32_t i = 0; i < source->option_count && !known; i++) {
    findlr_option o = { .struct_size = sizeof o };
    known = source->option(source->user, i, &o) == 0 && strcmp(o.name, "target") == 0;
  }
  if (!known)
    status = fail(err, FINDLR_ERR_ARGUMENT, "--target %s: the data source %s has no target to choose",
                  target, source->name);
  /* "FILE.csv" is short for csv:file="FILE.csv". */
  size_t length = strlen(source->name);
  bool brief = strncmp(text, source->name, length) != 0 || (text[length] && text[length] != ':');
  char *file = quoted(text), *value = quoted(target);
  char *base = brief ? joined(source->name, ":file=", file) : joined(text, "", "");
  r->data = joined(base, strchr(base, ':') ? ",target=" : ":target=", value);
  free(base);
  free(file);
  free(value);
  findlr_spec_destroy(spec);
  return status == FINDLR_OK ? check_spec(r, FINDLR_KIND_DATA, r->data, err) : status;
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
    status = read_groups(r, err);
  if (status == FINDLR_OK)
    status = check_outputs(a, err);
  if (status == FINDLR_OK)
    status = host_open(a, &r->context, err);
  if (status == FINDLR_OK)
    status = as_usage(findlr_smoothing_parse(r->context, a->smoothing, &r->smoothing, err), err);
  if (status == FINDLR_OK)
    status = as_usage(findlr_stop_parse(r->context, a->stop, &r->stop, &r->stop_smoothing, err), err);
  if (status == FINDLR_OK)
    status = check_spec(r, FINDLR_KIND_MODEL, a->model, err);
  if (status == FINDLR_OK)
    status = check_spec(r, FINDLR_KIND_OPTIMIZER, a->optimizer, err);
  if (status == FINDLR_OK)
    status = check_spec(r, FINDLR_KIND_LOSS, a->loss, err);
  if (status == FINDLR_OK)
    status = read_data(r, err);
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

/* --- session and range test ------------------------------------------------------------------- */

static int32_t make_session(run *r, findlr_error *err) {
  const arguments *a = r->args;
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.flags = (a->standardize ? FINDLR_SESSION_STANDARDIZE : 0) |
            (a->drop_last ? FINDLR_SESSION_DROP_LAST : 0);
  o.data = r->data;
  o.model = a->model;
  o.optimizer = a->optimizer;
  o.loss = a->loss;
  o.sampling = strcmp(a->sampling, "replacement") == 0  ? FINDLR_SAMPLING_REPLACEMENT
               : strcmp(a->sampling, "sequential") == 0 ? FINDLR_SAMPLING_SEQUENTIAL
                                                        : FINDLR_SAMPLING_SHUFFLE;
  o.dtype = strcmp(a->dtype, "float64") == 0 ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32;
  o.threads = (uint32_t)a->threads;
  o.batch_size = a->batch_size;
  o.accumulate = a->accumulate;
  o.validation = a->validation;
  o.validation_batches = r->validation_batches;
  o.seed = (uint64_t)a->seed;
  o.group_count = (uint32_t)a->groups.count;
  o.group_patterns = (const char *const *)r->patterns;
  o.group_factors = r->factors;
  o.slot_directory = a->slots;
  int32_t status = findlr_session_create(r->context, &o, &r->session, err);
  r->info.struct_size = sizeof r->info;
  return status == FINDLR_OK ? findlr_session_describe(r->session, &r->info, err) : status;
}

static int32_t make_test(run *r, findlr_error *err) {
  r->options.mode = strcmp(r->args->mode, "linear") == 0 ? FINDLR_RAMP_LINEAR : FINDLR_RAMP_EXPONENTIAL;
  r->options.start_lr = r->args->start_lr;
  r->options.end_lr = r->args->end_lr;
  r->options.num_iter = r->args->num_iter;
  r->options.stop = &r->stop;
  int32_t status = findlr_session_fit_options(r->session, &r->options, err);
  return status == FINDLR_OK ? findlr_range_test_create(findlr_context_allocator(r->context), &r->options,
                                                        &r->test, err)
                             : status;
}

/* What was understood of data, model and options, before the first step. */
static void tell_beginning(const run *r) {
  FILE *to = output_text();
  const findlr_session_info *i = &r->info;
  char a[FINDLR_TEXT_SIZE], b[FINDLR_TEXT_SIZE], c[FINDLR_TEXT_SIZE];
  if (r->args->quiet)
    return;
  if (*i->about_data)
    fprintf(to, "data       %s\n", i->about_data);
  else
    fprintf(to, "data       %s: %s rows, %s features, %s classes\n", i->data, counted(i->rows, a),
            counted(i->features, b), counted(i->classes, c));
  if (i->validation_rows)
    fprintf(to, "           %s rows for training, %s held out\n", counted(i->training_rows, a),
            counted(i->validation_rows, b));
  fprintf(to, "model      %s", r->args->model);
  if (i->parameters)
    fprintf(to, ", %s parameters", counted(i->parameters, a));
  /* What was given as it was given; what was chosen without its defaults. */
  const char *optimizer = r->args->optimizer ? r->args->optimizer : i->optimizer;
  const char *loss = r->args->loss ? r->args->loss : i->loss;
  const size_t optimizer_length = strcspn(optimizer, r->args->optimizer ? "" : ":");
  const size_t length = strcspn(loss, r->args->loss ? "" : ":");
  fprintf(to, "\ntraining   %.*s%s%.*s, batches of %s\n\n",
          *optimizer ? (int)optimizer_length : INT_MAX, *optimizer ? optimizer : "by the model",
          length ? ", " : "", (int)length, loss, counted(i->batch_size, a));
  fflush(to);
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
  int32_t status = findlr_drive(r->test, findlr_session_trainer(r->session), &options, err);
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

/* Model and data as they were typed, without the folders of files. */
static char *make_title(const run *r) {
  if (r->args->title)
    return joined(r->args->title, "", "");
  char *title = joined(r->args->model, " on ", r->args->data), *to = title, *item = title;
  for (const char *from = title; *from; from++) {
    if (*from == '/') {
      to = item;
      continue;
    }
    *to++ = *from;
    if (strchr(":=,\" ", *from))
      item = to;
  }
  *to = 0;
  return title;
}

/* Every option as it was understood, and what the session says of itself. */
static cJSON *make_config(const run *r) {
  const arguments *a = r->args;
  const findlr_session_info *i = &r->info;
  cJSON *c = cJSON_CreateObject();
  char text[128], *title = make_title(r);
  json_text(c, "title", title);
  free(title);
  json_text(c, "data", i->data);
  json_number(c, "rows", (double)i->rows);
  json_number(c, "training_rows", (double)i->training_rows);
  json_number(c, "validation_rows", (double)i->validation_rows);
  json_number(c, "features", (double)i->features);
  json_number(c, "classes", (double)i->classes);
  cJSON_AddBoolToObject(c, "standardize", a->standardize);
  json_number(c, "validation", a->validation);
  json_text(c, "follow", r->options.follow == FINDLR_FOLLOW_VALIDATION ? "validation" : "train");
  json_number(c, "validation_batches", (double)r->validation_batches);
  json_text(c, "model", i->model);
  json_text(c, "plugin", i->about_model);
  json_number(c, "parameters", (double)i->parameters);
  json_text(c, "optimizer", i->optimizer);
  json_text(c, "loss", i->loss);
  json_number(c, "batch_size", (double)i->batch_size);
  json_number(c, "accumulate", (double)a->accumulate);
  json_text(c, "sampling", a->sampling);
  cJSON_AddBoolToObject(c, "drop_last", a->drop_last);
  json_text(c, "dtype", a->dtype);
  json_number(c, "threads", (double)a->threads);
  json_number(c, "seed", (double)a->seed);
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
  for (uint32_t g = 0; g < i->group_count; g++)
    json_number(groups, findlr_session_group_pattern(r->session, g),
                findlr_session_group_factor(r->session, g));
  return c;
}

static record make_record(const run *r) {
  record made = {
    .curve = findlr_range_test_curve(r->test),
    .groups = allocate((r->info.group_count + 1) * sizeof(char *)),
    .config = make_config(r),
    .reason = findlr_reason_name(findlr_range_test_reason(r->test)),
    .step = findlr_range_test_steps(r->test),
    .validation = r->options.follow == FINDLR_FOLLOW_VALIDATION,
    .smoothing = r->smoothing,
  };
  for (uint32_t g = 0; g < r->info.group_count; g++)
    made.groups[g] = findlr_session_group_pattern(r->session, g);
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
  run r = { .args = args };
  findlr_range_test_options_init(&r.options, sizeof r.options);
  findlr_smoothing_init(&r.smoothing, sizeof r.smoothing);
  findlr_smoothing_init(&r.stop_smoothing, sizeof r.stop_smoothing);
  findlr_stop_init(&r.stop, sizeof r.stop);
  int32_t status = check(&r, err);
  if (status == FINDLR_OK)
    status = open_outputs(&r, err);
  if (status == FINDLR_OK)
    status = make_session(&r, err);
  if (status == FINDLR_OK)
    status = make_test(&r, err);
  if (status == FINDLR_OK) {
    tell_beginning(&r);
    status = conclude(&r, drive(&r, err), err);
  }
  run_close(&r);
  return status;
}
