/* SPDX-License-Identifier: MIT */
#include "findlr/memory.h"

#include <stdbool.h>
#include <string.h>

#include "core/internal.h"

enum { MOST_DIMS = 32 };

/* What is in one row of a tensor. Neighbouring dimensions that lie in memory as one are joined, so
 * that the rows of a compact tensor have one dimension. */
typedef struct row_view {
  const char *first; /* element 0 of row 0 */
  int64_t row_stride, count;
  size_t size; /* of an element */
  uint32_t dtype;
  int32_t ndim; /* at least 1 */
  int64_t shape[MOST_DIMS], strides[MOST_DIMS];
} row_view;

typedef struct memory {
  findlr_allocator allocator;
  row_view inputs, targets;
  int64_t rows, classes;
  int32_t input_ndim;
  int64_t input_shape[MOST_DIMS];
  float byte32[256]; /* a byte in [0, 1], correctly rounded */
  double byte64[256];
  char about[128];
} memory;

/* --- making ---------------------------------------------------------------------------------- */

static int32_t view_rows(row_view *view, const findlr_tensor *t, const char *what,
                         findlr_error *err) {
  if (t->device_type != FINDLR_DEVICE_CPU)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the %s are on device type %d, wanted CPU memory",
                        what, (int)t->device_type);
  if (t->ndim < 1 || t->ndim > MOST_DIMS || !t->shape)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the %s have %d dimensions, wanted 1 to %d with the rows first", what,
                        (int)t->ndim, MOST_DIMS);
  int64_t count = findlr_tensor_count(t);
  if (count < 1)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, count ? "the %s have a shape that is not allowed"
                                                        : "the %s are empty", what);
  if (!t->data)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the %s have no data (NULL)", what);
  view->dtype = findlr_tensor_dtype(t);
  view->size = t->dtype_bits / 8;
  view->first = (const char *)t->data + t->byte_offset;
  if ((uintptr_t)view->first % view->size)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the %s begin at an address that is no multiple of their %zu bytes", what,
                        view->size);
  view->count = count / t->shape[0];

  int64_t compact = 1, compact_strides[MOST_DIMS] = { 0 };
  for (int32_t d = t->ndim - 1; d >= 0; d--) {
    compact_strides[d] = compact;
    compact *= t->shape[d];
  }
  const int64_t *strides = t->strides ? t->strides : compact_strides;
  view->row_stride = strides[0];
  view->ndim = 0;
  for (int32_t d = 1; d < t->ndim; d++) {
    int32_t last = view->ndim - 1;
    if (t->shape[d] == 1)
      continue;
    if (last >= 0 && view->strides[last] == t->shape[d] * strides[d]) {
      view->shape[last] *= t->shape[d];
      view->strides[last] = strides[d];
    } else {
      view->shape[view->ndim] = t->shape[d];
      view->strides[view->ndim] = strides[d];
      view->ndim++;
    }
  }
  if (view->ndim == 0) {
    view->shape[0] = view->strides[0] = 1;
    view->ndim = 1;
  }
  return FINDLR_OK;
}

static bool is_float(uint32_t dtype) {
  return dtype == FINDLR_DTYPE_FLOAT32 || dtype == FINDLR_DTYPE_FLOAT64;
}

static int32_t view_inputs(memory *m, const findlr_tensor *inputs, findlr_error *err) {
  uint32_t dtype = findlr_tensor_dtype(inputs);
  if (!is_float(dtype) && dtype != FINDLR_DTYPE_UINT8)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the inputs are neither float32 nor float64 nor uint8");
  int32_t status = view_rows(&m->inputs, inputs, "inputs", err);
  if (status)
    return status;
  m->rows = inputs->shape[0];
  m->input_ndim = inputs->ndim > 1 ? inputs->ndim - 1 : 1;
  m->input_shape[0] = 1;
  for (int32_t d = 1; d < inputs->ndim; d++)
    m->input_shape[d - 1] = inputs->shape[d];
  return FINDLR_OK;
}

static int32_t view_targets(memory *m, const findlr_tensor *targets, int64_t classes,
                            findlr_error *err) {
  uint32_t dtype = findlr_tensor_dtype(targets);
  if (!is_float(dtype) && dtype != FINDLR_DTYPE_INT64)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the targets are neither int64 nor float32 nor float64");
  int32_t status = view_rows(&m->targets, targets, "targets", err);
  if (status)
    return status;
  if (targets->shape[0] != m->rows)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the inputs have %lld rows and the targets %lld",
                        (long long)m->rows, (long long)targets->shape[0]);
  if (targets->ndim > (dtype == FINDLR_DTYPE_INT64 ? 1 : 2))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the targets have %d dimensions, wanted [rows]%s", (int)targets->ndim,
                        dtype == FINDLR_DTYPE_INT64 ? "" : " or [rows, columns]");
  if (dtype != FINDLR_DTYPE_INT64) {
    if (classes != 0)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "classes is %lld, but the targets are real numbers, wanted int64 or 0",
                          (long long)classes);
    return FINDLR_OK;
  }
  if (classes < 0)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "classes is %lld, wanted 0 or more",
                        (long long)classes);
  int64_t largest = 0;
  for (int64_t row = 0; row < m->rows; row++) {
    int64_t value = ((const int64_t *)(const void *)m->targets.first)[row * m->targets.row_stride];
    if (value < 0 || (classes && value >= classes) || value == INT64_MAX)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "the target of row %lld is %lld, wanted a class from 0 to %lld",
                          (long long)row, (long long)value,
                          (long long)(classes ? classes - 1 : INT64_MAX - 1));
    if (value > largest)
      largest = value;
  }
  m->classes = classes ? classes : largest + 1;
  return FINDLR_OK;
}

/* --- the vtable ------------------------------------------------------------------------------ */

static int32_t create(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                      void **ret_self) {
  static const char text[] = "a source over memory is made with findlr_memory_data_create";
  (void)spec, (void)ret_self;
  host->set_error(ctx, FINDLR_ERR_UNSUPPORTED, text, sizeof text - 1);
  return FINDLR_ERR_UNSUPPORTED;
}

static void destroy(void *self) {
  memory *m = self;
  findlr_allocator a = m->allocator;
  findlr__release(&a, m, sizeof *m);
}

static int32_t describe(void *self, findlr_data_info *out) {
  const memory *m = self;
  out->rows = m->rows;
  out->input_ndim = m->input_ndim;
  out->input_shape = m->input_shape;
  out->classes = m->classes;
  out->target_columns = m->targets.count;
  out->about = m->about;
  return FINDLR_OK;
}

/* Copies n elements that lie stride apart into compact memory. */
typedef void copier(const memory *m, const void *from, int64_t stride, int64_t n, void *to);

#define COPIER(name, FROM, TO, value)                                                              \
  static void name(const memory *m, const void *from, int64_t stride, int64_t n, void *to) {       \
    (void)m;                                                                                       \
    for (int64_t i = 0; i < n; i++) {                                                              \
      FROM x = ((const FROM *)from)[i * stride];                                                   \
      ((TO *)to)[i] = (TO)(value);                                                                 \
    }                                                                                              \
  }
COPIER(float32_to_float32, float, float, x)
COPIER(float32_to_float64, float, double, x)
COPIER(float64_to_float32, double, float, x)
COPIER(float64_to_float64, double, double, x)
COPIER(uint8_to_float32, uint8_t, float, m->byte32[x])
COPIER(uint8_to_float64, uint8_t, double, m->byte64[x])
COPIER(int64_to_float32, int64_t, float, x)
COPIER(int64_to_float64, int64_t, double, x)
COPIER(int64_to_int64, int64_t, int64_t, x)

static copier *find_copier(uint32_t from, uint32_t to) {
  static const struct {
    uint32_t from, to;
    copier *copy;
  } table[] = {
    { FINDLR_DTYPE_FLOAT32, FINDLR_DTYPE_FLOAT32, float32_to_float32 },
    { FINDLR_DTYPE_FLOAT32, FINDLR_DTYPE_FLOAT64, float32_to_float64 },
    { FINDLR_DTYPE_FLOAT64, FINDLR_DTYPE_FLOAT32, float64_to_float32 },
    { FINDLR_DTYPE_FLOAT64, FINDLR_DTYPE_FLOAT64, float64_to_float64 },
    { FINDLR_DTYPE_UINT8, FINDLR_DTYPE_FLOAT32, uint8_to_float32 },
    { FINDLR_DTYPE_UINT8, FINDLR_DTYPE_FLOAT64, uint8_to_float64 },
    { FINDLR_DTYPE_INT64, FINDLR_DTYPE_FLOAT32, int64_to_float32 },
    { FINDLR_DTYPE_INT64, FINDLR_DTYPE_FLOAT64, int64_to_float64 },
    { FINDLR_DTYPE_INT64, FINDLR_DTYPE_INT64, int64_to_int64 },
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
    if (table[i].from == from && table[i].to == to)
      return table[i].copy;
  return NULL;
}

static void copy_row(const memory *m, const row_view *view, int64_t row, copier *copy, char *to,
                     size_t to_size) {
  const char *from = view->first + row * view->row_stride * (int64_t)view->size;
  int32_t last = view->ndim - 1;
  int64_t index[MOST_DIMS] = { 0 };
  for (int64_t done = 0; done < view->count; done += view->shape[last]) {
    int64_t offset = 0;
    for (int32_t d = 0; d < last; d++)
      offset += index[d] * view->strides[d];
    copy(m, from + offset * (int64_t)view->size, view->strides[last], view->shape[last],
         to + (size_t)done * to_size);
    for (int32_t d = last - 1; d >= 0 && ++index[d] == view->shape[d]; d--)
      index[d] = 0;
  }
}

static int32_t copy_rows(const memory *m, const row_view *view, const int64_t *rows, int64_t n,
                         const findlr_tensor *out) {
  copier *copy = find_copier(view->dtype, findlr_tensor_dtype(out));
  if (!copy)
    return FINDLR_ERR_ARGUMENT;
  size_t size = out->dtype_bits / 8;
  char *to = (char *)out->data + out->byte_offset;
  for (int64_t i = 0; i < n; i++)
    copy_row(m, view, rows[i], copy, to + (size_t)(i * view->count) * size, size);
  return FINDLR_OK;
}

static int32_t gather(void *self, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                      const findlr_tensor *targets) {
  const memory *m = self;
  for (int64_t i = 0; i < n; i++)
    if (rows[i] < 0 || rows[i] >= m->rows)
      return FINDLR_ERR_ARGUMENT;
  int32_t status = inputs ? copy_rows(m, &m->inputs, rows, n, inputs) : FINDLR_OK;
  return status || !targets ? status : copy_rows(m, &m->targets, rows, n, targets);
}

static const findlr_data_vtable vtable = {
  .struct_size = sizeof(findlr_data_vtable),
  .create = create,
  .destroy = destroy,
  .describe = describe,
  .gather = gather,
};

/* --- the public functions -------------------------------------------------------------------- */

static void write_about(memory *m) {
  size_t n = findlr__format(m->about, sizeof m->about, "memory: %lld rows, %lld features, ",
                            (long long)m->rows, (long long)m->inputs.count);
  if (m->classes)
    findlr__format(m->about + n, sizeof m->about - n, "%lld classes", (long long)m->classes);
  else
    findlr__format(m->about + n, sizeof m->about - n, "%lld real target%s a row",
                   (long long)m->targets.count, m->targets.count == 1 ? "" : "s");
}

int32_t findlr_memory_data_create(const findlr_allocator *allocator, const findlr_tensor *inputs,
                                  const findlr_tensor *targets, int64_t classes,
                                  findlr_data *ret_data, findlr_error *err) {
  if (!inputs || !targets || !ret_data)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL",
                        !inputs ? "inputs" : !targets ? "targets" : "ret_data");
  const findlr_allocator *a = findlr__allocator(allocator);
  memory *m = findlr__allocate(a, sizeof *m);
  if (!m)
    return findlr__no_memory(err, "a data source");
  m->allocator = *a;
  int32_t status = view_inputs(m, inputs, err);
  if (!status)
    status = view_targets(m, targets, classes, err);
  if (status) {
    findlr__release(a, m, sizeof *m);
    return status;
  }
  for (int i = 0; i < 256; i++) {
    m->byte64[i] = i / 255.0;
    m->byte32[i] = (float)i / 255.0f;
  }
  write_about(m);
  *ret_data = (findlr_data){ sizeof *ret_data, 0, &vtable, m };
  return FINDLR_OK;
}

void findlr_memory_data_destroy(findlr_data *data) {
  if (!data || !data->self)
    return;
  data->vtable->destroy(data->self);
  *data = (findlr_data){ sizeof *data, 0, NULL, NULL };
}
