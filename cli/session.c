/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "record.h"
#include "subject.h"

/* A session by --data, --model and their kin. */
typedef struct trained {
  subject base;
  char *data; /* --data with --target in it */
  char *patterns[MOST_GROUPS];
  double factors[MOST_GROUPS];
  findlr_session *session;   /* NULL: isolated */
  findlr_isolated *isolated; /* NULL: in this program */
  findlr_session_info info;
} trained;

static int32_t read_groups(trained *t, findlr_error *err) {
  const texts *groups = &t->base.args->groups;
  if (groups->count > MOST_GROUPS)
    return fail(err, FINDLR_ERR_ARGUMENT, "--group was given %zu times, %d are possible", groups->count,
                MOST_GROUPS);
  for (size_t i = 0; i < groups->count; i++) {
    const char *text = groups->at[i];
    int32_t status = read_group(text,
                                "PATTERN=FACTOR with a positive factor, as in --group '0.*=0.1',",
                                &t->patterns[i], &t->factors[i], err);
    if (status != FINDLR_OK)
      return status;
    for (size_t k = 0; k < i; k++)
      if (strcmp(t->patterns[k], t->patterns[i]) == 0)
        return fail(err, FINDLR_ERR_ARGUMENT, "--group %s: the pattern was given before", text);
  }
  return FINDLR_OK;
}

/* --target is an option of the data source: puts it into the spec. */
static int32_t read_data(trained *t, findlr_error *err) {
  const char *text = t->base.args->data, *target = t->base.args->target;
  if (!target) {
    t->data = joined(text, "", "");
    return FINDLR_OK;
  }
  findlr_spec *spec;
  int32_t status = findlr_spec_parse(t->base.context, FINDLR_KIND_DATA, text, &spec, err);
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
  t->data = joined(base, strchr(base, ':') ? ",target=" : ":target=", value);
  free(base);
  free(file);
  free(value);
  findlr_spec_destroy(spec);
  return status;
}

static int32_t check_specs(const trained *t, findlr_error *err) {
  const arguments *a = t->base.args;
  int32_t status = check_spec(&t->base, FINDLR_KIND_MODEL, a->model, err);
  if (status == FINDLR_OK)
    status = check_spec(&t->base, FINDLR_KIND_OPTIMIZER, a->optimizer, err);
  if (status == FINDLR_OK)
    status = check_spec(&t->base, FINDLR_KIND_LOSS, a->loss, err);
  return status == FINDLR_OK ? check_spec(&t->base, FINDLR_KIND_DATA, t->data, err) : status;
}

static int32_t check_numbers(subject *self, findlr_error *err) {
  trained *t = (trained *)self;
  const arguments *a = self->args;
  char text[FINDLR_TEXT_SIZE];
  if (!(a->step_limit >= 0 && isfinite(a->step_limit)))
    return fail(err, FINDLR_ERR_ARGUMENT, "--step-limit %s: a number of seconds is wanted",
                number(a->step_limit, text));
  if (a->step_limit > 0 && !a->isolate)
    return fail(err, FINDLR_ERR_ARGUMENT, "--step-limit needs a program that can be ended: add --isolate");
  if (!(a->validation >= 0 && a->validation < 1))
    return fail(err, FINDLR_ERR_ARGUMENT, "--validation %s: a fraction from 0 to below 1 is wanted",
                number(a->validation, text));
  if (self->follows_validation && a->validation == 0)
    return fail(err, FINDLR_ERR_ARGUMENT,
                "--follow validation needs rows to be held out: add --validation 0.2");
  int32_t status = read_groups(t, err);
  return status == FINDLR_OK ? read_data(t, err) : status;
}

static int32_t check(subject *self, findlr_error *err) {
  int32_t status = check_numbers(self, err);
  return status == FINDLR_OK ? check_specs((trained *)self, err) : status;
}

static findlr_session_options session_options(const trained *t) {
  const subject *self = &t->base;
  const arguments *a = self->args;
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.flags = (a->standardize ? FINDLR_SESSION_STANDARDIZE : 0) |
            (a->drop_last ? FINDLR_SESSION_DROP_LAST : 0);
  o.data = t->data;
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
  o.validation_batches = self->validation_batches;
  o.seed = (uint64_t)a->seed;
  o.group_count = (uint32_t)a->groups.count;
  o.group_patterns = (const char *const *)t->patterns;
  o.group_factors = t->factors;
  o.slot_directory = a->slots;
  return o;
}

static int32_t open_session(subject *self, findlr_error *err) {
  trained *t = (trained *)self;
  const findlr_session_options o = session_options(t);
  int32_t status = findlr_session_create(self->context, &o, &t->session, err);
  if (status != FINDLR_OK)
    return status;
  self->trainer = findlr_session_trainer(t->session);
  t->info.struct_size = sizeof t->info;
  return findlr_session_describe(t->session, &t->info, err);
}

/* What is given by name is loaded by the worker alone, so it is the worker that finds the mistakes. Only
 * then is looked here which of them are the command line's. */
static int32_t open_isolated(subject *self, findlr_error *err) {
  trained *t = (trained *)self;
  const findlr_session_options o = session_options(t);
  findlr_isolate_options how;
  findlr_isolate_options_init(&how, sizeof how);
  how.step_limit = self->args->step_limit;
  how.plugins = self->args->plugins.at;
  how.plugin_count = (uint32_t)self->args->plugins.count;
  int32_t status = findlr_isolated_create(self->context, &o, &how, &t->isolated, err);
  findlr_error here = FINDLR_ERROR_INIT;
  if (status == FINDLR_ERR_NOT_FOUND && check_specs(t, &here) == FINDLR_ERR_ARGUMENT &&
      strcmp(here.message, err->message) == 0)
    return as_usage(status, err);
  if (status != FINDLR_OK)
    return status;
  self->trainer = findlr_isolated_trainer(t->isolated);
  t->info.struct_size = sizeof t->info;
  return findlr_isolated_describe(t->isolated, &t->info, err);
}

static int32_t fit(subject *self, findlr_range_test_options *options, findlr_error *err) {
  trained *t = (trained *)self;
  return t->isolated ? findlr_isolated_fit_options(t->isolated, options, err)
                     : findlr_session_fit_options(t->session, options, err);
}

static void tell(const subject *self, FILE *to) {
  const arguments *args = self->args;
  const findlr_session_info *i = &((const trained *)self)->info;
  char a[FINDLR_TEXT_SIZE], b[FINDLR_TEXT_SIZE], c[FINDLR_TEXT_SIZE];
  if (*i->about_data)
    fprintf(to, "data       %s\n", i->about_data);
  else
    fprintf(to, "data       %s: %s rows, %s features, %s classes\n", i->data, counted(i->rows, a),
            counted(i->features, b), counted(i->classes, c));
  if (i->validation_rows)
    fprintf(to, "           %s rows for training, %s held out\n", counted(i->training_rows, a),
            counted(i->validation_rows, b));
  fprintf(to, "model      %s", args->model);
  if (i->parameters)
    fprintf(to, ", %s parameters", counted(i->parameters, a));
  /* What was given as it was given; what was chosen without its defaults. */
  const char *optimizer = args->optimizer ? args->optimizer : i->optimizer;
  const char *loss = args->loss ? args->loss : i->loss;
  const size_t optimizer_length = strcspn(optimizer, args->optimizer ? "" : ":");
  const size_t length = strcspn(loss, args->loss ? "" : ":");
  fprintf(to, "\ntraining   %.*s%s%.*s, batches of %s\n\n",
          *optimizer ? (int)optimizer_length : INT_MAX, *optimizer ? optimizer : "by the model",
          length ? ", " : "", (int)length, loss, counted(i->batch_size, a));
}

/* Model and data as they were typed. */
static char *title(const subject *self) {
  return without_folders(joined(self->args->model, " on ", ((const trained *)self)->data));
}

static void configure(const subject *self, cJSON *c) {
  const arguments *a = self->args;
  const findlr_session_info *i = &((const trained *)self)->info;
  json_text(c, "data", i->data);
  json_number(c, "rows", (double)i->rows);
  json_number(c, "training_rows", (double)i->training_rows);
  json_number(c, "validation_rows", (double)i->validation_rows);
  json_number(c, "features", (double)i->features);
  json_number(c, "classes", (double)i->classes);
  cJSON_AddBoolToObject(c, "standardize", a->standardize);
  json_number(c, "validation", a->validation);
  json_number(c, "validation_batches", (double)self->validation_batches);
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
}

static const char *group(const subject *self, uint32_t i) {
  const trained *t = (const trained *)self;
  return t->isolated ? findlr_isolated_group_pattern(t->isolated, i)
                     : findlr_session_group_pattern(t->session, i);
}

static double factor(const subject *self, uint32_t i) {
  const trained *t = (const trained *)self;
  return t->isolated ? findlr_isolated_group_factor(t->isolated, i)
                     : findlr_session_group_factor(t->session, i);
}

static void close_session(subject *self) {
  trained *t = (trained *)self;
  findlr_session_destroy(t->session);
  findlr_isolated_destroy(t->isolated);
  for (size_t i = 0; i < MOST_GROUPS; i++)
    free(t->patterns[i]);
  free(t->data);
}

const subject_kind session_subject = {
  sizeof(trained), check, open_session, fit, tell, title, configure, group, factor, close_session
};

/* The same in a program of its own. */
const subject_kind isolated_subject = {
  sizeof(trained), check_numbers, open_isolated, fit, tell, title, configure, group, factor, close_session
};
