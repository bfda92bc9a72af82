/* SPDX-License-Identifier: MIT */
#include <findlr/findlr.h>
#include <stdio.h>

static double w = 5; /* a model with one weight; its loss is w squared */

static double my_training_step(double lr) {
  double loss = w * w;
  w -= lr * 2 * w;
  return loss;
}

int main(void) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_range_test *test;
  findlr_suggestion found;
  double lr, start = w;
  findlr_suggestion_init(&found, sizeof found);
  if (findlr_range_test_create(NULL, NULL, &test, &err) != FINDLR_OK)
    return fprintf(stderr, "%s\n", err.message), 1;
  while (findlr_range_test_next(test, &lr, &err) == FINDLR_OK)
    findlr_range_test_tell(test, my_training_step(lr), &err);
  w = start; /* the test trained the model: put it back */
  findlr_range_test_suggest(test, NULL, &found, &err);
  printf("learning rate %g (%s)\n", found.lr, findlr_verdict_name(found.verdict));
  findlr_range_test_destroy(test);
}
