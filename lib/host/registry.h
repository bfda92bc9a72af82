/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_REGISTRY_H
#define FINDLR_HOST_REGISTRY_H

#include "host/context.h"

enum { FINDLR__LONGEST_NAME = 63, FINDLR__LONGEST_STRING = 255 };

/* Is text a name: 1..63 lower case letters, digits, '_', '.', '-', the first a letter or digit? */
int findlr__is_name(const char *text);

/* Is text a string that a component may have: not NULL, UTF-8, at most 255 bytes, no control
 * characters? Otherwise fills *err with code: "WHO: WHAT is ...". */
int32_t findlr__check_string(const char *text, const char *who, const char *what, int32_t code,
                             findlr_error *err);

/* Checks a component and adds it. who names its maker in sentences; code is what a broken rule is:
 * FINDLR_ERR_ARGUMENT for the program's own, FINDLR_ERR_PLUGIN_INVALID for a plugin's. */
int32_t findlr__registry_add(findlr_context *context, const findlr_component *component,
                             uint32_t plugin, const char *who, int32_t code, findlr_error *err);

/* Checks a plugin's table, inits it, registers its components. On failure nothing of it remains; the
 * handle is still the caller's. file is "" and handle NULL for a static plugin. */
int32_t findlr__plugin_adopt(findlr_context *context, const findlr_plugin *table,
                             findlr_plugin_entry entry, void *handle, const char *file,
                             findlr_error *err);

/* Deinit, close, release strings. */
void findlr__plugin_drop(findlr_context *context, findlr__plugin *plugin);

#endif
