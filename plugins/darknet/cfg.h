/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_PLUGINS_DARKNET_CFG_H
#define FINDLR_PLUGINS_DARKNET_CFG_H

#include "findlr/plugin.h"

/* A darknet .cfg, read and understood before darknet sees it: darknet calls exit(0) where it does not
 * like a file, and runs into memory that is not there where it does not notice. */

typedef struct cfg_option {
  const char *key, *value;
  int line;
} cfg_option;

typedef struct cfg_section {
  const char *name; /* "convolutional", whatever the spelling in the file */
  int line;
  uint32_t kind;          /* cfg.c's own */
  uint32_t first, count;  /* options */
  int64_t w, h, c, outputs; /* what comes out of the layer; w, h and c are 0 where it is no image */
} cfg_section;

typedef struct cfg {
  const findlr_host *host;
  void *ctx;
  const char *file; /* its name, without folders */
  char *text;       /* cut up into names, keys and values */
  size_t text_size;
  cfg_section *sections; /* the first is [net] */
  uint32_t section_count, section_room;
  cfg_option *options;
  uint32_t option_count, option_room;
  double momentum, decay; /* of [net] */
  int64_t inputs;
  double bytes; /* about what darknet will take */
} cfg;

/* Reads and checks; batch: the largest number of rows. On failure the host has the sentence, and there
 * is nothing to free. path lives as long as the cfg. */
int32_t cfg_read(cfg *c, const findlr_host *host, void *ctx, const char *path, int64_t batch);
void cfg_free(cfg *c);

/* The text for darknet: every layer as it was, and a [net] section that says what the session wants. Returns
 * its length without the NUL; at most size - 1 bytes are written. */
size_t cfg_write(const cfg *c, int64_t batch, char *buffer, size_t size);

#endif
