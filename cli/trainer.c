/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "record.h"
#include "subject.h"

/* A trainer by --trainer, or the program behind "--". */
typedef struct trained {
  subject base;
  char *text; /* the spec string */
  char *canonical;
  findlr_trainer trainer;
  findlr_trainer_info info;
  uint32_t group_count;
  char **names;
  double *factors, *starts, *ends;
} trained;

/* The words as one command, each in double quotes if it needs them. */
static char *command_of(const texts *program) {
  char *line = joined("", "", "");
  for (size_t i = 0; i < program->count; i++) {
    const char *word = program->at[i];
    char *safe = *word && !strpbrk(word, " \"\\") ? joined(word, "", "") : quoted(word);
    char *longer = joined(line, i ? " " : "", safe);
    free(line);
    free(safe);
    line = longer;
  }
  return line;
}

static char *spec_of(const arguments *a) {
  const char *trainer = a->trainer ? a->trainer : "exec";
  if (a->program.count == 0)
    return joined(trainer, "", "");
  char *line = command_of(&a->program), *value = quoted(line);
  char *spec = joined(trainer, strchr(trainer, ':') ? ",command=" : ":command=", value);
  free(line);
  free(value);
  return spec;
}

static int32_t check(subject *self, findlr_error *err) {
  trained *t = (trained *)self;
  const arguments *a = self->args;
  if (a->of_session)
    return fail(err, FINDLR_ERR_ARGUMENT, "--%s makes no sense with %s, which brings its own model and data",
                a->of_session, a->program.count ? "a program of your own" : "--trainer");
  if (self->validation_batches)
    return fail(err, FINDLR_ERR_ARGUMENT, "--follow %s: a trainer chooses the batches itself", a->follow);
  t->text = spec_of(a);
  findlr_spec *spec;
  int32_t status = findlr_spec_parse(self->context, FINDLR_KIND_TRAINER, t->text, &spec, err);
  if (status != FINDLR_OK)
    return as_usage(status, err);
  t->canonical = joined(findlr_spec_text(spec), "", "");
  findlr_spec_destroy(spec);
  return FINDLR_OK;
}

/* Groups are known by their index, and all of them are there. */
static int32_t read_groups(trained *t, findlr_error *err) {
  t->group_count = t->info.group_count ? t->info.group_count : 1;
  t->names = allocate(t->group_count * sizeof *t->names);
  t->factors = allocate(3 * t->group_count * sizeof *t->factors);
  t->starts = t->factors + t->group_count;
  t->ends = t->starts + t->group_count;
  for (uint32_t g = 0; g < t->group_count; g++) {
    char name[16];
    snprintf(name, sizeof name, "%u", g);
    t->names[g] = joined(t->group_count > 1 ? name : "*", "", "");
    t->factors[g] = 1;
  }
  const texts *groups = &t->base.args->groups;
  int32_t status = FINDLR_OK;
  for (size_t i = 0; i < groups->count && status == FINDLR_OK; i++) {
    char *name, *end;
    double factor;
    status = read_group(groups->at[i], "INDEX=FACTOR with a positive factor, as in --group 1=0.1,",
                        &name, &factor, err);
    unsigned long g = strtoul(name, &end, 10);
    if (status == FINDLR_OK && (*name < '0' || *name > '9' || *end || g >= t->group_count))
      status = fail(err, FINDLR_ERR_ARGUMENT, "--group %s: the trainer has %u parameter group%s, counted from 0",
                    groups->at[i], t->group_count, t->group_count == 1 ? "" : "s");
    if (status == FINDLR_OK)
      t->factors[g] = factor;
    free(name);
  }
  return status;
}

static int32_t open_trainer(subject *self, findlr_error *err) {
  trained *t = (trained *)self;
  int32_t status = findlr_trainer_create(self->context, t->text, (uint32_t)self->args->threads,
                                         (uint64_t)self->args->seed, &t->trainer, err);
  if (status != FINDLR_OK)
    return status;
  self->trainer = &t->trainer;
  t->info.struct_size = sizeof t->info;
  status = findlr_trainer_describe(&t->trainer, &t->info, err);
  if (status == FINDLR_OK && self->follows_validation && !t->info.can_evaluate)
    status = fail(err, FINDLR_ERR_ARGUMENT, "--follow validation: the trainer says that it cannot evaluate");
  return status == FINDLR_OK ? read_groups(t, err) : status;
}

static int32_t fit(subject *self, findlr_range_test_options *options, findlr_error *err) {
  (void)err;
  trained *t = (trained *)self;
  for (uint32_t g = 0; g < t->group_count; g++) {
    t->starts[g] = options->start_lr * t->factors[g];
    t->ends[g] = options->end_lr * t->factors[g];
  }
  options->groups = t->group_count;
  options->group_start = t->starts;
  options->group_end = t->ends;
  return FINDLR_OK;
}

static void tell(const subject *self, FILE *to) {
  const trained *t = (const trained *)self;
  fprintf(to, "trainer    %s\n", *t->info.about ? t->info.about : t->text);
  if (t->group_count > 1)
    fprintf(to, "           %u parameter groups\n", t->group_count);
  fputc('\n', to);
}

static char *title(const subject *self) {
  const trained *t = (const trained *)self;
  return without_folders(joined(*t->info.about ? t->info.about : t->text, "", ""));
}

static void configure(const subject *self, cJSON *c) {
  json_text(c, "trainer", ((const trained *)self)->canonical);
}

static const char *group(const subject *self, uint32_t i) {
  return ((const trained *)self)->names[i];
}

static double factor(const subject *self, uint32_t i) {
  return ((const trained *)self)->factors[i];
}

static void close_trainer(subject *self) {
  trained *t = (trained *)self;
  findlr_trainer_destroy(&t->trainer);
  for (uint32_t g = 0; t->names && g < t->group_count; g++)
    free(t->names[g]);
  free(t->names);
  free(t->factors);
  free(t->canonical);
  free(t->text);
}

const subject_kind trainer_subject = {
  sizeof(trained), check, open_trainer, fit, tell, title, configure, group, factor, close_trainer
};
