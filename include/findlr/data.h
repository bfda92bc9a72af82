/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_DATA_H
#define FINDLR_DATA_H

#include "component.h"

FINDLR_BEGIN

/* A data source answers "give me these rows". Their order is the sampler's business. */

typedef struct findlr_data_spec {
  uint32_t struct_size;
  uint32_t threads;
  void *user;
  uint32_t option_count;
  uint32_t reserved;
  const findlr_value *const *options;
} findlr_data_spec;

/* What a source holds. Pointers live as long as the source. */
typedef struct findlr_data_info {
  uint32_t struct_size;
  int32_t input_ndim;         /* of one row */
  int64_t rows;               /* at least 1 */
  const int64_t *input_shape; /* input_ndim entries */
  int64_t classes;            /* targets can be classes 0..classes-1; 0: they cannot */
  int64_t target_columns;     /* numbers a row when the targets are taken as real; at least 1 */
  const char *about;          /* one line for people: "digits.csv: 1,797 rows, ..."; may be NULL */
} findlr_data_info;

/* All slots but get_extension are mandatory. [instance thread] */
typedef struct findlr_data_vtable {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*create)(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                    void **ret_self);
  void (*destroy)(void *self);
  int32_t (*describe)(void *self, findlr_data_info *out);
  /* Copies rows[0..n-1] (each in 0..info.rows-1, repeats allowed) into the caller's compact tensors:
   * inputs [n, input_shape...] float32 or float64; targets int64 [n] (the classes; only if
   * info.classes > 0) or float32/float64 [n, target_columns] (the numbers). Either may be NULL. */
  int32_t (*gather)(void *self, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                    const findlr_tensor *targets);
  const void *(*get_extension)(void *self, const char *id);
} findlr_data_vtable;

/* A data source that exists: what findlr_memory_data makes and a session takes. */
typedef struct findlr_data {
  uint32_t struct_size;
  uint32_t reserved;
  const findlr_data_vtable *vtable;
  void *self;
} findlr_data;

FINDLR_END

#endif
