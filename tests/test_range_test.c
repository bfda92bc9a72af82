/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <pthread.h>
#include <signal.h>

static findlr_range_test *make(const findlr_range_test_options *options) {
  ERR;
  findlr_range_test *test = NULL;
  ck_ok(findlr_range_test_create(NULL, options, &test, &err));
  ck_assert_ptr_nonnull(test);
  return test;
}

static findlr_range_test_options defaults(void) {
  findlr_range_test_options options;
  findlr_range_test_options_init(&options, sizeof options);
  return options;
}

/* Asks, and wants this action. */
static findlr_request wants(findlr_range_test *test, uint32_t action) {
  ERR;
  findlr_request request;
  findlr_request_init(&request, sizeof request);
  ck_ok(findlr_range_test_ask(test, &request, &err));
  ck_assert_uint_eq(request.action, action);
  return request;
}

static void wants_nothing(findlr_range_test *test, int32_t reason) {
  ERR;
  findlr_request request;
  findlr_request_init(&request, sizeof request);
  request.step = 12345;
  double lr = 42;
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(findlr_range_test_ask(test, &request, &err), FINDLR_DONE);
    ck_assert_int_eq(request.step, 12345);
    ck_assert_int_eq(findlr_range_test_next(test, &lr, &err), FINDLR_DONE);
    ck_assert_double_eq(lr, 42);
    ck_fails(findlr_range_test_tell(test, 1, &err), FINDLR_ERR_STATE, "nothing was asked");
  }
  ck_assert_str_eq(findlr_reason_name(findlr_range_test_reason(test)), findlr_reason_name(reason));
}

static void tell(findlr_range_test *test, double loss) {
  ERR;
  ck_ok(findlr_range_test_tell(test, loss, &err));
}

static void skip(findlr_range_test *test) {
  ERR;
  ck_ok(findlr_range_test_skip(test, &err));
}

static double next(findlr_range_test *test) {
  ERR;
  double lr = 0;
  ck_ok(findlr_range_test_next(test, &lr, &err));
  return lr;
}

START_TEST(the_short_loop) {
  ERR;
  findlr_range_test *test = make(NULL);
  ck_assert_int_eq(findlr_range_test_num_iter(test), 100);
  double lr;
  int steps = 0;
  while (findlr_range_test_next(test, &lr, &err) == FINDLR_OK) {
    ck_assert_int_eq(findlr_range_test_reason(test), FINDLR_REASON_RUNNING);
    ck_assert_int_eq(findlr_range_test_steps(test), steps);
    ck_assert(lr == findlr_range_test_rate(test, 0, steps));
    tell(test, 1 + 0.001 * steps++);
  }
  ck_assert_int_eq(steps, 100);
  ck_assert(findlr_range_test_rate(test, 0, 0) == 1e-7);
  ck_assert(findlr_range_test_rate(test, 0, 99) == 10);
  wants_nothing(test, FINDLR_REASON_FINISHED);
  ck_assert_int_eq(findlr_range_test_steps(test), 100);

  const findlr_curve *curve = findlr_range_test_curve(test);
  ck_assert_uint_eq(findlr_curve_count(curve), 100);
  ck_assert_int_eq(findlr_curve_requested(curve), 100);
  for (int i = 0; i < 100; i++) {
    ck_assert(findlr_curve_lr(curve, 0)[i] == findlr_range_test_rate(test, 0, i));
    ck_assert(findlr_curve_loss(curve)[i] == 1 + 0.001 * i);
    ck_assert(findlr_curve_train_loss(curve)[i] == 1 + 0.001 * i);
    ck_assert_uint_eq(findlr_curve_flags(curve)[i], 0);
  }
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(asking_twice_is_asking_once) {
  ERR;
  findlr_range_test *test = make(NULL);
  ck_fails(findlr_range_test_tell(test, 1, &err), FINDLR_ERR_STATE, "nothing was asked");
  ck_fails(findlr_range_test_skip(test, &err), FINDLR_ERR_STATE, "nothing was asked");
  ck_assert(next(test) == next(test));
  findlr_request a = wants(test, FINDLR_ACTION_STEP), b = wants(test, FINDLR_ACTION_STEP);
  ck_assert_int_eq(a.step, b.step);
  ck_assert(a.rates[0] == 1e-7 && b.rates[0] == 1e-7 && isnan(a.momentum));
  tell(test, 1);
  ck_fails(findlr_range_test_tell(test, 1, &err), FINDLR_ERR_STATE, "nothing was asked");
  ck_assert_int_eq(findlr_range_test_steps(test), 1);
  ck_assert_int_eq(wants(test, FINDLR_ACTION_STEP).step, 1);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(a_ramp_for_each_group) {
  const double start[] = { 1e-5, 1e-3, 1 }, end[] = { 1e-1, 1, 4 };
  findlr_range_test_options options = defaults();
  options.num_iter = 5;
  options.groups = 3;
  options.group_start = start;
  options.group_end = end;
  findlr_range_test *test = make(&options);
  for (int i = 0; i < 5; i++) {
    findlr_request request = wants(test, FINDLR_ACTION_STEP);
    ck_assert_uint_eq(request.groups, 3);
    for (uint32_t g = 0; g < 3; g++)
      ck_assert(request.rates[g] == findlr_range_test_rate(test, g, i));
    tell(test, 1);
  }
  const findlr_curve *curve = findlr_range_test_curve(test);
  for (uint32_t g = 0; g < 3; g++) {
    ck_assert(findlr_curve_lr(curve, g)[0] == start[g]);
    ck_assert(findlr_curve_lr(curve, g)[4] == end[g]);
    ck_assert_double_eq_tol(findlr_curve_lr(curve, g)[2], sqrt(start[g] * end[g]), 1e-12);
  }
  ck_assert(isnan(findlr_range_test_rate(test, 3, 0)));
  ck_assert(isnan(findlr_range_test_rate(test, 0, 5)));
  ck_assert(isnan(findlr_range_test_rate(test, 0, -1)));
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(next_is_for_one_group_and_steps) {
  ERR;
  double lr = 42;
  findlr_range_test_options options = defaults();
  options.groups = 2;
  findlr_range_test *test = make(&options);
  ck_fails(findlr_range_test_next(test, &lr, &err), FINDLR_ERR_STATE, "several groups");
  ck_fails(findlr_range_test_tell(test, 1, &err), FINDLR_ERR_STATE, "nothing was asked");
  findlr_range_test_destroy(test);

  options.groups = 1;
  options.slots = 1;
  options.num_iter = 2;
  options.follow = FINDLR_FOLLOW_VALIDATION;
  test = make(&options);
  ck_fails(findlr_range_test_next(test, &lr, &err), FINDLR_ERR_STATE, "saved");
  wants(test, FINDLR_ACTION_SAVE);
  tell(test, 0);
  next(test);
  tell(test, 1);
  ck_fails(findlr_range_test_next(test, &lr, &err), FINDLR_ERR_STATE, "held-out");
  wants(test, FINDLR_ACTION_EVALUATE);
  tell(test, 1);
  findlr_range_test_cancel(test);
  ck_fails(findlr_range_test_next(test, &lr, &err), FINDLR_ERR_STATE, "restored");
  ck_assert_double_eq(lr, 42);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(linear_mode) {
  findlr_range_test_options options = defaults();
  options.mode = FINDLR_RAMP_LINEAR;
  options.start_lr = 0;
  options.end_lr = 1;
  options.num_iter = 5;
  findlr_range_test *test = make(&options);
  for (int i = 0; i < 5; i++) {
    ck_assert(next(test) == i / 4.0);
    tell(test, 1);
  }
  wants_nothing(test, FINDLR_REASON_FINISHED);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(saves_first_and_restores_last) {
  findlr_range_test_options options = defaults();
  options.slots = 1;
  options.num_iter = 2;
  findlr_range_test *test = make(&options);
  ck_assert_uint_eq(wants(test, FINDLR_ACTION_SAVE).slot, 0);
  tell(test, (double)NAN); /* anything */
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(wants(test, FINDLR_ACTION_STEP).step, i);
    tell(test, 1);
  }
  ck_assert_int_eq(findlr_range_test_reason(test), FINDLR_REASON_FINISHED);
  ck_assert_uint_eq(wants(test, FINDLR_ACTION_RESTORE).slot, 0);
  wants(test, FINDLR_ACTION_RESTORE);
  tell(test, (double)NAN);
  wants_nothing(test, FINDLR_REASON_FINISHED);
  ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), 2);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(restores_on_every_way_out) {
  ERR;
  findlr_range_test_options options = defaults();
  options.slots = 2;
  options.max_skips = 1;
  findlr_range_test *test = make(&options);
  enum { DIVERGED, NOT_FINITE, CANCELLED, FAILED, SKIPPED };
  static const int32_t reasons[] = { FINDLR_REASON_DIVERGED, FINDLR_REASON_NOT_FINITE,
                                     FINDLR_REASON_CANCELLED, FINDLR_REASON_FAILED,
                                     FINDLR_REASON_FAILED };
  for (int way = DIVERGED; way <= SKIPPED; way++) {
    findlr_range_test_reset(test);
    wants(test, FINDLR_ACTION_SAVE);
    tell(test, 0);
    int steps = 0;
    for (; steps < 20; steps++) {
      wants(test, FINDLR_ACTION_STEP);
      tell(test, 1);
    }
    wants(test, FINDLR_ACTION_STEP);
    if (way == DIVERGED) {
      for (; findlr_range_test_reason(test) == FINDLR_REASON_RUNNING; steps++) {
        wants(test, FINDLR_ACTION_STEP);
        tell(test, 1000);
      }
      ck_assert_int_eq(steps, 23);
    } else if (way == NOT_FINITE) {
      tell(test, (double)NAN);
      steps++;
    } else if (way == CANCELLED) {
      findlr_range_test_cancel(test);
    } else if (way == FAILED) {
      findlr_range_test_fail(test);
      ck_fails(findlr_range_test_tell(test, 1, &err), FINDLR_ERR_STATE, "nothing was asked");
    } else {
      skip(test);
    }
    wants(test, FINDLR_ACTION_RESTORE);
    tell(test, 0);
    wants_nothing(test, reasons[way]);
    ck_assert_int_eq(findlr_range_test_steps(test), steps);
  }
  findlr_range_test_destroy(test);
}
END_TEST

/* Nothing was trained yet, and there may be nothing in the slot. */
START_TEST(what_was_not_saved_is_not_restored) {
  findlr_range_test_options options = defaults();
  options.slots = 1;
  findlr_range_test *test = make(&options);
  wants(test, FINDLR_ACTION_SAVE);
  findlr_range_test_fail(test);
  wants_nothing(test, FINDLR_REASON_FAILED);

  findlr_range_test_reset(test);
  wants(test, FINDLR_ACTION_SAVE);
  findlr_range_test_cancel(test);
  wants_nothing(test, FINDLR_REASON_CANCELLED);

  /* A restore that failed is not asked for for ever. */
  findlr_range_test_reset(test);
  wants(test, FINDLR_ACTION_SAVE);
  tell(test, 0);
  findlr_range_test_cancel(test);
  wants(test, FINDLR_ACTION_RESTORE);
  findlr_range_test_fail(test);
  wants_nothing(test, FINDLR_REASON_FAILED);
  findlr_range_test_fail(test);
  findlr_range_test_cancel(test);
  wants_nothing(test, FINDLR_REASON_FAILED);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(follows_validation) {
  ERR;
  findlr_range_test_options options = defaults();
  options.follow = FINDLR_FOLLOW_VALIDATION;
  findlr_range_test *test = make(&options);
  int64_t steps = 0;
  while (findlr_range_test_reason(test) == FINDLR_REASON_RUNNING) {
    ck_assert_int_eq(wants(test, FINDLR_ACTION_STEP).step, steps);
    tell(test, 1); /* the training loss stays low: it is not what is followed */
    ck_assert_int_eq(wants(test, FINDLR_ACTION_EVALUATE).step, steps);
    ck_fails(findlr_range_test_skip(test, &err), FINDLR_ERR_STATE, "only a step");
    ck_assert_int_eq(findlr_range_test_steps(test), steps);
    tell(test, steps < 20 ? 2 : 1000);
    steps++;
  }
  wants_nothing(test, FINDLR_REASON_DIVERGED);
  ck_assert_int_eq(steps, 23);
  const findlr_curve *curve = findlr_range_test_curve(test);
  ck_assert(findlr_curve_loss(curve)[0] == 2 && findlr_curve_train_loss(curve)[0] == 1);
  ck_assert(findlr_curve_loss(curve)[22] == 1000 && findlr_curve_train_loss(curve)[22] == 1);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(skips_leave_the_ramp_where_it_is) {
  findlr_range_test_options options = defaults();
  options.num_iter = 10;
  options.max_skips = 3;
  findlr_range_test *test = make(&options);
  size_t rows = 0;
  for (int i = 0; i < 10; i++) {
    double lr = findlr_range_test_rate(test, 0, i);
    for (int k = 0; k < i % 3; k++, rows++) {
      ck_assert(next(test) == lr);
      skip(test);
      ck_assert_int_eq(findlr_range_test_steps(test), i);
    }
    ck_assert(next(test) == lr);
    tell(test, 5);
    rows++;
  }
  wants_nothing(test, FINDLR_REASON_FINISHED);
  const findlr_curve *curve = findlr_range_test_curve(test);
  ck_assert_uint_eq(findlr_curve_count(curve), rows);
  ck_assert_uint_eq(findlr_curve_flags(curve)[0], 0);
  ck_assert_uint_eq(findlr_curve_flags(curve)[1], FINDLR_POINT_SKIPPED);
  size_t skipped = 0;
  for (size_t i = 0; i < rows; i++)
    if (findlr_curve_flags(curve)[i] & FINDLR_POINT_SKIPPED) {
      ck_assert(isnan(findlr_curve_loss(curve)[i]));
      skipped++;
    }
  ck_assert_uint_eq(skipped, rows - 10);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(too_many_skips) {
  findlr_range_test_options options = defaults();
  options.num_iter = 10;
  options.max_skips = 3;
  findlr_range_test *test = make(&options);
  for (int k = 0; k < 3; k++) {
    next(test);
    skip(test);
  }
  wants_nothing(test, FINDLR_REASON_FAILED);

  /* Never three in a row, but more in all than steps. */
  findlr_range_test_reset(test);
  int skips = 0;
  while (findlr_range_test_reason(test) == FINDLR_REASON_RUNNING) {
    next(test);
    if (skips % 3 < 2) {
      skip(test);
    } else {
      tell(test, 1);
    }
    skips++;
  }
  wants_nothing(test, FINDLR_REASON_FAILED);
  ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), 19);
  ck_assert_int_eq(findlr_range_test_steps(test), 6);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(a_second_run_starts_clean) {
  findlr_range_test *test = make(NULL);
  int64_t steps[3];
  for (int run = 0; run < 3; run++) {
    findlr_range_test_reset(test);
    ck_assert_int_eq(findlr_range_test_reason(test), FINDLR_REASON_RUNNING);
    ck_assert_int_eq(findlr_range_test_steps(test), 0);
    ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), 0);
    int64_t i = 0;
    while (findlr_range_test_reason(test) == FINDLR_REASON_RUNNING) {
      ck_assert(next(test) == findlr_range_test_rate(test, 0, i));
      tell(test, i++ < 30 ? 1 : 500);
    }
    steps[run] = findlr_range_test_steps(test);
    ck_assert_int_eq(findlr_range_test_reason(test), FINDLR_REASON_DIVERGED);
    if (run == 1) { /* from the middle of a run, cancelled */
      findlr_range_test_reset(test);
      next(test);
      findlr_range_test_cancel(test);
    }
  }
  ck_assert_int_eq(steps[0], steps[1]);
  ck_assert_int_eq(steps[0], steps[2]);
  findlr_range_test_destroy(test);
}
END_TEST

static findlr_range_test *under_way;

static void on_signal(int number) {
  (void)number;
  findlr_range_test_cancel(under_way);
}

static void *cancel_from_elsewhere(void *test) {
  findlr_range_test_cancel(test);
  return NULL;
}

START_TEST(cancel_from_a_signal_and_a_thread) {
  under_way = make(NULL);
  signal(SIGUSR1, on_signal);
  next(under_way);
  raise(SIGUSR1);
  ck_assert_int_eq(findlr_range_test_reason(under_way), FINDLR_REASON_RUNNING);
  tell(under_way, 1); /* the step that was under way still counts */
  wants_nothing(under_way, FINDLR_REASON_CANCELLED);
  ck_assert_int_eq(findlr_range_test_steps(under_way), 1);

  findlr_range_test_reset(under_way);
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, cancel_from_elsewhere, under_way), 0);
  ERR;
  double lr;
  while (findlr_range_test_next(under_way, &lr, &err) == FINDLR_OK) {
    tell(under_way, 1);
    if (findlr_range_test_steps(under_way) == 50)
      pthread_join(thread, NULL);
  }
  wants_nothing(under_way, FINDLR_REASON_CANCELLED);
  ck_assert_int_le(findlr_range_test_steps(under_way), 50);
  if (findlr_range_test_steps(under_way) < 50)
    pthread_join(thread, NULL);
  findlr_range_test_destroy(under_way);
}
END_TEST

START_TEST(refusals) {
  ERR;
  findlr_range_test *test = NULL;
#define REFUSED(member, value, text)                                                               \
  do {                                                                                             \
    findlr_range_test_options given = defaults();                                                  \
    given.member = value;                                                                          \
    ck_fails(findlr_range_test_create(NULL, &given, &test, &err), FINDLR_ERR_ARGUMENT, text);      \
    ck_assert_ptr_null(test);                                                                      \
  } while (0)
  REFUSED(struct_size, 8, "findlr_range_test_options has struct_size 8");
  REFUSED(mode, 0, "ramp mode is 0");
  REFUSED(num_iter, 1, "num_iter is 1, wanted 2 to 10000000");
  REFUSED(num_iter, -5, "num_iter is -5");
  REFUSED(num_iter, INT64_MAX, "num_iter is 9223372036854775807");
  REFUSED(groups, 0, "groups is 0");
  REFUSED(groups, 1025, "groups is 1025");
  REFUSED(follow, 2, "follow is 2");
  REFUSED(max_skips, 0, "max_skips is 0");
  REFUSED(max_skips, UINT32_MAX, "max_skips is 4294967295");
  REFUSED(start_lr, 0, "from 0 to 10, wanted finite rates above 0");
  REFUSED(start_lr, -1e-7, "from -1e-07 to 10");
  REFUSED(start_lr, (double)NAN, "from nan");
  REFUSED(end_lr, HUGE_VAL, "to inf");
  REFUSED(start_lr, 10, "from 10 to 10, wanted a start below the end");
  REFUSED(start_lr, 11, "from 11 to 10, wanted a start below the end");
  REFUSED(end_lr, 1e-7 * (1 + 1e-15), "there are no 100 different rates");
  const double start[] = { 1, 2 }, end[] = { 2, 1 };
  findlr_range_test_options options = defaults();
  options.groups = 2;
  options.group_start = start;
  options.group_end = end;
  ck_fails(findlr_range_test_create(NULL, &options, &test, &err), FINDLR_ERR_ARGUMENT,
           "group 1 go from 2 to 1");
  findlr_stop stop;
  findlr_stop_init(&stop, sizeof stop);
  stop.factor = -1;
  REFUSED(stop, &stop, "stop factor is -1");
  ck_fails(findlr_range_test_create(NULL, NULL, NULL, &err), FINDLR_ERR_ARGUMENT, "ret_test");

  findlr_request request;
  findlr_request_init(&request, sizeof request);
  ck_fails(findlr_range_test_ask(NULL, &request, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_range_test_tell(NULL, 1, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_range_test_skip(NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  findlr_range_test_destroy(NULL);
  findlr_range_test_cancel(NULL);
  test = make(NULL);
  request.struct_size = 4;
  ck_fails(findlr_range_test_ask(test, &request, &err), FINDLR_ERR_ARGUMENT, "struct_size 4");
  ck_fails(findlr_range_test_ask(test, NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_range_test_tell(test, 1, &err), FINDLR_ERR_STATE, "nothing was asked");
  findlr_range_test_destroy(test);
}
END_TEST

/* What the caller hands over may go away after create. */
START_TEST(options_are_copied) {
  double start[] = { 1, 2 }, end[] = { 3, 4 };
  findlr_stop stop;
  findlr_stop_init(&stop, sizeof stop);
  findlr_smoothing smoothing = { sizeof smoothing, FINDLR_SMOOTHING_NONE, 0 };
  stop.rule = FINDLR_STOP_FACTOR;
  stop.factor = 2;
  stop.smoothing = &smoothing;
  findlr_range_test_options options = defaults();
  options.groups = 2;
  options.group_start = start;
  options.group_end = end;
  options.stop = &stop;
  findlr_range_test *test = make(&options);
  start[0] = start[1] = end[0] = end[1] = (double)NAN;
  memset(&stop, 0xff, sizeof stop);
  memset(&smoothing, 0xff, sizeof smoothing);
  ck_assert(wants(test, FINDLR_ACTION_STEP).rates[1] == 2);
  tell(test, 1);
  wants(test, FINDLR_ACTION_STEP);
  tell(test, 2.5);
  wants_nothing(test, FINDLR_REASON_DIVERGED);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(no_memory) {
  ERR;
  findlr_range_test_options options = defaults();
  options.groups = 3;
  for_each_failure(a) {
    findlr_range_test *test = NULL;
    int32_t status = findlr_range_test_create(&a.allocator, &options, &test, &err);
    ck_no_memory(status, a);
    ck_assert((test != NULL) == (status == FINDLR_OK));
    findlr_range_test_destroy(test);
  }
}
END_TEST

START_TEST(nothing_allocates_after_create) {
  ERR;
  test_allocator a;
  test_allocator_init(&a);
  findlr_range_test_options options = defaults();
  options.num_iter = 10;
  options.max_skips = 2;
  findlr_range_test *test = NULL;
  ck_ok(findlr_range_test_create(&a.allocator, &options, &test, &err));
  size_t calls = a.calls;
  double lr;
  for (int run = 0; run < 2; run++, findlr_range_test_reset(test))
    for (int i = 0; findlr_range_test_next(test, &lr, &err) == FINDLR_OK; i++) {
      if (i % 2)
        tell(test, 1);
      else
        skip(test);
    }
  ck_assert_uint_eq(a.calls, calls);
  findlr_range_test_destroy(test);
  test_allocator_check(&a);
}
END_TEST

START_TEST(suggests) {
  ERR;
  findlr_range_test *test = make(NULL);
  double lr;
  while (findlr_range_test_next(test, &lr, &err) == FINDLR_OK) {
    double x = log10(lr), up = fmax(0, x + 0.5);
    tell(test, 2.3 - 1.8 / (1 + exp(-3 * (x + 2.5))) + 5 * up * up);
  }
  findlr_suggestion suggestion;
  findlr_suggestion_init(&suggestion, sizeof suggestion);
  ck_ok(findlr_range_test_suggest(test, NULL, &suggestion, &err));
  ck_assert_int_eq(suggestion.verdict, FINDLR_VERDICT_GOOD);
  ck_assert_double_eq_tol(log10(suggestion.lr), -2.05, 0.1);
  ck_fails(findlr_range_test_suggest(NULL, NULL, &suggestion, &err), FINDLR_ERR_ARGUMENT, "NULL");
  findlr_range_test_destroy(test);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("range_test");
  TCase *c = tcase_create("range_test");
  tcase_add_test(c, the_short_loop);
  tcase_add_test(c, asking_twice_is_asking_once);
  tcase_add_test(c, a_ramp_for_each_group);
  tcase_add_test(c, next_is_for_one_group_and_steps);
  tcase_add_test(c, linear_mode);
  tcase_add_test(c, saves_first_and_restores_last);
  tcase_add_test(c, restores_on_every_way_out);
  tcase_add_test(c, what_was_not_saved_is_not_restored);
  tcase_add_test(c, follows_validation);
  tcase_add_test(c, skips_leave_the_ramp_where_it_is);
  tcase_add_test(c, too_many_skips);
  tcase_add_test(c, a_second_run_starts_clean);
  tcase_add_test(c, cancel_from_a_signal_and_a_thread);
  tcase_add_test(c, refusals);
  tcase_add_test(c, options_are_copied);
  tcase_add_test(c, no_memory);
  tcase_add_test(c, nothing_allocates_after_create);
  tcase_add_test(c, suggests);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
