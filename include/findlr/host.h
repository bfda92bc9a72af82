/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_H
#define FINDLR_HOST_H

#include "base.h"

FINDLR_BEGIN

/* What the host offers to a component. A plugin never links libfindlr: everything comes through this
 * table, which each `create` receives together with a ctx. An instance keeps its own pair and uses no
 * other; never keep one in a global (several hosts may live in one process). Valid until the instance
 * is destroyed. Every service may be called from any thread. */

enum {
  FINDLR_LOG_DEBUG = 0,
  FINDLR_LOG_INFO = 1,
  FINDLR_LOG_WARNING = 2,
  FINDLR_LOG_ERROR = 3,
  FINDLR_LOG_MISBEHAVING = 4 /* a plugin broke a rule; said once */
};

typedef struct findlr_host {
  uint32_t struct_size;
  uint32_t abi_minor;  /* the host's FINDLR_ABI_MINOR */
  const char *version; /* the host's release */

  /* Memory, as findlr_allocator.alloc. Give back what you take. */
  void *(*alloc)(void *ctx, void *ptr, size_t old_size, size_t new_size, size_t align);
  /* One finished line of len bytes, without a newline. */
  void (*log)(void *ctx, int32_t level, const char *text, size_t len);
  /* Why the slot that is running will return a negative status: one sentence, copied at once. */
  void (*set_error)(void *ctx, int32_t code, const char *text, size_t len);
  /* A group of further services by id, such as FINDLR_EXT_TEXT; NULL if the host has none such. */
  const void *(*get_extension)(void *ctx, const char *id);
} findlr_host;

/* Numbers as text, independent of the locale. */
#define FINDLR_EXT_TEXT "findlr.text/1"
typedef struct findlr_host_text {
  uint32_t struct_size;
  uint32_t reserved;
  /* Reads a decimal number ("-1.5e3", "inf", "nan"; no leading space) from the first len bytes of
   * text, correctly rounded. Returns how many bytes it has; 0 if none begins there. */
  size_t (*parse)(const char *text, size_t len, double *ret_value);
  /* Writes the shortest decimal text that reads back equal, and a NUL; at most 32 bytes. Returns its
   * length, or 0 if size does not suffice. */
  size_t (*format)(double value, char *buffer, size_t size);
} findlr_host_text;

/* Random numbers from a seed: the only source of chance that a component may use. The generator is
 * four numbers that the caller keeps; list them as state if they move after create. */
#define FINDLR_EXT_RANDOM "findlr.random/1"
typedef struct findlr_host_random {
  uint32_t struct_size;
  uint32_t reserved;
  void (*seed)(uint64_t state[4], uint64_t seed);
  uint64_t (*next)(uint64_t state[4]);    /* 64 random bits (xoshiro256**) */
  double (*uniform)(uint64_t state[4]);   /* in [0, 1), 53 bits */
} findlr_host_random;

FINDLR_END

#endif
