/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_UTF8_H
#define FINDLR_CLI_UTF8_H

#include <stdbool.h>
#include <stdint.h>

typedef struct utf8_char {
  uint32_t code;
  uint32_t size; /* of bytes: 1..4 */
  char bytes[4];
} utf8_char;

/* Takes the next character of a string and moves *text past it; false at the end. Tabs and newlines
 * become spaces; bytes that are no UTF-8, and characters that XML does not allow, become U+FFFD. */
bool utf8_next(const char **text, utf8_char *ret_char);

#endif
