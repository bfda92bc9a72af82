/* SPDX-License-Identifier: MIT */
#include "train/state.h"

#include <string.h>

#include "core/hash.h"

void findlr__state_make(findlr__state *state, const findlr_allocator *a) {
  memset(state, 0, sizeof *state);
  state->allocator = a;
}

/* Allocated strings; the struct's member is const for those who look at the list. */
static void release_name(const findlr_allocator *a, const char *name) {
  char *owned;
  memcpy(&owned, &name, sizeof owned);
  findlr__release_string(a, owned);
}

void findlr__state_free(findlr__state *state) {
  for (uint32_t i = 0; i < state->count; i++)
    release_name(state->allocator, state->entries[i].name);
  findlr__release(state->allocator, state->entries, state->capacity * sizeof *state->entries);
  memset(state, 0, sizeof *state);
}

int32_t findlr__state_add(findlr__state *state, const char *owner, const char *name,
                          const findlr_tensor *tensor, findlr_error *err) {
  if (!name || !*name)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "the %s lists a tensor without a name", owner);
  if (!findlr__tensor_is_compact(tensor))
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID,
                        "%s lists \"%s\", which is not compact memory of the CPU", owner, name);
  size_t size = strlen(owner) + strlen(name) + 2;
  char *full = findlr__allocate(state->allocator, size);
  if (!full)
    return findlr__no_memory(err, "the state list");
  findlr__format(full, size, "%s.%s", owner, name);
  int32_t status = FINDLR_OK;
  for (uint32_t i = 0; i < state->count && !status; i++)
    if (!strcmp(state->entries[i].name, full))
      status = findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "\"%s\" is listed twice as state", full);
  if (!status && state->count == state->capacity) {
    uint32_t capacity = state->capacity ? state->capacity * 2 : 16;
    void *grown = findlr__reallocate(state->allocator, state->entries,
                                     state->capacity * sizeof *state->entries,
                                     capacity * sizeof *state->entries);
    if (!grown) {
      status = findlr__no_memory(err, "the state list");
    } else {
      state->entries = grown;
      state->capacity = capacity;
    }
  }
  if (status) {
    findlr__release_string(state->allocator, full);
    return status;
  }
  state->entries[state->count++] =
      (findlr_named_tensor){ sizeof(findlr_named_tensor), 0, full, *tensor };
  return FINDLR_OK;
}

void findlr__state_add_opaque(findlr__state *state, const char *owner,
                              const findlr_opaque_state *functions, void *self) {
  uint32_t i = state->opaque_count++;
  state->opaque[i].owner = owner;
  state->opaque[i].functions = functions;
  state->opaque[i].self = self;
}

size_t findlr__state_tensor_bytes(const findlr__state *state) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < state->count; i++)
    bytes += findlr__tensor_bytes(&state->entries[i].tensor);
  return bytes;
}

static int32_t opaque_failed(const findlr__state *state, uint32_t i, const char *what,
                             findlr_error *err) {
  return findlr__fail(err, FINDLR_ERR_BACKEND, "the %s could not %s its own state",
                      state->opaque[i].owner, what);
}

/* Opaque state i as its size and its bytes. */
static int32_t write_opaque(const findlr__state *state, uint32_t i, findlr__put *put, void *ud,
                            findlr_error *err) {
  const findlr_opaque_state *functions = state->opaque[i].functions;
  void *self = state->opaque[i].self;
  size_t size = 0, written = 0;
  if (functions->save(self, NULL, 0, &size) < 0)
    return opaque_failed(state, i, "tell the size of", err);
  void *blob = size ? findlr__allocate(state->allocator, size) : NULL;
  if (size && !blob)
    return findlr__no_memory(err, "a copy of the opaque state");
  int32_t status = FINDLR_OK;
  if (size && (functions->save(self, blob, size, &written) < 0 || written > size))
    status = opaque_failed(state, i, "save", err);
  uint64_t stored = written;
  if (!status)
    status = put(ud, &stored, sizeof stored, err);
  if (!status && written)
    status = put(ud, blob, written, err);
  findlr__release(state->allocator, blob, size);
  return status;
}

static int32_t read_opaque(const findlr__state *state, uint32_t i, findlr__get *get, void *ud,
                           findlr_error *err) {
  uint64_t stored;
  int32_t status = get(ud, &stored, sizeof stored, err);
  if (status)
    return status;
  size_t size = (size_t)stored;
  void *blob = size ? findlr__allocate(state->allocator, size) : NULL;
  if (size && !blob)
    return findlr__no_memory(err, "a copy of the opaque state");
  if (size)
    status = get(ud, blob, size, err);
  if (!status && state->opaque[i].functions->restore(state->opaque[i].self, blob, size) < 0)
    status = opaque_failed(state, i, "restore", err);
  findlr__release(state->allocator, blob, size);
  return status;
}

/* The one loop that snapshot and fingerprint share; the fingerprint also describes each tensor. */
static int32_t visit(const findlr__state *state, bool described, findlr__put *put, void *ud,
                     findlr_error *err) {
  int32_t status = FINDLR_OK;
  for (uint32_t i = 0; i < state->count && !status; i++) {
    const findlr_named_tensor *entry = &state->entries[i];
    const findlr_tensor *t = &entry->tensor;
    if (described) {
      uint32_t dtype = findlr_tensor_dtype(t);
      status = put(ud, entry->name, strlen(entry->name) + 1, err);
      if (!status)
        status = put(ud, &dtype, sizeof dtype, err);
      if (!status && t->ndim)
        status = put(ud, t->shape, (size_t)t->ndim * sizeof *t->shape, err);
    }
    size_t size = findlr__tensor_bytes(t);
    if (!status && size)
      status = put(ud, findlr__tensor_data(t), size, err);
  }
  for (uint32_t i = 0; i < state->opaque_count && !status; i++)
    status = write_opaque(state, i, put, ud, err);
  return status;
}

int32_t findlr__state_write(const findlr__state *state, findlr__put *put, void *ud,
                            findlr_error *err) {
  return visit(state, false, put, ud, err);
}

int32_t findlr__state_read(const findlr__state *state, findlr__get *get, void *ud,
                           findlr_error *err) {
  int32_t status = FINDLR_OK;
  for (uint32_t i = 0; i < state->count && !status; i++) {
    size_t size = findlr__tensor_bytes(&state->entries[i].tensor);
    if (size)
      status = get(ud, findlr__tensor_data(&state->entries[i].tensor), size, err);
  }
  for (uint32_t i = 0; i < state->opaque_count && !status; i++)
    status = read_opaque(state, i, get, ud, err);
  return status;
}

static int32_t put_hash(void *ud, const void *bytes, size_t size, findlr_error *err) {
  (void)err;
  findlr__hash_add(ud, bytes, size);
  return FINDLR_OK;
}

int32_t findlr__state_fingerprint(const findlr__state *state, uint64_t *ret_hash,
                                  findlr_error *err) {
  findlr__hash hash;
  findlr__hash_begin(&hash, 0);
  int32_t status = visit(state, true, put_hash, &hash, err);
  if (!status)
    *ret_hash = findlr__hash_end(&hash);
  return status;
}
