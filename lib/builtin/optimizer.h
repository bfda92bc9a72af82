/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_BUILTIN_OPTIMIZER_H
#define FINDLR_BUILTIN_OPTIMIZER_H

/* What the built-in optimizers share: the parameters, the numbers kept for each (its moments), a
 * step counter, and the options as numbers. An optimizer adds its arithmetic. */

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

/* The arithmetic of a step over one slot; factors are of the optimizer's own type. */
typedef void findlr__kernel(const findlr__slot *slot, const void *factors);

/* Makes the kernels of a step: KERNEL(T, name, target) is to define the function `name` for type T;
 * name[variant][is float64] becomes the table of them, variant 0 for any CPU and 1 for AVX2. Their
 * bits are the same, for nothing but the number of lanes differs. */
#define FINDLR__KERNELS(name, KERNEL)                                                              \
  KERNEL(float, name##_float, )                                                                    \
  KERNEL(double, name##_double, )                                                                  \
  KERNEL(float, name##_float_avx2, FINDLR__AVX2)                                                   \
  KERNEL(double, name##_double_avx2, FINDLR__AVX2)                                                 \
  static findlr__kernel *const name[2][2] = { { name##_float, name##_double },                     \
                                              { name##_float_avx2, name##_double_avx2 } };
#if defined(__GNUC__) && defined(__x86_64__)
#define FINDLR__AVX2 __attribute__((target("avx2")))
#else
#define FINDLR__AVX2
#endif

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
  int variant; /* of the kernels: 1 if this CPU has AVX2 */
} findlr__optimizer;

/* Makes an optimizer whose component's `user` is its option table: reads the options, takes the
 * parameters and makes moment_count cleared moments for each, named "PARAMETER.MOMENT". */
int32_t findlr__optimizer_create(const findlr_host *host, void *ctx,
                                 const findlr_optimizer_spec *spec, const char *counter_name,
                                 const char *const *moments, uint32_t moment_count,
                                 void **ret_self);

void findlr__optimizer_destroy(void *self);

/* The vtable's state: the counter, then the moments. */
int32_t findlr__optimizer_state(void *self, uint32_t i, findlr_named_tensor *out);

/* Sets the real option of that name, checking its range. FINDLR_ERR_UNSUPPORTED for others. */
int32_t findlr__optimizer_set(findlr__optimizer *o, const char *option, double value);

/* Runs a kernel of the optimizer's variant and of the slot's type. */
#define findlr__optimizer_run(o, kernels, slot, factors)                                           \
  ((kernels)[(o)->variant][(slot)->dtype == FINDLR_DTYPE_FLOAT64]((slot), (factors)))

/* Checks what a step is given. */
int32_t findlr__optimizer_check(const findlr__optimizer *o, const double *rates, uint32_t n_groups);

#endif
