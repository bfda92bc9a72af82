/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_MESSAGES_H
#define FINDLR_HOST_MESSAGES_H

/* What the library and its worker say to each other in frames. The library asks and the worker
 * answers each request with one FINDLR__SAYS_ANSWER, before which any number of FINDLR__SAYS_LOG may
 * come. The answer begins with a status and, for one below 0, the sentence; that much is the same in
 * every version, so that a worker of another release can say so. */

#include "findlr/session.h"
#include "host/frames.h"

enum { FINDLR__PROTOCOL = 1, FINDLR__MOST_GROUPS = 65 }; /* 64 patterns, and the rest */

enum {
  FINDLR__ASK_CREATE = 1,  /* a description; answered with an info */
  FINDLR__ASK_STEP,        /* rates; a loss */
  FINDLR__ASK_EVALUATE,    /* a loss */
  FINDLR__ASK_SAVE,        /* a slot */
  FINDLR__ASK_RESTORE,     /* a slot */
  FINDLR__ASK_FINGERPRINT, /* a hash */
  FINDLR__ASK_QUIT,        /* answered when everything has been given back */
  FINDLR__SAYS_ANSWER = 100,
  FINDLR__SAYS_LOG /* level, text */
};

/* Everything that a worker needs to make the session. Strings point into the frame. */
typedef struct findlr__description {
  int64_t parent; /* the process to end with */
  uint64_t memory_limit;
  uint32_t context_flags;
  int32_t log_level;
  const char *plugin_path; /* NULL: none */
  findlr_session_options options;
  const char *patterns[FINDLR__MOST_GROUPS];
  double factors[FINDLR__MOST_GROUPS];
  uint32_t plugin_count; /* file names follow, each read with findlr__frame_text */
} findlr__description;

/* Writes everything but the file names. options->group_count is at most 64. */
void findlr__description_put(findlr__frame_out *f, const findlr__description *d);
/* False if it is damaged, or of another version; *ret_version is then the sender's release, NULL if
 * it is no description at all. */
bool findlr__description_get(findlr__frame_in *f, findlr__description *d, const char **ret_version);

/* What the library learns of the session. */
typedef struct findlr__description_answer {
  findlr_session_info info;
  const char *patterns[FINDLR__MOST_GROUPS];
  double factors[FINDLR__MOST_GROUPS];
} findlr__description_answer;

void findlr__info_put(findlr__frame_out *f, const findlr_session_info *info);
void findlr__info_put_group(findlr__frame_out *f, const char *pattern, double factor);
bool findlr__info_get(findlr__frame_in *f, findlr__description_answer *a);

#endif
