/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_OPTIMIZER_H
#define FINDLR_OPTIMIZER_H

#include "model.h"

FINDLR_BEGIN

/* An optimizer changes parameters by their gradients. */

/* What create is told. The parameters (not the array, not the structs) outlive the optimizer. */
typedef struct findlr_optimizer_spec {
  uint32_t struct_size;
  uint32_t threads;
  uint32_t parameter_count;
  uint32_t group_count; /* every parameter's group is below it */
  const findlr_parameter *const *parameters;
  void *user;
  uint32_t option_count;
  uint32_t reserved;
  const findlr_value *const *options;
} findlr_optimizer_spec;

/* All slots but get_extension are mandatory. [instance thread] */
typedef struct findlr_optimizer_vtable {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*create)(const findlr_host *host, void *ctx, const findlr_optimizer_spec *spec,
                    void **ret_self);
  void (*destroy)(void *self);
  /* One step. rates: one a group, n_groups as in the spec. Gradients are multiplied by grad_scale
   * before use (before weight decay is added), without being changed in memory. */
  int32_t (*step)(void *self, const double *rates, uint32_t n_groups, double grad_scale);
  /* Changes an option while it runs, such as "momentum" (for adam its first beta).
   * FINDLR_ERR_UNSUPPORTED for one that cannot change. */
  int32_t (*set)(void *self, const char *option, double value);
  /* Moments and counters, as the model's state slot. */
  int32_t (*state)(void *self, uint32_t i, findlr_named_tensor *out);
  const void *(*get_extension)(void *self, const char *id);
} findlr_optimizer_vtable;

FINDLR_END

#endif
