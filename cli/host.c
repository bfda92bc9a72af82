/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "message.h"

static int32_t check_folder(const char *path, findlr_error *err) {
  struct stat found;
  if (stat(path, &found) != 0)
    return fail(err, FINDLR_ERR_NOT_FOUND, "--plugin-path %s: %s", path, strerror(errno));
  if (!S_ISDIR(found.st_mode))
    return fail(err, FINDLR_ERR_NOT_FOUND, "--plugin-path %s: this is not a directory", path);
  return FINDLR_OK;
}

int32_t host_open(const arguments *args, findlr_context **ret_context, findlr_error *err) {
  findlr_context_options options;
  findlr_context_options_init(&options, sizeof options);
  options.log = log_line;
  options.log_ud = (void *)(uintptr_t)&args->quiet;
  options.log_level = FINDLR_LOG_WARNING;
  char *path = joined("", "", "");
  int32_t status = FINDLR_OK;
  for (size_t i = 0; i < args->plugin_path.count && status == FINDLR_OK; i++) {
    char *longer = joined(path, i ? ":" : "", args->plugin_path.at[i]);
    free(path);
    path = longer;
    status = check_folder(args->plugin_path.at[i], err);
  }
  options.plugin_path = *path ? path : NULL;
  findlr_context *context = NULL;
  if (status == FINDLR_OK)
    status = findlr_context_create(&options, &context, err);
  free(path);
  /* The worker of an isolated run loads them. */
  for (size_t i = 0; !args->isolate && i < args->plugins.count && status == FINDLR_OK; i++)
    status = findlr_load_plugin(context, args->plugins.at[i], err);
  if (status != FINDLR_OK) {
    findlr_context_destroy(context);
    return as_failure(status, err);
  }
  *ret_context = context;
  return FINDLR_OK;
}
