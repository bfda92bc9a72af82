/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "train/split.h"
#include "train/standardize.h"

enum { ROWS = 200 };

static int64_t class_of[ROWS];

/* 150 of class 0, 45 of class 1, 4 of class 2, 1 of class 3. */
static void fill(void) {
  for (int i = 0; i < ROWS; i++)
    class_of[i] = i % 4 != 3 ? 0 : i < 180 ? 1 : i == 199 ? 3 : 2;
}

static findlr__split make(int64_t classes, double fraction, uint64_t seed) {
  ERR;
  findlr__split split;
  ck_ok(findlr__split_make(&split, &findlr__default_allocator, ROWS, classes, class_of, fraction,
                           seed, &err));
  return split;
}

START_TEST(every_row_is_on_one_side) {
  fill();
  findlr__split split = make(4, 0.2, 5);
  int seen[ROWS] = { 0 };
  ck_assert_int_eq(split.training + split.validation, ROWS);
  ck_assert_int_eq(split.validation, 40);
  for (int i = 0; i < ROWS; i++)
    seen[split.rows[i]]++;
  for (int i = 0; i < ROWS; i++)
    ck_assert_int_eq(seen[i], 1);
  findlr__split_free(&split, &findlr__default_allocator);
}
END_TEST

START_TEST(each_class_gives_its_share_and_keeps_a_row) {
  fill();
  int have[4] = { 0 }, held[4] = { 0 };
  findlr__split split = make(4, 0.2, 5);
  for (int i = 0; i < ROWS; i++)
    have[class_of[i]]++;
  for (int64_t i = split.training; i < ROWS; i++)
    held[class_of[split.rows[i]]]++;
  for (int c = 0; c < 4; c++)
    ck_assert_msg(fabs(held[c] - 0.2 * have[c]) <= 1 && held[c] < have[c], "class %d: %d of %d", c,
                  held[c], have[c]);
  findlr__split_free(&split, &findlr__default_allocator);
}
END_TEST

START_TEST(a_seed_decides) {
  fill();
  findlr__split a = make(0, 0.3, 1), b = make(0, 0.3, 1), c = make(0, 0.3, 2);
  ck_assert_mem_eq(a.rows, b.rows, ROWS * sizeof(int64_t));
  ck_assert(memcmp(a.rows, c.rows, ROWS * sizeof(int64_t)) != 0);
  findlr__split_free(&a, &findlr__default_allocator);
  findlr__split_free(&b, &findlr__default_allocator);
  findlr__split_free(&c, &findlr__default_allocator);
}
END_TEST

START_TEST(none_held_out_needs_no_list) {
  findlr__split split = make(0, 0, 1);
  int64_t places[] = { 3, 1 };
  findlr__split_training_rows(&split, places, 2);
  ck_assert_int_eq(split.training, ROWS);
  ck_assert_int_eq(places[0], 3);
  ck_assert_ptr_null(split.rows);
}
END_TEST

START_TEST(what_cannot_be_split_is_refused) {
  ERR;
  findlr__split split;
  int64_t lone[] = { 0, 1, 2 };
  ck_fails(findlr__split_make(&split, &findlr__default_allocator, 1, 0, NULL, 0.5, 0, &err),
           FINDLR_ERR_ARGUMENT, "1 row");
  ck_fails(findlr__split_make(&split, &findlr__default_allocator, 3, 3, lone, 0.5, 0, &err),
           FINDLR_ERR_ARGUMENT, "every class has a single row");
}
END_TEST

START_TEST(standardized_inputs_have_mean_0_and_deviation_1) {
  ERR;
  float x[6][3] = { { 1, 1000, 5 }, { 2, 1001, 5 }, { 3, 1002, 5 },
                    { 4, 1003, 5 }, { 5, 1004, 5 }, { 6, 1005, 5 } };
  int64_t shape[] = { 6, 3 };
  findlr_tensor t = { .data = x, .device_type = FINDLR_DEVICE_CPU, .ndim = 2, .shape = shape };
  findlr__tensor_set_dtype(&t, FINDLR_DTYPE_FLOAT32);
  findlr__standardize s;
  ck_ok(findlr__standardize_make(&s, &findlr__default_allocator, 3, &err));
  findlr__standardize_add(&s, &t);
  findlr__standardize_finish(&s);
  findlr__standardize_apply(&s, &t);
  for (int j = 0; j < 2; j++) {
    double sum = 0, squares = 0;
    for (int i = 0; i < 6; i++) {
      sum += x[i][j];
      squares += x[i][j] * x[i][j];
    }
    ck_assert_double_eq_tol(sum, 0, 1e-5);
    ck_assert_double_eq_tol(squares / 6, 1, 1e-5);
  }
  ck_assert_double_eq(x[4][2], 0); /* a constant is centred, not blown up */
  findlr__standardize_free(&s, &findlr__default_allocator);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("split");
  TCase *t = tcase_create("split");
  tcase_add_test(t, every_row_is_on_one_side);
  tcase_add_test(t, each_class_gives_its_share_and_keeps_a_row);
  tcase_add_test(t, a_seed_decides);
  tcase_add_test(t, none_held_out_needs_no_list);
  tcase_add_test(t, what_cannot_be_split_is_refused);
  tcase_add_test(t, standardized_inputs_have_mean_0_and_deviation_1);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
