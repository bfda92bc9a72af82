/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_DRIVER_H
#define FINDLR_DRIVER_H

#include "context.h"
#include "range_test.h"
#include "trainer.h"

FINDLR_BEGIN

/* The loop that takes a trainer through a range test. */

/* Makes a trainer by name: spec is a spec string (spec.h) of a trainer component, threads at least 1.
 * Fills *ret_trainer, whose struct_size need not be set; give it back with findlr_trainer_destroy before
 * the context. The statuses of findlr_spec_parse and of the component's create. */
FINDLR_API int32_t findlr_trainer_create(findlr_context *context, const char *spec, uint32_t threads,
                                         uint64_t seed, findlr_trainer *ret_trainer,
                                         findlr_error *err);
/* Only for what findlr_trainer_create filled; clears it. */
FINDLR_API void findlr_trainer_destroy(findlr_trainer *trainer);

/* What a trainer can do: what its FINDLR_EXT_TRAINER says, or what holds without. */
FINDLR_API int32_t findlr_trainer_describe(const findlr_trainer *trainer, findlr_trainer_info *out,
                                           findlr_error *err);

typedef struct findlr_drive_options {
  uint32_t struct_size;
  uint32_t reserved;
  /* Called after each answer to the test, on the caller's thread; not 0: cancel. NULL. */
  int32_t (*progress)(void *ud, const findlr_range_test *test);
  /* Told once if the trainer leaves the floating-point control word changed. NULL. */
  void (*log)(void *ud, int32_t level, const char *text, size_t len);
  void *ud;
} findlr_drive_options;

FINDLR_API void findlr_drive_options_init(findlr_drive_options *options, size_t size);

/* Resets the test (if it has been used), saves the trainer's state as slot 0, drives it through the
 * whole test, and restores slot 0 on every way out: finished, diverged, cancelled, failed. Afterwards
 * the trainer is as it was, bit for bit, and the curve holds what was recorded, also on failure.
 *
 * What the trainer cannot do is said before its first step: FINDLR_ERR_ARGUMENT if it has another number of
 * parameter groups than the test, FINDLR_ERR_UNSUPPORTED if the test follows the held-out loss and it cannot
 * evaluate.
 *
 * FINDLR_OK for a test that finished, diverged or became not finite; FINDLR_ERR_CANCELLED; or the
 * status of what failed, with the trainer's sentence. The floating-point control word is looked at
 * after each step and put back if the trainer changed it. options NULL: the defaults. */
FINDLR_API int32_t findlr_drive(findlr_range_test *test, const findlr_trainer *trainer,
                                const findlr_drive_options *options, findlr_error *err);

FINDLR_END

#endif
