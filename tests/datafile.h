/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TESTS_DATAFILE_H
#define FINDLR_TESTS_DATAFILE_H

/* What the tests of the data plugins share: files in a directory of their own, and the data source that
 * a spec opens. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

#include "support.h"

static findlr_context *context;
static char directory[] = "/tmp/findlr-test-XXXXXX";

static void datafile_setup(void) {
  ERR;
  strcpy(directory + strlen(directory) - 6, "XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(directory));
  ck_ok(findlr_context_create(NULL, &context, &err));
}

static void datafile_teardown(void) {
  findlr_context_destroy(context);
  ck_assert_int_eq(chdir(directory), 0);
  DIR *d = opendir(".");
  for (struct dirent *entry; (entry = readdir(d)) != NULL;)
    unlink(entry->d_name);
  closedir(d);
  rmdir(directory);
}

/* The path of a file of that name; valid until the fourth call after. */
static const char *path_of(const char *name) {
  static char paths[4][256];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", directory, name);
  return path;
}

/* A new file each time: some file systems wait for the disk when an old one is cut and rewritten. */
static void write_bytes(const char *name, const void *bytes, size_t n) {
  unlink(path_of(name));
  FILE *file = fopen(path_of(name), "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
  ck_assert_int_eq(fclose(file), 0);
}

static inline void write_text(const char *name, const char *text) {
  write_bytes(name, text, strlen(text));
}

#ifdef HAVE_ZLIB
/* Packs n bytes as one gzip member into memory of at least n + 100 bytes; returns its size. */
static inline size_t pack(const void *bytes, size_t n, unsigned char *out) {
  z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (unsigned)n };
  ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_out = out;
  z.avail_out = (unsigned)n + 100;
  ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
  deflateEnd(&z);
  return z.total_out;
}
#endif

/* Opens what "NAME:items" says through this host; "@" in the items is the directory of the test. */
static int32_t open_through(const findlr_host *host, void *ctx, const char *items,
                            findlr_data *ret_data, findlr_error *err) {
  char text[1024];
  size_t n = 0;
  for (const char *c = items; *c; c++) {
    if (*c == '@')
      n += (size_t)snprintf(text + n, sizeof text - n, "%s", directory);
    else
      text[n++] = *c;
  }
  text[n] = 0;
  findlr_spec *spec;
  int32_t status = findlr_spec_parse(context, FINDLR_KIND_DATA, text, &spec, err);
  if (status)
    return status;
  const findlr_component *component = findlr_spec_component(spec);
  findlr_data_spec given = { .struct_size = sizeof given, .threads = 1, .user = component->user };
  given.options = findlr_spec_values(spec, &given.option_count);
  *ret_data = (findlr_data){ sizeof *ret_data, 0, component->vtable, NULL };
  status = ret_data->vtable->create(host, ctx, &given, &ret_data->self);
  findlr_spec_destroy(spec);
  if (status) {
    err->code = status;
    snprintf(err->message, sizeof err->message, "%s", findlr_context_host_error(context));
  }
  return status;
}

static int32_t open_data(const char *items, findlr_data *ret_data, findlr_error *err) {
  void *ctx;
  const findlr_host *host = findlr_context_host(context, &ctx);
  return open_through(host, ctx, items, ret_data, err);
}

static void close_data(findlr_data *data) {
  data->vtable->destroy(data->self);
}

static findlr_data_info describe(const findlr_data *data) {
  findlr_data_info info = { .struct_size = sizeof info };
  ck_assert_int_eq(data->vtable->describe(data->self, &info), FINDLR_OK);
  return info;
}

/* Inputs of one row; real targets of one row; the class of one row. */
static findlr_tensor tensor(void *data, uint32_t dtype, int32_t ndim, int64_t *shape) {
  return (findlr_tensor){ .data = data, .device_type = FINDLR_DEVICE_CPU, .ndim = ndim,
                          .dtype_code = (uint8_t)dtype, .dtype_bits = (uint8_t)(dtype >> 8),
                          .dtype_lanes = 1, .shape = shape };
}

static inline void get_inputs(const findlr_data *data, int64_t row, double *values) {
  findlr_data_info info = describe(data);
  int64_t shape[40] = { 1 };
  for (int32_t d = 0; d < info.input_ndim; d++)
    shape[d + 1] = info.input_shape[d];
  findlr_tensor to = tensor(values, FINDLR_DTYPE_FLOAT64, info.input_ndim + 1, shape);
  ck_assert_int_eq(data->vtable->gather(data->self, &row, 1, &to, NULL), FINDLR_OK);
}

static inline void get_float32(const findlr_data *data, int64_t row, float *values) {
  findlr_data_info info = describe(data);
  int64_t shape[40] = { 1 };
  for (int32_t d = 0; d < info.input_ndim; d++)
    shape[d + 1] = info.input_shape[d];
  findlr_tensor to = tensor(values, FINDLR_DTYPE_FLOAT32, info.input_ndim + 1, shape);
  ck_assert_int_eq(data->vtable->gather(data->self, &row, 1, &to, NULL), FINDLR_OK);
}

static inline double get_number(const findlr_data *data, int64_t row, int64_t column) {
  findlr_data_info info = describe(data);
  double values[16];
  ck_assert_int_le(info.target_columns, 16);
  int64_t shape[] = { 1, info.target_columns };
  findlr_tensor to = tensor(values, FINDLR_DTYPE_FLOAT64, 2, shape);
  ck_assert_int_eq(data->vtable->gather(data->self, &row, 1, NULL, &to), FINDLR_OK);
  return values[column];
}

static inline int64_t get_class(const findlr_data *data, int64_t row) {
  int64_t value, shape[] = { 1 };
  findlr_tensor to = tensor(&value, FINDLR_DTYPE_INT64, 1, shape);
  ck_assert_int_eq(data->vtable->gather(data->self, &row, 1, NULL, &to), FINDLR_OK);
  return value;
}

/* The source opens and says this of itself. */
#define ck_about(items, text)                                                                      \
  do {                                                                                             \
    findlr_data ck_data;                                                                           \
    ck_ok(open_data(items, &ck_data, &err));                                                       \
    ck_assert_str_eq(describe(&ck_data).about, text);                                              \
    close_data(&ck_data);                                                                          \
  } while (0)

/* The source does not open, with exactly this sentence. */
#define ck_refused(items, status, text)                                                            \
  do {                                                                                             \
    findlr_data ck_data;                                                                           \
    ck_assert_int_eq(open_data(items, &ck_data, &err), status);                                    \
    ck_assert_str_eq(err.message, text);                                                           \
  } while (0)

/* --- every allocation fails in turn ---------------------------------------------------------- */

static void *failing_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size, size_t align) {
  test_allocator *a = ctx;
  return a->allocator.alloc(a, ptr, old_size, new_size, align);
}

static void failing_set_error(void *ctx, int32_t code, const char *text, size_t len) {
  (void)ctx;
  void *real_ctx;
  const findlr_host *host = findlr_context_host(context, &real_ctx);
  host->set_error(real_ctx, code, text, len);
}

static const void *failing_extension(void *ctx, const char *id) {
  (void)ctx;
  void *real_ctx;
  const findlr_host *host = findlr_context_host(context, &real_ctx);
  return host->get_extension(real_ctx, id);
}

static void fail_every_allocation(const char *items) {
  ERR;
  for_each_failure(a) {
    findlr_host host = { .struct_size = sizeof host, .abi_minor = FINDLR_ABI_MINOR,
                         .version = FINDLR_VERSION, .alloc = failing_alloc,
                         .set_error = failing_set_error, .get_extension = failing_extension };
    findlr_data data;
    int32_t status = open_through(&host, &a, items, &data, &err);
    ck_no_memory(status, a);
    if (!status)
      close_data(&data);
    else
      ck_assert_str_ne(err.message, "");
  }
}

/* --- broken files ---------------------------------------------------------------------------- */

static uint32_t fuzz_next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

/* Writes the file with some bytes changed, lost or repeated, `runs` times over, and opens it: either it
 * is refused with a sentence, or all of its rows can be had and are finite numbers. */
static void fuzz(const char *name, const void *bytes, size_t n, const char *items, int runs) {
  enum { MOST = 4096 };
  static const char likely[] = "\0\1\x7f\x80\xff\n\r,;\t\" '0919eE+-.xN{}()[]<>|";
  ERR;
  uint64_t state = n;
  int opened = 0;
  ck_assert_uint_le(2 * n, MOST);
  for (int run = 0; run < runs; run++) {
    unsigned char file[MOST];
    size_t size = n;
    memcpy(file, bytes, n);
    for (uint32_t changes = 1 + fuzz_next(&state) % 4; changes && size; changes--) {
      size_t at = fuzz_next(&state) % size, end = at + fuzz_next(&state) % (size - at + 1);
      switch (fuzz_next(&state) % 8) {
      case 0: /* cut */
        size = at;
        break;
      case 1: /* leave out */
        memmove(file + at, file + end, size - end);
        size -= end - at;
        break;
      case 2: /* say twice */
        if (size + (end - at) <= MOST) {
          memmove(file + end + (end - at), file + end, size - end);
          memcpy(file + end, file + at, end - at);
          size += end - at;
        }
        break;
      case 3: /* one bit */
        file[at] ^= (unsigned char)(1u << fuzz_next(&state) % 8);
        break;
      default:
        file[at] = (unsigned char)likely[fuzz_next(&state) % (sizeof likely - 1)];
      }
    }
    write_bytes(name, file, size);
    findlr_data data;
    err.message[0] = 0;
    if (open_data(items, &data, &err) != FINDLR_OK) {
      ck_assert_str_ne(err.message, "");
      continue;
    }
    opened++;
    findlr_data_info info = describe(&data);
    ck_assert_int_ge(info.rows, 1);
    ck_assert_int_ge(info.input_ndim, 1);
    int64_t features = 1;
    for (int32_t d = 0; d < info.input_ndim; d++)
      features *= info.input_shape[d];
    ck_assert_int_le(features, 8 * MOST);
    double *values = malloc((size_t)features * sizeof *values);
    for (int64_t row = 0; row < info.rows; row++) {
      get_inputs(&data, row, values);
      for (int64_t j = 0; j < features; j++)
        ck_assert(isfinite(values[j]));
      ck_assert(isfinite(get_number(&data, row, info.target_columns - 1)));
      if (info.classes) {
        ck_assert_int_ge(get_class(&data, row), 0);
        ck_assert_int_lt(get_class(&data, row), info.classes);
      }
    }
    free(values);
    close_data(&data);
  }
  ck_assert_int_gt(opened, 0); /* else the changes are too wild to reach anything */
  ck_assert_int_lt(opened, runs);
}

#endif
