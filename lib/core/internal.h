/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_INTERNAL_H
#define FINDLR_CORE_INTERNAL_H

/* What every source of the library shares: errors, memory, growing structs. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "findlr/allocator.h"
#include "findlr/error.h"

#if defined(__GNUC__)
#define FINDLR__FORMAT(a, b) __attribute__((format(printf, a, b)))
#else
#define FINDLR__FORMAT(a, b)
#endif

/* Fills *err (NULL allowed) with code and a sentence, and returns code. Knows %s %.*s %c %d %u %lld
 * %llu %zu %g %%, the same in every locale; %g writes the shortest text that reads back equal. */
int32_t findlr__fail(findlr_error *err, int32_t code, const char *format, ...) FINDLR__FORMAT(3, 4);

/* The same format into a buffer; returns the length that the whole text has. */
size_t findlr__format(char *buffer, size_t size, const char *format, ...) FINDLR__FORMAT(3, 4);
size_t findlr__format_list(char *buffer, size_t size, const char *format, va_list args);

/* FINDLR_ERR_NO_MEMORY, with a sentence that names what it was for. */
int32_t findlr__no_memory(findlr_error *err, const char *what);

/* malloc and friends in the allocator's shape. */
extern const findlr_allocator findlr__default_allocator;

/* The allocator to use for one that a caller gave, which may be NULL. */
const findlr_allocator *findlr__allocator(const findlr_allocator *given);

/* Memory of size > 0 bytes, cleared; NULL if it cannot be had. findlr__release takes NULL. */
void *findlr__allocate(const findlr_allocator *a, size_t size);
void *findlr__allocate_aligned(const findlr_allocator *a, size_t size, size_t align);
void *findlr__reallocate(const findlr_allocator *a, void *ptr, size_t old_size, size_t new_size);
void findlr__release(const findlr_allocator *a, void *ptr, size_t size);

/* A copy of a string (released with findlr__release_string). NULL gives NULL. */
char *findlr__copy_string(const findlr_allocator *a, const char *text);
void findlr__release_string(const findlr_allocator *a, char *text);

/* a * b + c, or 0 where that overflows. */
size_t findlr__size(size_t a, size_t b, size_t c);

/* Reads a caller's options struct over `into`, which holds the defaults: as many bytes as both have.
 * from NULL keeps the defaults. FINDLR_ERR_ARGUMENT where its struct_size is below `smallest`; `what`
 * names the struct. into's struct_size stays its own. */
int32_t findlr__take(void *into, size_t into_size, const void *from, size_t smallest,
                     const char *what, findlr_error *err);

/* Writes a filled struct to a caller's out-struct: at most out's struct_size bytes, which keeps its
 * value. FINDLR_ERR_ARGUMENT where that is below `smallest` or out is NULL. */
int32_t findlr__give(void *out, const void *filled, size_t filled_size, size_t smallest,
                     const char *what, findlr_error *err);

/* The nearest of the names (next(ud, i) until NULL) to `name` by edit distance, for "did you mean";
 * NULL if none is near. */
const char *findlr__nearest(const char *name, const char *(*next)(const void *ud, uint32_t i),
                            const void *ud);

/* How many of text's first len bytes are whole, valid UTF-8 characters (RFC 3629). */
size_t findlr__utf8(const char *text, size_t len);

#endif
