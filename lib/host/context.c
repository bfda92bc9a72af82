/* SPDX-License-Identifier: MIT */
#include "host/context.h"

#include <string.h>

#include "builtin/builtin.h"
#include "host/exec.h"
#include "host/registry.h"

void findlr_context_options_init(findlr_context_options *options, size_t size) {
  const findlr_context_options defaults = { .struct_size = sizeof defaults,
                                            .log_level = FINDLR_LOG_INFO };
  if (!options || size < sizeof options->struct_size)
    return;
  memset(options, 0, size);
  memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
  options->struct_size = (uint32_t)size;
}

int32_t findlr_context_create(const findlr_context_options *options, findlr_context **ret_context,
                              findlr_error *err) {
  if (!ret_context)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "ret_context is NULL");
  findlr_context_options o;
  findlr_context_options_init(&o, sizeof o);
  int32_t status = findlr__take(&o, sizeof o, options,
                                FINDLR_SIZE_UP_TO(findlr_context_options, plugin_path),
                                "findlr_context_options", err);
  if (status < 0)
    return status;
  const uint32_t known = FINDLR_CONTEXT_NO_LOADING | FINDLR_CONTEXT_NO_ENVIRONMENT;
  if (o.flags & ~known)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "findlr_context_options.flags is %u, wanted %u or less",
                        o.flags, known);
  findlr_allocator allocator = findlr__default_allocator;
  status = findlr__take(&allocator, sizeof allocator, o.allocator,
                        FINDLR_SIZE_UP_TO(findlr_allocator, alloc), "findlr_allocator", err);
  if (status < 0)
    return status;
  if (!allocator.alloc)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "findlr_allocator.alloc is NULL");

  findlr_context *context = findlr__allocate(&allocator, sizeof *context);
  if (!context)
    return findlr__no_memory(err, "a context");
  context->allocator = allocator;
  context->flags = o.flags;
  findlr__services_init(&context->services, &context->allocator, o.log, o.log_ud, o.log_level);
  if (o.plugin_path) {
    context->plugin_path = findlr__copy_string(&context->allocator, o.plugin_path);
    if (!context->plugin_path)
      status = findlr__no_memory(err, "the plugin path");
  }
  const findlr_component *component;
  for (uint32_t i = 0; status == FINDLR_OK && (component = findlr__builtin(i)) != NULL; i++)
    status = findlr_register(context, component, err);
  if (status == FINDLR_OK)
    status = findlr_register(context, &findlr__exec, err);
  if (status < 0) {
    findlr_context_destroy(context);
    return status;
  }
  *ret_context = context;
  return FINDLR_OK;
}

void findlr_context_destroy(findlr_context *context) {
  if (!context)
    return;
  while (context->plugin_count > 0)
    findlr__plugin_drop(context, &context->plugins[--context->plugin_count]);
  findlr_allocator allocator = context->allocator;
  findlr__release(&allocator, context->plugins, context->plugin_room * sizeof *context->plugins);
  findlr__release(&allocator, context->entries, context->entry_room * sizeof *context->entries);
  findlr__release_string(&allocator, context->plugin_path);
  findlr__release(&allocator, context, sizeof *context);
}

const findlr_allocator *findlr_context_allocator(const findlr_context *context) {
  return context ? &context->allocator : NULL;
}

void findlr__context_services(const findlr_context *context, findlr__services *services) {
  const findlr__services *own = &context->services;
  findlr__services_init(services, &context->allocator, own->log, own->log_ud, own->log_level);
}

const findlr_host *findlr_context_host(findlr_context *context, void **ret_ctx) {
  if (!context)
    return NULL;
  findlr__services_clear(&context->services);
  if (ret_ctx)
    *ret_ctx = &context->services;
  return &context->services.host;
}

const char *findlr_context_host_error(const findlr_context *context) {
  return context ? context->services.text : "";
}

int32_t findlr__context_grow(findlr_context *context, void **array, uint32_t *room, uint32_t count,
                             size_t size, findlr_error *err) {
  if (count < *room)
    return FINDLR_OK;
  uint32_t wanted = *room ? *room * 2 : 16;
  void *grown = findlr__reallocate(&context->allocator, *array, *room * size, wanted * size);
  if (!grown)
    return findlr__no_memory(err, "the registry");
  *array = grown;
  *room = wanted;
  return FINDLR_OK;
}
