/* SPDX-License-Identifier: MIT */
#include "optimizer.h"

#include <math.h>
#include <string.h>
#include <tgmath.h>

/* Adagrad as torch.optim.Adagrad. */

enum { LR_DECAY, WEIGHT_DECAY, INITIAL_ACCUMULATOR_VALUE, EPS, OPTIONS };

static const findlr_option options[OPTIONS] = {
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "lr_decay",
    "step n has the rate divided by 1 + (n - 1) times this", "0", NULL, 0, HUGE_VAL },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "weight_decay",
    "L2 penalty: this times the parameter is added to its gradient", "0", NULL, 0, HUGE_VAL },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "initial_accumulator_value",
    "the sum of squared gradients begins with this", "0", NULL, 0, HUGE_VAL },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "eps", "added to the denominator", "1e-10", NULL, 0,
    HUGE_VAL },
};

typedef struct factors {
  double scale, decay; /* of the gradient, and of the parameter in it */
  double eps, rate;
} factors;

#define KERNEL(T, name, target)                                                                    \
  target static void name(const findlr__slot *slot, const void *given) {                           \
    const factors *f = given;                                                                      \
    T *restrict p = slot->value, *restrict sum = slot->moment[0];                                  \
    const T *restrict g = slot->gradient;                                                          \
    T scale = (T)f->scale, decay = (T)f->decay, eps = (T)f->eps, rate = (T)f->rate;                \
    for (int64_t i = 0; i < slot->count; i++) {                                                    \
      T d = scale * g[i] + decay * p[i];                                                           \
      sum[i] += d * d;                                                                             \
      p[i] -= rate * d / (sqrt(sum[i]) + eps);                                                     \
    }                                                                                              \
  }
FINDLR__KERNELS(kernels, KERNEL)

static void begin_sums(const findlr__slot *slot, double value) {
  for (int64_t i = 0; i < slot->count; i++)
    if (slot->dtype == FINDLR_DTYPE_FLOAT32)
      ((float *)slot->moment[0])[i] = (float)value;
    else
      ((double *)slot->moment[0])[i] = value;
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_optimizer_spec *spec,
                      void **ret_self) {
  static const char *const moments[] = { "sum" };
  int32_t status = findlr__optimizer_create(host, ctx, spec, "step", moments, 1, ret_self);
  if (status)
    return status;
  findlr__optimizer *o = *ret_self;
  for (uint32_t i = 0; i < o->slot_count; i++)
    begin_sums(&o->slots[i], o->option[INITIAL_ACCUMULATOR_VALUE]);
  return FINDLR_OK;
}

static int32_t step(void *self, const double *rates, uint32_t n_groups, double grad_scale) {
  findlr__optimizer *o = self;
  int32_t status = findlr__optimizer_check(o, rates, n_groups);
  if (status)
    return status;
  factors f = { .scale = grad_scale, .decay = o->option[WEIGHT_DECAY], .eps = o->option[EPS] };
  double slower = 1 + (double)o->counter * o->option[LR_DECAY];
  for (uint32_t i = 0; i < o->slot_count; i++) {
    const findlr__slot *slot = &o->slots[i];
    f.rate = rates[slot->group] / slower;
    findlr__optimizer_run(o, kernels, slot, &f);
  }
  o->counter++;
  return FINDLR_OK;
}

static int32_t set(void *self, const char *option, double value) {
  findlr__optimizer *o = self;
  if (strcmp(option, "initial_accumulator_value") == 0)
    return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_UNSUPPORTED,
                                "%s cannot change: it is where the sums began", option);
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

const findlr_component findlr__adagrad = {
  .struct_size = sizeof findlr__adagrad,
  .kind = FINDLR_KIND_OPTIMIZER,
  .name = "adagrad",
  .help = "steps divided by the root of the sum of all squared gradients",
  .vtable = &vtable,
  .user = FINDLR__TABLE(options),
  .option_count = OPTIONS,
  .option = findlr__builtin_option,
};
