/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_SPEC_H
#define FINDLR_SPEC_H

#include "early_stopping.h"
#include "registry.h"
#include "schedule.h"
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

/* What a schedule is for: where its spec string says nothing, the numbers come from here. 0: not
 * known, and then the string must say it (what is known replaces low by a quarter of the peak, and the
 * peak by lr). The members of a findlr_suggestion of the same names fit. */
typedef struct findlr_schedule_basis {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  double lr;         /* the rate to train with */
  double low, high;  /* the interval of cyclical schedules; high is the peak of a one-cycle, too */
  int64_t steps;     /* of the whole run, warm-up included */
} findlr_schedule_basis;

/* Makes a schedule from "cosine", "cosine:min=1e-5,warmup=100", "one_cycle:max=0.1,steps=1000",
 * "reduce_on_plateau:mode=max,patience=5": the word of findlr_schedule_name and options, of which every
 * schedule has steps (without warm-up), warmup, warmup_mode and warmup_start, in front of which stand
 * its own (docs/schedules.md; findlr_schedule_component). basis NULL: nothing is known. The allocator
 * is the context's, which must outlive the schedule. */
FINDLR_API int32_t findlr_schedule_parse(findlr_context *context, const char *text,
                                         const findlr_schedule_basis *basis,
                                         findlr_schedule **ret_schedule, findlr_error *err);

/* The i-th kind of schedule as if it were a component: its name, one line of help, and its options. kind is
 * 0 and vtable NULL. NULL past the last. Static. [any thread] */
FINDLR_API const findlr_component *findlr_schedule_component(uint32_t i);

/* "min:patience=5,min_delta=0.001,baseline=0.3,start_from=10,nan=stop,restore_best=true", "max:5" (patience
 * comes first): the mode of a metric and options. The struct_size of *ret_options is set by the caller. */
FINDLR_API int32_t findlr_early_stopping_parse(findlr_context *context, const char *text,
                                               findlr_early_stopping_options *ret_options,
                                               findlr_error *err);

FINDLR_END

#endif
