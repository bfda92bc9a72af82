/* SPDX-License-Identifier: MIT */
#ifndef QUALITY_DATA_H
#define QUALITY_DATA_H

#include <findlr/findlr.h>

/* The suite's data sets: the classical ones from files, and synthetic ones, drawn from a fixed seed
 * so that no file is needed. */

typedef struct data_kind data_kind;

typedef struct dataset {
  const data_kind *kind;
  int64_t rows, features;
  int64_t classes; /* 0: real targets */
  float *inputs;   /* [rows, features] */
  float *numbers;  /* [rows]; NULL where there are classes */
  int64_t *labels; /* [rows]; NULL where there are none */
  int64_t shape[3];
  findlr_data data; /* over these, for a session */
} dataset;

/* Makes the data set of that name; 0, or -1 with a sentence on stderr (no such name, a file
 * missing). sibling: a third of the features change places, which is what a model that was trained
 * on the data set is then tuned to. directory: where get-data has left its tables. */
int dataset_make(findlr_context *context, const char *name, int sibling, const char *directory,
                 dataset *out);
void dataset_free(dataset *d);

/* Of a data set's name, without making it: -1 for an unknown one; whether it is of the hard kind;
 * whether the session standardises its inputs; and the family, which is left out as one. */
int data_is_hard(const char *name);
int data_is_standardized(const char *name);
const char *data_family(const char *name);

#endif
