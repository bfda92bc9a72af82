/* SPDX-License-Identifier: MIT */
#include "random.h"

/* Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators" (2018), and their public
 * domain code at https://prng.di.unimi.it. */

static uint64_t splitmix(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static uint64_t rotate(uint64_t x, int by) {
  return x << by | x >> (64 - by);
}

void findlr__random_seed(uint64_t state[4], uint64_t seed) {
  for (int i = 0; i < 4; i++)
    state[i] = splitmix(&seed);
}

uint64_t findlr__random_next(uint64_t state[4]) {
  uint64_t answer = rotate(state[1] * 5, 7) * 9;
  uint64_t t = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= t;
  state[3] = rotate(state[3], 45);
  return answer;
}

double findlr__random_uniform(uint64_t state[4]) {
  return (double)(findlr__random_next(state) >> 11) * 0x1p-53;
}

/* The upper and lower half of a * b, in plain C: the same everywhere. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *ret_low) {
  uint64_t al = a & 0xffffffff, ah = a >> 32, bl = b & 0xffffffff, bh = b >> 32;
  uint64_t low = al * bl, left = ah * bl, right = al * bh;
  uint64_t middle = (low >> 32) + (left & 0xffffffff) + (right & 0xffffffff);
  *ret_low = a * b;
  return ah * bh + (left >> 32) + (right >> 32) + (middle >> 32);
}

/* Lemire, "Fast Random Integer Generation in an Interval" (2019). */
uint64_t findlr__random_below(uint64_t state[4], uint64_t bound) {
  uint64_t low, high = multiply(findlr__random_next(state), bound, &low);
  if (low < bound) {
    uint64_t uneven = (0 - bound) % bound;
    while (low < uneven)
      high = multiply(findlr__random_next(state), bound, &low);
  }
  return high;
}

uint64_t findlr__random_mix(uint64_t seed, uint64_t stream) {
  uint64_t state = seed;
  state = splitmix(&state) ^ stream;
  return splitmix(&state);
}
