/* SPDX-License-Identifier: MIT */
#include "data/mlp.h"
#include "model.h"
#include "products.h"

static const char *const activations[] = { "relu", "tanh", "sigmoid", "gelu" };

/* Numbers enough for the networks below: inputs, and gradients of the outputs. */
typedef struct batch {
  double inputs[2048];
  double gradient[256];
} batch;

static void fill(const model *m, batch *b) {
  int64_t shape[1] = { 2048 };
  findlr_tensor t = model_tensor(m, b->inputs, shape, 1);
  model_pattern(&t, 0, 29, 53, 13);
  shape[0] = 256;
  t.data = b->gradient;
  model_pattern(&t, 0, 17, 23, 7);
}

/* Number i of parameter k, and of its gradient. */
static double value_of(model *m, uint32_t k, int64_t i) {
  const findlr_parameter p = model_parameter(m, k);
  return model_get(&p.value, i);
}

static double gradient_of(model *m, uint32_t k, int64_t i) {
  const findlr_parameter p = model_parameter(m, k);
  return model_get(&p.gradient, i);
}

static void set_parameters(model *m) {
  int64_t first = 0;
  for (uint32_t i = 0; i < model_parameter_count(m); i++) {
    const findlr_parameter p = model_parameter(m, i);
    model_pattern(&p.value, first, 37, 101, 60);
    first += findlr_tensor_count(&p.value);
  }
}

START_TEST(matches_pytorch) {
  ERR;
  model m;
  batch b;
  char spec[64];
  const findlr_tensor *outputs;
  const double *wanted = recorded[_i].values;
  const double tolerance = recorded[_i].dtype == FINDLR_DTYPE_FLOAT32 ? 1e-5 : 1e-13;
  snprintf(spec, sizeof spec, "mlp:hidden=4x3,activation=%s", recorded[_i].activation);
  model_make(&m, spec, 5, 2, 3, recorded[_i].dtype);
  set_parameters(&m);
  fill(&m, &b);
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err));
  for (int i = 0; i < 6; i++, wanted++)
    ck_assert_double_eq_tol(model_get(outputs, i), *wanted, tolerance);
  ck_ok(model_backward(&m, b.gradient, 3, 0, &err));
  static const char *const names[] = { "0.weight", "0.bias", "2.weight",
                                       "2.bias",   "4.weight", "4.bias" };
  ck_assert_int_eq(model_parameter_count(&m), 6);
  for (uint32_t k = 0; k < 6; k++) {
    const findlr_parameter p = model_parameter(&m, k);
    ck_assert_str_eq(p.name, names[k]);
    for (int64_t i = 0; i < findlr_tensor_count(&p.gradient); i++, wanted++)
      ck_assert_msg(fabs(model_get(&p.gradient, i) - *wanted) <= tolerance,
                    "%s[%d]: gradient %.12g, in PyTorch %.12g", p.name, (int)i,
                    model_get(&p.gradient, i), *wanted);
  }
  ck_assert_ptr_eq(wanted, recorded[_i].values + 53);
  model_close(&m);
}
END_TEST

START_TEST(gradients_match_differences) {
  static const char *const options[] = { "hidden=\"\"",    "hidden=4",
                                         "hidden=4x3",     "hidden=4x3x5",
                                         "hidden=4x3,bias=false", "hidden=6x4,dropout=0.4" };
  for (int i = 0; i < 6; i++) {
    model m;
    batch b;
    char spec[64];
    snprintf(spec, sizeof spec, "mlp:%s,activation=%s", options[i], activations[_i]);
    model_make(&m, spec, 5, 2, 3, FINDLR_DTYPE_FLOAT64);
    set_parameters(&m);
    fill(&m, &b);
    for (int64_t rows = 1; rows <= 3; rows++)
      model_check_gradients(&m, b.inputs, b.gradient, rows);
    model_close(&m);
  }
}
END_TEST

/* Backward after backward, each after its forward, with and without adding up. */
START_TEST(accumulates_gradients) {
  ERR;
  model m;
  batch b;
  double first[256], second[256];
  const findlr_tensor *outputs;
  model_make(&m, "mlp:hidden=4x3,activation=tanh", 5, 2, 4, FINDLR_DTYPE_FLOAT64);
  fill(&m, &b);
  for (int round = 0; round < 3; round++) {
    double *inputs = round == 1 ? b.inputs + 20 : b.inputs;
    int64_t n = 0;
    ck_ok(model_forward(&m, inputs, 4, FINDLR_MODE_TRAIN, &outputs, &err));
    ck_ok(model_backward(&m, b.gradient, 4, round == 2 ? FINDLR_BACKWARD_ACCUMULATE : 0, &err));
    for (uint32_t k = 0; k < model_parameter_count(&m); k++) {
      const findlr_parameter p = model_parameter(&m, k);
      for (int64_t i = 0; i < findlr_tensor_count(&p.gradient); i++, n++)
        if (round < 2)
          (round == 0 ? first : second)[n] = model_get(&p.gradient, i);
        else
          ck_assert_double_eq_tol(model_get(&p.gradient, i), first[n] + second[n], 1e-12);
    }
    ck_assert_int_eq(n, 47);
  }
  model_close(&m);
}
END_TEST

/* A row's outputs depend on the rest of the batch by no more than rounding. */
START_TEST(takes_any_batch_up_to_the_largest) {
  ERR;
  model m;
  const uint32_t dtype = _i ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32;
  double whole[66], inputs[66 * 7];
  int64_t shape[1] = { 66 * 7 };
  const findlr_tensor *outputs;
  model_make(&m, "mlp:hidden=20x9,activation=gelu", 7, 2, 33, dtype);
  const findlr_tensor t = model_tensor(&m, inputs, shape, 1);
  model_pattern(&t, 0, 29, 53, 13);
  ck_ok(model_forward(&m, inputs, 33, FINDLR_MODE_TRAIN, &outputs, &err));
  for (int i = 0; i < 66; i++)
    whole[i] = model_get(outputs, i);
  for (int64_t rows = 1; rows <= 33; rows++) {
    ck_ok(model_forward(&m, inputs, rows, rows % 2 ? FINDLR_MODE_EVAL : FINDLR_MODE_TRAIN, &outputs,
                        &err));
    ck_assert(outputs->ndim == 2 && outputs->shape[0] == rows && outputs->shape[1] == 2);
    for (int i = 0; i < 2 * rows; i++)
      ck_assert_double_eq_tol(model_get(outputs, i), whole[i],
                              dtype == FINDLR_DTYPE_FLOAT32 ? 1e-6 : 1e-14);
  }
  model_close(&m);
}
END_TEST

START_TEST(flattens_rows_of_any_shape) {
  ERR;
  model m;
  batch b;
  const findlr_tensor *outputs;
  int64_t shape[4] = { 3, 2, 1, 4 };
  model_open(&m, "mlp:hidden=5", 8, 2, 3);
  m.model_spec.input_ndim = 3;
  m.model_spec.input_shape = shape + 1;
  ck_ok(model_create(&m, &err));
  ck_assert_int_eq(model_parameter(&m, 0).value.shape[1], 8);
  fill(&m, &b);
  findlr_tensor t = model_tensor(&m, b.inputs, shape, 4);
  ck_assert_int_eq(m.vtable->forward(m.self, &t, FINDLR_MODE_EVAL, &outputs), FINDLR_OK);
  const double first = model_get(outputs, 0);
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_EVAL, &outputs, &err));
  ck_assert_double_eq(model_get(outputs, 0), first);
  shape[2] = 2;
  ck_fails(model_status(&m, m.vtable->forward(m.self, &t, FINDLR_MODE_EVAL, &outputs), &err),
           FINDLR_ERR_ARGUMENT, "8 numbers");
  model_close(&m);
}
END_TEST

START_TEST(says_what_is_not_allowed) {
  ERR;
  model m;
  batch b;
  const findlr_tensor *outputs;
  const int32_t state = FINDLR_ERR_STATE, argument = FINDLR_ERR_ARGUMENT;
  model_make(&m, "mlp:hidden=4", 5, 2, 3, FINDLR_DTYPE_FLOAT64);
  fill(&m, &b);
  ck_fails(model_backward(&m, b.gradient, 3, 0, &err), state, "must follow a forward");
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_fails(model_backward(&m, b.gradient, 2, 0, &err), argument, "2 rows for outputs of 3 rows");
  ck_ok(model_backward(&m, b.gradient, 3, 0, &err));
  ck_fails(model_backward(&m, b.gradient, 3, 0, &err), state, "must follow a forward");
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_EVAL, &outputs, &err));
  ck_fails(model_backward(&m, b.gradient, 3, 0, &err), state, "must follow a forward");
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_fails(model_forward(&m, b.inputs, 0, FINDLR_MODE_TRAIN, &outputs, &err), argument, "0 rows");
  ck_fails(model_backward(&m, b.gradient, 3, 0, &err), state, "must follow a forward");
  ck_fails(model_forward(&m, b.inputs, 4, FINDLR_MODE_TRAIN, &outputs, &err), argument, "4 rows");
  m.model_spec.dtype = FINDLR_DTYPE_FLOAT32;
  ck_fails(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err), argument, "float64");
  model_close(&m);
}
END_TEST

START_TEST(refuses_what_does_not_fit) {
  static const struct {
    const char *spec;
    int64_t features, outputs, rows;
    const char *says;
  } cases[] = {
    { "mlp:hidden=1000000x1000000", 784, 10, 64, "network of 15272889 MiB with batches of 64 rows" },
    { "mlp:hidden=2147483647x2147483647x2147483647", 5, 2, 3, "MiB" },
    { "mlp:hidden=\"\"", INT32_MAX, INT32_MAX, INT32_MAX, "MiB" },
    { "mlp", INT64_MAX, 2, 3, "at most 2147483647" },
    { "mlp", 5, INT64_C(1) << 31, 3, "at most 2147483647" },
    { "mlp", 5, 2, INT64_C(1) << 31, "at most 2147483647" },
  };
  ERR;
  model m;
  model_open(&m, cases[_i].spec, cases[_i].features, cases[_i].outputs, cases[_i].rows);
  const size_t live = m.heap.live_bytes;
  ck_fails(model_create(&m, &err), FINDLR_ERR_LIMIT, cases[_i].says);
  ck_assert_ptr_null(m.self);
  ck_assert_uint_eq(m.heap.live_bytes, live);
  /* A row of as many numbers as would overflow their product. */
  int64_t shape[3] = { INT64_C(1) << 31, INT64_C(1) << 31, 4 };
  m.model_spec.input_shape = shape;
  m.model_spec.input_ndim = 3;
  ck_fails(model_create(&m, &err), FINDLR_ERR_LIMIT, "at most 2147483647");
  model_close(&m);
}
END_TEST

START_TEST(survives_a_lack_of_memory) {
  model m;
  model_open(&m, "mlp:hidden=4x3,dropout=0.5", 5, 2, 3);
  model_check_memory(&m);
  model_close(&m);
}
END_TEST

/* Nothing is allocated once it is made. */
START_TEST(allocates_at_create_only) {
  ERR;
  model m;
  batch b;
  const findlr_tensor *outputs;
  model_make(&m, "mlp:hidden=4x3,dropout=0.5", 5, 2, 3, FINDLR_DTYPE_FLOAT32);
  fill(&m, &b);
  m.heap.calls = 0;
  for (int i = 0; i < 3; i++) {
    ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err));
    ck_ok(model_backward(&m, b.gradient, 3, 0, &err));
    ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_EVAL, &outputs, &err));
  }
  ck_assert_uint_eq(m.heap.calls, 0);
  model_close(&m);
}
END_TEST

/* Mean 0 and variance bound^2 / 3, bound 1/sqrt(inputs), for weights and biases. */
START_TEST(starts_as_pytorch_does) {
  model m;
  const uint32_t dtype = _i ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32;
  model_make(&m, "mlp:hidden=500x400", 100, 300, 1, dtype);
  for (uint32_t k = 0; k < 6; k++) {
    const findlr_parameter p = model_parameter(&m, k);
    const double n = (double)findlr_tensor_count(&p.value);
    const double bound = 1 / sqrt((double[]){ 100, 500, 400 }[k / 2]);
    double sum = 0, squares = 0, largest = 0, gradient = 0;
    for (int64_t i = 0; i < findlr_tensor_count(&p.value); i++) {
      const double v = model_get(&p.value, i) / bound;
      largest = fmax(largest, fabs(v));
      gradient += fabs(model_get(&p.gradient, i));
      sum += v;
      squares += v * v;
    }
    ck_assert_double_le(largest, 1 + 1e-7);
    ck_assert_double_eq(gradient, 0);
    ck_assert_double_lt(fabs(sum / n), 4 * sqrt(1 / (3 * n)));
    ck_assert_double_lt(fabs(squares / n - 1.0 / 3), 4 * sqrt(4.0 / 45 / n));
  }
  model_close(&m);
}
END_TEST

/* 784-128-10, whole batches and a last one of 11 rows, three steps of gradient descent: the
 * parameters afterwards, from seed and threads. Inputs begin at an address of the caller's. */
static void train(uint64_t seed, uint32_t threads, uint32_t dtype, size_t offset, double *out) {
  ERR;
  model m;
  model_open(&m, "mlp", 784, 10, 64);
  m.model_spec.seed = seed;
  m.model_spec.threads = threads;
  m.model_spec.dtype = dtype;
  ck_ok(model_create(&m, &err));
  const size_t size = dtype == FINDLR_DTYPE_FLOAT32 ? 4 : 8;
  unsigned char *memory = aligned_alloc(64, 64 * 785 * 8);
  double gradient[640];
  int64_t shape[1] = { 64 * 784 };
  findlr_tensor t = model_tensor(&m, memory + offset * size, shape, 1);
  model_pattern(&t, 0, 29, 53, 100);
  shape[0] = 640;
  t.data = gradient;
  model_pattern(&t, 0, 17, 23, 700);
  for (int step = 0; step < 3; step++) {
    const findlr_tensor *outputs;
    const int64_t rows = step == 1 ? 11 : 64;
    ck_ok(model_forward(&m, memory + offset * size, rows, FINDLR_MODE_TRAIN, &outputs, &err));
    ck_ok(model_backward(&m, gradient, rows, 0, &err));
    for (uint32_t k = 0; k < 4; k++) {
      const findlr_parameter p = model_parameter(&m, k);
      for (int64_t i = 0; i < findlr_tensor_count(&p.value); i++)
        model_set(&p.value, i, model_get(&p.value, i) - 0.1 * model_get(&p.gradient, i));
    }
  }
  for (uint32_t k = 0; k < 4; k++) {
    const findlr_parameter p = model_parameter(&m, k);
    for (int64_t i = 0; i < findlr_tensor_count(&p.value); i++)
      *out++ = model_get(&p.value, i);
  }
  free(memory);
  model_close(&m);
}

enum { TRAINED = 784 * 128 + 128 + 128 * 10 + 10 };

START_TEST(same_seed_same_bits) {
  static double a[TRAINED], b[TRAINED];
  const uint32_t dtype = _i ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32;
  train(7, 1, dtype, 0, a);
  train(7, 1, dtype, 0, b);
  ck_assert_int_eq(memcmp(a, b, sizeof a), 0);
  train(7, 1, dtype, 3, b); /* wherever the data lies */
  ck_assert_int_eq(memcmp(a, b, sizeof a), 0);
  train(8, 1, dtype, 0, b);
  ck_assert_int_ne(memcmp(a, b, sizeof a), 0);
  train(7, 2, dtype, 0, b); /* the library may divide sums among threads */
  double difference = 0;
  for (int i = 0; i < TRAINED; i++)
    difference = fmax(difference, fabs(a[i] - b[i]));
  ck_assert_double_le(difference, 1e-5);
}
END_TEST

START_TEST(relu_passes_nan_on) {
  ERR;
  model m;
  batch b;
  const findlr_tensor *outputs;
  model_make(&m, "mlp:hidden=4x3", 5, 2, 3, _i ? FINDLR_DTYPE_FLOAT64 : FINDLR_DTYPE_FLOAT32);
  fill(&m, &b);
  int64_t shape[2] = { 3, 5 };
  const findlr_tensor t = model_tensor(&m, b.inputs, shape, 2);
  model_set(&t, 5, NAN); /* in the second row */
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err));
  for (int i = 0; i < 6; i++)
    ck_assert_int_eq(isnan(model_get(outputs, i)) != 0, i / 2 == 1);
  ck_ok(model_backward(&m, b.gradient, 3, 0, &err));
  ck_assert_double_nan(gradient_of(&m, 0, 0));
  model_close(&m);
}
END_TEST

START_TEST(dropout_draws_from_a_generator_that_is_state) {
  ERR;
  model m;
  double inputs[40], gradient[40], first[40];
  uint64_t generator[4];
  int64_t shape[1] = { 40 };
  const findlr_tensor *outputs;
  findlr_named_tensor state = { .struct_size = sizeof state };
  model_make(&m, "mlp:hidden=1000,dropout=0.25", 1, 40, 1, FINDLR_DTYPE_FLOAT64);
  ck_assert_str_eq(model_parameter(&m, 2).name, "3.weight"); /* Linear, ReLU, Dropout, Linear */
  ck_assert_int_eq(m.vtable->state(m.self, 0, &state), FINDLR_OK);
  ck_assert_int_eq(m.vtable->state(m.self, 1, &state), FINDLR_DONE);
  ck_assert_int_eq(findlr_tensor_count(&state.tensor), 4);
  memcpy(generator, state.tensor.data, sizeof generator);
  const findlr_tensor t = model_tensor(&m, gradient, shape, 1);
  model_pattern(&t, 1, 17, 23, 7);
  inputs[0] = 1;

  /* Every hidden unit at 1, the outputs their mean: what is left of them, scaled up. */
  for (uint32_t k = 0; k < 4; k++) {
    const findlr_parameter p = model_parameter(&m, k);
    for (int64_t i = 0; i < findlr_tensor_count(&p.value); i++)
      model_set(&p.value, i, k == 1 ? 1 : k == 2 ? 0.001 : 0);
  }
  ck_ok(model_forward(&m, inputs, 1, FINDLR_MODE_EVAL, &outputs, &err));
  ck_assert_double_eq_tol(model_get(outputs, 0), 1, 1e-12);
  ck_assert_int_eq(memcmp(state.tensor.data, generator, sizeof generator), 0);
  ck_ok(model_forward(&m, inputs, 1, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_assert_double_eq_tol(model_get(outputs, 0), 1, 0.1);
  ck_assert_int_ne(memcmp(state.tensor.data, generator, sizeof generator), 0);
  memcpy(first, outputs->data, sizeof first);
  ck_ok(model_backward(&m, gradient, 1, 0, &err));
  int dropped = 0;
  for (int i = 0; i < 1000; i++) { /* gradient of the last weights: the hidden units */
    const double unit = gradient_of(&m, 2, i) / gradient[0];
    dropped += unit == 0;
    ck_assert(unit == 0 || fabs(unit - 1 / 0.75) < 1e-12);
    ck_assert_int_eq(gradient_of(&m, 1, i) == 0, unit == 0);
  }
  ck_assert(dropped > 200 && dropped < 300);

  ck_ok(model_forward(&m, inputs, 1, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_assert_int_ne(memcmp(first, outputs->data, sizeof first), 0);
  memcpy(state.tensor.data, generator, sizeof generator);
  ck_ok(model_forward(&m, inputs, 1, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_assert_int_eq(memcmp(first, outputs->data, sizeof first), 0);
  model_close(&m);

  model_make(&m, "mlp:dropout=1", 1, 40, 1, FINDLR_DTYPE_FLOAT64);
  ck_ok(model_forward(&m, inputs, 1, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_assert_double_eq(model_get(outputs, 0), value_of(&m, 3, 0));
  model_close(&m);
  model_make(&m, "mlp", 1, 40, 1, FINDLR_DTYPE_FLOAT64);
  ck_assert_int_eq(m.vtable->state(m.self, 0, &state), FINDLR_DONE);
  model_close(&m);
}
END_TEST

#if defined(__x86_64__) && defined(__GNUC__)
START_TEST(leaves_the_floating_point_control_as_found) {
  ERR;
  model m;
  batch b;
  const findlr_tensor *outputs;
  model_make(&m, "mlp:hidden=40x30,activation=tanh", 5, 2, 3, FINDLR_DTYPE_FLOAT32);
  fill(&m, &b);
  const unsigned before = __builtin_ia32_stmxcsr() & 0xffc0;
  ck_ok(model_forward(&m, b.inputs, 3, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_ok(model_backward(&m, b.gradient, 3, 0, &err));
  ck_assert_uint_eq(__builtin_ia32_stmxcsr() & 0xffc0, before);
  model_close(&m);
}
END_TEST
#endif

START_TEST(names_its_library) {
  ERR;
  model m;
  findlr_plugin_info info = { .struct_size = sizeof info };
  model_open(&m, "mlp", 5, 2, 3);
  ck_ok(findlr_plugin_at(m.context, 0, &info, &err));
  ck_assert_str_eq(info.description,
                   "multilayer perceptron (matrix products: " PRODUCTS_NAME ")");
  model_close(&m);
}
END_TEST

enum { NUMBERS = 130 * 257 };

/* Every product, plain and of the library, against the sum written out; of numbers up to 1. */
static void check_product(product_function *product, uint32_t dtype, uint32_t threads) {
  static const int64_t sizes[][3] = { { 1, 1, 1 },    { 3, 5, 2 },      { 64, 10, 128 },
                                      { 10, 70, 31 }, { 17, 33, 600 }, { 130, 9, 257 } };
  static double a[NUMBERS], b[NUMBERS], c[NUMBERS], start[NUMBERS];
  for (int s = 0; s < 6; s++)
    for (int way = 0; way < 8; way++) {
      const int ta = way & 1, tb = way >> 1 & 1, accumulate = way >> 2;
      const int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
      int64_t shape[1] = { NUMBERS };
      findlr_tensor t[3] = { { .dtype_bits = (uint8_t)(dtype >> 8), .ndim = 1, .shape = shape } };
      t[1] = t[2] = t[0];
      t[0].data = a;
      t[1].data = b;
      t[2].data = c;
      for (int i = 0; i < 3; i++)
        model_pattern(&t[i], i, 29 + 8 * i, 53, 26);
      if (!accumulate)
        model_set(&t[2], 0, NAN); /* what is there is not read */
      memcpy(start, c, sizeof c);
      findlr_tensor before = t[2];
      before.data = start;
      ck_assert_int_eq(product(ta, tb, m, n, k, a, b, accumulate, c, threads), 0);
      const double tolerance = (dtype == FINDLR_DTYPE_FLOAT32 ? 1e-5 : 1e-14) * (double)k;
      int wrong = 0;
      for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
          double sum = accumulate ? model_get(&before, i * n + j) : 0;
          for (int64_t p = 0; p < k; p++)
            sum += model_get(&t[0], ta ? p * m + i : i * k + p) *
                   model_get(&t[1], tb ? j * k + p : p * n + j);
          wrong += !(fabs(model_get(&t[2], i * n + j) - sum) <= tolerance);
        }
      ck_assert_int_eq(wrong, 0);
      const size_t size = (size_t)(m * n) * (dtype >> 8 & 0xff) / 8;
      ck_assert_int_eq(memcmp((char *)c + size, (char *)start + size, sizeof c - size), 0);
    }
}

START_TEST(products_are_right) {
  check_product(products_plain.f32, FINDLR_DTYPE_FLOAT32, 1);
  check_product(products_plain.f64, FINDLR_DTYPE_FLOAT64, 1);
  for (uint32_t threads = 1; threads <= 2; threads++) {
    if (PRODUCTS.f32)
      check_product(PRODUCTS.f32, FINDLR_DTYPE_FLOAT32, threads);
    if (PRODUCTS.f64)
      check_product(PRODUCTS.f64, FINDLR_DTYPE_FLOAT64, threads);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("mlp");
  TCase *c = tcase_create("mlp");
  tcase_add_loop_test(c, matches_pytorch, 0, sizeof recorded / sizeof *recorded);
  tcase_add_loop_test(c, gradients_match_differences, 0, 4);
  tcase_add_test(c, accumulates_gradients);
  tcase_add_loop_test(c, takes_any_batch_up_to_the_largest, 0, 2);
  tcase_add_test(c, flattens_rows_of_any_shape);
  tcase_add_test(c, says_what_is_not_allowed);
  tcase_add_loop_test(c, refuses_what_does_not_fit, 0, 6);
  tcase_add_test(c, survives_a_lack_of_memory);
  tcase_add_test(c, allocates_at_create_only);
  tcase_add_loop_test(c, starts_as_pytorch_does, 0, 2);
  tcase_add_loop_test(c, same_seed_same_bits, 0, 2);
  tcase_add_loop_test(c, relu_passes_nan_on, 0, 2);
  tcase_add_test(c, dropout_draws_from_a_generator_that_is_state);
#if defined(__x86_64__) && defined(__GNUC__)
  tcase_add_test(c, leaves_the_floating_point_control_as_found);
#endif
  tcase_add_test(c, names_its_library);
  tcase_add_test(c, products_are_right);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
