/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_RULES_H
#define FINDLR_HOST_RULES_H

#include "host/option.h"
#include "host/spec.h"

/* Things that a spec string names and that are no components: smoothings, stop rules, schedules.
 * Each kind of thing is a small table for the same parser. */

typedef struct findlr__rules {
  const findlr_component *rules;
  uint32_t count;
} findlr__rules;

/* A rule's option, which is also where its value goes: the place in a struct. */
typedef struct findlr__rule_option {
  findlr_option option;
  size_t offset;
  uint32_t type; /* FINDLR__TO_... */
} findlr__rule_option;

enum { FINDLR__TO_REAL = 0, FINDLR__TO_INTEGER = 1, FINDLR__TO_WORD = 2, FINDLR__TO_NOTHING = 3 };

/* The option callback of rules whose user is a table of findlr__rule_option. */
int32_t findlr__rule_describe(void *user, uint32_t i, findlr_option *out);

/* Reads text against the table: the place in it, and the spec, which the caller destroys. what
 * ("smoothing") begins sentences. */
int32_t findlr__rule_parse(findlr_context *context, const char *what, const findlr__rules *table,
                           const char *text, uint32_t *ret_index, findlr_spec **ret_spec,
                           findlr_error *err);

/* Writes the spec's values to their places in a struct: reals as double, integers as int64_t, words
 * (booleans, choices) as uint32_t. Its rule must be one of findlr__rule_describe. */
void findlr__rule_apply(const findlr_spec *spec, void *into);

#endif
