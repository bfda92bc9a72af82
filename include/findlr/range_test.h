/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_RANGE_TEST_H
#define FINDLR_RANGE_TEST_H

#include "curve.h"
#include "schedule.h"
#include "stop.h"
#include "suggestion.h"

FINDLR_BEGIN

/* The learning-rate range test as a state machine that never owns the loop: ask it for the next rate,
 * train one step, tell it the loss.
 *
 *   while (findlr_range_test_next(test, &lr, &err) == FINDLR_OK)
 *     findlr_range_test_tell(test, my_training_step(lr), &err);
 *   findlr_range_test_suggest(test, NULL, &suggestion, &err);
 *
 * Pure and deterministic: no clock, no file, no thread, no model. One thread at a time, except
 * findlr_range_test_cancel. Nothing allocates after create. */
typedef struct findlr_range_test findlr_range_test;

enum { FINDLR_FOLLOW_TRAIN = 0, FINDLR_FOLLOW_VALIDATION = 1 };

typedef struct findlr_range_test_options {
  uint32_t struct_size;
  uint32_t mode;             /* FINDLR_RAMP_EXPONENTIAL */
  double start_lr;           /* 1e-7 */
  double end_lr;             /* 10; start < end */
  int64_t num_iter;          /* 100; steps that count, 2..10,000,000 */
  uint32_t groups;           /* 1; parameter groups, 1..1024 */
  uint32_t follow;           /* FINDLR_FOLLOW_TRAIN; VALIDATION asks to EVALUATE after each step */
  const double *group_start; /* groups entries each, instead of start_lr and end_lr; NULL. Copied. */
  const double *group_end;
  const findlr_stop *stop; /* NULL: the default of findlr_stop_init. Copied. */
  uint32_t slots;          /* 0: never asks to SAVE or RESTORE. 1 or more: asks to SAVE slot 0 first
                              and to RESTORE it last, on every way out once it was saved */
  uint32_t max_skips;      /* 16; 1..1,000,000. So many skips in a row end the test with
                              FINDLR_REASON_FAILED; so do num_iter + max_skips in all */
} findlr_range_test_options;

FINDLR_API void findlr_range_test_options_init(findlr_range_test_options *options, size_t size);

/* allocator NULL: malloc; it must outlive the test. options NULL: the defaults.
 * FINDLR_ERR_ARGUMENT for a value out of range, FINDLR_ERR_NO_MEMORY. */
FINDLR_API int32_t findlr_range_test_create(const findlr_allocator *allocator,
                                            const findlr_range_test_options *options,
                                            findlr_range_test **ret_test, findlr_error *err);
FINDLR_API void findlr_range_test_destroy(findlr_range_test *test);

/* What the test wants next. */
enum {
  FINDLR_ACTION_STEP = 1,     /* train one step at rates; tell its loss, or skip */
  FINDLR_ACTION_EVALUATE = 2, /* tell the held-out loss */
  FINDLR_ACTION_SAVE = 3,     /* keep the state as slot; tell anything */
  FINDLR_ACTION_RESTORE = 4   /* bring slot back; tell anything */
};

typedef struct findlr_request {
  uint32_t struct_size;
  uint32_t action; /* FINDLR_ACTION_... */
  uint32_t slot;   /* SAVE, RESTORE */
  uint32_t groups;
  int64_t step;        /* STEP, EVALUATE: place in the ramp, from 0 */
  const double *rates; /* STEP: groups entries, valid until the next tell or skip */
  double momentum;     /* NaN: leave it */
} findlr_request;

FINDLR_API void findlr_request_init(findlr_request *request, size_t size);

/* Fills *request. FINDLR_OK, or FINDLR_DONE when the test is over (request untouched). Asking twice
 * gives the same request. */
FINDLR_API int32_t findlr_range_test_ask(findlr_range_test *test, findlr_request *request,
                                         findlr_error *err);

/* The short form for one group: the next rate. FINDLR_ERR_STATE where ask would want something else
 * than a step. */
FINDLR_API int32_t findlr_range_test_next(findlr_range_test *test, double *ret_lr,
                                          findlr_error *err);

/* Answers the request. The loss may be anything, NaN and infinite too. FINDLR_ERR_STATE, changing
 * nothing, if nothing was asked since the last answer. FINDLR_OK even when this loss ends the test:
 * the next ask then says FINDLR_DONE (or asks for the last RESTORE). */
FINDLR_API int32_t findlr_range_test_tell(findlr_range_test *test, double loss, findlr_error *err);

/* Answers a STEP that did not count (a mixed-precision overflow): recorded with
 * FINDLR_POINT_SKIPPED, and the ramp stays where it is. */
FINDLR_API int32_t findlr_range_test_skip(findlr_range_test *test, findlr_error *err);

/* Ends the test at the next ask, reason cancelled. Safe from any thread and from a signal handler. */
FINDLR_API void findlr_range_test_cancel(findlr_range_test *test);

/* Ends the test now, reason failed: the driver could not do what was asked. A pending request is
 * void; slot 0 is still asked back if it was saved and this was not the restoring itself. */
FINDLR_API void findlr_range_test_fail(findlr_range_test *test);

/* Back to the beginning: curve empty, reason running, not cancelled. */
FINDLR_API void findlr_range_test_reset(findlr_range_test *test);

/* Why a test ended. X(name, value, word in JSON) */
#define FINDLR_REASON_LIST(X)                                                                      \
  X(FINDLR_REASON_RUNNING, 0, "running")                                                           \
  X(FINDLR_REASON_FINISHED, 1, "finished")                                                         \
  X(FINDLR_REASON_DIVERGED, 2, "diverged")                                                         \
  X(FINDLR_REASON_NOT_FINITE, 3, "not_finite")                                                     \
  X(FINDLR_REASON_CANCELLED, 4, "cancelled")                                                       \
  X(FINDLR_REASON_FAILED, 5, "failed")

enum {
#define FINDLR_REASON_CONSTANT(name, value, word) name = value,
  FINDLR_REASON_LIST(FINDLR_REASON_CONSTANT)
#undef FINDLR_REASON_CONSTANT
  FINDLR_REASON_AFTER_LAST = 6
};

FINDLR_API int32_t findlr_range_test_reason(const findlr_range_test *test);
/* The word for a reason; "unknown" for others. Static. [any thread] */
FINDLR_API const char *findlr_reason_name(int32_t reason);

/* Steps that counted so far, and the number asked for. When the test is over the first is also the
 * step at which it stopped. */
FINDLR_API int64_t findlr_range_test_steps(const findlr_range_test *test);
FINDLR_API int64_t findlr_range_test_num_iter(const findlr_range_test *test);

/* FINDLR_FOLLOW_...: which loss the test records. */
FINDLR_API uint32_t findlr_range_test_follow(const findlr_range_test *test);

/* The rate of step i of a group, without running: the ramp read ahead. NaN outside. */
FINDLR_API double findlr_range_test_rate(const findlr_range_test *test, uint32_t group, int64_t i);

/* What was recorded, at any time; belongs to the test. */
FINDLR_API const findlr_curve *findlr_range_test_curve(const findlr_range_test *test);

/* findlr_suggest on that curve. options NULL: the defaults. */
FINDLR_API int32_t findlr_range_test_suggest(const findlr_range_test *test,
                                             const findlr_suggestion_options *options,
                                             findlr_suggestion *ret_suggestion, findlr_error *err);

FINDLR_END

#endif
