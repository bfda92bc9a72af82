/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "../common/table.h"

/* Comma-separated values as RFC 4180 has them, and what people write instead: other delimiters, lines
 * that end in LF, CRLF or CR, a byte order mark, blank lines, spaces round a cell. Every column but the
 * target's must hold finite numbers (kept as float64). The file is walked in place. */

enum { GUESS_TEXTS = 1000, NAME_SIZE = TABLE_QUOTE_SIZE + 32 };

typedef struct cell {
  char *text; /* without the spaces or quotes round it */
  size_t size;
  bool doubled; /* has "" inside, which means " */
} cell;

/* A place in the text. */
typedef struct reader {
  char *at, *end;
  int64_t line;
  char delimiter;
} reader;

typedef struct csv {
  const findlr_host *host;
  void *ctx;
  const findlr_host_text *text;
  char name[TABLE_QUOTE_SIZE]; /* of the file, for sentences */
  reader first;                /* where the first record begins */
  bool header;
  int64_t columns, target;
  cell *names; /* columns of them if there is a header */
} csv;

/* A target that is text, and its place among the others in order of first appearance. */
typedef struct label {
  const char *text;
  size_t size;
  int32_t id;
} label;

/* The target's column while the rows are read: it can still turn out to be numbers or classes. */
typedef struct target_column {
  double *numbers;
  int32_t *ids;
  label *labels; /* sorted by text */
  int64_t count, limit;
  bool numeric, too_many;
  int64_t text_line; /* where the first target that is no number stands, and what it is */
  char text[TABLE_QUOTE_SIZE];
} target_column;

/* --- cells ----------------------------------------------------------------------------------- */

static bool is_space(const reader *r, char c) {
  return c == ' ' || (c == '\t' && r->delimiter != '\t');
}

static bool at_line_end(const reader *r) {
  return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

static void skip_line_end(reader *r) {
  if (r->at == r->end)
    return;
  if (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
    r->at++;
  r->at++;
  r->line++;
}

/* Goes to the next line that is not blank; false if there is none. */
static bool next_record(reader *r) {
  for (;;) {
    char *start = r->at;
    while (r->at < r->end && *r->at == ' ')
      r->at++;
    if (r->at == r->end)
      return false;
    if (!at_line_end(r)) {
      r->at = start;
      return true;
    }
    skip_line_end(r);
  }
}

static int32_t read_quoted(const csv *c, reader *r, cell *out) {
  int64_t line = r->line;
  out->text = ++r->at;
  for (;; r->at++) {
    if (r->at == r->end)
      return table_fail(c, FINDLR_ERR_FORMAT, "%s, line %lld: a quote opens that never closes",
                        c->name, (long long)line);
    if (*r->at == '"') {
      if (r->at + 1 == r->end || r->at[1] != '"')
        break;
      out->doubled = true;
      r->at++;
    } else if (*r->at == '\n' || (*r->at == '\r' && r->at + 1 < r->end && r->at[1] != '\n')) {
      r->line++;
    }
  }
  out->size = (size_t)(r->at - out->text);
  r->at++;
  while (r->at < r->end && is_space(r, *r->at))
    r->at++;
  if (!at_line_end(r) && *r->at != r->delimiter)
    return table_fail(c, FINDLR_ERR_FORMAT,
                      "%s, line %lld: text follows a closing quote, wanted a delimiter", c->name,
                      (long long)r->line);
  return FINDLR_OK;
}

/* Reads a cell and what ends it; *last: that was the end of the record. */
static int32_t read_cell(const csv *c, reader *r, cell *out, bool *last) {
  out->doubled = false;
  while (r->at < r->end && is_space(r, *r->at))
    r->at++;
  if (r->at < r->end && *r->at == '"') {
    int32_t status = read_quoted(c, r, out);
    if (status)
      return status;
  } else {
    out->text = r->at;
    while (!at_line_end(r) && *r->at != r->delimiter)
      r->at++;
    char *end = r->at;
    while (end > out->text && is_space(r, end[-1]))
      end--;
    out->size = (size_t)(end - out->text);
  }
  *last = at_line_end(r);
  if (*last)
    skip_line_end(r);
  else
    r->at++;
  return FINDLR_OK;
}

static void undouble(cell *x) {
  if (!x->doubled)
    return;
  size_t n = 0;
  for (size_t i = 0; i < x->size; i++) {
    x->text[n++] = x->text[i];
    if (x->text[i] == '"')
      i++;
  }
  x->size = n;
  x->doubled = false;
}

static bool is_number(const csv *c, const cell *x, double *value) {
  return x->size && c->text->parse(x->text, x->size, value) == x->size;
}

/* --- the shape of the file ------------------------------------------------------------------- */

static const char delimiters[] = { ',', '\t', ';', '|' }; /* in the order of the choices after auto */

static char guess_delimiter(const reader *first) {
  int64_t counts[sizeof delimiters] = { 0 };
  bool quoted = false;
  for (const char *p = first->at; p < first->end && (quoted || (*p != '\n' && *p != '\r')); p++) {
    if (*p == '"')
      quoted = !quoted;
    for (size_t i = 0; !quoted && i < sizeof delimiters; i++)
      counts[i] += *p == delimiters[i];
  }
  size_t best = 0;
  for (size_t i = 1; i < sizeof delimiters; i++)
    if (counts[i] > counts[best])
      best = i;
  return delimiters[best];
}

/* Counts the columns of the first record. It is a header if it has no number, or a text above a
 * number of the second record. */
static int32_t look_at_first_records(csv *c, bool *header) {
  reader one = c->first, two = c->first;
  cell x, y = { NULL, 0, false };
  double value;
  bool last = false, last_below = false, any_number = false, text_above_number = false;
  while (!last) {
    int32_t status = read_cell(c, &two, &x, &last);
    if (status)
      return status;
    c->columns++;
  }
  bool below = next_record(&two);
  for (last = false; !last;) {
    int32_t status = read_cell(c, &one, &x, &last);
    if (!status && below && !last_below)
      status = read_cell(c, &two, &y, &last_below);
    else
      y.size = 0;
    if (status)
      return status;
    bool number = is_number(c, &x, &value);
    any_number |= number;
    text_above_number |= !number && is_number(c, &y, &value);
  }
  *header = !any_number || text_above_number;
  return FINDLR_OK;
}

/* Reads the header's names; r moves to the records. */
static int32_t read_names(csv *c, table *t, reader *r) {
  c->names = table_allocate(t, c->columns, sizeof *c->names, c->name);
  if (!c->names)
    return FINDLR_ERR_NO_MEMORY;
  bool last = false;
  for (int64_t i = 0; !last; i++) {
    int32_t status = read_cell(c, r, &c->names[i], &last);
    if (status)
      return status;
    undouble(&c->names[i]);
  }
  return FINDLR_OK;
}

/* column "age", or column 3 (the first is 0) where there are no names. */
static const char *column_name(const csv *c, int64_t i, char buffer[NAME_SIZE]) {
  char quoted[TABLE_QUOTE_SIZE];
  if (c->names && c->names[i].size)
    snprintf(buffer, NAME_SIZE, "column \"%s\"",
             table_quote(quoted, c->names[i].text, c->names[i].size));
  else
    snprintf(buffer, NAME_SIZE, "column %lld (the first is 0)", (long long)i);
  return buffer;
}

/* --- the target ------------------------------------------------------------------------------ */

static size_t at_least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Edit distance, for "did you mean"; names longer than 64 are far from everything. */
static size_t distance(const char *a, size_t n, const char *b, size_t m) {
  size_t row[65];
  if (n > 64 || m > 64)
    return SIZE_MAX;
  for (size_t j = 0; j <= m; j++)
    row[j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t change = corner + (a[i - 1] != b[j - 1]);
      corner = row[j];
      row[j] = at_least(change, at_least(row[j], row[j - 1]) + 1);
    }
  }
  return row[m];
}

static int32_t no_such_target(const csv *c, const char *wanted) {
  char quoted[TABLE_QUOTE_SIZE], near[TABLE_QUOTE_SIZE];
  size_t size = strlen(wanted), best_distance = size / 3 + 2;
  const cell *best = NULL;
  for (int64_t i = 0; c->names && i < c->columns; i++) {
    size_t d = distance(wanted, size, c->names[i].text, c->names[i].size);
    if (d < best_distance && d < size) {
      best_distance = d;
      best = &c->names[i];
    }
  }
  table_quote(quoted, wanted, size);
  if (best)
    return table_fail(c, FINDLR_ERR_NOT_FOUND,
                      "%s has no column \"%s\" for the target; did you mean \"%s\"?", c->name,
                      quoted, table_quote(near, best->text, best->size));
  return table_fail(c, FINDLR_ERR_NOT_FOUND,
                    "%s has no column \"%s\" for the target, wanted %san index from %lld to %lld",
                    c->name, quoted, c->names ? "a name of its header or " : "",
                    -(long long)c->columns, (long long)c->columns - 1);
}

/* A name goes before an index; the last of equal names is never meant by accident. */
static int32_t find_target(csv *c, const findlr_value *wanted) {
  size_t size = strlen(wanted->text);
  int64_t found = -1;
  for (int64_t i = 0; wanted->given && c->names && i < c->columns; i++) {
    if (c->names[i].size != size || memcmp(c->names[i].text, wanted->text, size) != 0)
      continue;
    char quoted[TABLE_QUOTE_SIZE];
    if (found >= 0)
      return table_fail(c, FINDLR_ERR_ARGUMENT,
                        "%s has two columns \"%s\", wanted the target's index", c->name,
                        table_quote(quoted, wanted->text, size));
    found = i;
  }
  double index;
  if (found < 0) {
    if (c->text->parse(wanted->text, size, &index) != size || !(fabs(index) <= (double)c->columns) ||
        index != floor(index) || index == (double)c->columns)
      return no_such_target(c, wanted->text);
    found = (int64_t)index;
    if (found < 0)
      found += c->columns;
  }
  c->target = found;
  return FINDLR_OK;
}

static int compare(const label *a, const cell *b) {
  int order = memcmp(a->text, b->text, at_least(a->size, b->size));
  return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int32_t label_id(target_column *y, const cell *x) {
  int64_t low = 0, high = y->count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    int order = compare(&y->labels[middle], x);
    if (order == 0)
      return y->labels[middle].id;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (y->count == y->limit) {
    y->too_many = true;
    return 0;
  }
  memmove(y->labels + low + 1, y->labels + low, (size_t)(y->count - low) * sizeof *y->labels);
  y->labels[low] = (label){ x->text, x->size, (int32_t)y->count };
  return (int32_t)y->count++;
}

static int32_t read_target(const csv *c, target_column *y, int64_t row, int64_t line, cell *x,
                           uint32_t kind) {
  char name[NAME_SIZE];
  undouble(x);
  if (x->size == 0)
    return table_fail(c, FINDLR_ERR_FORMAT, "%s, line %lld: the target, %s, is empty", c->name,
                      (long long)line, column_name(c, c->target, name));
  double value = 0;
  bool number = is_number(c, x, &value);
  char quoted[TABLE_QUOTE_SIZE];
  if ((number && !isfinite(value)) || (!number && kind == TABLE_REAL))
    return table_fail(c, FINDLR_ERR_FORMAT,
                      "%s, line %lld: the target, %s, holds \"%s\", wanted a finite number", c->name,
                      (long long)line, column_name(c, c->target, name),
                      table_quote(quoted, x->text, x->size));
  if (!number && y->numeric) {
    y->numeric = false;
    y->text_line = line;
    table_quote(y->text, x->text, x->size);
  }
  y->numbers[row] = value;
  y->ids[row] = y->too_many ? 0 : label_id(y, x);
  return FINDLR_OK;
}

/* Classes from texts: numbered in the order of their bytes. */
static int32_t make_classes(const csv *c, table *t, target_column *y, const char *what) {
  char quoted[TABLE_QUOTE_SIZE];
  if (y->too_many)
    return table_fail(c, FINDLR_ERR_FORMAT,
                      "%s, line %lld: %s holds \"%s\", which is no number, and more than %lld "
                      "different values, too many to be classes",
                      c->name, (long long)y->text_line, what, y->text, (long long)y->limit);
  if (y->count == 1)
    return table_fail(c, FINDLR_ERR_FORMAT,
                      "%s: %s is \"%s\" in every row, wanted at least two classes", c->name, what,
                      y->text);
  int32_t *class_of_id = table_allocate(t, y->count, sizeof *class_of_id, c->name);
  if (!class_of_id)
    return FINDLR_ERR_NO_MEMORY;
  table_say(t, ", %s: %lld classes (", what, (long long)y->count);
  for (int64_t i = 0; i < y->count; i++) {
    class_of_id[y->labels[i].id] = (int32_t)i;
    if (i < 8)
      table_say(t, "%s%s", i ? ", " : "",
                table_quote(quoted, y->labels[i].text, y->labels[i].size));
  }
  table_say(t, y->count > 8 ? ", ...)" : ")");
  for (int64_t row = 0; row < t->rows; row++)
    y->ids[row] = class_of_id[y->ids[row]];
  table_release(t, class_of_id);
  t->numbers = NULL;
  t->class_of = y->ids;
  t->classes = y->count;
  return FINDLR_OK;
}

/* --- the rows -------------------------------------------------------------------------------- */

static int32_t ragged(const csv *c, int64_t line, int64_t columns) {
  return table_fail(c, FINDLR_ERR_FORMAT,
                    "%s, line %lld has %lld column%s, wanted %lld as in line %lld", c->name,
                    (long long)line, (long long)columns, columns == 1 ? "" : "s",
                    (long long)c->columns, (long long)c->first.line);
}

static int32_t read_feature(const csv *c, int64_t line, int64_t column, const cell *x, double *out) {
  if (is_number(c, x, out) && isfinite(*out))
    return FINDLR_OK;
  char name[NAME_SIZE], quoted[TABLE_QUOTE_SIZE];
  column_name(c, column, name);
  if (x->size == 0)
    return table_fail(c, FINDLR_ERR_FORMAT, "%s, line %lld: %s is empty, wanted a number", c->name,
                      (long long)line, name);
  return table_fail(c, FINDLR_ERR_FORMAT, "%s, line %lld: %s holds \"%s\", wanted a %snumber",
                    c->name, (long long)line, name, table_quote(quoted, x->text, x->size),
                    is_number(c, x, out) ? "finite " : "");
}

static int32_t read_row(const csv *c, reader *r, target_column *y, int64_t row, double *features,
                        uint32_t kind) {
  int64_t line = r->line, i = 0;
  for (bool last = false; !last; i++) {
    cell x;
    int32_t status = read_cell(c, r, &x, &last);
    if (!status && i == c->target)
      status = read_target(c, y, row, line, &x, kind);
    else if (!status && i < c->columns)
      status = read_feature(c, line, i, &x, features++);
    if (status)
      return status;
  }
  return i == c->columns ? FINDLR_OK : ragged(c, line, i);
}

/* No more records than line ends, and none smaller than its cells. */
static int64_t most_rows(const csv *c, const reader *r) {
  int64_t lines = 1;
  for (const char *p = r->at; p < r->end; p++)
    lines += *p == '\n' || (*p == '\r' && (p + 1 == r->end || p[1] != '\n'));
  int64_t by_size = (int64_t)(r->end - r->at) / (2 * (c->columns - 1)) + 1;
  return lines < by_size ? lines : by_size;
}

static int32_t read_rows(csv *c, table *t, reader *r, uint32_t kind) {
  int64_t most = most_rows(c, r), features = c->columns - 1;
  target_column y = { .numeric = true,
                      .limit = kind == TABLE_CLASSES ? TABLE_MOST_CLASSES : GUESS_TEXTS };
  double *inputs = table_allocate(t, most * features, sizeof *inputs, c->name);
  y.numbers = inputs ? table_allocate(t, most, sizeof *y.numbers, c->name) : NULL;
  y.ids = y.numbers ? table_allocate(t, most, sizeof *y.ids, c->name) : NULL;
  y.labels = y.ids ? table_allocate(t, y.limit, sizeof *y.labels, c->name) : NULL;
  if (!y.labels)
    return FINDLR_ERR_NO_MEMORY;
  int64_t rows = 0;
  for (; next_record(r); rows++) {
    int32_t status = read_row(c, r, &y, rows, inputs + rows * features, kind);
    if (status)
      return status;
  }
  if (rows == 0)
    return table_fail(c, FINDLR_ERR_FORMAT, "%s has a header and no rows", c->name);

  t->rows = rows;
  t->input_ndim = 1;
  t->input_shape[0] = t->features = features;
  t->input_dtype = FINDLR_DTYPE_FLOAT64;
  t->inputs = inputs;
  t->numbers = y.numbers;
  char what[NAME_SIZE + 8], quoted[TABLE_QUOTE_SIZE];
  if (c->names && c->names[c->target].size)
    snprintf(what, sizeof what, "target \"%s\"",
             table_quote(quoted, c->names[c->target].text, c->names[c->target].size));
  else
    snprintf(what, sizeof what, "target column %lld", (long long)c->target);
  table_say_inputs(t, c->name);
  int32_t status = y.numeric ? table_guess(t, kind, c->name, what) : make_classes(c, t, &y, what);
  table_release(t, y.labels);
  table_release(t, c->names);
  if (t->class_of != y.ids)
    table_release(t, y.ids);
  return status;
}

/* --- the plugin ------------------------------------------------------------------------------ */

enum { OPTION_FILE, OPTION_TARGET, OPTION_HEADER, OPTION_DELIMITER, OPTION_KIND, OPTIONS };

static const findlr_option options[OPTIONS] = {
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "file", "the file, which gzip may have packed", NULL,
    NULL, 0, 0 },
  { sizeof(findlr_option), FINDLR_OPTION_TEXT, "target",
    "the column to predict: its name, or its index from 0, or from the end (-1 is the last)", "-1",
    NULL, 0, 0 },
  { sizeof(findlr_option), FINDLR_OPTION_CHOICE, "header",
    "whether the first line has names; auto: if it has a text above a number, or no number", "auto",
    "auto|yes|no", 0, 0 },
  { sizeof(findlr_option), FINDLR_OPTION_CHOICE, "delimiter",
    "what stands between cells; auto: what the first line has most of", "auto",
    "auto|comma|tab|semicolon|pipe", 0, 0 },
  { sizeof(findlr_option), FINDLR_OPTION_CHOICE, "kind", TABLE_KIND_HELP, "auto",
    TABLE_KIND_CHOICES, 0, 0 },
};

static int32_t option(void *user, uint32_t i, findlr_option *out) {
  (void)user;
  return table_option(&options[i], out);
}

static int32_t parse(csv *c, table *t, const bytes *file, const findlr_value *const *values) {
  const void *nul = memchr(file->data, 0, file->size);
  if (nul)
    return table_fail(c, FINDLR_ERR_FORMAT, "%s is binary (byte %zu is zero), wanted text", c->name,
                      (size_t)((const unsigned char *)nul - file->data));
  c->first = (reader){ .at = (char *)file->data, .end = (char *)file->data + file->size, .line = 1 };
  if (file->size >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0)
    c->first.at += 3;
  if (!next_record(&c->first))
    return table_fail(c, FINDLR_ERR_FORMAT, "%s is empty", c->name);
  int64_t delimiter = values[OPTION_DELIMITER]->integer, header = values[OPTION_HEADER]->integer;
  c->first.delimiter = delimiter ? delimiters[delimiter - 1] : guess_delimiter(&c->first);

  bool looks_like_header;
  int32_t status = look_at_first_records(c, &looks_like_header);
  if (status)
    return status;
  if (c->columns < 2)
    return table_fail(c, FINDLR_ERR_FORMAT,
                      "%s has one column, wanted at least one feature and a target", c->name);
  reader r = c->first;
  if (header == 0 ? looks_like_header : header == 1)
    status = read_names(c, t, &r);
  if (!status)
    status = find_target(c, values[OPTION_TARGET]);
  return status ? status : read_rows(c, t, &r, (uint32_t)values[OPTION_KIND]->integer);
}

static int32_t fill(table *t, const findlr_value *const *values) {
  const char *path = values[OPTION_FILE]->text;
  csv c = { .host = t->host,
            .ctx = t->ctx,
            .text = t->host->get_extension(t->ctx, FINDLR_EXT_TEXT) };
  if (!c.text)
    return table_fail(t, FINDLR_ERR_UNSUPPORTED, "the host offers no %s", FINDLR_EXT_TEXT);
  table_quote(c.name, bytes_name(path), strlen(bytes_name(path)));
  bytes file;
  int32_t status = bytes_read(&file, t->host, t->ctx, path);
  if (status)
    return status;
  status = parse(&c, t, &file, values);
  bytes_free(&file);
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

static const findlr_component component_csv = {
  .struct_size = sizeof(findlr_component),
  .kind = FINDLR_KIND_DATA,
  .name = "csv",
  .help = "rows of numbers in a text file",
  .vtable = &vtable,
  .option_count = OPTIONS,
  .option = option,
};

static const findlr_component *component(uint32_t i) {
  return i == 0 ? &component_csv : NULL;
}

static const findlr_plugin plugin = {
  .struct_size = sizeof(findlr_plugin),
  .abi_minor_needed = FINDLR_PLUGIN_MIN_MINOR,
  .id = "csv",
  .version = FINDLR_VERSION,
  .description = "reads comma-separated values" BYTES_GZIP,
  .component = component,
};

FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void);
FINDLR_PLUGIN_EXPORT const findlr_plugin *findlr_plugin_entry_v1(void) {
  return &plugin;
}
