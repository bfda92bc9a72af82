/* SPDX-License-Identifier: MIT */
#include "findlr/range_test.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "internal.h"
#include "stop.h"

enum { MOST_STEPS = 10000000, MOST_GROUPS = 1024, MOST_SKIPS = 1000000 };

/* What comes next. SAVING and RESTORING are passed over by a test without slots. */
enum { SAVING, STEPPING, EVALUATING, RESTORING, OVER };

struct findlr_range_test {
  const findlr_allocator *allocator;
  findlr_curve *curve;
  double *start, *end, *rates; /* one a group each; one block, which begins at start */
  int64_t num_iter, step;
  uint32_t groups, mode, follow, slots, max_skips;
  uint32_t skips_in_row;
  int64_t skips;
  int32_t reason;
  int phase;
  bool asked;        /* there is a request to answer */
  double train_loss; /* EVALUATING: what the step said */
  findlr__stopper stopper, fresh_stopper;
  atomic_bool cancelled;
};

void findlr_range_test_options_init(findlr_range_test_options *options, size_t size) {
  if (!options || size < sizeof(uint32_t))
    return;
  findlr_range_test_options defaults = {
    .struct_size = (uint32_t)size,
    .mode = FINDLR_RAMP_EXPONENTIAL,
    .start_lr = 1e-7,
    .end_lr = 10,
    .num_iter = 100,
    .groups = 1,
    .follow = FINDLR_FOLLOW_TRAIN,
    .max_skips = 16,
  };
  memset(options, 0, size);
  memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

void findlr_request_init(findlr_request *request, size_t size) {
  if (!request || size < sizeof(uint32_t))
    return;
  memset(request, 0, size);
  request->struct_size = (uint32_t)size;
}

const char *findlr_reason_name(int32_t reason) {
  switch (reason) {
#define CASE(name, value, word)                                                                    \
  case value:                                                                                      \
    return word;
    FINDLR_REASON_LIST(CASE)
#undef CASE
  default:
    return "unknown";
  }
}

/* --- making ---------------------------------------------------------------------------------- */

static double group_start(const findlr_range_test_options *o, uint32_t group) {
  return o->group_start ? o->group_start[group] : o->start_lr;
}

static double group_end(const findlr_range_test_options *o, uint32_t group) {
  return o->group_end ? o->group_end[group] : o->end_lr;
}

static int32_t check_ramp(const findlr_range_test_options *o, uint32_t group, findlr_error *err) {
  double start = group_start(o, group), end = group_end(o, group);
  bool exponential = o->mode == FINDLR_RAMP_EXPONENTIAL;
  if (!isfinite(start) || !isfinite(end) || start < 0 || (exponential && start == 0))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the rates of group %u go from %g to %g, wanted finite rates %s", group,
                        start, end, exponential ? "above 0" : "of 0 or more");
  if (start >= end)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the rates of group %u go from %g to %g, wanted a start below the end",
                        group, start, end);
  /* So near together that two steps would have the same rate? */
  double gap = exponential ? log(end) - log(start) : (end - start) / end;
  if (!(gap / (double)(o->num_iter - 1) > 4 * DBL_EPSILON))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "there are no %lld different rates from %g to %g (group %u)",
                        (long long)o->num_iter, start, end, group);
  return FINDLR_OK;
}

static int32_t check(const findlr_range_test_options *o, findlr_error *err) {
  if (o->mode != FINDLR_RAMP_EXPONENTIAL && o->mode != FINDLR_RAMP_LINEAR)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ramp mode is %u, wanted one of FINDLR_RAMP_...",
                        o->mode);
  if (o->num_iter < 2 || o->num_iter > MOST_STEPS)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "num_iter is %lld, wanted 2 to %d",
                        (long long)o->num_iter, MOST_STEPS);
  if (o->groups < 1 || o->groups > MOST_GROUPS)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "groups is %u, wanted 1 to %d", o->groups,
                        MOST_GROUPS);
  if (o->follow > FINDLR_FOLLOW_VALIDATION)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "follow is %u, wanted one of FINDLR_FOLLOW_...",
                        o->follow);
  if (o->max_skips < 1 || o->max_skips > MOST_SKIPS)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "max_skips is %u, wanted 1 to %d", o->max_skips,
                        MOST_SKIPS);
  for (uint32_t g = 0; g < o->groups; g++) {
    int32_t status = check_ramp(o, g, err);
    if (status != FINDLR_OK)
      return status;
  }
  return FINDLR_OK;
}

static size_t rates_size(uint32_t groups) {
  return 3 * (size_t)groups * sizeof(double);
}

int32_t findlr_range_test_create(const findlr_allocator *allocator,
                                 const findlr_range_test_options *options,
                                 findlr_range_test **ret_test, findlr_error *err) {
  if (!ret_test)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ret_test is NULL");
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  int32_t status = findlr__take(&o, sizeof o, options,
                                FINDLR_SIZE_UP_TO(findlr_range_test_options, max_skips),
                                "findlr_range_test_options", err);
  if (status == FINDLR_OK)
    status = check(&o, err);
  findlr__stopper stopper;
  if (status == FINDLR_OK)
    status = findlr__stopper_init(&stopper, o.stop, err);
  if (status != FINDLR_OK)
    return status;

  allocator = findlr__allocator(allocator);
  findlr_range_test *test = findlr__allocate(allocator, sizeof *test);
  if (!test)
    return findlr__no_memory(err, "a range test");
  test->allocator = allocator;
  test->num_iter = o.num_iter;
  test->groups = o.groups;
  test->mode = o.mode;
  test->follow = o.follow;
  test->slots = o.slots;
  test->max_skips = o.max_skips;
  test->fresh_stopper = stopper;
  atomic_init(&test->cancelled, false);
  test->start = findlr__allocate(allocator, rates_size(o.groups));
  /* Every row that there can be, so that nothing allocates later. */
  size_t rows = 2 * (size_t)o.num_iter + o.max_skips;
  status = test->start ? findlr_curve_create(allocator, o.groups, rows, &test->curve, err)
                       : findlr__no_memory(err, "a range test");
  if (status != FINDLR_OK) {
    findlr_range_test_destroy(test);
    return status;
  }
  findlr_curve_set_requested(test->curve, o.num_iter);
  test->end = test->start + o.groups;
  test->rates = test->end + o.groups;
  for (uint32_t g = 0; g < o.groups; g++) {
    test->start[g] = group_start(&o, g);
    test->end[g] = group_end(&o, g);
  }
  findlr_range_test_reset(test);
  *ret_test = test;
  return FINDLR_OK;
}

void findlr_range_test_destroy(findlr_range_test *test) {
  if (!test)
    return;
  findlr_curve_destroy(test->curve);
  findlr__release(test->allocator, test->start, rates_size(test->groups));
  findlr__release(test->allocator, test, sizeof *test);
}

void findlr_range_test_reset(findlr_range_test *test) {
  if (!test)
    return;
  findlr_curve_clear(test->curve);
  test->step = 0;
  test->skips = 0;
  test->skips_in_row = 0;
  test->reason = FINDLR_REASON_RUNNING;
  test->phase = test->slots ? SAVING : STEPPING;
  test->asked = false;
  test->stopper = test->fresh_stopper;
  atomic_store(&test->cancelled, false);
}

/* --- asking and telling ---------------------------------------------------------------------- */

/* Ends the ramp. What was never saved needs no restoring. */
static void end(findlr_range_test *test, int32_t reason) {
  bool saved = test->slots && test->phase != SAVING;
  test->phase = saved ? RESTORING : OVER;
  test->reason = reason;
  test->asked = false;
}

/* FINDLR_OK if something is wanted, FINDLR_DONE if not. */
static int32_t look(findlr_range_test *test, findlr_error *err) {
  if (!test)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the range test is NULL");
  if (test->phase < RESTORING && atomic_load(&test->cancelled))
    end(test, FINDLR_REASON_CANCELLED);
  return test->phase == OVER ? FINDLR_DONE : FINDLR_OK;
}

static void set_rates(findlr_range_test *test) {
  for (uint32_t g = 0; g < test->groups; g++)
    test->rates[g] = findlr_range_test_rate(test, g, test->step);
}

int32_t findlr_range_test_ask(findlr_range_test *test, findlr_request *request,
                              findlr_error *err) {
  int32_t status = look(test, err);
  if (status != FINDLR_OK)
    return status;
  findlr_request wanted = {
    .struct_size = sizeof wanted,
    .groups = test->groups,
    .step = test->step,
    .momentum = NAN,
  };
  switch (test->phase) {
  case SAVING:
    wanted.action = FINDLR_ACTION_SAVE;
    break;
  case STEPPING:
    wanted.action = FINDLR_ACTION_STEP;
    set_rates(test);
    wanted.rates = test->rates;
    break;
  case EVALUATING:
    wanted.action = FINDLR_ACTION_EVALUATE;
    break;
  default:
    wanted.action = FINDLR_ACTION_RESTORE;
  }
  status = findlr__give(request, &wanted, sizeof wanted, FINDLR_SIZE_UP_TO(findlr_request, momentum),
                        "findlr_request", err);
  if (status == FINDLR_OK)
    test->asked = true;
  return status;
}

int32_t findlr_range_test_next(findlr_range_test *test, double *ret_lr, findlr_error *err) {
  int32_t status = look(test, err);
  if (status != FINDLR_OK)
    return status;
  if (!ret_lr)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ret_lr is NULL");
  if (test->phase != STEPPING || test->groups != 1)
    return findlr__fail(err, FINDLR_ERR_STATE,
                        "%s, which findlr_range_test_next cannot say: use findlr_range_test_ask",
                        test->groups != 1          ? "the test has several groups"
                        : test->phase == SAVING    ? "the test wants the state saved"
                        : test->phase == RESTORING ? "the test wants the state restored"
                                                   : "the test wants a held-out loss");
  set_rates(test);
  *ret_lr = test->rates[0];
  test->asked = true;
  return FINDLR_OK;
}

static int32_t record(findlr_range_test *test, double loss, double train_loss,
                      findlr_error *err) {
  int32_t status = findlr_curve_append(test->curve, test->rates, loss, train_loss, 0, err);
  if (status != FINDLR_OK)
    return status;
  test->step++;
  test->skips_in_row = 0;
  test->phase = STEPPING;
  int32_t reason = findlr__stopper_add(&test->stopper, loss);
  if (reason == FINDLR_REASON_RUNNING && test->step == test->num_iter)
    reason = FINDLR_REASON_FINISHED;
  if (reason != FINDLR_REASON_RUNNING)
    end(test, reason);
  return FINDLR_OK;
}

static int32_t check_answer(const findlr_range_test *test, findlr_error *err) {
  if (!test)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the range test is NULL");
  if (!test->asked)
    return findlr__fail(err, FINDLR_ERR_STATE,
                        "nothing was asked of the range test since the last answer");
  return FINDLR_OK;
}

int32_t findlr_range_test_tell(findlr_range_test *test, double loss, findlr_error *err) {
  int32_t status = check_answer(test, err);
  if (status != FINDLR_OK)
    return status;
  switch (test->phase) {
  case SAVING:
    test->phase = STEPPING;
    break;
  case STEPPING:
    if (test->follow == FINDLR_FOLLOW_TRAIN) {
      status = record(test, loss, loss, err);
    } else {
      test->train_loss = loss;
      test->phase = EVALUATING;
    }
    break;
  case EVALUATING:
    status = record(test, loss, test->train_loss, err);
    break;
  default:
    test->phase = OVER;
  }
  if (status == FINDLR_OK)
    test->asked = false;
  return status;
}

int32_t findlr_range_test_skip(findlr_range_test *test, findlr_error *err) {
  int32_t status = check_answer(test, err);
  if (status != FINDLR_OK)
    return status;
  if (test->phase != STEPPING)
    return findlr__fail(err, FINDLR_ERR_STATE, "only a step can be skipped");
  status = findlr_curve_append(test->curve, test->rates, NAN, NAN, FINDLR_POINT_SKIPPED, err);
  if (status != FINDLR_OK)
    return status;
  test->asked = false;
  test->skips++;
  test->skips_in_row++;
  if (test->skips_in_row == test->max_skips || test->skips == test->num_iter + test->max_skips)
    end(test, FINDLR_REASON_FAILED);
  return FINDLR_OK;
}

void findlr_range_test_cancel(findlr_range_test *test) {
  if (test)
    atomic_store(&test->cancelled, true);
}

void findlr_range_test_fail(findlr_range_test *test) {
  if (!test || test->phase == OVER)
    return;
  bool restoring = test->phase == RESTORING;
  end(test, FINDLR_REASON_FAILED);
  if (restoring)
    test->phase = OVER; /* it is not asked for again */
}

/* --- looking --------------------------------------------------------------------------------- */

int32_t findlr_range_test_reason(const findlr_range_test *test) {
  return test ? test->reason : FINDLR_REASON_RUNNING;
}

int64_t findlr_range_test_steps(const findlr_range_test *test) {
  return test ? test->step : 0;
}

int64_t findlr_range_test_num_iter(const findlr_range_test *test) {
  return test ? test->num_iter : 0;
}

uint32_t findlr_range_test_follow(const findlr_range_test *test) {
  return test ? test->follow : FINDLR_FOLLOW_TRAIN;
}

double findlr_range_test_rate(const findlr_range_test *test, uint32_t group, int64_t i) {
  double rate = NAN;
  if (test && group < test->groups)
    findlr_ramp_rate(test->mode, test->start[group], test->end[group], i, test->num_iter, &rate,
                     NULL);
  return rate;
}

const findlr_curve *findlr_range_test_curve(const findlr_range_test *test) {
  return test ? test->curve : NULL;
}

int32_t findlr_range_test_suggest(const findlr_range_test *test,
                                  const findlr_suggestion_options *options,
                                  findlr_suggestion *ret_suggestion, findlr_error *err) {
  if (!test)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the range test is NULL");
  return findlr_suggest(test->curve, options, ret_suggestion, err);
}
