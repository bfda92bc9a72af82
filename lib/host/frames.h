/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_FRAMES_H
#define FINDLR_HOST_FRAMES_H

/* Frames: how the library and its worker program talk over a stream socket. Both sides compile
 * frames.c and messages.c, so these need the C library and public headers only.
 *
 * A frame is a head (length of the payload and kind, 32 bits each) and a payload. Both ends run on one
 * machine, so numbers travel as their bytes: a double arrives as it was, bit for bit. Whatever arrives
 * is taken for damaged until it has been checked. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "findlr/allocator.h"
#include "findlr/error.h"

enum { FINDLR__FRAME_HEAD = 8, FINDLR__FRAME_MOST = 16 << 20 }; /* bytes; of a payload */

/* --- writing --------------------------------------------------------------------------------- */

/* A frame being written. The buffer is kept for the next one. */
typedef struct findlr__frame_out {
  const findlr_allocator *allocator;
  unsigned char *bytes;
  size_t size, room;
  bool failed; /* there was no memory for all of it, or it became too long */
} findlr__frame_out;

void findlr__frame_begin(findlr__frame_out *f, uint32_t kind);
void findlr__frame_put(findlr__frame_out *f, const void *bytes, size_t n);
void findlr__frame_put_u32(findlr__frame_out *f, uint32_t value);
void findlr__frame_put_u64(findlr__frame_out *f, uint64_t value);
void findlr__frame_put_real(findlr__frame_out *f, double value);
/* A length, the bytes and a NUL. NULL is kept apart from "". */
void findlr__frame_put_text(findlr__frame_out *f, const char *text);
void findlr__frame_put_bytes(findlr__frame_out *f, const char *text, size_t n);
void findlr__frame_out_free(findlr__frame_out *f);

/* --- reading --------------------------------------------------------------------------------- */

/* A frame that arrived. What is read from it points into the inbox. */
typedef struct findlr__frame_in {
  uint32_t kind;
  const unsigned char *bytes;
  size_t size, at;
  bool failed; /* something was read that is not there */
} findlr__frame_in;

uint32_t findlr__frame_u32(findlr__frame_in *f); /* 0 after a failure, as the next two */
uint64_t findlr__frame_u64(findlr__frame_in *f);
double findlr__frame_real(findlr__frame_in *f);
const char *findlr__frame_text(findlr__frame_in *f); /* NULL for NULL, and after a failure */
/* Was everything there, and nothing else? */
bool findlr__frame_whole(const findlr__frame_in *f);

/* Where frames arrive. read fetches exactly size bytes, or returns a status below 0. */
typedef struct findlr__inbox {
  const findlr_allocator *allocator;
  int32_t (*read)(void *ud, void *bytes, size_t size);
  void *ud;
  unsigned char *bytes;
  size_t room;
} findlr__inbox;

/* *f is valid until the next call. FINDLR_ERR_FORMAT for a length that no frame has,
 * FINDLR_ERR_NO_MEMORY, or what read returned. */
int32_t findlr__inbox_next(findlr__inbox *inbox, findlr__frame_in *f);
void findlr__inbox_free(findlr__inbox *inbox);

#endif
