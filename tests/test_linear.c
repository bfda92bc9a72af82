/* SPDX-License-Identifier: MIT */
#include "model.h"

START_TEST(computes_an_affine_map_and_its_gradients) {
  ERR;
  model m;
  const uint32_t dtype = _i ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32;
  model_make(&m, "linear", 3, 2, 4, dtype);
  const double weight[6] = { 1, 2, 3, -1, 0, 0.5 }, bias[2] = { 10, -10 };
  findlr_parameter w = model_parameter(&m, 0), b = model_parameter(&m, 1);
  ck_assert_str_eq(w.name, "weight");
  ck_assert_str_eq(b.name, "bias");
  ck_assert_int_eq(model_parameter_count(&m), 2);
  ck_assert(w.value.ndim == 2 && w.value.shape[0] == 2 && w.value.shape[1] == 3);
  ck_assert(b.value.ndim == 1 && b.value.shape[0] == 2);
  for (int i = 0; i < 6; i++)
    model_set(&w.value, i, weight[i]);
  for (int i = 0; i < 2; i++)
    model_set(&b.value, i, bias[i]);

  double numbers[10];
  int64_t shape[2] = { 2, 3 };
  findlr_tensor x = model_tensor(&m, numbers, shape, 2);
  const double inputs[6] = { 1, 1, 1, 2, 0, -1 }, outputs[4] = { 16, -10.5, 9, -12.5 };
  for (int i = 0; i < 6; i++)
    model_set(&x, i, inputs[i]);
  const findlr_tensor *y;
  ck_ok(model_forward(&m, numbers, 2, FINDLR_MODE_TRAIN, &y, &err));
  ck_assert(y->ndim == 2 && y->shape[0] == 2 && y->shape[1] == 2);
  for (int i = 0; i < 4; i++)
    ck_assert_double_eq(model_get(y, i), outputs[i]);

  double gradient_numbers[4];
  findlr_tensor g = model_tensor(&m, gradient_numbers, shape, 2);
  const double gradient[4] = { 1, 2, 3, 4 };
  const double dw[6] = { 7, 1, -2, 10, 2, -2 }, db[2] = { 4, 6 };
  for (int i = 0; i < 4; i++)
    model_set(&g, i, gradient[i]);
  ck_ok(model_backward(&m, gradient_numbers, 2, 0, &err));
  for (int times = 1; times <= 2; times++) {
    for (int i = 0; i < 6; i++)
      ck_assert_double_eq(model_get(&w.gradient, i), times * dw[i]);
    for (int i = 0; i < 2; i++)
      ck_assert_double_eq(model_get(&b.gradient, i), times * db[i]);
    ck_ok(model_forward(&m, numbers, 2, FINDLR_MODE_TRAIN, &y, &err));
    ck_ok(model_backward(&m, gradient_numbers, 2, FINDLR_BACKWARD_ACCUMULATE, &err));
  }
  model_close(&m);
}
END_TEST

START_TEST(gradients_match_differences) {
  double inputs[12], gradient[6];
  int64_t shape[1] = { 12 };
  model m;
  model_make(&m, _i ? "linear:bias=false" : "linear", 4, 2, 3, FINDLR_DTYPE_FLOAT64);
  ck_assert_int_eq(model_parameter_count(&m), _i ? 1 : 2);
  findlr_tensor t = model_tensor(&m, inputs, shape, 1);
  model_pattern(&t, 0, 29, 53, 13);
  shape[0] = 6;
  t.data = gradient;
  model_pattern(&t, 0, 17, 23, 7);
  for (int64_t rows = 1; rows <= 3; rows++)
    model_check_gradients(&m, inputs, gradient, rows);
  model_close(&m);
}
END_TEST

START_TEST(starts_as_pytorch_does_and_by_the_seed_alone) {
  model a, b, c;
  ERR;
  model_make(&a, "linear", 400, 10, 1, FINDLR_DTYPE_FLOAT32);
  model_make(&b, "linear", 400, 10, 1, FINDLR_DTYPE_FLOAT32);
  model_open(&c, "linear", 400, 10, 1);
  c.model_spec.dtype = FINDLR_DTYPE_FLOAT32;
  c.model_spec.seed = 2;
  ck_ok(model_create(&c, &err));
  const findlr_tensor wa = model_parameter(&a, 0).value, wb = model_parameter(&b, 0).value,
                      wc = model_parameter(&c, 0).value;
  double low = 1, high = -1, sum = 0;
  for (int i = 0; i < 4000; i++) {
    low = fmin(low, model_get(&wa, i));
    high = fmax(high, model_get(&wa, i));
    sum += model_get(&wa, i);
  }
  ck_assert(low >= -0.05 && low < -0.0499 && high <= 0.05 && high > 0.0499);
  ck_assert_double_lt(fabs(sum / 4000), 0.002);
  ck_assert_int_eq(memcmp(wa.data, wb.data, 16000), 0);
  ck_assert_int_ne(memcmp(wa.data, wc.data, 16000), 0);
  model_close(&a);
  model_close(&b);
  model_close(&c);
}
END_TEST

START_TEST(says_what_is_not_allowed) {
  ERR;
  double numbers[4] = { 0 };
  const findlr_tensor *y;
  model m;
  model_make(&m, "linear", 2, 2, 2, FINDLR_DTYPE_FLOAT64);
  ck_fails(model_backward(&m, numbers, 2, 0, &err), FINDLR_ERR_STATE, "must follow a forward");
  ck_fails(model_forward(&m, numbers, 3, FINDLR_MODE_TRAIN, &y, &err), FINDLR_ERR_ARGUMENT,
           "3 rows");
  ck_ok(model_forward(&m, numbers, 2, FINDLR_MODE_TRAIN, &y, &err));
  ck_ok(model_forward(&m, numbers, 2, FINDLR_MODE_EVAL, &y, &err));
  ck_fails(model_backward(&m, numbers, 2, 0, &err), FINDLR_ERR_STATE, "must follow a forward");
  ck_ok(model_forward(&m, numbers, 2, FINDLR_MODE_TRAIN, &y, &err));
  ck_ok(model_backward(&m, numbers, 2, 0, &err));
  ck_fails(model_backward(&m, numbers, 2, 0, &err), FINDLR_ERR_STATE, "must follow a forward");
  model_close(&m);

  model_open(&m, "linear", INT64_C(1) << 40, INT64_C(1) << 30, 2);
  ck_fails(model_create(&m, &err), FINDLR_ERR_LIMIT, "too large");
  model_close(&m);
}
END_TEST

START_TEST(survives_a_lack_of_memory) {
  model m;
  model_open(&m, "linear", 5, 2, 3);
  model_check_memory(&m);
  model_close(&m);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("linear");
  TCase *c = tcase_create("linear");
  tcase_add_loop_test(c, computes_an_affine_map_and_its_gradients, 0, 2);
  tcase_add_loop_test(c, gradients_match_differences, 0, 2);
  tcase_add_test(c, starts_as_pytorch_does_and_by_the_seed_alone);
  tcase_add_test(c, says_what_is_not_allowed);
  tcase_add_test(c, survives_a_lack_of_memory);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
