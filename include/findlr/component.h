/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_COMPONENT_H
#define FINDLR_COMPONENT_H

#include "host.h"
#include "option.h"
#include "tensor.h"

FINDLR_BEGIN

/* A component is a named kind of model, optimizer, loss, data source or trainer, with the table of
 * functions that makes and runs its instances. Plugins offer components; findlr_register adds one
 * from a program. */

enum {
  FINDLR_KIND_MODEL = 1,    /* vtable: findlr_model_vtable */
  FINDLR_KIND_OPTIMIZER = 2, /* findlr_optimizer_vtable */
  FINDLR_KIND_LOSS = 3,      /* findlr_loss_vtable */
  FINDLR_KIND_DATA = 4,      /* findlr_data_vtable */
  FINDLR_KIND_TRAINER = 5    /* findlr_trainer_vtable */
};

/* Strings (UTF-8, at most 255 bytes) and vtable live as long as the component; the component as long as
 * its plugin. */
typedef struct findlr_component {
  uint32_t struct_size;
  uint32_t kind;      /* FINDLR_KIND_... */
  const char *name;   /* lower case letters, digits, '_', '.', '-'; at most 63 bytes */
  const char *help;   /* one line */
  const void *vtable; /* of the kind's type */
  void *user;         /* handed to every create in its spec; the host never looks at it */
  uint32_t option_count; /* at most 64 */
  uint32_t reserved;
  /* Fills *out (whose struct_size the host has set) with option i < option_count. NULL if
   * option_count is 0. Returns 0. [any thread] */
  int32_t (*option)(void *user, uint32_t i, findlr_option *out);
} findlr_component;

/* Threads, for every slot of every vtable. [instance thread]: the host never makes two calls at once
 * on one instance, but may make them from different threads one after the other; calls on different
 * instances may run at the same time. Slots return a status (error.h); before a negative one, call
 * host->set_error. No slot may throw, longjmp, exit, or leave the process changed: floating-point
 * control, locale, signals, working directory, file descriptors, rand(). */

/* A tensor with a name, as parameters and state are listed. */
typedef struct findlr_named_tensor {
  uint32_t struct_size;
  uint32_t reserved;
  const char *name; /* unique within the instance; lives as long as it */
  findlr_tensor tensor;
} findlr_named_tensor;

/* Extension of a model or optimizer for state that cannot be a tensor. save(self, NULL, 0, &size)
 * tells the size; save(self, buffer, size, &size) writes it; restore takes exactly what save wrote
 * and must leave the instance unchanged if it refuses. [instance thread] */
#define FINDLR_EXT_STATE "findlr.state/1"
typedef struct findlr_opaque_state {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*save)(void *self, void *buffer, size_t capacity, size_t *ret_size);
  int32_t (*restore)(void *self, const void *buffer, size_t size);
} findlr_opaque_state;

FINDLR_END

#endif
