/* SPDX-License-Identifier: MIT */
#include "host/registry.h"

#include <string.h>

#include "host/loader.h"
#include "host/option.h"

int findlr__is_name(const char *text) {
  size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
  return n > 0 && n <= FINDLR__LONGEST_NAME && !text[n] && !strchr("_.-", text[0]);
}

int32_t findlr__check_string(const char *text, const char *who, const char *what, int32_t code,
                             findlr_error *err) {
  if (!text)
    return findlr__fail(err, code, "%s: %s is NULL", who, what);
  size_t n = 0;
  while (n <= FINDLR__LONGEST_STRING && text[n])
    n++;
  if (n > FINDLR__LONGEST_STRING)
    return findlr__fail(err, code, "%s: %s is longer than %d bytes", who, what,
                        (int)FINDLR__LONGEST_STRING);
  if (findlr__utf8(text, n) < n)
    return findlr__fail(err, code, "%s: %s is not UTF-8", who, what);
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
      return findlr__fail(err, code, "%s: %s has a control character", who, what);
  return FINDLR_OK;
}

/* --- what a component must have -------------------------------------------------------------- */

typedef struct slot {
  const char *name;
  size_t offset;
} slot;

#define SLOT(T, member) { #member, offsetof(T, member) }

static const slot model_slots[] = {
  SLOT(findlr_model_vtable, create),   SLOT(findlr_model_vtable, destroy),
  SLOT(findlr_model_vtable, forward),  SLOT(findlr_model_vtable, backward),
  SLOT(findlr_model_vtable, parameter), SLOT(findlr_model_vtable, state),
};
static const slot optimizer_slots[] = {
  SLOT(findlr_optimizer_vtable, create), SLOT(findlr_optimizer_vtable, destroy),
  SLOT(findlr_optimizer_vtable, step),   SLOT(findlr_optimizer_vtable, set),
  SLOT(findlr_optimizer_vtable, state),
};
static const slot loss_slots[] = {
  SLOT(findlr_loss_vtable, create),
  SLOT(findlr_loss_vtable, destroy),
  SLOT(findlr_loss_vtable, value_and_gradient),
};
static const slot data_slots[] = {
  SLOT(findlr_data_vtable, create),
  SLOT(findlr_data_vtable, destroy),
  SLOT(findlr_data_vtable, describe),
  SLOT(findlr_data_vtable, gather),
};
static const slot trainer_slots[] = {
  SLOT(findlr_trainer_vtable, create), SLOT(findlr_trainer_vtable, destroy),
  SLOT(findlr_trainer_vtable, step),   SLOT(findlr_trainer_vtable, save),
  SLOT(findlr_trainer_vtable, restore),
};

/* By kind: the size of the first version and the slots that may not be NULL. */
static const struct {
  size_t smallest;
  const slot *slots;
  size_t count;
} kinds[] = {
#define KIND(T, slots)                                                                             \
  { FINDLR_SIZE_UP_TO(T, get_extension), slots, sizeof slots / sizeof slots[0] }
  { 0, NULL, 0 },
  KIND(findlr_model_vtable, model_slots),
  KIND(findlr_optimizer_vtable, optimizer_slots),
  KIND(findlr_loss_vtable, loss_slots),
  KIND(findlr_data_vtable, data_slots),
  KIND(findlr_trainer_vtable, trainer_slots),
#undef KIND
};

static int slot_is_null(const void *vtable, size_t offset) {
  void (*function)(void);
  memcpy(&function, (const char *)vtable + offset, sizeof function);
  return !function;
}

static int32_t check_component(const findlr_allocator *a, const findlr_component *component,
                               const char *maker, int32_t code, findlr_error *err) {
  const size_t smallest = FINDLR_SIZE_UP_TO(findlr_component, option);
  if (component->struct_size < smallest)
    return findlr__fail(err, code, "%s: a component has struct_size %u, wanted at least %zu", maker,
                        component->struct_size, smallest);
  const char *kind = findlr__kind_name(component->kind);
  if (!kind)
    return findlr__fail(err, code, "%s: a component is of kind %u, wanted 1 to 5", maker,
                        component->kind);
  int32_t status = findlr__check_string(component->name, maker, "the name of a component", code, err);
  if (status < 0)
    return status;
  if (!findlr__is_name(component->name))
    return findlr__fail(err, code,
                        "%s: a %s is named \"%.*s\", wanted lower case letters, digits, '_', '.' and "
                        "'-', at most 63",
                        maker, kind, findlr__shown(component->name), component->name);
  char who[FINDLR_MESSAGE_SIZE / 2];
  findlr__format(who, sizeof who, "%s: %s %s", maker, kind, component->name);
  status = findlr__check_string(component->help, who, "its help", code, err);
  if (status < 0)
    return status;
  if (!component->vtable)
    return findlr__fail(err, code, "%s has no vtable", who);
  uint32_t size;
  memcpy(&size, component->vtable, sizeof size);
  if (size < kinds[component->kind].smallest)
    return findlr__fail(err, code, "%s: its vtable has struct_size %u, wanted at least %zu", who,
                        size, kinds[component->kind].smallest);
  for (size_t i = 0; i < kinds[component->kind].count; i++) {
    const slot *s = &kinds[component->kind].slots[i];
    if (slot_is_null(component->vtable, s->offset))
      return findlr__fail(err, code, "%s: its mandatory slot %s is NULL", who, s->name);
  }
  if (component->kind == FINDLR_KIND_LOSS) {
    uint32_t targets = ((const findlr_loss_vtable *)component->vtable)->targets;
    if (targets < FINDLR_TARGETS_CLASSES || targets > FINDLR_TARGETS_BINARY)
      return findlr__fail(err, code, "%s takes targets of type %u, wanted 1 to 3", who, targets);
  }
  return findlr__options_check(a, component, who, code, err);
}

/* --- the registry ---------------------------------------------------------------------------- */

static const findlr__entry *lookup(const findlr_context *context, uint32_t kind, const char *name) {
  for (uint32_t i = 0; i < context->entry_count; i++) {
    const findlr_component *c = context->entries[i].component;
    if (c->kind == kind && strcmp(c->name, name) == 0)
      return &context->entries[i];
  }
  return NULL;
}

static const char *owner(const findlr_context *context, const findlr__entry *entry) {
  if (entry->plugin == FINDLR__NO_PLUGIN)
    return "the program or the library";
  if (entry->plugin >= context->plugin_count)
    return "the same plugin";
  const findlr__plugin *plugin = &context->plugins[entry->plugin];
  return *plugin->file ? plugin->file : plugin->id;
}

int32_t findlr__registry_add(findlr_context *context, const findlr_component *component,
                             uint32_t plugin, const char *who, int32_t code, findlr_error *err) {
  int32_t status = check_component(&context->allocator, component, who, code, err);
  if (status < 0)
    return status;
  const findlr__entry *same = lookup(context, component->kind, component->name);
  if (same)
    return findlr__fail(err, code, "%s: the %s name %s is taken by %s", who,
                        findlr__kind_name(component->kind), component->name, owner(context, same));
  void *entries = context->entries;
  status = findlr__context_grow(context, &entries, &context->entry_room, context->entry_count,
                                sizeof *context->entries, err);
  context->entries = entries;
  if (status < 0)
    return status;
  context->entries[context->entry_count++] = (findlr__entry){ component, plugin };
  return FINDLR_OK;
}

int32_t findlr_register(findlr_context *context, const findlr_component *component,
                        findlr_error *err) {
  if (!context || !component)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context or component is NULL");
  return findlr__registry_add(context, component, FINDLR__NO_PLUGIN, "registering",
                              FINDLR_ERR_ARGUMENT, err);
}

const findlr_component *findlr_component_at(findlr_context *context, uint32_t kind, uint32_t i) {
  if (!context)
    return NULL;
  for (uint32_t j = 0; j < context->entry_count; j++)
    if (context->entries[j].component->kind == kind && i-- == 0)
      return context->entries[j].component;
  return NULL;
}

/* What might have been meant: names of that kind, then plugins not loaded yet. */
typedef struct candidates {
  findlr_context *context;
  uint32_t kind, of_kind;
  const findlr__names *files;
} candidates;

static const char *candidate(const void *ud, uint32_t i) {
  const candidates *c = ud;
  if (i < c->of_kind)
    return findlr_component_at(c->context, c->kind, i)->name;
  i -= c->of_kind;
  return i < c->files->count ? c->files->names[i] : NULL;
}

static int32_t not_found(findlr_context *context, uint32_t kind, const char *name,
                         findlr_error *err) {
  const char *word = findlr__kind_name(kind);
  char hint[160] = "";
  for (uint32_t other = FINDLR_KIND_MODEL; other <= FINDLR_KIND_TRAINER; other++)
    if (other != kind && lookup(context, other, name))
      findlr__format(hint, sizeof hint, "; %s is a kind of %s", name, findlr__kind_name(other));
  findlr__names files = { 0 };
  if (!*hint) {
    candidates c = { context, kind, 0, &files };
    while (findlr_component_at(context, kind, c.of_kind))
      c.of_kind++;
    int32_t status = findlr__search_names(context, &files, err);
    if (status < 0)
      return status;
    const char *near = findlr__nearest(name, candidate, &c);
    if (near)
      findlr__format(hint, sizeof hint, " (did you mean \"%s\"?)", near);
    findlr__names_release(context, &files);
  }
  char places[FINDLR_MESSAGE_SIZE] = "a name has lower case letters, digits, '_', '.' and '-'";
  if (findlr__is_name(name))
    findlr__search_describe(context, places, sizeof places);
  return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "there is no %s named \"%.*s\"%s; %s", word,
                      findlr__shown(name), name, hint, places);
}

int32_t findlr_component_find(findlr_context *context, uint32_t kind, const char *name,
                              const findlr_component **ret_component, findlr_error *err) {
  if (!context || !name || !ret_component)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context, name or ret_component is NULL");
  if (!findlr__kind_name(kind))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "kind is %u, wanted 1 to 5", kind);
  const findlr__entry *entry = lookup(context, kind, name);
  if (!entry && findlr__is_name(name) && !(context->flags & FINDLR_CONTEXT_NO_LOADING)) {
    int32_t status = findlr_load_plugin_named(context, name, err);
    if (status < 0 && status != FINDLR_ERR_NOT_FOUND)
      return status;
    entry = lookup(context, kind, name);
  }
  if (!entry)
    return not_found(context, kind, name, err);
  *ret_component = entry->component;
  return FINDLR_OK;
}
