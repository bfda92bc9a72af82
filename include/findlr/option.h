/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_OPTION_H
#define FINDLR_OPTION_H

#include "base.h"

FINDLR_BEGIN

/* The options of a model, optimizer, loss, data source or trainer. The component describes them; the
 * host makes --help, near-miss suggestions and error sentences from the description, reads spec
 * strings ("mlp:hidden=128x64,activation=tanh") against it, and gives `create` one checked value an
 * option, in the table's order, the default where the user gave none. */

enum {
  FINDLR_OPTION_INTEGER = 1, /* value.integer */
  FINDLR_OPTION_REAL = 2,    /* value.real; never NaN or infinite */
  FINDLR_OPTION_BOOLEAN = 3, /* value.integer 0 or 1; written true, false, 1, 0, yes, no */
  FINDLR_OPTION_TEXT = 4,    /* value.text */
  FINDLR_OPTION_CHOICE = 5,  /* value.text, and value.integer = its place in choices from 0 */
  FINDLR_OPTION_SIZES = 6    /* value.sizes and value.count: "128x64"; "" is the empty list */
};

/* One option. Strings are UTF-8, at most 255 bytes, live as long as the component, and are never NULL
 * unless it says so. */
typedef struct findlr_option {
  uint32_t struct_size;
  uint32_t type;             /* FINDLR_OPTION_... */
  const char *name;          /* lower case, digits, underscore */
  const char *help;          /* one line */
  const char *default_value; /* as it would be written; NULL: the option must be given */
  const char *choices;       /* CHOICE: "relu|tanh|sigmoid"; else NULL */
  double minimum;            /* INTEGER, REAL, each of SIZES: the range allowed, ends included; */
  double maximum;            /* -HUGE_VAL and HUGE_VAL where there is none */
} findlr_option;

/* One value, of the type that the option table says. Belongs to the host; valid during create. */
typedef struct findlr_value {
  uint32_t struct_size;
  uint32_t type;
  uint32_t given; /* 1 if the user wrote it, 0 if it is the default */
  uint32_t count; /* of sizes */
  int64_t integer;
  double real;          /* also set for INTEGER */
  const char *text;     /* as written, NUL-terminated; set for every type; "" for an unset TEXT */
  const int64_t *sizes; /* count entries */
} findlr_value;

FINDLR_END

#endif
