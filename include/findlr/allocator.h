/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_ALLOCATOR_H
#define FINDLR_ALLOCATOR_H

#include "base.h"

FINDLR_BEGIN

/* Where memory comes from. One function does everything (as in Lua):
 *
 *   new_size == 0   frees ptr (of old_size bytes; NULL allowed) and returns NULL
 *   ptr == NULL     allocates new_size bytes (old_size is 0)
 *   else            grows or shrinks, keeping min(old_size, new_size) bytes and the alignment
 *
 * align is a power of two, 64 or more for tensors, and the same at every call about a block. Returns
 * NULL when memory cannot be had; ptr then stays valid. Everything that libfindlr and its plugins
 * allocate goes through it. It may be called from any thread that uses an object made with it. */
typedef struct findlr_allocator {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  void *ud;
  void *(*alloc)(void *ud, void *ptr, size_t old_size, size_t new_size, size_t align);
} findlr_allocator;

FINDLR_END

#endif
