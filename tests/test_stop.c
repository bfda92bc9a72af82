/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "core/random.h"
#include "core/stop.h"

enum { MOST = 1000, NEVER = MOST + 1 };

/* Where a rule stops on a curve, and why; NEVER if it does not. */
static int stop_at(const findlr_stop *stop, const double *loss, int n, int32_t *ret_reason) {
  ERR;
  findlr__stopper stopper;
  if (findlr__stopper_init(&stopper, stop, &err) != FINDLR_OK)
    ck_abort_msg("%s", err.message);
  for (int i = 0; i < n; i++) {
    int32_t reason = findlr__stopper_add(&stopper, loss[i]);
    if (reason != FINDLR_REASON_RUNNING) {
      if (ret_reason)
        *ret_reason = reason;
      return i;
    }
  }
  return NEVER;
}

/* --- the peers' rules ------------------------------------------------------------------------ */

/* fastai, callback/schedule.py, LRFinder.after_batch. */
static int fastai(const double *loss, int n) {
  double average = 0, best = HUGE_VAL;
  for (int i = 0; i < n; i++) {
    average = 0.98 * average + 0.02 * loss[i];
    double smooth = average / (1 - pow(0.98, i + 1));
    if (smooth < best)
      best = smooth;
    if (smooth > 4 * best)
      return i;
  }
  return NEVER;
}

/* pytorch-lr-finder, LRFinder.range_test with smooth_f 0.05 and diverge_th 5; Ignite's
 * FastaiLRFinder._log_lr_and_loss is the same. */
static int pytorch_lr_finder(const double *loss, int n) {
  double smooth = 0, best = 0;
  for (int i = 0; i < n; i++) {
    smooth = i == 0 ? loss[0] : 0.05 * loss[i] + (1 - 0.05) * smooth;
    if (i == 0 || smooth < best)
      best = smooth;
    if (smooth > 5 * best)
      return i;
  }
  return NEVER;
}

/* Lightning, tuner/lr_finder.py, _LRCallback.on_train_batch_end with early_stop_threshold 4: the
 * same before 2.5.3 and after. The step is counted before the bias is corrected. */
static int lightning(const double *loss, int n) {
  double average = 0, best = 0;
  for (int i = 0; i < n; i++) {
    int step = i + 1;
    average = 0.98 * average + 0.02 * loss[i];
    double smooth = average / (1 - pow(0.98, step + 1));
    if (step > 1 && smooth > 4 * best)
      return i;
    if (smooth < best || step == 1)
      best = smooth;
  }
  return NEVER;
}

/* keras_lr_finder, LRFinder.on_batch_end, within one epoch. */
static int keras_lr_finder(const double *loss, int n) {
  double best = 1e9;
  for (int i = 0; i < n; i++) {
    if (i > 5 && loss[i] > best * 4)
      return i;
    if (loss[i] < best)
      best = loss[i];
  }
  return NEVER;
}

static const struct {
  const char *name;
  int (*stop_at)(const double *loss, int n);
} peers[] = { { "fastai", fastai },
              { "pytorch-lr-finder", pytorch_lr_finder },
              { "lightning", lightning },
              { "keras_lr_finder", keras_lr_finder } };

/* --- curves ---------------------------------------------------------------------------------- */

static double noise(uint64_t state[4]) {
  double sum = -6;
  for (int i = 0; i < 12; i++)
    sum += findlr__random_uniform(state);
  return sum;
}

/* Plateau, fall, rise. rise 0: none; 1: quadratic, as after an explosion that saturates; 2: one that
 * does not. */
static double synthetic(double x, int rise) {
  double up = fmax(0, x + 0.5);
  return 2.3 - 1.8 / (1 + exp(-3 * (x + 2.5))) +
         (rise == 1 ? 5 * up * up : rise == 2 ? pow(10, 3 * up) - 1 : 0);
}

/* One of many kinds, all of it above zero. */
static int make_positive(uint64_t state[4], double *loss) {
  static const int lengths[] = { 7, 10, 30, 100, 100, 100, 300, 1000 };
  int n = lengths[findlr__random_below(state, 8)];
  int kind = (int)findlr__random_below(state, 8);
  double level = pow(10, 4 * findlr__random_uniform(state) - 2);
  double amount = pow(10, 3 * findlr__random_uniform(state) - 3);
  int at = (int)findlr__random_below(state, (uint64_t)n);
  double walk = 0;
  for (int i = 0; i < n; i++) {
    double x = -7 + 8.0 * i / (n - 1), value = 0;
    switch (kind) {
    case 0:
    case 1:
    case 2:
      value = synthetic(x, kind) + amount * noise(state);
      break;
    case 3: /* a walk of logarithms: falls and rises of any length */
      walk += 3 * amount * noise(state);
      value = exp(walk);
      break;
    case 4: /* a spike */
      value = 2 + amount * noise(state) + (i == at ? 1000 * amount : 0);
      break;
    case 5: /* a step up, or down */
      value = (i < at ? 1 : 100 * amount) * (1 + 0.1 * noise(state));
      break;
    case 6: /* noise alone */
      value = exp(2 * amount * noise(state));
      break;
    default: /* a bad start, then 2b's curve */
      value = synthetic(x, 2) + (i < 6 ? 100 * amount * fabs(noise(state)) : 0);
    }
    loss[i] = level * fmax(value, 1e-3);
  }
  return n;
}

START_TEST(never_stops_before_a_peer) {
  uint64_t state[4];
  findlr__random_seed(state, 4);
  double loss[MOST];
  int stopped = 0, close = 0;
  for (int curve = 0; curve < 20000; curve++) {
    int n = make_positive(state, loss);
    int ours = stop_at(NULL, loss, n, NULL);
    for (size_t p = 0; p < sizeof peers / sizeof *peers; p++) {
      int theirs = peers[p].stop_at(loss, n);
      ck_quick(ours >= theirs, "curve %d of %d: we stop at %d, %s at %d", curve, n, ours,
                    peers[p].name, theirs);
      close += ours != NEVER && ours == theirs;
    }
    stopped += ours != NEVER;
  }
  /* The curves are worth something only if the rule is at work in them. */
  ck_assert_int_gt(stopped, 1000);
  ck_assert_int_gt(close, 1000);
}
END_TEST

START_TEST(stops_on_divergence) {
  uint64_t state[4];
  findlr__random_seed(state, 5);
  double loss[100];
  for (int level = 0; level < 3; level++)
    for (int seed = 0; seed < 100; seed++) {
      int32_t reason = 0;
      for (int i = 0; i < 100; i++)
        loss[i] = fmax(1e-3, synthetic(-7 + 8.0 * i / 99, 2) + 0.1 * level * noise(state));
      int at = stop_at(NULL, loss, 100, &reason);
      ck_assert_int_eq(reason, FINDLR_REASON_DIVERGED);
      ck_quick(at > 80 && at < 95, "stops at %d", at);
    }
}
END_TEST

/* The same curve moved to where losses are negative, or around zero: no scale is left in the loss
 * itself. */
START_TEST(losses_of_any_sign) {
  uint64_t state[4];
  findlr__random_seed(state, 6);
  double loss[300];
  static const double centers[] = { -5, -1000, 0, 1e-6 };
  static const double amounts[] = { 1e-3, 0.3, 1 };
  for (int c = 0; c < 4; c++)
    for (int a = 0; a < 3; a++)
      for (int seed = 0; seed < 1000; seed++) {
        for (int i = 0; i < 300; i++)
          loss[i] = centers[c] + amounts[a] * noise(state);
        int at = stop_at(NULL, loss, 300, NULL);
        ck_quick(at == NEVER, "noise %g around %g stops at %d", amounts[a], centers[c], at);

        int32_t reason = 0;
        double scale = fmax(fabs(centers[c]), amounts[a]);
        for (int i = 200; i < 300; i++)
          loss[i] += scale * (pow(1.2, i - 200) - 1);
        at = stop_at(NULL, loss, 300, &reason);
        ck_quick(reason == FINDLR_REASON_DIVERGED && at > 200 && at < 260,
                      "divergence from %g around %g stops at %d", amounts[a], centers[c], at);
      }
  /* A loss that descends through zero, as a likelihood's does. */
  for (int i = 0; i < 300; i++)
    loss[i] = 5 - 10 / (1 + exp(-0.1 * (i - 150))) + 0.2 * noise(state);
  ck_assert_int_eq(stop_at(NULL, loss, 300, NULL), NEVER);
}
END_TEST

START_TEST(a_spike_stops_nothing) {
  double loss[100];
  for (int at = 0; at < 100; at++)
    for (int width = 1; width <= 2; width++)
      for (double height = 20; height < 1e9; height *= 10) {
        for (int i = 0; i < 100; i++)
          loss[i] = i >= at && i < at + width ? height : 2 + 0.01 * (i % 3);
        int stop = stop_at(NULL, loss, 100, NULL);
        ck_quick(stop == NEVER, "a spike of %g at %d stops at %d", height, at, stop);
      }
}
END_TEST

START_TEST(factor) {
  findlr_stop stop;
  findlr_stop_init(&stop, sizeof stop);
  stop.rule = FINDLR_STOP_FACTOR;
  uint64_t state[4];
  findlr__random_seed(state, 7);
  double loss[MOST];
  findlr_smoothing seeded = { sizeof seeded, FINDLR_SMOOTHING_SEEDED_EMA, 0.05 };
  for (int curve = 0; curve < 1000; curve++) {
    int n = make_positive(state, loss);
    stop.factor = 4;
    stop.smoothing = NULL;
    ck_assert_int_eq(stop_at(&stop, loss, n, NULL), fastai(loss, n));
    stop.factor = 5;
    stop.smoothing = &seeded;
    ck_assert_int_eq(stop_at(&stop, loss, n, NULL), pytorch_lr_finder(loss, n));
  }
  stop.smoothing = NULL;
  int32_t reason = 0;
  ck_assert_int_eq(stop_at(&stop, (const double[]){ -1, -2 }, 2, &reason), 0);
  ck_assert_int_eq(reason, FINDLR_REASON_DIVERGED);
}
END_TEST

START_TEST(not_finite) {
  findlr_stop stop;
  findlr_stop_init(&stop, sizeof stop);
  const double values[] = { (double)NAN, HUGE_VAL, -HUGE_VAL };
  for (uint32_t rule = FINDLR_STOP_NOT_FINITE; rule <= FINDLR_STOP_RISE; rule++)
    for (int i = 0; i < 3; i++) {
      stop.rule = rule;
      int32_t reason = 0;
      const double first[] = { values[i] }, later[] = { 1, 1, values[i], 1 };
      ck_assert_int_eq(stop_at(&stop, first, 1, &reason), 0);
      ck_assert_int_eq(reason, FINDLR_REASON_NOT_FINITE);
      ck_assert_int_eq(stop_at(&stop, later, 4, &reason), 2);
      ck_assert_int_eq(reason, FINDLR_REASON_NOT_FINITE);
    }
  double loss[100];
  for (int i = 0; i < 100; i++)
    loss[i] = i < 50 ? 1 : pow(10, i);
  stop.rule = FINDLR_STOP_NOT_FINITE;
  ck_assert_int_eq(stop_at(&stop, loss, 100, NULL), NEVER);
  stop.rule = FINDLR_STOP_NONE;
  ck_assert_int_eq(stop_at(&stop, (const double[]){ 1, (double)NAN, HUGE_VAL }, 3, NULL), NEVER);
}
END_TEST

START_TEST(defaults_and_refusals) {
  ERR;
  findlr_stop stop;
  findlr_stop_init(&stop, sizeof stop);
  ck_assert_uint_eq(stop.struct_size, sizeof stop);
  ck_assert_uint_eq(stop.rule, FINDLR_STOP_RISE);
  ck_assert_double_eq(stop.factor, 4);
  ck_assert_ptr_null(stop.smoothing);

  findlr__stopper stopper;
#define REFUSED(text) ck_fails(findlr__stopper_init(&stopper, &stop, &err), FINDLR_ERR_ARGUMENT, text)
  stop.rule = 4;
  REFUSED("stop rule is 4");
  stop.rule = FINDLR_STOP_RISE;
  stop.factor = 0;
  REFUSED("stop factor is 0, wanted more than 0");
  stop.factor = (double)NAN;
  REFUSED("stop factor is nan");
  stop.factor = HUGE_VAL;
  REFUSED("stop factor is inf");
  stop.rule = FINDLR_STOP_FACTOR;
  stop.factor = 1;
  REFUSED("stop factor is 1, wanted more than 1");
  stop.factor = 4;
  findlr_smoothing smoothing = { sizeof smoothing, FINDLR_SMOOTHING_GAUSSIAN, 3 };
  stop.smoothing = &smoothing;
  REFUSED("Gaussian");
  smoothing.kind = FINDLR_SMOOTHING_EMA;
  smoothing.parameter = 1;
  REFUSED("beta is 1");
  stop.struct_size = 4;
  REFUSED("struct_size 4");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("stop");
  TCase *c = tcase_create("stop");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, never_stops_before_a_peer);
  tcase_add_test(c, stops_on_divergence);
  tcase_add_test(c, losses_of_any_sign);
  tcase_add_test(c, a_spike_stops_nothing);
  tcase_add_test(c, factor);
  tcase_add_test(c, not_finite);
  tcase_add_test(c, defaults_and_refusals);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
