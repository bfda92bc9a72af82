/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_HASH_H
#define FINDLR_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 (Yann Collet's xxHash, 64 bit), in pieces. */
typedef struct findlr__hash {
  uint64_t lanes[4];
  uint64_t total;
  uint64_t seed;
  unsigned char pending[32];
  uint32_t pending_size;
} findlr__hash;

void findlr__hash_begin(findlr__hash *hash, uint64_t seed);
void findlr__hash_add(findlr__hash *hash, const void *bytes, size_t size);
uint64_t findlr__hash_end(const findlr__hash *hash);

#endif
