/* SPDX-License-Identifier: MIT */
#include "support.h"

static double rate(uint32_t mode, double start, double end, int64_t i, int64_t steps) {
  ERR;
  double value = 0;
  ck_ok(findlr_ramp_rate(mode, start, end, i, steps, &value, &err));
  return value;
}

START_TEST(exponential) {
  ck_assert(rate(FINDLR_RAMP_EXPONENTIAL, 1e-7, 10, 0, 100) == 1e-7);
  ck_assert(rate(FINDLR_RAMP_EXPONENTIAL, 1e-7, 10, 99, 100) == 10);
  for (int i = 1; i < 99; i++) {
    double wanted = 1e-7 * pow(10 / 1e-7, i / 99.0);
    ck_assert(rate(FINDLR_RAMP_EXPONENTIAL, 1e-7, 10, i, 100) == wanted);
  }
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 1, 100, 1, 3), 10, 1e-14);
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 100, 1, 1, 3), 10, 1e-14);
}
END_TEST

START_TEST(linear) {
  ck_assert(rate(FINDLR_RAMP_LINEAR, 0.1, 0.7, 0, 7) == 0.1);
  ck_assert(rate(FINDLR_RAMP_LINEAR, 0.1, 0.7, 6, 7) == 0.7);
  for (int i = 1; i < 6; i++)
    ck_assert(rate(FINDLR_RAMP_LINEAR, 0.1, 0.7, i, 7) == 0.1 + (0.7 - 0.1) * (i / 6.0));
  ck_assert(rate(FINDLR_RAMP_LINEAR, 1, -1, 1, 3) == 0);
}
END_TEST

/* Ranges as wide as doubles are: no infinity, no zero, and no end passed over. */
START_TEST(wide_ranges) {
  double before = 1e-300;
  for (int i = 1; i < 50; i++) {
    double now = rate(FINDLR_RAMP_EXPONENTIAL, 1e-300, 1e300, i, 50);
    ck_assert(isfinite(now) && now > before);
    before = now;
  }
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 1e-300, 1e300, 1, 3), 1, 1e-12);
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 1e300, 1e-300, 1, 3), 1, 1e-12);
  ck_assert(rate(FINDLR_RAMP_LINEAR, -1.5e308, 1.5e308, 1, 3) == 0);
}
END_TEST

START_TEST(refusals) {
  ERR;
  double value = 42;
  const double inf = HUGE_VAL, nan = (double)NAN;
#define REFUSED(mode, start, end, i, steps, text)                                                  \
  ck_fails(findlr_ramp_rate(mode, start, end, i, steps, &value, &err), FINDLR_ERR_ARGUMENT, text)
  REFUSED(0, 1, 2, 0, 3, "ramp mode is 0");
  REFUSED(3, 1, 2, 0, 3, "ramp mode is 3");
  REFUSED(FINDLR_RAMP_EXPONENTIAL, 0, 2, 0, 3, "from 0 to 2, wanted rates above 0");
  REFUSED(FINDLR_RAMP_EXPONENTIAL, 1, -2, 0, 3, "from 1 to -2");
  REFUSED(FINDLR_RAMP_LINEAR, nan, 2, 0, 3, "nan");
  REFUSED(FINDLR_RAMP_LINEAR, 1, inf, 0, 3, "inf");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 1, 0, 3, "different");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 2, 0, 1, "step 0 of a ramp of 1");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 2, -1, 3, "step -1");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 2, 3, 3, "step 3 of a ramp of 3");
  ck_assert_double_eq(value, 42);
  ck_fails(findlr_ramp_rate(FINDLR_RAMP_LINEAR, 1, 2, 0, 3, NULL, &err), FINDLR_ERR_ARGUMENT,
           "ret_rate is NULL");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("schedule");
  TCase *c = tcase_create("schedule");
  tcase_add_test(c, exponential);
  tcase_add_test(c, linear);
  tcase_add_test(c, wide_ranges);
  tcase_add_test(c, refusals);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
