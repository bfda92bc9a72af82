/* SPDX-License-Identifier: MIT */
#if defined(__linux__)
#define _GNU_SOURCE /* realpath, beside what POSIX has */
#endif
#include "host/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/dl.h"
#include "host/option.h"
#include "host/registry.h"

static int32_t forbidden(const findlr_context *context, const char *name, findlr_error *err) {
  if (!(context->flags & FINDLR_CONTEXT_NO_LOADING))
    return FINDLR_OK;
  return findlr__fail(err, FINDLR_ERR_STATE, "%s is not loaded: this context loads no plugins", name);
}

static int32_t io_failed(int number, const char *file, findlr_error *err) {
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "there is no file %s", file);
  case EACCES:
    return findlr__fail(err, FINDLR_ERR_IO, "%s cannot be read: permission denied", file);
  case ELOOP:
    return findlr__fail(err, FINDLR_ERR_IO, "%s cannot be read: too many symbolic links", file);
  default:
    return findlr__fail(err, FINDLR_ERR_IO, "%s cannot be read: error %d of the operating system",
                        file, number);
  }
}

/* Looks at the file before the dynamic linker does, without waiting for a pipe's writer. */
static int32_t check_file(const char *path, findlr_error *err) {
  struct stat info;
  if (stat(path, &info) != 0)
    return io_failed(errno, path, err);
  if (!S_ISREG(info.st_mode))
    return findlr__fail(err, FINDLR_ERR_PLUGIN_FILE, "%s is %s, wanted a shared object", path,
                        S_ISDIR(info.st_mode) ? "a directory" : "no regular file");
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return io_failed(errno, path, err);
  int32_t status = findlr__elf_check(fd, (uint64_t)info.st_size, path, err);
  close(fd);
  return status;
}

/* The entry of this ABI, or why there is none. */
static int32_t find_entry(void *handle, const char *path, findlr_plugin_entry *ret_entry,
                          findlr_error *err) {
  char name[] = "findlr_plugin_entry_v1";
  *ret_entry = (findlr_plugin_entry)findlr__dl_function(handle, name);
  if (*ret_entry)
    return FINDLR_OK;
  for (char major = FINDLR_ABI_MAJOR + '1'; major <= '9'; major++) {
    name[sizeof name - 2] = major;
    if (findlr__dl_function(handle, name))
      return findlr__fail(err, FINDLR_ERR_PLUGIN_VERSION,
                          "%s is for plugin ABI %c, and libfindlr %s has %d", path, major,
                          FINDLR_VERSION, FINDLR_ABI_MAJOR);
  }
  return findlr__fail(err, FINDLR_ERR_PLUGIN_FILE,
                      "%s is no plugin: it exports no findlr_plugin_entry_v1", path);
}

int32_t findlr_load_plugin(findlr_context *context, const char *file, findlr_error *err) {
  if (!context || !file)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context or file is NULL");
  if (!*file)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the plugin's file name is empty");
  int32_t status = forbidden(context, file, err);
  if (status < 0)
    return status;
  size_t length = strlen(file);
  if (length >= PATH_MAX)
    return findlr__fail(err, FINDLR_ERR_LIMIT,
                        "the plugin's file name has %zu bytes, wanted fewer than %d", length,
                        (int)PATH_MAX);
  char path[PATH_MAX];
  if (!realpath(file, path))
    return io_failed(errno, file, err);
  for (uint32_t i = 0; i < context->plugin_count; i++)
    if (strcmp(context->plugins[i].file, path) == 0)
      return FINDLR_OK;
  status = check_file(path, err);
  if (status < 0)
    return status;
  char why[FINDLR_MESSAGE_SIZE / 2];
  void *handle = findlr__dl_open(path, why, sizeof why);
  if (!handle)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_FILE, "%s cannot be loaded: %s", path, why);
  findlr_plugin_entry entry;
  status = find_entry(handle, path, &entry, err);
  if (status == FINDLR_OK)
    status = findlr__plugin_adopt(context, entry(), NULL, handle, path, err);
  if (status < 0)
    findlr__dl_close(handle);
  return status;
}

int32_t findlr_load_plugin_named(findlr_context *context, const char *name, findlr_error *err) {
  if (!context || !name)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context or name is NULL");
  if (!findlr__is_name(name))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "\"%.*s\" is no name of a plugin, wanted lower case letters, digits, '_', '.' "
                        "and '-', at most 63",
                        findlr__shown(name), name);
  int32_t status = forbidden(context, name, err);
  if (status < 0)
    return status;
  char path[PATH_MAX];
  if (findlr__search_file(context, name, path, sizeof path) == FINDLR_OK)
    return findlr_load_plugin(context, path, err);
  char places[FINDLR_MESSAGE_SIZE];
  findlr__search_describe(context, places, sizeof places);
  return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "there is no plugin %s.so; %s", name, places);
}

int32_t findlr_load_all_plugins(findlr_context *context, findlr_error *err) {
  if (!context)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context is NULL");
  int32_t status = forbidden(context, "a plugin", err);
  if (status < 0)
    return status;
  findlr__names names;
  status = findlr__search_names(context, &names, err);
  for (uint32_t i = 0; status == FINDLR_OK && i < names.count; i++) {
    findlr_error why = FINDLR_ERROR_INIT;
    status = findlr_load_plugin_named(context, names.names[i], &why);
    if (status == FINDLR_ERR_NO_MEMORY) {
      findlr__fail(err, status, "%s", why.message);
    } else if (status < 0) {
      findlr__services_log(&context->services, FINDLR_LOG_WARNING, "plugin passed over: %s",
                           why.message);
      status = FINDLR_OK;
    }
  }
  findlr__names_release(context, &names);
  return status;
}
