/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_SLOTS_H
#define FINDLR_TRAIN_SLOTS_H

#include "train/state.h"

enum { FINDLR__SLOTS = 64 };

/* Snapshots by number, in memory or in unnamed files of a directory. What a slot once took it keeps and
 * uses again. */
typedef struct findlr__slot {
  bool saved;
  unsigned char *bytes; /* memory */
  size_t capacity, size;
  int file; /* the file's descriptor + 1; 0: none */
} findlr__slot;

typedef struct findlr__slots {
  const findlr_allocator *allocator;
  char *directory; /* NULL: memory */
  findlr__slot slots[FINDLR__SLOTS];
} findlr__slots;

int32_t findlr__slots_make(findlr__slots *slots, const findlr_allocator *a, const char *directory,
                           findlr_error *err);
void findlr__slots_free(findlr__slots *slots);

/* A save that fails leaves the slot without a snapshot. */
int32_t findlr__slots_save(findlr__slots *slots, uint32_t slot, const findlr__state *state,
                           findlr_error *err);
int32_t findlr__slots_restore(findlr__slots *slots, uint32_t slot, const findlr__state *state,
                              findlr_error *err);

#endif
