/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_LOSS_H
#define FINDLR_LOSS_H

#include "component.h"

FINDLR_BEGIN

/* A loss compares outputs with targets. It answers with a sum over the batch and the weight to divide
 * it by (the number of rows or elements, or of class weights), so that pieces of a batch can be added
 * up before the one division. */

/* What a loss takes as targets. */
enum {
  FINDLR_TARGETS_CLASSES = 1, /* int64 [rows], 0 <= target < classes; outputs [rows, classes] */
  FINDLR_TARGETS_REAL = 2,    /* the outputs' dtype and shape */
  FINDLR_TARGETS_BINARY = 3   /* the same, each in [0, 1]: a probability */
};

typedef struct findlr_loss_spec {
  uint32_t struct_size;
  uint32_t dtype;    /* of the outputs */
  int64_t max_batch; /* rows */
  int64_t outputs;   /* columns of the outputs */
  void *user;
  uint32_t option_count;
  uint32_t reserved;
  const findlr_value *const *options;
} findlr_loss_spec;

/* All slots but get_extension are mandatory. [instance thread] */
typedef struct findlr_loss_vtable {
  uint32_t struct_size;
  uint32_t targets; /* FINDLR_TARGETS_... */
  int32_t (*create)(const findlr_host *host, void *ctx, const findlr_loss_spec *spec,
                    void **ret_self);
  void (*destroy)(void *self);
  /* outputs: [rows, outputs] compact. grad: NULL, or of the outputs' shape and dtype, owned by the
   * caller, to be overwritten with the gradient of *ret_sum. A target that is not allowed is
   * FINDLR_ERR_ARGUMENT. A sum that is not finite is no error. */
  int32_t (*value_and_gradient)(void *self, const findlr_tensor *outputs,
                                const findlr_tensor *targets, double *ret_sum, double *ret_weight,
                                const findlr_tensor *grad);
  const void *(*get_extension)(void *self, const char *id);
} findlr_loss_vtable;

FINDLR_END

#endif
