/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "core/random.h"

/* From the authors' own C code (prng.di.unimi.it). */
START_TEST(generates_the_reference_values) {
  uint64_t state[4] = { 1, 2, 3, 4 };
  static const uint64_t wanted[] = { 11520,
                                     0,
                                     1509978240,
                                     1215971899390074240,
                                     1216172134540287360,
                                     607988272756665600,
                                     16172922978634559625u,
                                     8476171486693032832,
                                     10595114339597558777u,
                                     2904607092377533576 };
  for (int i = 0; i < 10; i++)
    ck_assert_uint_eq(findlr__random_next(state), wanted[i]);
}
END_TEST

START_TEST(seeds_by_splitmix) {
  uint64_t state[4];
  findlr__random_seed(state, 1234567);
  ck_assert_uint_eq(state[0], 6457827717110365317u);
  ck_assert_uint_eq(state[1], 3203168211198807973u);
  ck_assert_uint_eq(state[2], 9817491932198370423u);
  ck_assert_uint_eq(state[3], 4593380528125082431u);
}
END_TEST

START_TEST(uniform_fills_its_interval) {
  uint64_t state[4];
  findlr__random_seed(state, 0);
  double sum = 0, least = 1, most = 0;
  for (int i = 0; i < 100000; i++) {
    double u = findlr__random_uniform(state);
    ck_quick(u >= 0 && u < 1, "%g", u);
    sum += u;
    least = fmin(least, u);
    most = fmax(most, u);
  }
  ck_assert_double_eq_tol(sum / 100000, 0.5, 0.005);
  ck_assert(least < 1e-3 && most > 1 - 1e-3);
}
END_TEST

START_TEST(below_is_even) {
  uint64_t state[4];
  findlr__random_seed(state, 3);
  int counts[7] = { 0 };
  for (int i = 0; i < 70000; i++) {
    uint64_t k = findlr__random_below(state, 7);
    ck_quick(k < 7, "%d", (int)k);
    counts[k]++;
  }
  for (int k = 0; k < 7; k++)
    ck_assert_int_lt(abs(counts[k] - 10000), 500);
  ck_assert_uint_eq(findlr__random_below(state, 1), 0);
  /* Two thirds of 2^64: without the rejection, the lower half would come twice as often. */
  uint64_t bound = (uint64_t)-1 / 3 * 2;
  int low = 0;
  for (int i = 0; i < 10000; i++)
    low += findlr__random_below(state, bound) < bound / 2;
  ck_assert_int_lt(abs(low - 5000), 250);
}
END_TEST

START_TEST(mix_tells_streams_apart) {
  for (uint64_t seed = 0; seed < 20; seed++)
    for (uint64_t a = 0; a < 20; a++)
      for (uint64_t b = 0; b < a; b++) {
        ck_assert_uint_ne(findlr__random_mix(seed, a), findlr__random_mix(seed, b));
        ck_assert_uint_ne(findlr__random_mix(a, seed), findlr__random_mix(b, seed));
      }
  ck_assert_uint_eq(findlr__random_mix(5, 6), findlr__random_mix(5, 6));
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("random");
  TCase *c = tcase_create("random");
  tcase_add_test(c, generates_the_reference_values);
  tcase_add_test(c, seeds_by_splitmix);
  tcase_add_test(c, uniform_fills_its_interval);
  tcase_add_test(c, below_is_even);
  tcase_add_test(c, mix_tells_streams_apart);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
