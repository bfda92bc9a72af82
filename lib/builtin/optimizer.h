/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_BUILTIN_OPTIMIZER_H
#define FINDLR_BUILTIN_OPTIMIZER_H

/* What the built-in optimizers share: the parameters, the numbers kept for each (its moments), a step
 * counter, and the options as numbers. An optimizer adds its arithmetic. */

#include "builtin.h"
#include "findlr/optimizer.h"

enum { FINDLR__MOMENTS = 3, FINDLR__OPTIONS = 8 }; /* at most */

/* A parameter and what is kept for it. */
typedef struct findlr__slot {
  void *value;
  const void *gradient;
  int64_t count;
  uint32_t dtype;
  uint32_t group;
  void *moment[FINDLR__MOMENTS]; /* of the parameter's type and size */
  char *name[FINDLR__MOMENTS];
} findlr__slot;

typedef struct findlr__optimizer {
  const findlr_host *host;
  void *ctx;
  const findlr_option *table;
  double option[FINDLR__OPTIONS]; /* the options' values, in the table's order; booleans 0 or 1 */
  uint32_t option_count;
  uint32_t group_count;
  uint32_t slot_count;
  uint32_t slot_capacity;
  uint32_t moment_count;
  findlr__slot *slots;
  const char *counter_name; /* NULL: there is no counter */
  int64_t counter;
  int64_t counter_shape;
} findlr__optimizer;

/* Makes an optimizer whose component's `user` is its option table: reads the options, takes the parameters and makes moment_count cleared moments
 * for each, named "PARAMETER.MOMENT". */
int32_t findlr__optimizer_create(const findlr_host *host, void *ctx,
                                 const findlr_optimizer_spec *spec, const char *counter_name,
                                 const char *const *moments, uint32_t moment_count,
                                 void **ret_self);

void findlr__optimizer_destroy(void *self);

/* The vtable's state: the counter, then the moments. */
int32_t findlr__optimizer_state(void *self, uint32_t i, findlr_named_tensor *out);

/* Sets the real option of that name, checking its range. FINDLR_ERR_UNSUPPORTED for others. */
int32_t findlr__optimizer_set(findlr__optimizer *o, const char *option, double value);

/* Checks what a step is given. */
int32_t findlr__optimizer_check(const findlr__optimizer *o, const double *rates, uint32_t n_groups);

#endif
