/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_PLUGIN_H
#define FINDLR_PLUGIN_H

/* All that a plugin includes. A plugin is a shared object that exports one function,
 *
 *   FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
 *
 * and links no part of libfindlr. docs/plugins.md shows how to write one in five steps;
 * plugins/linear is the shortest complete one. */

#include <stdarg.h>
#include <stdio.h>

#include "component.h"
#include "data.h"
#include "draw.h"
#include "error.h"
#include "host.h"
#include "loss.h"
#include "model.h"
#include "optimizer.h"
#include "trainer.h"
#include "version.h"

FINDLR_BEGIN

/* The minor of the ABI that the plugin cannot do without. Define it to something larger before
 * including this header only if you call what came with that minor. */
#ifndef FINDLR_PLUGIN_MIN_MINOR
#define FINDLR_PLUGIN_MIN_MINOR 0
#endif

#if defined(__GNUC__)
#define FINDLR_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define FINDLR_PLUGIN_EXPORT
#endif

/* What the entry returns: static storage, filled before any call, the same at every call. Strings are
 * UTF-8, at most 255 bytes, and live as long as the code is mapped. */
typedef struct findlr_plugin {
  uint32_t struct_size;
  uint32_t abi_minor_needed; /* FINDLR_PLUGIN_MIN_MINOR */
  const char *id;            /* unique: lower case letters, digits, '_', '.', '-' */
  const char *version;       /* the plugin's own */
  const char *description;   /* one line, with libraries it was built against */
  /* NULL, or called once a host before anything else. May come again after deinit, from another host
   * in the process, at any time: count, and lock. FINDLR_ERR_UNSUPPORTED and set_error where this
   * machine will not do. [one at a time per host] */
  int32_t (*init)(const findlr_host *host, void *ctx);
  /* NULL, or called once for each successful init. The code stays mapped until the process ends. */
  void (*deinit)(void);
  /* Component i, or NULL past the last. At least one, or get_extension must be there. [any thread] */
  const findlr_component *(*component)(uint32_t i);
  /* NULL, or a group of functions by id, such as FINDLR_EXT_RENDER. [any thread] */
  const void *(*get_extension)(const char *id);
} findlr_plugin;

typedef const findlr_plugin *(*findlr_plugin_entry)(void);

#ifdef __GNUC__
#define FINDLR__PRINTF(a, b) __attribute__((format(printf, a, b), unused))
#else
#define FINDLR__PRINTF(a, b)
#endif

/* Sugar for C: sets the error from a format and returns code. */
static int32_t findlr_host_fail(const findlr_host *host, void *ctx, int32_t code,
                                const char *format, ...) FINDLR__PRINTF(4, 5);
static int32_t findlr_host_fail(const findlr_host *host, void *ctx, int32_t code,
                                const char *format, ...) {
  char text[FINDLR_MESSAGE_SIZE];
  int n;
  va_list args;
  va_start(args, format);
  n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n < 0)
    n = 0;
  host->set_error(ctx, code, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
  return code;
}

FINDLR_END

#endif
