/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "findlr/host.h"
#include "output.h"
#include "terminal.h"

int32_t fail(findlr_error *err, int32_t code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
  err->code = code;
  return code;
}

int32_t as_usage(int32_t status, findlr_error *err) {
  bool usage = status == FINDLR_ERR_NOT_FOUND || status == FINDLR_ERR_ARGUMENT;
  return usage ? (err->code = FINDLR_ERR_ARGUMENT) : status;
}

int32_t as_failure(int32_t status, findlr_error *err) {
  return status == FINDLR_ERR_ARGUMENT ? (err->code = FINDLR_ERR_FORMAT) : status;
}

void *enlarge(void *ptr, size_t size) {
  void *grown = realloc(ptr, size ? size : 1);
  if (!grown) {
    output_remove_unfinished();
    complain("out of memory");
    _exit(EXIT_FAILURE);
  }
  return grown;
}

void *allocate(size_t size) {
  return enlarge(NULL, size);
}

char *joined(const char *a, const char *b, const char *c) {
  size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
  char *text = allocate(size);
  snprintf(text, size, "%s%s%s", a, b, c);
  return text;
}

void complain(const char *format, ...) {
  char text[FINDLR_MESSAGE_SIZE + 64];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 127)
      *c = '?'; /* bytes of a file must not command the terminal */
  progress_clear();
  fprintf(stderr, "findlr: %s\n", text);
}

void log_line(void *ud, int32_t level, const char *text, size_t len) {
  const bool *warnings = ud;
  const char *kind = level >= FINDLR_LOG_ERROR ? "error" : "warning";
  if (level >= FINDLR_LOG_ERROR || (level == FINDLR_LOG_WARNING && *warnings))
    complain("%s: %.*s", kind, (int)(len < FINDLR_MESSAGE_SIZE ? len : FINDLR_MESSAGE_SIZE), text);
}

const char *number(double value, char buffer[FINDLR_TEXT_SIZE]) {
  findlr_text_format(value, buffer, FINDLR_TEXT_SIZE);
  return buffer;
}

const char *counted(int64_t value, char buffer[FINDLR_TEXT_SIZE]) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%" PRId64, value);
  char *to = buffer;
  for (int i = 0; i < length; i++) {
    *to++ = digits[i];
    int left = length - 1 - i;
    if (left > 0 && left % 3 == 0 && digits[i] != '-')
      *to++ = ',';
  }
  *to = 0;
  return buffer;
}

enum { LONGEST = 40 };

/* Edit distance, where a swap of neighbours is one mistake. */
static uint32_t distance(const char *a, size_t la, const char *b, size_t lb) {
  uint32_t d[LONGEST + 1][LONGEST + 1];
  for (size_t i = 0; i <= la; i++)
    d[i][0] = (uint32_t)i;
  for (size_t j = 0; j <= lb; j++)
    d[0][j] = (uint32_t)j;
  for (size_t i = 1; i <= la; i++)
    for (size_t j = 1; j <= lb; j++) {
      uint32_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      if (d[i - 1][j] + 1 < best)
        best = d[i - 1][j] + 1;
      if (d[i][j - 1] + 1 < best)
        best = d[i][j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
        best = d[i - 2][j - 2] + 1;
      d[i][j] = best;
    }
  return d[la][lb];
}

const char *nearest(const char *name, const char *(*next)(const void *ud, uint32_t i),
                    const void *ud) {
  size_t length = strlen(name);
  if (length == 0 || length > LONGEST)
    return NULL;
  const char *best = NULL, *known;
  uint32_t limit = (uint32_t)(length < 4 ? 1 : length / 3 + 1);
  for (uint32_t i = 0; (known = next(ud, i)) != NULL; i++) {
    size_t known_length = strlen(known);
    uint32_t d = known_length > LONGEST ? limit + 1 : distance(name, length, known, known_length);
    if (d < limit || (d == limit && !best)) {
      best = known;
      limit = d;
    }
  }
  return best;
}
