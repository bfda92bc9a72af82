/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TESTS_BACKEND_H
#define FINDLR_TESTS_BACKEND_H

/* What the tests of foreign backends share: sessions over their models, and what holds for every one of
 * them. The includer has a context. */

#include <stdio.h>
#include <unistd.h>

#include "support.h"

static findlr_context *context;

static void backend_open(void) {
  ERR;
  ck_ok(findlr_context_create(NULL, &context, &err));
}

static void backend_close(void) {
  findlr_context_destroy(context);
}

static findlr_session_options backend_defaults(const char *model) {
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.model = model;
  return o;
}

static findlr_session *backend_session(const findlr_session_options *o) {
  ERR;
  findlr_session *s = NULL;
  ck_ok(findlr_session_create(context, o, &s, &err));
  return s;
}

static uint64_t backend_fingerprint(findlr_session *s) {
  ERR;
  uint64_t hash = 0;
  ck_ok(findlr_session_fingerprint(s, &hash, &err));
  return hash;
}

static double backend_step(findlr_session *s, double rate) {
  ERR;
  double loss = 0;
  ck_ok(findlr_session_step(s, &rate, 1, &loss, &err));
  return loss;
}

static findlr_range_test *backend_test(findlr_session *s, double start, double end, int64_t n) {
  ERR;
  findlr_range_test *test = NULL;
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.start_lr = start;
  o.end_lr = end;
  o.num_iter = n;
  ck_ok(findlr_session_fit_options(s, &o, &err));
  ck_ok(findlr_range_test_create(findlr_context_allocator(context), &o, &test, &err));
  return test;
}

static double backend_mean(const double *loss, size_t from, size_t to) {
  double sum = 0;
  for (size_t i = from; i < to; i++)
    sum += loss[i] / (double)(to - from);
  return sum;
}

/* A whole range test: a plateau, a fall, and (if rises) a rise or an end that is not finite; a rate is
 * suggested; and the session is as it was, bit for bit. */
static inline void backend_check_curve(const findlr_session_options *o, double start, double end, bool rises) {
  ERR;
  findlr_session *s = backend_session(o);
  const uint64_t before = backend_fingerprint(s);
  findlr_range_test *test = backend_test(s, start, end, 100);
  ck_ok(findlr_drive(test, findlr_session_trainer(s), NULL, &err));
  ck_assert(backend_fingerprint(s) == before);
  const findlr_curve *curve = findlr_range_test_curve(test);
  const double *loss = findlr_curve_loss(curve);
  const size_t n = findlr_curve_count(curve);
  ck_assert_uint_gt(n, 30);
  double lowest = INFINITY;
  size_t at = 0;
  for (size_t i = 0; i + 5 <= n; i++) {
    const double mean = backend_mean(loss, i, i + 5);
    if (mean < lowest) {
      lowest = mean;
      at = i;
    }
  }
  const double plateau = backend_mean(loss, 0, 10), last = backend_mean(loss, n - 2, n);
  ck_assert_msg(fabs(backend_mean(loss, 10, 15) - plateau) < 0.1 * plateau, "no plateau: %g, %g",
                plateau, backend_mean(loss, 10, 15));
  ck_assert_msg(at > 15 && lowest < 0.7 * plateau, "no fall: %g to %g at %zu", plateau, lowest, at);
  if (rises)
    ck_assert_msg(!(last < 1.2 * lowest), "no rise: %g to %g", lowest, last);
  findlr_suggestion suggestion = { .struct_size = sizeof suggestion };
  ck_ok(findlr_range_test_suggest(test, NULL, &suggestion, &err));
  ck_assert_msg(suggestion.lr > start && suggestion.lr < end, "%g: %s", suggestion.lr,
                suggestion.message);
  findlr_range_test_destroy(test);
  findlr_session_destroy(s);
}

static int32_t backend_cancel(void *ud, const findlr_range_test *test) {
  (void)ud;
  return findlr_range_test_steps(test) == 7;
}

/* A trainer that fails in the middle: the session's, but for step. */
static int32_t (*backend_real_step)(void *self, const double *rates, uint32_t n, double *ret_loss);
static int backend_steps_left;

static int32_t backend_failing_step(void *self, const double *rates, uint32_t n, double *ret_loss) {
  if (backend_steps_left-- > 0)
    return backend_real_step(self, rates, n, ret_loss);
  return FINDLR_ERR_BACKEND;
}

/* Trained a little, so that momentum and counters hold something; then cancelled, failed and finished
 * range tests, each of which must leave what was there; and what follows must be what would have
 * followed. */
static inline void backend_check_restore(const findlr_session_options *o, double rate) {
  ERR;
  findlr_session *s = backend_session(o), *plain = backend_session(o);
  for (int i = 0; i < 5; i++)
    ck_assert(backend_step(s, rate) == backend_step(plain, rate));
  const uint64_t before = backend_fingerprint(s);
  ck_assert(before == backend_fingerprint(plain));

  findlr_range_test *test = backend_test(s, rate / 100, rate * 1000, 20);
  findlr_drive_options cancel;
  findlr_drive_options_init(&cancel, sizeof cancel);
  cancel.progress = backend_cancel;
  ck_assert_int_eq(findlr_drive(test, findlr_session_trainer(s), &cancel, &err),
                   FINDLR_ERR_CANCELLED);
  ck_assert(backend_fingerprint(s) == before);

  findlr_trainer failing = *findlr_session_trainer(s);
  findlr_trainer_vtable vtable = *failing.vtable;
  backend_real_step = vtable.step;
  backend_steps_left = 5;
  vtable.step = backend_failing_step;
  failing.vtable = &vtable;
  ck_assert_int_eq(findlr_drive(test, &failing, NULL, &err), FINDLR_ERR_BACKEND);
  ck_assert(backend_fingerprint(s) == before);

  ck_ok(findlr_drive(test, findlr_session_trainer(s), NULL, &err));
  ck_assert(backend_fingerprint(s) == before);
  for (int i = 0; i < 5; i++) {
    const double a = backend_step(s, rate), b = backend_step(plain, rate);
    ck_assert_msg(a == b, "step %d afterwards: %.17g, would have been %.17g", i, a, b);
  }
  ck_assert(backend_fingerprint(s) == backend_fingerprint(plain));
  findlr_range_test_destroy(test);
  findlr_session_destroy(s);
  findlr_session_destroy(plain);
}

/* The same seed gives the same losses, another seed others. */
static inline void backend_check_seed(const findlr_session_options *options, double rate) {
  findlr_session_options o = *options;
  const uint64_t seeds[] = { 3, 3, 4 };
  double loss[3][10];
  for (int run = 0; run < 3; run++) {
    o.seed = seeds[run];
    findlr_session *s = backend_session(&o);
    for (int i = 0; i < 10; i++)
      loss[run][i] = backend_step(s, rate);
    findlr_session_destroy(s);
  }
  ck_assert_mem_eq(loss[0], loss[1], sizeof loss[0]);
  ck_assert(memcmp(loss[0], loss[2], sizeof loss[0]) != 0);
}

/* A session that rand()'s user next door does not notice. */
static inline void backend_check_rand(const findlr_session_options *o, double rate) {
  int expected[8];
  srand(11);
  for (int i = 0; i < 8; i++)
    expected[i] = rand();
  srand(11);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(rand(), expected[i]);
  findlr_session *s = backend_session(o);
  ck_assert_int_eq(rand(), expected[4]);
  backend_step(s, rate);
  ck_assert_int_eq(rand(), expected[5]);
  const uint64_t before = backend_fingerprint(s);
  findlr_session_destroy(s);
  ck_assert_int_eq(rand(), expected[6]);

  /* And which does not notice rand()'s user. */
  s = backend_session(o);
  rand();
  backend_step(s, rate);
  ck_assert(backend_fingerprint(s) == before);
  findlr_session_destroy(s);
}

/* Writes text to a new file; give the path to backend_forget. */
static const char *backend_file(const char *text, size_t size) {
  static char path[64];
  snprintf(path, sizeof path, "/tmp/findlr-test-XXXXXX");
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
  close(fd);
  return path;
}

#endif
