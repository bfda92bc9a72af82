/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_BUILTIN_H
#define FINDLR_BUILTIN_H

/* The components that are part of the library. They go through the same vtables as a plugin's. */

#include "core/internal.h"
#include "findlr/component.h"

extern const findlr_component findlr__sgd, findlr__adam, findlr__adamw, findlr__rmsprop,
    findlr__adagrad;
extern const findlr_component findlr__mse, findlr__l1, findlr__huber, findlr__cross_entropy,
    findlr__bce_with_logits;
extern const findlr_component findlr__digits;

/* Built-in component i, or NULL past the last. */
const findlr_component *findlr__builtin(uint32_t i);

/* The host's memory as an allocator, for an instance to keep. */
findlr_allocator findlr__builtin_allocator(const findlr_host *host, void *ctx);

/* Tells the host why a slot fails, and returns code. The format is findlr__fail's. */
int32_t findlr__builtin_fail(const findlr_host *host, void *ctx, int32_t code, const char *format,
                             ...) FINDLR__FORMAT(4, 5);

/* The `option` slot of a component whose `user` is FINDLR__TABLE(its options). */
int32_t findlr__builtin_option(void *user, uint32_t i, findlr_option *out);
#define FINDLR__TABLE(options) ((void *)(uintptr_t)(options))

/* Where a tensor's first element is. */
void *findlr__builtin_data(const findlr_tensor *tensor);

/* The largest number below 1, for ranges that leave out their end. */
#define FINDLR__BELOW_ONE 0x1.fffffffffffffp-1

#endif
