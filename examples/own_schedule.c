/* SPDX-License-Identifier: MIT */
#include <findlr/findlr.h>
#include <stdio.h>

/* Your own loop: find a rate, then train along a schedule until the loss gets no better. */
int main(void) {
  enum { STEPS = 200 };
  double lr, w = 5, best = w; /* the model: one weight, whose loss is its square */
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_suggestion found = FINDLR_SUGGESTION_INIT;
  findlr_range_test *test;
  if (findlr_range_test_create(NULL, NULL, &test, &err) != FINDLR_OK)
    return puts(err.message), 1;
  for (; findlr_range_test_next(test, &lr, &err) == FINDLR_OK; w -= lr * 2 * w)
    findlr_range_test_tell(test, w * w, &err);
  findlr_range_test_suggest(test, NULL, &found, &err);
  findlr_range_test_destroy(test);

  findlr_schedule_options options;
  findlr_schedule_options_init(&options, sizeof options, FINDLR_SCHEDULE_COSINE);
  options.lr = found.lr;
  options.steps = STEPS;
  findlr_early_stopping_options patient;
  findlr_early_stopping_options_init(&patient, sizeof patient);
  patient.patience = 5;
  findlr_schedule *schedule = NULL;
  findlr_early_stopping *stopping = NULL;
  if (findlr_schedule_create(NULL, &options, &schedule, &err) != FINDLR_OK ||
      findlr_early_stopping_create(NULL, &patient, &stopping, &err) != FINDLR_OK)
    return puts(err.message), findlr_schedule_destroy(schedule), 1;
  w = 5;
  for (int step = 0; step < STEPS; step++) {
    uint32_t said;
    findlr_early_stopping_tell(stopping, step, w * w, &said, &err);
    if (said & FINDLR_EARLY_STOPPING_BEST)
      best = w;
    if (said & FINDLR_EARLY_STOPPING_STOP)
      break;
    findlr_schedule_at(schedule, step, &lr, NULL, &err);
    w -= lr * 2 * w;
  }
  printf("from rate %g: weight %g\n", found.lr, best);
  findlr_schedule_destroy(schedule);
  findlr_early_stopping_destroy(stopping);
}
