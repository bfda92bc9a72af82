/* SPDX-License-Identifier: MIT */
#include "findlr/tensor.h"

uint32_t findlr_tensor_dtype(const findlr_tensor *tensor) {
  return tensor->dtype_code | (uint32_t)tensor->dtype_bits << 8 |
         (uint32_t)tensor->dtype_lanes << 16;
}

int64_t findlr_tensor_count(const findlr_tensor *tensor) {
  int64_t count = 1;
  for (int32_t d = 0; d < tensor->ndim; d++) {
    int64_t size = tensor->shape[d];
    if (size < 0 || (size && count > INT64_MAX / size))
      return -1;
    count *= size;
  }
  return count;
}
