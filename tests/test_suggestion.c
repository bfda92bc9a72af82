/* SPDX-License-Identifier: MIT */
#include "core/peers.h"
#include "support.h"

enum { N = 100, PEERS = 9 };

/* The synthetic curve that the peers' reference answers were computed on: steepest at log10 lr =
 * -2.5. */
static double loss_at(double x) {
  double over = fmax(0, x + 0.5);
  return 2.3 - 1.8 / (1 + exp(-3 * (x + 2.5))) + 5 * over * over;
}

typedef struct {
  uint32_t state;
} lcg;

static double draw(lcg *g) {
  g->state = (1103515245u * g->state + 12345u) & 0x7fffffffu;
  return g->state / 2147483648.0;
}

static int is(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

/* The rate that each peer records for step i, and the one it trains with (Ignite's differ). */
static double recorded(const char *method, int i) {
  if (is(method, "steepest"))
    return 1e-7 * pow(1e8, i / (N - 1.0));
  if (is(method, "lightning") || is(method, "lightning_2.5.2"))
    return i == 0 ? 1e-8 : 1e-8 * pow(1e8, (i + 1.0) / N);
  if (is(method, "ignite"))
    return 1e-7 * pow(1e8, (i + 1.0) / N);
  return 1e-7 * pow(1e8, (double)i / N);
}

static double trained(const char *method, int i) {
  return is(method, "ignite") && i > 0 ? recorded(method, i - 1) : recorded(method, i);
}

static findlr_curve *new_curve(void) {
  ERR;
  findlr_curve *curve;
  ck_ok(findlr_curve_create(NULL, 1, 0, &curve, &err));
  return curve;
}

static void add(findlr_curve *curve, double lr, double loss) {
  ERR;
  ck_ok(findlr_curve_append(curve, &lr, loss, loss, 0, &err));
}

static findlr_curve *make(const double *lr, const double *loss, size_t n) {
  findlr_curve *curve = new_curve();
  for (size_t i = 0; i < n; i++)
    add(curve, lr[i], loss[i]);
  return curve;
}

/* The reference curve as a peer would record it. */
static findlr_curve *reference(const char *method, double amplitude, uint32_t seed) {
  findlr_curve *curve = new_curve();
  lcg g = { seed };
  for (int i = 0; i < N; i++)
    add(curve, recorded(method, i),
        loss_at(log10(trained(method, i))) + amplitude * (draw(&g) - 0.5));
  findlr_curve_set_requested(curve, N);
  return curve;
}

static void ck_sound(const findlr_suggestion *s) {
  ck_assert_msg(s->message[0] != 0, "%s gives no sentence", s->method);
  ck_assert_uint_lt(strlen(s->message), sizeof s->message - 1);
  if (s->verdict == FINDLR_VERDICT_GOOD || s->verdict == FINDLR_VERDICT_NEVER_DIVERGED ||
      s->verdict == FINDLR_VERDICT_UNCERTAIN) {
    ck_assert_msg(s->lr > 0 && s->low > 0 && s->low <= s->lr && s->lr <= s->high &&
                      isfinite(s->high) && s->index >= 0,
                  "%s: row %lld, %g in %g to %g", s->method, (long long)s->index, s->lr, s->low,
                  s->high);
  } else {
    ck_assert(isnan(s->lr) && isnan(s->low) && isnan(s->high) && s->index == -1);
  }
}

static findlr_suggestion ask(const findlr_curve *curve, const char *method) {
  ERR;
  findlr_suggestion_options options;
  findlr_suggestion_options_init(&options, sizeof options);
  options.method = method;
  findlr_suggestion s;
  findlr_suggestion_init(&s, sizeof s);
  ck_ok(findlr_suggest(curve, &options, &s, &err));
  ck_assert_str_eq(s.method, method);
  ck_sound(&s);
  return s;
}

static findlr_suggestion ask_once(findlr_curve *curve, const char *method) {
  findlr_suggestion s = ask(curve, method);
  findlr_curve_destroy(curve);
  return s;
}

static void ck_verdict(findlr_suggestion s, int32_t verdict, const char *text) {
  ck_assert_msg(s.verdict == verdict, "%s: %s, wanted %s: %s", s.method,
                findlr_verdict_name(s.verdict), findlr_verdict_name(verdict), s.message);
  ck_assert_msg(strstr(s.message, text) != NULL, "\"%s\" lacks \"%s\"", s.message, text);
}

/* --- the peers ---------------------------------------------------------------------------- */

/* What the peers answer on the reference curve, without noise and with seed 1 at amplitudes 0.2 and
 * 1.0. Those of pytorch-lr-finder, Ignite and Lightning came out of their own code, the others out
 * of ports of it. */
static const struct {
  const char *method;
  int64_t row[3];
  double lr[3];
} answers[PEERS] = {
  { "valley", { 46, 60, 62 }, { 4.786e-04, 6.310e-03, 9.120e-03 } },
  { "slide", { 61, 62, 62 }, { 7.586e-03, 9.120e-03, 9.120e-03 } },
  { "minimum", { 86, 86, 85 }, { 7.586e-02, 7.586e-02, 6.310e-02 } },
  { "steep", { 64, 62, 62 }, { 1.318e-02, 9.120e-03, 9.120e-03 } },
  { "steepest", { 63, 63, 58 }, { 1.233e-02, 1.233e-02, 4.863e-03 } },
  { "ignite", { 63, 63, 58 }, { 1.318e-02, 1.318e-02, 5.248e-03 } },
  { "lightning", { 62, 37, 21 }, { 1.096e-03, 1.096e-05, 5.754e-07 } },
  { "lightning_2.5.2", { 77, 74, 74 }, { 1.738e-02, 1.000e-02, 1.000e-02 } },
  { "keras", { 66, 65, 65 }, { 1.905e-02, 1.585e-02, 1.585e-02 } },
};

START_TEST(peers_answer_as_the_peers_do) {
  const double amplitudes[3] = { 0, 0.2, 1.0 };
  for (int p = 0; p < PEERS; p++)
    for (int a = 0; a < 3; a++) {
      const char *method = answers[p].method;
      findlr_suggestion s = ask_once(reference(method, amplitudes[a], 1), method);
      ck_assert_msg(s.index == answers[p].row[a], "%s at noise %g: row %lld, wanted %lld", method,
                    amplitudes[a], (long long)s.index, (long long)answers[p].row[a]);
      ck_assert_msg(fabs(s.lr / answers[p].lr[a] - 1) < 5e-4, "%s at noise %g: %.4g, wanted %.4g",
                    method, amplitudes[a], s.lr, answers[p].lr[a]);
      double lr = recorded(method, (int)s.index) / (is(method, "minimum") ? 10 : 1);
      ck_assert(s.lr == lr);
    }
}
END_TEST

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* log10 of the peers' rates over 300 seeds: median, quarters, least, most. */
static const struct {
  double amplitude;
  double rate[PEERS][5];
} spreads[] = {
  { 0.1,
    { { -2.52, -2.60, -2.36, -2.84, -2.20 },
      { -2.12, -2.12, -2.04, -2.20, -1.96 },
      { -1.12, -1.12, -1.12, -1.12, -1.12 },
      { -1.88, -1.96, -1.80, -2.12, -1.56 },
      { -1.91, -1.99, -1.83, -2.15, -1.67 },
      { -1.80, -1.88, -1.80, -2.04, -1.56 },
      { -3.52, -4.24, -3.04, -5.36, -2.72 },
      { -1.76, -1.84, -1.68, -2.00, -1.44 },
      { -1.72, -1.80, -1.64, -1.96, -1.48 } } },
  { 0.3,
    { { -2.36, -2.44, -2.20, -2.76, -1.96 },
      { -2.04, -2.12, -1.96, -2.28, -1.64 },
      { -1.12, -1.12, -1.12, -1.20, -1.12 },
      { -1.88, -1.96, -1.72, -2.20, -1.32 },
      { -1.91, -1.99, -1.75, -2.23, -1.34 },
      { -1.80, -1.96, -1.72, -2.20, -1.32 },
      { -5.88, -6.24, -5.44, -7.12, -4.00 },
      { -1.76, -1.92, -1.60, -2.16, -1.20 },
      { -1.72, -1.80, -1.56, -2.12, -1.32 } } },
  { 1.0,
    { { -2.12, -2.28, -2.04, -2.68, -1.72 },
      { -1.72, -1.88, -1.56, -3.72, -1.32 },
      { -1.12, -1.20, -1.12, -1.28, -1.04 },
      { -1.88, -2.12, -1.72, -6.20, -1.00 },
      { -1.83, -2.07, -1.67, -2.47, -0.70 },
      { -1.80, -1.96, -1.56, -2.44, -0.68 },
      { -6.88, -7.12, -6.64, -7.12, -5.28 },
      { -1.76, -1.92, -1.52, -7.12, -0.56 },
      { -1.96, -2.12, -1.72, -2.68, -0.92 } } },
};

START_TEST(peers_scatter_as_the_peers_do) {
  enum { SEEDS = 300 };
  double x[SEEDS];
  const char *method = answers[_i].method;
  for (size_t a = 0; a < 3; a++) {
    for (uint32_t k = 0; k < SEEDS; k++)
      x[k] = log10(ask_once(reference(method, spreads[a].amplitude, 7919 * (k + 1)), method).lr);
    qsort(x, SEEDS, sizeof *x, compare);
    const double got[5] = { (x[149] + x[150]) / 2, x[75], x[225], x[0], x[SEEDS - 1] };
    for (int k = 0; k < 5; k++)
      ck_assert_msg(fabs(got[k] - spreads[a].rate[_i][k]) < 0.0051,
                    "%s at noise %g, figure %d: %.4f, wanted %.2f", method, spreads[a].amplitude, k,
                    got[k], spreads[a].rate[_i][k]);
  }
}
END_TEST

/* The two tests below take their numbers from tests/peers.py. */

/* So high above zero, single precision makes neighbours equal: the rows differ from double's. */
START_TEST(peers_keep_their_precision) {
  const uint32_t seeds[3] = { 7919, 15838, 23757 };
  const int64_t rows[3][PEERS] = { { 56, 63, 86, 66, 65, 65, -1, -1, 65 },
                                   { 56, 60, 86, 62, 62, 62, -1, -1, 69 },
                                   { 60, 61, 86, 67, 62, 62, -1, -1, 69 } };
  for (int k = 0; k < 3; k++)
    for (int p = 0; p < PEERS; p++) {
      findlr_curve *curve = new_curve();
      lcg g = { seeds[k] };
      for (int i = 0; i < N; i++) {
        double lr = recorded("valley", i);
        add(curve, lr, 4000 + loss_at(log10(lr)) + 0.2 * (draw(&g) - 0.5));
      }
      findlr_suggestion s = ask_once(curve, answers[p].method);
      ck_assert_msg(s.index == rows[k][p], "%s, seed %u: row %lld, wanted %lld", s.method, seeds[k],
                    (long long)s.index, (long long)rows[k][p]);
    }
}
END_TEST

START_TEST(peers_stop_where_the_peers_do) {
  enum { ROWS = 200 };
  const size_t stops[PEERS] = { 125, 125, 125, 125, 120, 120, 100, 100, 46 };
  const size_t rows[PEERS] = { 34, 35, 37, 35, 114, 36, 36, 36, 36 };
  double lr[ROWS], loss[ROWS], work[4 * ROWS];
  for (int i = 0; i < ROWS; i++) { /* a fall, and then a saw that grows */
    lr[i] = 1e-7 * pow(1e8, i / (double)ROWS);
    loss[i] = i < 15   ? 2
              : i < 35 ? 2 - 0.02 * (i - 15)
                       : 1.6 * pow(1.025, i - 35) * (i % 6 < 2 ? 0.4 : 1.3);
  }
  findlr__sweep sweep = { lr, loss, ROWS, ROWS, work };
  for (uint32_t p = 0; p < PEERS; p++) {
    findlr__pick pick = findlr__peer_at(p)->pick(&sweep);
    ck_assert_int_eq(pick.outcome, FINDLR__PICK_ROW);
    ck_assert_msg(pick.stopped == stops[p] && pick.row == rows[p],
                  "%s: row %zu of %zu, wanted %zu of %zu", findlr__peer_at(p)->name, pick.row,
                  pick.stopped, rows[p], stops[p]);
  }
}
END_TEST

/* fastai's own loops. */
static size_t naive_decrease(const double *loss, size_t n, size_t *length, size_t *ret_end) {
  size_t end = 0;
  for (size_t i = 0; i < n; i++) {
    length[i] = 1;
    for (size_t j = 0; j < i; j++) {
      if (loss[i] < loss[j] && length[i] < length[j] + 1)
        length[i] = length[j] + 1;
      if (length[end] < length[i])
        end = i;
    }
  }
  *ret_end = end;
  return length[end];
}

START_TEST(the_fast_valley_is_the_slow_one) {
  double x[120], tails[120];
  size_t length[120];
  lcg g = { 5 };
  for (int trial = 0; trial < 3000; trial++) {
    size_t n = 1 + (size_t)(draw(&g) * 120);
    double steps = trial % 3 == 0 ? 8 : 1e6, slope = trial % 5 == 0 ? 0 : draw(&g) * 0.1;
    for (size_t i = 0; i < n; i++)
      x[i] = floor(steps * (draw(&g) - slope * (double)i)); /* few steps: many ties */
    size_t end = 0, wanted_end = 0;
    size_t wanted = naive_decrease(x, n, length, &wanted_end);
    ck_assert_uint_eq(findlr__longest_decrease(x, n, tails, &end), wanted);
    ck_assert_uint_eq(end, wanted_end);
  }
}
END_TEST

START_TEST(peers_do_not_mind_the_scale_of_the_loss) {
  for (int p = 0; p < PEERS; p++) {
    const char *method = answers[p].method;
    if (is(method, "slide")) /* its threshold is in units of loss */
      continue;
    for (uint32_t seed = 1; seed < 20; seed++) {
      findlr_curve *curve = reference(method, 0.4, seed), *scaled = new_curve();
      for (size_t i = 0; i < N; i++)
        add(scaled, findlr_curve_lr(curve, 0)[i], 1024 * findlr_curve_loss(curve)[i]);
      findlr_suggestion a = ask_once(curve, method), b = ask_once(scaled, method);
      ck_assert_int_eq(a.index, b.index);
      ck_assert_int_eq(a.verdict, b.verdict);
    }
  }
}
END_TEST

/* A NaN ends a findlr sweep and not a peer's, which would then have named the row before the NaN.
 */
START_TEST(a_nan_does_not_win) {
  for (int p = 0; p < PEERS; p++) {
    const char *method = answers[p].method;
    findlr_curve *whole = reference(method, 0.1, 3), *curve = new_curve(), *longer = new_curve();
    for (int i = 0; i < 90; i++) {
      add(curve, findlr_curve_lr(whole, 0)[i], i < 89 ? findlr_curve_loss(whole)[i] : NAN);
      add(longer, findlr_curve_lr(whole, 0)[i], i < 89 ? findlr_curve_loss(whole)[i] : NAN);
    }
    for (int i = 90; i < N; i++)
      add(longer, findlr_curve_lr(whole, 0)[i], NAN);
    findlr_curve_set_requested(curve, N);
    findlr_curve_set_requested(longer, N);
    findlr_suggestion s = ask_once(curve, method), t = ask_once(longer, method);
    ck_assert_int_ge(s.index, 0);
    ck_assert_int_lt(s.index, 88);
    ck_assert_int_eq(s.index, t.index);
    findlr_curve_destroy(whole);
  }
}
END_TEST

/* Before its stop rule begins, keras_lr_finder runs over a NaN; its argmin would take it. */
START_TEST(an_early_nan_does_not_win_with_keras) {
  findlr_curve *plain = reference("keras", 0.1, 3), *with = new_curve();
  for (size_t i = 0; i < N; i++)
    add(with, findlr_curve_lr(plain, 0)[i], i == 4 ? NAN : findlr_curve_loss(plain)[i]);
  ck_assert_int_eq(ask_once(with, "keras").index, ask_once(plain, "keras").index);
}
END_TEST

/* A division by zero: minus infinity is less than any slope. */
START_TEST(rates_that_single_precision_cannot_tell_apart) {
  const char *methods[] = { "steep", "lightning" };
  for (size_t m = 0; m < 2; m++) {
    findlr_curve *plain = reference("steep", 0, 1), *with = new_curve();
    for (size_t i = 0; i < N; i++)
      add(with, findlr_curve_lr(plain, 0)[i == 50 ? 49 : i] * (i == 50 ? 1 + 1e-12 : 1),
          findlr_curve_loss(plain)[i]);
    int64_t wanted = ask_once(plain, methods[m]).index, got = ask_once(with, methods[m]).index;
    ck_assert_msg(llabs(got - wanted) <= 1, "%s: row %lld, wanted %lld", methods[m], (long long)got,
                  (long long)wanted);
  }
}
END_TEST

START_TEST(losses_below_zero_end_a_peers_sweep_at_once) {
  for (int p = 0; p < PEERS; p++) {
    findlr_curve *curve = new_curve();
    for (int i = 0; i < N; i++)
      add(curve, recorded("valley", i), loss_at(log10(recorded("valley", i))) - 50);
    ck_verdict(ask_once(curve, answers[p].method), FINDLR_VERDICT_TOO_FEW_POINTS, "use auto");
  }
}
END_TEST

START_TEST(too_short_for_a_peer) {
  /* A clear fall in 12 rows, for rules that skip 10 and 5 or look 15 back. */
  const char *methods[] = { "slide", "steepest", "lightning", "lightning_2.5.2", "keras" };
  for (size_t m = 0; m < 5; m++) {
    findlr_curve *curve = new_curve();
    for (int i = 0; i < 11; i++)
      add(curve, pow(10, i - 11), i < 4 ? 2 : i < 7 ? 6 - i : i < 9 ? 0.01 : 9);
    ck_verdict(ask_once(curve, methods[m]), FINDLR_VERDICT_TOO_FEW_POINTS, methods[m]);
  }
}
END_TEST

START_TEST(a_rule_that_sees_no_fall_names_no_rate) {
  const char *methods[] = {
    "valley", "steep", "steepest", "lightning", "lightning_2.5.2", "keras"
  };
  for (size_t m = 0; m < 6; m++) {
    findlr_curve *curve = new_curve();
    for (int i = 0; i < N; i++) /* all of the fall is in the rows that they skip */
      add(curve, recorded("valley", i), i < 4 ? 3 : i < 6 ? 9 - 1.5 * i : 0.5 + 0.011 * i);
    findlr_suggestion s = ask_once(curve, methods[m]);
    ck_assert_msg(s.verdict == FINDLR_VERDICT_NEVER_DESCENDED, "%s: %s", methods[m], s.message);
  }
}
END_TEST

START_TEST(steps_asked_for_decide_what_fastai_skips) {
  ERR;
  findlr_curve *curve = reference("minimum", 0, 1);
  findlr_curve_set_requested(curve, 0);
  ck_assert_int_eq(ask(curve, "minimum").index, 86);
  findlr_suggestion_options options;
  findlr_suggestion_options_init(&options, sizeof options);
  options.method = "minimum";
  findlr_suggestion s;
  findlr_suggestion_init(&s, sizeof s);
  options.num_iter = 70; /* the sweep would have ended at row 69, and five are skipped */
  ck_ok(findlr_suggest(curve, &options, &s, &err));
  ck_assert_int_eq(s.index, 64);
  options.num_iter = 900; /* the first 90 are skipped, and so the minimum is */
  ck_ok(findlr_suggest(curve, &options, &s, &err));
  ck_assert_int_ne(s.index, 86);
  findlr_curve_set_requested(curve, N); /* what the curve knows goes first */
  ck_ok(findlr_suggest(curve, &options, &s, &err));
  ck_assert_int_eq(s.index, 86);
  findlr_curve_destroy(curve);
}
END_TEST

/* --- auto --------------------------------------------------------------------------------- */

/* What auto answers on the synthetic curve, where half of the fall is reached at -2.5 and nine tenths at
 * -1.8: between them, and later the denser the rows are, but not beyond the minimum, which is at -0.6. */
static const double ANSWER = -2.05;

START_TEST(auto_finds_where_most_of_the_fall_is_done) {
  const double amplitudes[] = { 0, 0.1, 0.3, 1 }, worst[] = { 0.05, 0.1, 0.3, 0.8 };
  for (size_t a = 0; a < 4; a++)
    for (uint32_t seed = 1; seed <= 100; seed++) {
      findlr_suggestion s = ask_once(reference("auto", amplitudes[a], 7919 * seed), "auto");
      ck_verdict(s, FINDLR_VERDICT_GOOD, "rises again");
      double off = fabs(log10(s.lr) - ANSWER);
      ck_assert_msg(off < worst[a], "noise %g, seed %u: %g", amplitudes[a], seed, s.lr);
      ck_assert_msg((a == 3 || s.low > 1e-5) && s.low < 4e-3 && s.high > 0.01 && s.high < 1,
                    "noise %g, seed %u: %g to %g", amplitudes[a], seed, s.low, s.high);
    }
}
END_TEST

START_TEST(auto_minds_neither_scale_nor_level) {
  const double scales[] = { 1, 1e-6, 1e6, 1e300, 1e-300 };
  for (uint32_t seed = 1; seed < 50; seed++) {
    findlr_curve *curve = reference("auto", 0.4, seed);
    findlr_suggestion wanted = ask(curve, "auto");
    for (size_t k = 0; k < 10; k++) {
      findlr_curve *other = new_curve();
      for (size_t i = 0; i < N; i++) {
        double loss = findlr_curve_loss(curve)[i];
        add(other, findlr_curve_lr(curve, 0)[i],
            k < 5 ? scales[k] * loss : loss + 40 * ((double)k - 7.0625));
      }
      findlr_suggestion s = ask_once(other, "auto");
      ck_assert_int_eq(s.verdict, wanted.verdict);
      ck_assert_int_eq(s.index, wanted.index);
    }
    findlr_curve_destroy(curve);
  }
}
END_TEST

START_TEST(auto_does_not_mind_odd_losses) {
  const double odd[] = { NAN, INFINITY, -INFINITY, 1e30, -1e30 };
  for (size_t k = 0; k < 5; k++)
    for (size_t at = 1; at < 70; at += 9) {
      findlr_curve *curve = reference("auto", 0.1, 1), *with = new_curve();
      for (size_t i = 0; i < N; i++)
        add(with, findlr_curve_lr(curve, 0)[i], i == at ? odd[k] : findlr_curve_loss(curve)[i]);
      findlr_suggestion s = ask_once(with, "auto");
      ck_verdict(s, FINDLR_VERDICT_GOOD, "");
      ck_assert_msg(fabs(log10(s.lr) - ANSWER) < 0.15, "%g at row %zu: %g", odd[k], at, s.lr);
      findlr_curve_destroy(curve);
    }
}
END_TEST

START_TEST(a_minimum_after_an_explosion_is_none) {
  findlr_curve *curve = new_curve();
  for (int i = 0; i < N; i++) {
    double lr = recorded("auto", i);
    add(curve, lr, i < 80 ? loss_at(log10(lr)) : i < 90 ? 1e6 : 0);
  }
  findlr_suggestion s = ask_once(curve, "auto");
  ck_verdict(s, FINDLR_VERDICT_GOOD, "");
  ck_assert(fabs(log10(s.lr) - ANSWER) < 0.1 && s.high < 0.4);
}
END_TEST

START_TEST(any_number_of_rows_and_decades) {
  const size_t rows[] = { 10, 20, 50, 300, 1000, 10000 };
  for (size_t k = 0; k < 6; k++)
    for (double decades = 4; decades <= 12; decades += 4) {
      findlr_curve *curve = new_curve();
      for (size_t i = 0; i < rows[k]; i++) {
        double x = -2.5 + decades * ((double)i / (double)(rows[k] - 1) - 0.5);
        add(curve, pow(10, x), loss_at(x));
      }
      findlr_suggestion s = ask_once(curve, "auto");
      double step = decades / (double)(rows[k] - 1);
      double wanted = fmin(ANSWER + 0.6 * log10(8 / 99. / step), -0.6);
      ck_assert_msg(fabs(log10(s.lr) - wanted) < 0.15 + 1.2 * step, "%zu rows, %g decades: %g",
                    rows[k], decades, s.lr);
    }
}
END_TEST

START_TEST(a_linear_ramp_from_zero) {
  findlr_curve *curve = new_curve();
  for (int i = 0; i < N; i++)
    add(curve, 1e-4 * i, i < 20 ? 2 : i < 40 ? 2 - 0.08 * (i - 19) : 0.4 + 0.05 * (i - 40));
  findlr_suggestion s = ask(curve, "auto");
  ck_verdict(s, FINDLR_VERDICT_GOOD, "");
  ck_assert(s.lr > 1.5e-3 && s.lr < 4.5e-3);
  for (int p = 0; p < PEERS; p++)
    ask(curve, answers[p].method);
  findlr_curve_destroy(curve);
}
END_TEST

/* --- verdicts ----------------------------------------------------------------------------- */

/* A curve of n rows from 1e-7 to 10 by a function of log10 lr, with a little noise. */
static findlr_curve *drawn(size_t n, double (*f)(double x), double amplitude) {
  findlr_curve *curve = new_curve();
  lcg g = { 1 };
  for (size_t i = 0; i < n; i++) {
    double x = -7 + 8 * (double)i / N;
    add(curve, pow(10, x), f(x) + amplitude * (draw(&g) - 0.5));
  }
  findlr_curve_set_requested(curve, N);
  return curve;
}

static double constant(double x) {
  (void)x;
  return 2.3;
}

static double rising(double x) {
  return 2.3 + 0.1 * (x + 7);
}

static double plateau_then_rising(double x) {
  return 2.3 + 5 * fmax(0, x + 2) * fmax(0, x + 2);
}

static double falling(double x) {
  return 2.3 - 0.2 * (x + 7);
}

static double late(double x) {
  return loss_at(x + 5.5);
}

START_TEST(verdicts_where_a_number_is_justified) {
  ck_verdict(ask_once(drawn(N, loss_at, 0.1), "auto"), FINDLR_VERDICT_GOOD, "let it cycle from");
  findlr_suggestion s = ask_once(drawn(80, loss_at, 0.1), "auto");
  ck_verdict(s, FINDLR_VERDICT_NEVER_DIVERGED, "end higher");
  ck_assert(fabs(log10(s.lr) - ANSWER) < 0.15);
  ck_verdict(ask_once(drawn(N, falling, 0.1), "auto"), FINDLR_VERDICT_NEVER_DIVERGED, "end higher");
  ck_verdict(ask_once(reference("lightning", 0.4, 1), "lightning"), FINDLR_VERDICT_GOOD,
             "lies outside");
}
END_TEST

static double falling_to_a_floor(double x) {
  return 2.3 - 1.8 / (1 + exp(-3 * (x + 2.5)));
}

static double rising_by_half_the_fall(double x) {
  return falling_to_a_floor(x) + 0.9 * fmax(0, fmin(x, 1));
}

START_TEST(what_counts_as_a_rise) {
  ck_verdict(ask_once(drawn(N, falling_to_a_floor, 0.2), "auto"), FINDLR_VERDICT_NEVER_DIVERGED,
             "end higher");
  ck_verdict(ask_once(drawn(N, rising_by_half_the_fall, 0.2), "auto"), FINDLR_VERDICT_GOOD,
             "rises again");
}
END_TEST

START_TEST(verdicts_without_a_number) {
  const struct {
    double (*f)(double x);
    double amplitude;
    size_t rows;
    int32_t verdict;
    const char *text;
  } cases[] = {
    { constant, 0, N, FINDLR_VERDICT_NEVER_DESCENDED, "end higher" },
    { constant, 0, 20, FINDLR_VERDICT_NEVER_DESCENDED, "end higher" },
    { constant, 0.5, N, FINDLR_VERDICT_NEVER_DESCENDED, "end higher" },
    { loss_at, 0.5, 20, FINDLR_VERDICT_NEVER_DESCENDED, "end higher" },
    { rising, 0, N, FINDLR_VERDICT_NEVER_DESCENDED, "start lower" },
    { late, 0.02, N, FINDLR_VERDICT_NEVER_DESCENDED, "start lower" },
    { loss_at, 0, 0, FINDLR_VERDICT_TOO_FEW_POINTS, "wanted at least 5" },
    { loss_at, 0, 1, FINDLR_VERDICT_TOO_FEW_POINTS, "wanted at least 5" },
    { loss_at, 0, 4, FINDLR_VERDICT_TOO_FEW_POINTS, "wanted at least 5" },
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const char *method;
    for (uint32_t m = 0; (method = findlr_suggestion_method(m)) != NULL; m++)
      ck_verdict(ask_once(drawn(cases[k].rows, cases[k].f, cases[k].amplitude), method),
                 cases[k].verdict, cases[k].text);
  }
}
END_TEST

/* The plateau's end says something about the rate; but a rule about falls has nothing to say. */
START_TEST(a_plateau_with_an_end_gives_a_guess) {
  for (double noise = 0; noise < 1; noise += 0.5) {
    findlr_suggestion s = ask_once(drawn(N, plateau_then_rising, noise), "auto");
    ck_verdict(s, FINDLR_VERDICT_UNCERTAIN, "is a guess");
    ck_assert_msg(s.lr > 5e-4 && s.lr < 6e-3 && s.low < s.lr && s.high > s.lr, "%g", s.lr);
    const char *method;
    for (uint32_t m = 1; (method = findlr_suggestion_method(m)) != NULL; m++)
      ck_verdict(ask_once(drawn(N, plateau_then_rising, noise), method),
                 FINDLR_VERDICT_NEVER_DESCENDED, "start lower");
  }
}
END_TEST

/* Two losses far above a noisy plateau: the fall after it is read with caution, and not vouched for. */
START_TEST(heavy_tails_are_not_vouched_for) {
  findlr_curve *plain = reference("auto", 0.2, 1), *with = new_curve();
  for (size_t i = 0; i < N; i++)
    add(with, findlr_curve_lr(plain, 0)[i],
        findlr_curve_loss(plain)[i] + (i == 9 || i == 22 ? 5 : 0));
  double wanted = ask_once(plain, "auto").lr;
  findlr_suggestion s = ask_once(with, "auto");
  ck_verdict(s, FINDLR_VERDICT_UNCERTAIN, "scatter far");
  ck_assert(fabs(log10(s.lr / wanted) + 0.75) < 0.1);
}
END_TEST

/* Weights that begin at zero give equal first losses; the noise comes with the fall and is none of
 * heavy tails. */
START_TEST(noise_that_grows_has_no_heavy_tails) {
  for (uint32_t seed = 1; seed <= 50; seed++) {
    findlr_curve *curve = new_curve();
    lcg g = { 7919 * seed };
    for (int i = 0; i < N; i++) {
      double lr = recorded("auto", i), loss = loss_at(log10(lr));
      double noise = pow(10, fmin(0.1 * (i - 40), 0)) * (draw(&g) - 0.5);
      add(curve, lr, loss + 0.3 * noise);
    }
    ck_verdict(ask_once(curve, "auto"), FINDLR_VERDICT_GOOD, "rises again");
  }
}
END_TEST

START_TEST(noise_alone_is_seldom_taken_for_a_fall) {
  int numbers = 0;
  for (uint32_t seed = 1; seed <= 400; seed++) {
    findlr_curve *curve = new_curve();
    lcg g = { seed * 7919 };
    for (int i = 0; i < N; i++) { /* the sum of twelve is nearly normal */
      double loss = 0;
      for (int k = 0; k < 12; k++)
        loss += draw(&g);
      add(curve, recorded("auto", i), loss);
    }
    numbers += ask_once(curve, "auto").verdict != FINDLR_VERDICT_NEVER_DESCENDED;
  }
  ck_assert_int_le(numbers, 16);
}
END_TEST

START_TEST(a_small_fall_is_found_in_noise) {
  int found = 0;
  for (uint32_t seed = 1; seed <= 200; seed++)
    found +=
        ask_once(reference("auto", 2.5, seed * 7919), "auto").verdict != FINDLR_VERDICT_NEVER_DESCENDED;
  ck_assert_int_ge(found, 190);
}
END_TEST

START_TEST(losses_that_are_not_finite) {
  const char *method;
  for (uint32_t m = 0; (method = findlr_suggestion_method(m)) != NULL; m++) {
    findlr_curve *all = new_curve(), *most = new_curve();
    for (int i = 0; i < N; i++) {
      add(all, recorded("auto", i), i % 2 ? NAN : INFINITY);
      add(most, recorded("auto", i), i < 4 ? 2.3 : NAN);
    }
    ck_verdict(ask_once(all, method), FINDLR_VERDICT_NOT_FINITE, "start lower");
    ck_verdict(ask_once(most, method), FINDLR_VERDICT_NOT_FINITE, "start lower");
  }
  findlr_curve *ends = drawn(87, loss_at, 0.1);
  add(ends, 1, NAN);
  findlr_suggestion s = ask_once(ends, "auto");
  ck_verdict(s, FINDLR_VERDICT_GOOD, "");
  ck_assert(fabs(log10(s.lr) - ANSWER) < 0.15);
}
END_TEST

/* --- the curve as given ------------------------------------------------------------------- */

START_TEST(skipped_rows_do_not_count) {
  ERR;
  const char *method;
  for (uint32_t m = 0; (method = findlr_suggestion_method(m)) != NULL; m++) {
    findlr_curve *plain = reference(method, 0.1, 1), *with = new_curve();
    int64_t rows[N], row = 0;
    for (int i = 0; i < N; i++) {
      double lr = findlr_curve_lr(plain, 0)[i];
      for (int k = 0; k < i % 3; k++, row++)
        ck_ok(findlr_curve_append(with, &lr, 0, 0, FINDLR_POINT_SKIPPED, &err));
      rows[i] = row++;
      add(with, lr, findlr_curve_loss(plain)[i]);
    }
    findlr_suggestion a = ask_once(plain, method), b = ask_once(with, method);
    ck_assert_int_eq(b.index, rows[a.index]);
    ck_assert(a.lr == b.lr && a.low == b.low && a.high == b.high);
  }
}
END_TEST

START_TEST(each_group_has_its_own_rates) {
  ERR;
  findlr_curve *curve;
  ck_ok(findlr_curve_create(NULL, 2, 0, &curve, &err));
  for (int i = 0; i < N; i++) {
    double lr[2] = { recorded("auto", i), 8 * recorded("auto", i) };
    ck_ok(findlr_curve_append(curve, lr, loss_at(log10(lr[0])), 0, 0, &err));
  }
  findlr_suggestion_options options;
  findlr_suggestion_options_init(&options, sizeof options);
  findlr_suggestion a, b;
  findlr_suggestion_init(&a, sizeof a);
  findlr_suggestion_init(&b, sizeof b);
  ck_ok(findlr_suggest(curve, &options, &a, &err));
  options.group = 1;
  ck_ok(findlr_suggest(curve, &options, &b, &err));
  ck_assert_str_eq(a.method, "auto");
  ck_assert_int_eq(a.index, b.index);
  ck_assert(b.lr == 8 * a.lr && b.low == 8 * a.low && b.high == 8 * a.high);
  options.group = 2;
  ck_fails(findlr_suggest(curve, &options, &b, &err), FINDLR_ERR_ARGUMENT, "group is 2");
  findlr_curve_destroy(curve);
}
END_TEST

START_TEST(bad_arguments_leave_the_answer_alone) {
  ERR;
  double lr[6] = { 1, 2, 3, 3, 4, 5 }, loss[6] = { 1, 2, 3, 4, 5, 6 };
  findlr_curve *flat = make(lr, loss, 6), *curve = make(lr, loss, 3);
  findlr_suggestion_options options;
  findlr_suggestion_options_init(&options, sizeof options);
  findlr_suggestion s;
  findlr_suggestion_init(&s, sizeof s);
  s.index = 99;
  ck_fails(findlr_suggest(flat, NULL, &s, &err), FINDLR_ERR_ARGUMENT,
           "row 3 of the curve has a rate of 3");
  ck_fails(findlr_suggest(NULL, NULL, &s, &err), FINDLR_ERR_ARGUMENT, "curve is NULL");
  ck_fails(findlr_suggest(curve, NULL, NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
  options.method = "steepset";
  ck_fails(findlr_suggest(curve, &options, &s, &err), FINDLR_ERR_ARGUMENT,
           "did you mean \"steepest\"?");
  options.method = "";
  ck_fails(findlr_suggest(curve, &options, &s, &err), FINDLR_ERR_ARGUMENT,
           "there is no method \"\"");
  options.method = NULL;
  options.struct_size = 0;
  ck_fails(findlr_suggest(curve, &options, &s, &err), FINDLR_ERR_ARGUMENT, "struct_size 0");
  ck_assert_int_eq(s.index, 99);
  s.struct_size = 8;
  ck_fails(findlr_suggest(curve, NULL, &s, &err), FINDLR_ERR_ARGUMENT, "struct_size 8");
  findlr_curve_destroy(flat);
  findlr_curve_destroy(curve);
}
END_TEST

START_TEST(names) {
  ck_assert_str_eq(findlr_suggestion_method(0), "auto");
  uint32_t n = 0;
  while (findlr_suggestion_method(n)) {
    ck_assert_ptr_nonnull(findlr_suggestion_method_help(findlr_suggestion_method(n)));
    n++;
  }
  ck_assert_uint_eq(n, 1 + PEERS);
  for (int p = 0; p < PEERS; p++)
    ck_assert_str_eq(findlr_suggestion_method((uint32_t)p + 1), answers[p].method);
  ck_assert_ptr_null(findlr_suggestion_method(UINT32_MAX));
  ck_assert_ptr_null(findlr_suggestion_method_help("nothing"));
  ck_assert_ptr_null(findlr_suggestion_method_help(NULL));
  ck_assert_str_eq(findlr_verdict_name(FINDLR_VERDICT_NEVER_DIVERGED), "never_diverged");
  ck_assert_str_eq(findlr_verdict_name(FINDLR_VERDICT_AFTER_LAST), "unknown");
}
END_TEST

/* --- garbage ------------------------------------------------------------------------------ */

static double any_double(lcg *g) {
  uint64_t bits = 0;
  for (int k = 0; k < 4; k++)
    bits = bits << 16 | (uint64_t)(draw(g) * 65536);
  double x;
  memcpy(&x, &bits, sizeof x);
  switch ((int)(draw(g) * 8)) {
  case 0:
    return NAN;
  case 1:
    return draw(g) < 0.5 ? INFINITY : -INFINITY;
  case 2:
    return x * 0x1p-1000 * 0x1p-60; /* often denormal */
  case 3:
    return draw(g) < 0.5 ? 0 : -0.0;
  case 4:
  case 5:
    return draw(g);
  default:
    return x;
  }
}

START_TEST(garbage_is_read_without_harm) {
  ERR;
  double lr[130], loss[130];
  lcg g = { 12345 };
  for (int trial = 0; trial < 3000; trial++) {
    size_t n = (size_t)(draw(&g) * 130), kept = 0;
    for (size_t i = 0; i < n; i++) {
      do
        lr[i] = any_double(&g);
      while (!isfinite(lr[i]));
      loss[i] = any_double(&g);
    }
    if (trial % 4 == 0)
      for (size_t i = 0; i < n; i++)
        lr[i] = (double)i * 0x1p-1074; /* denormal rates, from zero */
    qsort(lr, n, sizeof *lr, compare);
    for (size_t i = 0; i < n; i++)
      if (kept == 0 || lr[i] > lr[kept - 1])
        lr[kept++] = lr[i];
    findlr_curve *curve = make(lr, loss, kept);
    findlr_curve_set_requested(curve, (int64_t)(draw(&g) * 200) - 20);
    if (draw(&g) < 0.1)
      findlr_curve_set_requested(curve, INT64_MAX);
    const char *method;
    for (uint32_t m = 0; (method = findlr_suggestion_method(m)) != NULL; m++) {
      findlr_suggestion_options options;
      findlr_suggestion_options_init(&options, sizeof options);
      options.method = method;
      findlr_suggestion s;
      findlr_suggestion_init(&s, sizeof s);
      ck_ok(findlr_suggest(curve, &options, &s, &err));
      ck_sound(&s);
    }
    findlr_curve_destroy(curve);
  }
}
END_TEST

static void *counted_alloc(void *ud, void *ptr, size_t old_size, size_t new_size, size_t align) {
  long *left = ud;
  (void)old_size, (void)align;
  if (new_size == 0) {
    free(ptr);
    return NULL;
  }
  return (*left)-- > 0 ? realloc(ptr, new_size) : NULL;
}

START_TEST(no_memory) {
  ERR;
  long left = 2;
  findlr_allocator a = { sizeof a, 0, &left, counted_alloc };
  findlr_curve *curve;
  ck_ok(findlr_curve_create(&a, 1, 10, &curve, &err));
  add(curve, 1, 1);
  findlr_suggestion s;
  findlr_suggestion_init(&s, sizeof s);
  s.index = 99;
  ck_fails(findlr_suggest(curve, NULL, &s, &err), FINDLR_ERR_NO_MEMORY, "reading a curve");
  ck_assert_int_eq(s.index, 99);
  left = 1;
  ck_ok(findlr_suggest(curve, NULL, &s, &err));
  findlr_curve_destroy(curve);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("suggestion");
  TCase *t = tcase_create("suggestion");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, peers_answer_as_the_peers_do);
  tcase_add_loop_test(t, peers_scatter_as_the_peers_do, 0, PEERS);
  tcase_add_test(t, peers_keep_their_precision);
  tcase_add_test(t, peers_stop_where_the_peers_do);
  tcase_add_test(t, the_fast_valley_is_the_slow_one);
  tcase_add_test(t, peers_do_not_mind_the_scale_of_the_loss);
  tcase_add_test(t, a_nan_does_not_win);
  tcase_add_test(t, an_early_nan_does_not_win_with_keras);
  tcase_add_test(t, rates_that_single_precision_cannot_tell_apart);
  tcase_add_test(t, losses_below_zero_end_a_peers_sweep_at_once);
  tcase_add_test(t, too_short_for_a_peer);
  tcase_add_test(t, a_rule_that_sees_no_fall_names_no_rate);
  tcase_add_test(t, steps_asked_for_decide_what_fastai_skips);
  tcase_add_test(t, auto_finds_where_most_of_the_fall_is_done);
  tcase_add_test(t, auto_minds_neither_scale_nor_level);
  tcase_add_test(t, auto_does_not_mind_odd_losses);
  tcase_add_test(t, a_minimum_after_an_explosion_is_none);
  tcase_add_test(t, any_number_of_rows_and_decades);
  tcase_add_test(t, a_linear_ramp_from_zero);
  tcase_add_test(t, verdicts_where_a_number_is_justified);
  tcase_add_test(t, what_counts_as_a_rise);
  tcase_add_test(t, verdicts_without_a_number);
  tcase_add_test(t, a_plateau_with_an_end_gives_a_guess);
  tcase_add_test(t, heavy_tails_are_not_vouched_for);
  tcase_add_test(t, noise_that_grows_has_no_heavy_tails);
  tcase_add_test(t, noise_alone_is_seldom_taken_for_a_fall);
  tcase_add_test(t, a_small_fall_is_found_in_noise);
  tcase_add_test(t, losses_that_are_not_finite);
  tcase_add_test(t, skipped_rows_do_not_count);
  tcase_add_test(t, each_group_has_its_own_rates);
  tcase_add_test(t, bad_arguments_leave_the_answer_alone);
  tcase_add_test(t, names);
  tcase_add_test(t, garbage_is_read_without_harm);
  tcase_add_test(t, no_memory);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
