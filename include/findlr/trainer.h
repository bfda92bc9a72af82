/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAINER_H
#define FINDLR_TRAINER_H

#include "component.h"

FINDLR_BEGIN

/* A trainer can take one training step, and go back. It is all that a range test's driver sees: a
 * session is a trainer; so are a child process, an isolated backend, and a binding's own loop. */

typedef struct findlr_trainer_spec {
  uint32_t struct_size;
  uint32_t threads;
  uint64_t seed;
  void *user;
  uint32_t option_count;
  uint32_t reserved;
  const findlr_value *const *options;
} findlr_trainer_spec;

/* create and destroy may be NULL for a trainer that is only ever handed over as an object; evaluate,
 * fingerprint and get_extension may be NULL; step, save and restore are mandatory. [instance thread] */
typedef struct findlr_trainer_vtable {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*create)(const findlr_host *host, void *ctx, const findlr_trainer_spec *spec,
                    void **ret_self);
  void (*destroy)(void *self);
  /* One training step at these rates (n: one a parameter group, or 1 for all). *ret_loss: the loss
   * before the update, averaged over the batch. FINDLR_SKIPPED: the update was not made (a
   * mixed-precision overflow); *ret_loss is then ignored. */
  int32_t (*step)(void *self, const double *rates, uint32_t n, double *ret_loss);
  /* The loss on held-out data, averaged; changes no state. */
  int32_t (*evaluate)(void *self, double *ret_loss);
  /* Keeps everything that training changes under a number, over what was there. Slot 0 is the start.
   * FINDLR_ERR_LIMIT for a slot that the trainer does not have. */
  int32_t (*save)(void *self, uint32_t slot);
  /* Brings it back bit for bit; the slot stays. FINDLR_ERR_STATE if nothing was saved there. */
  int32_t (*restore)(void *self, uint32_t slot);
  /* A hash over everything that save keeps: equal states give equal numbers. */
  int32_t (*fingerprint)(void *self, uint64_t *ret_hash);
  const void *(*get_extension)(void *self, const char *id);
} findlr_trainer_vtable;

/* What a trainer can do, known once it exists. A driver looks before the first step, and a program shows
 * it. Without the extension: any number of groups, any slot, and evaluate if the slot is there. */
#define FINDLR_EXT_TRAINER "findlr.trainer/1"
typedef struct findlr_trainer_info {
  uint32_t struct_size;
  uint32_t group_count;  /* parameter groups: rates of a step, beside 1 for all; 0: any number */
  uint32_t slot_count;   /* at least 1, since slot 0 is mandatory; UINT32_MAX: any number */
  uint32_t can_evaluate; /* 0 or 1 */
  const char *about;     /* one line for people; "". Lives as long as the trainer */
} findlr_trainer_info;

typedef struct findlr_trainer_about {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*describe)(void *self, findlr_trainer_info *out); /* [instance thread] */
} findlr_trainer_about;

/* A trainer that exists. */
typedef struct findlr_trainer {
  uint32_t struct_size;
  uint32_t reserved;
  const findlr_trainer_vtable *vtable;
  void *self;
  /* The sentence behind the last negative status of a slot, valid until the next call; NULL if there
   * are no sentences to be had. */
  const char *(*message)(void *message_ud);
  void *message_ud;
} findlr_trainer;

FINDLR_END

#endif
