/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_SUGGESTION_H
#define FINDLR_SUGGESTION_H

#include "curve.h"

FINDLR_BEGIN

/* Reading a curve: the learning rate to train with, and how far to believe it. */

/* The verdict: an honest word. X(name, value, word in JSON) */
#define FINDLR_VERDICT_LIST(X)                                                                     \
  X(FINDLR_VERDICT_GOOD, 0, "good")                                                                \
  X(FINDLR_VERDICT_NEVER_DESCENDED, 1, "never_descended")                                          \
  X(FINDLR_VERDICT_NEVER_DIVERGED, 2, "never_diverged")                                            \
  X(FINDLR_VERDICT_TOO_FEW_POINTS, 3, "too_few_points")                                            \
  X(FINDLR_VERDICT_NOT_FINITE, 4, "not_finite")                                                    \
  X(FINDLR_VERDICT_UNCERTAIN, 5, "uncertain")

enum {
#define FINDLR_VERDICT_CONSTANT(name, value, word) name = value,
  FINDLR_VERDICT_LIST(FINDLR_VERDICT_CONSTANT)
#undef FINDLR_VERDICT_CONSTANT
  FINDLR_VERDICT_AFTER_LAST = 6
};

typedef struct findlr_suggestion_options {
  uint32_t struct_size;
  uint32_t group;     /* whose rates to answer in; 0 */
  const char *method; /* "auto" or another of findlr_suggestion_method; NULL: "auto" */
  int64_t num_iter;   /* steps that the test was asked for, where the curve does not know; 0 */
} findlr_suggestion_options;

typedef struct findlr_suggestion {
  uint32_t struct_size;
  int32_t verdict; /* FINDLR_VERDICT_... */
  double lr;       /* NaN where no number is justified; then low, high are NaN and index is -1 */
  double low;      /* low <= lr <= high: the interval for a cyclical schedule */
  double high;
  int64_t index;     /* the row of the curve that the method picked */
  char method[32];   /* the name used */
  char message[256]; /* one sentence for people: what the curve shows and what to do next */
} findlr_suggestion;

/* Ready to be filled, for C. */
#define FINDLR_SUGGESTION_INIT { sizeof(findlr_suggestion), 0, 0, 0, 0, 0, "", "" }

/* Set struct_size to size and the defaults. [any thread] */
FINDLR_API void findlr_suggestion_options_init(findlr_suggestion_options *options, size_t size);
FINDLR_API void findlr_suggestion_init(findlr_suggestion *suggestion, size_t size);

/* Reads a curve by one method. The curve's rates (of the group asked for) must rise strictly over the
 * rows that are not skipped: FINDLR_ERR_ARGUMENT otherwise, and for an unknown method (the sentence
 * names the nearest). A curve from which nothing can be read is no error: it is a verdict, and lr is
 * NaN. Methods (formulas and sources: docs/suggestion.md):
 *
 *   auto             ours: the fall against the divergence, by how clear the fall is
 *   valley slide minimum steep      fastai's four, after fastai's own smoothing, stop and skips
 *   steepest         pytorch-lr-finder    ignite   PyTorch Ignite    keras   keras_lr_finder (sma 20)
 *   lightning        PyTorch Lightning 2.5.3 and later   lightning_2.5.2   before that
 *
 * A peer's method gives exactly the peer's index, and the rate of that row (minimum: a tenth of it).
 * Where the peer has a defect (an index of -1, an exception, a NaN that wins, a rate for a curve that
 * does not fall) the answer is a safe one, documented there. Reentrant. [any thread that no other uses the curve in] */
FINDLR_API int32_t findlr_suggest(const findlr_curve *curve,
                                  const findlr_suggestion_options *options,
                                  findlr_suggestion *ret_suggestion, findlr_error *err);

/* The methods' names in order, "auto" first; NULL past the last. Static. [any thread] */
FINDLR_API const char *findlr_suggestion_method(uint32_t i);

/* One line about a method; NULL if there is none of that name. Static. [any thread] */
FINDLR_API const char *findlr_suggestion_method_help(const char *method);

/* "good" for FINDLR_VERDICT_GOOD and so on. Static. [any thread] */
FINDLR_API const char *findlr_verdict_name(int32_t verdict);

FINDLR_END

#endif
