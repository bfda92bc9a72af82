/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_LOADER_H
#define FINDLR_HOST_LOADER_H

#include "host/context.h"

/* A list of names, allocated from the context. */
typedef struct findlr__names {
  char **names;
  uint32_t count, room;
} findlr__names;

/* A variable of the environment; NULL where there is none, and in a setuid program. */
const char *findlr__environment(const char *name);

/* The names of the plugin files on the search path, each once, sorted. On failure the list is empty. */
int32_t findlr__search_names(findlr_context *context, findlr__names *names, findlr_error *err);
void findlr__names_release(findlr_context *context, findlr__names *names);

/* The first file NAME.so on the search path; NOT_FOUND without a sentence. path has 4096 bytes. */
int32_t findlr__search_file(findlr_context *context, const char *name, char *path, size_t size);

/* "looked in /a, /b; passed over /c, which others can write to". */
void findlr__search_describe(findlr_context *context, char *text, size_t size);

/* Is the open file, of that many bytes, a whole shared object for this machine? The dynamic linker
 * would crash on one that was cut off. FINDLR_ERR_PLUGIN_FILE, FINDLR_ERR_IO. */
int32_t findlr__elf_check(int fd, uint64_t size, const char *file, findlr_error *err);

#endif
