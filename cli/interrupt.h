/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_INTERRUPT_H
#define FINDLR_CLI_INTERRUPT_H

/* Ctrl-C and its kin (SIGINT, SIGTERM, SIGHUP). While a range test is watched the first one cancels
 * it, so that the trainer is restored and what was recorded is reported; otherwise, and the second
 * time, the program ends at once and leaves no unfinished file. */

#include "findlr/range_test.h"

void interrupt_install(void);

/* The test to cancel; NULL: none. */
void interrupt_watch(findlr_range_test *test);

/* The signal that cancelled a test; 0: none. */
int interrupt_signal(void);

#endif
