/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_SVG_H
#define FINDLR_CLI_SVG_H

#include <stddef.h>

#include "findlr/findlr.h"

/* A drawing as an SVG 1.1 document, text as text. Returns what malloc gave, for free, and its size;
 * or NULL if there is no memory. */
char *svg_from_drawing(const findlr_drawing *drawing, size_t *ret_size);

#endif
