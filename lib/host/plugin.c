/* SPDX-License-Identifier: MIT */
#include <fenv.h>
#include <string.h>

#include "host/dl.h"
#include "host/registry.h"

enum { MOST_COMPONENTS = 1024 };

/* How sentences name a plugin: its file, or its id. */
static void describe(char *who, size_t size, const char *file, const char *id) {
  if (*file)
    findlr__format(who, size, "%s", file);
  else
    findlr__format(who, size, "static plugin %s", id ? id : "");
}

static int has_extensions(const findlr_plugin *table) {
  return FINDLR_HAS(table, findlr_plugin, get_extension);
}

static int32_t check_table(const findlr_plugin *table, const char *who, findlr_error *err) {
  const int32_t code = FINDLR_ERR_PLUGIN_INVALID;
  if (!table)
    return findlr__fail(err, code, "%s: its entry returned NULL", who);
  const size_t smallest = FINDLR_SIZE_UP_TO(findlr_plugin, component);
  if (table->struct_size < smallest)
    return findlr__fail(err, code, "%s: findlr_plugin has struct_size %u, wanted at least %zu", who,
                        table->struct_size, smallest);
  if (table->abi_minor_needed > FINDLR_ABI_MINOR)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_VERSION,
                        "%s needs plugin ABI %d.%u, and libfindlr %s has %d.%d", who,
                        FINDLR_ABI_MAJOR, table->abi_minor_needed, FINDLR_VERSION, FINDLR_ABI_MAJOR,
                        FINDLR_ABI_MINOR);
  if (!table->component && !has_extensions(table))
    return findlr__fail(err, code, "%s: its mandatory slot component is NULL", who);
  int32_t status = findlr__check_string(table->id, who, "its id", code, err);
  if (status == FINDLR_OK && !findlr__is_name(table->id))
    status = findlr__fail(err, code,
                          "%s: its id is \"%s\", wanted lower case letters, digits, '_', '.' and '-', "
                          "at most 63",
                          who, table->id);
  if (status == FINDLR_OK)
    status = findlr__check_string(table->version, who, "its version", code, err);
  if (status == FINDLR_OK)
    status = findlr__check_string(table->description, who, "its description", code, err);
  return status;
}

static int32_t init(findlr_context *context, const findlr_plugin *table, const char *who,
                    findlr_error *err) {
  if (!table->init)
    return FINDLR_OK;
  findlr__services_clear(&context->services);
  fenv_t environment;
  fegetenv(&environment);
  int32_t status = table->init(&context->services.host, &context->services);
  fesetenv(&environment);
  if (status == FINDLR_OK)
    return FINDLR_OK;
  findlr_error why = FINDLR_ERROR_INIT;
  int32_t code = findlr__component_failed(&why, &context->services, status, who, "init");
  return findlr__fail(err, code == FINDLR_ERR_NO_MEMORY ? code : FINDLR_ERR_BACKEND, "%s",
                      why.message);
}

/* Registers its components; on failure the registry is as it was. */
static int32_t add_components(findlr_context *context, const findlr_plugin *table, const char *who,
                              findlr_error *err) {
  const int32_t code = FINDLR_ERR_PLUGIN_INVALID;
  uint32_t before = context->entry_count;
  int32_t status = FINDLR_OK;
  const findlr_component *component = NULL;
  for (uint32_t i = 0; status == FINDLR_OK && table->component; i++) {
    if ((component = table->component(i)) == NULL)
      break;
    status = i < MOST_COMPONENTS
                 ? findlr__registry_add(context, component, context->plugin_count, who, code, err)
                 : findlr__fail(err, code, "%s has more than %d components", who,
                                (int)MOST_COMPONENTS);
  }
  if (status == FINDLR_OK && context->entry_count == before && !has_extensions(table))
    status = findlr__fail(err, code, "%s offers no component and no extension", who);
  if (status < 0)
    context->entry_count = before;
  return status;
}

static void release_strings(findlr_context *context, findlr__plugin *plugin) {
  findlr__release_string(&context->allocator, plugin->id);
  findlr__release_string(&context->allocator, plugin->version);
  findlr__release_string(&context->allocator, plugin->description);
  findlr__release_string(&context->allocator, plugin->file);
}

int32_t findlr__plugin_adopt(findlr_context *context, const findlr_plugin *table,
                             findlr_plugin_entry entry, void *handle, const char *file,
                             findlr_error *err) {
  char who[FINDLR_MESSAGE_SIZE / 2];
  describe(who, sizeof who, file, NULL);
  int32_t status = check_table(table, who, err);
  if (status < 0)
    return status;
  describe(who, sizeof who, file, table->id);
  for (uint32_t i = 0; i < context->plugin_count; i++) {
    const findlr__plugin *other = &context->plugins[i];
    if (strcmp(other->id, table->id) == 0)
      return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "%s: its id %s is taken by %s", who,
                          table->id, *other->file ? other->file : "a static plugin");
  }
  void *plugins = context->plugins;
  status = findlr__context_grow(context, &plugins, &context->plugin_room, context->plugin_count,
                                sizeof *context->plugins, err);
  context->plugins = plugins;
  if (status < 0)
    return status;
  const findlr_allocator *a = &context->allocator;
  findlr__plugin plugin = { table, entry, handle, findlr__copy_string(a, table->id),
                            findlr__copy_string(a, table->version),
                            findlr__copy_string(a, table->description),
                            findlr__copy_string(a, file) };
  if (!plugin.id || !plugin.version || !plugin.description || !plugin.file)
    status = findlr__no_memory(err, "a plugin");
  else
    status = init(context, table, who, err);
  if (status == FINDLR_OK) {
    status = add_components(context, table, who, err);
    if (status < 0 && table->deinit)
      table->deinit();
  }
  if (status < 0) {
    release_strings(context, &plugin);
    return status;
  }
  context->plugins[context->plugin_count++] = plugin;
  return FINDLR_OK;
}

void findlr__plugin_drop(findlr_context *context, findlr__plugin *plugin) {
  if (plugin->table->deinit)
    plugin->table->deinit();
  if (plugin->handle)
    findlr__dl_close(plugin->handle);
  release_strings(context, plugin);
}

int32_t findlr_register_static(findlr_context *context, findlr_plugin_entry entry,
                               findlr_error *err) {
  if (!context || !entry)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context or entry is NULL");
  for (uint32_t i = 0; i < context->plugin_count; i++)
    if (context->plugins[i].entry == entry)
      return FINDLR_OK;
  return findlr__plugin_adopt(context, entry(), entry, NULL, "", err);
}

/* --- looking at plugins ---------------------------------------------------------------------- */

int32_t findlr_plugin_at(findlr_context *context, uint32_t i, findlr_plugin_info *out,
                         findlr_error *err) {
  if (!context)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context is NULL");
  if (i >= context->plugin_count)
    return FINDLR_DONE;
  const findlr__plugin *plugin = &context->plugins[i];
  findlr_plugin_info info = { sizeof info, 0, plugin->id, plugin->version, plugin->description,
                              plugin->file };
  for (uint32_t j = 0; j < context->entry_count; j++)
    info.component_count += context->entries[j].plugin == i;
  return findlr__give(out, &info, sizeof info, FINDLR_SIZE_UP_TO(findlr_plugin_info, file),
                      "findlr_plugin_info", err);
}

const findlr_component *findlr_plugin_component_at(findlr_context *context, uint32_t i, uint32_t j) {
  if (!context || i >= context->plugin_count)
    return NULL;
  for (uint32_t k = 0; k < context->entry_count; k++)
    if (context->entries[k].plugin == i && j-- == 0)
      return context->entries[k].component;
  return NULL;
}

static const findlr__plugin *by_id(const findlr_context *context, const char *id) {
  for (uint32_t i = 0; i < context->plugin_count; i++)
    if (strcmp(context->plugins[i].id, id) == 0)
      return &context->plugins[i];
  return NULL;
}

int32_t findlr_plugin_extension(findlr_context *context, const char *name, const char *id,
                                const void **ret_extension, findlr_error *err) {
  if (!context || !name || !id || !ret_extension)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "context, name, id or ret_extension is NULL");
  const findlr__plugin *plugin = by_id(context, name);
  if (!plugin) {
    int32_t status = findlr_load_plugin_named(context, name, err);
    if (status < 0)
      return status;
    plugin = by_id(context, name);
    if (!plugin)
      return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "%s.so is no plugin of the id %s", name, name);
  }
  const void *extension = has_extensions(plugin->table) ? plugin->table->get_extension(id) : NULL;
  if (!extension)
    return findlr__fail(err, FINDLR_ERR_UNSUPPORTED, "plugin %s has no extension %s", name, id);
  *ret_extension = extension;
  return FINDLR_OK;
}
