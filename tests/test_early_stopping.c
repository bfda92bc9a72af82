/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "core/random.h"

/* --- Keras ------------------------------------------------------------------------------------ */

/* keras/src/callbacks/early_stopping.py, EarlyStopping with a mode given: on_epoch_end, and what
 * on_train_end restores. */
typedef struct keras {
  bool max, has_baseline, restore, has_weights, stop;
  double min_delta, baseline, best;
  int64_t patience, start_from, wait, best_epoch, stopped_epoch;
} keras;

static bool keras_is_improvement(const keras *k, double value, double reference) {
  /* min_delta is negated for less */
  return k->max ? value - k->min_delta > reference : value - -k->min_delta < reference;
}

static void keras_epoch_end(keras *k, int64_t epoch, double current) {
  if (epoch < k->start_from)
    return;
  if (!k->has_weights) {
    k->has_weights = true;
    k->best_epoch = epoch;
  }
  k->wait++;
  if (keras_is_improvement(k, current, k->best)) {
    k->best = current;
    k->best_epoch = epoch;
    if (!k->has_baseline || keras_is_improvement(k, current, k->baseline))
      k->wait = 0;
    return;
  }
  if (k->wait >= k->patience && epoch > 0) {
    k->stopped_epoch = epoch;
    k->stop = true;
  }
}

static findlr_early_stopping *make(const findlr_early_stopping_options *options) {
  ERR;
  findlr_early_stopping *s = NULL;
  ck_ok(findlr_early_stopping_create(NULL, options, &s, &err));
  return s;
}

static findlr_early_stopping_options defaults(void) {
  findlr_early_stopping_options options;
  findlr_early_stopping_options_init(&options, sizeof options);
  return options;
}

static uint32_t tell(findlr_early_stopping *s, int64_t step, double metric) {
  uint32_t said = 99;
  if (findlr_early_stopping_tell(s, step, metric, &said, NULL) != FINDLR_OK)
    ck_abort_msg("step %lld", (long long)step);
  return said;
}

/* Random metrics and random options: the same epoch stops, the same epoch is the best. Every other
 * run goes through save and load after each metric. */
START_TEST(as_keras) {
  ERR;
  uint64_t random[4];
  findlr__random_seed(random, 42);
  int stops = 0, with_nan = 0;
  for (int trial = 0; trial < 4000; trial++) {
    keras k = { .restore = true };
    k.max = findlr__random_next(random) & 1;
    k.patience = (int64_t)(findlr__random_next(random) % 5);
    k.min_delta = findlr__random_next(random) & 1 ? 0 : 0.25;
    k.has_baseline = (findlr__random_next(random) & 3) == 0;
    k.baseline = 2;
    k.start_from = findlr__random_next(random) & 1 ? 0 : (int64_t)(findlr__random_next(random) % 8);
    k.best = k.max ? -HUGE_VAL : HUGE_VAL;
    findlr_early_stopping_options options = defaults();
    options.mode = k.max ? FINDLR_METRIC_MAX : FINDLR_METRIC_MIN;
    options.patience = k.patience;
    options.min_delta = k.min_delta;
    options.baseline = k.has_baseline ? k.baseline : (double)NAN;
    options.start_from = k.start_from;
    options.restore_best = 1;
    findlr_early_stopping *s = make(&options);
    for (int64_t epoch = 0; epoch < 60 && !k.stop; epoch++) {
      /* A quarter of the values equal others, so that ties happen. */
      double metric = (double)(findlr__random_next(random) % 24) / 4;
      if (findlr__random_next(random) % 16 == 0) {
        metric = (double)NAN;
        with_nan++;
      }
      int64_t best_before = k.has_weights ? k.best_epoch : -1;
      keras_epoch_end(&k, epoch, metric);
      uint32_t said = tell(s, epoch, metric);
      int64_t best_now = k.has_weights ? k.best_epoch : -1;
      ck_quick(((said & FINDLR_EARLY_STOPPING_BEST) != 0) == (best_now != best_before),
               "trial %d, epoch %d: best", trial, (int)epoch);
      ck_quick(((said & FINDLR_EARLY_STOPPING_STOP) != 0) == k.stop, "trial %d, epoch %d: stop", trial,
               (int)epoch);
      ck_quick(findlr_early_stopping_best_step(s) == best_now, "trial %d, epoch %d: best step", trial,
               (int)epoch);
      ck_quick(findlr_early_stopping_restores(s) == k.has_weights, "trial %d", trial);
      if (isfinite(k.best))
        ck_quick(findlr_early_stopping_best(s) == k.best, "trial %d", trial);
      else
        ck_quick(isnan(findlr_early_stopping_best(s)), "trial %d", trial);
      if (trial & 1) {
        double state[8];
        size_t count;
        ck_quick(findlr_early_stopping_save(s, state, 8, &count, &err) == FINDLR_OK, "%s", err.message);
        findlr_early_stopping_destroy(s);
        s = make(&options);
        ck_quick(findlr_early_stopping_load(s, state, count, &err) == FINDLR_OK, "%s", err.message);
      }
    }
    ck_quick(findlr_early_stopping_stopped_step(s) == (k.stop ? k.stopped_epoch : -1), "trial %d", trial);
    stops += k.stop;
    findlr_early_stopping_destroy(s);
  }
  ck_assert_int_gt(stops, 2000);
  ck_assert_int_gt(with_nan, 1000);
}
END_TEST

/* --- by hand ---------------------------------------------------------------------------------- */

START_TEST(defaults_of_keras) {
  findlr_early_stopping_options o = defaults();
  ck_assert_uint_eq(o.struct_size, sizeof o);
  ck_assert(o.mode == FINDLR_METRIC_MIN && o.patience == 0 && o.min_delta == 0 && isnan(o.baseline) &&
            o.start_from == 0 && o.nan == FINDLR_NAN_IS_NO_IMPROVEMENT && o.restore_best == 0);
  findlr_early_stopping *s = make(NULL);
  ck_assert_int_eq(findlr_early_stopping_best_step(s), -1);
  ck_assert(isnan(findlr_early_stopping_best(s)));
  ck_assert_uint_eq(tell(s, 0, 2), FINDLR_EARLY_STOPPING_BEST);
  ck_assert_uint_eq(tell(s, 7, 1), FINDLR_EARLY_STOPPING_BEST);
  ck_assert_uint_eq(tell(s, 9, 1), FINDLR_EARLY_STOPPING_STOP);
  ck_assert_int_eq(findlr_early_stopping_stopped_step(s), 9);
  ck_assert_int_eq(findlr_early_stopping_best_step(s), 7);
  ck_assert_double_eq(findlr_early_stopping_best(s), 1);
  ck_assert_int_eq(findlr_early_stopping_restores(s), 0);
  /* As if nothing had been. */
  ck_assert_uint_eq(tell(s, 10, 0.5), FINDLR_EARLY_STOPPING_BEST);
  findlr_early_stopping_destroy(s);
}
END_TEST

START_TEST(not_finite) {
  const double bad[] = { (double)NAN, HUGE_VAL, -HUGE_VAL };
  findlr_early_stopping_options o = defaults();
  o.nan = FINDLR_NAN_STOPS;
  o.patience = 100;
  o.start_from = 50;
  for (int i = 0; i < 3; i++) {
    findlr_early_stopping *s = make(&o);
    ck_assert_uint_eq(tell(s, 0, 1), 0);
    ck_assert_uint_eq(tell(s, 1, bad[i]), FINDLR_EARLY_STOPPING_STOP);
    ck_assert_int_eq(findlr_early_stopping_best_step(s), -1);
    findlr_early_stopping_destroy(s);
  }
  /* Ignored, they only cost patience. */
  o = defaults();
  o.patience = 3;
  findlr_early_stopping *s = make(&o);
  ck_assert_uint_eq(tell(s, 0, (double)NAN), FINDLR_EARLY_STOPPING_BEST);
  ck_assert(isnan(findlr_early_stopping_best(s)));
  ck_assert_uint_eq(tell(s, 1, 5), FINDLR_EARLY_STOPPING_BEST);
  ck_assert_uint_eq(tell(s, 2, (double)NAN), 0);
  ck_assert_uint_eq(tell(s, 3, HUGE_VAL), 0);
  ck_assert_uint_eq(tell(s, 4, (double)NAN), FINDLR_EARLY_STOPPING_STOP);
  findlr_early_stopping_destroy(s);
}
END_TEST

START_TEST(refusals) {
  ERR;
  findlr_early_stopping *s = NULL;
  findlr_early_stopping_options o = defaults();
#define REFUSED(member, value, text)                                                               \
  o = defaults();                                                                                  \
  o.member = value;                                                                                \
  ck_fails(findlr_early_stopping_create(NULL, &o, &s, &err), FINDLR_ERR_ARGUMENT, text)
  REFUSED(mode, 2, "mode is 2");
  REFUSED(patience, -1, "patience is -1");
  REFUSED(patience, INT64_MAX, "patience is 9223372036854775807");
  REFUSED(min_delta, -0.5, "min_delta is -0.5, wanted 0 or more");
  REFUSED(min_delta, (double)NAN, "min_delta is nan");
  REFUSED(min_delta, HUGE_VAL, "min_delta is inf");
  REFUSED(baseline, -HUGE_VAL, "baseline is -inf");
  REFUSED(start_from, INT64_MIN, "start_from is -9223372036854775808");
  REFUSED(nan, 2, "nan is 2, wanted 0 or 1");
  REFUSED(restore_best, 5, "restore_best is 5, wanted 0 or 1");
  REFUSED(struct_size, 4, "struct_size 4");
#undef REFUSED
  ck_assert_ptr_null(s);
  ck_fails(findlr_early_stopping_create(NULL, NULL, NULL, &err), FINDLR_ERR_ARGUMENT, "ret_stopping");
  s = make(NULL);
  uint32_t said = 77;
  tell(s, 5, 1);
  ck_fails(findlr_early_stopping_tell(s, -1, 1, &said, &err), FINDLR_ERR_ARGUMENT, "step -1, wanted 6");
  ck_fails(findlr_early_stopping_tell(s, 5, 1, &said, &err), FINDLR_ERR_ARGUMENT, "step 5, wanted 6");
  ck_fails(findlr_early_stopping_tell(s, INT64_MAX, 1, &said, &err), FINDLR_ERR_ARGUMENT, "9223372036854775807");
  ck_fails(findlr_early_stopping_tell(s, 6, 1, NULL, &err), FINDLR_ERR_ARGUMENT, "ret_said");
  ck_fails(findlr_early_stopping_tell(NULL, 6, 1, &said, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_assert_uint_eq(said, 77);
  ck_assert_int_eq(findlr_early_stopping_best_step(s), 5);
  findlr_early_stopping_destroy(s);
  findlr_early_stopping_destroy(NULL);
  ck_assert(isnan(findlr_early_stopping_best(NULL)));
  ck_assert_int_eq(findlr_early_stopping_best_step(NULL), -1);
  ck_assert_int_eq(findlr_early_stopping_stopped_step(NULL), -1);
  ck_assert_int_eq(findlr_early_stopping_restores(NULL), 0);
}
END_TEST

START_TEST(foreign_state) {
  ERR;
  findlr_early_stopping_options o = defaults();
  o.patience = 3;
  findlr_early_stopping *s = make(&o);
  tell(s, 4, 2);
  tell(s, 6, 3);
  double good[8], after[8];
  size_t count = 0;
  ck_ok(findlr_early_stopping_save(s, NULL, 0, &count, &err));
  ck_assert(count > 0 && count <= 8);
  ck_ok(findlr_early_stopping_save(s, good, 8, &count, &err));
  ck_fails(findlr_early_stopping_save(s, good, count - 1, &count, &err), FINDLR_ERR_LIMIT, "room for 5");
  ck_fails(findlr_early_stopping_save(s, NULL, 8, &count, &err), FINDLR_ERR_LIMIT, "room for 0");
  ck_fails(findlr_early_stopping_save(NULL, good, 8, &count, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_early_stopping_save(s, good, 8, NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_early_stopping_load(s, good, 5, &err), FINDLR_ERR_FORMAT, "has 5 numbers, wanted 6");
  ck_fails(findlr_early_stopping_load(s, NULL, 6, &err), FINDLR_ERR_FORMAT, "has 0 numbers");
  ck_fails(findlr_early_stopping_load(NULL, good, 6, &err), FINDLR_ERR_ARGUMENT, "NULL");
  const double bad[] = { (double)NAN, 0.5, -2, 1e300, HUGE_VAL, 7 };
  for (size_t place = 0; place < count; place++)
    for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
      double twisted[8];
      memcpy(twisted, good, sizeof twisted);
      twisted[place] = bad[j];
      if ((place == 0 && j > 0) || (place == 3 && bad[j] == 7))
        continue; /* a best, or a last step, that may be */
      ck_fails(findlr_early_stopping_load(s, twisted, count, &err), FINDLR_ERR_FORMAT, "the same options");
    }
  ck_ok(findlr_early_stopping_save(s, after, 8, &count, &err));
  ck_assert_mem_eq(good, after, count * sizeof(double));
  findlr_early_stopping_destroy(s);
}
END_TEST

START_TEST(by_spec_string) {
  ERR;
  findlr_context *context;
  findlr_context_options none;
  findlr_context_options_init(&none, sizeof none);
  none.flags = FINDLR_CONTEXT_NO_LOADING | FINDLR_CONTEXT_NO_ENVIRONMENT;
  ck_ok(findlr_context_create(&none, &context, &err));
  findlr_early_stopping_options o = { .struct_size = sizeof o };
  ck_ok(findlr_early_stopping_parse(context, "max:5,0.01,baseline=-1.5,start_from=100,nan=stop,"
                                             "restore_best=yes", &o, &err));
  ck_assert(o.mode == FINDLR_METRIC_MAX && o.patience == 5 && o.min_delta == 0.01 && o.baseline == -1.5 &&
            o.start_from == 100 && o.nan == FINDLR_NAN_STOPS && o.restore_best == 1);
  ck_ok(findlr_early_stopping_parse(context, "min", &o, &err));
  ck_assert(o.mode == FINDLR_METRIC_MIN && o.patience == 0 && o.min_delta == 0 && isnan(o.baseline) &&
            o.start_from == 0 && o.nan == 0 && o.restore_best == 0 && o.struct_size == sizeof o);
#define BAD(text, status, sentence)                                                                \
  ck_fails(findlr_early_stopping_parse(context, text, &o, &err), status, sentence)
  BAD("mix", FINDLR_ERR_NOT_FOUND, "there is no early stopping named \"mix\"");
  BAD("min:patiense=5", FINDLR_ERR_NOT_FOUND, "did you mean \"patience\"?");
  BAD("min:patience=-5", FINDLR_ERR_ARGUMENT, "patience");
  BAD("min:baseline=good", FINDLR_ERR_ARGUMENT, "option baseline is \"good\", wanted a finite number");
  BAD("min:baseline=inf", FINDLR_ERR_ARGUMENT, "option baseline is \"inf\"");
  BAD("min:nan=5", FINDLR_ERR_ARGUMENT, "ignore|stop");
#undef BAD
  ck_fails(findlr_early_stopping_parse(context, "min", NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_early_stopping_parse(NULL, "min", &o, &err), FINDLR_ERR_ARGUMENT, "NULL");
  findlr_context_destroy(context);
}
END_TEST

START_TEST(no_memory) {
  ERR;
  for_each_failure(a) {
    findlr_early_stopping *s = NULL;
    int32_t status = findlr_early_stopping_create(&a.allocator, NULL, &s, &err);
    ck_no_memory(status, a);
    findlr_early_stopping_destroy(s);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("early stopping");
  TCase *c = tcase_create("early stopping");
  tcase_add_test(c, as_keras);
  tcase_add_test(c, defaults_of_keras);
  tcase_add_test(c, not_finite);
  tcase_add_test(c, refusals);
  tcase_add_test(c, foreign_state);
  tcase_add_test(c, by_spec_string);
  tcase_add_test(c, no_memory);
  tcase_set_timeout(c, 60);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
