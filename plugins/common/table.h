/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_PLUGINS_TABLE_H
#define FINDLR_PLUGINS_TABLE_H

#include <stdbool.h>

#include "bytes.h"

/* Rows in memory: what every data plugin makes of its file. The plugin fills one, and the table does
 * the rest of the vtable.
 *
 * Targets are classes if they are texts, or integers with at most TABLE_GUESS_CLASSES distinct values;
 * else real numbers. Classes are numbered in the order of the values, texts in the order of their
 * bytes. Targets that are all the same are an error: there is nothing to learn. */

enum {
  TABLE_MOST_DIMS = 32,
  TABLE_GUESS_CLASSES = 20,
  TABLE_MOST_CLASSES = 65536,
  TABLE_QUOTE_SIZE = 48
};

/* What to make of a column of numbers: the option "kind", in the order of TABLE_KIND_CHOICES. */
enum { TABLE_AUTO = 0, TABLE_CLASSES = 1, TABLE_REAL = 2 };
#define TABLE_KIND_CHOICES "auto|classes|real"
#define TABLE_KIND_HELP                                                                            \
  "what targets are; auto: classes if texts, or integers with at most 20 distinct values"

typedef struct table {
  const findlr_host *host;
  void *ctx;
  int64_t rows;
  int32_t input_ndim;
  int64_t input_shape[TABLE_MOST_DIMS];
  int64_t features;     /* the product of input_shape */
  uint32_t input_dtype; /* FINDLR_DTYPE_FLOAT32 or FLOAT64, or UINT8: in [0, 1] by 1/255 */
  const void *inputs;   /* [rows, features], compact */
  int64_t target_columns;
  const double *numbers;   /* [rows, target_columns]; NULL: the classes */
  const int32_t *class_of; /* [rows]; NULL if classes is 0 */
  int64_t classes;
  char about[512];
  struct {
    void *ptr;
    size_t size;
  } blocks[8]; /* the memory that it owns */
} table;

/* The vtable's create, for a plugin whose fill makes the table from the values of its options; and the
 * rest of the vtable. */
int32_t table_create(const findlr_host *host, void *ctx, const findlr_data_spec *spec,
                     int32_t (*fill)(table *t, const findlr_value *const *values), void **ret_self);
void table_destroy(void *self);
int32_t table_describe(void *self, findlr_data_info *out);
int32_t table_gather(void *self, const int64_t *rows, int64_t n, const findlr_tensor *inputs,
                     const findlr_tensor *targets);

/* Gives an option to a host that may know a shorter or longer struct. */
int32_t table_option(const findlr_option *option, findlr_option *out);

/* Memory for n things of that size (n * size is checked), owned by the table, not cleared. NULL, with
 * the host told, if it cannot be had; `what` names the file that it is for. */
void *table_allocate(table *t, int64_t n, size_t size, const char *what);
/* Gives memory back early. */
void table_release(table *t, const void *ptr);
/* Takes over what a file read. */
void table_adopt(table *t, bytes *b);

/* Sets the error; always returns code. */
#define table_fail(t, code, ...) findlr_host_fail((t)->host, (t)->ctx, code, __VA_ARGS__)

/* "name: 150 rows, 4 features"; table_say adds to it. */
void table_say_inputs(table *t, const char *name);
void table_say(table *t, const char *format, ...) FINDLR__PRINTF(2, 3);

/* Makes classes of t->numbers (one column, all finite) or leaves them real, and says so. what names
 * them in sentences: "iris.csv: target \"species\"". */
int32_t table_guess(table *t, uint32_t kind, const char *file, const char *what);

/* At most TABLE_QUOTE_SIZE - 1 bytes of what a file holds, fit to be shown: control characters and
 * broken UTF-8 become '?', a cut is marked with "...". Returns buffer. */
const char *table_quote(char buffer[TABLE_QUOTE_SIZE], const char *text, size_t n);

/* One number of a binary file: kind 'i', 'u' or 'f', size 1, 2, 4 or 8. */
double table_number(const unsigned char *p, char kind, int size, bool big_endian);

#endif
