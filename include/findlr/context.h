/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CONTEXT_H
#define FINDLR_CONTEXT_H

#include "allocator.h"
#include "error.h"
#include "host.h"

FINDLR_BEGIN

/* A context holds what would otherwise be global: allocator, log sink, loading policy, and the registry
 * of components (registry.h). One thread at a time; different contexts are independent. Objects made
 * with a context must be destroyed before it. */
typedef struct findlr_context findlr_context;

enum {
  FINDLR_CONTEXT_NO_LOADING = 1,    /* no plugin file is ever opened */
  FINDLR_CONTEXT_NO_ENVIRONMENT = 2 /* FINDLR_PLUGIN_PATH and FINDLR_WORKER are not looked at */
};

typedef struct findlr_context_options {
  uint32_t struct_size;
  uint32_t flags;                    /* FINDLR_CONTEXT_...; 0 */
  const findlr_allocator *allocator; /* NULL: malloc. Copied. */
  /* The log sink; NULL: nothing is logged. A line of len bytes, also NUL-terminated. May be called
   * from any thread that runs a component. */
  void (*log)(void *ud, int32_t level, const char *text, size_t len);
  void *log_ud;
  int32_t log_level; /* FINDLR_LOG_INFO: what is below is not passed on */
  uint32_t reserved;
  const char *plugin_path; /* directories, separated by ':', searched first; NULL: none. Copied. */
} findlr_context_options;

FINDLR_API void findlr_context_options_init(findlr_context_options *options, size_t size);

/* Makes a context with the built-in components registered. Loads nothing yet. options NULL: the
 * defaults. FINDLR_ERR_ARGUMENT, FINDLR_ERR_NO_MEMORY. */
FINDLR_API int32_t findlr_context_create(const findlr_context_options *options,
                                         findlr_context **ret_context, findlr_error *err);

/* Calls deinit of its plugins; their code stays mapped until the process ends. NULL is allowed. */
FINDLR_API void findlr_context_destroy(findlr_context *context);

/* The context's allocator, to pass on. Valid as long as the context. */
FINDLR_API const findlr_allocator *findlr_context_allocator(const findlr_context *context);

FINDLR_END

#endif
