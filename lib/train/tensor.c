/* SPDX-License-Identifier: MIT */
#include "train/tensor.h"

#include <string.h>

uint32_t findlr_tensor_dtype(const findlr_tensor *tensor) {
  return tensor->dtype_code | (uint32_t)tensor->dtype_bits << 8 |
         (uint32_t)tensor->dtype_lanes << 16;
}

int64_t findlr_tensor_count(const findlr_tensor *tensor) {
  int64_t count = 1;
  for (int32_t i = 0; i < tensor->ndim; i++) {
    int64_t n = tensor->shape[i];
    if (n < 0 || (n && count > INT64_MAX / n))
      return -1;
    count *= n;
  }
  return count;
}

void findlr__tensor_set_dtype(findlr_tensor *tensor, uint32_t dtype) {
  tensor->dtype_code = (uint8_t)dtype;
  tensor->dtype_bits = (uint8_t)(dtype >> 8);
  tensor->dtype_lanes = (uint16_t)(dtype >> 16);
}

size_t findlr__tensor_bytes(const findlr_tensor *tensor) {
  int64_t count = findlr_tensor_count(tensor);
  if (count <= 0)
    return 0;
  return findlr__size((size_t)count, ((size_t)tensor->dtype_bits * tensor->dtype_lanes + 7) / 8, 0);
}

void *findlr__tensor_data(const findlr_tensor *tensor) {
  return (char *)tensor->data + tensor->byte_offset;
}

bool findlr__tensor_is_compact(const findlr_tensor *tensor) {
  if (tensor->device_type != FINDLR_DEVICE_CPU || tensor->ndim < 0 || tensor->dtype_lanes != 1 ||
      (tensor->ndim && !tensor->shape))
    return false;
  int64_t count = findlr_tensor_count(tensor);
  if (count < 0 || (count > 0 && !tensor->data))
    return false;
  if (!tensor->strides)
    return true;
  int64_t expected = 1;
  for (int32_t i = tensor->ndim - 1; i >= 0; i--) {
    if (tensor->shape[i] != 1 && tensor->strides[i] != expected)
      return false;
    expected *= tensor->shape[i];
  }
  return true;
}

const char *findlr__dtype_name(uint32_t dtype) {
  switch (dtype) {
  case FINDLR_DTYPE_FLOAT32:
    return "float32";
  case FINDLR_DTYPE_FLOAT64:
    return "float64";
  case FINDLR_DTYPE_INT64:
    return "int64";
  case FINDLR_DTYPE_UINT8:
    return "uint8";
  case 0x00011002:
    return "float16";
  case 0x00011004:
    return "bfloat16";
  default:
    return "an unknown type";
  }
}

int32_t findlr__buffer_make(findlr__buffer *buffer, const findlr_allocator *a, uint32_t dtype,
                            int64_t rows, int32_t row_ndim, const int64_t *row_shape,
                            const char *what, findlr_error *err) {
  memset(buffer, 0, sizeof *buffer);
  if (row_ndim < 0 || row_ndim > FINDLR__MAX_DIMENSIONS)
    return findlr__fail(err, FINDLR_ERR_UNSUPPORTED, "%s has %d dimensions a row, wanted at most %d",
                        what, row_ndim, FINDLR__MAX_DIMENSIONS);
  findlr_tensor *t = &buffer->tensor;
  t->device_type = FINDLR_DEVICE_CPU;
  t->ndim = row_ndim + 1;
  t->shape = buffer->shape;
  findlr__tensor_set_dtype(t, dtype);
  buffer->shape[0] = rows;
  for (int32_t i = 0; i < row_ndim; i++)
    buffer->shape[i + 1] = row_shape[i];
  buffer->bytes = findlr__tensor_bytes(t);
  if (!buffer->bytes)
    return findlr__fail(err, FINDLR_ERR_LIMIT, "the size of %s does not fit in memory", what);
  t->data = findlr__allocate_aligned(a, buffer->bytes, 64);
  if (!t->data) {
    buffer->bytes = 0;
    return findlr__no_memory(err, what);
  }
  return FINDLR_OK;
}

void findlr__buffer_free(findlr__buffer *buffer, const findlr_allocator *a) {
  if (buffer->tensor.data)
    a->alloc(a->ud, buffer->tensor.data, buffer->bytes, 0, 64);
  memset(buffer, 0, sizeof *buffer);
}
