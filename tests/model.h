/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TESTS_MODEL_H
#define FINDLR_TESTS_MODEL_H

/* A model of a plugin, made and driven as a session does, for test_linear.c and test_mlp.c. */

#include "support.h"

typedef struct model {
  test_allocator heap;
  findlr_context *context;
  findlr_spec *spec;
  const findlr_model_vtable *vtable;
  const findlr_host *host;
  void *ctx;
  void *self;
  int64_t shape[2]; /* of the inputs, rows first */
  findlr_model_spec model_spec;
} model;

/* Finds the component and reads its options, as a user writes them, for a float64 model of one
 * thread; model_spec may be changed before model_create. */
static void model_open(model *m, const char *spec, int64_t features, int64_t outputs,
                       int64_t max_batch) {
  ERR;
  memset(m, 0, sizeof *m);
  test_allocator_init(&m->heap);
  findlr_context_options options;
  findlr_context_options_init(&options, sizeof options);
  options.allocator = &m->heap.allocator;
  ck_ok(findlr_context_create(&options, &m->context, &err));
  ck_ok(findlr_spec_parse(m->context, FINDLR_KIND_MODEL, spec, &m->spec, &err));
  m->vtable = findlr_spec_component(m->spec)->vtable;
  m->host = findlr_context_host(m->context, &m->ctx);
  m->shape[0] = max_batch;
  m->shape[1] = features;
  m->model_spec = (findlr_model_spec){
    .struct_size = sizeof m->model_spec,
    .threads = 1,
    .seed = 1,
    .max_batch = max_batch,
    .outputs = outputs,
    .dtype = FINDLR_DTYPE_FLOAT64,
    .input_ndim = 1,
    .input_shape = &m->shape[1],
  };
  m->model_spec.options = findlr_spec_values(m->spec, &m->model_spec.option_count);
}

/* Passes a status of the model on, with its sentence. */
static int32_t model_status(model *m, int32_t status, findlr_error *err) {
  if (status < 0)
    snprintf(err->message, sizeof err->message, "%s", findlr_context_host_error(m->context));
  return status;
}

static int32_t model_create(model *m, findlr_error *err) {
  return model_status(m, m->vtable->create(m->host, m->ctx, &m->model_spec, &m->self), err);
}

/* Both at once. */
static void model_make(model *m, const char *spec, int64_t features, int64_t outputs,
                       int64_t max_batch, uint32_t dtype) {
  ERR;
  model_open(m, spec, features, outputs, max_batch);
  m->model_spec.dtype = dtype;
  ck_ok(model_create(m, &err));
}

static void model_close(model *m) {
  if (m->self)
    m->vtable->destroy(m->self);
  findlr_spec_destroy(m->spec);
  findlr_context_destroy(m->context);
  test_allocator_check(&m->heap);
}

static findlr_tensor model_tensor(const model *m, void *data, int64_t *shape, int32_t ndim) {
  return (findlr_tensor){
    .data = data,
    .device_type = FINDLR_DEVICE_CPU,
    .ndim = ndim,
    .dtype_code = (uint8_t)m->model_spec.dtype,
    .dtype_bits = (uint8_t)(m->model_spec.dtype >> 8),
    .dtype_lanes = 1,
    .shape = shape,
  };
}

static int32_t model_forward(model *m, void *inputs, int64_t rows, uint32_t mode,
                             const findlr_tensor **outputs, findlr_error *err) {
  m->shape[0] = rows;
  const findlr_tensor tensor = model_tensor(m, inputs, m->shape, 2);
  return model_status(m, m->vtable->forward(m->self, &tensor, mode, outputs), err);
}

static int32_t model_backward(model *m, void *gradient, int64_t rows, uint32_t flags,
                              findlr_error *err) {
  int64_t shape[2] = { rows, m->model_spec.outputs };
  const findlr_tensor tensor = model_tensor(m, gradient, shape, 2);
  return model_status(m, m->vtable->backward(m->self, &tensor, flags), err);
}

static findlr_parameter model_parameter(model *m, uint32_t i) {
  findlr_parameter p = { .struct_size = sizeof p };
  ck_assert_int_eq(m->vtable->parameter(m->self, i, &p), FINDLR_OK);
  return p;
}

static uint32_t model_parameter_count(model *m) {
  findlr_parameter p = { .struct_size = sizeof p };
  uint32_t n = 0;
  while (m->vtable->parameter(m->self, n, &p) == FINDLR_OK)
    n++;
  ck_assert_int_eq(m->vtable->parameter(m->self, n, &p), FINDLR_DONE);
  return n;
}

/* Number i of a tensor of the model, whatever its dtype. */
static double model_get(const findlr_tensor *t, int64_t i) {
  return t->dtype_bits == 32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}

static void model_set(const findlr_tensor *t, int64_t i, double value) {
  if (t->dtype_bits == 32)
    ((float *)t->data)[i] = (float)value;
  else
    ((double *)t->data)[i] = value;
}

/* n numbers on both sides of 0, without chance, as in record_mlp.py. */
static void model_pattern(const findlr_tensor *t, int64_t first, int64_t factor, int64_t modulus,
                          double divisor) {
  for (int64_t i = 0; i < findlr_tensor_count(t); i++)
    model_set(t, i, (double)((first + i) * factor % modulus - modulus / 2) / divisor);
}

/* The gradients of every parameter of a float64 model against differences of sum(gradient x outputs).
 * Each forward begins with the same state, of at most one tensor of 32 bytes. */
static void model_check_gradients(model *m, double *inputs, double *gradient, int64_t rows) {
  ERR;
  const findlr_tensor *outputs;
  unsigned char generator[32];
  findlr_named_tensor state = { .struct_size = sizeof state };
  const int has_state = m->vtable->state(m->self, 0, &state) == FINDLR_OK;
  if (has_state)
    memcpy(generator, state.tensor.data, sizeof generator);
  ck_ok(model_forward(m, inputs, rows, FINDLR_MODE_TRAIN, &outputs, &err));
  ck_ok(model_backward(m, gradient, rows, 0, &err));
  for (uint32_t k = 0; k < model_parameter_count(m); k++) {
    const findlr_parameter p = model_parameter(m, k);
    for (int64_t i = 0; i < findlr_tensor_count(&p.value); i++) {
      const double before = model_get(&p.value, i), h = 1e-5;
      double sum[2] = { 0, 0 };
      for (int side = 0; side < 2; side++) {
        model_set(&p.value, i, side ? before + h : before - h);
        if (has_state)
          memcpy(state.tensor.data, generator, sizeof generator);
        ck_ok(model_forward(m, inputs, rows, FINDLR_MODE_TRAIN, &outputs, &err));
        for (int64_t j = 0; j < rows * m->model_spec.outputs; j++)
          sum[side] += gradient[j] * model_get(outputs, j);
      }
      model_set(&p.value, i, before);
      ck_assert_msg(fabs((sum[1] - sum[0]) / (2 * h) - model_get(&p.gradient, i)) < 1e-7,
                    "%s[%d]: gradient %.12g, by differences %.12g", p.name, (int)i,
                    model_get(&p.gradient, i), (sum[1] - sum[0]) / (2 * h));
    }
  }
}

/* Every allocation of create fails in turn: no memory, nothing leaked, and it works afterwards. */
static void model_check_memory(model *m) {
  ERR;
  const size_t live = m->heap.live_bytes;
  size_t n = 0;
  int32_t status;
  do {
    m->heap.calls = 0;
    m->heap.fail_at = ++n;
    status = model_create(m, &err);
    if (status != FINDLR_OK) {
      ck_assert_int_eq(status, FINDLR_ERR_NO_MEMORY);
      ck_assert_ptr_nonnull(strstr(err.message, "no memory"));
      ck_assert_uint_eq(m->heap.live_bytes, live);
      ck_assert_ptr_null(m->self);
    }
  } while (status != FINDLR_OK);
  m->heap.fail_at = 0;
  ck_assert_uint_gt(n, 1);
}

#endif
