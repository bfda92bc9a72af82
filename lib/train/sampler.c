/* SPDX-License-Identifier: MIT */
#include "train/sampler.h"

#include <string.h>

#include "core/random.h"
#include "findlr/session.h"

int32_t findlr__sampler_make(findlr__sampler *sampler, const findlr_allocator *a, int64_t count,
                             uint32_t sampling, bool drop_last, uint64_t seed, findlr_error *err) {
  memset(sampler, 0, sizeof *sampler);
  sampler->count = count;
  sampler->sampling = sampling;
  sampler->drop_last = drop_last;
  memcpy(&sampler->state[FINDLR__SAMPLER_SEED], &seed, sizeof seed);
  if (sampling == FINDLR_SAMPLING_SHUFFLE) {
    size_t bytes = findlr__size((size_t)count, sizeof *sampler->order, 0);
    sampler->order = bytes ? findlr__allocate(a, bytes) : NULL;
    if (!sampler->order)
      return findlr__no_memory(err, "the order of the rows");
  }
  return FINDLR_OK;
}

void findlr__sampler_free(findlr__sampler *sampler, const findlr_allocator *a) {
  findlr__release(a, sampler->order, (size_t)sampler->count * sizeof *sampler->order);
  memset(sampler, 0, sizeof *sampler);
}

/* The order of the current epoch, by Fisher and Yates. */
static void make_order(findlr__sampler *s) {
  int64_t seed = s->state[FINDLR__SAMPLER_SEED], epoch = s->state[FINDLR__SAMPLER_EPOCH];
  if (s->order_known && s->order_seed == seed && s->order_epoch == epoch)
    return;
  uint64_t random[4];
  findlr__random_seed(random, findlr__random_mix((uint64_t)seed, (uint64_t)epoch));
  for (int64_t i = 0; i < s->count; i++) {
    int64_t j = (int64_t)findlr__random_below(random, (uint64_t)i + 1);
    s->order[i] = s->order[j];
    s->order[j] = i;
  }
  s->order_known = true;
  s->order_seed = seed;
  s->order_epoch = epoch;
}

int64_t findlr__sampler_next(findlr__sampler *s, int64_t n, int64_t *rows) {
  int64_t *epoch = &s->state[FINDLR__SAMPLER_EPOCH], *position = &s->state[FINDLR__SAMPLER_POSITION];
  int64_t left = *position < 0 ? 0 : s->count - *position;
  if (left <= 0 || (s->drop_last && left < n)) {
    ++*epoch;
    *position = 0;
    left = s->count;
  }
  if (n > left)
    n = left;
  switch (s->sampling) {
  case FINDLR_SAMPLING_SHUFFLE:
    make_order(s);
    memcpy(rows, s->order + *position, (size_t)n * sizeof *rows);
    break;
  case FINDLR_SAMPLING_REPLACEMENT: {
    /* A generator of its own for each batch, so that a batch follows from the state alone. */
    uint64_t random[4];
    uint64_t seed = findlr__random_mix((uint64_t)s->state[FINDLR__SAMPLER_SEED], (uint64_t)*epoch);
    findlr__random_seed(random, findlr__random_mix(seed, (uint64_t)*position));
    for (int64_t i = 0; i < n; i++)
      rows[i] = (int64_t)findlr__random_below(random, (uint64_t)s->count);
    break;
  }
  default:
    for (int64_t i = 0; i < n; i++)
      rows[i] = *position + i;
  }
  *position += n;
  return n;
}
