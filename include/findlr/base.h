/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_BASE_H
#define FINDLR_BASE_H

#include <stddef.h>
#include <stdint.h>

/* What every header needs: linkage, visibility, and the two macros by which structs grow.
 *
 * How structs grow. Every struct that crosses the library's border (findlr_tensor alone excepted)
 * begins with `uint32_t struct_size`, set by whoever fills it. Members are only ever appended. A
 * reader looks at a member that is not in the first version through FINDLR_HAS. A larger struct is
 * accepted (its tail is ignored), a smaller one too (its missing members have their defaults); a
 * struct_size of 0, or below the first version's size, is FINDLR_ERR_ARGUMENT. Whoever fills an
 * out-struct writes at most `out->struct_size` bytes. */

#ifdef __cplusplus
#define FINDLR_BEGIN extern "C" {
#define FINDLR_END }
#else
#define FINDLR_BEGIN
#define FINDLR_END
#endif

/* Marks the functions that libfindlr exports. */
#if defined(__GNUC__)
#define FINDLR_API __attribute__((visibility("default")))
#else
#define FINDLR_API
#endif

/* The size of struct T up to and including member. */
#define FINDLR_SIZE_UP_TO(T, member) (offsetof(T, member) + sizeof(((T *)0)->member))

/* Does the struct that p points to have this pointer member, and is it set? */
#define FINDLR_HAS(p, T, member)                                                                   \
  ((p)->struct_size >= FINDLR_SIZE_UP_TO(T, member) && (p)->member != NULL)

#endif
