/* SPDX-License-Identifier: MIT */
#include "support.h"

/* A trainer that is nothing but a number: each step subtracts the rate; the loss is what the test
 * wants it to be. */
typedef struct toy {
  double weight, slots[4];
  int steps, saves, restores, evaluations;
  int fail_at, skip_at, skip_from, cancel_at, diverge_at, break_control_word;
  int fail_save, fail_restore;
  findlr_range_test *test;
  char text[64];
} toy;

static int32_t toy_step(void *self, const double *rates, uint32_t n, double *ret_loss) {
  toy *t = self;
  (void)n;
  t->steps++;
  if (t->fail_at && t->steps == t->fail_at) {
    strcpy(t->text, "the toy broke");
    return FINDLR_ERR_BACKEND;
  }
  if (t->skip_at == t->steps || (t->skip_from && t->steps >= t->skip_from))
    return FINDLR_SKIPPED;
  t->weight -= rates[0];
#ifdef __x86_64__
  if (t->break_control_word)
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
  *ret_loss = t->diverge_at && t->steps >= t->diverge_at ? INFINITY : 2 - 0.01 * t->steps;
  return FINDLR_OK;
}

static int32_t toy_evaluate(void *self, double *ret_loss) {
  toy *t = self;
  *ret_loss = 10 + ++t->evaluations;
  return FINDLR_OK;
}

static int32_t toy_save(void *self, uint32_t slot) {
  toy *t = self;
  if (t->fail_save)
    return FINDLR_ERR_NO_MEMORY;
  t->slots[slot] = t->weight;
  t->saves++;
  return FINDLR_OK;
}

static int32_t toy_restore(void *self, uint32_t slot) {
  toy *t = self;
  if (t->fail_restore)
    return -99;
  t->weight = t->slots[slot];
  t->restores++;
  return FINDLR_OK;
}

static const char *toy_message(void *ud) {
  return ((toy *)ud)->text;
}

static const findlr_trainer_vtable toy_vtable = {
  .struct_size = sizeof toy_vtable,
  .step = toy_step,
  .evaluate = toy_evaluate,
  .save = toy_save,
  .restore = toy_restore,
};

static findlr_trainer trainer(toy *t) {
  t->weight = 1.25;
  return (findlr_trainer){ sizeof(findlr_trainer), 0, &toy_vtable, t, toy_message, t };
}

static findlr_range_test *make(int64_t num_iter, uint32_t follow, uint32_t slots) {
  ERR;
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.num_iter = num_iter;
  o.follow = follow;
  o.slots = slots;
  findlr_range_test *test = NULL;
  ck_ok(findlr_range_test_create(NULL, &o, &test, &err));
  return test;
}

static int32_t progress(void *ud, const findlr_range_test *test) {
  toy *t = ud;
  return t->cancel_at && findlr_range_test_steps(test) == t->cancel_at;
}

START_TEST(every_way_out_restores) {
  struct {
    toy t;
    int32_t status, reason;
    size_t rows;
    const char *text;
  } ways[] = {
    { { .weight = 0 }, FINDLR_OK, FINDLR_REASON_FINISHED, 20, "" },
    { { .diverge_at = 8 }, FINDLR_OK, FINDLR_REASON_NOT_FINITE, 8, "" },
    { { .cancel_at = 5 }, FINDLR_ERR_CANCELLED, FINDLR_REASON_CANCELLED, 5, "cancelled at step 5" },
    { { .fail_at = 4 }, FINDLR_ERR_BACKEND, FINDLR_REASON_FAILED, 3, "the toy broke" },
    { { .skip_from = 3 }, FINDLR_ERR_BACKEND, FINDLR_REASON_FAILED, 18, "skipped too many" },
  };
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    ERR;
    findlr_range_test *test = make(20, FINDLR_FOLLOW_TRAIN, 0);
    findlr_trainer t = trainer(&ways[i].t);
    findlr_drive_options o;
    findlr_drive_options_init(&o, sizeof o);
    o.progress = progress;
    o.ud = &ways[i].t;
    ck_fails(findlr_drive(test, &t, &o, &err), ways[i].status, ways[i].text);
    ck_assert_int_eq(findlr_range_test_reason(test), ways[i].reason);
    ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), ways[i].rows);
    ck_assert_double_eq(ways[i].t.weight, 1.25);
    ck_assert_int_eq(ways[i].t.restores, 1);
    findlr_range_test_destroy(test);
  }
}
END_TEST

START_TEST(a_second_run_starts_clean) {
  ERR;
  toy one = { .cancel_at = 5 };
  findlr_range_test *test = make(20, FINDLR_FOLLOW_TRAIN, 0);
  findlr_trainer t = trainer(&one);
  findlr_drive_options o;
  findlr_drive_options_init(&o, sizeof o);
  o.progress = progress;
  o.ud = &one;
  ck_fails(findlr_drive(test, &t, &o, &err), FINDLR_ERR_CANCELLED, "");
  one.cancel_at = 0;
  one.steps = 0;
  ck_ok(findlr_drive(test, &t, &o, &err));
  ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), 20);
  ck_assert_double_eq(findlr_curve_lr(findlr_range_test_curve(test), 0)[0], 1e-7);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(a_cancel_before_the_start_holds) {
  ERR;
  toy one = { 0 };
  findlr_range_test *test = make(20, FINDLR_FOLLOW_TRAIN, 0);
  findlr_trainer t = trainer(&one);
  findlr_range_test_cancel(test);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_CANCELLED, "step 0");
  ck_assert_int_eq(one.steps, 0);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(a_skipped_step_does_not_move_the_ramp) {
  ERR;
  toy one = { .skip_at = 3 };
  findlr_range_test *test = make(20, FINDLR_FOLLOW_TRAIN, 0);
  findlr_trainer t = trainer(&one);
  ck_ok(findlr_drive(test, &t, NULL, &err));
  const findlr_curve *curve = findlr_range_test_curve(test);
  ck_assert_uint_eq(findlr_curve_count(curve), 21);
  ck_assert(findlr_curve_flags(curve)[2] & FINDLR_POINT_SKIPPED);
  ck_assert_double_eq(findlr_curve_lr(curve, 0)[2], findlr_curve_lr(curve, 0)[3]);
  ck_assert_int_eq(findlr_range_test_steps(test), 20);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(the_held_out_loss_can_be_followed) {
  ERR;
  toy one = { 0 };
  findlr_range_test *test = make(10, FINDLR_FOLLOW_VALIDATION, 0);
  findlr_trainer t = trainer(&one);
  ck_ok(findlr_drive(test, &t, NULL, &err));
  const findlr_curve *curve = findlr_range_test_curve(test);
  ck_assert_int_eq(one.evaluations, 10);
  ck_assert_double_eq(findlr_curve_loss(curve)[3], 14);
  ck_assert_double_eq_tol(findlr_curve_train_loss(curve)[3], 1.96, 1e-12);
  findlr_trainer_vtable blind = toy_vtable;
  blind.evaluate = NULL;
  t.vtable = &blind;
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_UNSUPPORTED, "cannot evaluate");
  ck_assert_double_eq(one.weight, 1.25);
  findlr_range_test_destroy(test);
}
END_TEST

static int32_t toy_describe(void *self, findlr_trainer_info *out) {
  (void)self;
  out->group_count = 3;
  out->slot_count = 4;
  out->can_evaluate = 1;
  out->about = "a toy";
  return FINDLR_OK;
}

static const void *toy_extension(void *self, const char *id) {
  (void)self;
  static const findlr_trainer_about about = { sizeof about, 0, toy_describe };
  return strcmp(id, FINDLR_EXT_TRAINER) == 0 ? &about : NULL;
}

START_TEST(a_trainer_says_what_it_can_do) {
  ERR;
  toy one = { 0 };
  findlr_trainer t = trainer(&one);
  findlr_trainer_info info = { .struct_size = sizeof info };
  ck_ok(findlr_trainer_describe(&t, &info, &err));
  ck_assert_uint_eq(info.group_count, 0);
  ck_assert_uint_eq(info.slot_count, UINT32_MAX);
  ck_assert_uint_eq(info.can_evaluate, 1);
  ck_assert_str_eq(info.about, "");
  findlr_trainer_vtable able = toy_vtable;
  able.get_extension = toy_extension;
  able.evaluate = NULL;
  t.vtable = &able;
  ck_ok(findlr_trainer_describe(&t, &info, &err));
  ck_assert_uint_eq(info.group_count, 3);
  ck_assert_uint_eq(info.slot_count, 4);
  ck_assert_uint_eq(info.can_evaluate, 0); /* whatever it says: the slot is NULL */
  ck_assert_str_eq(info.about, "a toy");
  info.struct_size = 4;
  ck_fails(findlr_trainer_describe(&t, &info, &err), FINDLR_ERR_ARGUMENT, "struct_size 4");
  ck_fails(findlr_trainer_describe(NULL, &info, &err), FINDLR_ERR_ARGUMENT, "not filled in");
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.groups = 2;
  findlr_range_test *test = NULL;
  ck_ok(findlr_range_test_create(NULL, &o, &test, &err));
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_ARGUMENT,
           "the test has 2 parameter groups, but the trainer has 3");
  findlr_range_test_destroy(test);
  test = make(10, FINDLR_FOLLOW_VALIDATION, 0);
  ck_assert_uint_eq(findlr_range_test_follow(test), FINDLR_FOLLOW_VALIDATION);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_UNSUPPORTED, "cannot evaluate");
  ck_assert_int_eq(one.steps, 0);
  ck_assert_int_eq(one.saves, 0);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(the_tests_own_save_and_restore_are_obeyed) {
  ERR;
  toy one = { 0 };
  findlr_range_test *test = make(10, FINDLR_FOLLOW_TRAIN, 1);
  findlr_trainer t = trainer(&one);
  ck_ok(findlr_drive(test, &t, NULL, &err));
  ck_assert_int_ge(one.saves, 1);
  ck_assert_int_ge(one.restores, 1);
  ck_assert_double_eq(one.weight, 1.25);
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(a_trainer_that_cannot_go_back_is_said_so) {
  ERR;
  toy one = { .fail_save = 1 };
  findlr_range_test *test = make(10, FINDLR_FOLLOW_TRAIN, 0);
  findlr_trainer t = trainer(&one);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_NO_MEMORY, "save failed");
  ck_assert_int_eq(one.steps, 0);
  one.fail_save = 0;
  one.fail_restore = 1;
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_BACKEND, "could not be restored");
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(what_failed_first_is_said_first) {
  ERR;
  toy one = { .fail_at = 3, .fail_restore = 1 };
  findlr_range_test *test = make(10, FINDLR_FOLLOW_TRAIN, 0);
  findlr_trainer t = trainer(&one);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_BACKEND, 
           "the toy broke; nor could the trainer be restored: ");
  findlr_range_test_destroy(test);
}
END_TEST

START_TEST(half_a_trainer_is_refused) {
  ERR;
  toy one = { 0 };
  findlr_range_test *test = make(10, FINDLR_FOLLOW_TRAIN, 0);
  findlr_trainer t = trainer(&one);
  findlr_trainer_vtable lacking = toy_vtable;
  lacking.restore = NULL;
  t.vtable = &lacking;
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_ARGUMENT, "restore");
  t.struct_size = 0;
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_ARGUMENT, "not filled in");
  findlr_range_test_destroy(test);
}
END_TEST

/* --- a trainer by name ------------------------------------------------------------------------ */

static int32_t named_create(const findlr_host *host, void *ctx, const findlr_trainer_spec *spec,
                            void **ret_self) {
  static const char text[] = "the toy has no wheels";
  toy *t = spec->user;
  if (!spec->options[0]->integer) {
    host->set_error(ctx, FINDLR_ERR_ARGUMENT, text, sizeof text - 1);
    return FINDLR_ERR_ARGUMENT;
  }
  t->weight = 1.25;
  t->steps = (int)spec->seed;
  *ret_self = t;
  return FINDLR_OK;
}

static void named_destroy(void *self) {
  ((toy *)self)->steps = -1;
}

static int32_t named_option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
  (void)i;
  *out = (findlr_option){ sizeof *out, FINDLR_OPTION_INTEGER, "wheels", "how many", "4", NULL, 0, 8 };
  return FINDLR_OK;
}

START_TEST(a_trainer_can_be_made_by_name) {
  for_each_failure(a) {
    ERR;
    toy one = { 0 };
    findlr_trainer_vtable vtable = toy_vtable;
    vtable.create = named_create;
    vtable.destroy = named_destroy;
    const findlr_component component = {
      .struct_size = sizeof component, .kind = FINDLR_KIND_TRAINER, .name = "toy",
      .help = "a trainer of the tests", .vtable = &vtable, .user = &one, .option_count = 1,
      .option = named_option,
    };
    findlr_context_options o;
    findlr_context_options_init(&o, sizeof o);
    o.allocator = &a.allocator;
    findlr_context *context = NULL;
    findlr_trainer t = { 0 };
    int32_t status = findlr_context_create(&o, &context, &err);
    if (!status)
      status = findlr_register(context, &component, &err);
    if (!status)
      status = findlr_trainer_create(context, "toy:wheels=3", 1, 7, &t, &err);
    ck_no_memory(status, a);
    if (!status) {
      findlr_range_test *test = make(10, FINDLR_FOLLOW_TRAIN, 0);
      ck_assert_int_eq(one.steps, 7);
      ck_ok(findlr_drive(test, &t, NULL, &err));
      ck_assert_double_eq(one.weight, 1.25);
      findlr_range_test_destroy(test);
      findlr_trainer_destroy(&t);
      ck_assert_int_eq(one.steps, -1);
    }
    a.fail_at = 0; /* and what is wrong is said */
    if (context && !a.failed) {
      ck_fails(findlr_trainer_create(context, "toy:wheels=0", 1, 7, &t, &err), FINDLR_ERR_ARGUMENT,
               "trainer toy: the toy has no wheels");
      ck_fails(findlr_trainer_create(context, "toi", 1, 7, &t, &err), FINDLR_ERR_NOT_FOUND, "toy");
    }
    findlr_context_destroy(context);
  }
}
END_TEST

#ifdef __x86_64__
static void count_log(void *ud, int32_t level, const char *text, size_t len) {
  (void)text;
  (void)len;
  if (level == FINDLR_LOG_MISBEHAVING)
    ++*(int *)ud;
}

START_TEST(a_changed_control_word_is_put_back_and_said_once) {
  ERR;
  toy one = { .break_control_word = 1 };
  int said = 0;
  findlr_range_test *test = make(10, FINDLR_FOLLOW_TRAIN, 0);
  findlr_trainer t = trainer(&one);
  findlr_drive_options o;
  findlr_drive_options_init(&o, sizeof o);
  o.log = count_log;
  o.ud = &said;
  uint32_t before = __builtin_ia32_stmxcsr() & ~0x3Fu;
  ck_ok(findlr_drive(test, &t, &o, &err));
  ck_assert_uint_eq(__builtin_ia32_stmxcsr() & ~0x3Fu, before);
  ck_assert_int_eq(said, 1);
  findlr_range_test_destroy(test);
}
END_TEST
#endif

static Suite *suite(void) {
  Suite *s = suite_create("driver");
  TCase *t = tcase_create("driver");
  tcase_add_test(t, every_way_out_restores);
  tcase_add_test(t, a_second_run_starts_clean);
  tcase_add_test(t, a_cancel_before_the_start_holds);
  tcase_add_test(t, a_skipped_step_does_not_move_the_ramp);
  tcase_add_test(t, the_held_out_loss_can_be_followed);
  tcase_add_test(t, a_trainer_says_what_it_can_do);
  tcase_add_test(t, the_tests_own_save_and_restore_are_obeyed);
  tcase_add_test(t, a_trainer_that_cannot_go_back_is_said_so);
  tcase_add_test(t, what_failed_first_is_said_first);
  tcase_add_test(t, half_a_trainer_is_refused);
  tcase_add_test(t, a_trainer_can_be_made_by_name);
#ifdef __x86_64__
  /* valgrind does not show changes of MXCSR, so there this one would fail for no fault of ours. */
  if (!getenv("FINDLR_TEST_VALGRIND"))
    tcase_add_test(t, a_changed_control_word_is_put_back_and_said_once);
#endif
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
