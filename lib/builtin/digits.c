/* SPDX-License-Identifier: MIT */
#include "builtin/digits.h"

#include "findlr/data.h"
#include "findlr/error.h"

typedef struct digits {
  const findlr_host *host;
  void *ctx;
} digits;

static int32_t create(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                      void **ret_self) {
  (void)spec;
  digits *self = host->alloc(ctx, NULL, 0, sizeof *self, _Alignof(digits));
  if (!self) {
    static const char text[] = "there is not enough memory for the digits";
    host->set_error(ctx, FINDLR_ERR_NO_MEMORY, text, sizeof text - 1);
    return FINDLR_ERR_NO_MEMORY;
  }
  self->host = host;
  self->ctx = ctx;
  *ret_self = self;
  return FINDLR_OK;
}

static void destroy(void *self) {
  digits *d = self;
  d->host->alloc(d->ctx, d, sizeof *d, 0, _Alignof(digits));
}

static int32_t describe(void *self, findlr_data_info *out) {
  (void)self;
  static const int64_t shape[] = { FINDLR__DIGITS_PIXELS };
  out->rows = FINDLR__DIGITS_ROWS;
  out->input_ndim = 1;
  out->input_shape = shape;
  out->classes = 10;
  out->target_columns = 1;
  out->about = "digits: 1,797 rows, 64 features, 10 classes (0 to 9)";
  return FINDLR_OK;
}

static int32_t gather(void *self, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                      const findlr_tensor *targets) {
  (void)self;
  if (inputs) {
    void *to = (char *)inputs->data + inputs->byte_offset;
    for (int64_t i = 0; i < n; i++) {
      const char *pixels = findlr__digits_rows[rows[i]] + 1;
      for (int64_t j = 0; j < FINDLR__DIGITS_PIXELS; j++) {
        float value = (float)(pixels[j] - 'a') / 16;
        if (inputs->dtype_bits == 32)
          ((float *)to)[i * FINDLR__DIGITS_PIXELS + j] = value;
        else
          ((double *)to)[i * FINDLR__DIGITS_PIXELS + j] = value;
      }
    }
  }
  if (targets) {
    void *to = (char *)targets->data + targets->byte_offset;
    for (int64_t i = 0; i < n; i++) {
      int digit = findlr__digits_rows[rows[i]][0] - '0';
      if (targets->dtype_code == 0)
        ((int64_t *)to)[i] = digit;
      else if (targets->dtype_bits == 32)
        ((float *)to)[i] = (float)digit;
      else
        ((double *)to)[i] = digit;
    }
  }
  return FINDLR_OK;
}

static const findlr_data_vtable vtable = {
  .struct_size = sizeof(findlr_data_vtable),
  .create = create,
  .destroy = destroy,
  .describe = describe,
  .gather = gather,
};

const findlr_component findlr__digits = {
  .struct_size = sizeof(findlr_component),
  .kind = FINDLR_KIND_DATA,
  .name = "digits",
  .help = "the 1,797 8x8 handwritten digits of the UCI Machine Learning Repository",
  .vtable = &vtable,
};
