/* SPDX-License-Identifier: MIT */
#include "host/frames.h"

#include <string.h>

#define NO_TEXT UINT32_MAX

/* Makes room for n bytes in all. */
static bool grow(const findlr_allocator *a, unsigned char **bytes, size_t *room, size_t n) {
  if (n <= *room)
    return true;
  size_t wanted = *room ? *room : 4096;
  while (wanted < n)
    wanted *= 2;
  unsigned char *grown = a->alloc(a->ud, *bytes, *room, wanted, _Alignof(max_align_t));
  if (!grown)
    return false;
  *bytes = grown;
  *room = wanted;
  return true;
}

static void release(const findlr_allocator *a, unsigned char **bytes, size_t *room) {
  if (*bytes)
    a->alloc(a->ud, *bytes, *room, 0, _Alignof(max_align_t));
  *bytes = NULL;
  *room = 0;
}

/* --- writing --------------------------------------------------------------------------------- */

void findlr__frame_begin(findlr__frame_out *f, uint32_t kind) {
  const uint32_t head[2] = { 0, kind };
  f->size = 0;
  f->failed = false;
  findlr__frame_put(f, head, sizeof head);
}

void findlr__frame_put(findlr__frame_out *f, const void *bytes, size_t n) {
  if (f->failed || n > FINDLR__FRAME_MOST || f->size + n > FINDLR__FRAME_HEAD + FINDLR__FRAME_MOST ||
      !grow(f->allocator, &f->bytes, &f->room, f->size + n)) {
    f->failed = true;
    return;
  }
  if (n)
    memcpy(f->bytes + f->size, bytes, n);
  f->size += n;
  const uint32_t length = (uint32_t)(f->size - FINDLR__FRAME_HEAD);
  if (f->size >= FINDLR__FRAME_HEAD)
    memcpy(f->bytes, &length, sizeof length);
}

void findlr__frame_put_u32(findlr__frame_out *f, uint32_t value) {
  findlr__frame_put(f, &value, sizeof value);
}

void findlr__frame_put_u64(findlr__frame_out *f, uint64_t value) {
  findlr__frame_put(f, &value, sizeof value);
}

void findlr__frame_put_real(findlr__frame_out *f, double value) {
  findlr__frame_put(f, &value, sizeof value);
}

void findlr__frame_put_bytes(findlr__frame_out *f, const char *text, size_t n) {
  findlr__frame_put_u32(f, n < NO_TEXT ? (uint32_t)n : NO_TEXT - 1);
  findlr__frame_put(f, text, n);
  findlr__frame_put(f, "", 1);
}

void findlr__frame_put_text(findlr__frame_out *f, const char *text) {
  if (text)
    findlr__frame_put_bytes(f, text, strlen(text));
  else
    findlr__frame_put_u32(f, NO_TEXT);
}

void findlr__frame_out_free(findlr__frame_out *f) {
  release(f->allocator, &f->bytes, &f->room);
}

/* --- reading --------------------------------------------------------------------------------- */

/* The next n bytes; NULL if there are not so many. */
static const unsigned char *take(findlr__frame_in *f, size_t n) {
  if (f->failed || n > f->size - f->at) {
    f->failed = true;
    return NULL;
  }
  f->at += n;
  return f->bytes + f->at - n;
}

static void get(findlr__frame_in *f, void *value, size_t n) {
  const unsigned char *bytes = take(f, n);
  memset(value, 0, n);
  if (bytes)
    memcpy(value, bytes, n);
}

uint32_t findlr__frame_u32(findlr__frame_in *f) {
  uint32_t value;
  get(f, &value, sizeof value);
  return value;
}

uint64_t findlr__frame_u64(findlr__frame_in *f) {
  uint64_t value;
  get(f, &value, sizeof value);
  return value;
}

double findlr__frame_real(findlr__frame_in *f) {
  double value;
  get(f, &value, sizeof value);
  return value;
}

const char *findlr__frame_text(findlr__frame_in *f) {
  uint32_t n = findlr__frame_u32(f);
  if (f->failed || n == NO_TEXT)
    return NULL;
  const char *text = (const char *)take(f, (size_t)n + 1);
  if (text && (memchr(text, 0, n) || text[n] != 0)) {
    f->failed = true;
    return NULL;
  }
  return text;
}

bool findlr__frame_whole(const findlr__frame_in *f) {
  return !f->failed && f->at == f->size;
}

/* --- arriving -------------------------------------------------------------------------------- */

int32_t findlr__inbox_next(findlr__inbox *inbox, findlr__frame_in *f) {
  uint32_t head[2];
  int32_t status = inbox->read(inbox->ud, head, sizeof head);
  if (status < 0)
    return status;
  const size_t size = head[0];
  if (size > FINDLR__FRAME_MOST)
    return FINDLR_ERR_FORMAT;
  if (!grow(inbox->allocator, &inbox->bytes, &inbox->room, size ? size : 1))
    return FINDLR_ERR_NO_MEMORY;
  status = size ? inbox->read(inbox->ud, inbox->bytes, size) : FINDLR_OK;
  if (status < 0)
    return status;
  *f = (findlr__frame_in){ head[1], inbox->bytes, size, 0, false };
  return FINDLR_OK;
}

void findlr__inbox_free(findlr__inbox *inbox) {
  release(inbox->allocator, &inbox->bytes, &inbox->room);
}
