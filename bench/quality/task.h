/* SPDX-License-Identifier: MIT */
#ifndef QUALITY_TASK_H
#define QUALITY_TASK_H

#include <stddef.h>
#include <stdint.h>

/* A task: data set x network x optimizer x batch size x training length x where it starts. */

enum { START_FRESH, START_SELF, START_SIBLING };

typedef struct task {
  const char *data;       /* a data set of data.c */
  const char *hidden;     /* widths of the hidden layers, "64x32"; "" for a linear model */
  const char *activation; /* of the hidden layers */
  const char *optimizer;  /* sgd, momentum, nesterov, adam, adamw, rmsprop */
  int64_t batch, steps;
  int start;           /* START_...: trained before on the same data, or on its sibling (data.h) */
  int64_t start_steps; /* for so many steps of adam at 0.003 */
} task;

enum { TASK_ID = 96 };

size_t task_count(void);
const task *task_at(size_t i);
/* "digits-64-relu-adam-b64-t400", "...-sibling300": names a task in files. */
void task_id(const task *t, char id[TASK_ID]);
/* The spec strings. */
void task_model(const task *t, char text[128]);
const char *task_optimizer(const task *t);
/* Of the hard part: hard data (data.c), or a start from a trained model. */
int task_is_hard(const task *t);

#endif
