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
  void *ud;
} findlr_drive_options;

FINDLR_API void findlr_drive_options_init(findlr_drive_options *options, size_t size);

/* Resets the test, saves the trainer's state as slot 0, drives it through the whole test, and restores
 * slot 0 on every way out: finished, diverged, cancelled, failed. Afterwards the trainer is as it was,
 * bit for bit, and the curve holds what was recorded, also on failure.
 *
 * FINDLR_OK for a test that finished, diverged or became not finite; FINDLR_ERR_CANCELLED; or the
 * status of what failed (FINDLR_ERR_BACKEND with the trainer's sentence). The trainer's floating-point
 * control word is looked at after each step, put back if changed, and the change reported once through
 * the error or log of the trainer's maker. options NULL: the defaults. */
FINDLR_API int32_t findlr_drive(findlr_range_test *test, const findlr_trainer *trainer,
                                const findlr_drive_options *options, findlr_error *err);

FINDLR_END

#endif
