/* SPDX-License-Identifier: MIT */
#if defined(__linux__)
#define _GNU_SOURCE /* secure_getenv */
#endif
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/loader.h"
#include "host/registry.h"

/* --- directories ----------------------------------------------------------------------------- */

enum { FROM_CALLER, FROM_ENVIRONMENT, COMPILED_IN, SOURCES };

typedef struct search {
  const char *sources[SOURCES];
  int source;
  const char *at; /* the rest of the source; NULL: not begun */
  char directory[PATH_MAX];
} search;

const char *findlr__environment(const char *name) {
#if defined(__linux__)
  return secure_getenv(name);
#else
  return getuid() == geteuid() && getgid() == getegid() ? getenv(name) : NULL;
#endif
}

static search search_begin(const findlr_context *context) {
  search s = { .source = 0 };
  s.sources[FROM_CALLER] = context->plugin_path;
  if (!(context->flags & FINDLR_CONTEXT_NO_ENVIRONMENT))
    s.sources[FROM_ENVIRONMENT] = findlr__environment("FINDLR_PLUGIN_PATH");
  s.sources[COMPILED_IN] = FINDLR_PLUGIN_DIR;
  return s;
}

/* The next directory, empty and overlong ones left out. Relative ones count only from the caller: a
 * plugin is never looked for in the working directory because of an environment variable. */
static int search_next(search *s) {
  for (; s->source < SOURCES; s->source++, s->at = NULL) {
    if (!s->at)
      s->at = s->sources[s->source];
    while (s->at && *s->at) {
      size_t n = strcspn(s->at, ":");
      const char *directory = s->at;
      s->at += n + (directory[n] == ':');
      if (n == 0 || n >= sizeof s->directory ||
          (directory[0] != '/' && s->source != FROM_CALLER))
        continue;
      memcpy(s->directory, directory, n);
      s->directory[n] = 0;
      return 1;
    }
  }
  return 0;
}

/* May plugins be taken from here? Whoever can write to a directory can make us run anything. */
static int is_trusted(const search *s) {
  struct stat info;
  return s->source == FROM_CALLER || stat(s->directory, &info) != 0 || !(info.st_mode & S_IWOTH);
}

void findlr__search_describe(findlr_context *context, char *text, size_t size) {
  if (context->flags & FINDLR_CONTEXT_NO_LOADING) {
    findlr__format(text, size, "this context loads no plugins");
    return;
  }
  size_t n = 0;
  text[0] = 0;
  const char *lead[2] = { "looked in ", "passed over " };
  for (int untrusted = 0; untrusted < 2; untrusted++) {
    search s = search_begin(context);
    int first = 1;
    while (search_next(&s)) {
      if (is_trusted(&s) == untrusted)
        continue;
      n += findlr__format(text + n, size - n, "%s%s%s", first && n ? "; " : "",
                          first ? lead[untrusted] : ", ", s.directory);
      if (n >= size)
        return;
      first = 0;
    }
    if (untrusted && !first)
      findlr__format(text + n, size - n, " (others can write to it)");
  }
}

int32_t findlr__search_file(findlr_context *context, const char *name, char *path, size_t size) {
  search s = search_begin(context);
  while (search_next(&s)) {
    struct stat info;
    if (is_trusted(&s) && findlr__format(path, size, "%s/%s.so", s.directory, name) < size &&
        stat(path, &info) == 0)
      return FINDLR_OK;
  }
  return FINDLR_ERR_NOT_FOUND;
}

/* --- names ----------------------------------------------------------------------------------- */

void findlr__names_release(findlr_context *context, findlr__names *names) {
  for (uint32_t i = 0; i < names->count; i++)
    findlr__release_string(&context->allocator, names->names[i]);
  findlr__release(&context->allocator, names->names, names->room * sizeof *names->names);
  *names = (findlr__names){ 0 };
}

/* Puts a name where it belongs, if it is new. */
static int32_t insert(findlr_context *context, findlr__names *names, const char *name,
                      findlr_error *err) {
  uint32_t at = 0;
  while (at < names->count && strcmp(names->names[at], name) < 0)
    at++;
  if (at < names->count && strcmp(names->names[at], name) == 0)
    return FINDLR_OK;
  void *array = names->names;
  int32_t status = findlr__context_grow(context, &array, &names->room, names->count,
                                        sizeof *names->names, err);
  names->names = array;
  if (status < 0)
    return status;
  char *copy = findlr__copy_string(&context->allocator, name);
  if (!copy)
    return findlr__no_memory(err, "the name of a plugin");
  memmove(names->names + at + 1, names->names + at, (names->count - at) * sizeof *names->names);
  names->names[at] = copy;
  names->count++;
  return FINDLR_OK;
}

static int32_t add_directory(findlr_context *context, findlr__names *names, const char *path,
                             findlr_error *err) {
  DIR *directory = opendir(path);
  if (!directory)
    return FINDLR_OK;
  int32_t status = FINDLR_OK;
  const struct dirent *file;
  while (status == FINDLR_OK && (file = readdir(directory)) != NULL) {
    size_t n = strlen(file->d_name);
    char name[FINDLR__LONGEST_NAME + 1];
    if (n <= 3 || n - 3 >= sizeof name || strcmp(file->d_name + n - 3, ".so") != 0)
      continue;
    memcpy(name, file->d_name, n - 3);
    name[n - 3] = 0;
    if (findlr__is_name(name))
      status = insert(context, names, name, err);
  }
  closedir(directory);
  return status;
}

int32_t findlr__search_names(findlr_context *context, findlr__names *names, findlr_error *err) {
  *names = (findlr__names){ 0 };
  if (context->flags & FINDLR_CONTEXT_NO_LOADING)
    return FINDLR_OK;
  search s = search_begin(context);
  int32_t status = FINDLR_OK;
  while (status == FINDLR_OK && search_next(&s))
    if (is_trusted(&s))
      status = add_directory(context, names, s.directory, err);
  if (status < 0)
    findlr__names_release(context, names);
  return status;
}
