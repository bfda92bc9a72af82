/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_CHILD_H
#define FINDLR_HOST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/internal.h"
#include "findlr/host.h"

/* A child process: a fresh program, started by its argument list (no shell, no fork), that answers
 * requests. What it prints beside its answers goes to the log, and the last lines of it, its last words,
 * into the sentence that says how it ended.
 *
 * The child runs in a process group of its own, so that Ctrl-C at a terminal does not reach it, with
 * signals as a fresh program expects them, and with no descriptor but those given. It ends with its
 * parent by reading the end of its channel. The host's own children, signal handlers and signal mask are
 * left alone; SIGPIPE is never raised. One thread at a time; different children in parallel. */
typedef struct findlr__child findlr__child;

enum {
  /* Requests go to its standard input, answers come from its standard output; what it writes to
   * standard error is heard. */
  FINDLR__CHILD_STDIO = 0,
  /* Requests and answers go through one socket, its descriptor FINDLR__CHILD_FD; what it writes to
   * standard output and standard error is heard; its standard input is empty. */
  FINDLR__CHILD_SOCKET = 1
};
enum { FINDLR__CHILD_FD = 3 };

typedef struct findlr__child_options {
  const findlr_host *host; /* memory and the log; with ctx they must outlive the child */
  void *ctx;
  const char *const *argv; /* ends with NULL; argv[0] is looked for in PATH if it has no '/' */
  const char *const *more; /* "NAME=VALUE" beside the environment; ends with NULL. NULL: nothing */
  const char *name;        /* begins the sentences; cut if long. NULL: argv[0] */
  uint32_t channel;        /* FINDLR__CHILD_... */
  int32_t log_level;       /* of what it prints */
} findlr__child_options;

/* FINDLR_ERR_NOT_FOUND for no such program, FINDLR_ERR_IO where it cannot be started. */
int32_t findlr__child_start(const findlr__child_options *options, findlr__child **ret_child,
                            findlr_error *err);

/* Closes the channel, gives the child `grace` seconds to end by itself, then kills it and what it
 * started in its process group. Nothing of it is left when this returns. NULL is allowed. */
void findlr__child_destroy(findlr__child *child, double grace);

/* A moment that is so many seconds away; not finite: never. */
typedef struct findlr__deadline {
  int64_t at; /* nanoseconds of the monotonic clock */
  double seconds;
} findlr__deadline;

findlr__deadline findlr__deadline_in(double seconds);

/* Writes all the bytes, or reads exactly so many. FINDLR_ERR_BACKEND with a sentence, last words
 * included, if the child ended, closed its side, or let the deadline pass. */
int32_t findlr__child_write(findlr__child *child, const void *bytes, size_t size,
                            findlr__deadline deadline, findlr_error *err);
int32_t findlr__child_read(findlr__child *child, void *bytes, size_t size, findlr__deadline deadline,
                           findlr_error *err);

/* The next line, without its end; valid until the next call. */
typedef struct findlr__child_line {
  const char *text; /* with a NUL behind it */
  size_t length;
  bool whole; /* false: it was longer than FINDLR__CHILD_LONGEST_LINE, and the rest is dropped */
} findlr__child_line;
enum { FINDLR__CHILD_LONGEST_LINE = 16384 };

int32_t findlr__child_read_line(findlr__child *child, findlr__deadline deadline,
                                findlr__child_line *ret_line, findlr_error *err);

/* Is a whole line there already? Then the next read_line neither waits nor reads. */
bool findlr__child_has_line(const findlr__child *child);

/* A line from the channel that is no answer: goes the way of what the child prints. */
void findlr__child_hear(findlr__child *child, const char *text, size_t length);

/* Fails with "NAME ...; its last words: ...". */
int32_t findlr__child_fail(findlr__child *child, findlr_error *err, int32_t code, const char *format,
                           ...) FINDLR__FORMAT(4, 5);

/* 0 once it has ended and been waited for. */
pid_t findlr__child_pid(const findlr__child *child);

#endif
