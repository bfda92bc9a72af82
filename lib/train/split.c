/* SPDX-License-Identifier: MIT */
#include "train/split.h"

#include <math.h>
#include <string.h>

#include "core/random.h"

/* How many rows of each class to hold out: its share rounded down, then one more for the largest
 * remainders until the whole share is reached. */
static void share_out(int64_t total, int64_t classes, const int64_t *have, int64_t *hold,
                      double fraction) {
  int64_t held = 0;
  for (int64_t c = 0; c < classes; c++) {
    hold[c] = (int64_t)floor((double)have[c] * fraction);
    held += hold[c];
  }
  while (held < total) {
    int64_t best = -1;
    double most = -1;
    for (int64_t c = 0; c < classes; c++) {
      double rest = (double)have[c] * fraction - (double)hold[c];
      if (hold[c] < have[c] - 1 && rest > most) {
        most = rest;
        best = c;
      }
    }
    if (best < 0)
      break;
    hold[best]++;
    held++;
  }
}

int32_t findlr__split_make(findlr__split *split, const findlr_allocator *a, int64_t rows,
                           int64_t classes, const int64_t *class_of, double fraction, uint64_t seed,
                           findlr_error *err) {
  *split = (findlr__split){ rows, 0, NULL };
  if (fraction == 0)
    return FINDLR_OK;
  if (rows < 2)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the data has %lld row, wanted at least 2 to hold some out", (long long)rows);
  int64_t wanted = (int64_t)llround((double)rows * fraction);
  wanted = wanted < 1 ? 1 : wanted > rows - 1 ? rows - 1 : wanted;
  if (!classes)
    class_of = NULL;
  int64_t kinds = class_of ? classes : 1;
  size_t rows_bytes = findlr__size((size_t)rows, sizeof(int64_t), 0);
  size_t kinds_bytes = findlr__size((size_t)kinds, 2 * sizeof(int64_t), 0);
  split->rows = rows_bytes ? findlr__allocate(a, rows_bytes) : NULL;
  int64_t *have = kinds_bytes ? findlr__allocate(a, kinds_bytes) : NULL;
  if (!split->rows || !have) {
    findlr__release(a, split->rows, rows_bytes);
    findlr__release(a, have, kinds_bytes);
    split->rows = NULL;
    return findlr__no_memory(err, "the split into training and validation rows");
  }
  int64_t *hold = have + kinds;
  for (int64_t i = 0; i < rows; i++)
    have[class_of ? class_of[i] : 0]++;
  share_out(wanted, kinds, have, hold, (double)wanted / (double)rows);

  /* Choose hold[c] of have[c] rows in one pass, each subset equally likely. */
  uint64_t random[4];
  findlr__random_seed(random, seed);
  int64_t training = 0, validation = 0, *end = split->rows + rows;
  for (int64_t i = 0; i < rows; i++) {
    int64_t c = class_of ? class_of[i] : 0;
    if ((int64_t)findlr__random_below(random, (uint64_t)have[c]--) < hold[c]) {
      hold[c]--;
      end[-++validation] = i;
    } else {
      split->rows[training++] = i;
    }
  }
  split->training = training;
  split->validation = validation;
  int64_t *held = split->rows + training;
  for (int64_t i = validation - 1; i > 0; i--) {
    int64_t j = (int64_t)findlr__random_below(random, (uint64_t)i + 1), row = held[i];
    held[i] = held[j];
    held[j] = row;
  }
  findlr__release(a, have, kinds_bytes);
  if (!validation) {
    findlr__split_free(split, a);
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "no row can be held out: every class has a single row");
  }
  return FINDLR_OK;
}

void findlr__split_free(findlr__split *split, const findlr_allocator *a) {
  findlr__release(a, split->rows, (size_t)(split->training + split->validation) * sizeof(int64_t));
  memset(split, 0, sizeof *split);
}

void findlr__split_training_rows(const findlr__split *split, int64_t *places, int64_t n) {
  if (split->rows)
    for (int64_t i = 0; i < n; i++)
      places[i] = split->rows[places[i]];
}
