/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "arguments.h"
#include "host.h"
#include "message.h"
#include "output.h"

static const char *kind_name(uint32_t kind) {
  static const char *const names[] = { "schedule", "model", "optimizer", "loss", "data", "trainer" };
  return kind < sizeof names / sizeof *names ? names[kind] : "";
}

/* --- one component ---------------------------------------------------------------------------- */

static void show_bounds(FILE *to, const findlr_option *o) {
  char least[FINDLR_TEXT_SIZE], most[FINDLR_TEXT_SIZE];
  bool low = o->minimum > -HUGE_VAL, high = o->maximum < HUGE_VAL;
  if (o->type != FINDLR_OPTION_INTEGER && o->type != FINDLR_OPTION_REAL &&
      o->type != FINDLR_OPTION_SIZES)
    return;
  if (low && high)
    fprintf(to, ", %s to %s", number(o->minimum, least), number(o->maximum, most));
  else if (low)
    fprintf(to, ", at least %s", number(o->minimum, least));
  else if (high)
    fprintf(to, ", at most %s", number(o->maximum, most));
}

static const char *type_name(const findlr_option *o) {
  static const char *const names[] = { "",        "whole number", "number",
                                       "yes or no", "text",       "",
                                       "sizes as 128x64" };
  if (o->type == FINDLR_OPTION_CHOICE)
    return o->choices;
  return o->type < sizeof names / sizeof *names ? names[o->type] : "";
}

static void show_component(FILE *to, const findlr_component *c) {
  enum { COLUMN = 18 };
  fprintf(to, "\n%s %s", kind_name(c->kind), c->name);
  if (c->help && *c->help)
    fprintf(to, ": %s", c->help);
  fputc('\n', to);
  for (uint32_t i = 0; i < c->option_count; i++) {
    findlr_option o = { .struct_size = sizeof o, .minimum = -HUGE_VAL, .maximum = HUGE_VAL };
    if (c->option(c->user, i, &o) != 0)
      continue;
    int column = fprintf(to, "  %-*s", COLUMN - 3, o.name) + 1;
    fputc(' ', to);
    wrap(to, o.help, column, COLUMN);
    fprintf(to, "%*s(%s", COLUMN, "", type_name(&o));
    show_bounds(to, &o);
    if (!o.default_value)
      fputs("; must be given)\n", to);
    else
      fprintf(to, "; default %s)\n", *o.default_value ? o.default_value : "empty");
  }
}

/* --- lists ------------------------------------------------------------------------------------ */

static void list_component(FILE *to, const findlr_component *c) {
  fprintf(to, "  %-10s%-16s %s\n", kind_name(c->kind), c->name, c->help ? c->help : "");
}

static bool plugin_at(findlr_context *context, uint32_t i, findlr_plugin_info *out) {
  findlr_error ignored = FINDLR_ERROR_INIT;
  *out = (findlr_plugin_info){ .struct_size = sizeof *out };
  return findlr_plugin_at(context, i, out, &ignored) == FINDLR_OK;
}

static bool from_plugin(findlr_context *context, const findlr_component *c) {
  findlr_plugin_info info;
  const findlr_component *other;
  for (uint32_t i = 0; plugin_at(context, i, &info); i++)
    for (uint32_t j = 0; (other = findlr_plugin_component_at(context, i, j)) != NULL; j++)
      if (other == c)
        return true;
  return false;
}

static void list_all(FILE *to, findlr_context *context) {
  const findlr_component *c;
  findlr_plugin_info info;
  fputs("built in\n", to);
  for (uint32_t kind = FINDLR_KIND_MODEL; kind <= FINDLR_KIND_TRAINER; kind++)
    for (uint32_t i = 0; (c = findlr_component_at(context, kind, i)) != NULL; i++)
      if (!from_plugin(context, c))
        list_component(to, c);
  for (uint32_t i = 0; plugin_at(context, i, &info); i++) {
    fprintf(to, "\n%s %s: %s\n", info.id, info.version, info.description);
    if (*info.file)
      fprintf(to, "  %s\n", info.file);
    for (uint32_t j = 0; (c = findlr_plugin_component_at(context, i, j)) != NULL; j++)
      list_component(to, c);
  }
  fputs("\nfindlr plugins NAME shows the options of a plugin or of a component.\n", to);
}

/* Shows the plugin of that name, and every component. */
static bool show(FILE *to, findlr_context *context, const char *name) {
  bool found = false;
  const findlr_component *c;
  findlr_plugin_info info;
  for (uint32_t i = 0; plugin_at(context, i, &info); i++) {
    if (strcmp(info.id, name) != 0)
      continue;
    found = true;
    fprintf(to, "%s %s: %s\n", info.id, info.version, info.description);
    if (*info.file)
      fprintf(to, "  %s\n", info.file);
    for (uint32_t j = 0; (c = findlr_plugin_component_at(context, i, j)) != NULL; j++)
      show_component(to, c);
  }
  for (uint32_t kind = FINDLR_KIND_MODEL; kind <= FINDLR_KIND_TRAINER && !found; kind++)
    for (uint32_t i = 0; (c = findlr_component_at(context, kind, i)) != NULL; i++)
      if (strcmp(c->name, name) == 0) {
        found = true;
        fprintf(to, "%s", from_plugin(context, c) ? "" : "built in\n");
        show_component(to, c);
      }
  for (uint32_t i = 0; !found && (c = findlr_schedule_component(i)) != NULL; i++)
    if (strcmp(c->name, name) == 0) {
      found = true;
      fputs("built in\n", to);
      show_component(to, c);
    }
  return found;
}

static const char *name_at(const void *ud, uint32_t i) {
  findlr_context *context = *(findlr_context *const *)ud;
  const findlr_component *c;
  findlr_plugin_info info;
  for (uint32_t k = 0; plugin_at(context, k, &info); k++)
    if (i-- == 0)
      return info.id;
  for (uint32_t kind = FINDLR_KIND_MODEL; kind <= FINDLR_KIND_TRAINER; kind++)
    for (uint32_t k = 0; (c = findlr_component_at(context, kind, k)) != NULL; k++)
      if (i-- == 0)
        return c->name;
  for (uint32_t k = 0; (c = findlr_schedule_component(k)) != NULL; k++)
    if (i-- == 0)
      return c->name;
  return NULL;
}

int32_t plugins_command(const arguments *args, findlr_error *err) {
  findlr_context *context;
  int32_t status = host_open(args, &context, err);
  if (status != FINDLR_OK)
    return status;
  status = findlr_load_all_plugins(context, err);
  if (status == FINDLR_OK && args->files.count == 0)
    list_all(output_text(), context);
  else if (status == FINDLR_OK && !show(output_text(), context, args->files.at[0])) {
    const char *name = args->files.at[0], *near = nearest(name, name_at, &context);
    status = fail(err, FINDLR_ERR_NOT_FOUND, near ? "no plugin or component is called \"%s\", did you mean %s?"
                                                  : "no plugin or component is called \"%s\", see findlr plugins",
                  name, near);
  }
  findlr_context_destroy(context);
  return status;
}
