/* SPDX-License-Identifier: MIT */
#include "component.h"

#include <stdio.h>

/* The values in data/losses.txt are PyTorch's; data/record_losses.py made them. */

enum { ROWS = 7, COLUMNS = 4, COUNT = ROWS * COLUMNS };

/* A loss with a batch: numbers are kept in double and handed over in the loss's type. */
typedef struct trial {
  workbench bench;
  uint32_t dtype;
  int64_t rows, columns;
  double outputs[COUNT], reals[COUNT], grad[COUNT];
  int64_t classes[ROWS];
  double sum, weight;
  const findlr_loss_vtable *vtable;
  void *self;
} trial;

static int32_t trial_try(trial *t, const findlr_allocator *allocator, const char *spec,
                         uint32_t dtype) {
  t->dtype = dtype;
  t->rows = ROWS;
  if (!t->columns)
    t->columns = COLUMNS;
  t->self = NULL;
  int32_t status = workbench_open(&t->bench, allocator, FINDLR_KIND_LOSS, spec);
  if (status)
    return status;
  findlr_loss_spec made = { .struct_size = sizeof made,
                            .dtype = dtype,
                            .max_batch = ROWS,
                            .outputs = t->columns,
                            .user = t->bench.component->user,
                            .option_count = t->bench.option_count,
                            .options = t->bench.options };
  t->vtable = t->bench.vtable;
  status = t->vtable->create(t->bench.host, t->bench.ctx, &made, &t->self);
  workbench_said(&t->bench, status);
  if (status)
    workbench_close(&t->bench);
  return status;
}

static trial *trial_new(const char *spec, uint32_t dtype) {
  trial *t = calloc(1, sizeof *t);
  int32_t status = trial_try(t, NULL, spec, dtype);
  ck_assert_msg(status == FINDLR_OK, "%s: %s", spec, t->bench.err.message);
  return t;
}

static void trial_free(trial *t) {
  t->vtable->destroy(t->self);
  workbench_close(&t->bench);
  free(t);
}

static int of_classes(const trial *t) {
  return t->vtable->targets == FINDLR_TARGETS_CLASSES;
}

static int32_t trial_run(trial *t, int want_grad) {
  float outputs32[COUNT], reals32[COUNT], grad32[COUNT];
  int64_t shape[] = { t->rows, t->columns };
  int single = t->dtype == FINDLR_DTYPE_FLOAT32;
  for (int i = 0; i < COUNT; i++) {
    outputs32[i] = (float)t->outputs[i];
    reals32[i] = (float)t->reals[i];
    grad32[i] = (float)t->grad[i];
  }
  findlr_tensor outputs = tensor_of(single ? (void *)outputs32 : t->outputs, t->dtype, 2, shape);
  findlr_tensor grad = tensor_of(single ? (void *)grad32 : t->grad, t->dtype, 2, shape);
  findlr_tensor targets = tensor_of(single ? (void *)reals32 : t->reals, t->dtype, 2, shape);
  if (of_classes(t))
    targets = tensor_of(t->classes, FINDLR_DTYPE_INT64, 1, shape);
  int32_t status = t->vtable->value_and_gradient(t->self, &outputs, &targets, &t->sum, &t->weight,
                                                 want_grad ? &grad : NULL);
  for (int i = 0; i < COUNT && single; i++)
    t->grad[i] = (double)grad32[i];
  return workbench_said(&t->bench, status);
}

static void near(const char *spec, const char *what, double found, double wanted, double most) {
  ck_assert_msg(fabs(found - wanted) <= most * fabs(wanted) + 1e-3 * most,
                "%s: %s is %.17g, PyTorch's is %.17g", spec, what, found, wanted);
}

START_TEST(test_pytorch) {
  FILE *file = fopen(TEST_DATA "/losses.txt", "r");
  ck_assert(file != NULL);
  char line[512], word[128], spec[128], type[16];
  int cases = 0;
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#')
      continue;
    double numbers[16], grad[COUNT];
    int used = 0, fields = 0;
    ck_assert_int_eq(sscanf(line, "case %127s %15s%n", spec, type, &used), 2);
    int single = strcmp(type, "float32") == 0;
    trial *t = trial_new(spec, single ? FINDLR_DTYPE_FLOAT32 : FINDLR_DTYPE_FLOAT64);
    for (int r = -1; r < ROWS; r++) {
      if (r >= 0) {
        ck_assert(fgets(line, sizeof line, file) != NULL);
        used = 0;
      }
      fields = 0;
      for (int n; sscanf(line + used, "%127s%n", word, &n) == 1; used += n, fields++)
        ck_assert_uint_eq(findlr_text_parse(word, strlen(word), &numbers[fields]), strlen(word));
      if (r < 0) {
        ck_assert(fields == 4 && numbers[0] == ROWS && numbers[1] == COLUMNS);
        t->sum = numbers[2];
        t->weight = numbers[3];
        continue;
      }
      ck_assert_int_eq(fields, COLUMNS + (of_classes(t) ? 1 : COLUMNS) + COLUMNS);
      for (int c = 0; c < COLUMNS; c++) {
        t->outputs[r * COLUMNS + c] = numbers[c];
        t->reals[r * COLUMNS + c] = numbers[COLUMNS + c];
        grad[r * COLUMNS + c] = numbers[fields - COLUMNS + c];
      }
      if (of_classes(t))
        t->classes[r] = (int64_t)numbers[COLUMNS];
    }
    double sum = t->sum, mean = t->weight, most = single ? 1e-4 : 1e-10;
    ck_assert_msg(trial_run(t, 1) == FINDLR_OK, "%s", t->bench.err.message);
    near(spec, "the sum", t->sum, sum, most);
    near(spec, "the mean", t->sum / t->weight, mean, most);
    for (int i = 0; i < COUNT; i++)
      near(spec, "a gradient", t->grad[i] / t->weight, grad[i], most);
    double with_grad = t->sum, weight = t->weight;
    ck_assert_int_eq(trial_run(t, 0), FINDLR_OK);
    ck_assert(t->sum == with_grad && t->weight == weight);
    trial_free(t);
    cases++;
  }
  ck_assert_int_eq(cases, 22);
  fclose(file);
}
END_TEST

static const char *const specs[] = {
  "mse",
  "l1",
  "huber:delta=0.7",
  "cross_entropy",
  "cross_entropy:label_smoothing=0.3,class_weights=1x0.5x2x3",
  "bce_with_logits",
  "bce_with_logits:pos_weight=0.5x1x2x3",
};
enum { SPECS = sizeof specs / sizeof *specs };

static void fill(trial *t) {
  for (int i = 0; i < COUNT; i++) {
    t->outputs[i] = (i * 17 % 23 - 11) / 3.7;
    t->reals[i] = (i * 5 % 11) / 10.0;
  }
  for (int r = 0; r < ROWS; r++)
    t->classes[r] = r * 3 % COLUMNS;
}

START_TEST(test_gradient_is_the_slope_of_the_sum) {
  trial *t = trial_new(specs[_i], FINDLR_DTYPE_FLOAT64);
  fill(t);
  ck_assert_int_eq(trial_run(t, 1), FINDLR_OK);
  const double h = 1e-5;
  for (int i = 0; i < COUNT; i++) {
    double at = t->outputs[i];
    t->outputs[i] = at + h;
    trial_run(t, 0);
    double above = t->sum;
    t->outputs[i] = at - h;
    trial_run(t, 0);
    double slope = (above - t->sum) / (2 * h);
    t->outputs[i] = at;
    ck_assert_msg(fabs(slope - t->grad[i]) < 1e-7, "%s: slope %d is %g, gradient %g", specs[_i], i,
                  slope, t->grad[i]);
  }
  trial_free(t);
}
END_TEST

/* A batch in two pieces has the sums, weights and gradients of the whole. */
START_TEST(test_pieces_add_up) {
  trial *t = trial_new(specs[_i], FINDLR_DTYPE_FLOAT64);
  fill(t);
  ck_assert_int_eq(trial_run(t, 1), FINDLR_OK);
  double sum = t->sum, weight = t->weight, grad[COUNT];
  memcpy(grad, t->grad, sizeof grad);
  t->rows = 3;
  ck_assert_int_eq(trial_run(t, 1), FINDLR_OK);
  double first_sum = t->sum, first_weight = t->weight;
  ck_assert_mem_eq(t->grad, grad, 3 * COLUMNS * sizeof *grad);
  memmove(t->outputs, t->outputs + 3 * COLUMNS, 4 * COLUMNS * sizeof *grad);
  memmove(t->reals, t->reals + 3 * COLUMNS, 4 * COLUMNS * sizeof *grad);
  memmove(t->classes, t->classes + 3, 4 * sizeof *t->classes);
  t->rows = 4;
  ck_assert_int_eq(trial_run(t, 1), FINDLR_OK);
  ck_assert_mem_eq(t->grad, grad + 3 * COLUMNS, 4 * COLUMNS * sizeof *grad);
  ck_assert_double_eq_tol(first_sum + t->sum, sum, 1e-12 * fabs(sum));
  ck_assert_double_eq_tol(first_weight + t->weight, weight, 1e-12);
  trial_free(t);
}
END_TEST

/* A model that is nearly sure still gets a gradient in float32. */
START_TEST(test_nearly_sure) {
  trial *t = trial_new("cross_entropy", FINDLR_DTYPE_FLOAT32);
  t->rows = 1;
  t->outputs[0] = 20;
  ck_assert_int_eq(trial_run(t, 1), FINDLR_OK);
  double rest = 3 * exp(-20);
  ck_assert_double_eq_tol(t->grad[0], -rest / (1 + rest), 1e-6 * rest);
  ck_assert_double_eq_tol(t->sum, log1p(rest), 1e-6 * rest);
  trial_free(t);
}
END_TEST

/* Outputs that diverged: the sum says so and nothing else breaks. */
START_TEST(test_not_finite_is_no_error) {
  static const double bad[] = { NAN, INFINITY, -INFINITY };
  for (int k = 0; k < 3; k++)
    for (int d = 0; d < 2; d++) {
      trial *t = trial_new(specs[_i], d ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32);
      fill(t);
      for (int c = 0; c < COLUMNS; c++)
        t->outputs[c] = bad[k];
      ck_assert_int_eq(trial_run(t, 1), FINDLR_OK);
      ck_assert_msg(!isfinite(t->sum), "%s: %g for %g", specs[_i], t->sum, bad[k]);
      ck_assert(isfinite(t->weight));
      trial_free(t);
    }
}
END_TEST

/* Outputs that are large but finite overflow nowhere. */
START_TEST(test_large_outputs) {
  for (int d = 0; d < 2; d++) {
    trial *t = trial_new(specs[_i], d ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32);
    fill(t);
    for (int i = 0; i < COUNT; i++)
      t->outputs[i] *= 3000;
    ck_assert_int_eq(trial_run(t, 1), FINDLR_OK);
    ck_assert_msg(isfinite(t->sum) && t->sum > 0, "%s: %g", specs[_i], t->sum);
    for (int i = 0; i < COUNT; i++)
      ck_assert(isfinite(t->grad[i]));
    trial_free(t);
  }
}
END_TEST

#define run_fails(t, text) ck_fails(trial_run(t, 1), FINDLR_ERR_ARGUMENT, text)

START_TEST(test_targets_refused) {
  trial *t = trial_new("cross_entropy", FINDLR_DTYPE_FLOAT32);
#define err t->bench.err
  fill(t);
  t->classes[5] = 4;
  t->sum = t->weight = 77;
  t->grad[0] = 5;
  run_fails(t, "row 5 is class 4, wanted from 0 to 3");
  ck_assert(t->sum == 77 && t->weight == 77 && t->grad[0] == 5);
  t->classes[5] = -1;
  run_fails(t, "row 5 is class -1");
  trial_free(t);
  for (int d = 0; d < 2; d++) {
    t = trial_new("bce_with_logits", d ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32);
    fill(t);
    t->reals[9] = 1.5;
    run_fails(t, "row 2 is 1.5, wanted from 0 to 1");
    t->reals[9] = NAN;
    run_fails(t, "row 2 is nan");
    trial_free(t);
  }
#undef err
}
END_TEST

START_TEST(test_tensors_refused) {
  trial *t = trial_new(specs[_i], FINDLR_DTYPE_FLOAT32);
#define err t->bench.err
  fill(t);
  float numbers[COUNT] = { 0 };
  int64_t good[] = { ROWS, COLUMNS }, odd[] = { ROWS - 1, COLUMNS - 1 }, sum_shape[] = { ROWS - 1 };
  findlr_tensor outputs = tensor_of(numbers, FINDLR_DTYPE_FLOAT32, 2, good);
  findlr_tensor targets = outputs;
  if (of_classes(t))
    targets = tensor_of(t->classes, FINDLR_DTYPE_INT64, 1, good);
  findlr_tensor bad = tensor_of(numbers, FINDLR_DTYPE_FLOAT32, 2, odd);
  findlr_tensor wrong_type = tensor_of(t->grad, FINDLR_DTYPE_FLOAT64, 2, good);
  findlr_tensor few = targets;
  few.ndim = 1;
  few.shape = sum_shape;
#define CALL(o, y, g)                                                                              \
  workbench_said(&t->bench,                                                                        \
                 t->vtable->value_and_gradient(t->self, o, y, &t->sum, &t->weight, g))
  ck_ok(CALL(&outputs, &targets, &outputs));
  ck_fails(CALL(&bad, &targets, NULL), FINDLR_ERR_ARGUMENT, "outputs");
  ck_fails(CALL(&wrong_type, &targets, NULL), FINDLR_ERR_ARGUMENT, "outputs");
  ck_fails(CALL(&outputs, &few, NULL), FINDLR_ERR_ARGUMENT, "targets");
  ck_fails(CALL(&outputs, &wrong_type, NULL), FINDLR_ERR_ARGUMENT, "targets");
  ck_fails(CALL(&outputs, &targets, &bad), FINDLR_ERR_ARGUMENT, "gradient");
  ck_fails(CALL(&outputs, &targets, &wrong_type), FINDLR_ERR_ARGUMENT, "gradient");
#undef CALL
#undef err
  trial_free(t);
}
END_TEST

START_TEST(test_options_refused) {
  static const struct {
    const char *spec, *text;
  } bad[] = {
    { "huber:delta=0", "delta is 0, wanted above 0" },
    { "cross_entropy:class_weights=1x2x3", "3 numbers, wanted 4" },
    { "cross_entropy:class_weights=1x2x3x4x5", "5 numbers, wanted 4" },
    { "cross_entropy:class_weights=2", "1 numbers, wanted 4" },
    { "cross_entropy:class_weights=1x2x3x", "wanted finite numbers" },
    { "cross_entropy:class_weights=x1x2x3", "wanted finite numbers" },
    { "cross_entropy:class_weights=1;2;3;4", "wanted finite numbers" },
    { "cross_entropy:class_weights=1x2x-3x4", "wanted finite numbers" },
    { "cross_entropy:class_weights=1x2xinfx4", "wanted finite numbers" },
    { "cross_entropy:class_weights=1x2xnanx4", "wanted finite numbers" },
    { "cross_entropy:class_weights=0x0x0x0", "above 0" },
    { "bce_with_logits:pos_weight=1x2", "2 numbers, wanted 4" },
    { "bce_with_logits:pos_weight=much", "pos_weight is \"much\"" },
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    trial t = { .self = NULL };
#define err t.bench.err
    ck_fails(trial_try(&t, NULL, bad[i].spec, FINDLR_DTYPE_FLOAT64), FINDLR_ERR_ARGUMENT,
             bad[i].text);
#undef err
    ck_assert_ptr_null(t.self);
  }
}
END_TEST

START_TEST(test_create_refused) {
  trial t = { .self = NULL };
#define err t.bench.err
  ck_fails(trial_try(&t, NULL, specs[_i], FINDLR_DTYPE_INT64), FINDLR_ERR_UNSUPPORTED, "float32");
  t.columns = -1;
  ck_fails(trial_try(&t, NULL, specs[_i], FINDLR_DTYPE_FLOAT32), FINDLR_ERR_ARGUMENT, "-1 columns");
#undef err
  ck_assert_ptr_null(t.self);
}
END_TEST

START_TEST(test_no_memory) {
  for_each_failure(a) {
    trial t = { .self = NULL };
    int32_t status = trial_try(&t, &a.allocator, specs[_i], FINDLR_DTYPE_FLOAT32);
    ck_no_memory(status, a);
    if (status == FINDLR_OK) {
      t.vtable->destroy(t.self);
      workbench_close(&t.bench);
    } else {
      ck_assert_ptr_null(t.self);
      ck_assert(strstr(t.bench.err.message, "memory"));
    }
  }
}
END_TEST

/* The defaults are PyTorch's, and the host finds nothing wrong with the option tables. */
START_TEST(test_canonical_specs) {
  static const struct {
    uint32_t kind;
    const char *text;
  } defaults[] = {
    { FINDLR_KIND_OPTIMIZER, "sgd:momentum=0,dampening=0,weight_decay=0,nesterov=false" },
    { FINDLR_KIND_OPTIMIZER, "adam:beta1=0.9,beta2=0.999,eps=1e-08,weight_decay=0,amsgrad=false" },
    { FINDLR_KIND_OPTIMIZER,
      "adamw:beta1=0.9,beta2=0.999,eps=1e-08,weight_decay=0.01,amsgrad=false" },
    { FINDLR_KIND_OPTIMIZER,
      "rmsprop:alpha=0.99,eps=1e-08,weight_decay=0,momentum=0,centered=false" },
    { FINDLR_KIND_OPTIMIZER,
      "adagrad:lr_decay=0,weight_decay=0,initial_accumulator_value=0,eps=1e-10" },
    { FINDLR_KIND_LOSS, "mse" },
    { FINDLR_KIND_LOSS, "l1" },
    { FINDLR_KIND_LOSS, "huber:delta=1" },
    { FINDLR_KIND_LOSS, "cross_entropy:label_smoothing=0,class_weights=" },
    { FINDLR_KIND_LOSS, "bce_with_logits:pos_weight=" },
  };
  for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
    char name[32];
    size_t n = strcspn(defaults[i].text, ":");
    memcpy(name, defaults[i].text, n);
    name[n] = 0;
    workbench w;
    int32_t status = workbench_open(&w, NULL, defaults[i].kind, name);
    ck_assert_msg(status == FINDLR_OK, "%s", w.err.message);
    ck_assert_str_eq(findlr_spec_text(w.spec), defaults[i].text);
    workbench_close(&w);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("losses");
  TCase *t = tcase_create("losses");
  tcase_add_test(t, test_pytorch);
  tcase_add_loop_test(t, test_gradient_is_the_slope_of_the_sum, 0, SPECS);
  tcase_add_test(t, test_nearly_sure);
  tcase_add_loop_test(t, test_pieces_add_up, 0, SPECS);
  tcase_add_loop_test(t, test_not_finite_is_no_error, 0, SPECS);
  tcase_add_loop_test(t, test_large_outputs, 0, SPECS);
  tcase_add_test(t, test_targets_refused);
  tcase_add_loop_test(t, test_tensors_refused, 0, SPECS);
  tcase_add_test(t, test_options_refused);
  tcase_add_loop_test(t, test_create_refused, 0, SPECS);
  tcase_add_loop_test(t, test_no_memory, 0, SPECS);
  tcase_add_test(t, test_canonical_specs);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
