/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

subject *subject_make(const arguments *args) {
  const subject_kind *kind = args->trainer || args->program.count ? &trainer_subject
                             : args->isolate                      ? &isolated_subject
                                                                  : &session_subject;
  subject *self = allocate(kind->size);
  memset(self, 0, kind->size);
  self->kind = kind;
  self->args = args;
  return self;
}

void subject_free(subject *self) {
  if (!self)
    return;
  self->kind->close(self);
  free(self);
}

int32_t check_spec(const subject *self, uint32_t kind, const char *text, findlr_error *err) {
  findlr_spec *spec;
  int32_t status = text ? findlr_spec_parse(self->context, kind, text, &spec, err) : FINDLR_DONE;
  if (status == FINDLR_OK)
    findlr_spec_destroy(spec);
  return status < 0 ? as_usage(status, err) : FINDLR_OK;
}

char *without_folders(char *text) {
  char *to = text, *item = text;
  for (const char *from = text; *from; from++) {
    if (*from == '/') {
      to = item;
      continue;
    }
    *to++ = *from;
    if (strchr(":=,\" ", *from))
      item = to;
  }
  *to = 0;
  return text;
}

int32_t read_group(const char *text, const char *wanted, char **ret_name, double *ret_factor,
                   findlr_error *err) {
  const char *equals = strrchr(text, '=');
  size_t length = equals ? strlen(equals + 1) : 0;
  *ret_name = joined(text, "", "");
  if (!equals || equals == text || findlr_text_parse(equals + 1, length, ret_factor) != length ||
      length == 0 || !(*ret_factor > 0) || !isfinite(*ret_factor))
    return fail(err, FINDLR_ERR_ARGUMENT, "--group %s: %s is wanted", text, wanted);
  (*ret_name)[equals - text] = 0;
  return FINDLR_OK;
}

char *quoted(const char *text) {
  char *result = allocate(2 * strlen(text) + 3), *to = result;
  *to++ = '"';
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      *to++ = '\\';
    *to++ = *text;
  }
  *to++ = '"';
  *to = 0;
  return result;
}
