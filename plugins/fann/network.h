/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_PLUGINS_FANN_NETWORK_H
#define FINDLR_PLUGINS_FANN_NETWORK_H

#ifdef FANN_DOUBLE
#include <doublefann.h>
#define FANN_MODEL "fann_double"
#define FANN_LIBRARY "libdoublefann"
#else
#include <floatfann.h>
#define FANN_MODEL "fann"
#define FANN_LIBRARY "libfloatfann"
#endif

#include "findlr/plugin.h"

/* Networks of libfann, made through the parts that FANN's own makers use. Those makers seed rand() anew,
 * and FANN's reader believes every number of a file and reads them by the locale: neither will do here. */

enum { FINDLR_FANN_LAYERS = 64 };

/* What network_build is told. */
typedef struct network_plan {
  int64_t inputs, outputs;
  const int64_t *hidden; /* hidden_count entries */
  uint32_t hidden_count;
  enum fann_activationfunc_enum activation, output_activation;
  double steepness;
  double init; /* weights begin uniform in +-init */
  uint64_t seed;
} network_plan;

/* A fully connected network. On failure the host has the sentence. Give it back with fann_destroy. */
int32_t network_build(const findlr_host *host, void *ctx, const network_plan *plan,
                      struct fann **ret_ann);

/* A .net file as fann_save writes it (FANN 2.0 to 2.2, floating point). */
int32_t network_read(const findlr_host *host, void *ctx, const char *path, struct fann **ret_ann);

/* Can FANN take the derivative? */
int network_can_train(enum fann_activationfunc_enum activation);
/* Are the values in -1..1? Then a class that is not the target's is -1, not 0. */
int network_is_symmetric(enum fann_activationfunc_enum activation);

#endif
