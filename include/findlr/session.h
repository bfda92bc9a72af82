/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_SESSION_H
#define FINDLR_SESSION_H

#include "context.h"
#include "data.h"
#include "range_test.h"
#include "trainer.h"

FINDLR_BEGIN

/* A session is the trainer made of model + optimizer + loss + data + sampler + seed. One thread at a
 * time; different sessions may run in parallel. All its state is a list of named tensors: parameters,
 * the model's state, the optimizer's, the sampler's (seed, epoch, position) and the step counter; what
 * no tensor can hold comes through FINDLR_EXT_STATE. */
typedef struct findlr_session findlr_session;

enum {
  FINDLR_SAMPLING_SHUFFLE = 0,     /* every row once an epoch, in a new order each epoch */
  FINDLR_SAMPLING_REPLACEMENT = 1, /* independent draws */
  FINDLR_SAMPLING_SEQUENTIAL = 2
};

enum {
  FINDLR_SESSION_STANDARDIZE = 1, /* inputs: (x - mean) / deviation, statistics of the training rows */
  FINDLR_SESSION_DROP_LAST = 2    /* an epoch's last batch is left out if it is not full */
};

typedef struct findlr_session_options {
  uint32_t struct_size;
  uint32_t flags; /* FINDLR_SESSION_...; 0 */
  /* Spec strings (spec.h), copied. NULL: the default. */
  const char *data;               /* NULL: "digits" */
  const char *model;              /* NULL: "mlp:hidden=128" */
  const char *optimizer;          /* NULL: "adam" */
  const char *loss;               /* NULL: "cross_entropy" for classes, "mse" otherwise */
  const findlr_data *data_object; /* instead of data, if not NULL; must outlive the session */
  uint32_t sampling;              /* FINDLR_SAMPLING_SHUFFLE */
  uint32_t dtype;                 /* FINDLR_DTYPE_FLOAT32 */
  uint32_t threads;               /* 1 */
  uint32_t group_count;           /* patterns below; 0: one group with every parameter */
  int64_t batch_size;             /* 0: min(64, training rows) */
  int64_t accumulate;             /* 1: batches an optimizer step */
  double validation;              /* 0: fraction of rows held out, 0 <= f < 1, by seed; stratified */
  int64_t validation_batches;     /* 0: evaluate on all held-out rows; k: always on the same k batches */
  uint64_t seed;                  /* 0 */
  /* Parameter groups: a parameter belongs to the first pattern (a shell pattern, '*' and '?') that
   * fits its name; those that fit none form a group of factor 1, group 0, before them. Each group's
   * rate is the rate of the step times its factor (> 0). group_count (at most 64) entries each; every
   * pattern must fit some parameter. Copied. */
  const char *const *group_patterns;
  const double *group_factors;
  const char *slot_directory; /* NULL: slots are kept in memory; else in unnamed files there */
} findlr_session_options;

FINDLR_API void findlr_session_options_init(findlr_session_options *options, size_t size);

/* Makes a session. options NULL: the defaults. The statuses of everything it makes, with a sentence. */
FINDLR_API int32_t findlr_session_create(findlr_context *context,
                                         const findlr_session_options *options,
                                         findlr_session **ret_session, findlr_error *err);
FINDLR_API void findlr_session_destroy(findlr_session *session);

/* The session as a trainer: step takes 1 rate (each group gets it times its factor) or one a group (as
 * they are). Valid as long as the session. */
FINDLR_API const findlr_trainer *findlr_session_trainer(findlr_session *session);

/* The same, called directly. An optimizer step at these rates over `accumulate` batches: the loss is
 * the mean over all their rows. *ret_loss is the loss before the update. */
FINDLR_API int32_t findlr_session_step(findlr_session *session, const double *rates, uint32_t n,
                                       double *ret_loss, findlr_error *err);
/* The loss on the held-out rows. FINDLR_ERR_STATE if none are. Changes nothing. */
FINDLR_API int32_t findlr_session_evaluate(findlr_session *session, double *ret_loss,
                                           findlr_error *err);
FINDLR_API int32_t findlr_session_save(findlr_session *session, uint32_t slot, findlr_error *err);
FINDLR_API int32_t findlr_session_restore(findlr_session *session, uint32_t slot,
                                          findlr_error *err);
/* XXH64 over names, shapes and bytes of the state list and the opaque state. */
FINDLR_API int32_t findlr_session_fingerprint(findlr_session *session, uint64_t *ret_hash,
                                              findlr_error *err);

/* Entry i of the state list, to look at or (at your own risk) to change; FINDLR_DONE past the last. */
FINDLR_API int32_t findlr_session_state(findlr_session *session, uint32_t i,
                                        findlr_named_tensor *out, findlr_error *err);

/* Options for a range test that fits the session: one group for each of the session's, with start and
 * end times its factor. start_lr, end_lr and the rest of *options are kept; the arrays it points to
 * belong to the session and change with the next call. */
FINDLR_API int32_t findlr_session_fit_options(findlr_session *session,
                                              findlr_range_test_options *options,
                                              findlr_error *err);

/* What the session is, for people and for the JSON. Strings live as long as the session. */
typedef struct findlr_session_info {
  uint32_t struct_size;
  uint32_t group_count;    /* at least 1 */
  int64_t rows;            /* of the data */
  int64_t training_rows;
  int64_t validation_rows;
  int64_t features;        /* numbers in a row's inputs */
  int64_t classes;         /* 0: real targets */
  int64_t parameters;      /* numbers that training changes; 0 if the model does not say */
  int64_t batch_size;
  const char *data;        /* canonical specs; "memory" for an object */
  const char *model;
  const char *optimizer;   /* "" if the model trains by itself */
  const char *loss;
  const char *about_data;  /* the source's own line; "" */
  const char *about_model; /* description of the model's plugin; "" for one of the program's own */
} findlr_session_info;

FINDLR_API int32_t findlr_session_describe(findlr_session *session, findlr_session_info *out,
                                           findlr_error *err);

/* The pattern of a group ("*" for the rest) and its factor; NULL, and 0, past the last. */
FINDLR_API const char *findlr_session_group_pattern(const findlr_session *session, uint32_t group);
FINDLR_API double findlr_session_group_factor(const findlr_session *session, uint32_t group);

FINDLR_END

#endif
