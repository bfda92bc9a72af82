/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "../common/table.h"

/* The IDX files of the MNIST family: two zero bytes, a type, the number of dimensions, each dimension
 * as a big-endian 32-bit number, then the numbers themselves, big-endian and row-major. The images
 * keep their shape; bytes are scaled to [0, 1]. The labels are classes 0 to their largest. */

typedef struct idx {
  char name[TABLE_QUOTE_SIZE];
  bytes file;
  char kind; /* of the numbers, as table_number has it */
  int size;
  int32_t ndim;
  int64_t shape[TABLE_MOST_DIMS];
  int64_t count; /* of all numbers */
  size_t start;  /* where they begin */
} idx;

static int32_t read_type(idx *x, const findlr_host *host, void *ctx) {
  static const struct {
    unsigned char code;
    char kind;
    int size;
  } types[] = { { 0x08, 'u', 1 }, { 0x09, 'i', 1 }, { 0x0b, 'i', 2 },
                { 0x0c, 'i', 4 }, { 0x0d, 'f', 4 }, { 0x0e, 'f', 8 } };
  const unsigned char *head = x->file.data;
  if (x->file.size < 4 || head[0] != 0 || head[1] != 0)
    return findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT,
                            "%s is no IDX file: it does not begin with two zero bytes, a type and a "
                            "number of dimensions",
                            x->name);
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (types[i].code == head[2]) {
      x->kind = types[i].kind;
      x->size = types[i].size;
      return FINDLR_OK;
    }
  return findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT,
                          "%s has numbers of IDX type 0x%02x, wanted 0x08, 0x09 or 0x0b to 0x0e",
                          x->name, head[2]);
}

static int32_t read_header(idx *x, const findlr_host *host, void *ctx) {
  int32_t status = read_type(x, host, ctx);
  if (status)
    return status;
  const unsigned char *head = x->file.data;
  x->ndim = head[3];
  x->start = 4 + 4 * (size_t)x->ndim;
  if (x->ndim < 1 || x->ndim > TABLE_MOST_DIMS)
    return findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT, "%s has %d dimensions, wanted 1 to %d",
                            x->name, (int)x->ndim, TABLE_MOST_DIMS);
  if (x->file.size < x->start)
    return findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT,
                            "%s is truncated: its header ends early, after %zu bytes", x->name,
                            x->file.size);
  /* Nothing larger than the file can be meant, so that no product overflows. */
  size_t room = (x->file.size - x->start) / (size_t)x->size;
  x->count = 1;
  for (int32_t d = 0; d < x->ndim; d++) {
    x->shape[d] = (int64_t)table_number(head + 4 + 4 * d, 'u', 4, true);
    if (x->shape[d] == 0)
      return findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT, "%s has no rows: dimension %d is 0",
                              x->name, (int)d);
    if ((uint64_t)x->shape[d] > room / (uint64_t)x->count)
      return findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT,
                              "%s is truncated: its header promises more numbers than the %zu that "
                              "it has",
                              x->name, room);
    x->count *= x->shape[d];
  }
  size_t trailing = x->file.size - x->start - (size_t)x->count * (size_t)x->size;
  if (trailing)
    return findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT,
                            "%s has %zu bytes after the numbers that its header promises", x->name,
                            trailing);
  return FINDLR_OK;
}

/* On failure there is nothing to free. */
static int32_t read_idx(idx *x, const findlr_host *host, void *ctx, const char *path) {
  table_quote(x->name, bytes_name(path), strlen(bytes_name(path)));
  int32_t status = bytes_read(&x->file, host, ctx, path);
  if (status)
    return status;
  status = read_header(x, host, ctx);
  if (status)
    bytes_free(&x->file);
  return status;
}

static double number(const idx *x, int64_t i) {
  return table_number(x->file.data + x->start + (size_t)i * (size_t)x->size, x->kind, x->size, true);
}

static int32_t take_images(table *t, idx *x) {
  t->rows = x->shape[0];
  t->features = x->count / x->shape[0];
  t->input_ndim = x->ndim > 1 ? x->ndim - 1 : 1;
  t->input_shape[0] = 1;
  for (int32_t d = 1; d < x->ndim; d++)
    t->input_shape[d - 1] = x->shape[d];
  if (x->kind == 'u') {
    t->input_dtype = FINDLR_DTYPE_UINT8;
    t->inputs = x->file.data + x->start;
    table_adopt(t, &x->file);
    return FINDLR_OK;
  }
  double *inputs = table_allocate(t, x->count, sizeof *inputs, x->name);
  if (!inputs)
    return FINDLR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < x->count; i++) {
    inputs[i] = number(x, i);
    if (!isfinite(inputs[i]))
      return table_fail(t, FINDLR_ERR_FORMAT,
                        "%s: number %lld of row %lld is not finite (both from 0)", x->name,
                        (long long)(i % t->features), (long long)(i / t->features));
  }
  t->input_dtype = FINDLR_DTYPE_FLOAT64;
  t->inputs = inputs;
  return FINDLR_OK;
}

static int32_t take_labels(table *t, const idx *x, const char *images) {
  if (x->ndim != 1)
    return table_fail(t, FINDLR_ERR_FORMAT, "%s has %d dimensions, wanted 1 for labels", x->name,
                      (int)x->ndim);
  if (x->kind == 'f')
    return table_fail(t, FINDLR_ERR_FORMAT, "%s has fractions, wanted whole numbers for labels",
                      x->name);
  if (x->count != t->rows)
    return table_fail(t, FINDLR_ERR_FORMAT, "%s has %lld images and %s %lld labels", images,
                      (long long)t->rows, x->name, (long long)x->count);
  int32_t *class_of = table_allocate(t, t->rows, sizeof *class_of, x->name);
  if (!class_of)
    return FINDLR_ERR_NO_MEMORY;
  bool one_class = true;
  for (int64_t row = 0; row < t->rows; row++) {
    double label = number(x, row);
    if (label < 0 || label >= TABLE_MOST_CLASSES)
      return table_fail(t, FINDLR_ERR_FORMAT, "%s: label %lld (from 0) is %lld, wanted 0 to %d",
                        x->name, (long long)row, (long long)label, TABLE_MOST_CLASSES - 1);
    class_of[row] = (int32_t)label;
    one_class &= class_of[row] == class_of[0];
    if (class_of[row] >= t->classes)
      t->classes = class_of[row] + 1;
  }
  if (one_class)
    return table_fail(t, FINDLR_ERR_FORMAT, "%s: every label is %d, wanted at least two classes",
                      x->name, (int)class_of[0]);
  t->class_of = class_of;
  return FINDLR_OK;
}

/* --- the plugin ------------------------------------------------------------------------------ */

enum { OPTION_IMAGES, OPTION_LABELS, OPTIONS };

static const findlr_option options[OPTIONS] = {
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "images",
    "the file of images, such as train-images-idx3-ubyte.gz", NULL, NULL, 0, 0 },
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "labels",
    "the file of labels, such as train-labels-idx1-ubyte.gz", NULL, NULL, 0, 0 },
};

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
  return table_option(&options[i], out);
}

static int32_t fill(table *t, const findlr_value *const *values) {
  idx images, labels;
  int32_t status = read_idx(&images, t->host, t->ctx, values[OPTION_IMAGES]->text);
  if (status)
    return status;
  status = take_images(t, &images);
  bytes_free(&images.file);
  if (!status)
    status = read_idx(&labels, t->host, t->ctx, values[OPTION_LABELS]->text);
  if (status)
    return status;
  status = take_labels(t, &labels, images.name);
  bytes_free(&labels.file);
  if (status)
    return status;
  table_say_inputs(t, images.name);
  table_say(t, ", %lld classes (0 to %lld)", (long long)t->classes, (long long)t->classes - 1);
  return FINDLR_OK;
}

static int32_t create(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                      void **ret_self) {
  return table_create(host, ctx, spec, fill, ret_self);
}

static const findlr_data_vtable vtable = {
  .struct_size = sizeof(findlr_data_vtable),
  .create = create,
  .destroy = table_destroy,
  .describe = table_describe,
  .gather = table_gather,
};

static const findlr_component component_idx = {
  .struct_size = sizeof(findlr_component),
  .kind = FINDLR_KIND_DATA,
  .name = "idx",
  .help = "images and labels in the files of the MNIST family",
  .vtable = &vtable,
  .option_count = OPTIONS,
  .option = option,
};

static const findlr_component *component(uint32_t i) {
  return i == 0 ? &component_idx : NULL;
}

static const findlr_plugin plugin = {
  .struct_size = sizeof(findlr_plugin),
  .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
  .id = "idx",
  .version = FINDLR_VERSION,
  .description = "reads IDX files, as MNIST has them" BYTES_GZIP,
  .component = component,
};

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  return &plugin;
}
