/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_TESTS_COMPONENT_H
#define FINDLR_TESTS_COMPONENT_H

/* Calling the slots of one component directly, with a context's services and a spec from text. */

#include "support.h"

typedef struct workbench {
  findlr_error err;
  findlr_context *context;
  findlr_spec *spec;
  const findlr_component *component;
  const void *vtable;
  const findlr_host *host;
  void *ctx;
  uint32_t option_count;
  const findlr_value *const *options;
} workbench;

static void workbench_close(workbench *w) {
  findlr_spec_destroy(w->spec);
  findlr_context_destroy(w->context);
  w->spec = NULL;
  w->context = NULL;
}

static int32_t workbench_open(workbench *w, const findlr_allocator *allocator, uint32_t kind,
                              const char *text) {
  *w = (workbench){ .err = FINDLR_ERROR_INIT };
  findlr_context_options options;
  findlr_context_options_init(&options, sizeof options);
  options.allocator = allocator;
  options.flags = FINDLR_CONTEXT_NO_LOADING;
  int32_t status = findlr_context_create(&options, &w->context, &w->err);
  if (!status)
    status = findlr_spec_parse(w->context, kind, text, &w->spec, &w->err);
  if (status) {
    workbench_close(w);
    return status;
  }
  w->component = findlr_spec_component(w->spec);
  w->vtable = w->component->vtable;
  w->options = findlr_spec_values(w->spec, &w->option_count);
  w->host = findlr_context_host(w->context, &w->ctx);
  return FINDLR_OK;
}

/* The status of a slot, with what it told the host in w->err. */
static int32_t workbench_said(workbench *w, int32_t status) {
  if (status < 0)
    snprintf(w->err.message, sizeof w->err.message, "%s", findlr_context_host_error(w->context));
  return status;
}

/* A compact tensor over memory of the caller's; shape has room for ndim sizes. */
static findlr_tensor tensor_of(void *data, uint32_t dtype, int32_t ndim, int64_t *shape) {
  return (findlr_tensor){ .data = data,
                          .device_type = FINDLR_DEVICE_CPU,
                          .ndim = ndim,
                          .dtype_code = (uint8_t)dtype,
                          .dtype_bits = (uint8_t)(dtype >> 8),
                          .dtype_lanes = (uint16_t)(dtype >> 16),
                          .shape = shape };
}

#endif
