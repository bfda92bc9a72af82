/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <string.h>

enum { LONGEST = 64 };

/* Damerau-Levenshtein distance in its restricted form: a swap of neighbours is one mistake. */
static uint32_t distance(const char *a, size_t la, const char *b, size_t lb) {
  uint32_t rows[3][LONGEST + 1];
  uint32_t *before = rows[0], *last = rows[1], *now = rows[2];
  for (size_t j = 0; j <= lb; j++)
    last[j] = (uint32_t)j;
  for (size_t i = 1; i <= la; i++) {
    now[0] = (uint32_t)i;
    for (size_t j = 1; j <= lb; j++) {
      uint32_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
      if (last[j] + 1 < best)
        best = last[j] + 1;
      if (now[j - 1] + 1 < best)
        best = now[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
        best = before[j - 2] + 1;
      now[j] = best;
    }
    uint32_t *spare = before;
    before = last;
    last = now;
    now = spare;
  }
  return last[lb];
}

const char *findlr__nearest(const char *name, const char *(*next)(const void *ud, uint32_t i),
                            const void *ud) {
  size_t length = strlen(name);
  if (length == 0 || length > LONGEST)
    return NULL;
  const char *best = NULL;
  uint32_t best_distance = (uint32_t)(length < 4 ? 1 : length / 3 + 1);
  const char *known;
  for (uint32_t i = 0; (known = next(ud, i)) != NULL; i++) {
    size_t known_length = strlen(known);
    if (known_length > LONGEST)
      continue;
    uint32_t d = distance(name, length, known, known_length);
    if (d < best_distance || (d == best_distance && !best)) {
      best = known;
      best_distance = d;
    }
  }
  return best;
}
