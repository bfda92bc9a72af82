/* SPDX-License-Identifier: MIT */
#include "host/rules.h"

#include <math.h>
#include <string.h>

/* --- reading against a table ------------------------------------------------------------------ */

int32_t findlr__rule_describe(void *user, uint32_t i, findlr_option *out) {
  const findlr__rule_option *options = user;
  const uint32_t size = out->struct_size;
  *out = options[i].option;
  out->struct_size = size;
  return FINDLR_OK;
}

static const char *rule_name(const void *ud, uint32_t i) {
  const findlr__rules *t = ud;
  return i < t->count ? t->rules[i].name : NULL;
}

int32_t findlr__rule_parse(findlr_context *context, const char *what, const findlr__rules *t,
                           const char *text, uint32_t *ret_index, findlr_spec **ret_spec,
                           findlr_error *err) {
  if (!context)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context is NULL");
  findlr__spec_parts parts;
  int32_t status = findlr__spec_cut(text, what, &parts, err);
  if (status < 0)
    return status;
  uint32_t i = 0;
  while (i < t->count && (strlen(t->rules[i].name) != parts.name_length ||
                          memcmp(t->rules[i].name, parts.name, parts.name_length) != 0))
    i++;
  if (i == t->count) {
    char name[64] = "", list[300] = "";
    if (parts.name_length < sizeof name)
      memcpy(name, parts.name, parts.name_length);
    const char *near = findlr__nearest(name, rule_name, t);
    size_t n = 0;
    for (uint32_t j = 0; j < t->count; j++)
      n += findlr__format(list + n, sizeof list - n, "%s%s", j ? ", " : "", t->rules[j].name);
    return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "there is no %s named \"%s\"%s%s%s, wanted %s",
                        what, name, near ? " (did you mean \"" : "", near ? near : "",
                        near ? "\"?)" : "", list);
  }
  status = findlr__spec_read(findlr_context_allocator(context), what, &t->rules[i], &parts, 0,
                             ret_spec, err);
  if (status == FINDLR_OK)
    *ret_index = i;
  return status;
}

void findlr__rule_apply(const findlr_spec *spec, void *into) {
  const findlr__rule_option *options = findlr_spec_component(spec)->user;
  uint32_t count;
  const findlr_value *const *values = findlr_spec_values(spec, &count);
  for (uint32_t i = 0; i < count; i++) {
    char *to = (char *)into + options[i].offset;
    uint32_t word = (uint32_t)values[i]->integer;
    if (options[i].type == FINDLR__TO_REAL)
      memcpy(to, &values[i]->real, sizeof values[i]->real);
    else if (options[i].type == FINDLR__TO_INTEGER)
      memcpy(to, &values[i]->integer, sizeof values[i]->integer);
    else if (options[i].type == FINDLR__TO_WORD)
      memcpy(to, &word, sizeof word);
  }
}

/* --- smoothings and stop rules ---------------------------------------------------------------- */

static int32_t describe(void *user, uint32_t i, findlr_option *out) {
  const findlr_option *options = user;
  const uint32_t size = out->struct_size;
  *out = options[i];
  out->struct_size = size;
  return FINDLR_OK;
}

#define REAL(name, help, default_value, minimum, maximum)                                          \
  { sizeof(findlr_option), FINDLR_OPTION_REAL, name, help, default_value, NULL, minimum, maximum }
#define RULE(name, help, options)                                                                  \
  { sizeof(findlr_component), 0, name, help, NULL, (void *)(uintptr_t)(options),                   \
    sizeof options / sizeof options[0], 0, describe }
#define BARE_RULE(name, help) { sizeof(findlr_component), 0, name, help, NULL, NULL, 0, 0, NULL }

static const findlr_option ema_options[] = { REAL("beta", "how much of the past is kept", "0.98", 0,
                                                  0.999999) };
static const findlr_option seeded_ema_options[] = { REAL(
    "weight", "how much a new loss counts", "0.05", 0.000001, 1) };
static const findlr_option gaussian_options[] = { REAL("sigma", "width in steps", "3", 0.001,
                                                       1000000) };
static const findlr_option rise_options[] = {
  REAL("factor", "rise above the best, in units of the fall before it", "4", 0.000001, HUGE_VAL),
  REAL("beta", "of the causal average", "0.98", 0, 0.999999),
};
static const findlr_option factor_options[] = {
  REAL("factor", "times the best", "4", 1.000001, HUGE_VAL),
  REAL("beta", "of the causal average", "0.98", 0, 0.999999),
};

/* Each at the place of its FINDLR_SMOOTHING_... and FINDLR_STOP_... */
static const findlr_component smoothings[] = {
  BARE_RULE("none", "the loss as it is"),
  RULE("ema", "bias-corrected exponential average", ema_options),
  RULE("seeded_ema", "exponential average that begins with the first loss", seeded_ema_options),
  RULE("gaussian", "zero-phase Gaussian", gaussian_options),
};
static const findlr_component stops[] = {
  BARE_RULE("none", "never"),
  BARE_RULE("not_finite", "at a loss that is NaN or infinite"),
  RULE("factor", "when the loss exceeds a multiple of its best", factor_options),
  RULE("rise", "when the loss has risen far above its best", rise_options),
};

/* Reads text against a table; fills the place in it and the values of up to two options. */
static int32_t parse(findlr_context *context, const char *what, const findlr__rules *t,
                     const char *text, uint32_t *ret_index, double values[2], findlr_error *err) {
  findlr_spec *spec;
  int32_t status = findlr__rule_parse(context, what, t, text, ret_index, &spec, err);
  if (status < 0)
    return status;
  uint32_t count;
  const findlr_value *const *given = findlr_spec_values(spec, &count);
  for (uint32_t j = 0; j < count && j < 2; j++)
    values[j] = given[j]->real;
  findlr_spec_destroy(spec);
  return FINDLR_OK;
}

int32_t findlr_smoothing_parse(findlr_context *context, const char *text,
                               findlr_smoothing *ret_smoothing, findlr_error *err) {
  const findlr__rules t = { smoothings, sizeof smoothings / sizeof smoothings[0] };
  double values[2] = { 0, 0 };
  findlr_smoothing found = { sizeof found, 0, 0 };
  int32_t status = parse(context, "smoothing", &t, text, &found.kind, values, err);
  if (status < 0)
    return status;
  found.parameter = values[0];
  return findlr__give(ret_smoothing, &found, sizeof found,
                      FINDLR_SIZE_UP_TO(findlr_smoothing, parameter), "findlr_smoothing", err);
}

int32_t findlr_stop_parse(findlr_context *context, const char *text, findlr_stop *ret_stop,
                          findlr_smoothing *smoothing, findlr_error *err) {
  const findlr__rules t = { stops, sizeof stops / sizeof stops[0] };
  double values[2] = { 4, 0.98 };
  findlr_stop found = { sizeof found, 0, 0, smoothing };
  int32_t status = parse(context, "stop rule", &t, text, &found.rule, values, err);
  if (status < 0)
    return status;
  found.factor = values[0];
  findlr_smoothing causal = { sizeof causal, FINDLR_SMOOTHING_EMA, values[1] };
  /* Both are checked before either is written. */
  uint32_t size = ret_stop ? ret_stop->struct_size : 0;
  if (size < FINDLR_SIZE_UP_TO(findlr_stop, smoothing))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "findlr_stop is NULL or has struct_size %u, wanted at least %zu", size,
                        FINDLR_SIZE_UP_TO(findlr_stop, smoothing));
  status = findlr__give(smoothing, &causal, sizeof causal,
                        FINDLR_SIZE_UP_TO(findlr_smoothing, parameter), "findlr_smoothing", err);
  if (status < 0)
    return status;
  return findlr__give(ret_stop, &found, sizeof found, FINDLR_SIZE_UP_TO(findlr_stop, smoothing),
                      "findlr_stop", err);
}
