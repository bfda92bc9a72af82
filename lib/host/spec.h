/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_SPEC_H
#define FINDLR_HOST_SPEC_H

#include "core/internal.h"
#include "findlr/spec.h"

/* A spec string cut at its first ':'. */
typedef struct findlr__spec_parts {
  const char *name;
  size_t name_length;
  const char *items; /* NULL if there is no ':' */
} findlr__spec_parts;

/* Cuts a string, and refuses what no spec string may be. what ("model", "smoothing") begins sentences. */
int32_t findlr__spec_cut(const char *text, const char *what, findlr__spec_parts *ret_parts,
                         findlr_error *err);

/* Reads the items of parts against a component's option table. If file is true, the name is a file's:
 * the value of the option `file`. */
int32_t findlr__spec_read(const findlr_allocator *a, const char *what,
                          const findlr_component *component, const findlr__spec_parts *parts,
                          int file, findlr_spec **ret_spec, findlr_error *err);

#endif
