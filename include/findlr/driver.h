/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_DRIVER_H
#define FINDLR_DRIVER_H

#include "range_test.h"
#include "trainer.h"

FINDLR_BEGIN

/* The loop that takes a trainer through a range test. */

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
 * FINDLR_OK for a test that finished, diverged or became not finite; FINDLR_ERR_CANCELLED; or the
 * status of what failed, with the trainer's sentence. The floating-point control word is looked at
 * after each step and put back if the trainer changed it. options NULL: the defaults. */
FINDLR_API int32_t findlr_drive(findlr_range_test *test, const findlr_trainer *trainer,
                                const findlr_drive_options *options, findlr_error *err);

FINDLR_END

#endif
