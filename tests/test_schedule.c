/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <float.h>
#include <stdio.h>

/* --- the range test's ramp -------------------------------------------------------------------- */

static double rate(uint32_t mode, double start, double end, int64_t i, int64_t steps) {
  ERR;
  double value = 0;
  ck_ok(findlr_ramp_rate(mode, start, end, i, steps, &value, &err));
  return value;
}

START_TEST(exponential) {
  ck_assert(rate(FINDLR_RAMP_EXPONENTIAL, 1e-7, 10, 0, 100) == 1e-7);
  ck_assert(rate(FINDLR_RAMP_EXPONENTIAL, 1e-7, 10, 99, 100) == 10);
  for (int i = 1; i < 99; i++) {
    double wanted = 1e-7 * pow(10 / 1e-7, i / 99.0);
    ck_assert(rate(FINDLR_RAMP_EXPONENTIAL, 1e-7, 10, i, 100) == wanted);
  }
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 1, 100, 1, 3), 10, 1e-14);
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 100, 1, 1, 3), 10, 1e-14);
}
END_TEST

START_TEST(linear) {
  ck_assert(rate(FINDLR_RAMP_LINEAR, 0.1, 0.7, 0, 7) == 0.1);
  ck_assert(rate(FINDLR_RAMP_LINEAR, 0.1, 0.7, 6, 7) == 0.7);
  for (int i = 1; i < 6; i++)
    ck_assert(rate(FINDLR_RAMP_LINEAR, 0.1, 0.7, i, 7) == 0.1 + (0.7 - 0.1) * (i / 6.0));
  ck_assert(rate(FINDLR_RAMP_LINEAR, 1, -1, 1, 3) == 0);
}
END_TEST

/* Ranges as wide as doubles are: no infinity, no zero, and no end passed over. */
START_TEST(wide_ranges) {
  double before = 1e-300;
  for (int i = 1; i < 50; i++) {
    double now = rate(FINDLR_RAMP_EXPONENTIAL, 1e-300, 1e300, i, 50);
    ck_assert(isfinite(now) && now > before);
    before = now;
  }
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 1e-300, 1e300, 1, 3), 1, 1e-12);
  ck_assert_double_eq_tol(rate(FINDLR_RAMP_EXPONENTIAL, 1e300, 1e-300, 1, 3), 1, 1e-12);
  ck_assert(rate(FINDLR_RAMP_LINEAR, -1.5e308, 1.5e308, 1, 3) == 0);
}
END_TEST

START_TEST(refusals) {
  ERR;
  double value = 42;
  const double inf = HUGE_VAL, nan = (double)NAN;
#define REFUSED(mode, start, end, i, steps, text)                                                  \
  ck_fails(findlr_ramp_rate(mode, start, end, i, steps, &value, &err), FINDLR_ERR_ARGUMENT, text)
  REFUSED(0, 1, 2, 0, 3, "ramp mode is 0");
  REFUSED(3, 1, 2, 0, 3, "ramp mode is 3");
  REFUSED(FINDLR_RAMP_EXPONENTIAL, 0, 2, 0, 3, "from 0 to 2, wanted rates above 0");
  REFUSED(FINDLR_RAMP_EXPONENTIAL, 1, -2, 0, 3, "from 1 to -2");
  REFUSED(FINDLR_RAMP_LINEAR, nan, 2, 0, 3, "nan");
  REFUSED(FINDLR_RAMP_LINEAR, 1, inf, 0, 3, "inf");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 1, 0, 3, "different");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 2, 0, 1, "step 0 of a ramp of 1");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 2, -1, 3, "step -1");
  REFUSED(FINDLR_RAMP_LINEAR, 1, 2, 3, 3, "step 3 of a ramp of 3");
  ck_assert_double_eq(value, 42);
  ck_fails(findlr_ramp_rate(FINDLR_RAMP_LINEAR, 1, 2, 0, 3, NULL, &err), FINDLR_ERR_ARGUMENT,
           "ret_rate is NULL");
}
END_TEST

/* --- by spec string --------------------------------------------------------------------------- */

/* What others' schedules answer: data/schedules.txt, which data/record_schedules.py made. */

enum { STEPS = 1000, MOST = STEPS + 1 };
static const double LR = 0.1;

static findlr_context *context;

static void setup(void) {
  ERR;
  findlr_context_options options;
  findlr_context_options_init(&options, sizeof options);
  options.flags = FINDLR_CONTEXT_NO_LOADING | FINDLR_CONTEXT_NO_ENVIRONMENT;
  ck_ok(findlr_context_create(&options, &context, &err));
}

static void teardown(void) {
  findlr_context_destroy(context);
}

static findlr_schedule_basis basis(double lr, int64_t steps) {
  return (findlr_schedule_basis){ sizeof(findlr_schedule_basis), 0, lr, 0, 0, steps };
}

static findlr_schedule *parsed(const char *text) {
  ERR;
  findlr_schedule *s = NULL;
  findlr_schedule_basis known = basis(LR, STEPS);
  int32_t status = findlr_schedule_parse(context, text, &known, &s, &err);
  ck_assert_msg(status == FINDLR_OK, "%s: %s", text, err.message);
  return s;
}

typedef struct pair {
  double lr, momentum;
} pair;

static pair at(const findlr_schedule *s, int64_t step) {
  pair p = { -1, -1 };
  if (findlr_schedule_at(s, step, &p.lr, &p.momentum, NULL) != FINDLR_OK)
    ck_abort_msg("step %lld", (long long)step);
  return p;
}

/* The metric that record_schedules.py tells, too. */
static double plateau_metric(int i, double sign) {
  if (i % 97 == 96)
    return (double)NAN;
  return sign * ((1000 - (i < 300 ? i : 300)) + (double)(i * 7919 % 997) / 997 * 3) / 1000;
}

/* Every step of a schedule in training, told a metric after each. */
static void walk(findlr_schedule *s, double sign, pair out[MOST]) {
  ERR;
  for (int i = 0; i < MOST; i++) {
    out[i] = at(s, i);
    if (findlr_schedule_tell(s, plateau_metric(i, sign), &err) != FINDLR_OK)
      ck_abort_msg("%s", err.message);
  }
}

static double number(const char *word) {
  double value = (double)NAN;
  ck_quick(findlr_text_parse(word, strlen(word), &value) == strlen(word), "number %s", word);
  return value;
}

static int near(double a, double b) {
  return fabs(a - b) <= 1e-12 * fabs(b);
}

/* fastai's formula ends by taking numbers of the peak's size from each other. */
static int as_near_as_they_are(const char *spec, double a, double b) {
  int rough = strstr(spec, "flat_anneal") || strstr(spec, "fastai");
  return near(a, b) || (rough && fabs(a - b) <= LR * DBL_EPSILON);
}

START_TEST(as_others) {
  FILE *file = fopen(TEST_DATA "/schedules.txt", "r");
  ck_assert_ptr_nonnull(file);
  char line[512], spec[256] = "", step[32], lr[32], momentum[32];
  int cases = 0, lines = 0;
  static pair seen[MOST];
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#')
      continue;
    if (sscanf(line, "case %255s", spec) == 1) {
      findlr_schedule *s = parsed(spec);
      walk(s, strstr(spec, "mode=max") ? -1 : 1, seen);
      findlr_schedule_destroy(s);
      cases++;
      continue;
    }
    int fields = sscanf(line, "%31s %31s %31s", step, lr, momentum);
    ck_quick(fields >= 2, "%s", line);
    int i = (int)number(step);
    ck_quick(i >= 0 && i < MOST, "%s", line);
    ck_quick(as_near_as_they_are(spec, seen[i].lr, number(lr)), "%s: step %d has the rate %.17g, theirs %s", spec, i,
             seen[i].lr, lr);
    if (fields == 3)
      ck_quick(near(seen[i].momentum, number(momentum)), "%s: step %d has the momentum %.17g, theirs %s",
               spec, i, seen[i].momentum, momentum);
    else
      ck_quick(isnan(seen[i].momentum), "%s: step %d has a momentum, theirs none", spec, i);
    lines++;
  }
  fclose(file);
  ck_assert_int_ge(cases, 36);
  ck_assert_int_ge(lines, cases * 145);
}
END_TEST

static const char *const every_kind[] = {
  "constant",    "step",        "multi_step:at=100x500", "exponential", "polynomial",
  "linear",      "cosine",      "cosine_restarts",       "inverse_sqrt", "flat_anneal",
  "triangular",  "triangular2", "exp_range",             "one_cycle",   "one_cycle_fastai",
  "reduce_on_plateau", "ramp",
};
enum { KINDS = sizeof every_kind / sizeof every_kind[0] };

START_TEST(names) {
  ck_assert_int_eq(KINDS, FINDLR_SCHEDULE_AFTER_LAST - 1);
  for (uint32_t i = 0; i < KINDS; i++) {
    const findlr_component *c = findlr_schedule_component(i);
    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(c->name, findlr_schedule_name(i + 1));
    ck_assert_int_eq(strncmp(every_kind[i], c->name, strlen(c->name)), 0);
    ck_assert(c->help && *c->help && c->option_count >= 5);
    for (uint32_t j = 0; j < c->option_count; j++) {
      findlr_option option = { .struct_size = sizeof option };
      ck_assert_int_eq(c->option(c->user, j, &option), 0);
      ck_assert(*option.name && *option.help && strlen(option.help) < 256);
    }
  }
  ck_assert_ptr_null(findlr_schedule_component(KINDS));
  ck_assert_str_eq(findlr_schedule_name(0), "unknown");
  ck_assert_str_eq(findlr_schedule_name(FINDLR_SCHEDULE_AFTER_LAST), "unknown");
}
END_TEST

/* What an option is by default agrees between the two ways to make a schedule. */
START_TEST(defaults_agree) {
  ERR;
  for (uint32_t i = 0; i < KINDS; i++) {
    findlr_schedule *text = parsed(every_kind[i]), *own = NULL;
    const int64_t milestones[] = { 100, 500 };
    findlr_schedule_options o;
    findlr_schedule_options_init(&o, sizeof o, i + 1);
    ck_assert_uint_eq(o.struct_size, sizeof o);
    o.lr = o.kind == FINDLR_SCHEDULE_RAMP ? 10 : LR;
    o.steps = STEPS;
    o.milestones = milestones;
    o.milestone_count = 2;
    ck_ok(findlr_schedule_create(NULL, &o, &own, &err));
    for (int step = 0; step < 2 * STEPS; step++) {
      pair a = at(text, step), b = at(own, step);
      ck_quick(a.lr == b.lr && (a.momentum == b.momentum || (isnan(a.momentum) && isnan(b.momentum))),
               "%s: step %d", every_kind[i], step);
    }
    findlr_schedule_destroy(text);
    findlr_schedule_destroy(own);
  }
}
END_TEST

/* Any step of any schedule has a rate, in any order, and far out, too. */
START_TEST(any_step) {
  for (uint32_t i = 0; i < KINDS; i++)
    for (int warmup = 0; warmup < 2; warmup++) {
      char text[100];
      snprintf(text, sizeof text, "%s%s%s", every_kind[i],
               !warmup                      ? ""
               : strchr(every_kind[i], ':') ? ","
                                            : ":",
               warmup ? "warmup=17" : "");
      findlr_schedule *s = parsed(text);
      const int64_t steps[] = { 0, 1, 16, 17, 18, 500, 999, 1000, 1001, 123456789, INT64_MAX - 1,
                                INT64_MAX };
      enum { N = sizeof steps / sizeof steps[0] };
      pair first[N];
      for (int j = 0; j < N; j++) {
        first[j] = at(s, steps[j]);
        ck_assert_msg(isfinite(first[j].lr) && first[j].lr >= 0 && first[j].lr <= 10,
                      "%s: step %lld has rate %g", text, (long long)steps[j], first[j].lr);
        ck_assert(isnan(first[j].momentum) || (first[j].momentum >= 0 && first[j].momentum < 1));
      }
      for (int j = N - 1; j >= 0; j--)
        ck_assert(at(s, steps[j]).lr == first[j].lr);
      findlr_schedule_destroy(s);
    }
}
END_TEST

START_TEST(ends_are_kept) {
  static const struct {
    const char *spec;
    double last;
  } cases[] = {
    { "polynomial:min=0.01", 0.01 }, { "linear:end=0.5", 0.05 },        { "cosine:min=0.02", 0.02 },
    { "flat_anneal", 0 },            { "one_cycle", 0.1 / 25 / 1e4 },   { "one_cycle_fastai", 0.1 / 1e5 },
    { "ramp:1e-3,2", 2 },            { "flat_anneal:flat=1,min=0.03", 0.03 },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    findlr_schedule *s = parsed(cases[i].spec);
    for (int64_t step = STEPS; step < 3 * STEPS; step += 331)
      ck_assert_msg(near(at(s, step).lr, cases[i].last), "%s: step %d has rate %.17g", cases[i].spec,
                    (int)step, at(s, step).lr);
    findlr_schedule_destroy(s);
  }
}
END_TEST

START_TEST(warm_up) {
  static const struct {
    const char *mode;
    double begin, middle;
  } cases[] = { { "linear", 0.2, 0.6 }, { "exponential", 0.2, 0.447213595499958 }, { "constant", 0.2, 0.2 } };
  for (size_t i = 0; i < 3; i++) {
    char text[100];
    snprintf(text, sizeof text, "one_cycle:warmup=100,warmup_start=0.2,warmup_mode=%s", cases[i].mode);
    findlr_schedule *s = parsed(text), *bare = parsed("one_cycle:steps=900");
    pair first = at(bare, 0);
    ck_assert(near(at(s, 0).lr, first.lr * cases[i].begin));
    ck_assert(near(at(s, 50).lr, first.lr * cases[i].middle));
    ck_assert(at(s, 50).momentum == first.momentum);
    for (int step = 0; step < 1000; step++)
      ck_quick(at(s, 100 + step).lr == at(bare, step).lr, "step %d", step);
    findlr_schedule_destroy(s);
    findlr_schedule_destroy(bare);
  }
}
END_TEST

/* Where the string is silent. */
START_TEST(what_is_known) {
  ERR;
  findlr_schedule_basis known = basis(0.01, 200);
  known.low = 0.002;
  known.high = 0.5;
  findlr_schedule *s = NULL;
#define PARSED(text) ck_ok(findlr_schedule_parse(context, text, &known, &s, &err))
#define IS(step, wanted)                                                                           \
  ck_assert_msg(near(at(s, step).lr, wanted), "step %d has rate %g", step, at(s, step).lr)
  PARSED("triangular");
  IS(0, 0.002);
  IS(20, 0.5);
  IS(40, 0.002);
  findlr_schedule_destroy(s);
  PARSED("triangular:max=0.4"); /* the low end found belongs to the high end found */
  IS(0, 0.1);
  IS(20, 0.4);
  findlr_schedule_destroy(s);
  PARSED("one_cycle:div=10");
  IS(0, 0.05);
  IS(59, 0.5);
  findlr_schedule_destroy(s);
  PARSED("cosine:warmup=50");
  IS(50, 0.01);
  IS(125, 0.005);
  findlr_schedule_destroy(s);
  known.low = known.high = (double)NAN;
  PARSED("triangular");
  IS(0, 0.0025);
  IS(20, 0.01);
  findlr_schedule_destroy(s);
  ck_ok(findlr_schedule_parse(context, "triangular:max=0.1,min=0.02,up=5", NULL, &s, &err));
  IS(0, 0.02);
  findlr_schedule_destroy(s);
  ck_ok(findlr_schedule_parse(context, "step:every=5,lr=1", NULL, &s, &err));
  IS(5, 0.1);
  findlr_schedule_destroy(s);
#undef PARSED
#undef IS
}
END_TEST

START_TEST(sentences) {
  ERR;
  findlr_schedule *s = (findlr_schedule *)&err;
  findlr_schedule_basis known = basis(LR, STEPS), nothing = basis((double)NAN, 0);
#define BAD(text, status, ...)                                                                     \
  ck_fails(findlr_schedule_parse(context, text, &known, &s, &err), status, __VA_ARGS__)
#define ARGUMENT(text, ...) BAD(text, FINDLR_ERR_ARGUMENT, __VA_ARGS__)
  BAD("cosin", FINDLR_ERR_NOT_FOUND, "there is no schedule named \"cosin\" (did you mean \"cosine\"?), wanted "
      "constant, step,");
  BAD("cosine:mn=1", FINDLR_ERR_NOT_FOUND, "schedule cosine has no option named \"mn\" (did you mean \"min\"?)");
  ARGUMENT("", "no name");
  ARGUMENT("cosine:min=nan", "finite number");
  ARGUMENT("cosine:min=-1", "0 or more");
  ARGUMENT("cosine:min=0.2", "schedule cosine: min is 0.2, wanted 0 to 0.1");
  ARGUMENT("cosine:lr=-0.1", "0 or more");
  ARGUMENT("cosine:steps=-5", "steps");
  ARGUMENT("cosine:steps=1e3", "whole number");
  ARGUMENT("cosine:steps=9223372036854775807", "steps");
  ARGUMENT("cosine:warmup=1000", "warmup is 1000 of a run of 1000 steps");
  ARGUMENT("cosine:warmup=5,warmup_mode=exponential,warmup_start=0", "warmup_start is 0, wanted more than 0");
  ARGUMENT("cosine:warmup=5,warmup_start=2", "0 to 1");
  ARGUMENT("step:gamma=0", "gamma is 0, wanted more than 0");
  ARGUMENT("step:every=0,steps=0,gamma=1.5", "gamma");
  ARGUMENT("multi_step", "option at must be given");
  ARGUMENT("multi_step:at=5x4", "a milestone is 4, wanted 6");
  ARGUMENT("multi_step:at=5x5", "a milestone is 5, wanted 6");
  ARGUMENT("exponential:every=0", "every");
  ARGUMENT("polynomial:power=0", "power is 0, wanted more than 0");
  ARGUMENT("linear:end=1.5", "0 to 1");
  ARGUMENT("cosine_restarts:mult=0", "mult");
  ARGUMENT("cosine_restarts:mult=1000001", "mult is 1000001, wanted 1 to 1000000");
  ARGUMENT("flat_anneal:anneal=sine", "cosine|linear");
  ARGUMENT("triangular:min=0.2", "schedule triangular: min is 0.2");
  ARGUMENT("triangular:low_momentum=0.95", "low_momentum is 0.95, wanted 0 to 0.9");
  ARGUMENT("triangular:high_momentum=1", "high_momentum is 1, wanted 0 or more and less than 1");
  ARGUMENT("one_cycle:part=0.7,three_phase=true", "part is 0.7, wanted 0 to 0.5");
  ARGUMENT("one_cycle:div=0.5", "1 or more");
  ARGUMENT("reduce_on_plateau:factor=1", "factor is 1, wanted more than 0 and less than 1");
  ARGUMENT("reduce_on_plateau:patience=-1", "patience");
  ARGUMENT("reduce_on_plateau:mode=best", "min|max");
  ARGUMENT("ramp:steps=1", "steps is 1, wanted 2 or more");
  ARGUMENT("ramp:start=10", "from 10 to 10");
  ARGUMENT("ramp:start=0", "above 0");
  known = nothing;
  ARGUMENT("constant", "option lr must be given");
  ARGUMENT("one_cycle", "option max must be given");
  ARGUMENT("cosine:lr=1", "steps is 0, wanted 1 or more");
  ARGUMENT("step:lr=1", "or every");
  ARGUMENT("triangular:max=1", "or up");
  ARGUMENT("cosine_restarts:lr=1", "or first");
  known = basis(-1, 100);
  ARGUMENT("constant", "lr is -1, wanted a rate above 0");
  known = basis(HUGE_VAL, 100);
  ARGUMENT("constant", "lr is inf");
  known = basis(1, -100);
  ARGUMENT("cosine", "steps is -100");
  known.struct_size = 4;
  ARGUMENT("cosine", "struct_size 4");
  ck_assert_ptr_eq(s, &err);
  ck_fails(findlr_schedule_parse(NULL, "constant:lr=1", NULL, &s, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_schedule_parse(context, NULL, NULL, &s, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_fails(findlr_schedule_parse(context, "constant:lr=1", NULL, NULL, &err), FINDLR_ERR_ARGUMENT, "NULL");
#undef BAD
#undef ARGUMENT
}
END_TEST

/* Spec strings of noise, and noise in the options: refused or made, and then every rate is a number. */
START_TEST(rubbish) {
  static const char alphabet[] = "cosine_restarts:=,0123456789.eE-x\" \\onecyl";
  unsigned seed = 1;
  int made = 0;
  for (int i = 0; i < 20000; i++) {
    char text[40];
    size_t n = 0;
    const char *kind = every_kind[i % KINDS];
    if (i % 3)
      n = (size_t)snprintf(text, sizeof text, "%.*s:", (int)strcspn(kind, ":"), kind);
    for (size_t end = n + (size_t)i % 14; n < end && n + 1 < sizeof text; n++) {
      seed = seed * 1103515245 + 12345;
      text[n] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
    }
    text[n] = 0;
    findlr_schedule_basis known = basis(LR, STEPS);
    findlr_schedule *s = NULL;
    if (findlr_schedule_parse(context, text, &known, &s, NULL) != FINDLR_OK)
      continue;
    made++;
    ck_quick(isfinite(at(s, i).lr), "%s", text);
    findlr_schedule_destroy(s);
  }
  ck_assert_int_gt(made, 100);
}
END_TEST

/* --- by options ------------------------------------------------------------------------------- */

START_TEST(extremes) {
  ERR;
  const double reals[] = { 0, -0.0, 1e-308, 5e-324, 0.5, 1, 1e308, -1, HUGE_VAL, -HUGE_VAL, (double)NAN };
  const int64_t counts[] = { 0, 1, 2, -1, 1000, (int64_t)1 << 53, INT64_MAX, INT64_MIN };
  enum { REALS = sizeof reals / sizeof reals[0], COUNTS = sizeof counts / sizeof counts[0] };
  unsigned seed = 7;
#define NEXT(array, n) (seed = seed * 1103515245 + 12345, array[(seed >> 16) % (n)])
#define MAYBE(member, array, n)                                                                    \
  if ((seed = seed * 1103515245 + 12345) >> 16 & 1)                                                \
  o.member = NEXT(array, n)
  int made = 0;
  for (int i = 0; i < 60000; i++) {
    findlr_schedule_options o;
    findlr_schedule_options_init(&o, sizeof o, 1 + (uint32_t)i % KINDS);
    o.lr = i % 5 ? 0.1 : NEXT(reals, REALS);
    o.steps = i % 5 ? 10 : NEXT(counts, COUNTS);
    MAYBE(min_lr, reals, REALS);
    MAYBE(gamma, reals, REALS);
    MAYBE(power, reals, REALS);
    MAYBE(part, reals, REALS);
    MAYBE(div, reals, REALS);
    MAYBE(final_div, reals, REALS);
    MAYBE(timescale, reals, REALS);
    MAYBE(warmup_start, reals, REALS);
    MAYBE(start_factor, reals, REALS);
    MAYBE(end_factor, reals, REALS);
    MAYBE(threshold, reals, REALS);
    MAYBE(eps, reals, REALS);
    MAYBE(every, counts, COUNTS);
    MAYBE(mult, counts, COUNTS);
    MAYBE(up, counts, COUNTS);
    MAYBE(down, counts, COUNTS);
    MAYBE(patience, counts, COUNTS);
    MAYBE(warmup, counts, COUNTS);
    o.warmup_mode = (uint32_t)i % 4;
    findlr_schedule *s = NULL;
    if (findlr_schedule_create(NULL, &o, &s, &err) != FINDLR_OK) {
      ck_quick(err.code == FINDLR_ERR_ARGUMENT && err.message[0], "%d", err.code);
      continue;
    }
    made++;
    for (int j = 0; j < COUNTS; j++) {
      double lr = -1, momentum = -1;
      int32_t status = findlr_schedule_at(s, counts[j], &lr, &momentum, &err);
      if (counts[j] < 0)
        ck_quick(status == FINDLR_ERR_ARGUMENT && lr == -1 && momentum == -1, "a negative step");
      else
        ck_quick(status == FINDLR_OK && isfinite(lr) && lr >= 0, "%s: %g at step %lld",
                 findlr_schedule_name(o.kind), lr, (long long)counts[j]);
      findlr_schedule_tell(s, reals[j], &err);
    }
    findlr_schedule_destroy(s);
  }
  ck_assert_int_gt(made, 1000);
}
END_TEST

START_TEST(bad_arguments) {
  ERR;
  findlr_schedule_options o;
  findlr_schedule *s = NULL;
  findlr_schedule_options_init(NULL, sizeof o, 1);
  findlr_schedule_options_init(&o, sizeof o, FINDLR_SCHEDULE_CONSTANT);
  ck_fails(findlr_schedule_create(NULL, &o, &s, &err), FINDLR_ERR_ARGUMENT, "lr is 0, wanted a rate above 0");
  o.lr = 1;
  ck_fails(findlr_schedule_create(NULL, NULL, &s, &err), FINDLR_ERR_ARGUMENT, "options is NULL");
  ck_fails(findlr_schedule_create(NULL, &o, NULL, &err), FINDLR_ERR_ARGUMENT, "ret_schedule is NULL");
  o.kind = 0;
  ck_fails(findlr_schedule_create(NULL, &o, &s, &err), FINDLR_ERR_ARGUMENT, "kind is 0");
  o.kind = FINDLR_SCHEDULE_AFTER_LAST;
  ck_fails(findlr_schedule_create(NULL, &o, &s, &err), FINDLR_ERR_ARGUMENT, "kind is 18");
  o.kind = FINDLR_SCHEDULE_MULTI_STEP;
  o.milestone_count = 2;
  ck_fails(findlr_schedule_create(NULL, &o, &s, &err), FINDLR_ERR_ARGUMENT, "milestones is NULL");
  o.milestone_count = UINT32_MAX;
  ck_fails(findlr_schedule_create(NULL, &o, &s, &err), FINDLR_ERR_ARGUMENT, "0 to 4096");
  o.struct_size = 8;
  ck_fails(findlr_schedule_create(NULL, &o, &s, &err), FINDLR_ERR_ARGUMENT, "struct_size 8");
  ck_assert_ptr_null(s);

  s = parsed("constant");
  double lr = 42, momentum = 43;
  ck_fails(findlr_schedule_at(s, -1, &lr, &momentum, &err), FINDLR_ERR_ARGUMENT, "step -1");
  ck_fails(findlr_schedule_at(NULL, 0, &lr, &momentum, &err), FINDLR_ERR_ARGUMENT, "schedule is NULL");
  ck_fails(findlr_schedule_at(s, 0, NULL, &momentum, &err), FINDLR_ERR_ARGUMENT, "ret_lr is NULL");
  ck_assert(lr == 42 && momentum == 43);
  ck_ok(findlr_schedule_at(s, 0, &lr, NULL, &err));
  ck_fails(findlr_schedule_tell(NULL, 1, &err), FINDLR_ERR_ARGUMENT, "NULL");
  ck_assert_int_eq(findlr_schedule_listens(s), 0);
  ck_assert_int_eq(findlr_schedule_listens(NULL), 0);
  findlr_schedule_destroy(s);
  findlr_schedule_destroy(NULL);
}
END_TEST

/* --- state ------------------------------------------------------------------------------------ */

START_TEST(state) {
  ERR;
  const char *spec = "reduce_on_plateau:factor=0.7,patience=5,threshold=0.002,threshold_mode=abs,"
                     "cooldown=20,min=0.001,warmup=40";
  static pair whole[MOST];
  findlr_schedule *s = parsed(spec);
  ck_assert_int_eq(findlr_schedule_listens(s), 1);
  walk(s, 1, whole);
  findlr_schedule_destroy(s);
  double numbers[8];
  size_t count = 99;
  s = parsed(spec);
  for (int i = 0; i < MOST; i++) { /* a fresh one for every step */
    ck_assert(at(s, i).lr == whole[i].lr);
    ck_ok(findlr_schedule_tell(s, plateau_metric(i, 1), &err));
    ck_ok(findlr_schedule_save(s, NULL, 0, &count, &err));
    ck_assert_uint_le(count, 8);
    ck_ok(findlr_schedule_save(s, numbers, 8, &count, &err));
    findlr_schedule_destroy(s);
    s = parsed(spec);
    ck_ok(findlr_schedule_load(s, numbers, count, &err));
  }
  ck_fails(findlr_schedule_save(s, numbers, count - 1, &count, &err), FINDLR_ERR_LIMIT, "room for 3");
  ck_fails(findlr_schedule_save(s, NULL, 8, &count, &err), FINDLR_ERR_LIMIT, "room for 0");
  ck_fails(findlr_schedule_save(s, numbers, 8, NULL, &err), FINDLR_ERR_ARGUMENT, "ret_count");
  ck_fails(findlr_schedule_save(NULL, numbers, 8, &count, &err), FINDLR_ERR_ARGUMENT, "NULL");

  ck_fails(findlr_schedule_load(s, numbers, 3, &err), FINDLR_ERR_FORMAT, "has 3 numbers, wanted 4");
  ck_fails(findlr_schedule_load(s, NULL, 4, &err), FINDLR_ERR_FORMAT, "has 0 numbers");
  ck_fails(findlr_schedule_load(NULL, numbers, 4, &err), FINDLR_ERR_ARGUMENT, "NULL");
  const double bad[] = { (double)NAN, HUGE_VAL, -1, 0.5, 1e300 };
  for (size_t place = 0; place < count; place++)
    for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
      double twisted[4];
      memcpy(twisted, numbers, sizeof twisted);
      twisted[place] = bad[j];
      if (place == 1 && j > 0)
        continue; /* a metric may be anything */
      ck_fails(findlr_schedule_load(s, twisted, 4, &err), FINDLR_ERR_FORMAT, "wanted what a schedule");
    }
  double after[8];
  ck_ok(findlr_schedule_save(s, after, 8, &count, &err));
  ck_assert_mem_eq(numbers, after, 4 * sizeof(double));
  findlr_schedule_destroy(s);

  s = parsed("cosine");
  ck_ok(findlr_schedule_save(s, NULL, 0, &count, &err));
  ck_assert_uint_eq(count, 0);
  ck_ok(findlr_schedule_load(s, NULL, 0, &err));
  ck_fails(findlr_schedule_load(s, numbers, 4, &err), FINDLR_ERR_FORMAT, "has 4 numbers, wanted 0");
  findlr_schedule_destroy(s);
}
END_TEST

START_TEST(no_memory) {
  ERR;
  for_each_failure(a) {
    findlr_context_options options;
    findlr_context_options_init(&options, sizeof options);
    options.allocator = &a.allocator;
    options.flags = FINDLR_CONTEXT_NO_LOADING | FINDLR_CONTEXT_NO_ENVIRONMENT;
    findlr_context *own = NULL;
    findlr_schedule *s = NULL;
    findlr_schedule_basis known = basis(LR, STEPS);
    int32_t status = findlr_context_create(&options, &own, &err);
    if (status == FINDLR_OK)
      status = findlr_schedule_parse(own, "multi_step:at=3x5,warmup=3", &known, &s, &err);
    ck_no_memory(status, a);
    findlr_schedule_destroy(s);
    findlr_context_destroy(own);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("schedule");
  TCase *c = tcase_create("ramp");
  tcase_add_test(c, exponential);
  tcase_add_test(c, linear);
  tcase_add_test(c, wide_ranges);
  tcase_add_test(c, refusals);
  suite_add_tcase(s, c);
  c = tcase_create("schedule");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, as_others);
  tcase_add_test(c, names);
  tcase_add_test(c, defaults_agree);
  tcase_add_test(c, any_step);
  tcase_add_test(c, ends_are_kept);
  tcase_add_test(c, warm_up);
  tcase_add_test(c, what_is_known);
  tcase_add_test(c, sentences);
  tcase_add_test(c, rubbish);
  tcase_add_test(c, extremes);
  tcase_add_test(c, bad_arguments);
  tcase_add_test(c, state);
  tcase_set_timeout(c, 60);
  suite_add_tcase(s, c);
  c = tcase_create("memory");
  tcase_add_test(c, no_memory);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
