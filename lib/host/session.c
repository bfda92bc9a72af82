/* SPDX-License-Identifier: MIT */
#include "findlr/session.h"
#include "findlr/spec.h"
#include "host/context.h"
#include "train/plan.h"

/* Sessions by name: every spec string is resolved here, and the training ring gets a plan without
 * names. Specs are needed during creation only. */

typedef struct specs {
  findlr_spec *data, *model, *optimizer, *loss_for_classes, *loss_for_real;
} specs;

/* The description of the plugin that a component comes from; "" for one without a plugin. */
static const char *about(const findlr_context *context, const findlr_component *component) {
  for (uint32_t i = 0; i < context->entry_count; i++)
    if (context->entries[i].component == component &&
        context->entries[i].plugin < context->plugin_count)
      return context->plugins[context->entries[i].plugin].description;
  return "";
}

static int32_t choose(findlr_context *context, uint32_t kind, const char *text, findlr_spec **spec,
                      findlr__choice *choice, findlr_error *err) {
  int32_t status = findlr_spec_parse(context, kind, text, spec, err);
  if (status)
    return status;
  choice->component = findlr_spec_component(*spec);
  choice->values = findlr_spec_values(*spec, &choice->count);
  choice->text = findlr_spec_text(*spec);
  choice->about = about(context, choice->component);
  return FINDLR_OK;
}

static int32_t choose_all(findlr_context *context, const findlr_session_options *o, specs *all,
                          findlr__plan *plan, findlr_error *err) {
  int32_t status = FINDLR_OK;
  if (!o->data_object)
    status = choose(context, FINDLR_KIND_DATA, o->data ? o->data : "digits", &all->data, &plan->data,
                    err);
  if (!status)
    status = choose(context, FINDLR_KIND_MODEL, o->model ? o->model : "mlp:hidden=128", &all->model,
                    &plan->model, err);
  if (!status)
    status = choose(context, FINDLR_KIND_OPTIMIZER, o->optimizer ? o->optimizer : "adam",
                    &all->optimizer, &plan->optimizer, err);
  if (!status)
    status = choose(context, FINDLR_KIND_LOSS, o->loss ? o->loss : "cross_entropy",
                    &all->loss_for_classes, &plan->loss_for_classes, err);
  if (!status)
    status = choose(context, FINDLR_KIND_LOSS, o->loss ? o->loss : "mse", &all->loss_for_real,
                    &plan->loss_for_real, err);
  return status;
}

int32_t findlr_session_create(findlr_context *context, const findlr_session_options *options,
                              findlr_session **ret_session, findlr_error *err) {
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  int32_t status = findlr__take(&o, sizeof o, options,
                                FINDLR_SIZE_UP_TO(findlr_session_options, slot_directory),
                                "the session's options", err);
  if (status)
    return status;
  specs all = { NULL, NULL, NULL, NULL, NULL };
  findlr__plan plan = { .services = &context->services, .options = &o };
  status = choose_all(context, &o, &all, &plan, err);
  if (!status)
    status = findlr__session_make(&plan, ret_session, err);
  findlr_spec_destroy(all.data);
  findlr_spec_destroy(all.model);
  findlr_spec_destroy(all.optimizer);
  findlr_spec_destroy(all.loss_for_classes);
  findlr_spec_destroy(all.loss_for_real);
  return status;
}
