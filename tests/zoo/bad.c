/* SPDX-License-Identifier: MIT */
/* One plugin with a component of each kind. Built with nothing defined it is a good one; each macro
 * makes one thing wrong with it (tests/zoo/meson.build). Its components are made to be looked at, not
 * to be run. */
#include <string.h>

#include <findlr/plugin.h>

#ifdef BAD_UNRESOLVED
extern int findlr_zoo_nowhere(void);
#endif

#ifdef BAD_CONSTRUCTOR
#include <fenv.h>
/* A library built with -ffast-math does this: flush-to-zero for the whole thread. */
__attribute__((constructor)) static void change_floating_point(void) {
  fesetround(FE_UPWARD);
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
}
#endif

#define NOT_UTF8 "zoo\xff"
#define LONG_10 "0123456789"
#define LONG_50 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10
#define LONG_300 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50

#ifndef ID
#define ID "good"
#endif
#ifndef VERSION
#define VERSION "1.2.3"
#endif
#ifndef DESCRIPTION
#define DESCRIPTION "an animal of the zoo"
#endif
#ifndef NAME
#define NAME "zoo"
#endif
#ifndef HELP
#define HELP "a component of the zoo"
#endif
#ifndef KIND
#define KIND FINDLR_KIND_MODEL
#endif

/* --- slots ----------------------------------------------------------------------------------- */

static void destroy(void *self) {
  (void)self;
}

static int32_t model_create(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                            void **ret_self) {
  (void)spec, (void)ret_self;
  return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED, "an animal of the zoo does not train");
}

static int32_t forward(void *self, const findlr_tensor *inputs, uint32_t mode,
                       const findlr_tensor **ret_outputs) {
  (void)self, (void)inputs, (void)mode, (void)ret_outputs;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t backward(void *self, const findlr_tensor *grad_outputs, uint32_t flags) {
  (void)self, (void)grad_outputs, (void)flags;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t parameter(void *self, uint32_t i, findlr_parameter *out) {
  (void)self, (void)i, (void)out;
  return FINDLR_DONE;
}

static int32_t state(void *self, uint32_t i, findlr_named_tensor *out) {
  (void)self, (void)i, (void)out;
  return FINDLR_DONE;
}

static int32_t optimizer_create(const findlr_host *host, void *ctx,
                                const findlr_optimizer_spec *spec, void **ret_self) {
  (void)host, (void)ctx, (void)spec, (void)ret_self;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t optimizer_step(void *self, const double *rates, uint32_t n, double grad_scale) {
  (void)self, (void)rates, (void)n, (void)grad_scale;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t set(void *self, const char *option, double value) {
  (void)self, (void)option, (void)value;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t loss_create(const findlr_host *host, void *ctx, const findlr_loss_spec *spec,
                           void **ret_self) {
  (void)host, (void)ctx, (void)spec, (void)ret_self;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t value_and_gradient(void *self, const findlr_tensor *outputs,
                                  const findlr_tensor *targets, double *ret_sum, double *ret_weight,
                                  const findlr_tensor *grad) {
  (void)self, (void)outputs, (void)targets, (void)ret_sum, (void)ret_weight, (void)grad;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t data_create(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                           void **ret_self) {
  (void)host, (void)ctx, (void)spec, (void)ret_self;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t describe(void *self, findlr_data_info *out) {
  (void)self, (void)out;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t gather(void *self, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                      const findlr_tensor *targets) {
  (void)self, (void)rows, (void)n, (void)inputs, (void)targets;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t trainer_create(const findlr_host *host, void *ctx, const findlr_trainer_spec *spec,
                              void **ret_self) {
  (void)host, (void)ctx, (void)spec, (void)ret_self;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t trainer_step(void *self, const double *rates, uint32_t n, double *ret_loss) {
  (void)self, (void)rates, (void)n, (void)ret_loss;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t slot(void *self, uint32_t number) {
  (void)self, (void)number;
  return FINDLR_ERR_UNSUPPORTED;
}

#ifdef BAD_MODEL
#define backward NULL
#endif
#ifdef BAD_OPTIMIZER
#define set NULL
#endif
#ifdef BAD_LOSS
#define value_and_gradient NULL
#endif
#ifdef BAD_DATA
#define gather NULL
#endif
#ifdef BAD_TRAINER
#define RESTORE NULL
#else
#define RESTORE slot
#endif
#ifdef BAD_VTABLE_SIZE
#define VTABLE_SIZE(T) (uint32_t)offsetof(T, get_extension)
#elif defined(LARGER)
#define VTABLE_SIZE(T) (uint32_t)(sizeof(T) + 64)
#else
#define VTABLE_SIZE(T) (uint32_t)sizeof(T)
#endif

static const struct {
  findlr_model_vtable vtable;
  void *newer[8];
} model = { { VTABLE_SIZE(findlr_model_vtable), 0, model_create, destroy, forward, backward,
              parameter, state, NULL },
            { 0 } };
static const findlr_optimizer_vtable optimizer = {
  sizeof optimizer, 0, optimizer_create, destroy, optimizer_step, set, state, NULL
};
static const findlr_loss_vtable loss = { sizeof loss, FINDLR_TARGETS_REAL, loss_create, destroy,
                                         value_and_gradient, NULL };
static const findlr_data_vtable data = {
  sizeof data, 0, data_create, destroy, describe, gather, NULL
};
static const findlr_trainer_vtable trainer = {
  sizeof trainer, 0, trainer_create, destroy, trainer_step, NULL, slot, RESTORE, NULL, NULL
};

/* --- components ------------------------------------------------------------------------------ */

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
#ifdef BAD_OPTION_STATUS
  if (i == 1)
    return -1;
#endif
  out->type = FINDLR_OPTION_INTEGER;
  out->name = i == 0 ? "size" : "level";
  out->help = "how much of it";
  out->default_value = "3";
  out->minimum = 0;
  out->maximum = 9;
#ifdef BAD_OPTION_TWICE
  out->name = "size";
#endif
#ifdef BAD_OPTION_NAME
  out->name = i ? "two words" : "size";
#endif
#ifdef BAD_OPTION_TYPE
  out->type = i ? 77 : out->type;
#endif
#ifdef BAD_OPTION_DEFAULT
  out->default_value = i ? "10" : "3";
#endif
#ifdef BAD_OPTION_RANGE
  out->minimum = i ? 10 : 0;
#endif
#ifdef BAD_OPTION_CHOICES
  out->type = FINDLR_OPTION_CHOICE;
  out->choices = i ? "a||b" : "3|4";
#endif
#ifdef BAD_OPTION_HELP
  out->help = i ? NULL : "how much of it";
#endif
  return FINDLR_OK;
}

#ifndef OPTION
#define OPTION option
#endif
#ifndef OPTION_COUNT
#define OPTION_COUNT 2
#endif
#ifndef VTABLE
#define VTABLE &model
#endif
#ifndef COMPONENT_SIZE
#define COMPONENT_SIZE sizeof(findlr_component)
#endif

static const findlr_component components[] = {
  { sizeof(findlr_component), FINDLR_KIND_OPTIMIZER, "zoo", "an optimizer", &optimizer, NULL, 0, 0,
    NULL },
  { sizeof(findlr_component), FINDLR_KIND_LOSS, "zoo", "a loss", &loss, NULL, 0, 0, NULL },
  { sizeof(findlr_component), FINDLR_KIND_DATA, "zoo", "data", &data, NULL, 0, 0, NULL },
  { sizeof(findlr_component), FINDLR_KIND_TRAINER, "zoo", "a trainer", &trainer, NULL, 0, 0, NULL },
  /* Last, so that a bad one has good ones before it that must go again. */
  { COMPONENT_SIZE, KIND, NAME, HELP, VTABLE, NULL, OPTION_COUNT, 0, OPTION },
#ifdef BAD_NAME_TWICE
  { sizeof(findlr_component), FINDLR_KIND_LOSS, "zoo", "a loss", &loss, NULL, 0, 0, NULL },
#endif
};

static const findlr_component *component(uint32_t i) {
#ifdef BAD_ENDLESS
  static char names[2000][8];
  static findlr_component many[2000];
  if (i >= 2000)
    return &many[0];
  memcpy(names[i], "xaaaa", 6);
  for (uint32_t n = i, at = 1; n; n /= 26, at++)
    names[i][at] = (char)('a' + n % 26);
  many[i] = components[4];
  many[i].name = names[i];
  return &many[i];
#elif defined(NO_COMPONENTS)
  (void)i;
  return NULL;
#else
  return i < sizeof components / sizeof components[0] ? &components[i] : NULL;
#endif
}

/* --- the plugin ------------------------------------------------------------------------------ */

/* How often init and deinit were called, for the test to look at. */
static int counts[2];

static int32_t init(const findlr_host *host, void *ctx) {
#ifdef BAD_INIT
  return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED, "this machine has no %s", "trunk");
#elif defined(BAD_INIT_STATUS)
  (void)host, (void)ctx;
  return -1234;
#else
  void *p = host->alloc(ctx, NULL, 0, 100, 64);
  if (!p)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY, "no memory for %d bytes", 100);
  host->alloc(ctx, p, 100, 0, 64);
#ifdef BAD_CONSTRUCTOR
  change_floating_point();
#endif
  host->log(ctx, FINDLR_LOG_DEBUG, "the zoo is open", 15);
  counts[0]++;
  return FINDLR_OK;
#endif
}

static void deinit(void) {
  counts[1]++;
}

static const void *get_extension(const char *id) {
  return strcmp(id, "findlr.zoo.counts/1") == 0 ? counts : NULL;
}

#ifdef NO_EXTENSION
#define get_extension NULL
#endif
#ifdef BAD_COMPONENT_SLOT
#define component NULL
#endif
#ifndef SIZE
#define SIZE sizeof(findlr_plugin)
#endif
#ifndef NEEDED
#define NEEDED FINDLR_PLUGIN_MIN_MINOR
#endif

static const struct {
  findlr_plugin plugin;
  void *newer[8];
} table = { { SIZE, NEEDED, ID, VERSION, DESCRIPTION, init, deinit, component, get_extension },
            { 0 } };

#ifdef BAD_NO_ENTRY
#define findlr_plugin_entry_v1 findlr_some_other_entry
#endif
#ifdef BAD_NEWER_MAJOR
#define findlr_plugin_entry_v1 findlr_plugin_entry_v2
#endif

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);

const findlr_plugin *findlr_plugin_entry_v1(void) {
#ifdef BAD_UNRESOLVED
  if (findlr_zoo_nowhere())
    return NULL;
#endif
#ifdef BAD_ENTRY_NULL
  (void)table;
  return NULL;
#else
  return &table.plugin;
#endif
}
