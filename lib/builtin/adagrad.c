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

#define KERNELS(T)                                                                                 \
  static void fill_##T(const findlr__slot *slot, double value) {                                   \
    T *sum = slot->moment[0];                                                                      \
    for (int64_t i = 0; i < slot->count; i++)                                                      \
      sum[i] = (T)value;                                                                           \
  }                                                                                                \
  static void adagrad_##T(const findlr__slot *slot, const factors *f) {                            \
    T *restrict p = slot->value, *restrict sum = slot->moment[0];                                  \
    const T *restrict g = slot->gradient;                                                          \
    T scale = (T)f->scale, decay = (T)f->decay, eps = (T)f->eps, rate = (T)f->rate;                \
    for (int64_t i = 0; i < slot->count; i++) {                                                    \
      T d = scale * g[i] + decay * p[i];                                                           \
      sum[i] += d * d;                                                                             \
      p[i] -= rate * d / (sqrt(sum[i]) + eps);                                                     \
    }                                                                                              \
  }
KERNELS(float)
KERNELS(double)

static int32_t create(const findlr_host *host, void *ctx, const findlr_optimizer_spec *spec,
                      void **ret_self) {
  static const char *const moments[] = { "sum" };
  int32_t status = findlr__optimizer_create(host, ctx, spec, "step", moments, 1, ret_self);
  if (status)
    return status;
  findlr__optimizer *o = *ret_self;
  for (uint32_t i = 0; i < o->slot_count; i++)
    (o->slots[i].dtype == FINDLR_DTYPE_FLOAT32 ? fill_float : fill_double)(
        &o->slots[i], o->option[INITIAL_ACCUMULATOR_VALUE]);
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
    (slot->dtype == FINDLR_DTYPE_FLOAT32 ? adagrad_float : adagrad_double)(slot, &f);
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
