/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "findlr/session.h"
#include "train/sampler.h"

enum { ROWS = 10 };

static findlr__sampler make(int64_t count, uint32_t sampling, bool drop_last, uint64_t seed) {
  ERR;
  findlr__sampler s;
  ck_ok(findlr__sampler_make(&s, &findlr__default_allocator, count, sampling, drop_last, seed, &err));
  return s;
}

static void end(findlr__sampler *s) {
  findlr__sampler_free(s, &findlr__default_allocator);
}

START_TEST(an_epoch_shows_every_row_once_in_a_new_order) {
  findlr__sampler s = make(ROWS, FINDLR_SAMPLING_SHUFFLE, false, 7);
  int64_t orders[3][ROWS];
  for (int epoch = 0; epoch < 3; epoch++) {
    int seen[ROWS] = { 0 };
    ck_assert_int_eq(findlr__sampler_next(&s, 4, orders[epoch]), 4);
    ck_assert_int_eq(findlr__sampler_next(&s, 4, orders[epoch] + 4), 4);
    ck_assert_int_eq(findlr__sampler_next(&s, 4, orders[epoch] + 8), 2); /* the ragged last one */
    for (int i = 0; i < ROWS; i++)
      seen[orders[epoch][i]]++;
    for (int i = 0; i < ROWS; i++)
      ck_assert_int_eq(seen[i], 1);
  }
  ck_assert(memcmp(orders[0], orders[1], sizeof orders[0]) != 0);
  ck_assert(memcmp(orders[1], orders[2], sizeof orders[0]) != 0);
  end(&s);
}
END_TEST

START_TEST(drop_last_leaves_the_ragged_batch_out) {
  findlr__sampler s = make(ROWS, FINDLR_SAMPLING_SHUFFLE, true, 7);
  int64_t rows[4];
  for (int i = 0; i < 9; i++)
    ck_assert_int_eq(findlr__sampler_next(&s, 4, rows), 4);
  ck_assert_int_eq(s.state[FINDLR__SAMPLER_EPOCH], 4);
  end(&s);
}
END_TEST

START_TEST(sequential_goes_round) {
  findlr__sampler s = make(3, FINDLR_SAMPLING_SEQUENTIAL, false, 0);
  int64_t rows[2];
  ck_assert_int_eq(findlr__sampler_next(&s, 2, rows), 2);
  ck_assert_int_eq(rows[1], 1);
  ck_assert_int_eq(findlr__sampler_next(&s, 2, rows), 1);
  ck_assert_int_eq(rows[0], 2);
  ck_assert_int_eq(findlr__sampler_next(&s, 2, rows), 2);
  ck_assert_int_eq(rows[0], 0);
  end(&s);
}
END_TEST

START_TEST(replacement_draws_evenly_and_repeats) {
  findlr__sampler s = make(ROWS, FINDLR_SAMPLING_REPLACEMENT, false, 3);
  int counts[ROWS] = { 0 }, repeats = 0;
  int64_t rows[ROWS];
  for (int i = 0; i < 2000; i++) {
    ck_assert_int_eq(findlr__sampler_next(&s, ROWS, rows), ROWS);
    int seen[ROWS] = { 0 };
    for (int j = 0; j < ROWS; j++) {
      counts[rows[j]]++;
      repeats += seen[rows[j]]++ > 0;
    }
  }
  ck_assert_int_gt(repeats, 2000);
  for (int i = 0; i < ROWS; i++) /* 2000 expected each, deviation 42 */
    ck_assert(counts[i] > 1750 && counts[i] < 2250);
  end(&s);
}
END_TEST

/* The state alone decides what comes: a copy of it in another sampler goes on in the same way. */
START_TEST(the_state_is_all_there_is) {
  for (uint32_t sampling = 0; sampling < 3; sampling++) {
    findlr__sampler a = make(ROWS, sampling, false, 11), b = make(ROWS, sampling, false, 99);
    int64_t rows[2][3];
    for (int i = 0; i < 5; i++)
      findlr__sampler_next(&a, 3, rows[0]);
    for (int i = 0; i < 2; i++)
      findlr__sampler_next(&b, 3, rows[1]);
    memcpy(b.state, a.state, sizeof a.state);
    for (int i = 0; i < 20; i++) {
      int64_t n = findlr__sampler_next(&a, 3, rows[0]);
      ck_assert_int_eq(findlr__sampler_next(&b, 3, rows[1]), n);
      ck_assert_mem_eq(rows[0], rows[1], (size_t)n * sizeof(int64_t));
    }
    end(&a);
    end(&b);
  }
}
END_TEST

START_TEST(another_seed_is_another_order) {
  findlr__sampler a = make(ROWS, FINDLR_SAMPLING_SHUFFLE, false, 1);
  findlr__sampler b = make(ROWS, FINDLR_SAMPLING_SHUFFLE, false, 2);
  int64_t rows[2][ROWS];
  findlr__sampler_next(&a, ROWS, rows[0]);
  findlr__sampler_next(&b, ROWS, rows[1]);
  ck_assert(memcmp(rows[0], rows[1], sizeof rows[0]) != 0);
  end(&a);
  end(&b);
}
END_TEST

START_TEST(a_damaged_position_starts_an_epoch) {
  findlr__sampler s = make(ROWS, FINDLR_SAMPLING_SHUFFLE, false, 1);
  int64_t rows[ROWS];
  const int64_t bad[] = { -5, 1000, INT64_MAX, INT64_MIN };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    s.state[FINDLR__SAMPLER_POSITION] = bad[i];
    ck_assert_int_eq(findlr__sampler_next(&s, ROWS, rows), ROWS);
  }
  end(&s);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("sampler");
  TCase *t = tcase_create("sampler");
  tcase_add_test(t, an_epoch_shows_every_row_once_in_a_new_order);
  tcase_add_test(t, drop_last_leaves_the_ragged_batch_out);
  tcase_add_test(t, sequential_goes_round);
  tcase_add_test(t, replacement_draws_evenly_and_repeats);
  tcase_add_test(t, the_state_is_all_there_is);
  tcase_add_test(t, another_seed_is_another_order);
  tcase_add_test(t, a_damaged_position_starts_an_epoch);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
