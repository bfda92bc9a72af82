/* SPDX-License-Identifier: MIT */
#include "internal.h"

/* The bytes of the character at the start of text, or 0: overlong forms, surrogates and what lies past
 * U+10FFFF are not characters. */
static size_t character(const unsigned char *text, size_t len) {
  unsigned char lead = text[0];
  if (lead < 0x80)
    return 1;
  size_t n = lead >= 0xC2 && lead <= 0xDF   ? 2
             : lead >= 0xE0 && lead <= 0xEF ? 3
             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                            : 0;
  if (n == 0 || n > len)
    return 0;
  for (size_t i = 1; i < n; i++)
    if ((text[i] & 0xC0) != 0x80)
      return 0;
  if ((lead == 0xE0 && text[1] < 0xA0) || (lead == 0xED && text[1] > 0x9F) ||
      (lead == 0xF0 && text[1] < 0x90) || (lead == 0xF4 && text[1] > 0x8F))
    return 0;
  return n;
}

size_t findlr__utf8(const char *text, size_t len) {
  size_t at = 0, n;
  while (at < len && (n = character((const unsigned char *)text + at, len - at)) > 0)
    at += n;
  return at;
}
