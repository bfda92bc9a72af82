/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "../common/table.h"

/* NumPy's .npy files, versions 1 to 3: a magic, a version, the length of a header, the header (a
 * Python dictionary of descr, fortran_order and shape), then the numbers. The header is read by its
 * grammar and never evaluated; pickled objects are refused. Inputs of bytes are scaled to [0, 1],
 * float32 and float64 are kept, everything else becomes float64. */

typedef struct npy {
  const findlr_host *host;
  void *ctx;
  char name[TABLE_QUOTE_SIZE];
  bytes file;
  const unsigned char *data; /* the numbers, in the file or, if they lay in Fortran's order, a copy */
  const char *at, *end;      /* what is left of the header */
  char kind;                 /* of the numbers, as table_number has it, or 'b' for booleans */
  int size;
  bool big_endian, fortran;
  int32_t ndim;
  int64_t shape[TABLE_MOST_DIMS];
  int64_t count; /* of all numbers */
} npy;

/* --- the header ------------------------------------------------------------------------------ */

static int32_t bad_header(const npy *x) {
  return table_fail(x, FINDLR_ERR_FORMAT,
                    "%s is no .npy file: its header is not a dictionary of descr, fortran_order and "
                    "shape",
                    x->name);
}

static void skip_spaces(npy *x) {
  while (x->at < x->end && (*x->at == ' ' || *x->at == '\n' || *x->at == '\t' || *x->at == '\r'))
    x->at++;
}

static bool take(npy *x, const char *word) {
  size_t n = strlen(word);
  skip_spaces(x);
  if ((size_t)(x->end - x->at) < n || memcmp(x->at, word, n) != 0)
    return false;
  x->at += n;
  return true;
}

/* A string in single or double quotes; NULL if there is none. */
static const char *take_string(npy *x, size_t *size) {
  skip_spaces(x);
  if (x->at == x->end || (*x->at != '\'' && *x->at != '"'))
    return NULL;
  const char *start = x->at + 1, *close = memchr(start, *x->at, (size_t)(x->end - start));
  if (!close)
    return NULL;
  x->at = close + 1;
  *size = (size_t)(close - start);
  return start;
}

static int32_t read_descr(npy *x) {
  skip_spaces(x);
  if (x->at < x->end && *x->at == '[')
    return table_fail(x, FINDLR_ERR_UNSUPPORTED, "%s has a structured dtype, wanted plain numbers",
                      x->name);
  size_t n;
  const char *descr = take_string(x, &n);
  if (!descr)
    return bad_header(x);
  if (n >= 2 && descr[1] == 'O')
    return table_fail(x, FINDLR_ERR_UNSUPPORTED, "%s holds Python objects, wanted numbers", x->name);
  bool known = n == 3 && memchr("biuf", descr[1], 4) && memchr("1248", descr[2], 4);
  if (known) {
    x->kind = descr[1];
    x->size = descr[2] - '0';
    x->big_endian = descr[0] == '>';
    known = (descr[0] == '<' || descr[0] == '>' || (descr[0] == '|' && x->size == 1)) &&
            (x->kind != 'f' || x->size >= 4) && (x->kind != 'b' || x->size == 1);
  }
  char quoted[TABLE_QUOTE_SIZE];
  return known ? FINDLR_OK
               : table_fail(x, FINDLR_ERR_UNSUPPORTED,
                            "%s has dtype \"%s\", wanted b1, i1 to i8, u1 to u8, f4 or f8", x->name,
                            table_quote(quoted, descr, n));
}

static int32_t read_shape(npy *x) {
  if (!take(x, "("))
    return bad_header(x);
  while (!take(x, ")")) {
    int64_t size = 0;
    const char *start = x->at;
    for (; x->at < x->end && *x->at >= '0' && *x->at <= '9'; x->at++)
      size = size < INT64_MAX / 20 ? size * 10 + (*x->at - '0') : INT64_MAX / 10;
    if (x->at == start)
      return bad_header(x);
    if (x->ndim == TABLE_MOST_DIMS)
      return table_fail(x, FINDLR_ERR_FORMAT, "%s has more than %d dimensions", x->name,
                        TABLE_MOST_DIMS);
    x->shape[x->ndim++] = size;
    take(x, "L"); /* as Python 2 wrote it */
    if (!take(x, ",") && (skip_spaces(x), x->at == x->end || *x->at != ')'))
      return bad_header(x);
  }
  return FINDLR_OK;
}

static int32_t read_dictionary(npy *x) {
  enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };
  int seen = 0;
  if (!take(x, "{"))
    return bad_header(x);
  while (!take(x, "}")) {
    size_t n;
    const char *key = take_string(x, &n);
    if (!key || !take(x, ":"))
      return bad_header(x);
    int which = n == 5 && memcmp(key, "descr", n) == 0            ? DESCR
                : n == 13 && memcmp(key, "fortran_order", n) == 0 ? ORDER
                : n == 5 && memcmp(key, "shape", n) == 0          ? SHAPE
                                                                  : 0;
    int32_t status = FINDLR_OK;
    if (which == 0 || seen & which)
      return bad_header(x);
    else if (which == DESCR)
      status = read_descr(x);
    else if (which == SHAPE)
      status = read_shape(x);
    else if (take(x, "True"))
      x->fortran = true;
    else if (!take(x, "False"))
      return bad_header(x);
    if (status)
      return status;
    seen |= which;
    if (!take(x, ",") && (skip_spaces(x), x->at == x->end || *x->at != '}'))
      return bad_header(x);
  }
  skip_spaces(x);
  return seen == ALL && x->at == x->end ? FINDLR_OK : bad_header(x);
}

/* The size of the header's promise against that of the file: before anything is allocated, and such
 * that no product overflows. */
static int32_t check_size(npy *x, size_t start) {
  if (x->ndim < 1)
    return table_fail(x, FINDLR_ERR_FORMAT, "%s holds a single number, wanted rows", x->name);
  size_t room = (x->file.size - start) / (size_t)x->size;
  x->count = 1;
  for (int32_t d = 0; d < x->ndim; d++) {
    if (x->shape[d] == 0)
      return table_fail(x, FINDLR_ERR_FORMAT, "%s has no rows: dimension %d is 0", x->name, (int)d);
    if ((uint64_t)x->shape[d] > room / (uint64_t)x->count)
      return table_fail(x, FINDLR_ERR_FORMAT,
                        "%s is truncated: its header promises more numbers than the %zu that it has",
                        x->name, room);
    x->count *= x->shape[d];
  }
  size_t trailing = x->file.size - start - (size_t)x->count * (size_t)x->size;
  if (trailing)
    return table_fail(x, FINDLR_ERR_FORMAT,
                      "%s has %zu bytes after the numbers that its header promises", x->name,
                      trailing);
  x->data = x->file.data + start;
  return FINDLR_OK;
}

static int32_t read_header(npy *x) {
  const unsigned char *head = x->file.data;
  size_t size = x->file.size;
  if (size >= 2 && memcmp(head, "PK", 2) == 0)
    return table_fail(x, FINDLR_ERR_UNSUPPORTED,
                      "%s is a zip archive, as .npz files are, wanted a single .npy array", x->name);
  if (size < 10 || memcmp(head, "\x93NUMPY", 6) != 0)
    return table_fail(x, FINDLR_ERR_FORMAT, "%s is no .npy file: it does not begin with \\x93NUMPY",
                      x->name);
  if (head[6] < 1 || head[6] > 3)
    return table_fail(x, FINDLR_ERR_UNSUPPORTED, "%s is of .npy version %d, wanted 1, 2 or 3",
                      x->name, (int)head[6]);
  size_t before = head[6] == 1 ? 10 : 12;
  if (size < before)
    return table_fail(x, FINDLR_ERR_FORMAT, "%s is truncated: its header ends early", x->name);
  size_t length = (size_t)table_number(head + 8, 'u', head[6] == 1 ? 2 : 4, false);
  if (length > size - before)
    return table_fail(x, FINDLR_ERR_FORMAT, "%s is truncated: its header ends early", x->name);
  x->at = (const char *)head + before;
  x->end = x->at + length;
  int32_t status = read_dictionary(x);
  return status ? status : check_size(x, before + length);
}

/* --- the numbers ----------------------------------------------------------------------------- */

/* Fortran's order has the first dimension running fastest; ours has the last. */
static int32_t to_c_order(table *t, npy *x) {
  if (!x->fortran || x->ndim < 2)
    return FINDLR_OK;
  unsigned char *copy = table_allocate(t, x->count, (size_t)x->size, x->name);
  if (!copy)
    return FINDLR_ERR_NO_MEMORY;
  int64_t strides[TABLE_MOST_DIMS], index[TABLE_MOST_DIMS] = { 0 }, stride = 1, to = 0;
  for (int32_t d = x->ndim - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= x->shape[d];
  }
  for (int64_t from = 0; from < x->count; from++) {
    memcpy(copy + to * x->size, x->data + from * x->size, (size_t)x->size);
    for (int32_t d = 0; d < x->ndim; d++) {
      to += strides[d];
      if (++index[d] < x->shape[d])
        break;
      to -= index[d] * strides[d];
      index[d] = 0;
    }
  }
  x->data = copy;
  bytes_free(&x->file);
  return FINDLR_OK;
}

static int32_t not_finite(const npy *x, int64_t i) {
  int64_t columns = x->count / x->shape[0];
  return table_fail(x, FINDLR_ERR_FORMAT, "%s: number %lld of row %lld is not finite (both from 0)",
                    x->name, (long long)(i % columns), (long long)(i / columns));
}

static double number(const npy *x, int64_t i) {
  return table_number(x->data + (size_t)i * (size_t)x->size, x->kind == 'b' ? 'u' : x->kind, x->size,
                      x->big_endian);
}

/* Can the numbers stay where they are? */
static bool fits_as_it_is(const npy *x) {
  const uint16_t one = 1;
  unsigned char first;
  memcpy(&first, &one, 1);
  if (x->kind == 'u' && x->size == 1)
    return true;
  return x->kind == 'f' && x->big_endian == (first == 0) && (uintptr_t)x->data % (size_t)x->size == 0;
}

static int32_t take_inputs(table *t, npy *x) {
  t->rows = x->shape[0];
  t->features = x->count / x->shape[0];
  t->input_ndim = x->ndim > 1 ? x->ndim - 1 : 1;
  t->input_shape[0] = 1;
  for (int32_t d = 1; d < x->ndim; d++)
    t->input_shape[d - 1] = x->shape[d];
  int32_t status = to_c_order(t, x);
  if (status)
    return status;
  for (int64_t i = 0; x->kind == 'f' && i < x->count; i++)
    if (!isfinite(number(x, i)))
      return not_finite(x, i);
  if (fits_as_it_is(x)) {
    t->input_dtype = x->kind == 'u' ? FINDLR_DTYPE_UINT8
                     : x->size == 4 ? FINDLR_DTYPE_FLOAT32
                                    : FINDLR_DTYPE_FLOAT64;
    t->inputs = x->data;
    if (x->file.data)
      table_adopt(t, &x->file);
    return FINDLR_OK;
  }
  double *inputs = table_allocate(t, x->count, sizeof *inputs, x->name);
  if (!inputs)
    return FINDLR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < x->count; i++)
    inputs[i] = number(x, i);
  if (!x->file.data)
    table_release(t, x->data);
  t->input_dtype = FINDLR_DTYPE_FLOAT64;
  t->inputs = inputs;
  return FINDLR_OK;
}

static int32_t take_targets(table *t, npy *x, const char *inputs, uint32_t kind) {
  if (x->ndim > 2)
    return table_fail(t, FINDLR_ERR_FORMAT,
                      "%s has %d dimensions, wanted [rows] or [rows, columns] for targets", x->name,
                      (int)x->ndim);
  if (x->shape[0] != t->rows)
    return table_fail(t, FINDLR_ERR_FORMAT, "%s has %lld rows and %s %lld", inputs,
                      (long long)t->rows, x->name, (long long)x->shape[0]);
  t->target_columns = x->count / t->rows;
  if (kind == TABLE_CLASSES && t->target_columns > 1)
    return table_fail(t, FINDLR_ERR_FORMAT, "%s has %lld columns, wanted one for classes", x->name,
                      (long long)t->target_columns);
  int32_t status = to_c_order(t, x);
  double *numbers = status ? NULL : table_allocate(t, x->count, sizeof *numbers, x->name);
  if (!numbers)
    return FINDLR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < x->count; i++) {
    numbers[i] = number(x, i);
    if (!isfinite(numbers[i]))
      return not_finite(x, i);
  }
  t->numbers = numbers;
  table_say_inputs(t, inputs);
  if (t->target_columns == 1)
    return table_guess(t, kind, x->name, "target");
  table_say(t, ", %lld real targets a row", (long long)t->target_columns);
  return FINDLR_OK;
}

/* --- the plugin ------------------------------------------------------------------------------ */

enum { OPTION_INPUTS, OPTION_TARGETS, OPTION_KIND, OPTIONS };

static const findlr_option options[OPTIONS] = {
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "inputs", "the file of inputs, [rows, ...]", NULL,
    NULL, 0, 0 },
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "targets",
    "the file of targets, [rows] or [rows, columns]", NULL, NULL, 0, 0 },
  { sizeof(findlr_option), FINDLR_OPTION_CHOICE, "kind", TABLE_KIND_HELP, "auto",
    TABLE_KIND_CHOICES, 0, 0 },
};

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
  return table_option(&options[i], out);
}

/* On failure there is nothing to free. */
static int32_t read_npy(npy *x, table *t, const char *path) {
  *x = (npy){ .host = t->host, .ctx = t->ctx };
  table_quote(x->name, bytes_name(path), strlen(bytes_name(path)));
  int32_t status = bytes_read(&x->file, t->host, t->ctx, path);
  if (status)
    return status;
  status = read_header(x);
  if (status)
    bytes_free(&x->file);
  return status;
}

static int32_t fill(table *t, const findlr_value *const *values) {
  npy inputs, targets;
  int32_t status = read_npy(&inputs, t, values[OPTION_INPUTS]->text);
  if (status)
    return status;
  status = take_inputs(t, &inputs);
  bytes_free(&inputs.file);
  if (!status)
    status = read_npy(&targets, t, values[OPTION_TARGETS]->text);
  if (status)
    return status;
  status = take_targets(t, &targets, inputs.name, (uint32_t)values[OPTION_KIND]->integer);
  if (!status && !targets.file.data)
    table_release(t, targets.data);
  bytes_free(&targets.file);
  return status;
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

static const findlr_component component_npy = {
  .struct_size = sizeof(findlr_component),
  .kind = FINDLR_KIND_DATA,
  .name = "npy",
  .help = "inputs and targets in NumPy's array files",
  .vtable = &vtable,
  .option_count = OPTIONS,
  .option = option,
};

static const findlr_component *component(uint32_t i) {
  return i == 0 ? &component_npy : NULL;
}

static const findlr_plugin plugin = {
  .struct_size = sizeof(findlr_plugin),
  .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
  .id = "npy",
  .version = FINDLR_VERSION,
  .description = "reads NumPy's .npy files" BYTES_GZIP,
  .component = component,
};

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  return &plugin;
}
