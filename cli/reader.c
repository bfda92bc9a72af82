/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "record.h"

/* Reading recorded curves. Whatever the file holds, the answer is a curve or a sentence. */

enum { MOST_BYTES = 64 << 20 };

static int32_t bad(findlr_error *err, const char *path, const char *what) {
  return fail(err, FINDLR_ERR_FORMAT, "%s %s", path, what);
}

/* Reads everything, and a NUL after it. */
static int32_t slurp(const char *path, char **ret_text, size_t *ret_size, findlr_error *err) {
  bool standard = strcmp(path, "-") == 0;
  const char *name = standard ? "standard input" : path;
  FILE *stream = standard ? stdin : fopen(path, "rbe");
  if (!stream)
    return fail(err, errno == ENOENT ? FINDLR_ERR_NOT_FOUND : FINDLR_ERR_IO, "cannot read %s: %s",
                name, strerror(errno));
  char *text = NULL;
  size_t size = 0, room = 0;
  int32_t status = FINDLR_OK;
  do {
    if (size == room) {
      room = room ? 2 * room : 1 << 16;
      text = enlarge(text, room + 1);
    }
    errno = 0;
    size += fread(text + size, 1, room - size, stream);
  } while (!feof(stream) && !ferror(stream) && size <= MOST_BYTES);
  if (status == FINDLR_OK && ferror(stream))
    status = fail(err, FINDLR_ERR_IO, "cannot read %s: %s", name, strerror(errno ? errno : EIO));
  else if (status == FINDLR_OK && size > MOST_BYTES)
    status = fail(err, FINDLR_ERR_LIMIT, "%s is larger than the %d MiB that a curve file may have",
                  name, MOST_BYTES >> 20);
  if (!standard)
    fclose(stream);
  if (status != FINDLR_OK) {
    free(text);
    return status;
  }
  text[size] = 0;
  *ret_text = text;
  *ret_size = size;
  return FINDLR_OK;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* Python writes NaN, Infinity and -Infinity, which are no JSON: makes them empty texts, which
 * number_of takes for NaN. */
static void mend_not_finite(char *text) {
  static const char *const words[] = { "NaN", "-Infinity", "Infinity" };
  for (bool quoted = false; *text; text++) {
    if (*text == '\\' && quoted && text[1])
      text++;
    else if (*text == '"')
      quoted = !quoted;
    for (size_t i = 0; !quoted && i < 3; i++) {
      size_t length = strlen(words[i]);
      if (strncmp(text, words[i], length) == 0) {
        memset(text, ' ', length);
        memset(text, '"', 2);
        text += length - 1;
      }
    }
  }
}

/* A number, or NaN for null and the like; false for anything else. */
static bool number_of(const cJSON *item, double *ret) {
  bool none = cJSON_IsNull(item) || (cJSON_IsString(item) && item->valuestring[0] == 0);
  if (!none && !cJSON_IsNumber(item))
    return false;
  *ret = none ? NAN : item->valuedouble;
  return true;
}

/* Numbers of a configuration that is passed on keep every digit. */
static void make_raw(cJSON *item) {
  for (; item; item = item->next) {
    if (cJSON_IsNumber(item)) {
      char text[FINDLR_TEXT_SIZE];
      bool finite = isfinite(item->valuedouble);
      size_t size = strlen(number(item->valuedouble, text)) + 1;
      if (finite)
        item->valuestring = memcpy(cJSON_malloc(size), text, size);
      item->type = (item->type & ~0xff) | (finite ? cJSON_Raw : cJSON_NULL);
    } else
      make_raw(item->child);
  }
}

enum { MOST_GROUPS = 1024 };

/* The columns of a JSON curve, walked together. */
typedef struct columns {
  const cJSON *loss, *train_loss, *skipped, *lr[MOST_GROUPS];
  uint32_t groups;
} columns;

static int32_t array_of(const cJSON *object, const char *name, bool needed, int wanted,
                        const cJSON **ret, const char *path, findlr_error *err) {
  const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, name);
  *ret = NULL;
  if (!array || cJSON_IsNull(array)) {
    if (!needed)
      return FINDLR_OK;
    return fail(err, FINDLR_ERR_FORMAT, "%s has no array \"%.60s\"", path, name);
  }
  if (!cJSON_IsArray(array))
    return fail(err, FINDLR_ERR_FORMAT, "\"%.60s\" in %s is not an array", name, path);
  int size = cJSON_GetArraySize(array);
  if (wanted >= 0 && size != wanted)
    return fail(err, FINDLR_ERR_FORMAT, "\"%.60s\" in %s has %d entries where \"lr\" has %d", name,
                path, size, wanted);
  *ret = array->child;
  return FINDLR_OK;
}

static int32_t append(record *r, columns *c, size_t row, const char *path, findlr_error *err) {
  double rates[MOST_GROUPS], loss, train_loss;
  uint32_t flags = cJSON_IsTrue(c->skipped) ? FINDLR_POINT_SKIPPED : 0;
  for (uint32_t g = 0; g < c->groups; g++)
    if (!number_of(c->lr[g], &rates[g]) || !isfinite(rates[g]))
      return fail(err, FINDLR_ERR_FORMAT, "%s, row %zu: the learning rate is not a number", path, row);
  if (!number_of(c->loss, &loss))
    return fail(err, FINDLR_ERR_FORMAT, "%s, row %zu: the loss is neither a number nor null", path,
                row);
  train_loss = loss;
  if (c->train_loss && !number_of(c->train_loss, &train_loss))
    return fail(err, FINDLR_ERR_FORMAT, "%s, row %zu: train_loss is neither a number nor null", path,
                row);
  return findlr_curve_append(r->owned, rates, loss, train_loss, flags, err);
}

static int32_t read_columns(record *r, const cJSON *curve, const char *path, findlr_error *err) {
  columns c = { 0 };
  const cJSON *base, *groups = cJSON_GetObjectItemCaseSensitive(curve, "groups");
  int32_t status = array_of(curve, "lr", true, -1, &base, path, err);
  int n = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(curve, "lr"));
  if (status == FINDLR_OK)
    status = array_of(curve, "loss", true, n, &c.loss, path, err);
  if (status == FINDLR_OK)
    status = array_of(curve, "train_loss", false, n, &c.train_loss, path, err);
  if (status == FINDLR_OK)
    status = array_of(curve, "skipped", false, n, &c.skipped, path, err);
  if (status != FINDLR_OK)
    return status;
  if (n == 0)
    return bad(err, path, "holds no points");
  int count = cJSON_IsObject(groups) ? cJSON_GetArraySize(groups) : 0;
  if (count > MOST_GROUPS)
    return bad(err, path, "has more than 1024 parameter groups");
  r->groups = allocate(((size_t)count + 1) * sizeof *r->groups);
  r->groups[0] = "*";
  c.lr[0] = base;
  c.groups = 1;
  uint32_t g = 0;
  for (const cJSON *group = count ? groups->child : NULL; group; group = group->next, g++) {
    if (!cJSON_IsArray(group) || cJSON_GetArraySize(group) != n)
      return bad(err, path, "has a parameter group without one rate a row");
    r->groups[g] = group->string;
    c.lr[g] = group->child;
    c.groups = g + 1;
  }
  r->validation = c.train_loss != NULL;
  status = findlr_curve_create(NULL, c.groups, (size_t)n, &r->owned, err);
  for (size_t row = 1; status == FINDLR_OK && c.loss; row++) {
    if ((status = append(r, &c, row, path, err)) != FINDLR_OK)
      break;
    c.loss = c.loss->next;
    c.train_loss = c.train_loss ? c.train_loss->next : NULL;
    c.skipped = c.skipped ? c.skipped->next : NULL;
    for (g = 0; g < c.groups; g++)
      c.lr[g] = c.lr[g]->next;
  }
  return status;
}

/* The rest of a file of ours: all of it may be missing. */
static void read_about(record *r, cJSON *root) {
  const cJSON *stop = cJSON_GetObjectItemCaseSensitive(root, "stop");
  const cJSON *reason = cJSON_GetObjectItemCaseSensitive(stop, "reason");
  const cJSON *step = cJSON_GetObjectItemCaseSensitive(stop, "step");
  for (int32_t i = 0; i < FINDLR_REASON_AFTER_LAST && cJSON_IsString(reason); i++)
    if (strcmp(reason->valuestring, findlr_reason_name(i)) == 0)
      r->reason = findlr_reason_name(i);
  if (cJSON_IsNumber(step) && step->valuedouble >= 0 && step->valuedouble <= 1e7)
    r->step = (int64_t)step->valuedouble;
  cJSON *config = cJSON_GetObjectItemCaseSensitive(root, "config");
  if (cJSON_IsObject(config)) {
    const cJSON *asked = cJSON_GetObjectItemCaseSensitive(config, "num_iter");
    if (cJSON_IsNumber(asked) && asked->valuedouble >= 2 && asked->valuedouble <= 1e7)
      findlr_curve_set_requested(r->owned, (int64_t)asked->valuedouble);
    cJSON_Delete(r->config);
    r->config = cJSON_DetachItemViaPointer(root, config);
    make_raw(r->config->child);
  }
}

static int32_t read_json(record *r, char *text, size_t size, const char *path, findlr_error *err) {
  const char *end = text;
  mend_not_finite(text);
  cJSON *root = r->document = cJSON_ParseWithLengthOpts(text, size + 1, &end, true);
  if (!root) {
    size_t line = 1;
    for (const char *at = text; at < end; at++)
      line += *at == '\n';
    return fail(err, FINDLR_ERR_FORMAT, "%s, line %zu: this is not JSON, or it is cut off", path, line);
  }
  const cJSON *format = cJSON_GetObjectItemCaseSensitive(root, "format");
  if (format && !(cJSON_IsNumber(format) && format->valuedouble == 1))
    return bad(err, path, "has a format that is not 1, the one that this findlr reads");
  const cJSON *curve = cJSON_GetObjectItemCaseSensitive(root, "curve");
  int32_t status = read_columns(r, cJSON_IsObject(curve) ? curve : root, path, err);
  if (status == FINDLR_OK)
    read_about(r, root);
  return status;
}

/* --- CSV -------------------------------------------------------------------------------------- */

typedef struct field {
  const char *at;
  size_t length;
} field;

enum { MOST_FIELDS = 256 };

/* Cuts a line, without blanks and quotes around its fields. Returns how many there are. */
static size_t cut(const char *at, const char *end, char separator, field *fields) {
  size_t n = 0;
  for (;;) {
    const char *stop = at;
    bool quoted = false;
    while (stop < end && (quoted || *stop != separator))
      quoted ^= *stop++ == '"';
    const char *next = stop;
    while (at < stop && (isspace((unsigned char)*at) || *at == '"'))
      at++;
    while (stop > at && (isspace((unsigned char)stop[-1]) || stop[-1] == '"'))
      stop--;
    fields[n++] = (field){ at, (size_t)(stop - at) };
    if (next == end || n == MOST_FIELDS)
      return n;
    at = next + 1;
  }
}

static bool is(field f, const char *word) {
  if (strlen(word) != f.length)
    return false;
  for (size_t i = 0; i < f.length; i++)
    if (tolower((unsigned char)f.at[i]) != word[i])
      return false;
  return true;
}

static bool field_number(field f, double *ret) {
  static const char *const none[] = { "", "null", "none", "na", "n/a" };
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (is(f, none[i])) {
      *ret = NAN;
      return true;
    }
  return findlr_text_parse(f.at, f.length, ret) == f.length;
}

typedef struct layout {
  char separator;
  int lr, loss, skipped, train_loss; /* columns; -1: none */
} layout;

/* Finds the columns by a header, if fields are one; else the first two are lr and loss. */
static bool read_header(layout *l, const field *fields, size_t n) {
  double value;
  *l = (layout){ l->separator, -1, -1, -1, -1 };
  for (size_t i = 0; i < n; i++) {
    if (l->lr < 0 && (is(fields[i], "lr") || is(fields[i], "learning_rate") ||
                      is(fields[i], "learning rate") || is(fields[i], "rate")))
      l->lr = (int)i;
    if (l->loss < 0 && is(fields[i], "loss"))
      l->loss = (int)i;
    if (l->skipped < 0 && is(fields[i], "skipped"))
      l->skipped = (int)i;
    if (l->train_loss < 0 && is(fields[i], "train_loss"))
      l->train_loss = (int)i;
  }
  if (l->lr >= 0 && l->loss >= 0)
    return true;
  *l = (layout){ l->separator, 0, 1, -1, -1 };
  return n >= 2 && !(field_number(fields[0], &value) && field_number(fields[1], &value)) &&
         !findlr_text_parse(fields[0].at, fields[0].length, &value);
}

static int32_t not_number(findlr_error *err, const char *path, size_t line, const char *what,
                          field f) {
  return fail(err, FINDLR_ERR_FORMAT, "%s, line %zu: the %s \"%.*s\" is not a number", path, line,
              what, (int)(f.length < 40 ? f.length : 40), f.at);
}

static int32_t read_row(record *r, const layout *l, const field *fields, size_t n, size_t line,
                        const char *path, findlr_error *err) {
  double rate, loss, skipped = 0, train_loss;
  if (n <= (size_t)(l->lr > l->loss ? l->lr : l->loss))
    return fail(err, FINDLR_ERR_FORMAT, "%s, line %zu: a rate and a loss are wanted, \"%.*s\" was found",
                path, line, (int)(fields[0].length < 40 ? fields[0].length : 40), fields[0].at);
  if (!field_number(fields[l->lr], &rate) || !isfinite(rate))
    return not_number(err, path, line, "learning rate", fields[l->lr]);
  if (!field_number(fields[l->loss], &loss))
    return not_number(err, path, line, "loss", fields[l->loss]);
  train_loss = loss;
  if (l->train_loss >= 0 && (size_t)l->train_loss < n &&
      !field_number(fields[l->train_loss], &train_loss))
    return not_number(err, path, line, "train_loss", fields[l->train_loss]);
  if (l->skipped >= 0 && (size_t)l->skipped < n) {
    field f = fields[l->skipped];
    skipped = is(f, "1") || is(f, "true");
  }
  return findlr_curve_append(r->owned, &rate, loss, train_loss,
                             skipped != 0 ? FINDLR_POINT_SKIPPED : 0, err);
}

static int32_t read_csv(record *r, const char *text, size_t size, const char *path,
                        findlr_error *err) {
  if (memchr(text, 0, size))
    return bad(err, path, "is neither JSON nor CSV: it holds zero bytes");
  r->groups = allocate(sizeof *r->groups);
  r->groups[0] = "*";
  int32_t status = findlr_curve_create(NULL, 1, 0, &r->owned, err);
  layout l = { 0 };
  const char *end = text + size;
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3;
  for (size_t line = 1; text < end && status == FINDLR_OK; line++) {
    const char *stop = memchr(text, '\n', (size_t)(end - text));
    stop = stop ? stop : end;
    const char *from = text;
    text = stop < end ? stop + 1 : end;
    while (from < stop && isspace((unsigned char)*from) && *from != '\t')
      from++;
    if (from == stop || *from == '#')
      continue;
    field fields[MOST_FIELDS];
    bool first = l.separator == 0;
    if (first) {
      size_t length = (size_t)(stop - from);
      l.separator = memchr(from, ',', length) ? ',' : memchr(from, ';', length) ? ';' : '\t';
    }
    size_t n = cut(from, stop, l.separator, fields);
    if (!first || !read_header(&l, fields, n))
      status = read_row(r, &l, fields, n, line, path, err);
    else if (l.lr == 0 && l.loss == 1 && !is(fields[1], "loss"))
      status = bad(err, path, "has a header without the columns lr and loss");
  }
  if (status != FINDLR_OK)
    return status;
  r->validation = l.train_loss >= 0;
  return findlr_curve_count(r->owned) ? FINDLR_OK : bad(err, path, "holds no points");
}

int32_t record_read(const char *path, record *r, findlr_error *err) {
  char *text = NULL;
  size_t size = 0, blank = 0;
  memset(r, 0, sizeof *r);
  r->suggestion.struct_size = sizeof r->suggestion;
  findlr_smoothing_init(&r->smoothing, sizeof r->smoothing);
  int32_t status = slurp(path, &text, &size, err);
  if (status != FINDLR_OK)
    return status;
  const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
  while (blank < size && isspace((unsigned char)text[blank]))
    blank++;
  r->config = cJSON_CreateObject();
  if (blank == size)
    status = bad(err, name, "is empty");
  else if (text[blank] == '{' || text[blank] == '[')
    status = read_json(r, text, size, name, err);
  else
    status = read_csv(r, text, size, name, err);
  free(text);
  if (status == FINDLR_OK) {
    r->curve = r->owned;
    if (!r->step)
      r->step = (int64_t)findlr_curve_count(r->curve);
  } else {
    record_free(r);
    memset(r, 0, sizeof *r);
  }
  return status;
}
