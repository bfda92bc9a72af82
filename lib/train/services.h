/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_SERVICES_H
#define FINDLR_TRAIN_SERVICES_H

#include <stdatomic.h>

#include "core/internal.h"
#include "findlr/host.h"

/* The host that a component sees: the table, and behind it the allocator, the log sink and the last
 * error text. A session has one for all its components; pass &services->host, and services as ctx. It
 * must not move while a component has it. */
typedef struct findlr__services {
  findlr_host host;
  const findlr_allocator *allocator;
  void (*log)(void *ud, int32_t level, const char *text, size_t len);
  void *log_ud;
  int32_t log_level;
  int32_t code;        /* the last set_error; 0: none */
  atomic_flag setting; /* held while the two members beside it are written: a component's own threads
                          may call set_error at once */
  char text[FINDLR_MESSAGE_SIZE];
} findlr__services;

/* allocator must outlive the services. log NULL: nothing is logged. */
void findlr__services_init(findlr__services *services, const findlr_allocator *allocator,
                           void (*log)(void *ud, int32_t level, const char *text, size_t len),
                           void *log_ud, int32_t log_level);

/* A line of the library's own for the log. */
void findlr__services_log(findlr__services *services, int32_t level, const char *format, ...)
    FINDLR__FORMAT(3, 4);

/* Forgets the last error: to be called before a slot whose failure will be reported. */
void findlr__services_clear(findlr__services *services);

/* Turns the status of a slot that failed, and what set_error left, into the caller's error
 * ("model mlp: forward: the matrix is singular"), clears the latter and returns the code: the status,
 * or FINDLR_ERR_BACKEND for one that is not in the list of errors. slot NULL leaves it out: what a create
 * complains of speaks for itself. */
int32_t findlr__component_failed(findlr_error *err, findlr__services *services, int32_t status,
                                 const char *component, const char *slot);

/* Copies text as one line of valid UTF-8 with a NUL, cut where there is no room; returns its length. */
size_t findlr__one_line(char *line, size_t size, const char *text, size_t len);

/* "model" for FINDLR_KIND_MODEL and so on; NULL for others. */
const char *findlr__kind_name(uint32_t kind);

#endif
