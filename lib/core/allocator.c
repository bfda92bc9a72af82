/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Alignments up to malloc's own go through realloc; larger ones are allocated anew and copied, since
 * realloc does not keep them. */
static void *default_alloc(void *ud, void *ptr, size_t old_size, size_t new_size, size_t align) {
  (void)ud;
  if (new_size == 0) {
    free(ptr);
    return NULL;
  }
  if (align <= _Alignof(max_align_t))
    return realloc(ptr, new_size);
  if (new_size > SIZE_MAX - align)
    return NULL;
  void *fresh = aligned_alloc(align, (new_size + align - 1) / align * align);
  if (fresh && ptr) {
    memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
    free(ptr);
  }
  return fresh;
}

const findlr_allocator findlr__default_allocator = { sizeof(findlr_allocator), 0, NULL,
                                                     default_alloc };

const findlr_allocator *findlr__allocator(const findlr_allocator *given) {
  return given ? given : &findlr__default_allocator;
}

void *findlr__allocate_aligned(const findlr_allocator *a, size_t size, size_t align) {
  if (size == 0)
    return NULL;
  void *ptr = a->alloc(a->ud, NULL, 0, size, align);
  if (ptr)
    memset(ptr, 0, size);
  return ptr;
}

void *findlr__allocate(const findlr_allocator *a, size_t size) {
  return findlr__allocate_aligned(a, size, _Alignof(max_align_t));
}

void *findlr__reallocate(const findlr_allocator *a, void *ptr, size_t old_size, size_t new_size) {
  return new_size ? a->alloc(a->ud, ptr, old_size, new_size, _Alignof(max_align_t)) : NULL;
}

void findlr__release(const findlr_allocator *a, void *ptr, size_t size) {
  if (ptr)
    a->alloc(a->ud, ptr, size, 0, _Alignof(max_align_t));
}

char *findlr__copy_string(const findlr_allocator *a, const char *text) {
  if (!text)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = findlr__allocate(a, size);
  if (copy)
    memcpy(copy, text, size);
  return copy;
}

void findlr__release_string(const findlr_allocator *a, char *text) {
  if (text)
    findlr__release(a, text, strlen(text) + 1);
}

size_t findlr__size(size_t a, size_t b, size_t c) {
  if (b && a > SIZE_MAX / b)
    return 0;
  size_t product = a * b;
  return product > SIZE_MAX - c ? 0 : product + c;
}
