/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <string.h>

void findlr_error_init(findlr_error *err, size_t size) {
  if (!err || size < sizeof(uint32_t))
    return;
  memset(err, 0, size);
  err->struct_size = (uint32_t)size;
}

const char *findlr_status_name(int32_t status) {
  switch (status) {
#define CASE(name, value, text)                                                                    \
  case value:                                                                                      \
    return #name;
    FINDLR_STATUS_LIST(CASE)
#undef CASE
  default:
    return "unknown status";
  }
}

const char *findlr_status_text(int32_t status) {
  switch (status) {
#define CASE(name, value, text)                                                                    \
  case value:                                                                                      \
    return text;
    FINDLR_STATUS_LIST(CASE)
#undef CASE
  default:
    return "unknown status";
  }
}

int32_t findlr__fail(findlr_error *err, int32_t code, const char *format, ...) {
  if (err && err->struct_size >= FINDLR_SIZE_UP_TO(findlr_error, message)) {
    err->code = code;
    va_list args;
    va_start(args, format);
    findlr__format_list(err->message, sizeof err->message, format, args);
    va_end(args);
  }
  return code;
}

int32_t findlr__no_memory(findlr_error *err, const char *what) {
  return findlr__fail(err, FINDLR_ERR_NO_MEMORY, "there is not enough memory for %s", what);
}

int32_t findlr__take(void *into, size_t into_size, const void *from, size_t smallest,
                     const char *what, findlr_error *err) {
  if (!from)
    return FINDLR_OK;
  uint32_t own, given;
  memcpy(&own, into, sizeof own);
  memcpy(&given, from, sizeof given);
  if (given < smallest)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "%s has struct_size %u, wanted at least %zu (set it with its init function)",
                        what, given, smallest);
  memcpy(into, from, given < into_size ? given : into_size);
  memcpy(into, &own, sizeof own);
  return FINDLR_OK;
}

int32_t findlr__give(void *out, const void *filled, size_t filled_size, size_t smallest,
                     const char *what, findlr_error *err) {
  if (!out)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s is NULL", what);
  uint32_t size;
  memcpy(&size, out, sizeof size);
  if (size < smallest)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "%s has struct_size %u, wanted at least %zu (set it with its init function)",
                        what, size, smallest);
  memcpy(out, filled, size < filled_size ? size : filled_size);
  memcpy(out, &size, sizeof size);
  return FINDLR_OK;
}
