/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TESTS_SUPPORT_H
#define FINDLR_TESTS_SUPPORT_H

/* What the test programs share. Each has one suite: TEST_MAIN(suite()) runs it. */

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "findlr/findlr.h"

/* An error object ready for use, named err. */
#define ERR findlr_error err = FINDLR_ERROR_INIT

/* Fails with the library's sentence. */
#define ck_ok(call)                                                                                \
  do {                                                                                             \
    int32_t ck_status = (call);                                                                    \
    ck_assert_msg(ck_status == FINDLR_OK, "%s: %s: %s", #call, findlr_status_name(ck_status),      \
                  err.message);                                                                    \
  } while (0)

/* As ck_assert_msg, for inner loops: Check sends a message to its parent at every assert. */
#define ck_quick(condition, ...)                                                                   \
  do {                                                                                             \
    if (!(condition))                                                                              \
      ck_abort_msg(__VA_ARGS__);                                                                   \
  } while (0)

/* Wants this status and a sentence that contains text. */
#define ck_fails(call, status, text)                                                               \
  do {                                                                                             \
    err.message[0] = 0;                                                                            \
    int32_t ck_status = (call);                                                                    \
    ck_assert_msg(ck_status == (status), "%s: %s, wanted %s: %s", #call,                           \
                  findlr_status_name(ck_status), findlr_status_name(status), err.message);         \
    ck_assert_msg(strstr(err.message, (text)) != NULL, "%s: \"%s\" lacks \"%s\"", #call,           \
                  err.message, (text));                                                            \
  } while (0)

/* An allocator that counts, checks the sizes given back, fills memory with rubbish before and after,
 * and can fail. Pass &a.allocator. */
typedef struct test_allocator {
  findlr_allocator allocator;
  size_t live_blocks, live_bytes;
  size_t calls;    /* that asked for memory */
  size_t fail_at;  /* the call that fails, from 1; 0: none does (from now on) */
  bool persistent; /* ... and all later ones */
  bool failed;     /* did one fail? */
  size_t run;      /* for_each_failure's own */
} test_allocator;

void test_allocator_init(test_allocator *a);

/* Nothing may be left. */
void test_allocator_check(const test_allocator *a);

/* for_each_failure(a) { ... } runs its body with the first allocation failing, then the second, and
 * so on until one run needs no more; first failing once, then failing for good. After each run nothing
 * may be left. Do not leave the body by break; set a.fail_at to 0 in it to let all succeed from there.
 *
 *   for_each_failure(a) {
 *     thing *t = NULL;
 *     int32_t status = thing_create(&a.allocator, &t, &err);
 *     ck_no_memory(status, a);     // either no-memory, or success without a failure
 *     thing_destroy(t);
 *   }
 */
#define for_each_failure(a) for (test_allocator a = { .run = 0 }; test_allocator_next(&a);)

bool test_allocator_next(test_allocator *a);

#define ck_no_memory(status, a)                                                                    \
  ck_assert_msg((status) == ((a).failed ? FINDLR_ERR_NO_MEMORY : FINDLR_OK),                       \
                "%s: %s, with allocation %zu failing", #status, findlr_status_name(status),        \
                (a).run)

/* The locale comes from the environment: tests/comma-locale runs every program under "1,5". */
#define TEST_MAIN(suite)                                                                           \
  int main(void) {                                                                                 \
    if (!setlocale(LC_ALL, ""))                                                                    \
      return EXIT_FAILURE;                                                                         \
    SRunner *runner = srunner_create(suite);                                                       \
    srunner_run_all(runner, CK_ENV);                                                               \
    int failed = srunner_ntests_failed(runner);                                                    \
    srunner_free(runner);                                                                          \
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                                   \
  }

#endif
