/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <string.h>

/* The specification: https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */

static const uint64_t prime1 = 0x9e3779b185ebca87u, prime2 = 0xc2b2ae3d27d4eb4fu,
                      prime3 = 0x165667b19e3779f9u, prime4 = 0x85ebca77c2b2ae63u,
                      prime5 = 0x27d4eb2f165667c5u;

static uint64_t rotate(uint64_t x, int by) {
  return x << by | x >> (64 - by);
}

/* Little-endian on every machine. */
static uint64_t read(const unsigned char *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++)
    value |= (uint64_t)at[i] << (8 * i);
  return value;
}

static uint64_t mix(uint64_t lane, uint64_t input) {
  return rotate(lane + input * prime2, 31) * prime1;
}

static void stripe(findlr__hash *hash, const unsigned char *at) {
  for (int i = 0; i < 4; i++)
    hash->lanes[i] = mix(hash->lanes[i], read(at + 8 * i, 8));
}

void findlr__hash_begin(findlr__hash *hash, uint64_t seed) {
  *hash = (findlr__hash){ .lanes = { seed + prime1 + prime2, seed + prime2, seed, seed - prime1 },
                          .seed = seed };
}

void findlr__hash_add(findlr__hash *hash, const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  hash->total += size;
  if (hash->pending_size) {
    size_t n = sizeof hash->pending - hash->pending_size;
    if (n > size)
      n = size;
    memcpy(hash->pending + hash->pending_size, at, n);
    hash->pending_size += (uint32_t)n;
    at += n;
    size -= n;
    if (hash->pending_size < sizeof hash->pending)
      return;
    stripe(hash, hash->pending);
    hash->pending_size = 0;
  }
  for (; size >= 32; at += 32, size -= 32)
    stripe(hash, at);
  if (size)
    memcpy(hash->pending, at, size);
  hash->pending_size = (uint32_t)size;
}

uint64_t findlr__hash_end(const findlr__hash *hash) {
  uint64_t h = hash->seed + prime5;
  if (hash->total >= 32) {
    const uint64_t *lane = hash->lanes;
    h = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
    for (int i = 0; i < 4; i++)
      h = (h ^ mix(0, lane[i])) * prime1 + prime4;
  }
  h += hash->total;
  const unsigned char *at = hash->pending, *end = at + hash->pending_size;
  for (; end - at >= 8; at += 8)
    h = rotate(h ^ mix(0, read(at, 8)), 27) * prime1 + prime4;
  for (; end - at >= 4; at += 4)
    h = rotate(h ^ read(at, 4) * prime1, 23) * prime2 + prime3;
  for (; at < end; at++)
    h = rotate(h ^ *at * prime5, 11) * prime1;
  h = (h ^ h >> 33) * prime2;
  h = (h ^ h >> 29) * prime3;
  return h ^ h >> 32;
}
