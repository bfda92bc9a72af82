/* SPDX-License-Identifier: MIT */
#include "findlr/driver.h"
#include "findlr/spec.h"
#include "host/context.h"

/* Behind a trainer that was made by name: the services it was given, which must not move. */
typedef struct owner {
  findlr__services services;
  void (*destroy)(void *self);
} owner;

static const char *message(void *ud) {
  return ((owner *)ud)->services.text;
}

static int32_t make(findlr_context *context, const findlr_spec *spec, uint32_t threads, uint64_t seed,
                    owner *o, findlr_trainer *ret_trainer, findlr_error *err) {
  const findlr_component *component = findlr_spec_component(spec);
  const findlr_trainer_vtable *vtable = component->vtable;
  findlr_trainer_spec given = {
    .struct_size = sizeof given, .threads = threads, .seed = seed, .user = component->user
  };
  given.options = findlr_spec_values(spec, &given.option_count);
  const findlr__services *from = &context->services;
  findlr__services_init(&o->services, from->allocator, from->log, from->log_ud, from->log_level);
  o->destroy = vtable->destroy;
  void *self = NULL;
  int32_t status = vtable->create(&o->services.host, &o->services, &given, &self);
  char who[80];
  findlr__format(who, sizeof who, "trainer %s", component->name);
  if (status != FINDLR_OK)
    return findlr__component_failed(err, &o->services, status, who, NULL);
  if (!self)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "%s: create succeeded without an instance", who);
  *ret_trainer = (findlr_trainer){ sizeof *ret_trainer, 0, vtable, self, message, o };
  return FINDLR_OK;
}

int32_t findlr_trainer_create(findlr_context *context, const char *text, uint32_t threads,
                              uint64_t seed, findlr_trainer *ret_trainer, findlr_error *err) {
  if (!context || !ret_trainer || threads < 1)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "a context, an out-trainer and at least 1 thread are wanted");
  findlr_spec *spec = NULL;
  int32_t status = findlr_spec_parse(context, FINDLR_KIND_TRAINER, text, &spec, err);
  if (status != FINDLR_OK)
    return status;
  owner *o = findlr__allocate(&context->allocator, sizeof *o);
  status = o ? make(context, spec, threads, seed, o, ret_trainer, err) : findlr__no_memory(err, "a trainer");
  if (status != FINDLR_OK)
    findlr__release(&context->allocator, o, sizeof *o);
  findlr_spec_destroy(spec);
  return status;
}

void findlr_trainer_destroy(findlr_trainer *trainer) {
  if (!trainer || !trainer->message_ud)
    return;
  owner *o = trainer->message_ud;
  const findlr_allocator *a = o->services.allocator;
  o->destroy(trainer->self);
  findlr__release(a, o, sizeof *o);
  *trainer = (findlr_trainer){ 0 };
}
