/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TRAIN_SESSION_H
#define FINDLR_TRAIN_SESSION_H

#include "findlr/loss.h"
#include "findlr/model.h"
#include "findlr/optimizer.h"
#include "train/plan.h"
#include "train/sampler.h"
#include "train/slots.h"
#include "train/split.h"
#include "train/standardize.h"
#include "train/state.h"

/* One component at work: its instance, and what to call it in sentences ("model mlp"). */
typedef struct findlr__part {
  char name[80];
  char *text;  /* canonical spec */
  void *self;
} findlr__part;

struct findlr_session {
  const findlr_allocator *allocator;
  findlr__services services;
  findlr_trainer trainer;
  findlr_error error; /* behind the trainer's last negative status */

  /* Data, and who gets which rows. */
  findlr__part data_part;
  const findlr_data_vtable *data;
  bool data_owned;
  findlr_data_info data_info;
  int64_t features;
  findlr__split split;
  findlr__sampler sampler;
  findlr__standardize standardize; /* features 0: off */

  /* What trains. engine: NULL, or the model's own; then there is no loss and no optimizer. */
  findlr__part model_part, loss_part, optimizer_part;
  const findlr_model_vtable *model;
  const findlr_train *engine;
  const findlr_loss_vtable *loss;
  const findlr_optimizer_vtable *optimizer;
  uint32_t targets_kind; /* FINDLR_TARGETS_... */
  int64_t outputs;
  findlr_parameter *parameters;
  uint32_t parameter_count;
  char *about_model;

  /* Parameter groups: the pattern ("*" for the rest) and the factor of each. */
  uint32_t group_count;
  char **patterns;
  double *factors, *rates, *starts, *ends; /* one block, group_count each */

  /* One batch. */
  uint32_t dtype;
  int64_t batch_size, accumulate, validation_batches;
  int64_t *rows;
  findlr__buffer inputs, targets, classes, grad;

  int64_t steps; /* optimizer steps made */
  int64_t steps_shape[1], sampler_shape[1];
  findlr__state state;
  findlr__slots slots;
  bool misbehaviour_reported;
};

/* session.c: what every step uses. */
int32_t findlr__session_gather(findlr_session *s, int64_t n, findlr_error *err);

/* What findlr_session_fit_options does, for groups of these factors; starts and ends have group_count
 * entries each and are what *options then points to. */
int32_t findlr__fit_options(uint32_t group_count, const double *factors, double *starts, double *ends,
                            findlr_range_test_options *options, findlr_error *err);

#endif
