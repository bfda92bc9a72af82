/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <math.h>
#include <string.h>

enum { BLOCKS = sizeof((table *)0)->blocks / sizeof((table *)0)->blocks[0] };

int32_t table_create(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                     int32_t (*fill)(table *t, const findlr_value *const *values), void **ret_self) {
  table *t = host->alloc(ctx, NULL, 0, sizeof *t, BYTES_ALIGN);
  if (!t)
    return findlr_host_fail(host, ctx, FINDLR_ERR_NO_MEMORY,
                            "there is not enough memory for a data source");
  *t = (table){ .host = host, .ctx = ctx, .target_columns = 1 };
  int32_t status = fill(t, spec->options);
  if (status)
    table_destroy(t);
  else
    *ret_self = t;
  return status;
}

void table_destroy(void *self) {
  table *t = self;
  for (int i = 0; i < BLOCKS; i++)
    if (t->blocks[i].ptr)
      t->host->alloc(t->ctx, t->blocks[i].ptr, t->blocks[i].size, 0, BYTES_ALIGN);
  t->host->alloc(t->ctx, t, sizeof *t, 0, BYTES_ALIGN);
}

int32_t table_option(const findlr_option *option, findlr_option *out) {
  uint32_t size = out->struct_size;
  memcpy(out, option, size < sizeof *out ? size : sizeof *out);
  out->struct_size = size;
  return FINDLR_OK;
}

/* --- memory ---------------------------------------------------------------------------------- */

static void own(table *t, void *ptr, size_t size) {
  int i = 0;
  while (t->blocks[i].ptr) /* there are more than any plugin needs */
    i++;
  t->blocks[i].ptr = ptr;
  t->blocks[i].size = size;
}

void *table_allocate(table *t, int64_t n, size_t size, const char *what) {
  void *ptr = NULL;
  if ((uint64_t)n <= (SIZE_MAX / 2) / size)
    ptr = t->host->alloc(t->ctx, NULL, 0, n ? (size_t)n * size : 1, BYTES_ALIGN);
  if (!ptr) {
    table_fail(t, FINDLR_ERR_NO_MEMORY, "there is not enough memory for the rows of %s", what);
    return NULL;
  }
  own(t, ptr, n ? (size_t)n * size : 1);
  return ptr;
}

void table_release(table *t, const void *ptr) {
  for (int i = 0; i < BLOCKS; i++)
    if (ptr && t->blocks[i].ptr == ptr) {
      t->host->alloc(t->ctx, t->blocks[i].ptr, t->blocks[i].size, 0, BYTES_ALIGN);
      t->blocks[i].ptr = NULL;
    }
}

void table_adopt(table *t, bytes *b) {
  own(t, b->data, b->capacity);
  b->data = NULL;
  b->size = b->capacity = 0;
}

/* --- what it says ---------------------------------------------------------------------------- */

void table_say(table *t, const char *format, ...) {
  size_t n = strlen(t->about);
  va_list args;
  va_start(args, format);
  vsnprintf(t->about + n, sizeof t->about - n, format, args);
  va_end(args);
}

/* 60000 as "60,000". */
static void say_count(table *t, int64_t count) {
  if (count >= 1000) {
    say_count(t, count / 1000);
    table_say(t, ",%03d", (int)(count % 1000));
  } else {
    table_say(t, "%d", (int)count);
  }
}

static void say_number(table *t, double value) {
  const findlr_host_text *text = t->host->get_extension(t->ctx, FINDLR_EXT_TEXT);
  char number[32];
  if (text && text->format(value, number, sizeof number))
    table_say(t, "%s", number);
  else
    table_say(t, "?");
}

void table_say_inputs(table *t, const char *name) {
  char quoted[TABLE_QUOTE_SIZE];
  table_say(t, "%s: ", table_quote(quoted, name, strlen(name)));
  say_count(t, t->rows);
  table_say(t, t->rows == 1 ? " row, " : " rows, ");
  if (t->input_ndim == 1) {
    say_count(t, t->features);
    table_say(t, t->features == 1 ? " feature" : " features");
    return;
  }
  for (int32_t d = 0; d < t->input_ndim; d++)
    table_say(t, d ? "x%lld" : "%lld", (long long)t->input_shape[d]);
  table_say(t, " inputs");
}

/* Bytes of the UTF-8 character at p, 0 if there is none fit to be shown. */
static size_t character(const unsigned char *p, size_t n) {
  if (p[0] < 0x80)
    return p[0] >= 0x20 && p[0] != 0x7f;
  size_t size = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
  if (p[0] < 0xc2 || p[0] > 0xf4 || size > n)
    return 0;
  for (size_t i = 1; i < size; i++)
    if ((p[i] & 0xc0) != 0x80)
      return 0;
  bool too_long = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
  bool surrogate = p[0] == 0xed && p[1] >= 0xa0, too_large = p[0] == 0xf4 && p[1] >= 0x90;
  bool control = p[0] == 0xc2 && p[1] < 0xa0;
  return too_long || surrogate || too_large || control ? 0 : size;
}

const char *table_quote(char buffer[TABLE_QUOTE_SIZE], const char *text, size_t n) {
  const unsigned char *p = (const unsigned char *)text;
  size_t length = 0;
  for (size_t i = 0; i < n;) {
    size_t size = character(p + i, n - i);
    if (length + (size ? size : 1) > TABLE_QUOTE_SIZE - 4) {
      memcpy(buffer + length, "...", 3);
      length += 3;
      break;
    }
    if (size)
      memcpy(buffer + length, text + i, size);
    else
      buffer[length] = '?';
    length += size ? size : 1;
    i += size ? size : 1;
  }
  buffer[length] = 0;
  return buffer;
}

/* --- targets --------------------------------------------------------------------------------- */

/* Where value is, or belongs, among n sorted ones. */
static int64_t place(const double *sorted, int64_t n, double value) {
  int64_t low = 0, high = n;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (sorted[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The distinct values, sorted; how many, or limit + 1 if there are more. With whole, a value that is
 * no integer also counts as too many. */
static int64_t distinct(const table *t, bool whole, double *values, int64_t limit) {
  int64_t n = 0;
  for (int64_t row = 0; row < t->rows; row++) {
    double value = t->numbers[row] + 0.0; /* -0 is 0 */
    if (whole && value != floor(value))
      return limit + 1;
    int64_t at = place(values, n, value);
    if (at < n && values[at] == value)
      continue;
    if (n == limit)
      return limit + 1;
    memmove(values + at + 1, values + at, (size_t)(n - at) * sizeof *values);
    values[at] = value;
    n++;
  }
  return n;
}

static void say_classes(table *t, const double *values, int64_t n) {
  say_count(t, n);
  table_say(t, " classes (");
  bool run = n > 2 && values[0] == floor(values[0]);
  for (int64_t i = 1; run && i < n; i++)
    run = values[i] == values[i - 1] + 1;
  if (run) {
    say_number(t, values[0]);
    table_say(t, " to ");
    say_number(t, values[n - 1]);
  } else {
    for (int64_t i = 0; i < n && i < 8; i++) {
      table_say(t, i ? ", " : "");
      say_number(t, values[i]);
    }
    table_say(t, n > 8 ? ", ..." : "");
  }
  table_say(t, ")");
}

static int32_t make_classes(table *t, const char *file, const double *values, int64_t n) {
  int32_t *class_of = table_allocate(t, t->rows, sizeof *class_of, file);
  if (!class_of)
    return FINDLR_ERR_NO_MEMORY;
  for (int64_t row = 0; row < t->rows; row++)
    class_of[row] = (int32_t)place(values, n, t->numbers[row]);
  t->class_of = class_of;
  t->classes = n;
  return FINDLR_OK;
}

int32_t table_guess(table *t, uint32_t kind, const char *file, const char *what) {
  double low = t->numbers[0], high = t->numbers[0];
  for (int64_t row = 1; row < t->rows; row++) {
    low = fmin(low, t->numbers[row]);
    high = fmax(high, t->numbers[row]);
  }
  if (low == high) {
    const findlr_host_text *text = t->host->get_extension(t->ctx, FINDLR_EXT_TEXT);
    char number[32] = "the same";
    if (text)
      text->format(low, number, sizeof number);
    return table_fail(t, FINDLR_ERR_FORMAT,
                      "%s: %s is %s in every row, wanted at least two classes or different numbers",
                      file, what, number);
  }
  int32_t status = FINDLR_OK;
  table_say(t, ", %s: ", what);
  if (kind != TABLE_REAL) {
    int64_t limit = kind == TABLE_AUTO ? TABLE_GUESS_CLASSES : TABLE_MOST_CLASSES;
    double *values = table_allocate(t, limit + 1, sizeof *values, file);
    if (!values)
      return FINDLR_ERR_NO_MEMORY;
    int64_t n = distinct(t, kind == TABLE_AUTO, values, limit);
    if (n <= limit) {
      say_classes(t, values, n);
      status = make_classes(t, file, values, n);
    } else if (kind == TABLE_CLASSES) {
      status = table_fail(t, FINDLR_ERR_LIMIT,
                          "%s: %s has more than %d different values, too many to be classes", file,
                          what, TABLE_MOST_CLASSES);
    }
    table_release(t, values);
  }
  if (!status && !t->classes) {
    table_say(t, "real, ");
    say_number(t, low);
    table_say(t, " to ");
    say_number(t, high);
  }
  return status;
}

/* --- reading binary numbers ------------------------------------------------------------------ */

double table_number(const unsigned char *p, char kind, int size, bool big_endian) {
  uint64_t bits = 0;
  for (int i = 0; i < size; i++)
    bits |= (uint64_t)p[big_endian ? size - 1 - i : i] << (8 * i);
  if (kind == 'f' && size == 4) {
    uint32_t half = (uint32_t)bits;
    float value;
    memcpy(&value, &half, sizeof value);
    return value;
  }
  if (kind == 'f') {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (kind == 'u' || !(bits >> (8 * size - 1)))
    return (double)bits;
  uint64_t magnitude = size == 8 ? 0 - bits : ((uint64_t)1 << (8 * size)) - bits;
  return -(double)magnitude;
}

/* --- the vtable ------------------------------------------------------------------------------ */

int32_t table_describe(void *self, findlr_data_info *out) {
  const table *t = self;
  out->rows = t->rows;
  out->input_ndim = t->input_ndim;
  out->input_shape = t->input_shape;
  out->classes = t->classes;
  out->target_columns = t->target_columns;
  out->about = t->about;
  return FINDLR_OK;
}

#define COPY(FROM, TO, value)                                                                      \
  do {                                                                                             \
    for (int64_t i = 0; i < n; i++) {                                                              \
      const FROM *from = (const FROM *)t->inputs + rows[i] * t->features;                          \
      TO *row = (TO *)to + i * t->features;                                                        \
      for (int64_t j = 0; j < t->features; j++)                                                    \
        row[j] = (TO)(value);                                                                      \
    }                                                                                              \
  } while (0)

static void gather_inputs(const table *t, const int64_t *rows, int64_t n, const findlr_tensor *out) {
  void *to = (char *)out->data + out->byte_offset;
  bool wide = out->dtype_bits == 64;
  if (t->input_dtype == FINDLR_DTYPE_UINT8) {
    float narrow[256];
    for (int i = 0; i < 256; i++)
      narrow[i] = (float)i / 255.0f;
    if (wide)
      COPY(unsigned char, double, from[j] / 255.0);
    else
      COPY(unsigned char, float, narrow[from[j]]);
  } else if (t->input_dtype == FINDLR_DTYPE_FLOAT32) {
    if (wide)
      COPY(float, double, from[j]);
    else
      COPY(float, float, from[j]);
  } else {
    if (wide)
      COPY(double, double, from[j]);
    else
      COPY(double, float, from[j]);
  }
}

static void gather_targets(const table *t, const int64_t *rows, int64_t n,
                           const findlr_tensor *out) {
  void *to = (char *)out->data + out->byte_offset;
  int64_t columns = t->target_columns;
  for (int64_t i = 0; i < n; i++) {
    if (out->dtype_code == 0) {
      ((int64_t *)to)[i] = t->class_of[rows[i]];
      continue;
    }
    for (int64_t c = 0; c < columns; c++) {
      double value = t->numbers ? t->numbers[rows[i] * columns + c] : t->class_of[rows[i]];
      if (out->dtype_bits == 64)
        ((double *)to)[i * columns + c] = value;
      else
        ((float *)to)[i * columns + c] = (float)value;
    }
  }
}

int32_t table_gather(void *self, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                     const findlr_tensor *targets) {
  const table *t = self;
  if (targets && targets->dtype_code == 0 && !t->class_of)
    return table_fail(t, FINDLR_ERR_ARGUMENT, "the targets are real numbers, not classes");
  if (inputs)
    gather_inputs(t, rows, n, inputs);
  if (targets)
    gather_targets(t, rows, n, targets);
  return FINDLR_OK;
}
