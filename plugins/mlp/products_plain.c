/* SPDX-License-Identifier: MIT */
#include "products.h"

/* The variant for the processor's registers is chosen when the plugin is loaded. No sum is ever
 * reordered or fused, so all of them give the same bits. */
#ifdef HAVE_TARGET_CLONES
#define VARIANTS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VARIANTS
#endif

enum { DEPTH = 256, ROWS = 8 };

#define REAL float
#define PRODUCT product_f32
#include "products_plain.inc"
#undef REAL
#undef PRODUCT

#define REAL double
#define PRODUCT product_f64
#include "products_plain.inc"

const products products_plain = { product_f32, product_f64 };
