/* SPDX-License-Identifier: MIT */
#include "support.h"

static findlr_tensor tensor(void *data, uint32_t dtype, int32_t ndim, int64_t *shape) {
  return (findlr_tensor){ .data = data, .device_type = FINDLR_DEVICE_CPU, .ndim = ndim,
                          .dtype_code = (uint8_t)dtype, .dtype_bits = (uint8_t)(dtype >> 8),
                          .dtype_lanes = (uint16_t)(dtype >> 16), .shape = shape };
}

#define SHAPE(...) ((int64_t[]){ __VA_ARGS__ })

START_TEST(gathers_rows_with_classes) {
  ERR;
  float values[4][3] = { { 0, 1, 2 }, { 10, 11, 12 }, { 20, 21, 22 }, { 30, 31, 32 } };
  int64_t classes[4] = { 0, 2, 1, 2 };
  findlr_tensor inputs = tensor(values, FINDLR_DTYPE_FLOAT32, 2, SHAPE(4, 3));
  findlr_tensor targets = tensor(classes, FINDLR_DTYPE_INT64, 1, SHAPE(4));
  findlr_data data;
  ck_ok(findlr_memory_data_create(NULL, &inputs, &targets, 0, &data, &err));

  findlr_data_info info = { .struct_size = sizeof info };
  ck_assert_int_eq(data.vtable->describe(data.self, &info), FINDLR_OK);
  ck_assert_int_eq(info.rows, 4);
  ck_assert_int_eq(info.input_ndim, 1);
  ck_assert_int_eq(info.input_shape[0], 3);
  ck_assert_int_eq(info.classes, 3);
  ck_assert_int_eq(info.target_columns, 1);
  ck_assert_str_eq(info.about, "memory: 4 rows, 3 features, 3 classes");

  const int64_t rows[] = { 3, 1, 3 };
  double got[3][3], real[3];
  int64_t got_classes[3];
  findlr_tensor to = tensor(got, FINDLR_DTYPE_FLOAT64, 2, SHAPE(3, 3));
  findlr_tensor to_classes = tensor(got_classes, FINDLR_DTYPE_INT64, 1, SHAPE(3));
  ck_assert_int_eq(data.vtable->gather(data.self, rows, 3, &to, &to_classes), FINDLR_OK);
  for (int j = 0; j < 3; j++) {
    ck_assert_double_eq(got[0][j], values[3][j]);
    ck_assert_double_eq(got[1][j], values[1][j]);
    ck_assert_double_eq(got[2][j], values[3][j]);
  }
  ck_assert_int_eq(got_classes[0], 2);
  ck_assert_int_eq(got_classes[1], 2);

  findlr_tensor to_real = tensor(real, FINDLR_DTYPE_FLOAT64, 2, SHAPE(3, 1));
  ck_assert_int_eq(data.vtable->gather(data.self, rows, 3, NULL, &to_real), FINDLR_OK);
  ck_assert_double_eq(real[2], 2);

  const int64_t outside[] = { 4 };
  ck_assert_int_eq(data.vtable->gather(data.self, outside, 1, &to, NULL), FINDLR_ERR_ARGUMENT);
  findlr_memory_data_destroy(&data);
  findlr_memory_data_destroy(&data);
}
END_TEST

/* The tensors themselves may go away; the memory is not copied. */
START_TEST(follows_the_callers_memory) {
  ERR;
  double values[2] = { 1, 2 }, answers[2][2] = { { 5, 6 }, { 7, 8 } };
  findlr_data data;
  {
    int64_t shape[] = { 2, 1 }, answer_shape[] = { 2, 2 };
    findlr_tensor inputs = tensor(values, FINDLR_DTYPE_FLOAT64, 2, shape);
    findlr_tensor targets = tensor(answers, FINDLR_DTYPE_FLOAT64, 2, answer_shape);
    ck_ok(findlr_memory_data_create(NULL, &inputs, &targets, 0, &data, &err));
    memset(shape, -1, sizeof shape);
    memset(answer_shape, -1, sizeof answer_shape);
  }
  values[1] = 42;
  const int64_t row = 1;
  float got, real[2];
  findlr_tensor to = tensor(&got, FINDLR_DTYPE_FLOAT32, 2, SHAPE(1, 1));
  findlr_tensor to_real = tensor(real, FINDLR_DTYPE_FLOAT32, 2, SHAPE(1, 2));
  ck_assert_int_eq(data.vtable->gather(data.self, &row, 1, &to, &to_real), FINDLR_OK);
  ck_assert_float_eq(got, 42);
  ck_assert_float_eq(real[0], 7);
  ck_assert_float_eq(real[1], 8);
  int64_t class;
  findlr_tensor to_class = tensor(&class, FINDLR_DTYPE_INT64, 1, SHAPE(1));
  ck_assert_int_eq(data.vtable->gather(data.self, &row, 1, NULL, &to_class), FINDLR_ERR_ARGUMENT);
  findlr_memory_data_destroy(&data);
}
END_TEST

/* Three views of one block: transposed, reversed in every dimension, and every second element. */
START_TEST(takes_any_strides) {
  ERR;
  float block[2][3][4];
  for (int i = 0; i < 24; i++)
    (&block[0][0][0])[i] = (float)i;
  float answers[4] = { 0 };

  struct {
    int64_t shape[3], strides[3];
    int64_t offset;
  } views[] = {
    { { 4, 3, 2 }, { 1, 4, 12 }, 0 },
    { { 2, 3, 4 }, { -12, -4, -1 }, 23 },
    { { 2, 3, 2 }, { 12, 4, 2 }, 1 },
    { { 2, 1, 4 }, { 12, 99, 1 }, 0 },
    { { 2, 3, 4 }, { 0, 4, 1 }, 0 },
  };
  for (size_t v = 0; v < sizeof views / sizeof views[0]; v++) {
    int64_t *shape = views[v].shape, *strides = views[v].strides;
    findlr_tensor inputs = tensor(block, FINDLR_DTYPE_FLOAT32, 3, shape);
    inputs.strides = strides;
    inputs.byte_offset = (uint64_t)views[v].offset * sizeof(float);
    findlr_tensor targets = tensor(answers, FINDLR_DTYPE_FLOAT32, 1, SHAPE(shape[0]));
    findlr_data data;
    ck_ok(findlr_memory_data_create(NULL, &inputs, &targets, 0, &data, &err));
    for (int64_t row = 0; row < shape[0]; row++) {
      float got[12];
      findlr_tensor to = tensor(got, FINDLR_DTYPE_FLOAT32, 3, SHAPE(1, shape[1], shape[2]));
      ck_assert_int_eq(data.vtable->gather(data.self, &row, 1, &to, NULL), FINDLR_OK);
      for (int64_t i = 0; i < shape[1]; i++)
        for (int64_t j = 0; j < shape[2]; j++) {
          int64_t at = views[v].offset + row * strides[0] + i * strides[1] + j * strides[2];
          ck_assert_float_eq(got[i * shape[2] + j], (float)at);
        }
    }
    findlr_memory_data_destroy(&data);
  }
}
END_TEST

START_TEST(scales_bytes_to_one) {
  ERR;
  uint8_t bytes[3] = { 0, 51, 255 };
  float answers[3] = { 0 }, got[3];
  findlr_tensor inputs = tensor(bytes, FINDLR_DTYPE_UINT8, 1, SHAPE(3));
  findlr_tensor targets = tensor(answers, FINDLR_DTYPE_FLOAT32, 1, SHAPE(3));
  findlr_data data;
  ck_ok(findlr_memory_data_create(NULL, &inputs, &targets, 0, &data, &err));
  const int64_t rows[] = { 0, 1, 2 };
  findlr_tensor to = tensor(got, FINDLR_DTYPE_FLOAT32, 2, SHAPE(3, 1));
  ck_assert_int_eq(data.vtable->gather(data.self, rows, 3, &to, NULL), FINDLR_OK);
  ck_assert_float_eq(got[0], 0);
  ck_assert_float_eq(got[1], 0.2f);
  ck_assert_float_eq(got[2], 1);
  findlr_memory_data_destroy(&data);
}
END_TEST

START_TEST(refuses_what_does_not_fit) {
  ERR;
  float values[6] = { 0 };
  int64_t classes[3] = { 0, 1, 2 };
  findlr_data data;
#define REFUSED(change, text)                                                                      \
  do {                                                                                             \
    findlr_tensor inputs = tensor(values, FINDLR_DTYPE_FLOAT32, 2, SHAPE(3, 2));                   \
    findlr_tensor targets = tensor(classes, FINDLR_DTYPE_INT64, 1, SHAPE(3));                      \
    int64_t n = 0;                                                                                 \
    change;                                                                                        \
    ck_fails(findlr_memory_data_create(NULL, &inputs, &targets, n, &data, &err),                   \
             FINDLR_ERR_ARGUMENT, text);                                                           \
  } while (0)
  REFUSED(inputs.shape[0] = 2, "the inputs have 2 rows and the targets 3");
  REFUSED(inputs.shape[0] = 0, "the inputs are empty");
  REFUSED(inputs.shape[1] = -1, "shape");
  REFUSED((inputs.shape[0] = INT64_MAX, inputs.shape[1] = 2), "shape");
  REFUSED(inputs.ndim = 0, "0 dimensions");
  REFUSED(inputs.ndim = 33, "33 dimensions");
  REFUSED(inputs.data = NULL, "NULL");
  REFUSED(inputs.byte_offset = 2, "multiple of their 4 bytes");
  REFUSED(inputs.device_type = 2, "device type 2");
  REFUSED(inputs.dtype_bits = 16, "neither float32 nor float64 nor uint8");
  REFUSED(inputs.dtype_lanes = 2, "neither float32 nor float64 nor uint8");
  REFUSED(targets.dtype_bits = 32, "neither int64 nor float32 nor float64");
  REFUSED((targets.ndim = 2, targets.shape = SHAPE(3, 1)), "2 dimensions, wanted [rows]");
  REFUSED(n = 2, "the target of row 2 is 2, wanted a class from 0 to 1");
  REFUSED(n = -1, "classes is -1");
  REFUSED(classes[1] = -5, "the target of row 1 is -5");
  REFUSED(classes[1] = INT64_MAX, "the target of row 1");
  REFUSED((targets = tensor(values, FINDLR_DTYPE_FLOAT32, 1, SHAPE(3)), n = 2), "real numbers");
  ck_fails(findlr_memory_data_create(NULL, NULL, NULL, 0, &data, &err), FINDLR_ERR_ARGUMENT, "NULL");
}
END_TEST

START_TEST(survives_every_failed_allocation) {
  ERR;
  float values[2] = { 0 };
  int64_t classes[2] = { 0, 1 };
  findlr_tensor inputs = tensor(values, FINDLR_DTYPE_FLOAT32, 2, SHAPE(2, 1));
  findlr_tensor targets = tensor(classes, FINDLR_DTYPE_INT64, 1, SHAPE(2));
  for_each_failure(a) {
    findlr_data data = { 0 };
    int32_t status =
        findlr_memory_data_create(&a.allocator, &inputs, &targets, 0, &data, &err);
    ck_no_memory(status, a);
    findlr_memory_data_destroy(&data);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("memory");
  TCase *tc = tcase_create("memory");
  tcase_add_test(tc, gathers_rows_with_classes);
  tcase_add_test(tc, follows_the_callers_memory);
  tcase_add_test(tc, takes_any_strides);
  tcase_add_test(tc, scales_bytes_to_one);
  tcase_add_test(tc, refuses_what_does_not_fit);
  tcase_add_test(tc, survives_every_failed_allocation);
  suite_add_tcase(s, tc);
  return s;
}

TEST_MAIN(suite())
