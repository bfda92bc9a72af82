/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_DL_H
#define FINDLR_HOST_DL_H

#include <stddef.h>

/* The dynamic linker, as far as a plugin needs it. */

/* Maps the shared object at an absolute path: every symbol bound now, none offered to others, mapped
 * until the process ends. The floating-point environment is as before, whatever its constructors do.
 * NULL on failure, with the reason in why. */
void *findlr__dl_open(const char *path, char *why, size_t size);

/* The function of that name, or NULL. */
void (*findlr__dl_function(void *handle, const char *name))(void);

void findlr__dl_close(void *handle);

#endif
