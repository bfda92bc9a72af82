/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CORE_RANDOM_H
#define FINDLR_CORE_RANDOM_H

#include <stdint.h>

/* xoshiro256** 1.0 (Blackman and Vigna), its four words filled by splitmix64 from a seed. The same
 * functions stand behind findlr_host_random. */
void findlr__random_seed(uint64_t state[4], uint64_t seed);
uint64_t findlr__random_next(uint64_t state[4]);
double findlr__random_uniform(uint64_t state[4]);

/* A whole number in [0, bound), bound >= 1, without bias (Lemire's method). */
uint64_t findlr__random_below(uint64_t state[4], uint64_t bound);

/* splitmix64 of seed and a stream number: seeds for parts that must not share one. */
uint64_t findlr__random_mix(uint64_t seed, uint64_t stream);

#endif
