/* SPDX-License-Identifier: MIT */
#include "optimizer.h"

#include <math.h>
#include <string.h>
#include <tgmath.h>

/* Adam and AdamW as torch.optim's. They differ in where weight decay acts: on the gradient, or on
 * the parameter itself. */

enum { BETA1, BETA2, EPS, WEIGHT_DECAY, AMSGRAD, OPTIONS };

#define OPTION_TABLE(weight_decay_help, weight_decay_default)                                      \
  { { sizeof(findlr_option), FINDLR_OPTION_REAL, "beta1",                                          \
      "share kept in the running mean of the gradient (the momentum)", "0.9", NULL, 0,             \
      FINDLR__BELOW_ONE },                                                                         \
    { sizeof(findlr_option), FINDLR_OPTION_REAL, "beta2",                                          \
      "share kept in the running mean of the squared gradient", "0.999", NULL, 0,                  \
      FINDLR__BELOW_ONE },                                                                         \
    { sizeof(findlr_option), FINDLR_OPTION_REAL, "eps", "added to the denominator", "1e-8", NULL,  \
      0, HUGE_VAL },                                                                               \
    { sizeof(findlr_option), FINDLR_OPTION_REAL, "weight_decay", weight_decay_help,                \
      weight_decay_default, NULL, 0, HUGE_VAL },                                                   \
    { sizeof(findlr_option), FINDLR_OPTION_BOOLEAN, "amsgrad",                                     \
      "divide by the largest second moment so far", "false", NULL, 0, 1 } }

static const findlr_option adam_options[OPTIONS] =
    OPTION_TABLE("L2 penalty: this times the parameter is added to its gradient", "0");
static const findlr_option adamw_options[OPTIONS] =
    OPTION_TABLE("each step shrinks the parameter by this times the rate", "0.01");

typedef struct factors {
  double scale, decay; /* of the gradient, and of the parameter in it */
  double shrunk;       /* what weight decay leaves of the parameter */
  double beta1, beta2, eps;
  double rate, correction; /* with the bias corrections of the two moments */
} factors;

#define KERNEL(T, name, target, SECOND)                                                            \
  target static void name(const findlr__slot *slot, const void *given) {                           \
    const factors *f = given;                                                                      \
    T *restrict p = slot->value, *restrict m = slot->moment[0], *restrict v = slot->moment[1];     \
    T *restrict largest = slot->moment[2];                                                         \
    const T *restrict g = slot->gradient;                                                          \
    T scale = (T)f->scale, decay = (T)f->decay, shrunk = (T)f->shrunk, eps = (T)f->eps;            \
    T beta1 = (T)f->beta1, new1 = (T)(1 - f->beta1), beta2 = (T)f->beta2;                          \
    T new2 = (T)(1 - f->beta2), rate = (T)f->rate, correction = (T)f->correction;                  \
    (void)largest;                                                                                 \
    for (int64_t i = 0; i < slot->count; i++) {                                                    \
      T d = scale * g[i] + decay * p[i];                                                           \
      m[i] = beta1 * m[i] + new1 * d;                                                              \
      v[i] = beta2 * v[i] + new2 * d * d;                                                          \
      p[i] = shrunk * p[i] - rate * m[i] / (sqrt(SECOND) * correction + eps);                      \
    }                                                                                              \
  }
#define PLAIN(T, name, target) KERNEL(T, name, target, v[i])
FINDLR__KERNELS(plain, PLAIN)

#define LARGEST (largest[i] = largest[i] > v[i] ? largest[i] : v[i])
#define AMSGRAD_KERNEL(T, name, target) KERNEL(T, name, target, LARGEST)
FINDLR__KERNELS(amsgrad, AMSGRAD_KERNEL)

static int32_t create(const findlr_host *host, void *ctx, const findlr_optimizer_spec *spec,
                      void **ret_self) {
  static const char *const moments[] = { "exp_avg", "exp_avg_sq", "max_exp_avg_sq" };
  return findlr__optimizer_create(host, ctx, spec, "step", moments,
                                  spec->options[AMSGRAD]->integer ? 3 : 2, ret_self);
}

static int32_t step(void *self, const double *rates, uint32_t n_groups, double grad_scale) {
  findlr__optimizer *o = self;
  int32_t status = findlr__optimizer_check(o, rates, n_groups);
  if (status)
    return status;
  o->counter++;
  double weight_decay = o->option[WEIGHT_DECAY];
  int decoupled = o->table == adamw_options;
  double correction1 = 1 - pow(o->option[BETA1], (double)o->counter);
  double correction2 = 1 - pow(o->option[BETA2], (double)o->counter);
  factors f = { .scale = grad_scale,
                .decay = decoupled ? 0 : weight_decay,
                .beta1 = o->option[BETA1],
                .beta2 = o->option[BETA2],
                .eps = o->option[EPS],
                .correction = 1 / sqrt(correction2) };
  for (uint32_t i = 0; i < o->slot_count; i++) {
    const findlr__slot *slot = &o->slots[i];
    f.rate = rates[slot->group] / correction1;
    f.shrunk = decoupled ? 1 - rates[slot->group] * weight_decay : 1;
    findlr__optimizer_run(o, o->option[AMSGRAD] != 0 ? amsgrad : plain, slot, &f);
  }
  return FINDLR_OK;
}

static int32_t set(void *self, const char *option, double value) {
  return findlr__optimizer_set(self, strcmp(option, "momentum") == 0 ? "beta1" : option, value);
}

static const findlr_optimizer_vtable vtable = {
  .struct_size = sizeof vtable,
  .create = create,
  .destroy = findlr__optimizer_destroy,
  .step = step,
  .set = set,
  .state = findlr__optimizer_state,
};

const findlr_component findlr__adam = {
  .struct_size = sizeof findlr__adam,
  .kind = FINDLR_KIND_OPTIMIZER,
  .name = "adam",
  .help = "steps scaled by running means of the gradient and its square",
  .vtable = &vtable,
  .user = FINDLR__TABLE(adam_options),
  .option_count = OPTIONS,
  .option = findlr__builtin_option,
};

const findlr_component findlr__adamw = {
  .struct_size = sizeof findlr__adamw,
  .kind = FINDLR_KIND_OPTIMIZER,
  .name = "adamw",
  .help = "adam with weight decay on the parameters themselves",
  .vtable = &vtable,
  .user = FINDLR__TABLE(adamw_options),
  .option_count = OPTIONS,
  .option = findlr__builtin_option,
};
