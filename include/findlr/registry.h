/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_REGISTRY_H
#define FINDLR_REGISTRY_H

#include "component.h"
#include "context.h"
#include "plugin.h"

FINDLR_BEGIN

/* Names -> components: the built-in ones, those that a program registers, those of loaded plugins.
 * One thread at a time per context. */

/* Loads one plugin file, checks it, and registers its components. file may be relative; it is
 * resolved at once. Loading the same file again is FINDLR_OK and does nothing.
 *   FINDLR_ERR_NOT_FOUND, FINDLR_ERR_IO    no such file, or it cannot be read
 *   FINDLR_ERR_PLUGIN_FILE     not a shared object for this machine, a missing symbol, no entry
 *   FINDLR_ERR_PLUGIN_VERSION  needs a newer host
 *   FINDLR_ERR_PLUGIN_INVALID  a struct too small, a mandatory slot NULL, a bad string, a name taken
 *   FINDLR_ERR_BACKEND         its init refused
 *   FINDLR_ERR_STATE           the context forbids loading
 *   FINDLR_ERR_LIMIT           a path of PATH_MAX bytes or more
 * The sentence names file, found and wanted. */
FINDLR_API int32_t findlr_load_plugin(findlr_context *context, const char *file,
                                      findlr_error *err);

/* Loads a plugin by name (NAME.so) from the directories of the search path: the context's
 * plugin_path, then FINDLR_PLUGIN_PATH (ignored in a setuid program; relative directories in it are
 * passed over), then the directory compiled in. Never the working directory. A directory that anybody
 * can write to is passed over unless the context named it. FINDLR_ERR_ARGUMENT for what is no name, such
 * as one with a slash. On FINDLR_ERR_NOT_FOUND the sentence lists where it looked. */
FINDLR_API int32_t findlr_load_plugin_named(findlr_context *context, const char *name,
                                            findlr_error *err);

/* Loads every *.so of the search path; those that cannot be loaded are logged as warnings and passed
 * over. Returns FINDLR_OK even if there is none. */
FINDLR_API int32_t findlr_load_all_plugins(findlr_context *context, findlr_error *err);

/* Registers a plugin that is linked into the program, through its entry. Statuses as
 * findlr_load_plugin's; the same entry again is FINDLR_OK and does nothing. */
FINDLR_API int32_t findlr_register_static(findlr_context *context, findlr_plugin_entry entry,
                                          findlr_error *err);

/* Registers one component of the program's own; it must outlive the context. It is checked as a
 * plugin's are: its name and those of its options, mandatory slots, each default against its own
 * bounds. FINDLR_ERR_ARGUMENT. */
FINDLR_API int32_t findlr_register(findlr_context *context, const findlr_component *component,
                                   findlr_error *err);

/* The components of a kind in the order of registration; NULL past the last. */
FINDLR_API const findlr_component *findlr_component_at(findlr_context *context, uint32_t kind,
                                                       uint32_t i);

/* The component of that kind and name. If it is not registered, a plugin of the same name is looked for
 * and loaded. FINDLR_ERR_NOT_FOUND names the nearest known name, and where it looked. */
FINDLR_API int32_t findlr_component_find(findlr_context *context, uint32_t kind, const char *name,
                                         const findlr_component **ret_component,
                                         findlr_error *err);

/* A loaded or static plugin. Strings live as long as the context. */
typedef struct findlr_plugin_info {
  uint32_t struct_size;
  uint32_t component_count;
  const char *id;
  const char *version;
  const char *description;
  const char *file; /* "" for a static one */
} findlr_plugin_info;

/* Plugin i into *out (struct_size set by the caller), or FINDLR_DONE past the last. */
FINDLR_API int32_t findlr_plugin_at(findlr_context *context, uint32_t i, findlr_plugin_info *out,
                                    findlr_error *err);

/* Component j of plugin i; NULL past the last. */
FINDLR_API const findlr_component *findlr_plugin_component_at(findlr_context *context, uint32_t i,
                                                              uint32_t j);

/* An extension of a plugin by the plugin's name, loading it if need be.
 * FINDLR_ERR_UNSUPPORTED if the plugin has none of that id. */
FINDLR_API int32_t findlr_plugin_extension(findlr_context *context, const char *name,
                                           const char *id, const void **ret_extension,
                                           findlr_error *err);

/* The services that this context gives to components, for a program that calls an extension itself.
 * Valid as long as the context; *ret_ctx goes with it. findlr_context_host_error is what set_error left
 * since the last findlr_context_host; "" if nothing. */
FINDLR_API const findlr_host *findlr_context_host(findlr_context *context, void **ret_ctx);
FINDLR_API const char *findlr_context_host_error(const findlr_context *context);

FINDLR_END

#endif
