/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TENSOR_H
#define FINDLR_TENSOR_H

#include "base.h"

FINDLR_BEGIN

/* A view of numbers in memory, laid out exactly as DLPack's DLTensor (0.6), so that NumPy, PyTorch
 * and JAX pass memory without a copy. The one struct without struct_size: frozen for ever, so it may
 * stand in arrays. It owns nothing; whoever hands it out says how long data, shape and strides live. */
typedef struct findlr_tensor {
  void *data;
  int32_t device_type; /* FINDLR_DEVICE_CPU is all that the host itself reads or writes */
  int32_t device_id;
  int32_t ndim;
  uint8_t dtype_code; /* 0 signed, 1 unsigned, 2 float, 4 bfloat */
  uint8_t dtype_bits;
  uint16_t dtype_lanes; /* 1 */
  int64_t *shape;       /* ndim entries; the rows of a batch come first */
  int64_t *strides;     /* in elements; NULL: compact, row-major */
  uint64_t byte_offset; /* from data to the first element */
} findlr_tensor;

enum { FINDLR_DEVICE_CPU = 1 };

/* A dtype as one number: code | bits << 8 | lanes << 16. */
#define FINDLR_DTYPE_FLOAT32 0x00012002
#define FINDLR_DTYPE_FLOAT64 0x00014002
#define FINDLR_DTYPE_INT64 0x00014000
#define FINDLR_DTYPE_UINT8 0x00010801

/* The tensor's dtype as that one number. [any thread] */
FINDLR_API uint32_t findlr_tensor_dtype(const findlr_tensor *tensor);

/* The product of the shape; 1 for ndim 0; -1 where a size is negative or the product overflows.
 * [any thread] */
FINDLR_API int64_t findlr_tensor_count(const findlr_tensor *tensor);

FINDLR_END

#endif
