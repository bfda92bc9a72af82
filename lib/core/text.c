/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findlr/text.h"

/* The one place where numbers become text and text numbers. The C library is only ever handed digits
 * and an exponent, never a decimal point: that is what differs between locales. */

/* Powers of ten that a double holds exactly. */
static const double exact_powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

enum {
  LARGEST_EXACT = 22,
  /* The midpoint of two doubles has at most 767 digits; what follows can only break a tie. */
  MOST_DIGITS = 768,
  /* 768 digits times ten to the power of this is zero or infinite whatever the digits. */
  EXPONENT_LIMIT = 2000,
};

static void write_exponent(char *at, int64_t exponent) {
  if (exponent > EXPONENT_LIMIT)
    exponent = EXPONENT_LIMIT;
  if (exponent < -EXPONENT_LIMIT)
    exponent = -EXPONENT_LIMIT;
  *at++ = 'e';
  if (exponent < 0) {
    *at++ = '-';
    exponent = -exponent;
  }
  for (int64_t unit = 1000; unit; unit /= 10)
    *at++ = (char)('0' + exponent / unit % 10);
  *at = 0;
}

/* digits * 10^exponent, correctly rounded. The quick way is Clinger's ("How to read floating point
 * numbers accurately", 1990): both operands are exact, so that there is only one rounding. */
static double scale(uint64_t digits, int64_t exponent) {
  if (digits == 0)
    return 0;
  if (FLT_EVAL_METHOD == 0 && digits <= (uint64_t)1 << 53) {
    if (exponent >= 0 && exponent <= LARGEST_EXACT)
      return (double)digits * exact_powers[exponent];
    if (exponent < 0 && exponent >= -LARGEST_EXACT)
      return (double)digits / exact_powers[-exponent];
  }
  char text[40];
  size_t first = 20, n = first;
  do
    text[--first] = (char)('0' + digits % 10);
  while (digits /= 10);
  write_exponent(text + n, exponent);
  return strtod(text + first, NULL);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Does text begin with this lower-case word, in any case? */
static bool begins(const char *text, size_t len, const char *word) {
  size_t n = strlen(word);
  if (len < n)
    return false;
  for (size_t i = 0; i < n; i++)
    if ((text[i] | 0x20) != word[i])
      return false;
  return true;
}

/* More digits than 64 bits hold: the significant ones are handed on, up to the last that matters. */
static double scale_long(const char *mantissa, size_t len, int64_t exponent) {
  char text[MOST_DIGITS + 16];
  size_t n = 0;
  bool rest = false;
  for (size_t i = 0; i < len; i++) {
    if (mantissa[i] == '.' || (n == 0 && mantissa[i] == '0'))
      continue;
    if (n < MOST_DIGITS) {
      text[n++] = mantissa[i];
    } else {
      rest |= mantissa[i] != '0';
      exponent++;
    }
  }
  if (rest) {
    text[n++] = '1';
    exponent--;
  }
  write_exponent(text + n, exponent);
  return strtod(text, NULL);
}

size_t findlr_text_parse(const char *text, size_t len, double *ret_value) {
  size_t at = 0;
  bool negative = len && text[0] == '-';
  if (len && (text[0] == '-' || text[0] == '+'))
    at++;

  const char *word = text + at;
  size_t left = len - at;
  if (begins(word, left, "inf")) {
    *ret_value = negative ? -HUGE_VAL : HUGE_VAL;
    return at + (begins(word, left, "infinity") ? 8 : 3);
  }
  if (begins(word, left, "nan")) {
    *ret_value = negative ? -(double)NAN : (double)NAN;
    return at + 3;
  }

  /* The number is digits * 10^exponent; `significant` counts from the first digit that is not 0. */
  uint64_t digits = 0;
  int64_t exponent = 0;
  size_t first = at, significant = 0;
  bool point = false, any = false;
  for (; at < len; at++) {
    if (text[at] == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(text[at]))
      break;
    any = true;
    if (significant || text[at] != '0')
      significant++;
    if (significant <= 19)
      digits = digits * 10 + (uint64_t)(text[at] - '0');
    exponent -= point;
  }
  if (!any)
    return 0;
  size_t end_of_mantissa = at;

  /* An exponent without digits does not belong to the number. */
  if (at < len && (text[at] | 0x20) == 'e') {
    size_t e = at + 1;
    bool down = e < len && text[e] == '-';
    if (e < len && (text[e] == '-' || text[e] == '+'))
      e++;
    if (e < len && is_digit(text[e])) {
      int64_t given = 0;
      for (; e < len && is_digit(text[e]); e++)
        if (given < INT64_MAX / 20)
          given = given * 10 + (text[e] - '0');
      exponent += down ? -given : given;
      at = e;
    }
  }

  double value = significant <= 19 ? scale(digits, exponent)
                                   : scale_long(text + first, end_of_mantissa - first, exponent);
  *ret_value = negative ? -value : value;
  return at;
}

/* --- writing --------------------------------------------------------------------------------- */

/* A decimal number: digits * 10^exponent. */
typedef struct decimal {
  uint64_t digits;
  int exponent;
} decimal;

static decimal strip(uint64_t digits, int exponent) {
  while (digits % 10 == 0) {
    digits /= 10;
    exponent++;
  }
  return (decimal){ digits, exponent };
}

/* Numbers that people write: few digits, no large exponent. At most 15 digits name one double each,
 * so the first answer that reads back equal is the shortest. */
static bool shortest_quickly(double magnitude, decimal *ret) {
  if (FLT_EVAL_METHOD != 0)
    return false;
  for (int places = 0; places <= LARGEST_EXACT; places++) {
    double digits = rint(magnitude * exact_powers[places]);
    if (digits >= 1e15)
      return false;
    if (digits / exact_powers[places] == magnitude) {
      *ret = strip((uint64_t)digits, -places);
      return true;
    }
  }
  return false;
}

/* Seventeen digits always read back equal. Digits are taken off the end while one of the two
 * neighbours with a digit less still does. */
static decimal shortest_surely(double magnitude) {
  char text[40];
  snprintf(text, sizeof text, "%.16e", magnitude);
  uint64_t digits = 0;
  const char *c = text;
  for (; *c != 'e'; c++)
    if (is_digit(*c))
      digits = digits * 10 + (uint64_t)(*c - '0');
  decimal best = strip(digits, atoi(c + 1) - 16);
  while (best.digits >= 10) {
    uint64_t cut = best.digits / 10;
    uint64_t near = best.digits % 10 >= 5 ? cut + 1 : cut, far = near == cut ? cut + 1 : cut;
    int exponent = best.exponent + 1;
    if (scale(near, exponent) == magnitude)
      best = strip(near, exponent);
    else if (scale(far, exponent) == magnitude)
      best = strip(far, exponent);
    else
      break;
  }
  return best;
}

/* As C's %g: positional for 1e-4 <= magnitude < 1e16, else with an exponent of two digits or more. */
static size_t lay_out(char *out, decimal number) {
  char reversed[20];
  int n = 0;
  for (uint64_t digits = number.digits; n == 0 || digits; digits /= 10)
    reversed[n++] = (char)('0' + digits % 10);
  int first = n - 1 + number.exponent; /* the power of ten of the first digit */
  bool positional = first >= -4 && first < 16;
  char *at = out;
  if (positional && first < 0) {
    *at++ = '0';
    *at++ = '.';
    for (int i = -1; i > first; i--)
      *at++ = '0';
  }
  int power = first;
  for (int i = n - 1; i >= 0; i--, power--) {
    if ((positional && power == -1 && first >= 0) || (!positional && power == first - 1))
      *at++ = '.';
    *at++ = reversed[i];
  }
  if (!positional) {
    *at++ = 'e';
    *at++ = first < 0 ? '-' : '+';
    int size = abs(first);
    if (size >= 100)
      *at++ = (char)('0' + size / 100);
    *at++ = (char)('0' + size / 10 % 10);
    *at++ = (char)('0' + size % 10);
  } else {
    for (; power >= 0; power--)
      *at++ = '0';
  }
  return (size_t)(at - out);
}

size_t findlr_text_format(double value, char *buffer, size_t size) {
  char text[FINDLR_TEXT_SIZE];
  size_t n = 0;
  if (signbit(value) && !isnan(value))
    text[n++] = '-';
  double magnitude = fabs(value);
  if (isnan(value) || isinf(value)) {
    memcpy(text + n, isnan(value) ? "nan" : "inf", 3);
    n += 3;
  } else {
    decimal number = { 0, 0 };
    if (magnitude != 0 && !shortest_quickly(magnitude, &number))
      number = shortest_surely(magnitude);
    n += lay_out(text + n, number);
  }
  if (n >= size)
    return 0;
  memcpy(buffer, text, n);
  buffer[n] = 0;
  return n;
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
  size_t n = out->length;
  if (n > out->size - 1) {
    n = out->size - 1;
    size_t lead = n;
    while (lead && ((unsigned char)out->buffer[lead - 1] & 0xC0) == 0x80)
      lead--;
    if (lead) {
      unsigned char c = (unsigned char)out->buffer[lead - 1];
      size_t length = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
      if (lead - 1 + length > n)
        n = lead - 1;
    }
  }
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
