/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_CONTROL_WORD_H
#define FINDLR_TRAIN_CONTROL_WORD_H

#include <stdbool.h>
#include <stdint.h>

/* How this thread's floating-point unit rounds and treats subnormals: MXCSR and the x87 control word, or
 * FPCR on arm64 (elsewhere nothing). Reading it costs a few nanoseconds, so it can be looked at once a
 * step; exception flags are not part of it. */
typedef struct findlr__control_word {
  uint64_t main;
  uint16_t x87;
} findlr__control_word;

findlr__control_word findlr__control_word_read(void);

/* Puts it back if it differs; true if it did. */
bool findlr__control_word_restore(findlr__control_word before);

#endif
