/* SPDX-License-Identifier: MIT */
#include <findlr/findlr.h>
#include <stdio.h>

int main(void) {
  double lr, w = 5; /* the model: one weight, whose loss is its square */
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_suggestion found = FINDLR_SUGGESTION_INIT;
  findlr_range_test *test;
  if (findlr_range_test_create(NULL, NULL, &test, &err) != FINDLR_OK)
    return puts(err.message), 1;
  while (findlr_range_test_next(test, &lr, &err) == FINDLR_OK) {
    findlr_range_test_tell(test, w * w, &err); /* your training step at rate lr, */
    w -= lr * 2 * w;                           /* and the loss before it */
  }
  findlr_range_test_suggest(test, NULL, &found, &err);
  printf("learning rate %g: %s\n", found.lr, found.message);
  findlr_range_test_destroy(test);
}
