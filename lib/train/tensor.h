/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_TENSOR_H
#define FINDLR_TRAIN_TENSOR_H

#include <stdbool.h>

#include "core/internal.h"
#include "findlr/tensor.h"

enum { FINDLR__MAX_DIMENSIONS = 8 };

/* A compact CPU tensor that owns its memory and its shape. Never copied: tensor.shape points inside. */
typedef struct findlr__buffer {
  findlr_tensor tensor;
  int64_t shape[FINDLR__MAX_DIMENSIONS + 1];
  size_t bytes;
} findlr__buffer;

/* Rows x row_shape of a dtype. FINDLR_ERR_LIMIT where the size overflows. */
int32_t findlr__buffer_make(findlr__buffer *buffer, const findlr_allocator *a, uint32_t dtype,
                            int64_t rows, int32_t row_ndim, const int64_t *row_shape,
                            const char *what, findlr_error *err);
void findlr__buffer_free(findlr__buffer *buffer, const findlr_allocator *a);

void findlr__tensor_set_dtype(findlr_tensor *tensor, uint32_t dtype);

/* Bytes of the tensor's elements; 0 where the count is not sensible. */
size_t findlr__tensor_bytes(const findlr_tensor *tensor);
void *findlr__tensor_data(const findlr_tensor *tensor);

/* Is it on the CPU, with data, lanes 1, and compact row-major strides? */
bool findlr__tensor_is_compact(const findlr_tensor *tensor);

/* "float32", "int64", ... for sentences; "an unknown type". */
const char *findlr__dtype_name(uint32_t dtype);

#endif
