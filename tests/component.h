/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TESTS_COMPONENT_H
#define FINDLR_TESTS_COMPONENT_H

/* Calling a built-in component with nothing between: a host that counts memory and keeps the error, and
 * specs read from text without the registry. */

#include "builtin/builtin.h"
#include "support.h"

typedef struct fake_host {
  size_t live;     /* bytes not given back */
  size_t requests; /* for memory so far */
  size_t fail_at;  /* the request that fails, counted from 1; 0: none */
  findlr_error *err;
} fake_host;

static void *fake_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size, size_t align) {
  fake_host *h = ctx;
  if (new_size && ++h->requests == h->fail_at)
    return NULL;
  void *fresh = findlr__default_allocator.alloc(NULL, ptr, old_size, new_size, align);
  if (fresh || !new_size)
    h->live += new_size - (ptr ? old_size : 0);
  return fresh;
}

static void fake_log(void *ctx, int32_t level, const char *text, size_t len) {
  (void)ctx, (void)level, (void)text, (void)len;
}

static void fake_set_error(void *ctx, int32_t code, const char *text, size_t len) {
  fake_host *h = ctx;
  findlr__fail(h->err, code, "%.*s", (int)len, text);
}

static const void *fake_extension(void *ctx, const char *id) {
  static const findlr_host_text text = { sizeof text, 0, findlr_text_parse, findlr_text_format };
  (void)ctx;
  return strcmp(id, FINDLR_EXT_TEXT) == 0 ? &text : NULL;
}

static const findlr_host fake = { sizeof fake,    FINDLR_ABI_MINOR, FINDLR_VERSION, fake_alloc,
                                  fake_log,       fake_set_error,   fake_extension };

/* A component and the values of its options, read from "NAME:key=value,..." as the library does. */
typedef struct fake_spec {
  const findlr_component *component;
  findlr_value values[8];
  const findlr_value *list[8];
  char text[8][64];
} fake_spec;

static void fake_value(fake_spec *spec, uint32_t i, const char *text, size_t len) {
  findlr_option option = { .struct_size = sizeof option };
  ck_assert_int_eq(spec->component->option(spec->component->user, i, &option), 0);
  findlr_value *value = &spec->values[i];
  ck_assert_uint_lt(len, sizeof spec->text[i]);
  memcpy(spec->text[i], text, len);
  spec->text[i][len] = 0;
  *value = (findlr_value){ .struct_size = sizeof *value, .type = option.type, .text = spec->text[i] };
  spec->list[i] = value;
  if (option.type == FINDLR_OPTION_REAL) {
    ck_assert_uint_eq(findlr_text_parse(text, len, &value->real), len);
    ck_assert_msg(value->real >= option.minimum && value->real <= option.maximum,
                  "%s is not in the range of %s", spec->text[i], option.name);
  } else if (option.type == FINDLR_OPTION_BOOLEAN) {
    value->integer = strcmp(spec->text[i], "true") == 0;
  }
}

static void fake_parse(fake_spec *spec, uint32_t kind, const char *text) {
  size_t name = strcspn(text, ":");
  spec->component = NULL;
  for (uint32_t i = 0; findlr__builtin(i); i++) {
    const findlr_component *known = findlr__builtin(i);
    if (known->kind == kind && strlen(known->name) == name && !strncmp(known->name, text, name))
      spec->component = known;
  }
  ck_assert_msg(spec->component != NULL, "no built-in component for %s", text);
  findlr_option option = { .struct_size = sizeof option };
  for (uint32_t i = 0; i < spec->component->option_count; i++) {
    ck_assert_int_eq(spec->component->option(spec->component->user, i, &option), 0);
    fake_value(spec, i, option.default_value, strlen(option.default_value));
  }
  for (const char *at = text + name; *at;) {
    size_t key = strcspn(++at, "="), len = strcspn(at + key + 1, ",");
    uint32_t i = 0;
    for (; i < spec->component->option_count; i++) {
      ck_assert_int_eq(spec->component->option(spec->component->user, i, &option), 0);
      if (strlen(option.name) == key && !strncmp(option.name, at, key))
        break;
    }
    ck_assert_msg(i < spec->component->option_count, "no option %s", at);
    fake_value(spec, i, at + key + 1, len);
    at += key + 1 + len;
  }
}

/* A compact tensor over memory of the caller's; shape has room for ndim sizes. */
static findlr_tensor fake_tensor(void *data, uint32_t dtype, int32_t ndim, int64_t *shape) {
  return (findlr_tensor){ .data = data,
                          .device_type = FINDLR_DEVICE_CPU,
                          .ndim = ndim,
                          .dtype_code = (uint8_t)dtype,
                          .dtype_bits = (uint8_t)(dtype >> 8),
                          .dtype_lanes = (uint16_t)(dtype >> 16),
                          .shape = shape };
}

#endif
