/* SPDX-License-Identifier: MIT */
/* A model that trains (its outputs are one bias each) until it does what its option says: in training
 * step `at`, in create where that is 0, in destroy where it is -1. For the tests of isolation. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <findlr/plugin.h>

enum { OPTION_HOW, OPTION_AT, OPTION_COUNT };

#define WAYS "nothing|segfault|exit|abort|loop|deaf|heap|print|fds|fpe|kill|fork|close|junk|log|refuse|memory"
enum {
  NOTHING, SEGFAULT, EXIT, ABORT, LOOP, DEAF, HEAP, PRINT, FDS, FPE, KILL, FORK, CLOSE, JUNK, LOG, REFUSE,
  MEMORY
};

typedef struct broken {
  const findlr_host *host;
  void *ctx;
  int64_t how, at, steps, outputs, max_batch;
  uint32_t dtype;
  int64_t shape[1], output_shape[2];
  char *bias, *gradient, *output;
  findlr_tensor out;
} broken;

#if defined(__GNUC__)
__attribute__((no_sanitize("undefined"))) /* it would say so */
#endif
static void touch_nothing(void) {
  static void *volatile nowhere;
  *(volatile int *)nowhere = 1;
}

static void loop(void) {
  for (volatile int forever = 1; forever;)
    ;
}

static void damage_heap(void) {
  char *blocks[64];
  for (int i = 0; i < 64; i++)
    blocks[i] = malloc((size_t)(16 + 24 * i));
  for (int i = 0; i < 64; i++)
    memset((char *volatile)blocks[i] - 16, 0x41, (size_t)(64 + 24 * i));
  for (int i = 0; i < 64; i++)
    free(blocks[i]);
  void *volatile more = malloc(100000);
  free(more);
}

static int32_t misbehave(const findlr_host *host, void *ctx, int64_t how) {
  sigset_t all;
  pid_t child;
  switch (how) {
  case SEGFAULT:
    printf("about to touch %s", "nothing\n");
    touch_nothing();
    break;
  case EXIT:
    fprintf(stderr, "cannot read the \"configuration\"\n");
    exit(0);
  case ABORT:
    fprintf(stderr, "an assertion \x1b[31mfailed\n");
    abort();
  case LOOP:
    fprintf(stderr, "process %d waits for a lock\n", (int)getpid());
    loop();
    break;
  case DEAF:
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    loop();
    break;
  case HEAP:
    damage_heap();
    break;
  case PRINT:
    for (int i = 0; i < 20000; i++) {
      fprintf(stderr, "line %d of what nobody wants to read, on standard error\n", i);
      printf("line %d of what nobody wants to read, on standard output\n", i);
    }
    break;
  case FDS:
    for (int i = 0; i < 100; i++)
      if (open("/dev/null", O_RDONLY) < 0)
        break;
    break;
  case FPE:
    raise(SIGFPE);
    break;
  case KILL:
    raise(SIGKILL);
    break;
  case FORK:
    child = fork();
    if (child == 0)
      for (;;)
        pause();
    fprintf(stderr, "process %d stays behind\n", (int)child);
    raise(SIGKILL);
    break;
  case CLOSE:
    for (int fd = 0; fd < 256; fd++)
      close(fd);
    loop();
    break;
  case JUNK:
    for (int fd = 3; fd < 256; fd++)
      if (write(fd, "this is no frame, it is text", 28) < 0)
        continue;
    break;
  case LOG:
    host->log(ctx, FINDLR_LOG_WARNING, "the rate is high", 16);
    break;
  case REFUSE:
    return findlr_host_fail(host, ctx, FINDLR_ERR_LIMIT, "this is too much");
  case MEMORY:
    for (;;) {
      char *more = malloc(1 << 20);
      if (!more) {
        fprintf(stderr, "no more memory\n");
        abort();
      }
      memset(more, 1, 1 << 20);
    }
  default:
    break;
  }
  return FINDLR_OK;
}

static void destroy(void *instance) {
  broken *self = instance;
  if (self->at == -1)
    misbehave(self->host, self->ctx, self->how);
  free(self->bias);
  free(self->gradient);
  free(self->output);
  free(self);
}

static size_t width(const broken *self) {
  return self->dtype == FINDLR_DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                      void **ret_self) {
  const int64_t how = spec->options[OPTION_HOW]->integer, at = spec->options[OPTION_AT]->integer;
  int32_t status = at == 0 ? misbehave(host, ctx, how) : FINDLR_OK;
  if (status != FINDLR_OK)
    return status;
  broken *self = calloc(1, sizeof *self);
  *self = (broken){ .host = host, .ctx = ctx, .how = how, .at = at, .outputs = spec->outputs,
                    .max_batch = spec->max_batch, .dtype = spec->dtype, .shape = { spec->outputs } };
  self->bias = calloc((size_t)spec->outputs, width(self));
  self->gradient = calloc((size_t)spec->outputs, width(self));
  self->output = calloc((size_t)(spec->outputs * spec->max_batch), width(self));
  *ret_self = self;
  return FINDLR_OK;
}

static findlr_tensor tensor(const broken *self, void *data, int64_t *shape, int32_t ndim) {
  return (findlr_tensor){ data,  FINDLR_DEVICE_CPU, 0, ndim, (uint8_t)self->dtype,
                          (uint8_t)(self->dtype >> 8), 1, shape, NULL, 0 };
}

static int32_t forward(void *instance, const findlr_tensor *inputs, uint32_t mode,
                       const findlr_tensor **ret_outputs) {
  broken *self = instance;
  int32_t status = FINDLR_OK;
  if (mode == FINDLR_MODE_TRAIN && ++self->steps == self->at)
    status = misbehave(self->host, self->ctx, self->how);
  if (status != FINDLR_OK)
    return status;
  const size_t row = (size_t)self->outputs * width(self);
  for (int64_t r = 0; r < inputs->shape[0]; r++)
    memcpy(self->output + (size_t)r * row, self->bias, row);
  self->output_shape[0] = inputs->shape[0];
  self->output_shape[1] = self->outputs;
  self->out = tensor(self, self->output, self->output_shape, 2);
  *ret_outputs = &self->out;
  return FINDLR_OK;
}

static int32_t backward(void *instance, const findlr_tensor *grad, uint32_t flags) {
  broken *self = instance;
  const char *from = (const char *)grad->data + grad->byte_offset;
  const size_t n = (size_t)self->outputs;
  if (!(flags & FINDLR_BACKWARD_ACCUMULATE))
    memset(self->gradient, 0, n * width(self));
  for (size_t i = 0; i < (size_t)grad->shape[0] * n; i++)
    if (self->dtype == FINDLR_DTYPE_FLOAT32)
      ((float *)(void *)self->gradient)[i % n] += ((const float *)(const void *)from)[i];
    else
      ((double *)(void *)self->gradient)[i % n] += ((const double *)(const void *)from)[i];
  return FINDLR_OK;
}

static int32_t parameter(void *instance, uint32_t i, findlr_parameter *out) {
  broken *self = instance;
  if (i > 0)
    return FINDLR_DONE;
  out->group = 0;
  out->name = "bias";
  out->value = tensor(self, self->bias, self->shape, 1);
  out->gradient = tensor(self, self->gradient, self->shape, 1);
  return FINDLR_OK;
}

static int32_t state(void *instance, uint32_t i, findlr_named_tensor *out) {
  (void)instance, (void)i, (void)out;
  return FINDLR_DONE;
}

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
  out->type = i == OPTION_HOW ? FINDLR_OPTION_CHOICE : FINDLR_OPTION_INTEGER;
  out->name = i == OPTION_HOW ? "how" : "at";
  out->help = i == OPTION_HOW ? "what it does" : "the training step; 0: create; -1: destroy";
  out->default_value = i == OPTION_HOW ? "nothing" : "3";
  out->choices = i == OPTION_HOW ? WAYS : NULL;
  out->minimum = i == OPTION_HOW ? -1e9 : -1;
  out->maximum = 1e9;
  return FINDLR_OK;
}

static const findlr_model_vtable vtable = {
  .struct_size = sizeof vtable,
  .create = create,
  .destroy = destroy,
  .forward = forward,
  .backward = backward,
  .parameter = parameter,
  .state = state,
};

static const findlr_component component = {
  .struct_size = sizeof component,
  .kind = FINDLR_KIND_MODEL,
  .name = "broken",
  .help = "a model that breaks",
  .vtable = &vtable,
  .option_count = OPTION_COUNT,
  .option = option,
};

static const findlr_component *component_at(uint32_t i) {
  return i == 0 ? &component : NULL;
}

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  static const findlr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
    .id = "broken",
    .version = "1.0",
    .description = "breaks on demand",
    .component = component_at,
  };
  return &plugin;
}
