/* SPDX-License-Identifier: MIT */
#include "findlr/isolate.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "builtin/builtin.h"
#include "host/child.h"
#include "host/context.h"
#include "host/loader.h"
#include "host/messages.h"
#include "host/spec.h"
#include "train/session.h"

enum { FAREWELL = 2 }; /* seconds that a worker may take to give back what it has */

struct findlr_isolated {
  findlr__services services;
  findlr_trainer trainer;
  findlr_error error; /* behind the trainer's last negative status */
  findlr_error lost;  /* why there is no worker any more */
  findlr__child *child; /* NULL: lost */
  double step_limit;
  int64_t steps; /* that were asked for */
  findlr__frame_out request;
  findlr__inbox inbox;
  /* The call that runs: what it is for sentences ("in step 3 "), and until when it may take. */
  char doing[64];
  findlr__deadline deadline;
  findlr_error *err;
  /* What the worker said of the session; strings point into bytes. */
  unsigned char *bytes;
  size_t size;
  findlr__description_answer session;
  double starts[FINDLR__MOST_GROUPS], ends[FINDLR__MOST_GROUPS];
};

void findlr_isolate_options_init(findlr_isolate_options *options, size_t size) {
  if (!options || size < sizeof options->struct_size)
    return;
  memset(options, 0, size);
  options->struct_size = (uint32_t)size;
}

/* --- requests and answers -------------------------------------------------------------------- */

/* The worker cannot be used any more, for the reason in *err: ends it, and keeps the reason. */
static int32_t lose(findlr_isolated *s, int32_t status, const findlr_error *why, findlr_error *err) {
  char sentence[2 * FINDLR_MESSAGE_SIZE], cut[FINDLR_MESSAGE_SIZE];
  findlr__format(sentence, sizeof sentence, "%s%s", s->doing, why->message);
  findlr__one_line(cut, sizeof cut, sentence, strlen(sentence));
  findlr__fail(&s->lost, status, "%s", cut);
  findlr__child_destroy(s->child, 0);
  s->child = NULL;
  return findlr__fail(err, status, "%s", s->lost.message);
}

static int32_t nonsense(findlr_isolated *s, findlr_error *err) {
  findlr_error why = FINDLR_ERROR_INIT;
  findlr__child_fail(s->child, &why, FINDLR_ERR_FORMAT, "gave an answer that makes no sense");
  return lose(s, FINDLR_ERR_FORMAT, &why, err);
}

static int32_t read_bytes(void *ud, void *bytes, size_t size) {
  findlr_isolated *s = ud;
  return findlr__child_read(s->child, bytes, size, s->deadline, s->err);
}

static void begin(findlr_isolated *s, uint32_t kind) {
  findlr__frame_begin(&s->request, kind);
}

static bool is_error(int32_t status) {
  return status < 0 && strcmp(findlr_status_name(status), "unknown status") != 0;
}

static void forward_log(findlr_isolated *s, findlr__frame_in *f) {
  int32_t level = (int32_t)findlr__frame_u32(f);
  const char *text = findlr__frame_text(f);
  if (text)
    s->services.host.log(&s->services, level, text, strlen(text));
}

/* Sends the request and waits for its answer. FINDLR_OK and FINDLR_SKIPPED leave what follows in
 * *answer; for a status below 0 that the worker gave the sentence is its own. */
static int32_t ask(findlr_isolated *s, double limit, findlr__frame_in *answer, findlr_error *err) {
  if (!s->child)
    return findlr__fail(err, s->lost.code, "%s", s->lost.message);
  if (s->request.failed)
    return findlr__no_memory(err, "a request to the worker");
  findlr_error why = FINDLR_ERROR_INIT;
  s->err = &why;
  s->deadline = findlr__deadline_in(limit > 0 ? limit : HUGE_VAL);
  int32_t status = findlr__child_write(s->child, s->request.bytes, s->request.size, s->deadline, &why);
  while (status == FINDLR_OK) {
    status = findlr__inbox_next(&s->inbox, answer);
    if (status != FINDLR_OK || answer->kind != FINDLR__SAYS_LOG)
      break;
    forward_log(s, answer);
  }
  if (status == FINDLR_ERR_NO_MEMORY)
    findlr__fail(&why, status, "the worker's answer found no memory");
  if (status == FINDLR_ERR_FORMAT)
    return nonsense(s, err);
  if (status != FINDLR_OK)
    return lose(s, status, &why, err);
  status = (int32_t)findlr__frame_u32(answer);
  const char *sentence = status < 0 ? findlr__frame_text(answer) : "";
  if (answer->kind != FINDLR__SAYS_ANSWER || answer->failed || !sentence ||
      !(is_error(status) || status == FINDLR_OK || status == FINDLR_SKIPPED))
    return nonsense(s, err);
  if (status >= 0)
    return status;
  char line[FINDLR_MESSAGE_SIZE];
  findlr__one_line(line, sizeof line, sentence, strlen(sentence));
  return findlr__fail(err, status, "%s", line);
}

/* After an answer with nothing (more) in it. */
static int32_t finish(findlr_isolated *s, int32_t status, const findlr__frame_in *answer,
                      findlr_error *err) {
  bool sound = status < 0 || (status == FINDLR_OK && findlr__frame_whole(answer));
  return sound ? status : nonsense(s, err);
}

/* --- as a trainer ---------------------------------------------------------------------------- */

static void doing(findlr_isolated *s, const char *format, long long number) {
  findlr__format(s->doing, sizeof s->doing, format, number);
}

static int32_t step(void *self, const double *rates, uint32_t n, double *ret_loss) {
  findlr_isolated *s = self;
  findlr__frame_in answer;
  if (n != 1 && n != s->session.info.group_count)
    return findlr__fail(&s->error, FINDLR_ERR_ARGUMENT,
                        "the step was given %u rates, wanted 1 or one for each of %u groups", n,
                        s->session.info.group_count);
  s->steps++;
  doing(s, "in step %lld ", (long long)s->steps);
  begin(s, FINDLR__ASK_STEP);
  findlr__frame_put_u32(&s->request, n);
  findlr__frame_put(&s->request, rates, n * sizeof *rates);
  int32_t status = ask(s, s->step_limit, &answer, &s->error);
  double loss = status >= 0 ? findlr__frame_real(&answer) : 0;
  if (status < 0)
    return status;
  if (!findlr__frame_whole(&answer))
    return nonsense(s, &s->error);
  *ret_loss = loss;
  return status;
}

static int32_t evaluate(void *self, double *ret_loss) {
  findlr_isolated *s = self;
  findlr__frame_in answer;
  doing(s, "in the evaluation after step %lld ", (long long)s->steps);
  begin(s, FINDLR__ASK_EVALUATE);
  int32_t status = ask(s, s->step_limit, &answer, &s->error);
  double loss = status == FINDLR_OK ? findlr__frame_real(&answer) : 0;
  status = finish(s, status, &answer, &s->error);
  if (status == FINDLR_OK)
    *ret_loss = loss;
  return status;
}

static int32_t slot(findlr_isolated *s, uint32_t kind, uint32_t number) {
  findlr__frame_in answer;
  begin(s, kind);
  findlr__frame_put_u32(&s->request, number);
  return finish(s, ask(s, s->step_limit, &answer, &s->error), &answer, &s->error);
}

static int32_t save(void *self, uint32_t number) {
  doing(self, "while saving slot %lld ", (long long)number);
  return slot(self, FINDLR__ASK_SAVE, number);
}

static int32_t restore(void *self, uint32_t number) {
  doing(self, "while restoring slot %lld ", (long long)number);
  return slot(self, FINDLR__ASK_RESTORE, number);
}

static int32_t fingerprint(void *self, uint64_t *ret_hash) {
  findlr_isolated *s = self;
  findlr__frame_in answer;
  doing(s, "while taking the fingerprint after step %lld ", (long long)s->steps);
  begin(s, FINDLR__ASK_FINGERPRINT);
  int32_t status = ask(s, s->step_limit, &answer, &s->error);
  uint64_t hash = status == FINDLR_OK ? findlr__frame_u64(&answer) : 0;
  status = finish(s, status, &answer, &s->error);
  if (status == FINDLR_OK)
    *ret_hash = hash;
  return status;
}

static int32_t describe_trainer(void *self, findlr_trainer_info *out) {
  const findlr_isolated *s = self;
  findlr_trainer_info info = {
    .struct_size = sizeof info,
    .group_count = s->session.info.group_count,
    .slot_count = FINDLR__SLOTS,
    .can_evaluate = s->session.info.validation_rows > 0,
    .about = "",
  };
  return findlr__give(out, &info, sizeof info, FINDLR_SIZE_UP_TO(findlr_trainer_info, about),
                      "findlr_trainer_info", NULL);
}

static const void *get_extension(void *self, const char *id) {
  (void)self;
  static const findlr_trainer_about about = { sizeof about, 0, describe_trainer };
  return strcmp(id, FINDLR_EXT_TRAINER) == 0 ? &about : NULL;
}

static const char *message(void *message_ud) {
  return ((findlr_isolated *)message_ud)->error.message;
}

static const findlr_trainer_vtable vtable = {
  .struct_size = sizeof vtable,
  .step = step,
  .evaluate = evaluate,
  .save = save,
  .restore = restore,
  .fingerprint = fingerprint,
  .get_extension = get_extension,
};

const findlr_trainer *findlr_isolated_trainer(findlr_isolated *s) {
  return &s->trainer;
}

/* --- what can be isolated -------------------------------------------------------------------- */

static bool is_builtin(const findlr_component *component) {
  const findlr_component *other;
  for (uint32_t i = 0; (other = findlr__builtin(i)) != NULL; i++)
    if (other == component)
      return true;
  return false;
}

/* Can the worker have the component that this spec names? One that is not registered here it looks for
 * by itself: nothing is loaded into this process for its sake. */
static int32_t check_component(const findlr_context *context, uint32_t kind, const char *text,
                               findlr_error *err) {
  findlr__spec_parts parts;
  const char *what = findlr__kind_name(kind);
  int32_t status = findlr__spec_cut(text, what, &parts, err);
  if (status < 0)
    return status;
  for (uint32_t i = 0; i < context->entry_count; i++) {
    const findlr__entry *entry = &context->entries[i];
    const char *name = entry->component->name;
    if (entry->component->kind != kind || strlen(name) != parts.name_length ||
        memcmp(name, parts.name, parts.name_length) != 0)
      continue;
    bool loadable = entry->plugin < context->plugin_count ? *context->plugins[entry->plugin].file != 0
                                                          : is_builtin(entry->component);
    if (!loadable)
      return findlr__fail(err, FINDLR_ERR_UNSUPPORTED,
                          "%s %s is part of the program itself, and a worker can only have what is built "
                          "in or in a plugin's file: it cannot be isolated",
                          what, name);
  }
  return FINDLR_OK;
}

static int32_t check_session(const findlr_context *context, const findlr_session_options *o,
                             findlr_error *err) {
  if (o->data_object)
    return findlr__fail(err, FINDLR_ERR_UNSUPPORTED,
                        "data in memory cannot be isolated: a worker can only have what has a name");
  if (o->group_count >= FINDLR__MOST_GROUPS ||
      (o->group_count && (!o->group_patterns || !o->group_factors)))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "%u parameter groups were given, wanted at most 64, each with pattern and factor",
                        o->group_count);
  int32_t status = check_component(context, FINDLR_KIND_DATA, o->data ? o->data : "digits", err);
  if (status == FINDLR_OK)
    status = check_component(context, FINDLR_KIND_MODEL, o->model ? o->model : "mlp", err);
  if (status == FINDLR_OK && o->optimizer)
    status = check_component(context, FINDLR_KIND_OPTIMIZER, o->optimizer, err);
  if (status == FINDLR_OK && o->loss)
    status = check_component(context, FINDLR_KIND_LOSS, o->loss, err);
  return status;
}

/* --- making one ------------------------------------------------------------------------------ */

static int32_t take_options(const findlr_isolate_options *options, findlr_isolate_options *o,
                            findlr_error *err) {
  findlr_isolate_options_init(o, sizeof *o);
  int32_t status = findlr__take(o, sizeof *o, options, FINDLR_SIZE_UP_TO(findlr_isolate_options, plugins),
                                "the isolation's options", err);
  if (status < 0)
    return status;
  if (!(o->step_limit >= 0) || !(o->start_limit >= 0))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the %s limit is %g seconds, wanted more than 0, or 0 for none",
                        o->step_limit >= 0 ? "start" : "step",
                        o->step_limit >= 0 ? o->start_limit : o->step_limit);
  for (uint32_t i = 0; i < o->plugin_count; i++)
    if (!o->plugins || !o->plugins[i])
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "plugin file %u of the isolation's options is NULL", i);
  return FINDLR_OK;
}

/* The worker program. One in the working directory is never run because of an environment variable. */
static int32_t find_worker(const findlr_context *context, const findlr_isolate_options *o,
                           const char **ret_program, findlr_error *err) {
  const char *program = o->worker;
  if (!program && !(context->flags & FINDLR_CONTEXT_NO_ENVIRONMENT)) {
    program = findlr__environment("FINDLR_WORKER");
    if (program && *program != '/')
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "FINDLR_WORKER is \"%s\", wanted an absolute path",
                          program);
  }
  *ret_program = program ? program : FINDLR_WORKER_PROGRAM;
  return FINDLR_OK;
}

static int32_t start(findlr_isolated *s, const char *program, findlr_error *err) {
  const char *const argv[] = { program, NULL };
  const findlr__child_options options = {
    .host = &s->services.host,
    .ctx = &s->services,
    .argv = argv,
    .name = "the worker",
    .channel = FINDLR__CHILD_SOCKET,
    .log_level = FINDLR_LOG_INFO,
  };
  return findlr__child_start(&options, &s->child, err);
}

static void describe(findlr_isolated *s, const findlr_context *context,
                     const findlr_session_options *session, const findlr_isolate_options *o) {
  findlr__description d = {
    .parent = getpid(),
    .memory_limit = o->memory_limit,
    .context_flags = context->flags,
    .log_level = context->services.log ? context->services.log_level : INT32_MAX,
    .plugin_path = context->plugin_path,
    .options = *session,
    .plugin_count = o->plugin_count,
  };
  for (uint32_t i = 0; i < context->plugin_count; i++)
    d.plugin_count += *context->plugins[i].file != 0;
  begin(s, FINDLR__ASK_CREATE);
  findlr__description_put(&s->request, &d);
  for (uint32_t i = 0; i < context->plugin_count; i++)
    if (*context->plugins[i].file)
      findlr__frame_put_text(&s->request, context->plugins[i].file);
  for (uint32_t i = 0; i < o->plugin_count; i++)
    findlr__frame_put_text(&s->request, o->plugins[i]);
}

/* Keeps what the worker said of the session. */
static int32_t keep(findlr_isolated *s, const findlr__frame_in *answer, findlr_error *err) {
  s->size = answer->size;
  s->bytes = findlr__allocate(s->services.allocator, s->size);
  if (!s->bytes)
    return findlr__no_memory(err, "an isolated session");
  memcpy(s->bytes, answer->bytes, s->size);
  findlr__frame_in own = *answer;
  own.bytes = s->bytes;
  return findlr__info_get(&own, &s->session) ? FINDLR_OK : nonsense(s, err);
}

static int32_t make(findlr_isolated *s, const findlr_context *context,
                    const findlr_session_options *session, const findlr_isolate_options *o,
                    findlr_error *err) {
  const char *program = NULL;
  int32_t status = find_worker(context, o, &program, err);
  if (status == FINDLR_OK)
    status = start(s, program, err);
  if (status != FINDLR_OK)
    return status;
  findlr__frame_in answer;
  doing(s, "while making the session ", 0);
  describe(s, context, session, o);
  status = ask(s, o->start_limit, &answer, err);
  if (status == FINDLR_SKIPPED)
    return nonsense(s, err);
  return status == FINDLR_OK ? keep(s, &answer, err) : status;
}

int32_t findlr_isolated_create(findlr_context *context, const findlr_session_options *session,
                               const findlr_isolate_options *options, findlr_isolated **ret_isolated,
                               findlr_error *err) {
  if (!context || !ret_isolated)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context or ret_isolated is NULL");
  findlr_session_options described;
  findlr_session_options_init(&described, sizeof described);
  findlr_isolate_options o;
  int32_t status = findlr__take(&described, sizeof described, session,
                                FINDLR_SIZE_UP_TO(findlr_session_options, slot_directory),
                                "the session's options", err);
  if (status == FINDLR_OK)
    status = take_options(options, &o, err);
  if (status == FINDLR_OK)
    status = check_session(context, &described, err);
  if (status != FINDLR_OK)
    return status;
  findlr_isolated *s = findlr__allocate(&context->allocator, sizeof *s);
  if (!s)
    return findlr__no_memory(err, "an isolated session");
  findlr__context_services(context, &s->services);
  s->error.struct_size = s->lost.struct_size = sizeof(findlr_error);
  s->trainer = (findlr_trainer){ sizeof s->trainer, 0, &vtable, s, message, s };
  s->step_limit = o.step_limit;
  s->request.allocator = s->inbox.allocator = &context->allocator;
  s->inbox.read = read_bytes;
  s->inbox.ud = s;
  status = make(s, context, &described, &o, err);
  if (status != FINDLR_OK) {
    findlr_isolated_destroy(s);
    return status;
  }
  *ret_isolated = s;
  return FINDLR_OK;
}

void findlr_isolated_destroy(findlr_isolated *s) {
  if (!s)
    return;
  if (s->child) {
    findlr_error err = FINDLR_ERROR_INIT;
    findlr__frame_in answer;
    doing(s, "while giving back the session ", 0);
    begin(s, FINDLR__ASK_QUIT);
    if (finish(s, ask(s, FAREWELL, &answer, &err), &answer, &err) != FINDLR_OK)
      findlr__services_log(&s->services, FINDLR_LOG_WARNING, "%s", err.message);
    findlr__child_destroy(s->child, FAREWELL);
  }
  const findlr_allocator *a = s->services.allocator;
  findlr__frame_out_free(&s->request);
  findlr__inbox_free(&s->inbox);
  findlr__release(a, s->bytes, s->size);
  findlr__release(a, s, sizeof *s);
}

/* --- what it is ------------------------------------------------------------------------------ */

int32_t findlr_isolated_describe(const findlr_isolated *s, findlr_session_info *out,
                                 findlr_error *err) {
  return findlr__give(out, &s->session.info, sizeof s->session.info,
                      FINDLR_SIZE_UP_TO(findlr_session_info, about_model), "the session's info", err);
}

int32_t findlr_isolated_fit_options(findlr_isolated *s, findlr_range_test_options *options,
                                    findlr_error *err) {
  return findlr__fit_options(s->session.info.group_count, s->session.factors, s->starts, s->ends,
                             options, err);
}

const char *findlr_isolated_group_pattern(const findlr_isolated *s, uint32_t group) {
  return group < s->session.info.group_count ? s->session.patterns[group] : NULL;
}

double findlr_isolated_group_factor(const findlr_isolated *s, uint32_t group) {
  return group < s->session.info.group_count ? s->session.factors[group] : 0;
}
