/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_VERSION_H
#define FINDLR_VERSION_H

#include "base.h"

FINDLR_BEGIN

/* The release, by semantic versioning. */
#define FINDLR_VERSION_MAJOR 0
#define FINDLR_VERSION_MINOR 1
#define FINDLR_VERSION_PATCH 0
#define FINDLR_VERSION "0.1.0"

/* The plugin ABI. The major is part of the entry symbol's name (findlr_plugin_entry_v1); the minor
 * counts what was appended. While the release is 0.x the ABI may still break; each break is a line
 * in docs/abi-changes.md. */
#define FINDLR_ABI_MAJOR 1
#define FINDLR_ABI_MINOR 0

/* The version of the library that is loaded, as "0.1.0". Static storage. [any thread] */
FINDLR_API const char *findlr_version(void);

/* The value of a constant of these headers by its name ("FINDLR_DTYPE_FLOAT32"), for languages that
 * cannot read C headers. Writes it to *ret_value and returns 0, or FINDLR_ERR_NOT_FOUND (-6) and
 * leaves *ret_value alone. [any thread] */
FINDLR_API int32_t findlr_constant(const char *name, int64_t *ret_value);

FINDLR_END

#endif
