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
