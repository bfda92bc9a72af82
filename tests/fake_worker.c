/* SPDX-License-Identifier: MIT */
/* A program that is no worker, for test_isolate.c. FAKE_WORKER says what it does instead; one that
 * begins with a digit is a seed by which good answers are damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/messages.h"

enum { CHANNEL = 3 };

static void *take(void *ud, void *ptr, size_t old_size, size_t new_size, size_t align) {
  (void)ud, (void)old_size, (void)align;
  if (new_size)
    return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

static const findlr_allocator memory = { sizeof memory, 0, NULL, take };
static findlr__frame_out frame = { .allocator = &memory };

static int32_t fetch(void *ud, void *bytes, size_t size) {
  (void)ud;
  for (char *to = bytes; size > 0;) {
    ssize_t n = read(CHANNEL, to, size);
    if (n <= 0)
      exit(0);
    to += n;
    size -= (size_t)n;
  }
  return FINDLR_OK;
}

static void transmit(void) {
  if (write(CHANNEL, frame.bytes, frame.size) != (ssize_t)frame.size)
    exit(0);
}

/* A good answer to a request. */
static void answer(uint32_t kind) {
  const findlr_session_info info = { .struct_size = sizeof info, .group_count = 2, .rows = 3,
                                     .data = "d", .model = "m", .optimizer = "", .loss = "",
                                     .about_data = "", .about_model = "" };
  findlr__frame_begin(&frame, FINDLR__SAYS_ANSWER);
  findlr__frame_put_u32(&frame, 0);
  switch (kind) {
  case FINDLR__ASK_CREATE:
    findlr__info_put(&frame, &info);
    findlr__info_put_group(&frame, "*", 1);
    findlr__info_put_group(&frame, "a*", 0.5);
    break;
  case FINDLR__ASK_STEP:
  case FINDLR__ASK_EVALUATE:
  case FINDLR__ASK_FINGERPRINT:
    findlr__frame_put_real(&frame, 0.25);
    break;
  default:
    break;
  }
}

static unsigned next(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* Damages, or leaves alone, a frame. */
static void damage(unsigned *state) {
  size_t at = next(state) % frame.size;
  switch (next(state) % 6) {
  case 0:
    frame.bytes[at] ^= (unsigned char)(1u << next(state) % 8);
    break;
  case 1:
    frame.bytes[at] = (unsigned char)next(state);
    break;
  case 2:
    frame.size = at;
    break;
  case 3:
    frame.bytes[next(state) % 4] = (unsigned char)next(state);
    break;
  case 4:
    findlr__frame_put_u32(&frame, next(state));
    break;
  default:
    break;
  }
}

int main(void) {
  const char *what = getenv("FAKE_WORKER");
  findlr__inbox inbox = { .allocator = &memory, .read = fetch };
  findlr__frame_in request;
  unsigned state = (unsigned)strtoul(what ? what : "", NULL, 10) * 2654435761u;
  if (!what || strcmp(what, "ends") == 0)
    return 3;
  for (;;) {
    findlr__inbox_next(&inbox, &request);
    answer(request.kind);
    if (strcmp(what, "echoes") == 0) {
      findlr__frame_begin(&frame, request.kind);
      findlr__frame_put(&frame, request.bytes, request.size);
    } else if (strcmp(what, "is silent") == 0) {
      pause();
    } else if (strcmp(what, "chatters") == 0) {
      findlr__frame_begin(&frame, FINDLR__SAYS_LOG);
      findlr__frame_put_u32(&frame, 1);
      findlr__frame_put_text(&frame, "still\nhere\xff");
      for (;;)
        transmit();
    } else if (strcmp(what, "boasts") == 0) {
      memset(frame.bytes, 0xff, 4);
    } else if (strcmp(what, "stops") == 0) {
      frame.size = 10;
      transmit();
      return 4;
    } else if (strcmp(what, "is old") == 0) {
      findlr__frame_begin(&frame, FINDLR__SAYS_ANSWER);
      findlr__frame_put_u32(&frame, (uint32_t)FINDLR_ERR_UNSUPPORTED);
      findlr__frame_put_text(&frame, "the worker is of findlr 0.0.9");
    } else if (*what >= '0' && *what <= '9') {
      damage(&state);
    }
    transmit();
    uint32_t length;
    memcpy(&length, frame.bytes, sizeof length);
    if (request.kind == FINDLR__ASK_QUIT || length + (size_t)FINDLR__FRAME_HEAD != frame.size)
      return 0; /* nobody should wait for what does not come */
  }
}
