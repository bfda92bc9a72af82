/* SPDX-License-Identifier: MIT */
#include "datafile.h"

/* Writes a file of that version, header and numbers. */
static void write_npy(const char *name, int version, const char *header, const void *numbers,
                      size_t n) {
  unsigned char file[1024];
  size_t length = strlen(header), before = version == 1 ? 10 : 12;
  ck_assert_uint_le(before + length + n, sizeof file);
  memcpy(file, "\x93NUMPY", 6);
  file[6] = (unsigned char)version;
  file[7] = 0;
  for (size_t i = 8; i < before; i++)
    file[i] = (unsigned char)(length >> 8 * (i - 8));
  memcpy(file + before, header, length);
  if (n)
    memcpy(file + before + length, numbers, n);
  write_bytes(name, file, before + length + n);
}

#define HEADER(descr, order, shape)                                                                \
  "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }"

/* Two targets that suit two rows. */
static void write_targets(void) {
  write_npy("y.npy", 1, HEADER("|u1", "False", "(2,)"), "\0\1", 2);
}

/* Whether this machine has the low byte first, as the files' numbers here are made. */
static bool little_endian(void) {
  const uint16_t one = 1;
  return *(const unsigned char *)&one == 1;
}

START_TEST(reads_what_numpy_writes) {
  ERR;
  findlr_data data;
  ck_assert(little_endian());
  const float numbers[2][3] = { { 1, 2, 3.5f }, { -4, 5, 0.1f } };
  const int64_t classes[2] = { 7, 3 };
  /* np.save pads with spaces to a multiple of 64 and ends in a newline. */
  write_npy("x.npy", 1,
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
            "                                                          \n",
            numbers, sizeof numbers);
  write_npy("y.npy", 1, HEADER("<i8", "False", "(2,)"), classes, sizeof classes);
  ck_ok(open_data("npy:@/x.npy,@/y.npy", &data, &err));
  findlr_data_info info = describe(&data);
  ck_assert_str_eq(info.about, "x.npy: 2 rows, 3 features, target: 2 classes (3, 7)");
  ck_assert_int_eq(info.rows, 2);
  ck_assert_int_eq(info.input_ndim, 1);
  ck_assert_int_eq(info.input_shape[0], 3);
  ck_assert_int_eq(info.classes, 2);
  double values[3];
  float single[3];
  get_inputs(&data, 1, values);
  get_float32(&data, 1, single);
  for (int j = 0; j < 3; j++) {
    ck_assert_double_eq(values[j], numbers[1][j]);
    ck_assert_float_eq(single[j], numbers[1][j]);
  }
  ck_assert_int_eq(get_class(&data, 0), 1);
  ck_assert_double_eq(get_number(&data, 0, 0), 7);
  close_data(&data);
  ck_about("npy:@/x.npy,@/y.npy,kind=real", "x.npy: 2 rows, 3 features, target: real, 3 to 7");
}
END_TEST

START_TEST(reads_every_dtype) {
  static const struct {
    const char *header;
    unsigned char bytes[17], n;
    double values[2];
  } files[] = {
    { HEADER("|u1", "False", "(2,)"), { 51, 255 }, 2, { 0.2, 1 } },
    { HEADER("|b1", "False", "(2,)"), { 1, 0 }, 2, { 1, 0 } },
    { HEADER("|i1", "False", "(2,)"), { 0xff, 127 }, 2, { -1, 127 } },
    { HEADER("<i2", "False", "(2,)"), { 0xfe, 0xff, 0, 1 }, 4, { -2, 256 } },
    { HEADER(">i2", "False", "(2,)"), { 0xff, 0xfe, 1, 0 }, 4, { -2, 256 } },
    { HEADER("<u2", "False", "(2,)"), { 0xfe, 0xff, 0, 1 }, 4, { 65534, 256 } },
    { HEADER("<i4", "False", "(2,)"), { 0, 0, 0, 0x80, 1 }, 8, { -2147483648.0, 1 } },
    { HEADER(">u4", "False", "(2,)"), { 0x80, 0, 0, 0, 0, 0, 0, 1 }, 8, { 2147483648.0, 1 } },
    { HEADER("<i8", "False", "(2,)"),
      { 0, 0, 0, 0, 0, 0, 0, 0x80, 1 }, 16, { -9223372036854775808.0, 1 } },
    { HEADER("<u8", "False", "(2,)"), { 0, 0, 0, 0, 0, 0, 0, 0x80, 1 }, 16, { 0x1p63, 1 } },
    { HEADER(">f4", "False", "(2,)"), { 0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0 }, 8, { 1.5, -2 } },
    { HEADER("<f4", "False", "(2,)"), { 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0 }, 8, { 1.5, -2 } },
    { HEADER(">f8", "False", "(2,)"),
      { 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a, 0x40, 0x24 }, 16, { 0.1, 10 } },
    { HEADER("<f8", "False", "(2,)"),
      { 0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f, 0, 0, 0, 0, 0, 0, 0x24, 0x40 }, 16,
      { 0.1, 10 } },
  };
  ERR;
  write_targets();
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    for (int version = 1; version <= 3; version++) {
      write_npy("x.npy", version, files[i].header, files[i].bytes, files[i].n);
      findlr_data data;
      ck_ok(open_data("npy:@/x.npy,@/y.npy", &data, &err));
      for (int row = 0; row < 2; row++) {
        double value;
        get_inputs(&data, row, &value);
        ck_assert_double_eq(value, files[i].values[row]);
      }
      close_data(&data);
    }
}
END_TEST

START_TEST(reads_headers_in_any_order_and_dress) {
  static const char *const headers[] = {
    "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 2), }",
    "{'shape': (2, 2), 'fortran_order': False, 'descr': '|i1'}\n",
    "{\"descr\":\"|i1\",\"fortran_order\":False,\"shape\":(2,2,)}  \n",
    " { 'descr' : '|i1' , 'fortran_order' : False , 'shape' : ( 2 , 2 ) , } \n",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (2L, 2L), }",
    "{'descr': '<i1', 'fortran_order': False, 'shape': (2, 2), }",
  };
  ERR;
  write_targets();
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
    write_npy("x.npy", 1, headers[i], "\1\2\3\4", 4);
    ck_about("npy:@/x.npy,@/y.npy", "x.npy: 2 rows, 2 features, target: 2 classes (0, 1)");
  }
}
END_TEST

/* The same 2x3x2 numbers in both orders, in place, converted, and as targets. */
START_TEST(reads_fortran_order) {
  ERR;
  unsigned char c[12], f[12];
  float c4[12], f4[12];
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 2; k++) {
        unsigned char value = (unsigned char)(100 * i + 10 * j + k);
        c[(i * 3 + j) * 2 + k] = f[(k * 3 + j) * 2 + i] = value;
        c4[(i * 3 + j) * 2 + k] = f4[(k * 3 + j) * 2 + i] = value;
      }
  write_targets();
  for (int dtype = 0; dtype < 3; dtype++) {
    static const char *const headers[3][2] = {
      { HEADER("|u1", "False", "(2, 3, 2)"), HEADER("|u1", "True", "(2, 3, 2)") },
      { HEADER("|i1", "False", "(2, 3, 2)"), HEADER("|i1", "True", "(2, 3, 2)") },
      { HEADER("<f4", "False", "(2, 3, 2)"), HEADER("<f4", "True", "(2, 3, 2)") },
    };
    findlr_data data;
    double values[2][2][6];
    for (int order = 0; order < 2; order++) {
      if (dtype == 2)
        write_npy("x.npy", 1, headers[dtype][order], order ? f4 : c4, sizeof c4);
      else
        write_npy("x.npy", 1, headers[dtype][order], order ? f : c, sizeof c);
      ck_about("npy:@/x.npy,@/y.npy", "x.npy: 2 rows, 3x2 inputs, target: 2 classes (0, 1)");
      ck_ok(open_data("npy:@/x.npy,@/y.npy", &data, &err));
      get_inputs(&data, 0, values[order][0]);
      get_inputs(&data, 1, values[order][1]);
      close_data(&data);
    }
    ck_assert_mem_eq(values[0], values[1], sizeof values[0]);
    ck_assert_double_eq(values[1][1][3] * (dtype ? 1 : 255), 111);
  }

  const double targets[] = { 1, 2, 3, 4, 5, 6 };
  findlr_data data;
  write_npy("y.npy", 1, HEADER("<f8", "True", "(2, 3)"), targets, sizeof targets);
  ck_about("npy:@/x.npy,@/y.npy", "x.npy: 2 rows, 3x2 inputs, 3 real targets a row");
  ck_ok(open_data("npy:@/x.npy,@/y.npy", &data, &err));
  ck_assert_int_eq(describe(&data).classes, 0);
  ck_assert_int_eq(describe(&data).target_columns, 3);
  ck_assert_double_eq(get_number(&data, 1, 0), 2);
  ck_assert_double_eq(get_number(&data, 0, 2), 5);
  close_data(&data);
}
END_TEST

START_TEST(refuses_other_dtypes) {
  static const struct {
    const char *header, *sentence;
  } files[] = {
    { HEADER("|O", "False", "(2,)"), "x.npy holds Python objects, wanted numbers" },
    { HEADER("|O8", "False", "(2,)"), "x.npy holds Python objects, wanted numbers" },
    { "{'descr': [('a', '<f4'), ('b', '<i8')], 'fortran_order': False, 'shape': (2,), }",
      "x.npy has a structured dtype, wanted plain numbers" },
    { HEADER("<c16", "False", "(2,)"),
      "x.npy has dtype \"<c16\", wanted b1, i1 to i8, u1 to u8, f4 or f8" },
    { HEADER("<f2", "False", "(2,)"),
      "x.npy has dtype \"<f2\", wanted b1, i1 to i8, u1 to u8, f4 or f8" },
    { HEADER("<U5", "False", "(2,)"),
      "x.npy has dtype \"<U5\", wanted b1, i1 to i8, u1 to u8, f4 or f8" },
    { HEADER("<M8[ns]", "False", "(2,)"),
      "x.npy has dtype \"<M8[ns]\", wanted b1, i1 to i8, u1 to u8, f4 or f8" },
    { HEADER("|f8", "False", "(2,)"),
      "x.npy has dtype \"|f8\", wanted b1, i1 to i8, u1 to u8, f4 or f8" },
    { HEADER("", "False", "(2,)"), "x.npy has dtype \"\", wanted b1, i1 to i8, u1 to u8, f4 or f8" },
  };
  ERR;
  write_targets();
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    write_npy("x.npy", 1, files[i].header, "0123456789abcdef", 16);
    ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_UNSUPPORTED, files[i].sentence);
  }
}
END_TEST

START_TEST(refuses_bad_headers) {
  static const char *const headers[] = {
    "",
    "{}",
    "{'descr': '|i1', 'fortran_order': False}",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), 'extra': 1}",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
    "{'descr': '|i1', 'fortran_order': Maybe, 'shape': (2,)}",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (2,)",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (2,)} garbage",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (-2,)}",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (2 2)}",
    "{'descr': '|i1', 'fortran_order': False, 'shape': 2}",
    "{'descr': '|i1', 'fortran_order': False, 'shape': (__import__('os'),)}",
    "{'descr': '|i1' 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '|i1",
    "{'descr': 1, 'fortran_order': False, 'shape': (2,)}",
  };
  ERR;
  write_targets();
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
    write_npy("x.npy", 1, headers[i], "\1\2", 2);
    ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
               "x.npy is no .npy file: its header is not a dictionary of descr, fortran_order and "
               "shape");
  }
  write_npy("x.npy", 4, HEADER("|i1", "False", "(2,)"), "\1\2", 2);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_UNSUPPORTED,
             "x.npy is of .npy version 4, wanted 1, 2 or 3");
  write_text("x.npy", "PK\3\4 and so on");
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_UNSUPPORTED,
             "x.npy is a zip archive, as .npz files are, wanted a single .npy array");
  write_text("x.npy", "1,2,3\n4,5,6\n");
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
             "x.npy is no .npy file: it does not begin with \\x93NUMPY");
  write_bytes("x.npy", "\x93NUMPY\1\0\xff\xff{", 11);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
             "x.npy is truncated: its header ends early");
  write_bytes("x.npy", "\x93NUMPY\2\0\xff\xff\xff", 11);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
             "x.npy is truncated: its header ends early");
}
END_TEST

START_TEST(refuses_sizes_that_lie) {
  static const struct {
    const char *header, *sentence;
  } files[] = {
    { HEADER("<i4", "False", "(3,)"),
      "x.npy is truncated: its header promises more numbers than the 2 that it has" },
    { HEADER("<i4", "False", "(1,)"),
      "x.npy has 4 bytes after the numbers that its header promises" },
    { HEADER("<i4", "False", "(0, 5)"), "x.npy has no rows: dimension 0 is 0" },
    { HEADER("<i4", "False", "(2, 0)"), "x.npy has no rows: dimension 1 is 0" },
    { HEADER("<i4", "False", "()"), "x.npy holds a single number, wanted rows" },
    { HEADER("<i4", "False", "(4294967296, 4294967296)"),
      "x.npy is truncated: its header promises more numbers than the 2 that it has" },
    { HEADER("<i4", "False", "(2, 4611686018427387904, 4)"),
      "x.npy is truncated: its header promises more numbers than the 2 that it has" },
    { HEADER("<i4", "False", "(99999999999999999999999999999999999999,)"),
      "x.npy is truncated: its header promises more numbers than the 2 that it has" },
    { HEADER("<i4", "False", "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2)"),
      "x.npy has more than 32 dimensions" },
  };
  ERR;
  write_targets();
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    write_npy("x.npy", 1, files[i].header, "\1\2\3\4\5\6\7\10", 8);
    ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT, files[i].sentence);
  }
}
END_TEST

START_TEST(refuses_bad_numbers_and_targets) {
  ERR;
  findlr_data data;
  const float numbers[4] = { 1, 2, 3, INFINITY };
  write_targets();
  write_npy("x.npy", 1, HEADER("<f4", "False", "(2, 2)"), numbers, sizeof numbers);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
             "x.npy: number 1 of row 1 is not finite (both from 0)");
  write_npy("x.npy", 1, HEADER("|u1", "False", "(2, 2)"), "\1\2\3\4", 4);
  const double nan[2] = { 1, NAN };
  write_npy("y.npy", 1, HEADER("<f8", "False", "(2,)"), nan, sizeof nan);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
             "y.npy: number 0 of row 1 is not finite (both from 0)");
  write_npy("y.npy", 1, HEADER("|u1", "False", "(2,)"), "\5\5", 2);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
             "y.npy: target is 5 in every row, wanted at least two classes or different numbers");
  write_npy("y.npy", 1, HEADER("|u1", "False", "(3,)"), "\5\6\7", 3);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT, "x.npy has 2 rows and y.npy 3");
  write_npy("y.npy", 1, HEADER("|u1", "False", "(2,1,1)"), "\5\6", 2);
  ck_refused("npy:@/x.npy,@/y.npy", FINDLR_ERR_FORMAT,
             "y.npy has 3 dimensions, wanted [rows] or [rows, columns] for targets");
  write_npy("y.npy", 1, HEADER("|u1", "False", "(2,2)"), "\5\6\7\10", 4);
  ck_refused("npy:@/x.npy,@/y.npy,kind=classes", FINDLR_ERR_FORMAT,
             "y.npy has 2 columns, wanted one for classes");
  ck_fails(open_data("npy:@/x.npy,@/none.npy", &data, &err), FINDLR_ERR_NOT_FOUND, "none.npy");
  ck_fails(open_data("npy:@/x.npy", &data, &err), FINDLR_ERR_ARGUMENT, "targets");
}
END_TEST

START_TEST(survives_every_failed_allocation) {
  static const char *const headers[] = {
    HEADER("|u1", "False", "(2, 4)"),
    HEADER("|u1", "True", "(2, 4)"),
    HEADER("<i2", "False", "(2, 2)"),
    HEADER("<i2", "True", "(2, 2)"),
  };
  write_targets();
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
    write_npy("x.npy", 1, headers[i], "\1\2\3\4\5\6\7\10", 8);
    fail_every_allocation("npy:@/x.npy,@/y.npy");
  }
  write_npy("y.npy", 1, HEADER("<i2", "True", "(2, 2)"), "\1\2\3\4\5\6\7\10", 8);
  fail_every_allocation("npy:@/x.npy,@/y.npy");
}
END_TEST

/* What fuzz breaks: the last file written by write_npy. */
static void fuzz_npy(const char *name) {
  unsigned char file[1024];
  FILE *f = fopen(path_of(name), "rb");
  size_t n = fread(file, 1, sizeof file, f);
  fclose(f);
  fuzz(name, file, n, "npy:@/x.npy,@/y.npy", 2000);
  write_bytes(name, file, n);
}

START_TEST(survives_broken_files) {
  static const unsigned char numbers[48] = { 0, 0, 0xc0, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
  write_targets();
  write_npy("x.npy", 1, HEADER("<f4", "True", "(2, 3, 2)"), numbers, 48);
  fuzz_npy("x.npy");
  write_npy("x.npy", 2, HEADER(">i2", "False", "(2, 4)"), numbers, 16);
  fuzz_npy("x.npy");
  fuzz_npy("y.npy");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("npy");
  TCase *tc = tcase_create("npy");
  tcase_set_timeout(tc, 60);
  tcase_add_checked_fixture(tc, datafile_setup, datafile_teardown);
  if (little_endian())
    tcase_add_test(tc, reads_what_numpy_writes);
  tcase_add_test(tc, reads_every_dtype);
  tcase_add_test(tc, reads_headers_in_any_order_and_dress);
  tcase_add_test(tc, reads_fortran_order);
  tcase_add_test(tc, refuses_other_dtypes);
  tcase_add_test(tc, refuses_bad_headers);
  tcase_add_test(tc, refuses_sizes_that_lie);
  tcase_add_test(tc, refuses_bad_numbers_and_targets);
  tcase_add_test(tc, survives_every_failed_allocation);
  tcase_add_test(tc, survives_broken_files);
  suite_add_tcase(s, tc);
  return s;
}

TEST_MAIN(suite())
