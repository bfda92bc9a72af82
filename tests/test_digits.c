/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "builtin/digits.h"
#include "findlr/data.h"

static void *test_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size, size_t align) {
  (void)ctx, (void)old_size, (void)align;
  if (new_size)
    return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

static const findlr_host host = { .struct_size = sizeof(findlr_host), .alloc = test_alloc };

static const findlr_data_vtable *vtable;
static void *digits;

static void setup(void) {
  findlr_data_spec spec = { .struct_size = sizeof spec };
  vtable = findlr__digits.vtable;
  ck_assert_int_eq(vtable->create(&host, NULL, &spec, &digits), FINDLR_OK);
}

static void teardown(void) {
  vtable->destroy(digits);
}

static findlr_tensor tensor(void *data, uint8_t code, uint8_t bits, int64_t *shape, int32_t ndim) {
  return (findlr_tensor){ .data = data, .device_type = FINDLR_DEVICE_CPU, .ndim = ndim,
                          .dtype_code = code, .dtype_bits = bits, .dtype_lanes = 1, .shape = shape };
}

START_TEST(is_the_uci_test_set) {
  findlr_data_info info = { .struct_size = sizeof info };
  ck_assert_int_eq(vtable->describe(digits, &info), FINDLR_OK);
  ck_assert_int_eq(info.rows, 1797);
  ck_assert_int_eq(info.input_ndim, 1);
  ck_assert_int_eq(info.input_shape[0], 64);
  ck_assert_int_eq(info.classes, 10);
  ck_assert_int_eq(info.target_columns, 1);

  /* UCI's own table of how often each digit occurs, and the sum that scikit-learn's copy has. */
  static const int often[10] = { 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 };
  int seen[10] = { 0 };
  double sum = 0;
  for (int64_t row = 0; row < info.rows; row++) {
    double pixels[64];
    int64_t digit, shape[] = { 1, 64 };
    findlr_tensor inputs = tensor(pixels, 2, 64, shape, 2);
    findlr_tensor targets = tensor(&digit, 0, 64, shape, 1);
    ck_assert_int_eq(vtable->gather(digits, &row, 1, &inputs, &targets), FINDLR_OK);
    ck_assert_int_ge(digit, 0);
    ck_assert_int_le(digit, 9);
    seen[digit]++;
    for (int j = 0; j < 64; j++) {
      ck_assert_double_ge(pixels[j], 0);
      ck_assert_double_le(pixels[j], 1);
      sum += pixels[j];
    }
  }
  for (int d = 0; d < 10; d++)
    ck_assert_int_eq(seen[d], often[d]);
  ck_assert_double_eq(sum * 16, 561718);
}
END_TEST

START_TEST(gathers_rows_in_the_order_asked) {
  static const float second_line[8] = { 0, 0, 13, 15, 10, 15, 5, 0 }; /* of the first digit */
  float pixels[3][64], real[3];
  int64_t classes[3], shape[] = { 3, 64 };
  const int64_t rows[] = { 9, 0, 9 };
  findlr_tensor inputs = tensor(pixels, 2, 32, shape, 2), targets = tensor(classes, 0, 64, shape, 1);
  ck_assert_int_eq(vtable->gather(digits, rows, 3, &inputs, &targets), FINDLR_OK);
  ck_assert_int_eq(classes[0], 9);
  ck_assert_int_eq(classes[1], 0);
  ck_assert_int_eq(classes[2], 9);
  ck_assert_mem_eq(pixels[0], pixels[2], sizeof pixels[0]);
  for (int j = 0; j < 8; j++)
    ck_assert_float_eq(pixels[1][8 + j], second_line[j] / 16);

  targets = tensor(real, 2, 32, shape, 2);
  ck_assert_int_eq(vtable->gather(digits, rows, 3, NULL, &targets), FINDLR_OK);
  ck_assert_float_eq(real[0], 9);
  ck_assert_float_eq(real[1], 0);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("digits");
  TCase *tc = tcase_create("digits");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_add_test(tc, is_the_uci_test_set);
  tcase_add_test(tc, gathers_rows_in_the_order_asked);
  suite_add_tcase(s, tc);
  return s;
}

TEST_MAIN(suite())
