/* SPDX-License-Identifier: MIT */
/* The plugin's first half: it links nothing of libtorch. Two libtorches in one process share symbols; already
 * the loading of the second may end the process. So this half looks at what is mapped, and only then loads
 * the second half, libtorch and all. */
#define _GNU_SOURCE /* dl_iterate_phdr, dladdr */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "findlr/plugin.h"

/* Set once, by the first init that succeeds; every later one would set the same. */
static const findlr_component *component;

typedef struct search {
  char own[PATH_MAX]; /* directory of the libtorch that the second half was built against */
  char other[PATH_MAX];
} search;

static void cut_file(char *path) {
  char *slash = strrchr(path, '/');
  if (slash)
    *slash = 0;
}

static int look(struct dl_phdr_info *info, size_t size, void *ud) {
  (void)size;
  search *s = ud;
  const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : "";
  char directory[PATH_MAX];
  if ((strncmp(name, "libtorch", 8) != 0 && strncmp(name, "libc10", 6) != 0) ||
      !realpath(info->dlpi_name, directory))
    return 0;
  cut_file(directory);
  if (strcmp(directory, s->own) == 0)
    return 0;
  memcpy(s->other, directory, sizeof directory);
  return 1;
}

/* torch/torch_model.so in the directory of this object. */
static int second_half(char *path, size_t size) {
  static const char name[] = "/torch/torch_model.so";
  Dl_info info;
  void *here = &component;
  if (!dladdr(here, &info) || !realpath(info.dli_fname, path))
    return 0;
  cut_file(path);
  if (strlen(path) + sizeof name > size)
    return 0;
  memcpy(path + strlen(path), name, sizeof name);
  return 1;
}

static int32_t init(const findlr_host *host, void *ctx) {
  search s = { .other = "" };
  char path[PATH_MAX];
  if (!realpath(LIBTORCH, s.own) || !second_half(path, sizeof path))
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "the libtorch that torch was built against is gone: there is no %s", LIBTORCH);
  cut_file(s.own);
  if (dl_iterate_phdr(look, &s))
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED,
                            "a process cannot hold two libtorches: that of %.150s is mapped, and torch was "
                            "built against that of %.150s",
                            s.other, s.own);
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const findlr_component *(*of_second_half)(void);
  void *symbol = handle ? dlsym(handle, "findlr_torch_component") : NULL;
  if (!symbol) {
    const char *reason = dlerror();
    return findlr_host_fail(host, ctx, FINDLR_ERR_UNSUPPORTED, "libtorch cannot be loaded: %.300s",
                            reason ? reason : "no reason given");
  }
  memcpy(&of_second_half, &symbol, sizeof symbol);
  __atomic_store_n(&component, of_second_half(), __ATOMIC_RELEASE);
  return FINDLR_OK;
}

static const findlr_component *component_at(uint32_t i) {
  return i == 0 ? __atomic_load_n(&component, __ATOMIC_ACQUIRE) : NULL;
}

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  static const findlr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
    .id = "torch",
    .version = FINDLR_VERSION,
    .description = "TorchScript modules over libtorch " LIBTORCH_VERSION,
    .init = init,
    .component = component_at,
  };
  return &plugin;
}
