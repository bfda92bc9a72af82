/* SPDX-License-Identifier: MIT */
#include "optimizer.h"

#include <math.h>
#include <string.h>
#include <tgmath.h>

/* RMSprop as torch.optim.RMSprop: the root is taken before eps is added. */

enum { ALPHA, EPS, WEIGHT_DECAY, MOMENTUM, CENTERED, OPTIONS };

static const findlr_option options[OPTIONS] = {
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "alpha",
    "share kept in the running mean of the squared gradient", "0.99", NULL, 0, 1 },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "eps", "added to the denominator", "1e-8", NULL, 0,
    HUGE_VAL },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "weight_decay",
    "L2 penalty: this times the parameter is added to its gradient", "0", NULL, 0, HUGE_VAL },
  { sizeof(findlr_option), FINDLR_OPTION_REAL, "momentum",
    "share of the last update kept in the next", "0", NULL, 0, 1 },
  { sizeof(findlr_option), FINDLR_OPTION_BOOLEAN, "centered",
    "divide by an estimate of the gradient's deviation", "false", NULL, 0, 1 },
};

typedef struct factors {
  double scale, decay; /* of the gradient, and of the parameter in it */
  double alpha, eps, momentum, rate;
} factors;

/* The moments are square_avg, then grad_avg if centered, then momentum_buffer if there is any. */
#define KERNEL(T, name, target, VARIANCE, BUFFER, UPDATE)                                          \
  target static void name(const findlr__slot *slot, const void *given) {                           \
    const factors *f = given;                                                                      \
    T *restrict p = slot->value, *restrict v = slot->moment[0], *restrict a = slot->moment[1];     \
    T *restrict b = slot->moment[BUFFER];                                                          \
    const T *restrict g = slot->gradient;                                                          \
    T scale = (T)f->scale, decay = (T)f->decay, alpha = (T)f->alpha, fresh = (T)(1 - f->alpha);    \
    T eps = (T)f->eps, momentum = (T)f->momentum, rate = (T)f->rate;                               \
    (void)a, (void)b, (void)momentum;                                                              \
    for (int64_t i = 0; i < slot->count; i++) {                                                    \
      T d = scale * g[i] + decay * p[i];                                                           \
      v[i] = alpha * v[i] + fresh * d * d;                                                         \
      T variance = VARIANCE;                                                                       \
      T deviation = sqrt(variance < 0 ? 0 : variance) + eps;                                       \
      UPDATE;                                                                                      \
    }                                                                                              \
  }
/* A variance may come out below 0 by rounding; PyTorch's step is then NaN, ours counts it as 0. */
#define CENTERED_VARIANCE (a[i] = alpha * a[i] + fresh * d, v[i] - a[i] * a[i])
#define UPDATE p[i] -= rate * d / deviation
#define MOMENTUM_UPDATE                                                                            \
  b[i] = momentum * b[i] + d / deviation;                                                          \
  p[i] -= rate * b[i]
#define PLAIN(T, name, target) KERNEL(T, name, target, v[i], 1, UPDATE)
#define WITH_MOMENTUM(T, name, target) KERNEL(T, name, target, v[i], 1, MOMENTUM_UPDATE)
#define ABOUT_MEAN(T, name, target) KERNEL(T, name, target, CENTERED_VARIANCE, 2, UPDATE)
#define ABOUT_MEAN_WITH_MOMENTUM(T, name, target)                                                  \
  KERNEL(T, name, target, CENTERED_VARIANCE, 2, MOMENTUM_UPDATE)
FINDLR__KERNELS(plain, PLAIN)
FINDLR__KERNELS(with_momentum, WITH_MOMENTUM)
FINDLR__KERNELS(about_mean, ABOUT_MEAN)
FINDLR__KERNELS(about_mean_with_momentum, ABOUT_MEAN_WITH_MOMENTUM)

static int32_t create(const findlr_host *host, void *ctx, const findlr_optimizer_spec *spec,
                      void **ret_self) {
  const char *moments[FINDLR__MOMENTS] = { "square_avg" };
  uint32_t count = 1;
  if (spec->options[CENTERED]->integer)
    moments[count++] = "grad_avg";
  if (spec->options[MOMENTUM]->real != 0)
    moments[count++] = "momentum_buffer";
  return findlr__optimizer_create(host, ctx, spec, NULL, moments, count, ret_self);
}

static int32_t step(void *self, const double *rates, uint32_t n_groups, double grad_scale) {
  findlr__optimizer *o = self;
  int32_t status = findlr__optimizer_check(o, rates, n_groups);
  if (status)
    return status;
  int momentum = o->option[MOMENTUM] != 0;
  factors f = { .scale = grad_scale,
                .decay = o->option[WEIGHT_DECAY],
                .alpha = o->option[ALPHA],
                .eps = o->option[EPS],
                .momentum = o->option[MOMENTUM] };
  for (uint32_t i = 0; i < o->slot_count; i++) {
    const findlr__slot *slot = &o->slots[i];
    f.rate = rates[slot->group];
    if (o->option[CENTERED] != 0)
      findlr__optimizer_run(o, momentum ? about_mean_with_momentum : about_mean, slot, &f);
    else
      findlr__optimizer_run(o, momentum ? with_momentum : plain, slot, &f);
  }
  return FINDLR_OK;
}

static int32_t set(void *self, const char *option, double value) {
  findlr__optimizer *o = self;
  if (o->moment_count == 1 + (o->option[CENTERED] != 0) && strcmp(option, "momentum") == 0)
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

const findlr_component findlr__rmsprop = {
  .struct_size = sizeof findlr__rmsprop,
  .kind = FINDLR_KIND_OPTIMIZER,
  .name = "rmsprop",
  .help = "steps divided by the root of a running mean of the squared gradient",
  .vtable = &vtable,
  .user = FINDLR__TABLE(options),
  .option_count = OPTIONS,
  .option = findlr__builtin_option,
};
