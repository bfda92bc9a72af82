/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

void record_free(record *r) {
  free(r->groups);
  free(r->smoothed);
  findlr_curve_destroy(r->owned);
  cJSON_Delete(r->config);
  cJSON_Delete(r->document);
}

static const char *method_at(const void *ud, uint32_t i) {
  (void)ud;
  return findlr_suggestion_method(i);
}

int32_t check_method(const char *method, findlr_error *err) {
  if (!method || findlr_suggestion_method_help(method))
    return FINDLR_OK;
  const char *near = nearest(method, method_at, NULL);
  return fail(err, FINDLR_ERR_ARGUMENT,
              near ? "unknown method \"%s\", did you mean %s?"
                   : "unknown method \"%s\", see findlr suggest --help",
              method, near);
}

int32_t record_conclude(record *r, const char *method, findlr_error *err) {
  findlr_suggestion_options options;
  findlr_suggestion_options_init(&options, sizeof options);
  options.method = method;
  findlr_suggestion_init(&r->suggestion, sizeof r->suggestion);
  int32_t status = findlr_suggest(r->curve, &options, &r->suggestion, err);
  if (status != FINDLR_OK)
    return status;
  size_t n = findlr_curve_count(r->curve);
  r->smoothed = enlarge(r->smoothed, n * sizeof *r->smoothed);
  return findlr_curve_smooth(r->curve, &r->smoothing, r->smoothed, n, err);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* The length of the UTF-8 sequence at s, or 0 if what stands there is none. */
static size_t utf8_length(const unsigned char *s) {
  size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
      (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
    return 0;
  return n;
}

void json_text(cJSON *object, const char *name, const char *text) {
  if (!text) {
    cJSON_AddNullToObject(object, name);
    return;
  }
  char *valid = allocate(3 * strlen(text) + 1), *to = valid;
  while (*text) {
    size_t n = utf8_length((const unsigned char *)text);
    memcpy(to, n ? text : "\xef\xbf\xbd", n ? n : 3);
    to += n ? n : 3;
    text += n ? n : 1;
  }
  *to = 0;
  cJSON_AddStringToObject(object, name, valid);
  free(valid);
}

void json_number(cJSON *object, const char *name, double value) {
  char text[FINDLR_TEXT_SIZE];
  if (isfinite(value))
    cJSON_AddRawToObject(object, name, number(value, text));
  else
    cJSON_AddNullToObject(object, name);
}

/* Adds n numbers, or the words for n flags, as an array that is one piece of raw text: no node a
 * number. */
static void json_array(cJSON *object, const char *name, const double *values, const uint8_t *flags,
                       size_t n) {
  char *array = allocate(n * (FINDLR_TEXT_SIZE + 1) + 3), *to = array, text[FINDLR_TEXT_SIZE];
  *to++ = '[';
  for (size_t i = 0; i < n; i++) {
    const char *word = flags ? (flags[i] & FINDLR_POINT_SKIPPED ? "true" : "false")
                             : isfinite(values[i]) ? number(values[i], text) : "null";
    if (i > 0)
      *to++ = ',';
    size_t length = strlen(word);
    memcpy(to, word, length);
    to += length;
  }
  *to++ = ']';
  *to = 0;
  cJSON_AddRawToObject(object, name, array);
  free(array);
}

void json_numbers(cJSON *object, const char *name, const double *values, size_t n) {
  json_array(object, name, values, NULL, n);
}

static void json_suggestion(cJSON *object, const findlr_suggestion *s) {
  json_number(object, "lr", s->lr);
  json_number(object, "low", s->low);
  json_number(object, "high", s->high);
  json_text(object, "method", s->method);
  json_text(object, "verdict", findlr_verdict_name(s->verdict));
  json_text(object, "message", s->message);
}

/* What every method says of the curve. */
static void json_suggestions(cJSON *object, const record *r) {
  findlr_suggestion_options options;
  findlr_suggestion_options_init(&options, sizeof options);
  for (uint32_t i = 0; (options.method = findlr_suggestion_method(i)) != NULL; i++) {
    findlr_suggestion s;
    findlr_suggestion_init(&s, sizeof s);
    findlr_error err = FINDLR_ERROR_INIT;
    int32_t status = findlr_suggest(r->curve, &options, &s, &err);
    json_number(object, options.method, status == FINDLR_OK ? s.lr : NAN);
  }
}

static void json_curve(cJSON *object, const record *r) {
  const findlr_curve *c = r->curve;
  size_t n = findlr_curve_count(c);
  json_array(object, "lr", findlr_curve_lr(c, 0), NULL, n);
  json_array(object, "loss", findlr_curve_loss(c), NULL, n);
  json_array(object, "smoothed", r->smoothed, NULL, n);
  json_array(object, "skipped", NULL, findlr_curve_flags(c), n);
  if (r->validation)
    json_array(object, "train_loss", findlr_curve_train_loss(c), NULL, n);
  cJSON *groups = cJSON_AddObjectToObject(object, "groups");
  for (uint32_t g = 0; g < findlr_curve_groups(c); g++)
    json_array(groups, r->groups[g], findlr_curve_lr(c, g), NULL, n);
}

void record_write_json(const record *r, output *to) {
  cJSON *root = cJSON_CreateObject();
  cJSON_AddRawToObject(root, "format", "1");
  json_text(root, "findlr", findlr_version());
  json_suggestion(cJSON_AddObjectToObject(root, "suggestion"), &r->suggestion);
  json_suggestions(cJSON_AddObjectToObject(root, "suggestions"), r);
  cJSON *stop = cJSON_AddObjectToObject(root, "stop");
  json_text(stop, "reason", r->reason);
  json_number(stop, "step", (double)r->step);
  json_curve(cJSON_AddObjectToObject(root, "curve"), r);
  cJSON_AddItemReferenceToObject(root, "config", r->config);
  char *text = cJSON_Print(root);
  cJSON_Delete(root);
  output_write(to, text, strlen(text));
  output_write(to, "\n", 1);
  cJSON_free(text);
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void csv_text(output *to, const char *text) {
  output_write(to, text, strlen(text));
}

/* Header "lr PATTERN", quoted where a comma or quote asks for it. */
static void csv_group(output *to, const char *pattern) {
  bool quoted = strpbrk(pattern, ",\"\n\r") != NULL;
  csv_text(to, quoted ? ",\"lr " : ",lr ");
  for (; *pattern; pattern++) {
    output_write(to, pattern, 1);
    if (*pattern == '"')
      csv_text(to, "\"");
  }
  csv_text(to, quoted ? "\"" : "");
}

void record_write_csv(const record *r, output *to) {
  const findlr_curve *c = r->curve;
  uint32_t groups = findlr_curve_groups(c);
  csv_text(to, r->validation ? "lr,loss,smoothed,skipped,train_loss" : "lr,loss,smoothed,skipped");
  for (uint32_t g = 0; groups > 1 && g < groups; g++)
    csv_group(to, r->groups[g]);
  csv_text(to, "\n");
  char text[FINDLR_TEXT_SIZE];
  for (size_t i = 0; i < findlr_curve_count(c); i++) {
    csv_text(to, number(findlr_curve_lr(c, 0)[i], text));
    csv_text(to, ",");
    csv_text(to, number(findlr_curve_loss(c)[i], text));
    csv_text(to, ",");
    csv_text(to, number(r->smoothed[i], text));
    csv_text(to, findlr_curve_flags(c)[i] & FINDLR_POINT_SKIPPED ? ",1" : ",0");
    if (r->validation) {
      csv_text(to, ",");
      csv_text(to, number(findlr_curve_train_loss(c)[i], text));
    }
    for (uint32_t g = 0; groups > 1 && g < groups; g++) {
      csv_text(to, ",");
      csv_text(to, number(findlr_curve_lr(c, g)[i], text));
    }
    csv_text(to, "\n");
  }
}
