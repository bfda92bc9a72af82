/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "train/services.h"

static char logged[2048];
static int32_t logged_level;
static size_t logged_length;

static void keep_line(void *ud, int32_t level, const char *text, size_t len) {
  (void)ud;
  ck_assert_uint_eq(strlen(text), len);
  ck_assert_uint_lt(len, sizeof logged);
  memcpy(logged, text, len + 1);
  logged_level = level;
  logged_length = len;
}

START_TEST(defaults) {
  ERR;
  findlr_context *context = NULL;
  ck_ok(findlr_context_create(NULL, &context, &err));
  ck_assert_ptr_nonnull(context);
  const findlr_allocator *a = findlr_context_allocator(context);
  void *p = a->alloc(a->ud, NULL, 0, 100, 64);
  ck_assert_ptr_nonnull(p);
  ck_assert_uint_eq((uintptr_t)p % 64, 0);
  a->alloc(a->ud, p, 100, 0, 64);
  findlr_context_destroy(context);
  findlr_context_destroy(NULL);
}
END_TEST

START_TEST(options_init_sets_the_size_it_is_told) {
  struct {
    findlr_context_options options;
    char after[8];
  } o;
  memset(&o, 'x', sizeof o);
  findlr_context_options_init(&o.options, sizeof o.options);
  ck_assert_uint_eq(o.options.struct_size, sizeof o.options);
  ck_assert_int_eq(o.options.log_level, FINDLR_LOG_INFO);
  ck_assert_ptr_null(o.options.plugin_path);
  ck_assert_int_eq(o.after[0], 'x');
}
END_TEST

START_TEST(bad_options) {
  ERR;
  findlr_context *context = NULL;
  findlr_context_options o;
  ck_fails(findlr_context_create(NULL, NULL, &err), FINDLR_ERR_ARGUMENT, "ret_context");
  findlr_context_options_init(&o, sizeof o);
  o.struct_size = 0;
  ck_fails(findlr_context_create(&o, &context, &err), FINDLR_ERR_ARGUMENT, "struct_size 0");
  findlr_context_options_init(&o, sizeof o);
  o.flags = 8;
  ck_fails(findlr_context_create(&o, &context, &err), FINDLR_ERR_ARGUMENT, "flags is 8");
  findlr_context_options_init(&o, sizeof o);
  findlr_allocator a = { sizeof a, 0, NULL, NULL };
  o.allocator = &a;
  ck_fails(findlr_context_create(&o, &context, &err), FINDLR_ERR_ARGUMENT, "alloc is NULL");
  a.struct_size = 4;
  ck_fails(findlr_context_create(&o, &context, &err), FINDLR_ERR_ARGUMENT, "findlr_allocator");
  ck_assert_ptr_null(context);
}
END_TEST

START_TEST(a_larger_options_struct_is_accepted) {
  ERR;
  struct {
    findlr_context_options options;
    void *newer;
  } o;
  memset(&o, 0xFF, sizeof o);
  findlr_context_options_init(&o.options, sizeof o.options);
  o.options.struct_size = sizeof o;
  findlr_context *context;
  ck_ok(findlr_context_create(&o.options, &context, &err));
  findlr_context_destroy(context);
}
END_TEST

/* --- services -------------------------------------------------------------------------------- */

static findlr_context *context_with_log(int32_t level) {
  ERR;
  findlr_context_options o;
  findlr_context_options_init(&o, sizeof o);
  o.log = keep_line;
  o.log_level = level;
  findlr_context *context;
  ck_ok(findlr_context_create(&o, &context, &err));
  logged[0] = 0;
  logged_level = -1;
  return context;
}

START_TEST(host_logs_from_its_level_on) {
  findlr_context *context = context_with_log(FINDLR_LOG_WARNING);
  void *ctx;
  const findlr_host *host = findlr_context_host(context, &ctx);
  host->log(ctx, FINDLR_LOG_INFO, "quiet", 5);
  ck_assert_str_eq(logged, "");
  host->log(ctx, FINDLR_LOG_WARNING, "loud, cut here: beyond", 14);
  ck_assert_str_eq(logged, "loud, cut here");
  ck_assert_int_eq(logged_level, FINDLR_LOG_WARNING);
  host->log(ctx, FINDLR_LOG_ERROR, "a\nb\xff" "c\x1b[1m\xc3\xa9", 11);
  ck_assert_str_eq(logged, "a b?c [1m\xc3\xa9");
  char large[5000];
  memset(large, 'x', sizeof large);
  host->log(ctx, FINDLR_LOG_ERROR, large, sizeof large);
  ck_assert_uint_eq(logged_length, 1023);
  findlr_context_destroy(context);
}
END_TEST

START_TEST(host_keeps_one_error_text) {
  findlr_context *context = context_with_log(FINDLR_LOG_DEBUG);
  void *ctx;
  const findlr_host *host = findlr_context_host(context, &ctx);
  ck_assert_str_eq(findlr_context_host_error(context), "");
  host->set_error(ctx, FINDLR_ERR_IO, "the disk is full", 16);
  ck_assert_str_eq(findlr_context_host_error(context), "the disk is full");
  char large[2 * FINDLR_MESSAGE_SIZE];
  for (size_t i = 0; i < sizeof large; i += 2)
    memcpy(large + i, "\xc3\xa9", 2);
  host->set_error(ctx, FINDLR_ERR_IO, large, sizeof large);
  ck_assert_uint_eq(strlen(findlr_context_host_error(context)), FINDLR_MESSAGE_SIZE - 2);
  host->set_error(ctx, FINDLR_ERR_IO, NULL, 0);
  ck_assert_str_eq(findlr_context_host_error(context), "");
  host->set_error(ctx, FINDLR_ERR_IO, "old", 3);
  findlr_context_host(context, &ctx);
  ck_assert_str_eq(findlr_context_host_error(context), "");
  findlr_context_destroy(context);
}
END_TEST

START_TEST(host_offers_text_and_random_numbers) {
  findlr_context *context = context_with_log(FINDLR_LOG_DEBUG);
  void *ctx;
  const findlr_host *host = findlr_context_host(context, &ctx);
  ck_assert_uint_eq(host->struct_size, sizeof *host);
  ck_assert_str_eq(host->version, FINDLR_VERSION);
  const findlr_host_text *text = host->get_extension(ctx, FINDLR_EXT_TEXT);
  const findlr_host_random *random = host->get_extension(ctx, FINDLR_EXT_RANDOM);
  ck_assert_ptr_nonnull(text);
  ck_assert_ptr_nonnull(random);
  ck_assert_ptr_null(host->get_extension(ctx, "org.example.none/1"));
  ck_assert_ptr_null(host->get_extension(ctx, NULL));
  double value = 0;
  ck_assert_uint_eq(text->parse("2.5,", 4, &value), 3);
  ck_assert_double_eq(value, 2.5);
  uint64_t a[4], b[4];
  random->seed(a, 7);
  random->seed(b, 7);
  ck_assert_uint_eq(random->next(a), random->next(b));
  double u = random->uniform(a);
  ck_assert(u >= 0 && u < 1);
  findlr_context_destroy(context);
}
END_TEST

START_TEST(a_failed_slot_becomes_a_sentence) {
  ERR;
  findlr__services s;
  findlr__services_init(&s, &findlr__default_allocator, NULL, NULL, 0);
  s.host.set_error(&s, FINDLR_ERR_LIMIT, "too wide", 8);
  ck_assert_int_eq(findlr__component_failed(&err, &s, FINDLR_ERR_LIMIT, "model mlp", "forward"),
                   FINDLR_ERR_LIMIT);
  ck_assert_str_eq(err.message, "model mlp: forward: too wide");
  ck_assert_int_eq(err.code, FINDLR_ERR_LIMIT);
  /* The text is gone; a status speaks for itself. */
  ck_assert_int_eq(findlr__component_failed(&err, &s, FINDLR_ERR_IO, "loss mse", "create"),
                   FINDLR_ERR_IO);
  ck_assert_str_eq(err.message, "loss mse: create: the operating system could not read or write");
  /* No status that exists. */
  ck_assert_int_eq(findlr__component_failed(&err, &s, -99, "loss mse", "create"), FINDLR_ERR_BACKEND);
  ck_assert_ptr_nonnull(strstr(err.message, "-99"));
  ck_assert_int_eq(findlr__component_failed(&err, &s, 7, "loss mse", "create"), FINDLR_ERR_BACKEND);
  ck_assert_int_eq(findlr__component_failed(NULL, &s, -2, "loss mse", "create"),
                   FINDLR_ERR_NO_MEMORY);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("context");
  TCase *c = tcase_create("context");
  tcase_add_test(c, defaults);
  tcase_add_test(c, options_init_sets_the_size_it_is_told);
  tcase_add_test(c, bad_options);
  tcase_add_test(c, a_larger_options_struct_is_accepted);
  tcase_add_test(c, host_logs_from_its_level_on);
  tcase_add_test(c, host_keeps_one_error_text);
  tcase_add_test(c, host_offers_text_and_random_numbers);
  tcase_add_test(c, a_failed_slot_becomes_a_sentence);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
