/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>

/* A component with an option of every type, to be read against. */

static int32_t describe(void *user, uint32_t i, findlr_option *out) {
  static const findlr_option options[] = {
    { sizeof(findlr_option), FINDLR_OPTION_TEXT, "file", "a file", "", NULL, 0, 0 },
    { sizeof(findlr_option), FINDLR_OPTION_INTEGER, "count", "how many", "3", NULL, 1, 9 },
    { sizeof(findlr_option), FINDLR_OPTION_REAL, "decay", "how fast", "1e-2", NULL, 0, HUGE_VAL },
    { sizeof(findlr_option), FINDLR_OPTION_BOOLEAN, "bias", "with bias", "yes", NULL, 0, 0 },
    { sizeof(findlr_option), FINDLR_OPTION_CHOICE, "shape", "which", "round", "round|square|flat", 0,
      0 },
    { sizeof(findlr_option), FINDLR_OPTION_SIZES, "hidden", "widths", "128x64", NULL, 1, 1000 },
    { sizeof(findlr_option), FINDLR_OPTION_INTEGER, "any", "no bounds", "0", NULL, -HUGE_VAL,
      HUGE_VAL },
  };
  (void)user;
  uint32_t size = out->struct_size;
  *out = options[i];
  out->struct_size = size;
  return FINDLR_OK;
}

static int32_t describe_needed(void *user, uint32_t i, findlr_option *out) {
  (void)user, (void)i;
  out->type = FINDLR_OPTION_TEXT;
  out->name = "file";
  out->help = "the file to read";
  out->default_value = NULL;
  return FINDLR_OK;
}

static void nothing(void) {
}

static struct {
  uint32_t struct_size, reserved;
  void (*slots[5])(void);
} vtable = { sizeof(findlr_data_vtable), 0, { nothing, nothing, nothing, nothing, nothing } };

static const findlr_component all = { sizeof all, FINDLR_KIND_DATA, "all", "every type", &vtable,
                                      NULL, 7, 0, describe };
static const findlr_component csv = { sizeof csv, FINDLR_KIND_DATA, "csv", "like csv", &vtable,
                                      NULL, 7, 0, describe };
static const findlr_component needy = { sizeof needy, FINDLR_KIND_DATA, "needy", "wants a file",
                                        &vtable, NULL, 1, 0, describe_needed };
static const findlr_component bare = { sizeof bare, FINDLR_KIND_DATA, "bare", "no options", &vtable,
                                       NULL, 0, 0, NULL };

static findlr_context *context;

static int32_t make_context(const findlr_allocator *a, findlr_error *err) {
  findlr_context_options o;
  findlr_context_options_init(&o, sizeof o);
  o.allocator = a;
  o.flags = FINDLR_CONTEXT_NO_LOADING;
  context = NULL;
  int32_t status = findlr_context_create(&o, &context, err);
  const findlr_component *const components[] = { &all, &csv, &needy, &bare };
  for (int i = 0; i < 4 && status == FINDLR_OK; i++)
    status = findlr_register(context, components[i], err);
  return status;
}

static test_allocator allocator;

static void setup(void) {
  ERR;
  test_allocator_init(&allocator);
  ck_ok(make_context(&allocator.allocator, &err));
}

static void teardown(void) {
  findlr_context_destroy(context);
  test_allocator_check(&allocator);
}

static findlr_spec *parsed(const char *text) {
  ERR;
  findlr_spec *spec = NULL;
  ck_ok(findlr_spec_parse(context, FINDLR_KIND_DATA, text, &spec, &err));
  return spec;
}

#define ck_canonical(text, canonical)                                                              \
  do {                                                                                             \
    findlr_spec *ck_spec = parsed(text);                                                           \
    ck_assert_str_eq(findlr_spec_text(ck_spec), canonical);                                        \
    findlr_spec *ck_again = parsed(findlr_spec_text(ck_spec));                                     \
    ck_assert_str_eq(findlr_spec_text(ck_again), canonical);                                       \
    findlr_spec_destroy(ck_again);                                                                 \
    findlr_spec_destroy(ck_spec);                                                                  \
  } while (0)

#define ck_refused(text, status, sentence)                                                         \
  do {                                                                                             \
    findlr_spec *ck_spec = NULL;                                                                   \
    ck_fails(findlr_spec_parse(context, FINDLR_KIND_DATA, text, &ck_spec, &err), status, sentence); \
    ck_assert_ptr_null(ck_spec);                                                                   \
  } while (0)

START_TEST(values_and_their_defaults) {
  findlr_spec *spec = parsed("all");
  uint32_t n = 0;
  const findlr_value *const *v = findlr_spec_values(spec, &n);
  ck_assert_uint_eq(n, 7);
  ck_assert_ptr_eq(findlr_spec_component(spec), &all);
  for (uint32_t i = 0; i < n; i++) {
    ck_assert_uint_eq(v[i]->struct_size, sizeof(findlr_value));
    ck_assert_uint_eq(v[i]->given, 0);
  }
  ck_assert_str_eq(v[0]->text, "");
  ck_assert_int_eq(v[1]->integer, 3);
  ck_assert_double_eq(v[1]->real, 3);
  ck_assert_double_eq(v[2]->real, 0.01);
  ck_assert_str_eq(v[2]->text, "1e-2");
  ck_assert_int_eq(v[3]->integer, 1);
  ck_assert_int_eq(v[4]->integer, 0);
  ck_assert_str_eq(v[4]->text, "round");
  ck_assert_uint_eq(v[5]->count, 2);
  ck_assert_int_eq(v[5]->sizes[0], 128);
  ck_assert_int_eq(v[5]->sizes[1], 64);
  findlr_spec_destroy(spec);

  spec = parsed("all:some.txt,4,decay=.5,hidden=7,shape=flat,bias=0,any=-9223372036854775808");
  v = findlr_spec_values(spec, &n);
  ck_assert_str_eq(v[0]->text, "some.txt");
  ck_assert_uint_eq(v[0]->given, 1);
  ck_assert_int_eq(v[1]->integer, 4);
  ck_assert_double_eq(v[2]->real, 0.5);
  ck_assert_int_eq(v[3]->integer, 0);
  ck_assert_int_eq(v[4]->integer, 2);
  ck_assert_uint_eq(v[5]->count, 1);
  ck_assert_int_eq(v[6]->integer, INT64_MIN);
  findlr_spec_destroy(spec);
}
END_TEST

#define REST ",decay=0.01,bias=true,shape=round,hidden=128x64,any=0"

START_TEST(canonical_text) {
  ck_canonical("all", "all:file=,count=3" REST);
  ck_canonical("  all : a.txt , 5 , decay = 0.0100 , bias = yes ", "all:file=a.txt,count=5" REST);
  ck_canonical("all:count=+05", "all:file=,count=5" REST);
  ck_canonical("bare", "bare");
  ck_canonical("needy:a", "needy:file=a");
  ck_canonical("needy:file=a=b:c d", "needy:file=a=b:c d");
  ck_canonical("needy:\"a=b\"", "needy:file=a=b");
  ck_canonical("needy:\"a,b\"", "needy:file=\"a,b\"");
  ck_canonical("needy: file = \" a \" ", "needy:file=\" a \"");
  ck_canonical("needy:\"say \\\"hi\\\" \\\\\"", "needy:file=\"say \\\"hi\\\" \\\\\"");
  ck_canonical("needy:\"\"", "needy:file=");
  ck_canonical("needy:file=", "needy:file=");
  ck_canonical("needy:caf\xc3\xa9", "needy:file=caf\xc3\xa9");
  ck_canonical("all:hidden=", "all:file=,count=3,decay=0.01,bias=true,shape=round,hidden=,any=0");
}
END_TEST

START_TEST(a_csv_file_by_its_name) {
  ck_canonical("dir/train.csv", "csv:file=dir/train.csv,count=3" REST);
  ck_canonical("train.csv.gz", "csv:file=train.csv.gz,count=3" REST);
  ck_canonical("a,b \"c\".csv", "csv:file=\"a,b \\\"c\\\".csv\",count=3" REST);
  ck_canonical("train.csv:4", "csv:file=train.csv,count=4" REST);
  ck_canonical("train.csv:count=4", "csv:file=train.csv,count=4" REST);
  ck_canonical("csv:file=train.csv", "csv:file=train.csv,count=3" REST);
  ERR;
  ck_refused("train.csv:file=other.csv", FINDLR_ERR_ARGUMENT, "option file is given twice");
  ck_refused(".csv", FINDLR_ERR_NOT_FOUND, ".csv");
}
END_TEST

START_TEST(what_is_refused) {
  ERR;
  ck_refused(NULL, FINDLR_ERR_ARGUMENT, "NULL");
  ck_refused("", FINDLR_ERR_ARGUMENT, "has no name");
  ck_refused("  :a", FINDLR_ERR_ARGUMENT, "has no name");
  ck_refused("bar", FINDLR_ERR_NOT_FOUND, "no data source named \"bar\" (did you mean \"bare\"?)");
  ck_refused("all:cuont=3", FINDLR_ERR_NOT_FOUND,
             "data source all has no option named \"cuont\" (did you mean \"count\"?)");
  ck_refused("all:zzz=3", FINDLR_ERR_NOT_FOUND, "it has file, count, decay, bias, shape, hidden, any");
  ck_refused("all:=3", FINDLR_ERR_NOT_FOUND, "has no option named \"\"");
  ck_refused("bare:x=1", FINDLR_ERR_NOT_FOUND, "it has none");
  ck_refused("bare:x", FINDLR_ERR_ARGUMENT, "has 0 options");
  ck_refused("needy:a,b", FINDLR_ERR_ARGUMENT, "has 1 options, and item 2 is a value more");
  ck_refused("needy", FINDLR_ERR_ARGUMENT, "option file must be given (the file to read)");
  ck_refused("all:count=3,count=4", FINDLR_ERR_ARGUMENT, "option count is given twice");
  ck_refused("all:a,file=b", FINDLR_ERR_ARGUMENT, "option file is given twice");
  ck_refused("all:file=a,3", FINDLR_ERR_ARGUMENT, "\"3\" stands after option=value");
  ck_refused("all:", FINDLR_ERR_ARGUMENT, "an item is empty");
  ck_refused("all:a,", FINDLR_ERR_ARGUMENT, "an item is empty");
  ck_refused("all:,a", FINDLR_ERR_ARGUMENT, "an item is empty");
  ck_refused("needy:\"abc", FINDLR_ERR_ARGUMENT, "a closing quote is missing");
  ck_refused("needy:\"abc\\", FINDLR_ERR_ARGUMENT, "\\ in quotes");
  ck_refused("needy:\"a\\n\"", FINDLR_ERR_ARGUMENT, "\\ in quotes");
  ck_refused("needy:\"a\"b", FINDLR_ERR_ARGUMENT, "\"b\" stands after a closing quote");
  ck_refused("needy:a\"b\"", FINDLR_ERR_ARGUMENT, "a quote inside");
  ck_refused("needy:file=a\"b\"", FINDLR_ERR_ARGUMENT, "a quote inside");
  ck_refused("needy:a\nb", FINDLR_ERR_ARGUMENT, "byte 8 of the spec string is a control character");
  ck_refused("needy:a\xff", FINDLR_ERR_ARGUMENT, "byte 8 of the spec string is not UTF-8");
}
END_TEST

START_TEST(values_that_are_not_allowed) {
  ERR;
  ck_refused("all:count=0", FINDLR_ERR_ARGUMENT,
             "data source all: option count is \"0\", wanted 1 to 9");
  ck_refused("all:count=10", FINDLR_ERR_ARGUMENT, "wanted 1 to 9");
  const char *no_integers[] = { "", "x", "1.0", "1e3", "0x3", "3 4", "-", "+", "--3", "3-",
                                "9223372036854775808", "99999999999999999999999999" };
  for (size_t i = 0; i < sizeof no_integers / sizeof no_integers[0]; i++) {
    char text[80];
    snprintf(text, sizeof text, "all:any=%s", no_integers[i]);
    ck_refused(text, FINDLR_ERR_ARGUMENT, "wanted a whole number");
  }
  ck_canonical("all:any=9223372036854775807", "all:file=,count=3,decay=0.01,bias=true,shape=round,"
                                              "hidden=128x64,any=9223372036854775807");
  ck_refused("all:any=-9223372036854775809", FINDLR_ERR_ARGUMENT, "wanted a whole number");
  ck_refused("all:decay=-1", FINDLR_ERR_ARGUMENT, "wanted 0 or more");
  const char *no_reals[] = { "", "x", "1,5", "0x10", "1e", "1 ", "1.5.2", "e5" };
  for (size_t i = 0; i < sizeof no_reals / sizeof no_reals[0]; i++) {
    char text[80];
    snprintf(text, sizeof text, "all:decay=\"%s\"", no_reals[i]);
    ck_refused(text, FINDLR_ERR_ARGUMENT, "wanted a number");
  }
  ck_refused("all:decay=nan", FINDLR_ERR_ARGUMENT, "wanted a finite number");
  ck_refused("all:decay=inf", FINDLR_ERR_ARGUMENT, "wanted a finite number");
  ck_refused("all:decay=1e999", FINDLR_ERR_ARGUMENT, "wanted a finite number");
  ck_refused("all:bias=2", FINDLR_ERR_ARGUMENT, "wanted true or false");
  ck_refused("all:bias=True", FINDLR_ERR_ARGUMENT, "wanted true or false");
  ck_refused("all:shape=sqare", FINDLR_ERR_ARGUMENT,
             "wanted round|square|flat (did you mean \"square\"?)");
  ck_refused("all:shape=", FINDLR_ERR_ARGUMENT, "wanted round|square|flat");
  ck_refused("all:shape=round|square", FINDLR_ERR_ARGUMENT, "wanted round|square|flat");
  const char *no_sizes[] = { "x", "1x", "x1", "1xx2", "1X2", "a", "1x2.0", "1*2" };
  for (size_t i = 0; i < sizeof no_sizes / sizeof no_sizes[0]; i++) {
    char text[80];
    snprintf(text, sizeof text, "all:hidden=%s", no_sizes[i]);
    ck_refused(text, FINDLR_ERR_ARGUMENT, "wanted sizes such as 128x64");
  }
  ck_refused("all:hidden=4x0", FINDLR_ERR_ARGUMENT, "wanted sizes of 1 to 1000 each");
  ck_refused("all:hidden=4x1001", FINDLR_ERR_ARGUMENT, "wanted sizes of 1 to 1000 each");
}
END_TEST

START_TEST(long_strings) {
  ERR;
  static char text[70000];
  memset(text, 'x', sizeof text - 1);
  ck_refused(text, FINDLR_ERR_LIMIT, "longer than 65536 bytes");
  text[65536] = 0;
  ck_refused(text, FINDLR_ERR_NOT_FOUND, "there is no data source named");
  memcpy(text, "needy:", 6);
  findlr_spec *spec = parsed(text);
  uint32_t n;
  ck_assert_uint_eq(strlen(findlr_spec_values(spec, &n)[0]->text), 65530);
  findlr_spec_destroy(spec);
  memcpy(text, "all:hidden=1", 12);
  for (size_t i = 12; i < 65536; i += 2)
    memcpy(text + i, "x1", 2);
  spec = parsed(text);
  ck_assert_uint_eq(findlr_spec_values(spec, &n)[5]->count, 32763);
  findlr_spec_destroy(spec);
  memset(text, '"', 65536);
  ck_refused(text, FINDLR_ERR_NOT_FOUND, "there is no data source named");
}
END_TEST

START_TEST(rubbish) {
  /* Every string over a small alphabet of what the grammar is made of: refused or read, and what is
   * read reads again. */
  static const char alphabet[] = "a=,\"\\: 1x";
  enum { LETTERS = sizeof alphabet - 1, STRINGS = LETTERS * LETTERS * LETTERS * LETTERS * LETTERS };
  ERR;
  ck_ok(make_context(NULL, &err));
  char text[16] = "needy:";
  uint32_t n, read = 0;
  for (int i = 0; i < STRINGS; i++) {
    int rest = i;
    for (int j = 0; j < 5; j++, rest /= LETTERS)
      text[6 + j] = alphabet[rest % LETTERS];
    findlr_spec *spec = NULL, *again = NULL;
    if (findlr_spec_parse(context, FINDLR_KIND_DATA, text, &spec, NULL) == FINDLR_OK) {
      read++;
      if (findlr_spec_parse(context, FINDLR_KIND_DATA, findlr_spec_text(spec), &again, NULL) < 0 ||
          strcmp(findlr_spec_text(again), findlr_spec_text(spec)) != 0 ||
          strcmp(findlr_spec_values(again, &n)[0]->text, findlr_spec_values(spec, &n)[0]->text) != 0)
        ck_abort_msg("%s became %s", text, findlr_spec_text(spec));
    }
    findlr_spec_destroy(again);
    findlr_spec_destroy(spec);
  }
  ck_assert_uint_gt(read, 1000);
  ck_assert_uint_lt(read, STRINGS / 2);
  findlr_context_destroy(context);
}
END_TEST

START_TEST(arguments) {
  ERR;
  findlr_spec *spec = NULL;
  ck_fails(findlr_spec_parse(NULL, 1, "a", &spec, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_spec_parse(context, 1, "a", NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_spec_parse(context, 6, "a", &spec, &err), FINDLR_ERR_ARGUMENT, "kind is 6");
  findlr_spec_destroy(NULL);
  ck_assert_ptr_null(findlr_spec_text(NULL));
}
END_TEST

/* --- smoothings and stop rules --------------------------------------------------------------- */

static findlr_smoothing smoothing(const char *text) {
  ERR;
  findlr_smoothing s = { sizeof s, 99, -1 };
  ck_ok(findlr_smoothing_parse(context, text, &s, &err));
  ck_assert_uint_eq(s.struct_size, sizeof s);
  return s;
}

START_TEST(smoothings) {
  ERR;
  ck_assert_uint_eq(smoothing("none").kind, FINDLR_SMOOTHING_NONE);
  ck_assert_uint_eq(smoothing("ema").kind, FINDLR_SMOOTHING_EMA);
  ck_assert_double_eq(smoothing("ema").parameter, 0.98);
  ck_assert_double_eq(smoothing("ema:beta=0.5").parameter, 0.5);
  ck_assert_uint_eq(smoothing("seeded_ema:0.1").kind, FINDLR_SMOOTHING_SEEDED_EMA);
  ck_assert_double_eq(smoothing("seeded_ema").parameter, 0.05);
  ck_assert_uint_eq(smoothing("gaussian").kind, FINDLR_SMOOTHING_GAUSSIAN);
  ck_assert_double_eq(smoothing("gaussian").parameter, 3);
  findlr_smoothing s = { sizeof s, 99, -1 };
  ck_fails(findlr_smoothing_parse(context, "gausian", &s, &err), FINDLR_ERR_NOT_FOUND,
           "there is no smoothing named \"gausian\" (did you mean \"gaussian\"?), wanted none, ema, "
           "seeded_ema, gaussian");
  ck_fails(findlr_smoothing_parse(context, "ema:beta=1", &s, &err), FINDLR_ERR_ARGUMENT,
           "smoothing ema: option beta is \"1\", wanted 0 to 0.999999");
  ck_fails(findlr_smoothing_parse(context, "ema:sigma=1", &s, &err), FINDLR_ERR_NOT_FOUND, "it has beta");
  ck_fails(findlr_smoothing_parse(context, "none:1", &s, &err), FINDLR_ERR_ARGUMENT, "0 options");
  ck_fails(findlr_smoothing_parse(context, "", &s, &err), FINDLR_ERR_ARGUMENT, "no name");
  ck_fails(findlr_smoothing_parse(NULL, "ema", &s, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_smoothing_parse(context, "ema", NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_assert_uint_eq(s.kind, 99);
  s.struct_size = 0;
  ck_fails(findlr_smoothing_parse(context, "ema", &s, &err), FINDLR_ERR_ARGUMENT, "struct_size 0");
}
END_TEST

START_TEST(stop_rules) {
  ERR;
  findlr_smoothing s = { sizeof s, 99, -1 };
  findlr_stop stop = { sizeof stop, 99, -1, NULL };
  ck_ok(findlr_stop_parse(context, "rise", &stop, &s, &err));
  ck_assert_uint_eq(stop.rule, FINDLR_STOP_RISE);
  ck_assert_double_eq(stop.factor, 4);
  ck_assert_ptr_eq(stop.smoothing, &s);
  ck_assert_uint_eq(s.kind, FINDLR_SMOOTHING_EMA);
  ck_assert_double_eq(s.parameter, 0.98);
  ck_ok(findlr_stop_parse(context, "factor:5,beta=0.9", &stop, &s, &err));
  ck_assert_uint_eq(stop.rule, FINDLR_STOP_FACTOR);
  ck_assert_double_eq(stop.factor, 5);
  ck_assert_double_eq(s.parameter, 0.9);
  ck_ok(findlr_stop_parse(context, "not_finite", &stop, &s, &err));
  ck_assert_uint_eq(stop.rule, FINDLR_STOP_NOT_FINITE);
  ck_ok(findlr_stop_parse(context, "none", &stop, &s, &err));
  ck_assert_uint_eq(stop.rule, FINDLR_STOP_NONE);
  ck_fails(findlr_stop_parse(context, "factor:1", &stop, &s, &err), FINDLR_ERR_ARGUMENT,
           "stop rule factor: option factor is \"1\"");
  ck_fails(findlr_stop_parse(context, "rises", &stop, &s, &err), FINDLR_ERR_NOT_FOUND,
           "(did you mean \"rise\"?)");
  ck_fails(findlr_stop_parse(context, "none:beta=0.9", &stop, &s, &err), FINDLR_ERR_NOT_FOUND, "none");
  findlr_smoothing untouched = { 0, 7, 7 };
  ck_fails(findlr_stop_parse(context, "rise", &stop, &untouched, &err), FINDLR_ERR_ARGUMENT,
           "findlr_smoothing");
  ck_fails(findlr_stop_parse(context, "rise", &stop, NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_stop_parse(context, "rise", NULL, &s, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_assert_uint_eq(stop.rule, FINDLR_STOP_NONE);
}
END_TEST

START_TEST(no_memory) {
  ERR;
  for_each_failure(a) {
    int32_t status = make_context(&a.allocator, &err);
    findlr_spec *spec = NULL;
    findlr_smoothing s = { sizeof s, 0, 0 };
    if (status == FINDLR_OK)
      status = findlr_spec_parse(context, FINDLR_KIND_DATA, "all:\"a,b\",hidden=3x4", &spec, &err);
    if (status == FINDLR_OK)
      status = findlr_smoothing_parse(context, "ema:0.9", &s, &err);
    ck_no_memory(status, a);
    findlr_spec_destroy(spec);
    findlr_context_destroy(context);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("spec");
  TCase *c = tcase_create("spec");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, values_and_their_defaults);
  tcase_add_test(c, canonical_text);
  tcase_add_test(c, a_csv_file_by_its_name);
  tcase_add_test(c, what_is_refused);
  tcase_add_test(c, values_that_are_not_allowed);
  tcase_add_test(c, long_strings);
  tcase_add_test(c, arguments);
  tcase_add_test(c, smoothings);
  tcase_add_test(c, stop_rules);
  tcase_set_timeout(c, 60);
  suite_add_tcase(s, c);
  TCase *own = tcase_create("with a context of their own");
  tcase_add_test(own, rubbish);
  tcase_add_test(own, no_memory);
  tcase_set_timeout(own, 60);
  suite_add_tcase(s, own);
  return s;
}

TEST_MAIN(suite())
