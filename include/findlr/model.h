/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_MODEL_H
#define FINDLR_MODEL_H

#include "component.h"

FINDLR_BEGIN

/* A model maps a batch of inputs to outputs and, in training, gradients of the outputs to gradients
 * of its parameters. Sums, not means: the gradient of the outputs belongs to the sum of the loss over
 * the batch; whoever steps the optimizer divides once. */

/* What create is told. Pointers are valid during the call only. */
typedef struct findlr_model_spec {
  uint32_t struct_size;
  uint32_t threads;           /* use no more; at least 1 */
  uint64_t seed;              /* for initialisation and any later randomness */
  int64_t max_batch;          /* the largest number of rows of a forward */
  int64_t outputs;            /* columns of the outputs: classes, or the target's numbers a row */
  int64_t classes;            /* number of classes; 0: real targets */
  uint32_t dtype;             /* of inputs, outputs and parameters: FLOAT32 or FLOAT64 */
  int32_t input_ndim;         /* of one row, the batch not counted */
  const int64_t *input_shape; /* input_ndim entries, each at least 1 */
  void *user;                 /* the component's */
  uint32_t option_count;
  uint32_t reserved;
  const findlr_value *const *options; /* one an option, in the table's order */
} findlr_model_spec;

/* A parameter: the tensor that training changes and its gradient, both compact row-major float32 or
 * float64 on the CPU, of one shape and dtype, at addresses that never change. A model that cannot
 * offer that lists none and offers FINDLR_EXT_TRAIN. */
typedef struct findlr_parameter {
  uint32_t struct_size;
  uint32_t group;   /* the model writes 0; the session sets it for the optimizer */
  const char *name; /* "0.weight"; unique; lives as long as the model */
  findlr_tensor value;
  findlr_tensor gradient;
} findlr_parameter;

enum { FINDLR_MODE_EVAL = 0, FINDLR_MODE_TRAIN = 1 };
enum { FINDLR_BACKWARD_ACCUMULATE = 1 };

/* All slots but get_extension are mandatory. [instance thread] */
typedef struct findlr_model_vtable {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*create)(const findlr_host *host, void *ctx, const findlr_model_spec *spec,
                    void **ret_self);
  void (*destroy)(void *self);
  /* inputs: [rows, input_shape...], 1 <= rows <= max_batch, compact, of the spec's dtype.
   * *ret_outputs: [rows, outputs], compact, owned by the model, valid until its next call.
   * FINDLR_MODE_EVAL changes no state; FINDLR_MODE_TRAIN keeps what backward needs. */
  int32_t (*forward)(void *self, const findlr_tensor *inputs, uint32_t mode,
                     const findlr_tensor **ret_outputs);
  /* Gradients of the parameters from the gradient of the outputs (their shape and dtype). Overwrites
   * the gradients, or adds to them with FINDLR_BACKWARD_ACCUMULATE. FINDLR_ERR_STATE unless the call
   * before was a forward in FINDLR_MODE_TRAIN. The inputs of that forward are still valid. */
  int32_t (*backward)(void *self, const findlr_tensor *grad_outputs, uint32_t flags);
  /* Parameter i into *out (struct_size set by the host); FINDLR_DONE past the last. */
  int32_t (*parameter)(void *self, uint32_t i, findlr_parameter *out);
  /* State that is no parameter and must be kept (running statistics, generators) as tensors of any
   * dtype on the CPU, compact, at addresses that never change; FINDLR_DONE past the last. */
  int32_t (*state)(void *self, uint32_t i, findlr_named_tensor *out);
  /* FINDLR_EXT_STATE, FINDLR_EXT_TRAIN, others; NULL if unknown. The slot may be NULL. */
  const void *(*get_extension)(void *self, const char *id);
} findlr_model_vtable;

/* Extension of a model that trains by itself: it computes loss and gradients and owns its optimizer
 * (libtorch, a user's engine). The session then makes no optimizer and no loss. State: the model's
 * state list and FINDLR_EXT_STATE together must hold everything that training changes. */
#define FINDLR_EXT_TRAIN "findlr.train/1"
typedef struct findlr_train {
  uint32_t struct_size;
  uint32_t reserved;
  /* Forward, loss, backward on one batch; gradients of the sum are added up until apply. */
  int32_t (*accumulate)(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                        double *ret_sum, double *ret_weight);
  /* One optimizer step with gradients times grad_scale; then gradients are zero again. rates has n
   * entries, one a group. */
  int32_t (*apply)(void *self, const double *rates, uint32_t n, double grad_scale);
  int32_t (*evaluate)(void *self, const findlr_tensor *inputs, const findlr_tensor *targets,
                      double *ret_sum, double *ret_weight);
  /* Changes an option of the optimizer ("momentum"). */
  int32_t (*set)(void *self, const char *option, double value);
  /* Norm of the accumulated gradients; may be NULL: clipping by norm is then refused. */
  int32_t (*grad_norm)(void *self, double *ret_norm);
  /* The group of each parameter, in the order of the list: rates[groups[i]] is its rate in apply. Comes
   * once, before any step, and only if there are several groups. May be NULL: several are refused. */
  int32_t (*set_groups)(void *self, const uint32_t *groups, uint32_t n);
} findlr_train;

FINDLR_END

#endif
