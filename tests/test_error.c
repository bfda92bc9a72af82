/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "core/internal.h"

START_TEST(every_status_has_a_name_and_a_meaning) {
#define HAS(name, value, text)                                                                     \
  ck_assert_int_eq(name, value);                                                                   \
  ck_assert_str_eq(findlr_status_name(value), #name);                                              \
  ck_assert_str_eq(findlr_status_text(value), text);
  FINDLR_STATUS_LIST(HAS)
#undef HAS
  ck_assert_str_eq(findlr_status_name(FINDLR_STATUS_AFTER_LAST), "unknown status");
  ck_assert_str_eq(findlr_status_name(-99), "unknown status");
}
END_TEST

START_TEST(nobody_needs_to_want_the_sentence) {
  ck_assert_int_eq(findlr__fail(NULL, FINDLR_ERR_IO, "lost"), FINDLR_ERR_IO);
  findlr_error small = { 8, 7, "kept" }; /* of no size that a sentence fits in */
  ck_assert_int_eq(findlr__fail(&small, FINDLR_ERR_IO, "lost"), FINDLR_ERR_IO);
  ck_assert_int_eq(small.code, 7);
  ck_assert_str_eq(small.message, "kept");
}
END_TEST

START_TEST(a_long_sentence_is_cut_between_characters) {
  ERR;
  char text[3 * FINDLR_MESSAGE_SIZE + 1];
  for (size_t i = 0; i < FINDLR_MESSAGE_SIZE; i++)
    memcpy(text + 3 * i, "\xe2\x82\xac", 4); /* the euro sign: three bytes */
  findlr__fail(&err, FINDLR_ERR_FORMAT, "%s", text);
  ck_assert_int_eq(err.code, FINDLR_ERR_FORMAT);
  size_t length = strlen(err.message);
  ck_assert(length < FINDLR_MESSAGE_SIZE && length > FINDLR_MESSAGE_SIZE - 4);
  ck_assert_uint_eq(length % 3, 0);
}
END_TEST

START_TEST(the_nearest_name_is_found) {
  ERR;
  findlr_context *context = NULL;
  const findlr_component *component = NULL;
  ck_ok(findlr_context_create(NULL, &context, &err));
  ck_fails(findlr_component_find(context, FINDLR_KIND_OPTIMIZER, "adma", &component, &err),
           FINDLR_ERR_NOT_FOUND, "\"adam\"");
  ck_fails(findlr_component_find(context, FINDLR_KIND_OPTIMIZER, "zzzzzzzz", &component, &err),
           FINDLR_ERR_NOT_FOUND, "zzzzzzzz");
  ck_assert_ptr_null(strstr(err.message, "did you mean"));
  findlr_context_destroy(context);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("error");
  TCase *t = tcase_create("error");
  tcase_add_test(t, every_status_has_a_name_and_a_meaning);
  tcase_add_test(t, nobody_needs_to_want_the_sentence);
  tcase_add_test(t, a_long_sentence_is_cut_between_characters);
  tcase_add_test(t, the_nearest_name_is_found);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
