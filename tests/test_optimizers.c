/* SPDX-License-Identifier: MIT */
#include "component.h"

#include <stdio.h>

#include "builtin/optimizer.h"

/* The trajectories in data/optimizers.txt are PyTorch's; data/record_optimizers.py made them and
 * says what the problem is. */

enum { STEPS = 50, SKIPPED = 7, NUMBERS = 6 };

/* Two parameters in two groups, with an optimizer over them. */
typedef struct problem {
  workbench bench;
  uint32_t dtype;
  double theta64[NUMBERS], gradient64[NUMBERS];
  float theta32[NUMBERS], gradient32[NUMBERS];
  int64_t shapes[2][2];
  findlr_parameter parameters[2];
  const findlr_optimizer_vtable *vtable;
  void *self;
} problem;

static double theta(const problem *p, int i) {
  return p->dtype == FINDLR_DTYPE_FLOAT32 ? (double)p->theta32[i] : p->theta64[i];
}

static int32_t problem_try(problem *p, const findlr_allocator *allocator, const char *spec,
                           uint32_t dtype) {
  static const double start[NUMBERS] = { 1, -1.5, 2, 0.5, -0.75, 1.25 };
  p->dtype = dtype;
  p->self = NULL;
  for (int i = 0; i < NUMBERS; i++) {
    p->theta64[i] = start[i];
    p->theta32[i] = (float)start[i];
  }
  p->shapes[0][0] = p->shapes[0][1] = p->shapes[1][0] = 2;
  int single = dtype == FINDLR_DTYPE_FLOAT32;
  void *value = single ? (void *)p->theta32 : p->theta64;
  void *gradient = single ? (void *)p->gradient32 : p->gradient64;
  size_t width = single ? 4 : 8;
  p->parameters[0] = (findlr_parameter){ sizeof(findlr_parameter), 0, "weight",
                                         tensor_of(value, dtype, 2, p->shapes[0]),
                                         tensor_of(gradient, dtype, 2, p->shapes[0]) };
  /* The second one begins at an offset. */
  p->parameters[1] = (findlr_parameter){ sizeof(findlr_parameter), 1, "bias",
                                         tensor_of(value, dtype, 1, p->shapes[1]),
                                         tensor_of(gradient, dtype, 1, p->shapes[1]) };
  p->parameters[1].value.byte_offset = p->parameters[1].gradient.byte_offset = 4 * width;
  const findlr_parameter *list[] = { &p->parameters[0], &p->parameters[1] };
  int32_t status = workbench_open(&p->bench, allocator, FINDLR_KIND_OPTIMIZER, spec);
  if (status)
    return status;
  findlr_optimizer_spec made = { .struct_size = sizeof made,
                                 .threads = 1,
                                 .parameter_count = 2,
                                 .group_count = 2,
                                 .parameters = list,
                                 .user = p->bench.component->user,
                                 .option_count = p->bench.option_count,
                                 .options = p->bench.options };
  p->vtable = p->bench.vtable;
  status = p->vtable->create(p->bench.host, p->bench.ctx, &made, &p->self);
  workbench_said(&p->bench, status);
  if (status)
    workbench_close(&p->bench);
  return status;
}

static problem *problem_new(const char *spec, uint32_t dtype) {
  problem *p = calloc(1, sizeof *p);
  int32_t status = problem_try(p, NULL, spec, dtype);
  ck_assert_msg(status == FINDLR_OK, "%s: %s", spec, p->bench.err.message);
  return p;
}

static void problem_free(problem *p) {
  p->vtable->destroy(p->self);
  workbench_close(&p->bench);
  free(p);
}

/* The gradient of step 1, 2, ..., times `times`. */
#define GRADIENT(T, values, out)                                                                   \
  for (int i = 0; i < NUMBERS; i++) {                                                              \
    T jitter = (T)((7 * step + 3 * i) % 11 - 5) / 8;                                               \
    out[i] = (T)times * (((T)0.5 + (T)0.25 * (T)i) * (values[i] - (T)(3 + i)) +                    \
                         (T)0.125 * values[(i + 1) % NUMBERS] + jitter);                           \
  }

static void problem_gradient(problem *p, int step, double times) {
  if (p->dtype == FINDLR_DTYPE_FLOAT32) {
    GRADIENT(float, p->theta32, p->gradient32)
  } else {
    GRADIENT(double, p->theta64, p->gradient64)
  }
}

/* Gradients are of a sum over 48 rows, say. */
static void problem_step(problem *p, int step, double rate0, double rate1) {
  double ramp = 0.5 + step / (double)STEPS, rates[] = { rate0 * ramp, rate1 * ramp };
  problem_gradient(p, step, 48);
  int32_t status = p->vtable->step(p->self, rates, 2, 1.0 / 48);
  ck_assert_msg(status == FINDLR_OK, "%s", findlr_context_host_error(p->bench.context));
}

START_TEST(test_trajectories) {
  FILE *file = fopen(TEST_DATA "/optimizers.txt", "r");
  ck_assert(file != NULL);
  char line[512], spec[128], type[16];
  double rates[2];
  problem *p = NULL;
  int step = 0, cases = 0, rows = 0;
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#')
      continue;
    double numbers[NUMBERS + 1];
    int fields = 0;
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n"), fields++) {
      if (strcmp(line, "case") == 0 && (fields == 1 || fields == 2))
        strcpy(fields == 1 ? spec : type, word);
      else if (fields || strcmp(line, "case") != 0)
        ck_assert_uint_eq(findlr_text_parse(word, strlen(word), &numbers[fields]), strlen(word));
    }
    if (strcmp(line, "case") == 0) {
      ck_assert_int_eq(fields, 5);
      memcpy(rates, &numbers[3], sizeof rates);
      if (p)
        problem_free(p);
      p = problem_new(spec, strcmp(type, "float32") ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32);
      step = 0;
      cases++;
      continue;
    }
    ck_assert(p && fields == NUMBERS + 1);
    while (step < (int)numbers[0])
      if (++step != SKIPPED)
        problem_step(p, step, rates[0], rates[1]);
    rows++;
    double most = p->dtype == FINDLR_DTYPE_FLOAT32 ? 1e-4 : 1e-10;
    for (int i = 0; i < NUMBERS; i++)
      ck_assert_msg(fabs(theta(p, i) - numbers[i + 1]) <= most * fabs(numbers[i + 1]),
                    "%s, %s: number %d after step %d is %.17g, PyTorch's %.17g", spec, type, i,
                    step, theta(p, i), numbers[i + 1]);
  }
  ck_assert(feof(file) && cases == 40 && rows == 40 * 12 && step == STEPS);
  problem_free(p);
  fclose(file);
}
END_TEST

static const char *const specs[] = {
  "sgd",
  "sgd:momentum=0.9,dampening=0.1",
  "sgd:momentum=0.9,nesterov=true",
  "adam",
  "adam:amsgrad=true",
  "adamw",
  "rmsprop",
  "rmsprop:momentum=0.5",
  "rmsprop:centered=true",
  "rmsprop:momentum=0.5,centered=true",
  "adagrad:lr_decay=0.1,initial_accumulator_value=0.5",
};
enum { SPECS = sizeof specs / sizeof *specs };
static const uint32_t dtypes[] = { FINDLR_DTYPE_FLOAT32, FINDLR_DTYPE_FLOAT64 };

/* Copies all that training changes to memory, or back. */
static void exchange(problem *p, char *memory, int back) {
  for (uint32_t i = 0;; i++) {
    findlr_named_tensor state = { .struct_size = sizeof state };
    findlr_tensor *t = &state.tensor;
    if (i < 2)
      *t = p->parameters[i].value;
    else if (p->vtable->state(p->self, i - 2, &state) == FINDLR_DONE)
      return;
    size_t size = (size_t)findlr_tensor_count(t) * t->dtype_bits / 8;
    char *data = (char *)t->data + t->byte_offset;
    memcpy(back ? data : memory, back ? memory : data, size);
    memory += size;
  }
}

/* Saved at any step, before the first one too, and brought back, the steps after it are the same to
 * the bit. */
START_TEST(test_state_restores_the_trajectory) {
  problem *p = problem_new(specs[_i / 2], dtypes[_i % 2]);
  for (int saved = 0; saved < 3; saved++) {
    char before[512] = { 0 }, after[512] = { 0 }, again[512] = { 0 };
    exchange(p, before, 0);
    for (int step = 1; step <= 5; step++)
      problem_step(p, step, 0.05, 0.01);
    exchange(p, after, 0);
    exchange(p, before, 1);
    for (int step = 1; step <= 5; step++)
      problem_step(p, step, 0.05, 0.01);
    exchange(p, again, 0);
    ck_assert_mem_eq(again, after, sizeof after);
    exchange(p, before, 1);
    problem_step(p, 9, 0.05, 0.01);
  }
  problem_free(p);
}
END_TEST

/* Every entry of the state matters: a change in it changes what comes next. */
START_TEST(test_state_lists_what_matters) {
  uint32_t entries = 0;
  for (uint32_t i = 0;; i++) {
    problem *p = problem_new(specs[_i], FINDLR_DTYPE_FLOAT64);
    problem *q = problem_new(specs[_i], FINDLR_DTYPE_FLOAT64);
    findlr_named_tensor state = { .struct_size = sizeof state };
    findlr_named_tensor later = { .struct_size = sizeof later };
    int done = p->vtable->state(p->self, i, &state) == FINDLR_DONE;
    if (!done) {
      entries++;
      for (int step = 1; step <= 2; step++) {
        problem_step(p, step, 0.05, 0.01);
        problem_step(q, step, 0.05, 0.01);
      }
      ck_assert_int_eq(p->vtable->state(p->self, i, &later), FINDLR_OK);
      ck_assert_ptr_eq(state.tensor.data, later.tensor.data);
      ck_assert_ptr_eq(state.name, later.name);
      if (state.tensor.dtype_code == 2)
        *(double *)state.tensor.data += 5;
      else
        *(int64_t *)state.tensor.data = 0; /* to sgd only the first step differs */
      problem_step(p, 3, 0.05, 0.01);
      problem_step(q, 3, 0.05, 0.01);
      ck_assert_msg(memcmp(p->theta64, q->theta64, sizeof p->theta64), "%s does not matter",
                    state.name);
    }
    problem_free(p);
    problem_free(q);
    if (done)
      break;
  }
  static const uint32_t wanted[] = { 0, 3, 3, 5, 7, 5, 2, 4, 4, 6, 3 };
  ck_assert_uint_eq(entries, wanted[_i]);
}
END_TEST

START_TEST(test_state_names) {
  problem *p = problem_new("adam", FINDLR_DTYPE_FLOAT32);
  static const char *const names[] = { "step", "weight.exp_avg", "weight.exp_avg_sq",
                                       "bias.exp_avg", "bias.exp_avg_sq" };
  static const int64_t counts[] = { 1, 4, 4, 2, 2 };
  findlr_named_tensor state = { .struct_size = sizeof state };
  for (uint32_t i = 0; i < 5; i++) {
    ck_assert_int_eq(p->vtable->state(p->self, i, &state), FINDLR_OK);
    ck_assert_str_eq(state.name, names[i]);
    ck_assert_int_eq(findlr_tensor_count(&state.tensor), counts[i]);
    ck_assert_uint_eq(findlr_tensor_dtype(&state.tensor),
                      i ? FINDLR_DTYPE_FLOAT32 : FINDLR_DTYPE_INT64);
  }
  ck_assert_int_eq(p->vtable->state(p->self, 5, &state), FINDLR_DONE);
  problem_free(p);
}
END_TEST

/* An optimizer set to other values from its first step on goes the way of one made with them. */
static void same_after_set(const char *made, const char *option, double value, const char *wanted) {
  problem *p = problem_new(made, FINDLR_DTYPE_FLOAT64);
  problem *q = problem_new(wanted, FINDLR_DTYPE_FLOAT64);
  int32_t status = p->vtable->set(p->self, option, value);
  ck_assert_msg(status == FINDLR_OK, "%s", findlr_context_host_error(p->bench.context));
  for (int step = 1; step <= 5; step++) {
    problem_step(p, step, 0.05, 0.01);
    problem_step(q, step, 0.05, 0.01);
  }
  ck_assert_msg(memcmp(p->theta64, q->theta64, sizeof p->theta64) == 0, "%s is not %s", made,
                wanted);
  problem_free(p);
  problem_free(q);
}

START_TEST(test_set) {
  same_after_set("sgd:momentum=0.5", "momentum", 0.9, "sgd:momentum=0.9");
  same_after_set("sgd:momentum=0.5", "dampening", 0.25, "sgd:momentum=0.5,dampening=0.25");
  same_after_set("sgd:momentum=0.5", "momentum", 0, "sgd");
  same_after_set("sgd", "weight_decay", 0.1, "sgd:weight_decay=0.1");
  same_after_set("adam", "momentum", 0.5, "adam:beta1=0.5");
  same_after_set("adam", "beta1", 0.5, "adam:beta1=0.5");
  same_after_set("adam", "beta2", 0.5, "adam:beta2=0.5");
  same_after_set("adamw", "momentum", 0.5, "adamw:beta1=0.5");
  same_after_set("adamw", "weight_decay", 0.5, "adamw:weight_decay=0.5");
  same_after_set("rmsprop:momentum=0.1", "momentum", 0.5, "rmsprop:momentum=0.5");
  same_after_set("rmsprop:momentum=0.1", "momentum", 0, "rmsprop");
  same_after_set("rmsprop", "alpha", 0.5, "rmsprop:alpha=0.5");
  same_after_set("adagrad", "lr_decay", 0.5, "adagrad:lr_decay=0.5");
  same_after_set("adagrad", "eps", 0.5, "adagrad:eps=0.5");
}
END_TEST

static void set_fails(const char *spec, const char *option, double value, int32_t status,
                      const char *text) {
  problem *p = problem_new(spec, FINDLR_DTYPE_FLOAT64);
  problem *q = problem_new(spec, FINDLR_DTYPE_FLOAT64);
#define err p->bench.err
  ck_fails(workbench_said(&p->bench, p->vtable->set(p->self, option, value)), status, text);
#undef err
  for (int step = 1; step <= 3; step++) {
    problem_step(p, step, 0.05, 0.01);
    problem_step(q, step, 0.05, 0.01);
  }
  ck_assert_mem_eq(p->theta64, q->theta64, sizeof p->theta64);
  problem_free(p);
  problem_free(q);
}

START_TEST(test_set_refused) {
  set_fails("sgd", "momentum", 0.9, FINDLR_ERR_UNSUPPORTED, "momentum");
  set_fails("rmsprop", "momentum", 0.9, FINDLR_ERR_UNSUPPORTED, "momentum");
  set_fails("rmsprop:centered=true", "momentum", 0.9, FINDLR_ERR_UNSUPPORTED, "momentum");
  set_fails("adagrad", "momentum", 0.9, FINDLR_ERR_UNSUPPORTED, "momentum");
  set_fails("adagrad", "initial_accumulator_value", 1, FINDLR_ERR_UNSUPPORTED, "began");
  set_fails("adam", "amsgrad", 1, FINDLR_ERR_UNSUPPORTED, "amsgrad");
  set_fails("sgd:momentum=0.9", "nesterov", 1, FINDLR_ERR_UNSUPPORTED, "nesterov");
  set_fails("sgd:momentum=0.9", "nonsense", 1, FINDLR_ERR_UNSUPPORTED, "nonsense");
  set_fails("sgd:momentum=0.9", "momentum", 1.5, FINDLR_ERR_ARGUMENT, "1.5");
  set_fails("sgd:momentum=0.9", "momentum", -0.1, FINDLR_ERR_ARGUMENT, "-0.1");
  set_fails("adam", "momentum", 1, FINDLR_ERR_ARGUMENT, "beta1");
  set_fails("adam", "beta2", NAN, FINDLR_ERR_ARGUMENT, "nan");
}
END_TEST

START_TEST(test_create_refused) {
  problem p = { .self = NULL };
#define err p.bench.err
  ck_fails(problem_try(&p, NULL, "sgd:nesterov=true", FINDLR_DTYPE_FLOAT32), FINDLR_ERR_ARGUMENT,
           "momentum 0 and dampening 0");
  ck_fails(problem_try(&p, NULL, "sgd:momentum=0.9,nesterov=true,dampening=0.5",
                       FINDLR_DTYPE_FLOAT32),
           FINDLR_ERR_ARGUMENT, "momentum 0.9 and dampening 0.5");
  ck_fails(problem_try(&p, NULL, "adam", FINDLR_DTYPE_INT64), FINDLR_ERR_UNSUPPORTED, "weight");
#undef err
  ck_assert_ptr_null(p.self);
}
END_TEST

START_TEST(test_step_wants_a_rate_a_group) {
  problem *p = problem_new("adam", FINDLR_DTYPE_FLOAT64);
  double rates[2] = { 1, 1 }, before[NUMBERS];
  memcpy(before, p->theta64, sizeof before);
#define err p->bench.err
  ck_fails(workbench_said(&p->bench, p->vtable->step(p->self, rates, 1, 1)), FINDLR_ERR_ARGUMENT,
           "1 rates, wanted 2");
#undef err
  ck_assert_mem_eq(p->theta64, before, sizeof before);
  problem_free(p);
}
END_TEST

/* Sums that rounding would make negative must not end in NaN. */
START_TEST(test_centered_rmsprop_of_a_constant_gradient) {
  problem *p = problem_new("rmsprop:centered=true,alpha=0.5,eps=1", FINDLR_DTYPE_FLOAT32);
  double rates[2] = { 1e-3, 1e-3 };
  for (int i = 0; i < NUMBERS; i++)
    p->gradient32[i] = 0.1F + 0.37F * (float)i;
  for (int step = 0; step < 500; step++)
    ck_assert_int_eq(p->vtable->step(p->self, rates, 2, 1), FINDLR_OK);
  for (int i = 0; i < NUMBERS; i++)
    ck_assert(isfinite(p->theta32[i]));
  problem_free(p);
}
END_TEST

START_TEST(test_not_finite_gradient_shows) {
  problem *p = problem_new(specs[_i], FINDLR_DTYPE_FLOAT32);
  double rates[2] = { 0.1, 0.1 };
  problem_gradient(p, 1, 1);
  p->gradient32[2] = NAN;
  ck_assert_int_eq(p->vtable->step(p->self, rates, 2, 1), FINDLR_OK);
  for (int i = 0; i < NUMBERS; i++)
    ck_assert_int_eq(isnan(p->theta32[i]) != 0, i == 2);
  problem_free(p);
}
END_TEST

START_TEST(test_no_memory) {
  for_each_failure(a) {
    problem p = { .self = NULL };
    int32_t status = problem_try(&p, &a.allocator, specs[_i], FINDLR_DTYPE_FLOAT64);
    ck_no_memory(status, a);
    if (status == FINDLR_OK) {
      p.vtable->destroy(p.self);
      workbench_close(&p.bench);
    } else {
      ck_assert_ptr_null(p.self);
      ck_assert(strstr(p.bench.err.message, "memory"));
    }
  }
}
END_TEST

/* Whatever lanes the CPU has and wherever in them a number falls, its bits are the same. */
START_TEST(test_lanes) {
  enum { MOST = 37 };
  workbench w;
  ck_assert_int_eq(workbench_open(&w, NULL, FINDLR_KIND_OPTIMIZER, specs[_i / 2]), FINDLR_OK);
  const findlr_optimizer_vtable *vtable = w.vtable;
  double numbers[2][MOST + 1], first = NAN;
  uint32_t dtype = dtypes[_i % 2];
  for (int64_t n = 0; n <= MOST; n++)
    for (int variant = 0; variant < 2; variant++) {
      float *value32 = (float *)numbers[0], *gradient32 = (float *)numbers[1];
      for (int i = 0; i <= MOST; i++)
        if (dtype == FINDLR_DTYPE_FLOAT32)
          value32[i] = 1.25F, gradient32[i] = 0.7F;
        else
          numbers[0][i] = 1.25, numbers[1][i] = 0.7;
      findlr_parameter parameter = { sizeof parameter, 0, "w", tensor_of(numbers[0], dtype, 1, &n),
                                     tensor_of(numbers[1], dtype, 1, &n) };
      const findlr_parameter *list[] = { &parameter };
      findlr_optimizer_spec made = { .struct_size = sizeof made,
                                     .parameter_count = 1,
                                     .group_count = 1,
                                     .parameters = list,
                                     .user = w.component->user,
                                     .option_count = w.option_count,
                                     .options = w.options };
      void *self;
      ck_assert_int_eq(vtable->create(w.host, w.ctx, &made, &self), FINDLR_OK);
      if (variant < ((findlr__optimizer *)self)->variant)
        ((findlr__optimizer *)self)->variant = variant;
      double rate = 0.1;
      for (int step = 0; step < 3; step++)
        ck_assert_int_eq(vtable->step(self, &rate, 1, 0.3), FINDLR_OK);
      vtable->destroy(self);
      for (int i = 0; i <= MOST; i++) {
        double now = dtype == FINDLR_DTYPE_FLOAT32 ? (double)value32[i] : numbers[0][i];
        if (i < n && isnan(first))
          first = now;
        ck_assert_msg(now == (i < n ? first : 1.25), "number %d of %d is %.17g", i, (int)n, now);
      }
    }
  workbench_close(&w);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("optimizers");
  TCase *t = tcase_create("optimizers");
  tcase_add_test(t, test_trajectories);
  tcase_add_loop_test(t, test_state_restores_the_trajectory, 0, 2 * SPECS);
  tcase_add_loop_test(t, test_state_lists_what_matters, 0, SPECS);
  tcase_add_test(t, test_state_names);
  tcase_add_test(t, test_set);
  tcase_add_test(t, test_set_refused);
  tcase_add_test(t, test_create_refused);
  tcase_add_test(t, test_step_wants_a_rate_a_group);
  tcase_add_test(t, test_centered_rmsprop_of_a_constant_gradient);
  tcase_add_loop_test(t, test_not_finite_gradient_shows, 0, SPECS);
  tcase_add_loop_test(t, test_no_memory, 0, SPECS);
  tcase_add_loop_test(t, test_lanes, 0, 2 * SPECS);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
