/* SPDX-License-Identifier: MIT */
#include "host/option.h"

#include <math.h>
#include <string.h>

#include "findlr/text.h"
#include "host/registry.h"

int findlr__shown(const char *text) {
  size_t n = strlen(text);
  return (int)findlr__utf8(text, n < 60 ? n : 60);
}

int32_t findlr__option_get(const findlr_component *component, uint32_t i,
                           findlr_option *ret_option) {
  *ret_option = (findlr_option){ .struct_size = sizeof *ret_option,
                                 .minimum = -HUGE_VAL,
                                 .maximum = HUGE_VAL };
  return component->option(component->user, i, ret_option);
}

/* --- values ---------------------------------------------------------------------------------- */

/* "wanted 1 to 64", in words. */
static const char *range(const findlr_option *option, char *buffer, size_t size) {
  if (option->minimum > -HUGE_VAL && option->maximum < HUGE_VAL)
    findlr__format(buffer, size, "%g to %g", option->minimum, option->maximum);
  else if (option->minimum > -HUGE_VAL)
    findlr__format(buffer, size, "%g or more", option->minimum);
  else
    findlr__format(buffer, size, "%g or less", option->maximum);
  return buffer;
}

static int32_t refuse(findlr_error *err, const char *who, const findlr_option *option,
                      const char *text, const char *wanted) {
  return findlr__fail(err, FINDLR_ERR_ARGUMENT, "%s: option %s is \"%.*s\", wanted %s", who,
                      option->name, findlr__shown(text), text, wanted);
}

static int32_t out_of_range(findlr_error *err, const char *who, const findlr_option *option,
                            const char *text) {
  char wanted[80];
  return refuse(err, who, option, text, range(option, wanted, sizeof wanted));
}

/* A whole number at the start of text; returns its length, or 0 if there is none that fits. */
static size_t parse_integer(const char *text, int64_t *ret_value) {
  int negative = text[0] == '-';
  size_t i = text[0] == '-' || text[0] == '+', start = i;
  int64_t value = 0;
  for (; text[i] >= '0' && text[i] <= '9'; i++) {
    int digit = text[i] - '0';
    /* Negative numbers reach one further. */
    if (value < (INT64_MIN + digit) / 10)
      return 0;
    value = value * 10 - digit;
  }
  if (i == start || (!negative && value == INT64_MIN))
    return 0;
  *ret_value = negative ? value : -value;
  return i;
}

static int in_range(const findlr_option *option, double value) {
  return value >= option->minimum && value <= option->maximum;
}

/* The length of choice i and where it begins; NULL past the last. */
static const char *choice_at(const char *choices, uint32_t i, size_t *ret_length) {
  const char *at = choices;
  for (; i > 0; i--) {
    at = strchr(at, '|');
    if (!at)
      return NULL;
    at++;
  }
  *ret_length = strcspn(at, "|");
  return at;
}

static int32_t choice_find(const char *choices, const char *text) {
  size_t n;
  const char *choice;
  for (uint32_t i = 0; (choice = choice_at(choices, i, &n)) != NULL; i++)
    if (strlen(text) == n && memcmp(choice, text, n) == 0)
      return (int32_t)i;
  return -1;
}

/* For findlr__nearest: the choices, cut apart in place at '|'. */
static const char *choice_next(const void *ud, uint32_t i) {
  const char *at = ud;
  for (; i > 0 && *at; i--)
    at += strlen(at) + 1;
  return *at ? at : NULL;
}

static int32_t refuse_choice(findlr_error *err, const char *who, const findlr_option *option,
                             const char *text) {
  char list[FINDLR__LONGEST_STRING + 2] = "";
  size_t n = strlen(option->choices);
  memcpy(list, option->choices, n);
  for (size_t i = 0; i < n; i++)
    if (list[i] == '|')
      list[i] = 0;
  const char *near = findlr__nearest(text, choice_next, list);
  if (near)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "%s: option %s is \"%.*s\", wanted %s (did you mean \"%s\"?)", who,
                        option->name, findlr__shown(text), text, option->choices, near);
  return refuse(err, who, option, text, option->choices);
}

static int32_t parse_sizes(const findlr_allocator *a, const findlr_option *option, const char *text,
                           findlr_value *value, const char *who, findlr_error *err) {
  if (!*text)
    return FINDLR_OK;
  uint32_t count = 1;
  for (const char *c = text; *c; c++)
    count += *c == 'x';
  int64_t *sizes = findlr__allocate(a, count * sizeof *sizes);
  if (!sizes)
    return findlr__no_memory(err, "an option's value");
  value->sizes = sizes;
  value->count = count;
  const char *at = text;
  for (uint32_t i = 0; i < count; i++) {
    size_t n = parse_integer(at, &sizes[i]);
    if (n == 0 || at[n] != (i + 1 < count ? 'x' : '\0'))
      return refuse(err, who, option, text, "sizes such as 128x64");
    if (!in_range(option, (double)sizes[i])) {
      char wanted[80], each[100];
      findlr__format(each, sizeof each, "sizes of %s each", range(option, wanted, sizeof wanted));
      return refuse(err, who, option, text, each);
    }
    at += n + 1;
  }
  return FINDLR_OK;
}

static int32_t parse(const findlr_allocator *a, const findlr_option *option, const char *text,
                     findlr_value *value, const char *who, findlr_error *err) {
  size_t n;
  switch (option->type) {
  case FINDLR_OPTION_INTEGER:
    n = parse_integer(text, &value->integer);
    if (n == 0 || text[n])
      return refuse(err, who, option, text, "a whole number");
    value->real = (double)value->integer;
    return in_range(option, value->real) ? FINDLR_OK : out_of_range(err, who, option, text);
  case FINDLR_OPTION_REAL:
    n = findlr_text_parse(text, strlen(text), &value->real);
    if (n == 0 || text[n])
      return refuse(err, who, option, text, "a number");
    if (!isfinite(value->real))
      return refuse(err, who, option, text, "a finite number");
    return in_range(option, value->real) ? FINDLR_OK : out_of_range(err, who, option, text);
  case FINDLR_OPTION_BOOLEAN:
    if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "1") == 0)
      value->integer = 1;
    else if (strcmp(text, "false") != 0 && strcmp(text, "no") != 0 && strcmp(text, "0") != 0)
      return refuse(err, who, option, text, "true or false");
    return FINDLR_OK;
  case FINDLR_OPTION_CHOICE:
    value->integer = choice_find(option->choices, text);
    return value->integer >= 0 ? FINDLR_OK : refuse_choice(err, who, option, text);
  case FINDLR_OPTION_SIZES:
    return parse_sizes(a, option, text, value, who, err);
  default:
    return FINDLR_OK; /* text is what it is */
  }
}

int32_t findlr__value_parse(const findlr_allocator *a, const findlr_option *option,
                            const char *text, findlr_value *value, const char *who,
                            findlr_error *err) {
  value->struct_size = sizeof *value;
  value->type = option->type;
  int32_t status = parse(a, option, text, value, who, err);
  if (status < 0)
    findlr__value_release(a, value);
  return status;
}

void findlr__value_release(const findlr_allocator *a, findlr_value *value) {
  findlr__release(a, (void *)(uintptr_t)value->sizes, value->count * sizeof *value->sizes);
  value->sizes = NULL;
  value->count = 0;
}

/* --- the table ------------------------------------------------------------------------------- */

static int is_option_name(const char *name) {
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
  return n > 0 && n <= FINDLR__LONGEST_NAME && !name[n];
}

static int choices_are_sound(const char *choices) {
  size_t n;
  const char *choice;
  for (uint32_t i = 0; (choice = choice_at(choices, i, &n)) != NULL; i++) {
    if (n == 0)
      return 0;
    char name[FINDLR__LONGEST_STRING + 1];
    memcpy(name, choice, n);
    name[n] = 0;
    if (choice_find(choices, name) != (int32_t)i)
      return 0;
  }
  return 1;
}

static int32_t check(const findlr_allocator *a, const findlr_option *option, uint32_t i,
                     const char *who, int32_t code, findlr_error *err) {
  char what[40];
  findlr__format(what, sizeof what, "the name of option %u", i);
  int32_t status = findlr__check_string(option->name, who, what, code, err);
  if (status < 0)
    return status;
  if (!is_option_name(option->name))
    return findlr__fail(err, code,
                        "%s: option %u has the name \"%.*s\", wanted lower case letters, digits and "
                        "underscores, at most 63",
                        who, i, findlr__shown(option->name), option->name);
  char owner[160];
  findlr__format(owner, sizeof owner, "%s: option %s", who, option->name);
  status = findlr__check_string(option->help, owner, "its help", code, err);
  if (status == FINDLR_OK && option->default_value)
    status = findlr__check_string(option->default_value, owner, "its default", code, err);
  if (status == FINDLR_OK && option->type == FINDLR_OPTION_CHOICE)
    status = findlr__check_string(option->choices, owner, "its list of choices", code, err);
  if (status < 0)
    return status;
  if (option->type < FINDLR_OPTION_INTEGER || option->type > FINDLR_OPTION_SIZES)
    return findlr__fail(err, code, "%s has type %u, wanted 1 to 6", owner, option->type);
  if (option->type == FINDLR_OPTION_CHOICE && !choices_are_sound(option->choices))
    return findlr__fail(err, code, "%s has the choices \"%s\", wanted different words between '|'",
                        owner, option->choices);
  int bounded = option->type == FINDLR_OPTION_INTEGER || option->type == FINDLR_OPTION_REAL ||
                option->type == FINDLR_OPTION_SIZES;
  if (bounded && !(option->minimum <= option->maximum))
    return findlr__fail(err, code, "%s has a minimum of %g and a maximum of %g", owner,
                        option->minimum, option->maximum);
  if (!option->default_value)
    return FINDLR_OK;
  findlr_value value = { 0 };
  findlr_error why = FINDLR_ERROR_INIT;
  status = findlr__value_parse(a, option, option->default_value, &value, who, &why);
  findlr__value_release(a, &value);
  if (status == FINDLR_ERR_NO_MEMORY)
    return findlr__no_memory(err, "an option's default");
  return status < 0 ? findlr__fail(err, code, "%s (its own default)", why.message) : FINDLR_OK;
}

int32_t findlr__options_check(const findlr_allocator *a, const findlr_component *component,
                              const char *who, int32_t code, findlr_error *err) {
  uint32_t count = component->option_count;
  if (count > FINDLR__MOST_OPTIONS)
    return findlr__fail(err, code, "%s has %u options, wanted at most %d", who, count,
                        (int)FINDLR__MOST_OPTIONS);
  if (count > 0 && !component->option)
    return findlr__fail(err, code, "%s has %u options and no function that describes them", who,
                        count);
  const char *names[FINDLR__MOST_OPTIONS];
  for (uint32_t i = 0; i < count; i++) {
    findlr_option option;
    int32_t status = findlr__option_get(component, i, &option);
    if (status != FINDLR_OK)
      return findlr__fail(err, code, "%s: describing option %u returned %d, wanted 0", who, i,
                          (int)status);
    status = check(a, &option, i, who, code, err);
    if (status < 0)
      return status;
    names[i] = option.name;
    for (uint32_t j = 0; j < i; j++)
      if (strcmp(names[j], option.name) == 0)
        return findlr__fail(err, code, "%s has two options named %s", who, option.name);
  }
  return FINDLR_OK;
}
