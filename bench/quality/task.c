/* SPDX-License-Identifier: MIT */
#include "task.h"

#include <stdio.h>
#include <string.h>

#include "data.h"

#define FRESH START_FRESH, 0
#define SELF(n) START_SELF, n
#define SIBLING(n) START_SIBLING, n

static const task tasks[] = {
  { "digits", "", "", "sgd", 16, 400, FRESH },
  { "digits", "", "", "adam", 64, 300, FRESH },
  { "digits", "64", "relu", "sgd", 16, 400, FRESH },
  { "digits", "64", "relu", "momentum", 64, 400, FRESH },
  { "digits", "64", "relu", "adam", 64, 400, FRESH },
  { "digits", "32x32", "tanh", "rmsprop", 64, 300, FRESH },
  { "digits", "64x32", "relu", "nesterov", 128, 300, FRESH },
  { "digits", "32", "relu", "adamw", 256, 200, FRESH },
  { "fashion", "", "", "sgd", 64, 300, FRESH },
  { "fashion", "64", "relu", "adam", 64, 400, FRESH },
  { "fashion", "64", "relu", "momentum", 32, 400, FRESH },
  { "fashion", "64x64", "relu", "sgd", 64, 400, FRESH },
  { "fashion", "32", "tanh", "adamw", 128, 300, FRESH },
  { "fashion", "32", "relu", "rmsprop", 64, 300, FRESH },
  { "letter", "", "", "momentum", 64, 500, FRESH },
  { "letter", "64", "relu", "adam", 64, 600, FRESH },
  { "letter", "64", "relu", "momentum", 64, 600, FRESH },
  { "letter", "64x64", "relu", "sgd", 32, 800, FRESH },
  { "letter", "32", "tanh", "rmsprop", 128, 400, FRESH },
  { "letter", "64", "relu", "adamw", 256, 400, FRESH },
  { "letter", "64", "gelu", "nesterov", 64, 500, FRESH },
  { "segment", "", "", "sgd", 32, 400, FRESH },
  { "segment", "32", "relu", "adam", 32, 400, FRESH },
  { "segment", "32x32", "tanh", "momentum", 64, 400, FRESH },
  { "segment", "32", "relu", "rmsprop", 64, 300, FRESH },
  { "segment", "32x16", "relu", "nesterov", 16, 500, FRESH },
  { "ionosphere", "", "", "adam", 16, 200, FRESH },
  { "ionosphere", "16", "relu", "sgd", 16, 300, FRESH },
  { "ionosphere", "32", "tanh", "adamw", 32, 300, FRESH },
  { "ionosphere", "16x16", "relu", "momentum", 64, 200, FRESH },
  { "iris", "", "", "sgd", 16, 300, FRESH },
  { "iris", "8", "tanh", "adam", 16, 200, FRESH },
  { "iris", "16", "relu", "momentum", 32, 200, FRESH },
  { "iris", "8", "relu", "rmsprop", 64, 300, FRESH },
  { "wine", "", "", "sgd", 16, 200, FRESH },
  { "wine", "16", "relu", "rmsprop", 64, 200, FRESH },
  { "wine", "16", "tanh", "adam", 32, 200, FRESH },
  { "wine", "16x16", "relu", "momentum", 16, 300, FRESH },
  { "breast_cancer", "", "", "momentum", 32, 200, FRESH },
  { "breast_cancer", "16", "relu", "adam", 64, 200, FRESH },
  { "breast_cancer", "32", "tanh", "sgd", 16, 300, FRESH },
  { "breast_cancer", "16x16", "relu", "nesterov", 128, 200, FRESH },
  { "diabetes", "", "", "adam", 32, 300, FRESH },
  { "diabetes", "16", "relu", "sgd", 16, 300, FRESH },
  { "diabetes", "16", "tanh", "adamw", 64, 200, FRESH },
  { "diabetes", "32", "relu", "momentum", 64, 200, FRESH },
  { "friedman", "", "", "sgd", 32, 300, FRESH },
  { "friedman", "64", "relu", "sgd", 16, 400, FRESH },
  { "friedman", "64x64", "relu", "adam", 64, 400, FRESH },
  { "friedman", "32", "tanh", "momentum", 64, 500, FRESH },
  { "friedman", "32", "relu", "rmsprop", 32, 400, FRESH },
  { "friedman", "64", "gelu", "adamw", 128, 500, FRESH },
  { "friedman", "32x32x32", "relu", "nesterov", 64, 600, FRESH },
  { "linear", "", "", "sgd", 16, 200, FRESH },
  { "linear", "", "", "adam", 64, 400, FRESH },
  { "linear", "", "", "rmsprop", 128, 300, FRESH },
  { "linear", "32", "relu", "momentum", 32, 300, FRESH },
  { "moons", "16", "relu", "sgd", 16, 400, FRESH },
  { "moons", "16", "tanh", "adam", 64, 300, FRESH },
  { "moons", "16x16", "relu", "momentum", 64, 400, FRESH },
  { "moons", "32", "relu", "nesterov", 512, 300, FRESH },
  { "moons", "16", "relu", "rmsprop", 8, 400, FRESH },
  { "blobs", "", "", "sgd", 64, 300, FRESH },
  { "blobs", "32", "relu", "sgd", 32, 600, FRESH },
  { "blobs", "32", "relu", "adam", 64, 400, FRESH },
  { "blobs", "64x32", "tanh", "momentum", 64, 500, FRESH },
  { "blobs", "32x32x32", "relu", "adamw", 128, 500, FRESH },
  { "blobs", "64", "relu", "rmsprop", 256, 300, FRESH },
  { "blobs", "32", "sigmoid", "nesterov", 64, 600, FRESH },
  /* inputs or targets far from standardised */
  { "wine_raw", "16", "relu", "adam", 32, 500, FRESH },
  { "wine_raw", "", "", "momentum", 32, 500, FRESH },
  { "breast_raw", "16", "relu", "adamw", 64, 400, FRESH },
  { "breast_raw", "", "", "sgd", 32, 600, FRESH },
  { "diabetes_raw", "16", "relu", "adam", 32, 800, FRESH },
  { "diabetes_raw", "", "", "sgd", 32, 400, FRESH },
  { "segment_raw", "32", "relu", "momentum", 64, 600, FRESH },
  { "scales", "", "", "sgd", 32, 600, FRESH },
  { "scales", "", "", "adam", 64, 800, FRESH },
  { "scales", "16", "relu", "momentum", 64, 600, FRESH },
  { "scales", "16", "tanh", "rmsprop", 32, 500, FRESH },
  /* heavy tails */
  { "friedman_t3", "32", "relu", "sgd", 16, 400, FRESH },
  { "friedman_t3", "32", "relu", "adam", 64, 500, FRESH },
  { "friedman_t3", "32", "tanh", "momentum", 128, 600, FRESH },
  { "heavy", "", "", "sgd", 16, 500, FRESH },
  { "heavy", "32", "relu", "adam", 32, 600, FRESH },
  { "heavy", "16", "relu", "momentum", 64, 400, FRESH },
  { "heavy", "", "", "rmsprop", 256, 400, FRESH },
  { "exponential", "", "", "sgd", 32, 400, FRESH },
  { "exponential", "32", "relu", "adam", 64, 1000, FRESH },
  { "exponential", "32", "tanh", "momentum", 32, 600, FRESH },
  { "exponential", "32x32", "relu", "rmsprop", 128, 600, FRESH },
  /* a loss that falls late */
  { "spirals", "32", "tanh", "adam", 64, 2000, FRESH },
  { "spirals", "32x32", "relu", "momentum", 64, 1500, FRESH },
  { "spirals", "32x32", "relu", "adamw", 128, 1000, FRESH },
  { "spirals", "32x32", "tanh", "sgd", 32, 3000, FRESH },
  { "parity", "32", "relu", "adam", 64, 1000, FRESH },
  { "parity", "32", "relu", "sgd", 16, 1500, FRESH },
  { "parity", "32x16", "tanh", "momentum", 64, 2000, FRESH },
  { "parity", "32", "relu", "rmsprop", 128, 800, FRESH },
  { "parity", "16", "relu", "sgd", 64, 5000, FRESH },
  { "checkers", "32x32", "relu", "adam", 64, 1500, FRESH },
  { "checkers", "64", "tanh", "momentum", 64, 2000, FRESH },
  { "checkers", "32x32", "relu", "nesterov", 256, 800, FRESH },
  { "wave", "32", "tanh", "adam", 32, 2000, FRESH },
  { "wave", "32x32", "relu", "sgd", 32, 1500, FRESH },
  { "wave", "64", "relu", "adam", 128, 1000, FRESH },
  /* a rare class, zeros and ones, time series */
  { "rare", "", "", "sgd", 64, 500, FRESH },
  { "rare", "16", "relu", "adam", 64, 600, FRESH },
  { "rare", "32", "relu", "momentum", 32, 500, FRESH },
  { "rare", "16", "tanh", "adamw", 512, 300, FRESH },
  { "onehot", "", "", "adam", 64, 400, FRESH },
  { "onehot", "32", "relu", "sgd", 32, 800, FRESH },
  { "onehot", "32", "relu", "adam", 128, 500, FRESH },
  { "onehot", "32x32", "relu", "nesterov", 64, 600, FRESH },
  { "series", "32", "tanh", "adam", 64, 800, FRESH },
  { "series", "32", "relu", "sgd", 32, 1000, FRESH },
  { "series", "", "", "momentum", 64, 500, FRESH },
  { "trend", "32", "relu", "adamw", 64, 600, FRESH },
  { "trend", "32", "tanh", "momentum", 32, 800, FRESH },
  /* from a trained model */
  { "digits", "64", "relu", "sgd", 32, 300, SELF(100) },
  { "digits", "64", "relu", "adam", 64, 300, SIBLING(300) },
  { "fashion", "64", "relu", "momentum", 64, 300, SIBLING(300) },
  { "letter", "64", "relu", "adam", 64, 500, SIBLING(600) },
  { "letter", "64", "relu", "sgd", 64, 500, SELF(300) },
  { "segment", "32", "relu", "momentum", 32, 300, SIBLING(400) },
  { "friedman", "32", "tanh", "adam", 64, 400, SIBLING(400) },
  { "friedman", "64", "relu", "sgd", 32, 400, SELF(100) },
  { "blobs", "32", "relu", "adamw", 64, 300, SIBLING(400) },
  { "moons", "16", "relu", "momentum", 32, 200, SIBLING(300) },
  { "breast_cancer", "16", "relu", "adam", 32, 200, SIBLING(200) },
  { "onehot", "32", "relu", "adam", 64, 400, SIBLING(400) },
  { "series", "32", "tanh", "nesterov", 64, 500, SELF(100) },
  { "parity", "32", "relu", "rmsprop", 64, 800, SELF(300) },
};

size_t task_count(void) {
  return sizeof tasks / sizeof *tasks;
}

const task *task_at(size_t i) {
  return &tasks[i];
}

void task_id(const task *t, char id[TASK_ID]) {
  int linear = !*t->hidden;
  int n = snprintf(id, TASK_ID, "%s-%s%s%s-%s-b%lld-t%lld", t->data, linear ? "linear" : t->hidden,
                   linear ? "" : "-", t->activation, t->optimizer, (long long)t->batch,
                   (long long)t->steps);
  if (t->start != START_FRESH && n > 0 && n < TASK_ID)
    snprintf(id + n, TASK_ID - (size_t)n, "-%s%lld", t->start == START_SELF ? "self" : "sibling",
             (long long)t->start_steps);
}

void task_model(const task *t, char text[128]) {
  if (*t->hidden)
    snprintf(text, 128, "mlp:hidden=%s,activation=%s", t->hidden, t->activation);
  else
    snprintf(text, 128, "linear");
}

const char *task_optimizer(const task *t) {
  if (!strcmp(t->optimizer, "momentum"))
    return "sgd:momentum=0.9";
  if (!strcmp(t->optimizer, "nesterov"))
    return "sgd:momentum=0.9,nesterov=true";
  return t->optimizer;
}

int task_is_hard(const task *t) {
  return t->start != START_FRESH || data_is_hard(t->data);
}
