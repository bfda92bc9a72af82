/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_RECORD_H
#define FINDLR_CLI_RECORD_H

/* What is known of one range test: the curve, what made it, why it ended, and what it suggests. As
 * JSON it is docs/json.md; as CSV, the curve alone. */

#include <cjson/cJSON.h>

#include "findlr/findlr.h"
#include "output.h"

typedef struct record {
  const findlr_curve *curve;
  const char **groups;    /* the patterns, one a group of the curve */
  cJSON *config;          /* an object */
  const char *reason;     /* why it ended; NULL: unknown */
  int64_t step;           /* where */
  bool validation;        /* the loss is a held-out one: train_loss is worth showing */
  double *smoothed;       /* one a row; set by record_conclude */
  findlr_smoothing smoothing;
  findlr_suggestion suggestion;
  findlr_curve *owned;    /* curve, if the record made it */
  cJSON *document;        /* what a read record points into */
} record;

/* Frees what the record owns. */
void record_free(record *r);

/* Reads a curve: JSON of ours, other JSON with arrays "lr" and "loss", or CSV; "-" is standard input.
 * The file is not trusted. *r is filled, config and groups included, but for the conclusion. */
int32_t record_read(const char *path, record *r, findlr_error *err);

/* Smooths the curve and reads it by a method (NULL: auto). FINDLR_ERR_ARGUMENT for a curve whose rates
 * do not rise. */
int32_t record_conclude(record *r, const char *method, findlr_error *err);

/* Write a concluded record. What the output could not take is told by output_close. */
void record_write_json(const record *r, output *to);
void record_write_csv(const record *r, output *to);

/* Is there a method of this name? A usage error with the nearest otherwise. */
int32_t check_method(const char *method, findlr_error *err);

/* Adds a number that reads back equal (not finite: null), and text (made valid UTF-8; NULL: null). */
void json_number(cJSON *object, const char *name, double value);
void json_text(cJSON *object, const char *name, const char *text);
void json_numbers(cJSON *object, const char *name, const double *values, size_t n);

#endif
