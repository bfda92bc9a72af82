/* SPDX-License-Identifier: MIT */
#include "train/services.h"

#include <string.h>

#include "core/random.h"
#include "findlr/component.h"
#include "findlr/text.h"
#include "findlr/version.h"

enum { LONGEST_LINE = 1024 };

size_t findlr__one_line(char *line, size_t size, const char *text, size_t len) {
  size_t n = 0;
  while (text && len && n + 1 < size) {
    size_t room = size - 1 - n;
    size_t valid = findlr__utf8(text, len < room ? len : room);
    if (valid == 0) {
      if (findlr__utf8(text, len < 4 ? len : 4) > 0)
        break; /* a whole character, but no room for it */
      line[n++] = '?';
      valid = 1;
    } else {
      for (size_t i = 0; i < valid; i++)
        line[n++] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? ' ' : text[i];
    }
    text += valid;
    len -= valid;
  }
  line[n] = 0;
  return n;
}

static void *host_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size, size_t align) {
  findlr__services *services = ctx;
  const findlr_allocator *a = services->allocator;
  return a->alloc(a->ud, ptr, old_size, new_size, align ? align : _Alignof(max_align_t));
}

static void host_log(void *ctx, int32_t level, const char *text, size_t len) {
  findlr__services *services = ctx;
  if (!services->log || level < services->log_level)
    return;
  char line[LONGEST_LINE];
  size_t n = findlr__one_line(line, sizeof line, text, len);
  services->log(services->log_ud, level, line, n);
}

static void lock(findlr__services *services) {
  while (atomic_flag_test_and_set_explicit(&services->setting, memory_order_acquire))
    ;
}

static void unlock(findlr__services *services) {
  atomic_flag_clear_explicit(&services->setting, memory_order_release);
}

static void host_set_error(void *ctx, int32_t code, const char *text, size_t len) {
  findlr__services *services = ctx;
  lock(services);
  services->code = code;
  findlr__one_line(services->text, sizeof services->text, text, len);
  unlock(services);
}

static const findlr_host_text text_services = { sizeof(findlr_host_text), 0, findlr_text_parse,
                                                findlr_text_format };

static const findlr_host_random random_services = { sizeof(findlr_host_random), 0,
                                                    findlr__random_seed, findlr__random_next,
                                                    findlr__random_uniform };

static const void *host_get_extension(void *ctx, const char *id) {
  (void)ctx;
  if (!id)
    return NULL;
  if (strcmp(id, FINDLR_EXT_TEXT) == 0)
    return &text_services;
  if (strcmp(id, FINDLR_EXT_RANDOM) == 0)
    return &random_services;
  return NULL;
}

void findlr__services_init(findlr__services *services, const findlr_allocator *allocator,
                           void (*log)(void *ud, int32_t level, const char *text, size_t len),
                           void *log_ud, int32_t log_level) {
  memset(services, 0, sizeof *services);
  services->host = (findlr_host){
    .struct_size = sizeof(findlr_host),
    .abi_minor = FINDLR_ABI_MINOR,
    .version = FINDLR_VERSION,
    .alloc = host_alloc,
    .log = host_log,
    .set_error = host_set_error,
    .get_extension = host_get_extension,
  };
  services->allocator = allocator;
  services->log = log;
  services->log_ud = log_ud;
  services->log_level = log_level;
  atomic_flag_clear(&services->setting);
}

void findlr__services_log(findlr__services *services, int32_t level, const char *format, ...) {
  char line[LONGEST_LINE];
  va_list args;
  va_start(args, format);
  findlr__format_list(line, sizeof line, format, args);
  va_end(args);
  host_log(services, level, line, strlen(line));
}

void findlr__services_clear(findlr__services *services) {
  lock(services);
  services->code = 0;
  services->text[0] = 0;
  unlock(services);
}

static int is_error(int32_t status) {
  switch (status) {
#define CASE(name, value, text)                                                                    \
  case value:                                                                                      \
    return value < 0;
    FINDLR_STATUS_LIST(CASE)
#undef CASE
  default:
    return 0;
  }
}

int32_t findlr__component_failed(findlr_error *err, findlr__services *services, int32_t status,
                                 const char *component, const char *slot) {
  int32_t code = is_error(status) ? status : FINDLR_ERR_BACKEND;
  const char *colon = slot ? ": " : "";
  slot = slot ? slot : "";
  lock(services);
  if (services->text[0])
    findlr__fail(err, code, "%s%s%s: %s", component, colon, slot, services->text);
  else if (code == status)
    findlr__fail(err, code, "%s%s%s: %s", component, colon, slot, findlr_status_text(status));
  else
    findlr__fail(err, code, "%s%s%s: it returned %d, which is no error that exists", component, colon,
                 slot, (int)status);
  services->code = 0;
  services->text[0] = 0;
  unlock(services);
  return code;
}

const char *findlr__kind_name(uint32_t kind) {
  static const char *const names[] = { NULL, "model", "optimizer", "loss", "data source", "trainer" };
  return kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}
