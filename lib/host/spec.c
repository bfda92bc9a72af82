/* SPDX-License-Identifier: MIT */
#include "host/spec.h"

#include <string.h>

#include "host/option.h"
#include "host/registry.h"

enum { LONGEST_SPEC = 65536 };

struct findlr_spec {
  const findlr_allocator *allocator;
  const findlr_component *component;
  uint32_t count;
  findlr_value *values;
  const findlr_value **pointers;
  char *text;
};

/* --- from text to items ---------------------------------------------------------------------- */

typedef struct item {
  const char *key; /* NULL: by position */
  size_t key_length;
  const char *value; /* between the quotes if quoted */
  size_t value_length;
  int quoted;
} item;

int32_t findlr__spec_cut(const char *text, const char *what, findlr__spec_parts *ret_parts,
                         findlr_error *err) {
  if (!text)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s: the spec string is NULL", what);
  size_t n = 0;
  while (n <= LONGEST_SPEC && text[n])
    n++;
  if (n > LONGEST_SPEC)
    return findlr__fail(err, FINDLR_ERR_LIMIT, "%s: the spec string is longer than %d bytes", what,
                        (int)LONGEST_SPEC);
  size_t valid = findlr__utf8(text, n);
  if (valid < n)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s: byte %zu of the spec string is not UTF-8",
                        what, valid + 1);
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "%s: byte %zu of the spec string is a control character", what, i + 1);
  text += strspn(text, " ");
  size_t length = strcspn(text, ":");
  ret_parts->items = text[length] ? text + length + 1 : NULL;
  while (length > 0 && text[length - 1] == ' ')
    length--;
  if (length == 0)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "%s: the spec string has no name, wanted NAME or NAME:option=value,...", what);
  ret_parts->name = text;
  ret_parts->name_length = length;
  return FINDLR_OK;
}

/* Reads the item at *at, and sets *at behind its comma, or to NULL after the last. */
static int32_t next_item(const char **at, const char *who, item *out, findlr_error *err) {
  const char *p = *at + strspn(*at, " ");
  const char *begin = p;
  *out = (item){ 0 };
  if (*p != '"') {
    size_t plain = strcspn(p, ",=\"");
    if (p[plain] == '=') {
      out->key = p;
      out->key_length = plain;
      while (out->key_length > 0 && p[out->key_length - 1] == ' ')
        out->key_length--;
      p += plain + 1;
      p += strspn(p, " ");
    }
  }
  if (*p == '"') {
    out->quoted = 1;
    out->value = ++p;
    for (; *p && *p != '"'; p++)
      if (*p == '\\' && *++p != '"' && *p != '\\')
        return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                            "%s: \\ in quotes stands before something else than \" and \\ in "
                            "\"%.*s\"",
                            who, findlr__shown(begin), begin);
    if (!*p)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s: a closing quote is missing after \"%.*s\"",
                          who, findlr__shown(out->value), out->value);
    out->value_length = (size_t)(p++ - out->value);
    p += strspn(p, " ");
    if (*p && *p != ',')
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "%s: \"%.*s\" stands after a closing quote, wanted a comma", who,
                          findlr__shown(p), p);
  } else {
    out->value = p;
    size_t length = strcspn(p, ",");
    p += length;
    while (length > 0 && out->value[length - 1] == ' ')
      length--;
    out->value_length = length;
    if (memchr(out->value, '"', length))
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "%s: a quote inside \"%.*s\", wanted quotes round the whole value", who,
                          findlr__shown(begin), begin);
    if (!out->key && length == 0)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "%s: an item is empty, wanted option=value or a value", who);
  }
  *at = *p ? p + 1 : NULL;
  return FINDLR_OK;
}

/* The value as a string of its own, without escapes; NULL if there is no memory. */
static char *unquote(const findlr_allocator *a, const item *it) {
  size_t n = it->value_length;
  if (it->quoted)
    for (size_t i = 0; i < it->value_length; i++)
      if (it->value[i] == '\\') {
        n--;
        i++;
      }
  char *text = findlr__allocate(a, n + 1);
  for (size_t i = 0, o = 0; text && i < it->value_length; i++) {
    if (it->quoted && it->value[i] == '\\')
      i++;
    text[o++] = it->value[i];
  }
  return text;
}

/* --- from items to values -------------------------------------------------------------------- */

static const char *option_name(const void *ud, uint32_t i) {
  const findlr_component *component = ud;
  findlr_option option;
  return i < component->option_count && findlr__option_get(component, i, &option) == FINDLR_OK
             ? option.name
             : NULL;
}

static int32_t unknown_option(const findlr_component *component, const char *who, const char *key,
                              size_t length, findlr_error *err) {
  char name[FINDLR__LONGEST_NAME + 1];
  const char *near = NULL;
  if (length < sizeof name) {
    memcpy(name, key, length);
    name[length] = 0;
    near = findlr__nearest(name, option_name, component);
  }
  int shown = findlr__shown(key);
  if (length < (size_t)shown)
    shown = (int)length;
  if (near)
    return findlr__fail(err, FINDLR_ERR_NOT_FOUND,
                        "%s has no option named \"%.*s\" (did you mean \"%s\"?)", who, shown, key,
                        near);
  char list[FINDLR_MESSAGE_SIZE / 2] = "";
  size_t n = 0;
  const char *known;
  for (uint32_t i = 0; n < sizeof list && (known = option_name(component, i)) != NULL; i++)
    n += findlr__format(list + n, sizeof list - n, "%s%s", i ? ", " : "", known);
  return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "%s has no option named \"%.*s\"; it has %s", who,
                      shown, key, n ? list : "none");
}

/* Which option an item is for. */
static int32_t option_of(const findlr_component *component, const item *it, uint32_t position,
                         const char *who, uint32_t *ret_index, findlr_error *err) {
  if (!it->key) {
    if (position >= component->option_count)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s has %u options, and item %u is a value more",
                          who, component->option_count, position + 1);
    *ret_index = position;
    return FINDLR_OK;
  }
  const char *name;
  for (uint32_t i = 0; (name = option_name(component, i)) != NULL; i++)
    if (strlen(name) == it->key_length && memcmp(name, it->key, it->key_length) == 0) {
      *ret_index = i;
      return FINDLR_OK;
    }
  return unknown_option(component, who, it->key, it->key_length, err);
}

static int32_t set_value(findlr_spec *spec, uint32_t index, const item *it, const char *who,
                         findlr_error *err) {
  findlr_value *value = &spec->values[index];
  findlr_option option;
  int32_t status = findlr__option_get(spec->component, index, &option);
  if (status != FINDLR_OK)
    return findlr__fail(err, FINDLR_ERR_BACKEND, "%s: describing option %u returned %d", who, index,
                        (int)status);
  if (value->text)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s: option %s is given twice", who, option.name);
  char *text = unquote(spec->allocator, it);
  value->text = text;
  if (!text)
    return findlr__no_memory(err, "an option's value");
  value->given = 1;
  return findlr__value_parse(spec->allocator, &option, text, value, who, err);
}

static int32_t set_default(findlr_spec *spec, uint32_t index, const char *who, findlr_error *err) {
  findlr_value *value = &spec->values[index];
  findlr_option option;
  int32_t status = findlr__option_get(spec->component, index, &option);
  if (status != FINDLR_OK)
    return findlr__fail(err, FINDLR_ERR_BACKEND, "%s: describing option %u returned %d", who, index,
                        (int)status);
  if (!option.default_value)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s: option %s must be given (%s)", who,
                        option.name, option.help);
  value->text = findlr__copy_string(spec->allocator, option.default_value);
  if (!value->text)
    return findlr__no_memory(err, "an option's value");
  return findlr__value_parse(spec->allocator, &option, value->text, value, who, err);
}

/* --- canonical text -------------------------------------------------------------------------- */

/* Counts, and writes where there is something to write to. */
typedef struct writer {
  char *to;
  size_t n;
} writer;

static void put(writer *w, const char *text) {
  size_t n = strlen(text);
  if (w->to)
    memcpy(w->to + w->n, text, n);
  w->n += n;
}

static void put_integer(writer *w, int64_t value) {
  char text[24];
  findlr__format(text, sizeof text, "%lld", (long long)value);
  put(w, text);
}

static void put_text(writer *w, const char *text) {
  size_t n = strlen(text);
  if (!strpbrk(text, ",\"\\") && text[0] != ' ' && (n == 0 || text[n - 1] != ' ')) {
    put(w, text);
    return;
  }
  put(w, "\"");
  for (; *text; text++) {
    char c[2] = { *text, 0 };
    if (*text == '"' || *text == '\\')
      put(w, "\\");
    put(w, c);
  }
  put(w, "\"");
}

static void put_value(writer *w, const findlr_value *value) {
  char number[40];
  switch (value->type) {
  case FINDLR_OPTION_INTEGER:
    put_integer(w, value->integer);
    break;
  case FINDLR_OPTION_REAL:
    findlr__format(number, sizeof number, "%g", value->real);
    put(w, number);
    break;
  case FINDLR_OPTION_BOOLEAN:
    put(w, value->integer ? "true" : "false");
    break;
  case FINDLR_OPTION_SIZES:
    for (uint32_t i = 0; i < value->count; i++) {
      put(w, i ? "x" : "");
      put_integer(w, value->sizes[i]);
    }
    break;
  default:
    put_text(w, value->text);
  }
}

static void write_spec(writer *w, const findlr_spec *spec) {
  put(w, spec->component->name);
  for (uint32_t i = 0; i < spec->count; i++) {
    put(w, i ? "," : ":");
    const char *name = option_name(spec->component, i);
    put(w, name ? name : "");
    put(w, "=");
    put_value(w, &spec->values[i]);
  }
}

static int32_t make_text(findlr_spec *spec, findlr_error *err) {
  writer w = { NULL, 0 };
  write_spec(&w, spec);
  spec->text = findlr__allocate(spec->allocator, w.n + 1);
  if (!spec->text)
    return findlr__no_memory(err, "a spec");
  w = (writer){ spec->text, 0 };
  write_spec(&w, spec);
  return FINDLR_OK;
}

/* --- the whole ------------------------------------------------------------------------------- */

void findlr_spec_destroy(findlr_spec *spec) {
  if (!spec)
    return;
  const findlr_allocator *a = spec->allocator;
  for (uint32_t i = 0; spec->values && i < spec->count; i++) {
    findlr__value_release(a, &spec->values[i]);
    findlr__release_string(a, (char *)(uintptr_t)spec->values[i].text);
  }
  findlr__release(a, spec->values, spec->count * sizeof *spec->values);
  findlr__release(a, spec->pointers, spec->count * sizeof *spec->pointers);
  findlr__release_string(a, spec->text);
  findlr__release(a, spec, sizeof *spec);
}

static int32_t fill(findlr_spec *spec, const findlr__spec_parts *parts, int file, const char *who,
                    findlr_error *err) {
  int32_t status = FINDLR_OK;
  uint32_t position = 0, index;
  if (file) {
    item it = { .key = "file", .key_length = 4 };
    it.value = parts->name;
    it.value_length = parts->name_length;
    status = option_of(spec->component, &it, 0, who, &index, err);
    if (status == FINDLR_OK)
      status = set_value(spec, index, &it, who, err);
    position = 1;
  }
  int keyed = 0;
  for (const char *at = parts->items; status == FINDLR_OK && at; position++) {
    item it;
    status = next_item(&at, who, &it, err);
    if (status < 0)
      break;
    if (keyed && !it.key)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "%s: the value \"%.*s\" stands after option=value, wanted option=value", who,
                          findlr__shown(it.value), it.value);
    keyed = it.key != NULL;
    status = option_of(spec->component, &it, position, who, &index, err);
    if (status == FINDLR_OK)
      status = set_value(spec, index, &it, who, err);
  }
  for (uint32_t i = 0; status == FINDLR_OK && i < spec->count; i++)
    if (!spec->values[i].text)
      status = set_default(spec, i, who, err);
  return status;
}

int32_t findlr__spec_read(const findlr_allocator *a, const char *what,
                          const findlr_component *component, const findlr__spec_parts *parts,
                          int file, findlr_spec **ret_spec, findlr_error *err) {
  char who[128];
  findlr__format(who, sizeof who, "%s %s", what, component->name);
  findlr_spec *spec = findlr__allocate(a, sizeof *spec);
  if (!spec)
    return findlr__no_memory(err, "a spec");
  spec->allocator = a;
  spec->component = component;
  spec->count = component->option_count;
  spec->values = findlr__allocate(a, spec->count * sizeof *spec->values);
  spec->pointers = findlr__allocate(a, spec->count * sizeof *spec->pointers);
  int32_t status = FINDLR_OK;
  if (spec->count && (!spec->values || !spec->pointers))
    status = findlr__no_memory(err, "a spec");
  else
    status = fill(spec, parts, file, who, err);
  if (status == FINDLR_OK)
    status = make_text(spec, err);
  if (status < 0) {
    findlr_spec_destroy(spec);
    return status;
  }
  for (uint32_t i = 0; i < spec->count; i++)
    spec->pointers[i] = &spec->values[i];
  *ret_spec = spec;
  return FINDLR_OK;
}

static int ends_with(const char *text, size_t n, const char *end) {
  size_t m = strlen(end);
  return n > m && memcmp(text + n - m, end, m) == 0;
}

int32_t findlr_spec_parse(findlr_context *context, uint32_t kind, const char *text,
                          findlr_spec **ret_spec, findlr_error *err) {
  if (!context || !ret_spec)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context or ret_spec is NULL");
  const char *what = findlr__kind_name(kind);
  if (!what)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "kind is %u, wanted 1 to 5", kind);
  findlr__spec_parts parts;
  int32_t status = findlr__spec_cut(text, what, &parts, err);
  if (status < 0)
    return status;
  int file = kind == FINDLR_KIND_DATA && (ends_with(parts.name, parts.name_length, ".csv") ||
                                          ends_with(parts.name, parts.name_length, ".csv.gz"));
  char name[FINDLR__LONGEST_NAME + 1] = "csv";
  if (!file) {
    if (parts.name_length >= sizeof name) {
      int shown = findlr__shown(parts.name);
      return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "there is no %s named \"%.*s...\"", what, shown,
                          parts.name);
    }
    memcpy(name, parts.name, parts.name_length);
    name[parts.name_length] = 0;
  }
  const findlr_component *component;
  status = findlr_component_find(context, kind, name, &component, err);
  if (status < 0)
    return status;
  return findlr__spec_read(&context->allocator, what, component, &parts, file, ret_spec, err);
}

const findlr_component *findlr_spec_component(const findlr_spec *spec) {
  return spec ? spec->component : NULL;
}

const findlr_value *const *findlr_spec_values(const findlr_spec *spec, uint32_t *ret_count) {
  if (ret_count)
    *ret_count = spec ? spec->count : 0;
  return spec ? spec->pointers : NULL;
}

const char *findlr_spec_text(const findlr_spec *spec) {
  return spec ? spec->text : NULL;
}
