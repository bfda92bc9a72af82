/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_STATE_H
#define FINDLR_TRAIN_STATE_H

#include "findlr/component.h"
#include "train/tensor.h"

/* All state of a session is this list. Snapshot, restore and fingerprint are one loop over it, so what
 * is listed is kept and what is not listed does not exist. */
typedef struct findlr__state {
  const findlr_allocator *allocator;
  findlr_named_tensor *entries;
  uint32_t count, capacity;
  /* What no tensor can hold. */
  struct {
    const char *owner; /* static: "model", "optimizer" */
    const findlr_opaque_state *functions;
    void *self;
  } opaque[2];
  uint32_t opaque_count;
} findlr__state;

void findlr__state_make(findlr__state *state, const findlr_allocator *a);
void findlr__state_free(findlr__state *state);

/* Lists a tensor as "owner.name". FINDLR_ERR_PLUGIN_INVALID for one that is not compact CPU memory, or
 * without a name, or with a name twice. tensor->shape must live as long as the state. */
int32_t findlr__state_add(findlr__state *state, const char *owner, const char *name,
                          const findlr_tensor *tensor, findlr_error *err);
void findlr__state_add_opaque(findlr__state *state, const char *owner,
                              const findlr_opaque_state *functions, void *self);

/* Bytes of all listed tensors. */
size_t findlr__state_tensor_bytes(const findlr__state *state);

/* A snapshot as one run of bytes, which goes to put piece by piece, or comes from get. Both return a
 * status and fill err. */
typedef int32_t findlr__put(void *ud, const void *bytes, size_t size, findlr_error *err);
typedef int32_t findlr__get(void *ud, void *bytes, size_t size, findlr_error *err);
int32_t findlr__state_write(const findlr__state *state, findlr__put *put, void *ud,
                            findlr_error *err);
int32_t findlr__state_read(const findlr__state *state, findlr__get *get, void *ud,
                           findlr_error *err);

/* XXH64 over names, dtypes, shapes and the snapshot. */
int32_t findlr__state_fingerprint(const findlr__state *state, uint64_t *ret_hash,
                                  findlr_error *err);

#endif
