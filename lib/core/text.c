/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findlr/text.h"

/* The one place where numbers become text and text numbers. */

size_t findlr_text_parse(const char *text, size_t len, double *ret_value) {
  char buffer[64];
  size_t n = len < sizeof buffer - 1 ? len : sizeof buffer - 1;
  memcpy(buffer, text, n);
  buffer[n] = 0;
  char *end;
  double value = strtod(buffer, &end);
  if (end == buffer)
    return 0;
  *ret_value = value;
  return (size_t)(end - buffer);
}

size_t findlr_text_format(double value, char *buffer, size_t size) {
  char text[FINDLR_TEXT_SIZE];
  int n = 0;
  for (int digits = 1; digits <= 17; digits++) {
    n = snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value || isnan(value))
      break;
  }
  if ((size_t)n >= size)
    return 0;
  memcpy(buffer, text, (size_t)n + 1);
  return (size_t)n;
}

/* --- sentences ------------------------------------------------------------------------------- */

typedef struct sink {
  char *buffer;
  size_t size, length; /* length: of the whole text, what did not fit included */
} sink;

static void put(sink *out, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++, out->length++)
    if (out->length + 1 < out->size)
      out->buffer[out->length] = text[i];
}

static void put_integer(sink *out, unsigned long long magnitude, bool negative) {
  char digits[24];
  size_t n = sizeof digits;
  do
    digits[--n] = (char)('0' + magnitude % 10);
  while (magnitude /= 10);
  if (negative)
    digits[--n] = '-';
  put(out, digits + n, sizeof digits - n);
}

static void put_signed(sink *out, long long value) {
  put_integer(out, value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value, value < 0);
}

/* A cut sentence must not end inside a UTF-8 character. */
static void end_text(sink *out) {
  if (!out->size)
    return;
  size_t n = out->length < out->size - 1 ? out->length : out->size - 1;
  if (n < out->length)
    while (n && ((unsigned char)out->buffer[n] & 0xC0) == 0x80)
      n--;
  out->buffer[n] = 0;
}

size_t findlr__format_list(char *buffer, size_t size, const char *format, va_list args) {
  sink out = { buffer, size, 0 };
  for (const char *f = format; *f; f++) {
    if (*f != '%') {
      put(&out, f, 1);
      continue;
    }
    f++;
    size_t limit = SIZE_MAX;
    if (f[0] == '.' && f[1] == '*') {
      int given = va_arg(args, int);
      limit = given < 0 ? 0 : (size_t)given;
      f += 2;
    }
    if (*f == 's') {
      const char *text = va_arg(args, const char *);
      if (!text)
        text = "(null)";
      size_t n = 0;
      while (n < limit && text[n])
        n++;
      put(&out, text, n);
    } else if (*f == 'c') {
      char c = (char)va_arg(args, int);
      put(&out, &c, 1);
    } else if (*f == 'd') {
      put_signed(&out, va_arg(args, int));
    } else if (*f == 'u') {
      put_integer(&out, va_arg(args, unsigned), false);
    } else if (*f == 'z') {
      f++;
      put_integer(&out, va_arg(args, size_t), false);
    } else if (*f == 'l') {
      f += 2;
      if (*f == 'd')
        put_signed(&out, va_arg(args, long long));
      else
        put_integer(&out, va_arg(args, unsigned long long), false);
    } else if (*f == 'g') {
      char number[FINDLR_TEXT_SIZE];
      put(&out, number, findlr_text_format(va_arg(args, double), number, sizeof number));
    } else {
      put(&out, f, 1);
    }
  }
  end_text(&out);
  return out.length;
}

size_t findlr__format(char *buffer, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  size_t n = findlr__format_list(buffer, size, format, args);
  va_end(args);
  return n;
}
