/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_PLAN_H
#define FINDLR_TRAIN_PLAN_H

#include "findlr/session.h"
#include "train/services.h"

/* What a session is to be made of, names already resolved: how the host ring hands a session down to
 * this one. Everything is borrowed during the call. */
typedef struct findlr__choice {
  const findlr_component *component;
  const findlr_value *const *values;
  uint32_t count;
  const char *text;  /* the canonical spec */
  const char *about; /* description of its plugin; "" */
} findlr__choice;

typedef struct findlr__plan {
  const findlr__services *services; /* copied */
  const findlr_session_options *options; /* complete, values not yet checked */
  findlr__choice data;                   /* component NULL: options->data_object */
  findlr__choice model;
  findlr__choice optimizer;
  findlr__choice loss_for_classes, loss_for_real; /* the same where the user chose */
} findlr__plan;

int32_t findlr__session_make(const findlr__plan *plan, findlr_session **ret_session,
                             findlr_error *err);

#endif
