/* SPDX-License-Identifier: MIT */
#include "train/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int32_t findlr__slots_make(findlr__slots *slots, const findlr_allocator *a, const char *directory,
                           findlr_error *err) {
  memset(slots, 0, sizeof *slots);
  slots->allocator = a;
  if (!directory)
    return FINDLR_OK;
  if (access(directory, W_OK | X_OK) != 0)
    return findlr__fail(err, FINDLR_ERR_IO, "the slot directory \"%s\" cannot be written to: %s",
                        directory, strerror(errno));
  slots->directory = findlr__copy_string(a, directory);
  return slots->directory ? FINDLR_OK : findlr__no_memory(err, "the slot directory's name");
}

void findlr__slots_free(findlr__slots *slots) {
  for (int i = 0; i < FINDLR__SLOTS; i++) {
    findlr__release(slots->allocator, slots->slots[i].bytes, slots->slots[i].capacity);
    if (slots->slots[i].file)
      close(slots->slots[i].file - 1);
  }
  findlr__release_string(slots->allocator, slots->directory);
  memset(slots, 0, sizeof *slots);
}

/* --- in memory ------------------------------------------------------------------------------- */

typedef struct memory {
  const findlr_allocator *allocator;
  findlr__slot *slot;
  size_t at;
} memory;

static int32_t put_memory(void *ud, const void *bytes, size_t size, findlr_error *err) {
  memory *m = ud;
  findlr__slot *slot = m->slot;
  if (size > slot->capacity - slot->size) {
    /* Room for the tensors is there already: this is opaque state that has grown. */
    size_t wanted = slot->size + size;
    if (wanted < slot->size)
      return findlr__no_memory(err, "a snapshot");
    unsigned char *grown = findlr__reallocate(m->allocator, slot->bytes, slot->capacity, wanted);
    if (!grown)
      return findlr__no_memory(err, "a snapshot");
    slot->bytes = grown;
    slot->capacity = wanted;
  }
  memcpy(slot->bytes + slot->size, bytes, size);
  slot->size += size;
  return FINDLR_OK;
}

static int32_t get_memory(void *ud, void *bytes, size_t size, findlr_error *err) {
  memory *m = ud;
  if (size > m->slot->size - m->at)
    return findlr__fail(err, FINDLR_ERR_STATE, "the snapshot is shorter than the state");
  memcpy(bytes, m->slot->bytes + m->at, size);
  m->at += size;
  return FINDLR_OK;
}

/* Room for all tensors at once, so that a large state is not copied while it grows. */
static int32_t reserve(const findlr_allocator *a, findlr__slot *slot, const findlr__state *state,
                       findlr_error *err) {
  size_t size = findlr__state_tensor_bytes(state);
  if (size <= slot->capacity)
    return FINDLR_OK;
  findlr__release(a, slot->bytes, slot->capacity);
  slot->capacity = 0;
  slot->bytes = a->alloc(a->ud, NULL, 0, size, _Alignof(max_align_t));
  if (!slot->bytes)
    return findlr__no_memory(err, "a snapshot");
  slot->capacity = size;
  return FINDLR_OK;
}

/* --- in a file ------------------------------------------------------------------------------- */

typedef struct stream {
  const findlr__slots *slots;
  int file;
  off_t at;
} stream;

static int32_t file_failed(const findlr__slots *slots, const char *what, findlr_error *err) {
  return findlr__fail(err, FINDLR_ERR_IO, "a slot in \"%s\" could not be %s: %s", slots->directory,
                      what, strerror(errno));
}

/* The file has no name, so that nothing stays behind, however the process ends. */
static int32_t open_file(findlr__slots *slots, findlr__slot *slot, findlr_error *err) {
  static const char name[] = "/findlr-slot-XXXXXX";
  size_t size = strlen(slots->directory) + sizeof name;
  char *path = findlr__allocate(slots->allocator, size);
  if (!path)
    return findlr__no_memory(err, "a slot file's name");
  findlr__format(path, size, "%s%s", slots->directory, name);
  int file = mkstemp(path);
  int32_t status = FINDLR_OK;
  if (file < 0) {
    status = file_failed(slots, "made", err);
  } else {
    unlink(path);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    slot->file = file + 1;
  }
  findlr__release(slots->allocator, path, size);
  return status;
}

static int32_t put_file(void *ud, const void *bytes, size_t size, findlr_error *err) {
  stream *s = ud;
  const char *at = bytes;
  while (size) {
    ssize_t n = pwrite(s->file, at, size, s->at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return file_failed(s->slots, "written", err);
    at += n;
    s->at += n;
    size -= (size_t)n;
  }
  return FINDLR_OK;
}

static int32_t get_file(void *ud, void *bytes, size_t size, findlr_error *err) {
  stream *s = ud;
  char *at = bytes;
  while (size) {
    ssize_t n = pread(s->file, at, size, s->at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return file_failed(s->slots, "read", err);
    if (n == 0)
      return findlr__fail(err, FINDLR_ERR_STATE, "the snapshot is shorter than the state");
    at += n;
    s->at += n;
    size -= (size_t)n;
  }
  return FINDLR_OK;
}

/* --- both ------------------------------------------------------------------------------------ */

static int32_t find(findlr__slots *slots, uint32_t slot, findlr__slot **ret_slot,
                    findlr_error *err) {
  if (slot >= FINDLR__SLOTS)
    return findlr__fail(err, FINDLR_ERR_LIMIT, "there is no slot %u, the last is %d", slot,
                        FINDLR__SLOTS - 1);
  *ret_slot = &slots->slots[slot];
  return FINDLR_OK;
}

int32_t findlr__slots_save(findlr__slots *slots, uint32_t number, const findlr__state *state,
                           findlr_error *err) {
  findlr__slot *slot = NULL;
  int32_t status = find(slots, number, &slot, err);
  if (status)
    return status;
  slot->saved = false;
  if (slots->directory) {
    if (!slot->file && (status = open_file(slots, slot, err)) != FINDLR_OK)
      return status;
    stream s = { slots, slot->file - 1, 0 };
    status = findlr__state_write(state, put_file, &s, err);
  } else {
    memory m = { slots->allocator, slot, 0 };
    slot->size = 0;
    status = reserve(slots->allocator, slot, state, err);
    if (!status)
      status = findlr__state_write(state, put_memory, &m, err);
  }
  slot->saved = status == FINDLR_OK;
  return status;
}

int32_t findlr__slots_restore(findlr__slots *slots, uint32_t number, const findlr__state *state,
                              findlr_error *err) {
  findlr__slot *slot = NULL;
  int32_t status = find(slots, number, &slot, err);
  if (status)
    return status;
  if (!slot->saved)
    return findlr__fail(err, FINDLR_ERR_STATE, "nothing has been saved in slot %u", number);
  if (slots->directory) {
    stream s = { slots, slot->file - 1, 0 };
    return findlr__state_read(state, get_file, &s, err);
  }
  memory m = { slots->allocator, slot, 0 };
  return findlr__state_read(state, get_memory, &m, err);
}
