/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_PLUGINS_BYTES_H
#define FINDLR_PLUGINS_BYTES_H

#include "findlr/plugin.h"

/* A whole file in memory. Files are not trusted: they may be anything. */
typedef struct bytes {
  const findlr_host *host;
  void *ctx;
  unsigned char *data; /* aligned to BYTES_ALIGN */
  size_t size, capacity;
} bytes;

enum { BYTES_ALIGN = 64 };

/* What a gzip file may unpack to: either is allowed alone, not both at once. */
#define BYTES_GZIP_SIZE ((size_t)256 << 20)
#define BYTES_GZIP_RATIO 200

/* Reads a file, or what a gzip file (known by its first bytes) holds. An empty file is an error: no
 * format allows it. On failure the host has the sentence and there is nothing to free. */
int32_t bytes_read(bytes *b, const findlr_host *host, void *ctx, const char *path);
void bytes_free(bytes *b);

/* The part of a path after its last '/'. */
const char *bytes_name(const char *path);

/* For a plugin's description: can this build unpack gzip? */
#ifdef HAVE_ZLIB
#include <zlib.h>
#define BYTES_GZIP ", gzip too (zlib " ZLIB_VERSION ")"
#else
#define BYTES_GZIP ", no gzip in this build"
#endif

#endif
