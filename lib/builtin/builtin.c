/* SPDX-License-Identifier: MIT */
#include "builtin.h"

#include <string.h>

const findlr_component *findlr__builtin(uint32_t i) {
  static const findlr_component *const list[] = {
    &findlr__sgd,
    &findlr__adam,
    &findlr__adamw,
    &findlr__rmsprop,
    &findlr__adagrad,
    &findlr__mse,
    &findlr__l1,
    &findlr__huber,
    &findlr__cross_entropy,
    &findlr__bce_with_logits,
    &findlr__digits,
  };
  return i < sizeof list / sizeof *list ? list[i] : NULL;
}

findlr_allocator findlr__builtin_allocator(const findlr_host *host, void *ctx) {
  findlr_allocator allocator = { sizeof allocator, 0, ctx, host->alloc };
  return allocator;
}

int32_t findlr__builtin_fail(const findlr_host *host, void *ctx, int32_t code, const char *format,
                             ...) {
  char text[FINDLR_MESSAGE_SIZE];
  va_list args;
  va_start(args, format);
  findlr__format_list(text, sizeof text, format, args);
  va_end(args);
  host->set_error(ctx, code, text, strlen(text));
  return code;
}

int32_t findlr__builtin_option(void *user, uint32_t i, findlr_option *out) {
  const findlr_option *table = user;
  return findlr__give(out, &table[i], sizeof *table,
                      FINDLR_SIZE_UP_TO(findlr_option, maximum), "findlr_option", NULL);
}

void *findlr__builtin_data(const findlr_tensor *tensor) {
  return (char *)tensor->data + tensor->byte_offset;
}
