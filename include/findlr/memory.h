/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_MEMORY_H
#define FINDLR_MEMORY_H

#include "allocator.h"
#include "data.h"
#include "error.h"

FINDLR_BEGIN

/* The data source over the caller's own tensors, without a copy: they must stay where they are, and
 * unchanged, until the source is destroyed.
 *
 * inputs: [rows, ...] float32, float64 or uint8 (bytes are scaled to [0, 1] by 1/255), any strides.
 * targets: [rows] int64 (classes, from 0) or [rows] or [rows, columns] float32 or float64.
 * classes: for int64 targets, the number of classes, or 0 for the largest target plus one; for others 0.
 * FINDLR_ERR_ARGUMENT for tensors that do not fit, a class out of range, device memory. allocator
 * NULL: malloc. Fills *ret_data; give it back with findlr_memory_data_destroy. */
FINDLR_API int32_t findlr_memory_data_create(const findlr_allocator *allocator,
                                             const findlr_tensor *inputs,
                                             const findlr_tensor *targets, int64_t classes,
                                             findlr_data *ret_data, findlr_error *err);
FINDLR_API void findlr_memory_data_destroy(findlr_data *data);

FINDLR_END

#endif
