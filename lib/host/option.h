/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_OPTION_H
#define FINDLR_HOST_OPTION_H

#include "core/internal.h"
#include "findlr/component.h"

enum { FINDLR__MOST_OPTIONS = 64 };

/* Option i of a component, as it describes it. */
int32_t findlr__option_get(const findlr_component *component, uint32_t i, findlr_option *ret_option);

/* Checks a component's option table: count, fields, names, and each default against its own bounds.
 * who begins the sentence; a broken rule is code. */
int32_t findlr__options_check(const findlr_allocator *a, const findlr_component *component,
                              const char *who, int32_t code, findlr_error *err);

/* Reads text as a value of that option: sets type, integer, real, sizes and count of *value (sizes
 * allocated from a); text and given are the caller's. FINDLR_ERR_ARGUMENT "WHO: option NAME: ...". */
int32_t findlr__value_parse(const findlr_allocator *a, const findlr_option *option,
                            const char *text, findlr_value *value, const char *who,
                            findlr_error *err);
void findlr__value_release(const findlr_allocator *a, findlr_value *value);

/* The bytes of text to show in a sentence: not more than 60, whole characters. */
int findlr__shown(const char *text);

#endif
