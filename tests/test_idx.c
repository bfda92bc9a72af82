/* SPDX-License-Identifier: MIT */
#include "datafile.h"

static const unsigned char images[] = {
  0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, /* three images of 2x2 */
  0, 51, 102, 153, 204, 255, 0, 1, 2, 3, 4, 5,
};
static const unsigned char labels[] = { 0, 0, 8, 1, 0, 0, 0, 3, 4, 0, 1 };

static void write_pair(void) {
  write_bytes("images", images, sizeof images);
  write_bytes("labels", labels, sizeof labels);
}

START_TEST(reads_images_and_labels) {
  ERR;
  findlr_data data;
  write_pair();
  ck_ok(open_data("idx:@/images,@/labels", &data, &err));
  findlr_data_info info = describe(&data);
  ck_assert_str_eq(info.about, "images: 3 rows, 2x2 inputs, 5 classes (0 to 4)");
  ck_assert_int_eq(info.rows, 3);
  ck_assert_int_eq(info.input_ndim, 2);
  ck_assert_int_eq(info.input_shape[0], 2);
  ck_assert_int_eq(info.input_shape[1], 2);
  ck_assert_int_eq(info.classes, 5);
  double pixels[4];
  float single[4];
  get_inputs(&data, 1, pixels);
  ck_assert_double_eq(pixels[0], 0.8);
  ck_assert_double_eq(pixels[1], 1);
  ck_assert_double_eq(pixels[2], 0);
  get_float32(&data, 0, single);
  ck_assert_float_eq(single[1], 0.2f);
  ck_assert_float_eq(single[3], 0.6f);
  ck_assert_int_eq(get_class(&data, 0), 4);
  ck_assert_int_eq(get_class(&data, 2), 1);
  ck_assert_double_eq(get_number(&data, 0, 0), 4);
  close_data(&data);
}
END_TEST

START_TEST(reads_every_type) {
  static const struct {
    unsigned char type, n, bytes[16];
    double values[2];
  } types[] = {
    { 0x09, 2, { 0xff, 0x7f }, { -1, 127 } },
    { 0x0b, 4, { 0xff, 0xfe, 0x01, 0x00 }, { -2, 256 } },
    { 0x0c, 8, { 0x80, 0, 0, 0, 0, 0, 1, 2 }, { -2147483648.0, 258 } },
    { 0x0d, 8, { 0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0 }, { 1.5, -2 } },
    { 0x0e, 16, { 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a, 0x40, 0x24 }, { 0.1, 10 } },
  };
  static const unsigned char two[] = { 0, 0, 8, 1, 0, 0, 0, 2, 0, 1 };
  ERR;
  write_bytes("labels", two, sizeof two);
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    unsigned char file[64] = { 0, 0, types[i].type, 1, 0, 0, 0, 2 };
    memcpy(file + 8, types[i].bytes, types[i].n);
    write_bytes("images", file, 8u + types[i].n);
    findlr_data data;
    ck_ok(open_data("idx:@/images,@/labels", &data, &err));
    for (int row = 0; row < 2; row++) {
      double value;
      get_inputs(&data, row, &value);
      ck_assert_double_eq(value, types[i].values[row]);
    }
    close_data(&data);
  }
}
END_TEST

/* `images` with bytes at..at+3 replaced, refused with a sentence. */
static void refuses_images(size_t at, const char *four, const char *sentence) {
  ERR;
  unsigned char file[sizeof images];
  memcpy(file, images, sizeof file);
  memcpy(file + at, four, 4);
  write_bytes("images", file, sizeof file);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT, sentence);
}

START_TEST(refuses_bad_headers) {
  const char *no_idx = "images is no IDX file: it does not begin with two zero bytes, a type and a "
                       "number of dimensions";
  const char *truncated =
      "images is truncated: its header promises more numbers than the 12 that it has";
  write_pair();
  refuses_images(0, "\1\0\x8\3", no_idx);
  refuses_images(0, "\x89PNG", no_idx);
  refuses_images(0, "\0\0\x0a\3",
                 "images has numbers of IDX type 0x0a, wanted 0x08, 0x09 or 0x0b to 0x0e");
  refuses_images(0, "\0\0\x8\0", "images has 0 dimensions, wanted 1 to 32");
  refuses_images(0, "\0\0\x8\xff", "images has 255 dimensions, wanted 1 to 32");
  refuses_images(0, "\0\0\x8\x20", "images is truncated: its header ends early, after 28 bytes");
  refuses_images(4, "\0\0\0\0", "images has no rows: dimension 0 is 0");
  refuses_images(4, "\0\0\0\4", truncated);
  refuses_images(4, "\0\0\0\2", "images has 4 bytes after the numbers that its header promises");
  refuses_images(8, "\xff\xff\xff\xff", truncated);
  refuses_images(4, "\x80\0\0\0", truncated);
}
END_TEST

/* 2^32 * 2^32 - ish: the product overflows 64 bits. */
START_TEST(refuses_sizes_that_overflow) {
  ERR;
  unsigned char file[sizeof images];
  memcpy(file, images, sizeof file);
  memset(file + 4, 0xff, 12);
  write_bytes("images", file, sizeof file);
  write_bytes("labels", labels, sizeof labels);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT,
             "images is truncated: its header promises more numbers than the 12 that it has");
  static const unsigned char wrapping[] = { 0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0 };
  write_bytes("images", wrapping, sizeof wrapping);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT,
             "images is truncated: its header promises more numbers than the 0 that it has");
}
END_TEST

START_TEST(refuses_every_truncation) {
  ERR;
  write_pair();
  for (size_t n = 0; n < sizeof images; n++) {
    write_bytes("images", images, n);
    findlr_data data;
    ck_assert_int_eq(open_data("idx:@/images,@/labels", &data, &err), FINDLR_ERR_FORMAT);
  }
  write_bytes("images", images, sizeof images);
  for (size_t n = 0; n < sizeof labels; n++) {
    write_bytes("labels", labels, n);
    findlr_data data;
    ck_assert_int_eq(open_data("idx:@/images,@/labels", &data, &err), FINDLR_ERR_FORMAT);
  }
}
END_TEST

START_TEST(refuses_bad_labels) {
  static const unsigned char two[] = { 0, 0, 8, 1, 0, 0, 0, 2, 4, 0 };
  static const unsigned char same[] = { 0, 0, 8, 1, 0, 0, 0, 3, 7, 7, 7 };
  static const unsigned char negative[] = { 0, 0, 9, 1, 0, 0, 0, 3, 1, 0xfe, 0 };
  static const unsigned char large[] = { 0, 0, 12, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0 };
  static const unsigned char real[] = { 0, 0, 13, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0 };
  static const unsigned char nan[] = { 0, 0, 13, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
                                       0, 0, 0, 0, 0, 0, 0x7f, 0xc0, 0, 0 };
  ERR;
  write_pair();
  write_bytes("labels", two, sizeof two);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT, "images has 3 images and labels 2 labels");
  ck_refused("idx:@/images,@/images", FINDLR_ERR_FORMAT,
             "images has 3 dimensions, wanted 1 for labels");
  write_bytes("labels", same, sizeof same);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT,
             "labels: every label is 7, wanted at least two classes");
  write_bytes("labels", negative, sizeof negative);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT,
             "labels: label 1 (from 0) is -2, wanted 0 to 65535");
  write_bytes("labels", large, sizeof large);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT,
             "labels: label 2 (from 0) is 65536, wanted 0 to 65535");
  write_bytes("labels", real, sizeof real);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT,
             "labels has fractions, wanted whole numbers for labels");
  write_bytes("images", nan, sizeof nan);
  ck_refused("idx:@/images,@/labels", FINDLR_ERR_FORMAT,
             "images: number 1 of row 1 is not finite (both from 0)");
  findlr_data data;
  ck_fails(open_data("idx:@/images,@/none", &data, &err), FINDLR_ERR_FORMAT, "not finite");
  write_pair();
  ck_fails(open_data("idx:@/images,@/none", &data, &err), FINDLR_ERR_NOT_FOUND, "does not exist");
  ck_fails(open_data("idx:@/images", &data, &err), FINDLR_ERR_ARGUMENT, "labels");
}
END_TEST

START_TEST(survives_every_failed_allocation) {
  static const unsigned char wide[] = { 0, 0, 11, 1, 0, 0, 0, 3, 0, 1, 0, 2, 0, 3 };
  write_pair();
  fail_every_allocation("idx:@/images,@/labels");
  write_bytes("images", wide, sizeof wide);
  fail_every_allocation("idx:@/images,@/labels");
}
END_TEST

START_TEST(survives_broken_files) {
  write_pair();
  fuzz("images", images, sizeof images, "idx:@/images,@/labels", 2000);
  write_pair();
  fuzz("labels", labels, sizeof labels, "idx:@/images,@/labels", 2000);
#ifdef HAVE_ZLIB
  unsigned char packed[sizeof images + 100];
  size_t n = pack(images, sizeof images, packed);
  write_pair();
  fuzz("images", packed, n, "idx:@/images,@/labels", 2000);
#endif
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("idx");
  TCase *tc = tcase_create("idx");
  tcase_set_timeout(tc, 60);
  tcase_add_checked_fixture(tc, datafile_setup, datafile_teardown);
  tcase_add_test(tc, reads_images_and_labels);
  tcase_add_test(tc, reads_every_type);
  tcase_add_test(tc, refuses_bad_headers);
  tcase_add_test(tc, refuses_sizes_that_overflow);
  tcase_add_test(tc, refuses_every_truncation);
  tcase_add_test(tc, refuses_bad_labels);
  tcase_add_test(tc, survives_every_failed_allocation);
  tcase_add_test(tc, survives_broken_files);
  suite_add_tcase(s, tc);
  return s;
}

TEST_MAIN(suite())
