/* SPDX-License-Identifier: MIT */
#include "host/exec.h"

#include <math.h>
#include <string.h>

#include "builtin/builtin.h"
#include "findlr/text.h"
#include "findlr/trainer.h"
#include "host/child.h"

enum {
  PROTOCOL = 1,
  MOST_GROUPS = 1024, /* as many as a range test has */
  MOST_SLOTS = 64,
  MOST_WORDS = 1024,
  GRACE = 5, /* seconds that a script may take to end */
  SHOWN = 60 /* bytes of an answer in a sentence */
};

static const char prefix[] = "findlr ";

typedef struct exec {
  const findlr_host *host;
  void *ctx;
  double timeout, start_timeout;
  char *command;       /* as typed; begins the sentences */
  char *words;         /* its words, each with a NUL */
  size_t words_size;
  const char *argv[MOST_WORDS + 1];
  char seed[48], threads[48]; /* variables of its environment */
  findlr__child *child; /* NULL: not started, or gone */
  uint32_t groups, slots;
  bool validates;
  bool said_hello;     /* once: groups and slots are known */
  bool stepped;        /* since it was started */
  uint64_t saved;      /* a bit a slot */
  char *request;
  size_t request_size;
  char failure[FINDLR_MESSAGE_SIZE]; /* why it is gone; "" if it is not */
} exec;

/* --- failing --------------------------------------------------------------------------------- */

static int32_t fail(const exec *self, int32_t code, const char *sentence) {
  self->host->set_error(self->ctx, code, sentence, strlen(sentence));
  return code;
}

/* The end of the child: what is said now is said again at every later call. */
static int32_t give_up(exec *self, int32_t code, const findlr_error *err) {
  findlr__child_destroy(self->child, 0);
  self->child = NULL;
  memcpy(self->failure, err->message, sizeof self->failure);
  return fail(self, code, err->message);
}

/* --- lines ----------------------------------------------------------------------------------- */

static bool is_protocol(const findlr__child_line *line) {
  return strncmp(line->text, prefix, sizeof prefix - 1) == 0;
}

static int32_t garbage(exec *self, const findlr__child_line *line, const char *request,
                       const char *wanted) {
  findlr_error err = FINDLR_ERROR_INIT;
  int shown = line->length > SHOWN ? SHOWN : (int)line->length;
  findlr__child_fail(self->child, &err, FINDLR_ERR_BACKEND, "said \"%.*s%s\" %s, wanted %s", shown,
                     line->text, line->length > SHOWN ? "..." : "", request, wanted);
  return give_up(self, FINDLR_ERR_BACKEND, &err);
}

/* Sends one request, and waits for the protocol line that answers it. NULL: only waits. */
static int32_t ask(exec *self, const char *request, double seconds, findlr__child_line *ret_line) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr__deadline deadline = findlr__deadline_in(seconds > 0 ? seconds : INFINITY);
  int32_t status = FINDLR_OK;
  findlr__child_line line;
  while (status == FINDLR_OK && request && findlr__child_has_line(self->child)) {
    status = findlr__child_read_line(self->child, deadline, &line, &err);
    if (status == FINDLR_OK && is_protocol(&line))
      return garbage(self, &line, "without being asked", "one answer a request");
    if (status == FINDLR_OK)
      findlr__child_hear(self->child, line.text, line.length);
  }
  if (status == FINDLR_OK && request)
    status = findlr__child_write(self->child, request, strlen(request), deadline, &err);
  while (status == FINDLR_OK) {
    status = findlr__child_read_line(self->child, deadline, &line, &err);
    if (status == FINDLR_OK && is_protocol(&line)) {
      *ret_line = line;
      return FINDLR_OK;
    }
    if (status == FINDLR_OK)
      findlr__child_hear(self->child, line.text, line.length);
  }
  return give_up(self, status, &err);
}

/* What stands behind "findlr WORD " in a line; NULL if the line says something else. */
static const char *after(const findlr__child_line *line, const char *word) {
  const char *text = line->text + sizeof prefix - 1;
  size_t length = strlen(word);
  if (!line->whole || strlen(line->text) != line->length || strncmp(text, word, length) != 0 ||
      (text[length] && text[length] != ' '))
    return NULL;
  return text + length + strspn(text + length, " ");
}

/* The number in "findlr loss V", with nothing behind it. */
static bool read_loss(const findlr__child_line *line, double *ret_loss) {
  const char *text = after(line, "loss");
  double loss;
  size_t length = text ? findlr_text_parse(text, strlen(text), &loss) : 0;
  if (length == 0 || text[length + strspn(text + length, " ")] != 0)
    return false;
  *ret_loss = loss;
  return true;
}

/* "findlr error TEXT": the script could not, but is still there. */
static int32_t refused(exec *self, const char *request, const char *why) {
  return findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_BACKEND, "%s failed at %s: %s",
                              self->command, request, *why ? why : "it did not say why");
}

/* --- start ----------------------------------------------------------------------------------- */

/* A whole number behind "NAME=" among the words of text; `missing` if the name is not there. False: it is no
 * number from least to most. */
static bool read_count(const char *text, const char *name, uint32_t least, uint32_t most,
                       uint32_t missing, uint32_t *ret_count) {
  size_t length = strlen(name);
  *ret_count = missing;
  for (; *text; text += strcspn(text, " "), text += strspn(text, " ")) {
    if (strncmp(text, name, length) != 0 || text[length] != '=')
      continue;
    const char *digits = text + length + 1;
    size_t n = strspn(digits, "0123456789");
    uint32_t count = 0;
    for (size_t i = 0; i < n && i < 6; i++)
      count = count * 10 + (uint32_t)(digits[i] - '0');
    *ret_count = count;
    return n > 0 && n <= 6 && (digits[n] == ' ' || !digits[n]) && count >= least && count <= most;
  }
  return true;
}

static const char hello[] = "\"findlr 1 groups=G slots=K validate=0|1\"";

static int32_t read_hello(exec *self, const findlr__child_line *line) {
  const char *text = after(line, "1");
  uint32_t groups, slots, validates;
  if (!text || !read_count(text, "groups", 1, MOST_GROUPS, 1, &groups) ||
      !read_count(text, "slots", 0, MOST_SLOTS, 0, &slots) ||
      !read_count(text, "validate", 0, 1, 0, &validates))
    return garbage(self, line, "at its start", hello);
  if (self->said_hello && (groups != self->groups || slots != self->slots || validates != self->validates))
    return garbage(self, line, "when it was started again", "what it said before");
  self->groups = groups;
  self->slots = slots;
  self->validates = validates;
  self->said_hello = true;
  return FINDLR_OK;
}

/* Starts the child unless it is there. */
static int32_t start(exec *self) {
  if (self->failure[0])
    return fail(self, FINDLR_ERR_BACKEND, self->failure);
  if (self->child)
    return FINDLR_OK;
  findlr_error err = FINDLR_ERROR_INIT;
  const char *const more[] = { self->seed, self->threads, NULL };
  findlr__child_options o = {
    .host = self->host,
    .ctx = self->ctx,
    .argv = self->argv,
    .more = more,
    .name = self->command,
    .channel = FINDLR__CHILD_STDIO,
    .log_level = FINDLR_LOG_INFO,
  };
  int32_t status = findlr__child_start(&o, &self->child, &err);
  if (status != FINDLR_OK)
    return fail(self, status, err.message);
  findlr__child_line line;
  status = ask(self, NULL, self->start_timeout, &line);
  if (status != FINDLR_OK) {
    findlr__fail(&err, status, "no hello line %s came: %s", hello, self->failure);
    findlr__format(self->failure, sizeof self->failure, "%s", err.message);
    return fail(self, status, err.message);
  }
  self->stepped = false;
  return read_hello(self, &line);
}

/* --- as a trainer ---------------------------------------------------------------------------- */

static int32_t step(void *instance, const double *rates, uint32_t n, double *ret_loss) {
  exec *self = instance;
  int32_t status = start(self);
  if (status != FINDLR_OK)
    return status;
  if (n != 1 && n != self->groups)
    return findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                                "%s has %u parameter groups, but was given %u rates", self->command,
                                self->groups, n);
  char *to = self->request;
  memcpy(to, "step", 4);
  to += 4;
  for (uint32_t g = 0; g < self->groups; g++) {
    *to++ = ' ';
    to += findlr_text_format(rates[n == 1 ? 0 : g], to, FINDLR_TEXT_SIZE);
  }
  memcpy(to, "\n", 2);
  self->stepped = true;
  findlr__child_line line;
  status = ask(self, self->request, self->timeout, &line);
  if (status != FINDLR_OK || read_loss(&line, ret_loss))
    return status;
  const char *text = after(&line, "skip");
  if (text && !*text)
    return FINDLR_SKIPPED;
  text = after(&line, "error");
  return text ? refused(self, "step", text)
              : garbage(self, &line, "to \"step\"",
                        "\"findlr loss NUMBER\", \"findlr skip\" or \"findlr error TEXT\"");
}

static int32_t evaluate(void *instance, double *ret_loss) {
  exec *self = instance;
  int32_t status = start(self);
  if (status == FINDLR_OK && !self->validates)
    return findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_UNSUPPORTED,
                                "%s cannot evaluate: its hello says validate=0", self->command);
  findlr__child_line line;
  if (status == FINDLR_OK)
    status = ask(self, "evaluate\n", self->timeout, &line);
  if (status != FINDLR_OK || read_loss(&line, ret_loss))
    return status;
  const char *text = after(&line, "error");
  return text ? refused(self, "evaluate", text)
              : garbage(self, &line, "to \"evaluate\"", "\"findlr loss NUMBER\" or \"findlr error TEXT\"");
}

/* "save K" or "restore K", answered by "findlr ok". */
static int32_t keep(exec *self, const char *word, uint32_t slot) {
  if (slot >= self->slots)
    return findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_LIMIT,
                                "%s has %u slots, there is no slot %u", self->command, self->slots, slot);
  char request[32];
  findlr__format(request, sizeof request, "%s %u\n", word, slot);
  findlr__child_line line;
  int32_t status = ask(self, request, self->timeout, &line);
  if (status != FINDLR_OK)
    return status;
  const char *text = after(&line, "ok");
  if (text && !*text)
    return FINDLR_OK;
  text = after(&line, "error");
  request[strlen(request) - 1] = 0;
  if (text)
    return refused(self, request, text);
  char to[40];
  findlr__format(to, sizeof to, "to \"%s\"", request);
  return garbage(self, &line, to, "\"findlr ok\" or \"findlr error TEXT\"");
}

static int32_t save(void *instance, uint32_t slot) {
  exec *self = instance;
  int32_t status = start(self);
  if (status != FINDLR_OK)
    return status;
  if (self->slots > 0)
    status = keep(self, "save", slot);
  else if (slot > 0 || self->stepped)
    status = findlr__builtin_fail(self->host, self->ctx, slot > 0 ? FINDLR_ERR_LIMIT : FINDLR_ERR_STATE,
                                  "%s cannot save (its hello says slots=0): the only state there is to "
                                  "come back to is the one before its first step",
                                  self->command);
  if (status == FINDLR_OK)
    self->saved |= UINT64_C(1) << slot;
  return status;
}

static void end(exec *self) {
  findlr_error err = FINDLR_ERROR_INIT;
  if (self->child)
    findlr__child_write(self->child, "stop\n", 5, findlr__deadline_in(0), &err);
  findlr__child_destroy(self->child, GRACE);
  self->child = NULL;
}

static int32_t restore(void *instance, uint32_t slot) {
  exec *self = instance;
  if (slot < MOST_SLOTS && !(self->saved >> slot & 1))
    return findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_STATE,
                                "nothing was saved in slot %u of %s", slot, self->command);
  if (self->slots > 0) {
    int32_t status = start(self);
    return status == FINDLR_OK ? keep(self, "restore", slot) : status;
  }
  /* A fresh process is the state at the start; it is started when the next request comes. */
  if (self->stepped || self->failure[0])
    end(self);
  self->stepped = false;
  self->failure[0] = 0;
  return FINDLR_OK;
}

static int32_t describe(void *instance, findlr_trainer_info *out) {
  const exec *self = instance;
  findlr_trainer_info info = {
    .struct_size = sizeof info,
    .group_count = self->groups,
    .slot_count = self->slots ? self->slots : 1,
    .can_evaluate = self->validates,
    .about = self->command,
  };
  return findlr__give(out, &info, sizeof info, FINDLR_SIZE_UP_TO(findlr_trainer_info, about),
                      "findlr_trainer_info", NULL);
}

static const void *get_extension(void *instance, const char *id) {
  (void)instance;
  static const findlr_trainer_about about = { sizeof about, 0, describe };
  return strcmp(id, FINDLR_EXT_TRAINER) == 0 ? &about : NULL;
}

/* --- create ---------------------------------------------------------------------------------- */

/* Cuts the command into words: blanks part them, unless they stand in double quotes, inside of which \" and
 * \\ stand for " and \ as in spec strings. Nothing else means anything. */
static int32_t cut(exec *self) {
  const char *from = self->command;
  char *to = self->words;
  size_t count = 0;
  for (from += strspn(from, " "); *from; from += strspn(from, " ")) {
    if (count == MOST_WORDS)
      return findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_LIMIT,
                                  "command has more than %d words", MOST_WORDS);
    self->argv[count++] = to;
    bool inside = false;
    for (; *from && (inside || *from != ' '); from++) {
      if (*from == '"')
        inside = !inside;
      else if (inside && *from == '\\' && (from[1] == '"' || from[1] == '\\'))
        *to++ = *++from;
      else
        *to++ = *from;
    }
    if (inside)
      return findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                                  "command: a closing quote is missing in \"%s\"", self->command);
    *to++ = 0;
  }
  self->argv[count] = NULL;
  return count && *self->argv[0] ? FINDLR_OK
                                 : findlr__builtin_fail(self->host, self->ctx, FINDLR_ERR_ARGUMENT,
                                                        "command is empty, wanted a program");
}

static void destroy(void *instance) {
  exec *self = instance;
  findlr_allocator a = findlr__builtin_allocator(self->host, self->ctx);
  end(self);
  findlr__release(&a, self->request, self->request_size);
  findlr__release(&a, self->words, self->words_size);
  findlr__release_string(&a, self->command);
  findlr__release(&a, self, sizeof *self);
}

enum { COMMAND, TIMEOUT, START_TIMEOUT };

static int32_t create(const findlr_host *host, void *ctx, const findlr_trainer_spec *spec,
                      void **ret_self) {
  findlr_allocator a = findlr__builtin_allocator(host, ctx);
  exec *self = findlr__allocate(&a, sizeof *self);
  if (!self)
    return findlr__builtin_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "there is not enough memory for it");
  self->host = host;
  self->ctx = ctx;
  self->timeout = spec->options[TIMEOUT]->real;
  self->start_timeout = spec->options[START_TIMEOUT]->real;
  findlr__format(self->seed, sizeof self->seed, "FINDLR_SEED=%llu", (unsigned long long)spec->seed);
  findlr__format(self->threads, sizeof self->threads, "FINDLR_THREADS=%u", spec->threads);
  self->command = findlr__copy_string(&a, spec->options[COMMAND]->text);
  self->words_size = strlen(spec->options[COMMAND]->text) + 2;
  self->words = findlr__allocate(&a, self->words_size);
  int32_t status = FINDLR_OK;
  if (!self->command || !self->words)
    status = findlr__builtin_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "there is not enough memory for it");
  if (status == FINDLR_OK)
    status = cut(self);
  if (status == FINDLR_OK)
    status = start(self);
  if (status == FINDLR_OK) {
    self->request_size = sizeof "step" + (size_t)self->groups * (FINDLR_TEXT_SIZE + 1) + 1;
    self->request = findlr__allocate(&a, self->request_size);
    if (!self->request)
      status = findlr__builtin_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "there is not enough memory for it");
  }
  if (status != FINDLR_OK) {
    destroy(self);
    return status;
  }
  *ret_self = self;
  return FINDLR_OK;
}

static const findlr_option options[] = {
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "command",
    "the program and its arguments; blanks part them, double quotes keep them together", NULL, NULL,
    -HUGE_VAL, HUGE_VAL },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "timeout",
    "seconds that an answer may take; 0: any number", "600", NULL, 0, 1e9 },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "start_timeout",
    "seconds from the start to the hello line; 0: any number", "60", NULL, 0, 1e9 },
};

static const findlr_trainer_vtable vtable = {
  .struct_size = sizeof vtable,
  .create = create,
  .destroy = destroy,
  .step = step,
  .evaluate = evaluate,
  .save = save,
  .restore = restore,
  .get_extension = get_extension,
};

const findlr_component findlr__exec = {
  .struct_size = sizeof findlr__exec,
  .kind = FINDLR_KIND_TRAINER,
  .name = "exec",
  .help = "a program of yours that trains a step when asked to, in any language",
  .vtable = &vtable,
  .user = FINDLR__TABLE(options),
  .option_count = sizeof options / sizeof *options,
  .option = findlr__builtin_option,
};
