/* SPDX-License-Identifier: MIT */
#include "datafile.h"

static const char iris[] = "sepal length,sepal width,species\n"
                           "5.1,3.5,setosa\n"
                           "7.0,3.2,versicolor\n"
                           "6.3,3.3,virginica\n"
                           "4.9,3.0,setosa\n";

START_TEST(reads_a_header_and_text_classes) {
  ERR;
  findlr_data data;
  write_text("iris.csv", iris);
  ck_ok(open_data("csv:@/iris.csv", &data, &err));
  findlr_data_info info = describe(&data);
  ck_assert_str_eq(info.about, "iris.csv: 4 rows, 2 features, target \"species\": 3 classes "
                               "(setosa, versicolor, virginica)");
  ck_assert_int_eq(info.rows, 4);
  ck_assert_int_eq(info.input_ndim, 1);
  ck_assert_int_eq(info.input_shape[0], 2);
  ck_assert_int_eq(info.classes, 3);
  ck_assert_int_eq(info.target_columns, 1);
  double values[2];
  get_inputs(&data, 2, values);
  ck_assert_double_eq(values[0], 6.3);
  ck_assert_double_eq(values[1], 3.3);
  static const int64_t classes[] = { 0, 1, 2, 0 };
  for (int row = 0; row < 4; row++) {
    ck_assert_int_eq(get_class(&data, row), classes[row]);
    ck_assert_double_eq(get_number(&data, row, 0), (double)classes[row]);
  }
  float single[2];
  get_float32(&data, 0, single);
  ck_assert_float_eq(single[0], 5.1f);
  close_data(&data);
}
END_TEST

/* Integers with few values are classes in their order, and can still be had as numbers. */
START_TEST(makes_classes_of_integers) {
  ERR;
  findlr_data data;
  write_text("n.csv", "9,0.5\n-3,1.5\n9,2.5\n5,3.5\n");
  ck_ok(open_data("csv:@/n.csv,target=0", &data, &err));
  ck_assert_str_eq(describe(&data).about,
                   "n.csv: 4 rows, 1 feature, target column 0: 3 classes (-3, 5, 9)");
  ck_assert_int_eq(get_class(&data, 0), 2);
  ck_assert_int_eq(get_class(&data, 1), 0);
  ck_assert_int_eq(get_class(&data, 3), 1);
  ck_assert_double_eq(get_number(&data, 1, 0), -3);
  double value;
  get_inputs(&data, 3, &value);
  ck_assert_double_eq(value, 3.5);
  close_data(&data);

  ck_about("csv:@/n.csv,target=0,kind=real",
           "n.csv: 4 rows, 1 feature, target column 0: real, -3 to 9");
  ck_about("csv:@/n.csv", "n.csv: 4 rows, 1 feature, target column 1: real, 0.5 to 3.5");
  ck_about("csv:@/n.csv,kind=classes",
           "n.csv: 4 rows, 1 feature, target column 1: 4 classes (0.5, 1.5, 2.5, 3.5)");
}
END_TEST

static void write_counting(int rows) {
  FILE *file = fopen(path_of("count.csv"), "w");
  fputs("x,y\n", file);
  for (int i = 0; i < rows; i++)
    fprintf(file, "1,%d\n", i);
  fclose(file);
}

START_TEST(takes_more_than_twenty_integers_as_real) {
  ERR;
  write_counting(20);
  ck_about("csv:@/count.csv",
           "count.csv: 20 rows, 1 feature, target \"y\": 20 classes (0 to 19)");
  write_counting(21);
  ck_about("csv:@/count.csv", "count.csv: 21 rows, 1 feature, target \"y\": real, 0 to 20");
  write_counting(1234);
  ck_about("csv:@/count.csv,kind=classes",
           "count.csv: 1,234 rows, 1 feature, target \"y\": 1,234 classes (0 to 1233)");
}
END_TEST

START_TEST(finds_the_target) {
  ERR;
  write_text("t.csv", "age,7,wage\n1,2,30.5\n4,5,60.5\n");
  ck_about("csv:@/t.csv", "t.csv: 2 rows, 2 features, target \"wage\": real, 30.5 to 60.5");
  ck_about("csv:@/t.csv,age", "t.csv: 2 rows, 2 features, target \"age\": 2 classes (1, 4)");
  ck_about("csv:@/t.csv,target=-2", "t.csv: 2 rows, 2 features, target \"7\": 2 classes (2, 5)");
  ck_about("csv:@/t.csv,target=7", "t.csv: 2 rows, 2 features, target \"7\": 2 classes (2, 5)");
  ck_refused("csv:@/t.csv,target=wages", FINDLR_ERR_NOT_FOUND,
             "t.csv has no column \"wages\" for the target; did you mean \"wage\"?");
  ck_refused("csv:@/t.csv,target=price", FINDLR_ERR_NOT_FOUND,
             "t.csv has no column \"price\" for the target, wanted a name of its header or an index "
             "from -3 to 2");
  ck_refused("csv:@/t.csv,target=3", FINDLR_ERR_NOT_FOUND,
             "t.csv has no column \"3\" for the target, wanted a name of its header or an index "
             "from -3 to 2");
  write_text("t.csv", "1,2,3\n4,5,6\n");
  ck_refused("csv:@/t.csv,target=-4", FINDLR_ERR_NOT_FOUND,
             "t.csv has no column \"-4\" for the target, wanted an index from -3 to 2");
  ck_refused("csv:@/t.csv,target=0.5", FINDLR_ERR_NOT_FOUND,
             "t.csv has no column \"0.5\" for the target, wanted an index from -3 to 2");
  ck_refused("csv:@/t.csv,target=nan", FINDLR_ERR_NOT_FOUND,
             "t.csv has no column \"nan\" for the target, wanted an index from -3 to 2");
  write_text("t.csv", "a,a,b\n1,2,3\n4,5,6\n");
  ck_refused("csv:@/t.csv,target=a", FINDLR_ERR_ARGUMENT,
             "t.csv has two columns \"a\", wanted the target's index");
}
END_TEST

/* The same table in every dress. */
START_TEST(reads_what_people_write) {
  static const char *const texts[] = {
    "a,b,c\n1,2.5,x\n-3,4e2,y\n",
    "a,b,c\r\n1,2.5,x\r\n-3,4e2,y",
    "a,b,c\r1,2.5,x\r-3,4e2,y\r",
    ("\xef\xbb\xbf" /* a byte order mark */
     "a,b,c\n1,2.5,x\n-3,4e2,y\n"),
    "\n\n  \na,b,c\n\n1,2.5,x\n \n-3,4e2,y\n\n\n",
    "\"a\",\"b\",\"c\"\n\"1\",\"2.5\",\"x\"\n\"-3\",\"4e2\",\"y\"\n",
    " a , b , c \n 1 ,\t2.5, x\n -3 , \"4e2\" ,y \n",
    "a;b;c\n1;2.5;x\n-3;4e2;y\n",
    "a\tb\tc\n1\t2.5\tx\n-3\t4e2\ty\n",
    "a|b|c\n1|2.5|x\n-3|4e2|y\n",
  };
  ERR;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    findlr_data data;
    double values[2];
    write_text("d.csv", texts[i]);
    ck_about("csv:@/d.csv", "d.csv: 2 rows, 2 features, target \"c\": 2 classes (x, y)");
    ck_ok(open_data("csv:@/d.csv", &data, &err));
    get_inputs(&data, 1, values);
    ck_assert_double_eq(values[0], -3);
    ck_assert_double_eq(values[1], 400);
    close_data(&data);
  }
}
END_TEST

START_TEST(reads_quoted_text) {
  ERR;
  write_text("q.csv", "n,\"the \"\"kind\"\", or\nso\"\n1,\"a, b\"\n2,\"say \"\"hi\"\"\"\n3,\"a, b\"\n");
  ck_about("csv:@/q.csv", "q.csv: 3 rows, 1 feature, target \"the \"kind\", or?so\": 2 classes "
                          "(a, b, say \"hi\")");
  /* A line end within quotes counts as a line. */
  write_text("q.csv", "a,b\n\"1\n\",2\n3,4\n");
  ck_refused("csv:@/q.csv", FINDLR_ERR_FORMAT,
             "q.csv, line 2: column \"a\" holds \"1?\", wanted a number");
  write_text("q.csv", "\"a\n\n\",b\n1,2\nx,4\n");
  ck_refused("csv:@/q.csv", FINDLR_ERR_FORMAT,
             "q.csv, line 5: column \"a??\" holds \"x\", wanted a number");
  write_text("q.csv", "a,b\n1,\"2\n3,4\n");
  ck_refused("csv:@/q.csv", FINDLR_ERR_FORMAT, "q.csv, line 2: a quote opens that never closes");
  write_text("q.csv", "a,b\n1,\"2\" 3\n");
  ck_refused("csv:@/q.csv", FINDLR_ERR_FORMAT,
             "q.csv, line 2: text follows a closing quote, wanted a delimiter");
}
END_TEST

START_TEST(tells_a_header_from_numbers) {
  ERR;
  write_text("h.csv", "1,2\n3,4\n");
  ck_about("csv:@/h.csv", "h.csv: 2 rows, 1 feature, target column 1: 2 classes (2, 4)");
  write_text("h.csv", "1,no\n3,yes\n");
  ck_about("csv:@/h.csv", "h.csv: 2 rows, 1 feature, target column 1: 2 classes (no, yes)");
  write_text("h.csv", ",y\n0,no\n1,yes\n"); /* an index column without a name */
  ck_about("csv:@/h.csv", "h.csv: 2 rows, 1 feature, target \"y\": 2 classes (no, yes)");
  write_text("h.csv", "150,4,setosa\n1,2,0\n3,4,1\n"); /* scikit-learn's own files */
  ck_about("csv:@/h.csv", "h.csv: 2 rows, 2 features, target \"setosa\": 2 classes (0, 1)");
  write_text("h.csv", "1,2\n3,4\n5,6\n");
  ck_about("csv:@/h.csv,header=yes", "h.csv: 2 rows, 1 feature, target \"2\": 2 classes (4, 6)");
  write_text("h.csv", "a,b\n3,4\n");
  ck_refused("csv:@/h.csv,header=no", FINDLR_ERR_FORMAT,
             "h.csv, line 1: column 0 (the first is 0) holds \"a\", wanted a number");
  write_text("h.csv", "1;2,3\n4;5,6\n");
  ck_refused("csv:@/h.csv,delimiter=comma", FINDLR_ERR_FORMAT,
             "h.csv, line 1: column 0 (the first is 0) holds \"1;2\", wanted a number");
}
END_TEST

START_TEST(refuses_bad_files) {
  static const struct {
    const char *text, *sentence;
  } files[] = {
    { "", "/b.csv is empty" },
    { "\n \n\r\n", "b.csv is empty" },
    { "\xef\xbb\xbf", "b.csv is empty" },
    { "a,b\n", "b.csv has a header and no rows" },
    { "a,b", "b.csv has a header and no rows" },
    { "a\n1\n2\n", "b.csv has one column, wanted at least one feature and a target" },
    { "a,b,c\n1,2,3\n\n1,2\n", "b.csv, line 4 has 2 columns, wanted 3 as in line 1" },
    { "a,b,c\n1,2,3\n1,2,3,4,\n", "b.csv, line 3 has 5 columns, wanted 3 as in line 1" },
    { "a,b\n1,2\n3\n", "b.csv, line 3 has 1 column, wanted 2 as in line 1" },
    { "\n1,2,3\n4,5,6,7\n", "b.csv, line 3 has 4 columns, wanted 3 as in line 2" },
    { "age,y\n17,1\nabc,0\n", "b.csv, line 3: column \"age\" holds \"abc\", wanted a number" },
    { "1,0\n2,1\n3 4,0\n",
      "b.csv, line 3: column 0 (the first is 0) holds \"3 4\", wanted a number" },
    { "age,y\n1\0331m,0\n2,1\n", "b.csv, line 2: column \"age\" holds \"1?1m\", wanted a number" },
    { "age,y\n1,0\n,1\n", "b.csv, line 3: column \"age\" is empty, wanted a number" },
    { "age,y\n1,0\nNaN,1\n", "b.csv, line 3: column \"age\" holds \"NaN\", wanted a finite number" },
    { "age,y\n1,0\n-inf,1\n",
      "b.csv, line 3: column \"age\" holds \"-inf\", wanted a finite number" },
    { "age,y\n1,0\n1e999,1\n",
      "b.csv, line 3: column \"age\" holds \"1e999\", wanted a finite number" },
    { "age,y\n1,0\n2,\n", "b.csv, line 3: the target, column \"y\", is empty" },
    { "age,y\n1,0\n2,nan\n",
      "b.csv, line 3: the target, column \"y\", holds \"nan\", wanted a finite number" },
    { "age,y\n1,a\n2,a\n",
      "b.csv: target \"y\" is \"a\" in every row, wanted at least two classes" },
    { "age,y\n1,7\n2,7\n", "b.csv: target \"y\" is 7 in every row, wanted at least two classes or "
                           "different numbers" },
    { "1,7\n", "b.csv: target column 1 is 7 in every row, wanted at least two classes or different "
               "numbers" },
  };
  ERR;
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    write_text("b.csv", files[i].text);
    findlr_data data;
    ck_assert_int_eq(open_data("csv:@/b.csv", &data, &err), FINDLR_ERR_FORMAT);
    const char *sentence = files[i].sentence;
    if (sentence[0] == '/') /* the whole path */
      ck_assert_ptr_nonnull(strstr(err.message, sentence));
    else
      ck_assert_str_eq(err.message, sentence);
  }
  write_bytes("b.csv", "a,b\n1,\0\n", 8);
  ck_refused("csv:@/b.csv", FINDLR_ERR_FORMAT, "b.csv is binary (byte 6 is zero), wanted text");
  write_text("b.csv", "x,y\n1,2\n3,four\n");
  ck_refused("csv:@/b.csv,kind=real", FINDLR_ERR_FORMAT,
             "b.csv, line 3: the target, column \"y\", holds \"four\", wanted a finite number");
}
END_TEST

/* Numbers with a slip of the pen are not a thousand classes. */
START_TEST(refuses_texts_among_many_numbers) {
  ERR;
  write_counting(2000);
  FILE *file = fopen(path_of("count.csv"), "a");
  fputs("1,l2\n", file);
  fclose(file);
  ck_refused("csv:@/count.csv", FINDLR_ERR_FORMAT,
             "count.csv, line 2002: target \"y\" holds \"l2\", which is no number, and more than 1000 "
             "different values, too many to be classes");
}
END_TEST

START_TEST(refuses_what_is_no_file) {
  ERR;
  findlr_data data;
  ck_fails(open_data("csv:@/none.csv", &data, &err), FINDLR_ERR_NOT_FOUND,
           "/none.csv does not exist");
  ck_fails(open_data("csv:@", &data, &err), FINDLR_ERR_IO, " is a directory, wanted a file");
  ck_fails(open_data("csv:/dev/zero", &data, &err), FINDLR_ERR_IO,
           "/dev/zero is a device, wanted a file");
  ck_fails(open_data("csv:/proc/self/mem", &data, &err), FINDLR_ERR_IO,
           "/proc/self/mem cannot be read");
  write_text("x", "1,2\n");
  ck_fails(open_data("csv:@/x/y.csv", &data, &err), FINDLR_ERR_IO, "/x/y.csv cannot be read");
  if (geteuid() != 0) { /* root may read everything */
    ck_assert_int_eq(fchmodat(AT_FDCWD, path_of("x"), 0, 0), 0);
    ck_fails(open_data("csv:@/x", &data, &err), FINDLR_ERR_IO, "permission denied");
  }
}
END_TEST

#ifdef HAVE_ZLIB

START_TEST(unpacks_gzip) {
  ERR;
  unsigned char packed[2 * (sizeof iris + 100) + 512];
  size_t half = 60;
  size_t n = pack(iris, half, packed);
  n += pack(iris + half, sizeof iris - 1 - half, packed + n); /* two members are one file */
  write_bytes("iris.csv.gz", packed, n);
  const char *about = "iris.csv.gz: 4 rows, 2 features, target \"species\": 3 classes (setosa, "
                      "versicolor, virginica)";
  ck_about("csv:@/iris.csv.gz", about);
  memset(packed + n, 0, 512); /* as a tape pads it */
  write_bytes("iris.csv.gz", packed, n + 512);
  ck_about("csv:@/iris.csv.gz", about);
  write_bytes("iris.csv", packed, n); /* what it is shows in its bytes */
  ck_about("csv:@/iris.csv", "iris.csv: 4 rows, 2 features, target \"species\": 3 classes (setosa, "
                             "versicolor, virginica)");

  findlr_data data;
  for (size_t cut = 2; cut < n; cut++) {
    write_bytes("iris.csv.gz", packed, cut);
    int32_t status = open_data("csv:@/iris.csv.gz", &data, &err);
    if (!status) { /* between the members; a part of the rows is a table, too */
      close_data(&data);
      continue;
    }
    ck_assert_int_eq(status, FINDLR_ERR_FORMAT);
    ck_assert_msg(strstr(err.message, "is truncated: its gzip data ends early") ||
                      strstr(err.message, "line 3"),
                  "%s", err.message);
  }
  packed[30] ^= 0x55;
  write_bytes("iris.csv.gz", packed, n);
  ck_fails(open_data("csv:@/iris.csv.gz", &data, &err), FINDLR_ERR_FORMAT,
           "is corrupt: its gzip data fails near byte");
  packed[30] ^= 0x55;
  packed[n] = 'x';
  write_bytes("iris.csv.gz", packed, n + 1);
  ck_fails(open_data("csv:@/iris.csv.gz", &data, &err), FINDLR_ERR_FORMAT,
           "is truncated: its gzip data ends early");
  packed[n + 1] = 'y';
  write_bytes("iris.csv.gz", packed, n + 2);
  ck_fails(open_data("csv:@/iris.csv.gz", &data, &err), FINDLR_ERR_FORMAT, "is corrupt");
}
END_TEST

/* A mebibyte of zeros packs to a kibibyte; 300 of them are a bomb. */
START_TEST(refuses_a_gzip_bomb) {
  ERR;
  size_t mebibyte = 1 << 20;
  unsigned char *zeros = calloc(1, mebibyte), *packed = malloc(mebibyte + 100);
  size_t n = pack(zeros, mebibyte, packed);
  FILE *file = fopen(path_of("bomb.csv.gz"), "wb");
  for (int i = 0; i < 300; i++)
    ck_assert_uint_eq(fwrite(packed, 1, n, file), n);
  fclose(file);
  free(zeros);
  free(packed);
  findlr_data data;
  ck_fails(open_data("csv:@/bomb.csv.gz", &data, &err), FINDLR_ERR_LIMIT,
           "unpacks to more than 256 MiB and more than 200 times its size, as a gzip bomb does");
}
END_TEST

START_TEST(survives_broken_gzip) {
  unsigned char packed[sizeof iris + 100];
  size_t n = pack(iris, sizeof iris - 1, packed);
  write_bytes("iris.csv.gz", packed, n);
  fail_every_allocation("csv:@/iris.csv.gz");
}
END_TEST

#else

START_TEST(refuses_gzip_without_zlib) {
  ERR;
  findlr_data data;
  write_bytes("iris.csv.gz", "\x1f\x8b\x08", 3);
  ck_fails(open_data("csv:@/iris.csv.gz", &data, &err), FINDLR_ERR_UNSUPPORTED,
           "is packed with gzip, and this build has no zlib");
}
END_TEST

#endif

START_TEST(survives_every_failed_allocation) {
  write_text("iris.csv", iris);
  fail_every_allocation("csv:@/iris.csv");
  write_text("n.csv", "a,b\n9,0\n-3,1\n");
  fail_every_allocation("csv:@/n.csv");
}
END_TEST

START_TEST(survives_broken_files) {
  static const char text[] = "\xef\xbb\xbf\"a\"\"b\",b;c,\"d\r\n\",e\r\n"
                             "1,2.5e3,-7,x\r\n"
                             "\"1\",+.5,9,\"y\"\"z\"\r\n"
                             "3,4,5,x\r\n";
  fuzz("f.csv", iris, sizeof iris - 1, "csv:@/f.csv", 2000);
  fuzz("f.csv", text, sizeof text - 1, "csv:@/f.csv", 2000);
  static const char numbers[] = "1,2,3,40\n5,-6,7e1,8\n9.5,10,-.1,12\n";
  fuzz("f.csv", numbers, sizeof numbers - 1, "csv:@/f.csv,target=0,kind=classes,header=no", 2000);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("csv");
  TCase *tc = tcase_create("csv");
  tcase_set_timeout(tc, 60);
  tcase_add_checked_fixture(tc, datafile_setup, datafile_teardown);
  tcase_add_test(tc, reads_a_header_and_text_classes);
  tcase_add_test(tc, makes_classes_of_integers);
  tcase_add_test(tc, takes_more_than_twenty_integers_as_real);
  tcase_add_test(tc, finds_the_target);
  tcase_add_test(tc, reads_what_people_write);
  tcase_add_test(tc, reads_quoted_text);
  tcase_add_test(tc, tells_a_header_from_numbers);
  tcase_add_test(tc, refuses_bad_files);
  tcase_add_test(tc, refuses_texts_among_many_numbers);
  tcase_add_test(tc, refuses_what_is_no_file);
#ifdef HAVE_ZLIB
  tcase_add_test(tc, unpacks_gzip);
  tcase_add_test(tc, refuses_a_gzip_bomb);
  tcase_add_test(tc, survives_broken_gzip);
#else
  tcase_add_test(tc, refuses_gzip_without_zlib);
#endif
  tcase_add_test(tc, survives_every_failed_allocation);
  tcase_add_test(tc, survives_broken_files);
  suite_add_tcase(s, tc);
  return s;
}

TEST_MAIN(suite())
