/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "findlr/plugin.h"

/* A data source with bad manners: it prints to standard output, both through stdio and directly, and
 * changes the locale. On demand it fails at a chosen gather, and takes its time. The numbers:
 * 64 rows, 2 features, one real target. */

typedef struct noisy {
  const findlr_host *host;
  void *ctx;
  int64_t gathers, fail_at, pause_us, shape[1];
} noisy;

enum { ROWS = 64 };

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  static const char *const names[] = { "fail_at", "pause_us" };
  (void)user;
  out->type = FINDLR_OPTION_INTEGER;
  out->name = names[i];
  out->help = i == 0 ? "the gather that fails; 0: none" : "microseconds that a gather takes";
  out->default_value = "0";
  out->choices = NULL;
  out->minimum = 0;
  out->maximum = 1e6;
  return FINDLR_OK;
}

static void make_noise(const char *when) {
  ssize_t written = write(STDOUT_FILENO, "NOISE\n", 6);
  printf("NOISE %s %.1f %d\n", when, 0.5, (int)written);
  fflush(stdout);
  setlocale(LC_ALL, "");
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                      void **ret_self) {
  noisy *self = host->alloc(ctx, NULL, 0, sizeof *self, 16);
  if (!self)
    return FINDLR_ERR_NO_MEMORY;
  *self = (noisy){ host, ctx, 0, spec->options[0]->integer, spec->options[1]->integer, { 2 } };
  make_noise("create");
  *ret_self = self;
  return FINDLR_OK;
}

static void destroy(void *instance) {
  noisy *self = instance;
  make_noise("destroy");
  self->host->alloc(self->ctx, self, sizeof *self, 0, 16);
}

static int32_t describe(void *instance, findlr_data_info *out) {
  noisy *self = instance;
  out->input_ndim = 1;
  out->rows = ROWS;
  out->input_shape = self->shape;
  out->classes = 0;
  out->target_columns = 1;
  out->about = "noisy: 64 rows";
  return FINDLR_OK;
}

static void put(const findlr_tensor *to, int64_t i, double value) {
  if (to->dtype_bits == 64)
    ((double *)to->data)[i] = value;
  else
    ((float *)to->data)[i] = (float)value;
}

static int32_t gather(void *instance, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                      const findlr_tensor *targets) {
  noisy *self = instance;
  make_noise("gather");
  if (++self->gathers == self->fail_at)
    return findlr_host_fail(self->host, self->ctx, FINDLR_ERR_BACKEND, "gather %lld failed on purpose",
                            (long long)self->gathers);
  struct timespec left = { self->pause_us / 1000000, self->pause_us % 1000000 * 1000 };
  while (nanosleep(&left, &left) != 0)
    ; /* a signal does not wake it */
  for (int64_t i = 0; i < n; i++) {
    double a = sin((double)rows[i]), b = cos(2 * (double)rows[i]);
    if (inputs) {
      put(inputs, 2 * i, a);
      put(inputs, 2 * i + 1, b);
    }
    if (targets)
      put(targets, i, 3 * a - b);
  }
  return FINDLR_OK;
}

static const findlr_data_vtable vtable = { sizeof vtable, 0,        create, destroy,
                                           describe,      gather, NULL };
static const findlr_component source = { .struct_size = sizeof source,
                                         .kind = FINDLR_KIND_DATA,
                                         .name = "noisy",
                                         .help = "prints what it should not",
                                         .vtable = &vtable,
                                         .option_count = 2,
                                         .option = option };

static const findlr_component *component(uint32_t i) {
  return i == 0 ? &source : NULL;
}

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  static const findlr_plugin plugin = { .struct_size = sizeof plugin,
                                        .id = "noisy",
                                        .version = "1",
                                        .description = "a data source with bad manners",
                                        .component = component };
  return &plugin;
}
