/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_CONTEXT_H
#define FINDLR_HOST_CONTEXT_H

#include "findlr/registry.h"
#include "train/services.h"

/* A plugin that was accepted. The strings are copies: they outlive the plugin's own. */
typedef struct findlr__plugin {
  const findlr_plugin *table;
  findlr_plugin_entry entry; /* of a static plugin; NULL for a file */
  void *handle;              /* of a file; NULL for a static plugin */
  char *id, *version, *description;
  char *file; /* its real path; "" for a static plugin */
} findlr__plugin;

#define FINDLR__NO_PLUGIN UINT32_MAX

typedef struct findlr__entry {
  const findlr_component *component;
  uint32_t plugin; /* its place in plugins, or FINDLR__NO_PLUGIN */
} findlr__entry;

struct findlr_context {
  findlr_allocator allocator;
  findlr__services services; /* for init of plugins and for the program's own calls of extensions */
  uint32_t flags;
  char *plugin_path;
  findlr__plugin *plugins;
  uint32_t plugin_count, plugin_room;
  findlr__entry *entries; /* in order of registration */
  uint32_t entry_count, entry_room;
};

/* Services like the context's own, for a session. They borrow the context's allocator. */
void findlr__context_services(const findlr_context *context, findlr__services *services);

/* Makes room for one more in an array of the context; NO_MEMORY leaves it as it is. */
int32_t findlr__context_grow(findlr_context *context, void **array, uint32_t *room, uint32_t count,
                             size_t size, findlr_error *err);

#endif
