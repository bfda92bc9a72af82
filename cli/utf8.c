/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include <string.h>

bool utf8_next(const char **text, utf8_char *ret_char) {
  const unsigned char *t = (const unsigned char *)*text;
  if (!*t)
    return false;
  uint32_t size = *t < 0x80 ? 1 : *t < 0xC2 ? 0 : *t < 0xE0 ? 2 : *t < 0xF0 ? 3 : *t < 0xF5 ? 4 : 0;
  static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
  uint32_t code = size == 1 ? *t : size ? *t & (0x7Fu >> size) : 0;
  for (uint32_t i = 1; i < size; i++) {
    if ((t[i] & 0xC0) != 0x80) { /* the end of the string, too */
      size = 0;
      break;
    }
    code = code << 6 | (t[i] & 0x3Fu);
  }
  if (size && (code < smallest[size] || code > 0x10FFFF))
    size = 0;
  *text += size ? size : 1;
  if (code == '\t' || code == '\n' || code == '\r')
    code = ' ';
  bool allowed = size && code >= 0x20 && (code < 0x7F || code > 0x9F) &&
                 (code < 0xD800 || code > 0xDFFF) && code != 0xFFFE && code != 0xFFFF;
  if (!allowed) {
    *ret_char = (utf8_char){ 0xFFFD, 3, "\xEF\xBF\xBD" };
    return true;
  }
  *ret_char = (utf8_char){ code, size, "" };
  memcpy(ret_char->bytes, t, size);
  if (size == 1)
    ret_char->bytes[0] = (char)code;
  return true;
}
