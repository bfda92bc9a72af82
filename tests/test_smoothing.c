/* SPDX-License-Identifier: MIT */
#include "core/smoother.h"
#include "support.h"

static findlr_smoothing make(uint32_t kind, double parameter) {
  findlr_smoothing s;
  findlr_smoothing_init(&s, sizeof s);
  s.kind = kind;
  s.parameter = parameter;
  return s;
}

static void ck_near(double got, double wanted) {
  ck_assert_msg(fabs(got - wanted) <= 1e-13 * (1 + fabs(wanted)), "%.17g, wanted %.17g", got,
                wanted);
}

START_TEST(none_is_the_identity_where_finite) {
  ERR;
  findlr_smoothing s = make(FINDLR_SMOOTHING_NONE, -99);
  double x[] = { 3, -1, INFINITY, 0 }, y[4];
  ck_ok(findlr_smooth(&s, x, 4, y, &err));
  ck_assert(y[0] == 3 && y[1] == -1 && isnan(y[2]) && y[3] == 0);
}
END_TEST

START_TEST(ema_is_bias_corrected_and_counts_finite_values_only) {
  ERR;
  findlr_smoothing s = make(FINDLR_SMOOTHING_EMA, 0.9);
  double x[] = { 1, 2, NAN, 3 }, y[4];
  ck_ok(findlr_smooth(&s, x, 4, y, &err));
  ck_near(y[0], 1);
  ck_near(y[1], (0.09 + 0.2) / 0.19);
  ck_assert(isnan(y[2]));
  ck_near(y[3], (0.081 + 0.18 + 0.3) / 0.271);
}
END_TEST

START_TEST(ema_of_beta_zero_is_the_values) {
  ERR;
  findlr_smoothing s = make(FINDLR_SMOOTHING_EMA, 0);
  double x[] = { 1, -2, 5 };
  ck_ok(findlr_smooth(&s, x, 3, x, &err)); /* in place */
  ck_assert(x[0] == 1 && x[1] == -2 && x[2] == 5);
}
END_TEST

START_TEST(seeded_ema_begins_at_the_first_finite_value) {
  ERR;
  findlr_smoothing s = make(FINDLR_SMOOTHING_SEEDED_EMA, 0.25);
  double x[] = { NAN, 4, 8, 0 };
  ck_ok(findlr_smooth(&s, x, 4, x, &err));
  ck_assert(isnan(x[0]));
  ck_near(x[1], 4);
  ck_near(x[2], 5);
  ck_near(x[3], 3.75);
}
END_TEST

/* The definition, written down naively. */
static double gaussian_at(const double *x, size_t n, double sigma, size_t i) {
  double sum = 0, weight = 0;
  for (size_t j = 0; j < n; j++) {
    double d = fabs((double)i - (double)j);
    if (d > floor(4 * sigma) || !isfinite(x[j]))
      continue;
    double w = exp(-d * d / (2 * sigma * sigma));
    sum += w * x[j];
    weight += w;
  }
  return sum / weight;
}

START_TEST(gaussian_is_its_definition) {
  ERR;
  enum { N = 300 };
  double x[N], y[N];
  for (size_t i = 0; i < N; i++)
    x[i] = sin((double)(i * i));
  x[0] = x[17] = x[18] = x[N - 1] = NAN;
  x[100] = INFINITY;
  const double sigmas[] = { 0.1, 0.25, 1, 3, 20, 1000 };
  for (size_t k = 0; k < 6; k++) {
    findlr_smoothing s = make(FINDLR_SMOOTHING_GAUSSIAN, sigmas[k]);
    ck_ok(findlr_smooth(&s, x, N, y, &err));
    for (size_t i = 0; i < N; i++) {
      if (isfinite(x[i]))
        ck_near(y[i], gaussian_at(x, N, sigmas[k], i));
      else
        ck_assert(isnan(y[i]));
    }
  }
}
END_TEST

START_TEST(gaussian_does_not_lag) {
  ERR;
  enum { N = 101 };
  findlr_smoothing s;
  findlr_smoothing_init(&s, sizeof s);
  ck_assert_uint_eq(s.kind, FINDLR_SMOOTHING_GAUSSIAN);
  double x[N], y[N];
  for (size_t i = 0; i < N; i++)
    x[i] = i < 50 ? 1 : i == 50 ? 0.5 : 0;
  ck_ok(findlr_smooth(NULL, x, N, y, &err)); /* the defaults */
  ck_near(y[50], 0.5);
  for (size_t i = 0; i < N; i++)
    ck_near(y[i] + y[N - 1 - i], 1);
}
END_TEST

START_TEST(huge_values_do_not_overflow) {
  ERR;
  double x[64], y[64];
  for (size_t i = 0; i < 64; i++)
    x[i] = 1e308;
  findlr_smoothing s = make(FINDLR_SMOOTHING_GAUSSIAN, 5);
  ck_ok(findlr_smooth(&s, x, 64, y, &err));
  for (size_t i = 0; i < 64; i++)
    ck_near(y[i] / 1e308, 1);
}
END_TEST

START_TEST(no_values_and_no_finite_values) {
  ERR;
  double x[2] = { NAN, -INFINITY }, y[2];
  for (uint32_t kind = 0; kind <= FINDLR_SMOOTHING_GAUSSIAN; kind++) {
    findlr_smoothing s = make(kind, 0.5);
    ck_ok(findlr_smooth(&s, NULL, 0, NULL, &err));
    ck_ok(findlr_smooth(&s, x, 2, y, &err));
    ck_assert(isnan(y[0]) && isnan(y[1]));
  }
}
END_TEST

START_TEST(bad_arguments) {
  ERR;
  double x[2] = { 1, 2 }, y[2] = { 7, 7 };
  const struct {
    uint32_t kind;
    double parameter;
    const char *text;
  } bad[] = {
    { FINDLR_SMOOTHING_EMA, 1, "smoothing beta is 1" },
    { FINDLR_SMOOTHING_EMA, -0.5, "smoothing beta is -0.5" },
    { FINDLR_SMOOTHING_EMA, NAN, "smoothing beta is nan" },
    { FINDLR_SMOOTHING_SEEDED_EMA, 0, "smoothing weight is 0" },
    { FINDLR_SMOOTHING_SEEDED_EMA, 1.5, "smoothing weight is 1.5" },
    { FINDLR_SMOOTHING_GAUSSIAN, 0, "smoothing sigma is 0" },
    { FINDLR_SMOOTHING_GAUSSIAN, INFINITY, "smoothing sigma is inf" },
    { 4, 1, "smoothing kind is 4" },
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    findlr_smoothing s = make(bad[i].kind, bad[i].parameter);
    ck_fails(findlr_smooth(&s, x, 2, y, &err), FINDLR_ERR_ARGUMENT, bad[i].text);
  }
  findlr_smoothing s = make(FINDLR_SMOOTHING_GAUSSIAN, 1);
  ck_fails(findlr_smooth(&s, x, 2, x, &err), FINDLR_ERR_ARGUMENT, "out is values");
  ck_fails(findlr_smooth(&s, NULL, 2, y, &err), FINDLR_ERR_ARGUMENT, "values is NULL");
  ck_fails(findlr_smooth(&s, x, 2, NULL, &err), FINDLR_ERR_ARGUMENT, "out is NULL");
  s.struct_size = 0;
  ck_fails(findlr_smooth(&s, x, 2, y, &err), FINDLR_ERR_ARGUMENT, "struct_size 0");
  ck_assert(y[0] == 7 && y[1] == 7);
}
END_TEST

START_TEST(one_at_a_time_gives_the_same_numbers) {
  ERR;
  double x[50], y[50];
  for (size_t i = 0; i < 50; i++)
    x[i] = i % 7 == 3 ? NAN : cos((double)i);
  for (uint32_t kind = 0; kind < FINDLR_SMOOTHING_GAUSSIAN; kind++) {
    findlr_smoothing s = make(kind, 0.8);
    findlr__smoother one;
    ck_ok(findlr__smoother_init(&one, &s, &err));
    ck_ok(findlr_smooth(&s, x, 50, y, &err));
    for (size_t i = 0; i < 50; i++) {
      double z = findlr__smoother_next(&one, x[i]);
      ck_assert(z == y[i] || (isnan(z) && isnan(y[i])));
    }
  }
  findlr__smoother one;
  ck_fails(findlr__smoother_init(&one, NULL, &err), FINDLR_ERR_ARGUMENT, "looks ahead");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("smoothing");
  TCase *t = tcase_create("smoothing");
  tcase_add_test(t, none_is_the_identity_where_finite);
  tcase_add_test(t, ema_is_bias_corrected_and_counts_finite_values_only);
  tcase_add_test(t, ema_of_beta_zero_is_the_values);
  tcase_add_test(t, seeded_ema_begins_at_the_first_finite_value);
  tcase_add_test(t, gaussian_is_its_definition);
  tcase_add_test(t, gaussian_does_not_lag);
  tcase_add_test(t, huge_values_do_not_overflow);
  tcase_add_test(t, no_values_and_no_finite_values);
  tcase_add_test(t, bad_arguments);
  tcase_add_test(t, one_at_a_time_gives_the_same_numbers);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
