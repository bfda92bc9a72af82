/* SPDX-License-Identifier: MIT */
#if defined(__linux__)
#define _GNU_SOURCE /* RTLD_NODELETE under musl */
#endif
#include "host/dl.h"

#include <dlfcn.h>
#include <fenv.h>
#include <string.h>

#include "core/internal.h"

void *findlr__dl_open(const char *path, char *why, size_t size) {
  fenv_t environment;
  fegetenv(&environment);
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  fesetenv(&environment);
  if (!handle) {
    const char *reason = dlerror();
    size_t n = strlen(path);
    /* glibc begins with the path, which the caller's sentence has already. */
    if (reason && strncmp(reason, path, n) == 0 && strncmp(reason + n, ": ", 2) == 0)
      reason += n + 2;
    findlr__format(why, size, "%s", reason ? reason : "no reason given");
  }
  return handle;
}

void (*findlr__dl_function(void *handle, const char *name))(void) {
  void *symbol = dlsym(handle, name);
  void (*function)(void);
  memcpy(&function, &symbol, sizeof function);
  return function;
}

void findlr__dl_close(void *handle) {
  dlclose(handle);
}
