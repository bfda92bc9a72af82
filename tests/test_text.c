/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "support.h"

#include <locale.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/internal.h"
#include "core/random.h"

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static double double_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* strtod is right in every way but one: it wants the locale's decimal point. */
static double reference(const char *text) {
  char local[4096];
  size_t n = 0;
  for (; *text; text++) {
    const char *piece = *text == '.' ? localeconv()->decimal_point : NULL;
    for (size_t i = 0; piece && piece[i]; i++)
      local[n++] = piece[i];
    if (!piece)
      local[n++] = *text;
  }
  local[n] = 0;
  return strtod(local, NULL);
}

static void check_parse(const char *text, size_t wanted_length, double wanted) {
  double value = 42;
  size_t n = findlr_text_parse(text, strlen(text), &value);
  ck_quick(n == wanted_length, "\"%s\": %zu bytes, wanted %zu", text, n, wanted_length);
  if (n)
    ck_quick(bits_of(value) == bits_of(wanted), "\"%s\": %a, wanted %a", text, value, wanted);
  else
    ck_quick(value == 42, "\"%s\": the value was changed", text);
}

START_TEST(reads_numbers) {
  check_parse("0", 1, 0.0);
  check_parse("-0", 2, -0.0);
  check_parse("+1", 2, 1);
  check_parse("1.5", 3, 1.5);
  check_parse("5.", 2, 5);
  check_parse(".5", 2, 0.5);
  check_parse("1e-7", 4, 1e-7);
  check_parse("1E+7", 4, 1e7);
  check_parse("1e", 1, 1);
  check_parse("1e+", 1, 1);
  check_parse("1ex", 1, 1);
  check_parse("1.2.3", 3, double_of(0x3ff3333333333333));
  check_parse("1,5", 1, 1);
  check_parse("1 2", 1, 1);
  check_parse("0x10", 1, 0);
  check_parse("1e999", 5, HUGE_VAL);
  check_parse("-1e999999999999999999999999", 27, -HUGE_VAL);
  check_parse("1e-999999999999999999999999", 27, 0);
  check_parse("0e999999999999999999999999", 26, 0);
  check_parse("4.9406564584124654e-324", 23, double_of(1));
  check_parse("2.2250738585072011e-308", 23, double_of(0x000fffffffffffff));
  check_parse("1.7976931348623157e308", 22, double_of(0x7fefffffffffffff));
}
END_TEST

START_TEST(reads_words) {
  check_parse("inf", 3, HUGE_VAL);
  check_parse("-INF", 4, -HUGE_VAL);
  check_parse("+Infinity", 9, HUGE_VAL);
  check_parse("infinit", 3, HUGE_VAL);
  check_parse("infinityx", 8, HUGE_VAL);
  for (int i = 0; i < 3; i++) {
    const char *word = (const char *[]){ "nan", "NaN", "-nan" }[i];
    double value = 0;
    ck_assert_uint_eq(findlr_text_parse(word, strlen(word), &value), strlen(word));
    ck_assert(isnan(value));
  }
}
END_TEST

START_TEST(refuses_junk) {
  static const char *const junk[] = { "",   "x",  " 1", "\t1", "+",  "-",   ".",    "-.",   "e5",
                                      ".e5", "in", "na", "--1", "+-1", "\n", "#nan", "abc", "$1" };
  for (size_t i = 0; i < sizeof junk / sizeof *junk; i++)
    check_parse(junk[i], 0, 0);
}
END_TEST

/* The number ends where an unreadable page begins, with no NUL in between. */
START_TEST(stays_within_len) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert(memory != MAP_FAILED);
  ck_assert_int_eq(mprotect(memory + page, page, PROT_NONE), 0);
  static const char *const texts[] = { "1", "1.", "1e", "1e-", "1e-7", "-", "i", "infin", "na",
                                       "12345678901234567890123", "" };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    size_t n = strlen(texts[i]);
    char *text = memory + page - n;
    memcpy(text, texts[i], n);
    double here = 0, there = 0;
    ck_assert_uint_eq(findlr_text_parse(text, n, &here), findlr_text_parse(texts[i], n, &there));
    ck_assert(here == there);
  }
  /* What lies after len is not looked at even where it could be read. */
  double value;
  ck_assert_uint_eq(findlr_text_parse("12345", 2, &value), 2);
  ck_assert_double_eq(value, 12);
  munmap(memory, 2 * page);
}
END_TEST

/* Half way between two doubles, told apart by what stands a thousand digits later. */
START_TEST(reads_any_length) {
  char text[4096] = "9007199254740993.";
  size_t n = strlen(text);
  memset(text + n, '0', 1000);
  text[n + 1000] = 0;
  check_parse(text, n + 1000, 9007199254740992.0);
  strcpy(text + n + 1000, "1");
  check_parse(text, n + 1001, 9007199254740994.0);

  memset(text, '0', 2000);
  strcpy(text + 2000, "7.25");
  check_parse(text, 2004, 7.25);
  strcpy(text, "0.");
  memset(text + 2, '0', 2000);
  strcpy(text + 2002, "125e2001");
  check_parse(text, 2010, 1.25);
  memset(text, '9', 2000);
  strcpy(text + 2000, "e-2000");
  check_parse(text, 2006, 1);
}
END_TEST

START_TEST(reads_as_strtod_does) {
  uint64_t state[4];
  findlr__random_seed(state, 1);
  for (int i = 0; i < 100000; i++) {
    char text[64];
    size_t n = 0;
    size_t digits = 1 + findlr__random_below(state, i % 2 ? 17 : 40);
    size_t point = findlr__random_below(state, digits + 1);
    for (size_t d = 0; d < digits; d++) {
      if (d == point)
        text[n++] = '.';
      text[n++] = (char)('0' + findlr__random_below(state, 10));
    }
    if (findlr__random_below(state, 2))
      n += (size_t)sprintf(text + n, "e%d", (int)findlr__random_below(state, 700) - 350);
    text[n] = 0;
    check_parse(text, n, reference(text));
  }
}
END_TEST

static void check_format(double value, const char *wanted) {
  char text[FINDLR_TEXT_SIZE];
  size_t n = findlr_text_format(value, text, sizeof text);
  ck_assert_str_eq(text, wanted);
  ck_assert_uint_eq(n, strlen(wanted));
}

START_TEST(writes_numbers) {
  check_format(0, "0");
  check_format(-0.0, "-0");
  check_format(1, "1");
  check_format(0.1, "0.1");
  check_format(-1.5, "-1.5");
  check_format(100, "100");
  check_format(1e-7, "1e-07");
  check_format(0.0001, "0.0001");
  check_format(0.00012345, "0.00012345");
  check_format(0.00001, "1e-05");
  check_format(123456.789, "123456.789");
  check_format(1e15, "1000000000000000");
  check_format(1e16, "1e+16");
  check_format(1234567890123456.0, "1234567890123456");
  check_format(1e22, "1e+22");
  check_format(1e23, "1e+23");
  check_format(1e100, "1e+100");
  check_format(-2.5e-300, "-2.5e-300");
  check_format(0.1 + 0.2, "0.30000000000000004");
  check_format(1.0 / 3, "0.3333333333333333");
  check_format(double_of(1), "5e-324");
  check_format(double_of(0x7fefffffffffffff), "1.7976931348623157e+308");
  check_format(2.2250738585072014e-308, "2.2250738585072014e-308");
  /* A power of two: the shortest text is not the nearest of its length. */
  check_format(ldexp(1, -44), "5.684341886080802e-14");
  check_format(HUGE_VAL, "inf");
  check_format(-HUGE_VAL, "-inf");
  check_format((double)NAN, "nan");
  check_format(-(double)NAN, "nan");
}
END_TEST

START_TEST(writes_into_what_there_is) {
  char text[4] = "abc";
  ck_assert_uint_eq(findlr_text_format(0.25, text, 4), 0);
  ck_assert_uint_eq(findlr_text_format(0.25, text, 0), 0);
  ck_assert_str_eq(text, "abc");
  ck_assert_uint_eq(findlr_text_format(0.5, text, 4), 3);
  ck_assert_str_eq(text, "0.5");
}
END_TEST

static size_t count_digits(const char *text) {
  size_t n = 0;
  bool leading = true;
  for (; *text && *text != 'e'; text++)
    if (*text >= '0' && *text <= '9' && !(leading && *text == '0')) {
      leading = false;
      n++;
    }
  return n;
}

static void check_round_trip(double value) {
  char text[FINDLR_TEXT_SIZE], longer[64];
  double back;
  size_t n = findlr_text_format(value, text, sizeof text);
  ck_quick(findlr_text_parse(text, n, &back) == n, "not all of %s is read", text);
  ck_quick(bits_of(back) == bits_of(value), "%a reads back %a from %s", value, back, text);
  ck_quick(reference(text) == value, "strtod reads another number from %s", text);
  int digits = 17;
  while (digits > 15) {
    snprintf(longer, sizeof longer, "%.*e", digits - 2, value);
    if (strtod(longer, NULL) != value)
      break;
    digits--;
  }
  ck_quick(count_digits(text) <= (size_t)digits || fabs(value) >= 1e15,
                "%s has more digits than the %d that do", text, digits);
}

START_TEST(writes_what_reads_back) {
  uint64_t state[4];
  findlr__random_seed(state, 2);
  for (int i = 0; i < 200000; i++) {
    double value = double_of(findlr__random_next(state));
    if (isfinite(value))
      check_round_trip(value);
  }
  for (int i = 0; i < 50000; i++)
    check_round_trip(ldexp(findlr__random_uniform(state) + 0.5, (int)(i % 60) - 40));
  for (int e = -1074; e < 1024; e++) {
    check_round_trip(ldexp(1, e));
    check_round_trip(nextafter(ldexp(1, e), 0));
  }
}
END_TEST

START_TEST(sentences) {
  char text[80];
  findlr__format(text, sizeof text, "%s %.*s %c %d %u %lld %llu %zu %g %%", "a", 2, "bcd", 'e', -5,
                 6u, -7LL, 8ULL, (size_t)9, 0.1);
  ck_assert_str_eq(text, "a bc e -5 6 -7 8 9 0.1 %");
  ck_assert_uint_eq(findlr__format(text, 5, "%s", "abcdefgh"), 8);
  ck_assert_str_eq(text, "abcd");
  /* Never half a character. */
  findlr__format(text, 5, "abc%s", "\xc3\xa9");
  ck_assert_str_eq(text, "abc");
  findlr__format(text, 6, "abc%sd", "\xc3\xa9");
  ck_assert_str_eq(text, "abc\xc3\xa9");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("text");
  TCase *c = tcase_create("text");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, reads_numbers);
  tcase_add_test(c, reads_words);
  tcase_add_test(c, refuses_junk);
  tcase_add_test(c, stays_within_len);
  tcase_add_test(c, reads_any_length);
  tcase_add_test(c, reads_as_strtod_does);
  tcase_add_test(c, writes_numbers);
  tcase_add_test(c, writes_into_what_there_is);
  tcase_add_test(c, writes_what_reads_back);
  tcase_add_test(c, sentences);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
