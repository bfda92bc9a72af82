/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>

#include "findlr/plugin.h"

static const struct {
  const char *name;
  int64_t value;
} constants[] = {
#define X(name) { #name, name },
#include "constant_list.h" /* made by list-constants from the public headers */
#undef X
};

START_TEST(every_constant_is_there) {
  size_t n = sizeof constants / sizeof *constants;
  ck_assert_uint_gt(n, 80);
  for (size_t i = 0; i < n; i++) {
    int64_t value = 12345;
    ck_assert_msg(findlr_constant(constants[i].name, &value) == FINDLR_OK,
                  "%s is missing in lib/core/constants.c", constants[i].name);
    ck_assert_msg(value == constants[i].value, "%s", constants[i].name);
  }
}
END_TEST

START_TEST(others_are_not_found) {
  int64_t value = 12345;
  ck_assert_int_eq(findlr_constant("FINDLR_NO_SUCH_THING", &value), FINDLR_ERR_NOT_FOUND);
  ck_assert_int_eq(findlr_constant("", &value), FINDLR_ERR_NOT_FOUND);
  ck_assert_int_eq(findlr_constant(NULL, &value), FINDLR_ERR_NOT_FOUND);
  ck_assert_int_eq(value, 12345);
}
END_TEST

START_TEST(the_version_is_one) {
  char text[32];
  snprintf(text, sizeof text, "%d.%d.%d", FINDLR_VERSION_MAJOR, FINDLR_VERSION_MINOR,
           FINDLR_VERSION_PATCH);
  ck_assert_str_eq(FINDLR_VERSION, text);
  ck_assert_str_eq(findlr_version(), text);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("constants");
  TCase *c = tcase_create("constants");
  tcase_add_test(c, every_constant_is_there);
  tcase_add_test(c, others_are_not_found);
  tcase_add_test(c, the_version_is_one);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
