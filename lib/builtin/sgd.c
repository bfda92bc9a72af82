/* SPDX-License-Identifier: MIT */
#include "optimizer.h"

#include <math.h>
#include <string.h>

/* Stochastic gradient descent as torch.optim.SGD: the first momentum buffer is the gradient itself,
 * not damped. */

enum { MOMENTUM, DAMPENING, WEIGHT_DECAY, NESTEROV, OPTIONS };

static const findlr_option options[OPTIONS] = {
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "momentum",
    "share of the last update kept in the next", "0", NULL, 0, 1 },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "dampening",
    "share of the gradient that momentum leaves out", "0", NULL, 0, 1 },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "weight_decay",
    "L2 penalty: this times the parameter is added to its gradient", "0", NULL, 0, HUGE_VAL },
  { sizeof(findlr_option), FINDLR_OPTION_BOOLEAN, "nesterov",
    "look ahead by the momentum (needs momentum and no dampening)", "false", NULL, 0, 1 },
};

typedef struct factors {
  double scale, decay; /* of the gradient, and of the parameter in it */
  double rate;
  double kept, added;        /* of the buffer, and of the gradient in it */
  double direct, remembered; /* of the gradient and the buffer in the update */
} factors;

#define PLAIN(T, name, target)                                                                     \
  target static void name(const findlr__slot *slot, const void *given) {                           \
    const factors *f = given;                                                                      \
    T *restrict p = slot->value;                                                                   \
    const T *restrict g = slot->gradient;                                                          \
    T scale = (T)f->scale, decay = (T)f->decay, rate = (T)f->rate;                                 \
    for (int64_t i = 0; i < slot->count; i++)                                                      \
      p[i] -= rate * (scale * g[i] + decay * p[i]);                                                \
  }
FINDLR__KERNELS(plain, PLAIN)

#define WITH_MOMENTUM(T, name, target)                                                             \
  target static void name(const findlr__slot *slot, const void *given) {                           \
    const factors *f = given;                                                                      \
    T *restrict p = slot->value, *restrict b = slot->moment[0];                                    \
    const T *restrict g = slot->gradient;                                                          \
    T scale = (T)f->scale, decay = (T)f->decay, rate = (T)f->rate;                                 \
    T kept = (T)f->kept, added = (T)f->added;                                                      \
    T direct = (T)f->direct, remembered = (T)f->remembered;                                        \
    for (int64_t i = 0; i < slot->count; i++) {                                                    \
      T d = scale * g[i] + decay * p[i];                                                           \
      b[i] = kept * b[i] + added * d;                                                              \
      p[i] -= rate * (direct * d + remembered * b[i]);                                             \
    }                                                                                              \
  }
FINDLR__KERNELS(with_momentum, WITH_MOMENTUM)

static int32_t create(const findlr_host *host, void *ctx, const findlr_optimizer_spec *spec,
                      void **ret_self) {
  static const char *const moments[] = { "momentum_buffer" };
  int has_momentum = spec->options[MOMENTUM]->real != 0;
  if (spec->options[NESTEROV]->integer &&
      (!has_momentum || spec->options[DAMPENING]->real != 0))
    return findlr__builtin_fail(host, ctx, FINDLR_ERR_ARGUMENT,
                                "nesterov needs a momentum above 0 and a dampening of 0, "
                                "found momentum %g and dampening %g",
                                spec->options[MOMENTUM]->real, spec->options[DAMPENING]->real);
  return findlr__optimizer_create(host, ctx, spec, has_momentum ? "momentum_steps" : NULL,
                                  moments, has_momentum, ret_self);
}

static int32_t step(void *self, const double *rates, uint32_t n_groups, double grad_scale) {
  findlr__optimizer *o = self;
  int32_t status = findlr__optimizer_check(o, rates, n_groups);
  if (status)
    return status;
  double momentum = o->option[MOMENTUM];
  factors f = { .scale = grad_scale, .decay = o->option[WEIGHT_DECAY] };
  int first = o->counter == 0;
  f.kept = first ? 0 : momentum;
  f.added = first ? 1 : 1 - o->option[DAMPENING];
  f.direct = o->option[NESTEROV];
  f.remembered = o->option[NESTEROV] != 0 ? momentum : 1;
  for (uint32_t i = 0; i < o->slot_count; i++) {
    const findlr__slot *slot = &o->slots[i];
    f.rate = rates[slot->group];
    findlr__optimizer_run(o, momentum != 0 ? with_momentum : plain, slot, &f);
  }
  o->counter += momentum != 0;
  return FINDLR_OK;
}

static int32_t set(void *self, const char *option, double value) {
  findlr__optimizer *o = self;
  if (!o->moment_count && strcmp(option, "momentum") == 0)
    return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_UNSUPPORTED,
                                "momentum cannot change: the optimizer was made without it");
  return findlr__optimizer_set(o, option, value);
}

static const findlr_optimizer_vtable vtable = {
  .struct_size = sizeof vtable,
  .create = create,
  .destroy = findlr__optimizer_destroy,
  .step = step,
  .set = set,
  .state = findlr__optimizer_state,
};

const findlr_component findlr__sgd = {
  .struct_size = sizeof findlr__sgd,
  .kind = FINDLR_KIND_OPTIMIZER,
  .name = "sgd",
  .help = "stochastic gradient descent, with momentum if asked for",
  .vtable = &vtable,
  .user = FINDLR__TABLE(options),
  .option_count = OPTIONS,
  .option = findlr__builtin_option,
};
