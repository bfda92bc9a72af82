/* SPDX-License-Identifier: MIT */
#include "support.h"

START_TEST(rows_come_back_as_they_were) {
  ERR;
  findlr_curve *curve;
  ck_ok(findlr_curve_create(NULL, 2, 0, &curve, &err));
  ck_assert_uint_eq(findlr_curve_groups(curve), 2);
  for (size_t i = 0; i < 1000; i++) {
    double rates[2] = { 0.1 * (double)i, -1.0 / (double)(i + 1) };
    ck_ok(findlr_curve_append(curve, rates, (double)i / 3, (double)i / 7, 0, &err));
  }
  ck_assert_uint_eq(findlr_curve_count(curve), 1000);
  for (size_t i = 0; i < 1000; i++) {
    ck_assert(findlr_curve_lr(curve, 0)[i] == 0.1 * (double)i);
    ck_assert(findlr_curve_lr(curve, 1)[i] == -1.0 / (double)(i + 1));
    ck_assert(findlr_curve_loss(curve)[i] == (double)i / 3);
    ck_assert(findlr_curve_train_loss(curve)[i] == (double)i / 7);
    ck_assert_uint_eq(findlr_curve_flags(curve)[i], 0);
  }
  ck_assert_ptr_null(findlr_curve_lr(curve, 2));
  findlr_curve_clear(curve);
  ck_assert_uint_eq(findlr_curve_count(curve), 0);
  findlr_curve_destroy(curve);
}
END_TEST

START_TEST(flags_say_what_a_row_is) {
  ERR;
  findlr_curve *curve;
  ck_ok(findlr_curve_create(NULL, 1, 8, &curve, &err));
  double lr = 1;
  ck_ok(findlr_curve_append(curve, &lr, 2, 3, FINDLR_POINT_SKIPPED, &err));
  ck_ok(findlr_curve_append(curve, &lr, NAN, 3, 0, &err));
  ck_ok(findlr_curve_append(curve, &lr, -INFINITY, 3, 0, &err));
  ck_ok(findlr_curve_append(curve, &lr, -2, NAN, 0, &err));
  const uint8_t *flags = findlr_curve_flags(curve);
  ck_assert_uint_eq(flags[0], FINDLR_POINT_SKIPPED);
  ck_assert(isnan(findlr_curve_loss(curve)[0]) && isnan(findlr_curve_train_loss(curve)[0]));
  ck_assert_uint_eq(flags[1], FINDLR_POINT_NOT_FINITE);
  ck_assert(findlr_curve_train_loss(curve)[1] == 3);
  ck_assert_uint_eq(flags[2], FINDLR_POINT_NOT_FINITE);
  ck_assert(isinf(findlr_curve_loss(curve)[2]));
  ck_assert_uint_eq(flags[3], 0);
  findlr_curve_destroy(curve);
}
END_TEST

START_TEST(an_empty_curve_has_columns) {
  ERR;
  findlr_curve *curve;
  ck_ok(findlr_curve_create(NULL, 1, 0, &curve, &err));
  ck_assert_ptr_nonnull(findlr_curve_lr(curve, 0));
  ck_assert_ptr_nonnull(findlr_curve_loss(curve));
  ck_assert_ptr_nonnull(findlr_curve_flags(curve));
  ck_ok(findlr_curve_smooth(curve, NULL, NULL, 0, &err));
  findlr_curve_destroy(curve);
  findlr_curve_destroy(NULL);
  findlr_curve_clear(NULL);
  ck_assert_uint_eq(findlr_curve_count(NULL), 0);
  ck_assert_ptr_null(findlr_curve_loss(NULL));
}
END_TEST

START_TEST(the_number_of_steps_asked_for) {
  ERR;
  findlr_curve *curve;
  ck_ok(findlr_curve_create(NULL, 1, 0, &curve, &err));
  ck_assert_int_eq(findlr_curve_requested(curve), 0);
  findlr_curve_set_requested(curve, 100);
  ck_assert_int_eq(findlr_curve_requested(curve), 100);
  findlr_curve_clear(curve);
  ck_assert_int_eq(findlr_curve_requested(curve), 100);
  findlr_curve_set_requested(curve, -1);
  ck_assert_int_eq(findlr_curve_requested(curve), 0);
  findlr_curve_destroy(curve);
}
END_TEST

START_TEST(bad_arguments_change_nothing) {
  ERR;
  findlr_curve *curve = NULL;
  ck_fails(findlr_curve_create(NULL, 0, 0, &curve, &err), FINDLR_ERR_ARGUMENT, "0 groups");
  ck_fails(findlr_curve_create(NULL, 1025, 0, &curve, &err), FINDLR_ERR_ARGUMENT, "1025 groups");
  ck_fails(findlr_curve_create(NULL, 1, 0, NULL, &err), FINDLR_ERR_ARGUMENT, "ret_curve");
  ck_fails(findlr_curve_create(NULL, 1024, SIZE_MAX / 8, &curve, &err), FINDLR_ERR_NO_MEMORY,
           "a curve");
  ck_assert_ptr_null(curve);
  ck_ok(findlr_curve_create(NULL, 2, 0, &curve, &err));
  double rates[2] = { 1, NAN }, out[1];
  ck_fails(findlr_curve_append(curve, rates, 1, 1, 0, &err), FINDLR_ERR_ARGUMENT,
           "the rate of group 1 is nan");
  rates[1] = 2;
  ck_fails(findlr_curve_append(curve, rates, 1, 1, FINDLR_POINT_NOT_FINITE, &err),
           FINDLR_ERR_ARGUMENT, "flags are 2");
  ck_fails(findlr_curve_append(curve, NULL, 1, 1, 0, &err), FINDLR_ERR_ARGUMENT, "rates");
  ck_fails(findlr_curve_append(NULL, rates, 1, 1, 0, &err), FINDLR_ERR_ARGUMENT, "curve");
  ck_fails(findlr_curve_smooth(curve, NULL, out, 1, &err), FINDLR_ERR_ARGUMENT, "wanted 0");
  ck_assert_uint_eq(findlr_curve_count(curve), 0);
  findlr_curve_destroy(curve);
}
END_TEST

START_TEST(memory_that_runs_out_changes_nothing) {
  ERR;
  for_each_failure(a) {
    findlr_curve *curve = NULL;
    int32_t status = findlr_curve_create(&a.allocator, 2, 2, &curve, &err);
    ck_assert((curve != NULL) == (status == FINDLR_OK));
    const double lr[] = { 1, 2 };
    size_t rows = 0;
    while (status == FINDLR_OK && rows < 40) {
      uint32_t flags = rows % 3 == 1 ? FINDLR_POINT_SKIPPED : 0;
      status = findlr_curve_append(curve, lr, (double)rows, -(double)rows, flags, &err);
      rows += status == FINDLR_OK;
    }
    ck_assert_uint_eq(findlr_curve_count(curve), rows);
    double out[40];
    if (status == FINDLR_OK)
      status = findlr_curve_smooth(curve, NULL, out, rows, &err);
    ck_no_memory(status, a);

    /* What was there is there, and there is room again once there is memory again. */
    a.fail_at = 0;
    if (curve)
      ck_ok(findlr_curve_append(curve, lr, (double)rows, -(double)rows, 0, &err));
    for (size_t i = 0; curve && i < rows; i++) {
      bool skipped = i % 3 == 1;
      ck_assert(skipped || findlr_curve_loss(curve)[i] == (double)i);
      ck_assert(skipped || findlr_curve_train_loss(curve)[i] == -(double)i);
      ck_assert(findlr_curve_lr(curve, 1)[i] == 2);
      ck_assert_uint_eq(findlr_curve_flags(curve)[i], skipped ? FINDLR_POINT_SKIPPED : 0);
    }
    findlr_curve_destroy(curve);
  }
}
END_TEST

START_TEST(skipped_rows_take_no_place_in_the_smoothing) {
  ERR;
  findlr_curve *with, *without;
  ck_ok(findlr_curve_create(NULL, 1, 0, &with, &err));
  ck_ok(findlr_curve_create(NULL, 1, 0, &without, &err));
  for (size_t i = 0; i < 30; i++) {
    double lr = (double)i, loss = sin(lr);
    ck_ok(findlr_curve_append(without, &lr, loss, loss, 0, &err));
    if (i % 4 == 1)
      ck_ok(findlr_curve_append(with, &lr, 0, 0, FINDLR_POINT_SKIPPED, &err));
    ck_ok(findlr_curve_append(with, &lr, loss, loss, 0, &err));
  }
  double a[60], b[30];
  size_t n = findlr_curve_count(with), k = 0;
  ck_ok(findlr_curve_smooth(with, NULL, a, n, &err));
  ck_ok(findlr_curve_smooth(without, NULL, b, 30, &err));
  for (size_t i = 0; i < n; i++) {
    if (findlr_curve_flags(with)[i] & FINDLR_POINT_SKIPPED)
      ck_assert(isnan(a[i]));
    else
      ck_assert(a[i] == b[k++]);
  }
  ck_assert_uint_eq(k, 30);
  findlr_smoothing bad = { sizeof bad, 77, 1 };
  ck_fails(findlr_curve_smooth(with, &bad, a, n, &err), FINDLR_ERR_ARGUMENT, "kind is 77");
  findlr_curve_destroy(with);
  findlr_curve_destroy(without);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("curve");
  TCase *t = tcase_create("curve");
  tcase_add_test(t, rows_come_back_as_they_were);
  tcase_add_test(t, flags_say_what_a_row_is);
  tcase_add_test(t, an_empty_curve_has_columns);
  tcase_add_test(t, the_number_of_steps_asked_for);
  tcase_add_test(t, bad_arguments_change_nothing);
  tcase_add_test(t, memory_that_runs_out_changes_nothing);
  tcase_add_test(t, skipped_rows_take_no_place_in_the_smoothing);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
