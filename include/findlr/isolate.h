/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_ISOLATE_H
#define FINDLR_ISOLATE_H

#include "session.h"

FINDLR_BEGIN

/* Isolation: a session that runs in a program of its own, findlr-worker, so that a backend which
 * crashes, hangs, calls exit() or damages its heap costs an error with its last words and never this
 * process. Results are bit for bit those of a session in this process; a step costs some microseconds
 * more. docs/isolation.md says what each way of running survives.
 *
 *   findlr_isolated_create(context, &session_options, NULL, &isolated, &err);
 *   findlr_drive(test, findlr_isolated_trainer(isolated), NULL, &err);
 *   findlr_isolated_destroy(isolated);
 *
 * The worker is a fresh program (never a bare fork) in a process group of its own, so Ctrl-C in a
 * terminal reaches only this process. It ends with this process, however that ends (Linux; elsewhere at
 * its next request). Signal handlers, signal masks and other children of this process are left alone,
 * but a program that ignores SIGCHLD, or that reaps every child with waitpid(-1), is not told how a
 * worker ended. One thread at a time; different isolated sessions may run in parallel. */
typedef struct findlr_isolated findlr_isolated;

typedef struct findlr_isolate_options {
  uint32_t struct_size;
  uint32_t plugin_count; /* of plugins; 0 */
  double step_limit;     /* seconds that a call of the trainer may take; 0: any number */
  double start_limit;    /* seconds from the start of the worker to the finished session; 0: any */
  uint64_t memory_limit; /* bytes of address space that the worker may have; 0: any number */
  const char *worker;    /* the worker program; NULL: FINDLR_WORKER of the environment (ignored in a
                            setuid program), else the one that was installed with the library */
  const char *const *plugins; /* files that the worker loads after those that the context has loaded;
                                 they are not loaded here */
} findlr_isolate_options;

FINDLR_API void findlr_isolate_options_init(findlr_isolate_options *options, size_t size);

/* Starts a worker, and in it a session as findlr_session_create would make: with the plugins that
 * the context has loaded from files, and its plugin path. What can be had by name only there is loaded
 * only there. session NULL, options NULL: the defaults. The statuses and sentences of
 * findlr_session_create, and
 *   FINDLR_ERR_UNSUPPORTED  data_object, or a component that only this program has: a worker cannot
 *                           load it; a worker of another release
 *   FINDLR_ERR_NOT_FOUND    no worker program
 *   FINDLR_ERR_IO           it cannot be started
 *   FINDLR_ERR_BACKEND      it crashed, ended, or took longer than start_limit
 *   FINDLR_ERR_FORMAT       what it says makes no sense */
FINDLR_API int32_t findlr_isolated_create(findlr_context *context,
                                          const findlr_session_options *session,
                                          const findlr_isolate_options *options,
                                          findlr_isolated **ret_isolated, findlr_error *err);

/* Lets the worker give back what it has, within a second (or the step limit), and ends it. What goes
 * wrong in that is a warning for the context's log. NULL is allowed. */
FINDLR_API void findlr_isolated_destroy(findlr_isolated *isolated);

/* The session as a trainer. Valid as long as the isolated session. When the worker crashes, ends, or
 * takes longer than step_limit, the call that notices is FINDLR_ERR_BACKEND with a sentence that ends
 * in the worker's last words; so is every call after it. */
FINDLR_API const findlr_trainer *findlr_isolated_trainer(findlr_isolated *isolated);

/* As findlr_session_describe, _fit_options, _group_pattern and _group_factor, without asking the
 * worker. Strings live as long as the isolated session. */
FINDLR_API int32_t findlr_isolated_describe(const findlr_isolated *isolated, findlr_session_info *out,
                                            findlr_error *err);
FINDLR_API int32_t findlr_isolated_fit_options(findlr_isolated *isolated,
                                               findlr_range_test_options *options,
                                               findlr_error *err);
FINDLR_API const char *findlr_isolated_group_pattern(const findlr_isolated *isolated,
                                                     uint32_t group);
FINDLR_API double findlr_isolated_group_factor(const findlr_isolated *isolated, uint32_t group);

FINDLR_END

#endif
