/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

#include "message.h"

subject *subject_make(const arguments *args) {
  const subject_kind *kind = args->isolate ? &isolated_subject : &session_subject;
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
