/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_SPEC_H
#define FINDLR_SPEC_H

#include "registry.h"
#include "stop.h"

FINDLR_BEGIN

/* Spec strings: NAME[:item,...]. An item is key=value, or a value in the option table's order before
 * any key=value. A value may stand in double quotes, with \" and \\ inside; it must if it has a comma or
 * a quote, or, without a key, an '='. Spaces around items are ignored. For data "FILE.csv" (also .csv.gz)
 * is short for csv:file="FILE.csv", and items may follow it: "train.csv:target=label". UTF-8 without
 * control characters, at most 65,536 bytes. The same syntax everywhere: C, command line, bindings. */
typedef struct findlr_spec findlr_spec;

/* Reads text for a component of that kind, finding (and loading) it by name and checking every item
 * against its option table. FINDLR_ERR_NOT_FOUND for an unknown component or option (the sentence
 * names the nearest), FINDLR_ERR_ARGUMENT for a value that is not allowed (it says what is). */
FINDLR_API int32_t findlr_spec_parse(findlr_context *context, uint32_t kind, const char *text,
                                     findlr_spec **ret_spec, findlr_error *err);
FINDLR_API void findlr_spec_destroy(findlr_spec *spec);

FINDLR_API const findlr_component *findlr_spec_component(const findlr_spec *spec);

/* The values in the order of the option table: what create receives. */
FINDLR_API const findlr_value *const *findlr_spec_values(const findlr_spec *spec,
                                                         uint32_t *ret_count);

/* The spec written out again with every option, in canonical form: "mlp:hidden=128,activation=relu".
 * Lives as long as the spec. */
FINDLR_API const char *findlr_spec_text(const findlr_spec *spec);

/* "none", "ema:beta=0.98", "seeded_ema:weight=0.05", "gaussian:sigma=3"; the struct_size of *ret_smoothing
 * (as that of ret_stop and smoothing below) is set by the caller. */
FINDLR_API int32_t findlr_smoothing_parse(findlr_context *context, const char *text,
                                          findlr_smoothing *ret_smoothing, findlr_error *err);

/* "rise:factor=4,beta=0.98", "factor:factor=4,beta=0.98", "not_finite", "none". beta is of the causal EMA,
 * which is written into *smoothing; ret_stop->smoothing points to it. */
FINDLR_API int32_t findlr_stop_parse(findlr_context *context, const char *text,
                                     findlr_stop *ret_stop, findlr_smoothing *smoothing,
                                     findlr_error *err);

FINDLR_END

#endif
