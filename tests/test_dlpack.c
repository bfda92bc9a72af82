/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>

#ifdef HAVE_DLPACK
#include <dlpack/dlpack.h>
#endif

/* findlr_tensor must be DLTensor, byte for byte, so that others' tensors pass without a copy. */

/* As DLPack 0.6 has them on a machine with pointers of 64 bits. */
START_TEST(layout_is_frozen) {
  if (sizeof(void *) != 8)
    return;
#define AT(member, offset) ck_assert_uint_eq(offsetof(findlr_tensor, member), offset)
  AT(data, 0);
  AT(device_type, 8);
  AT(device_id, 12);
  AT(ndim, 16);
  AT(dtype_code, 20);
  AT(dtype_bits, 21);
  AT(dtype_lanes, 22);
  AT(shape, 24);
  AT(strides, 32);
  AT(byte_offset, 40);
  ck_assert_uint_eq(sizeof(findlr_tensor), 48);
}
END_TEST

#ifdef HAVE_DLPACK
#define SAME(ours, theirs)                                                                         \
  do {                                                                                             \
    ck_assert_uint_eq(offsetof(findlr_tensor, ours), offsetof(DLTensor, theirs));                  \
    ck_assert_uint_eq(sizeof(((findlr_tensor *)0)->ours), sizeof(((DLTensor *)0)->theirs));        \
  } while (0)

START_TEST(layout_is_that_of_the_real_header) {
  SAME(data, data);
  SAME(device_type, device.device_type);
  SAME(device_id, device.device_id);
  SAME(ndim, ndim);
  SAME(dtype_code, dtype.code);
  SAME(dtype_bits, dtype.bits);
  SAME(dtype_lanes, dtype.lanes);
  SAME(shape, shape);
  SAME(strides, strides);
  SAME(byte_offset, byte_offset);
  ck_assert_uint_eq(sizeof(findlr_tensor), sizeof(DLTensor));
  ck_assert_int_eq(FINDLR_DEVICE_CPU, kDLCPU);
}
END_TEST

#define DTYPE(code, bits) ((uint32_t)(code) | (uint32_t)(bits) << 8 | (uint32_t)1 << 16)

START_TEST(codes_are_those_of_the_real_header) {
  ck_assert_uint_eq(FINDLR_DTYPE_FLOAT32, DTYPE(kDLFloat, 32));
  ck_assert_uint_eq(FINDLR_DTYPE_FLOAT64, DTYPE(kDLFloat, 64));
  ck_assert_uint_eq(FINDLR_DTYPE_INT64, DTYPE(kDLInt, 64));
  ck_assert_uint_eq(FINDLR_DTYPE_UINT8, DTYPE(kDLUInt, 8));
}
END_TEST
#endif

static Suite *suite(void) {
  Suite *s = suite_create("dlpack");
  TCase *c = tcase_create("dlpack");
  tcase_add_test(c, layout_is_frozen);
#ifdef HAVE_DLPACK
  tcase_add_test(c, layout_is_that_of_the_real_header);
  tcase_add_test(c, codes_are_those_of_the_real_header);
#else
  puts("not compared with the real header: dlpack/dlpack.h is missing (libdlpack-dev)");
#endif
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
