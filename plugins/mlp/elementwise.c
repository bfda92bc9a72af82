/* SPDX-License-Identifier: MIT */
#include "elementwise.h"

#include <string.h>
#include <tgmath.h>

#define REAL float
#define NAME(name) name##_f32
#include "elementwise.inc"
#undef REAL
#undef NAME

#define REAL double
#define NAME(name) name##_f64
#include "elementwise.inc"
