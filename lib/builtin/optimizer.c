/* SPDX-License-Identifier: MIT */
#include "optimizer.h"

#include <string.h>

enum { ALIGN = 64 };

static int32_t check_parameter(const findlr__optimizer *o, const findlr_parameter *p) {
  uint32_t dtype = findlr_tensor_dtype(&p->value);
  if (p->value.device_type != FINDLR_DEVICE_CPU || p->gradient.device_type != FINDLR_DEVICE_CPU)
    return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_UNSUPPORTED,
                                "parameter %s is not in CPU memory", p->name);
  if (dtype != FINDLR_DTYPE_FLOAT32 && dtype != FINDLR_DTYPE_FLOAT64)
    return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_UNSUPPORTED,
                                "parameter %s is neither float32 nor float64", p->name);
  if (findlr_tensor_dtype(&p->gradient) != dtype || findlr_tensor_count(&p->value) < 0 ||
      findlr_tensor_count(&p->gradient) != findlr_tensor_count(&p->value))
    return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_ARGUMENT,
                                "the gradient of parameter %s differs from it in type or size",
                                p->name);
  if (p->group >= o->group_count)
    return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_ARGUMENT,
                                "parameter %s is in group %u, wanted less than %u", p->name,
                                p->group, o->group_count);
  return FINDLR_OK;
}

static int best_variant(void) {
#if defined(__GNUC__) && defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return 0;
#endif
}

/* Never 0 for a tensor of no numbers, and 0 where it overflows. */
static size_t moment_size(const findlr__slot *slot) {
  return findlr__size((size_t)slot->count, slot->dtype == FINDLR_DTYPE_FLOAT32 ? 4 : 8, ALIGN);
}

static int32_t take_parameter(findlr__optimizer *o, const findlr_allocator *a,
                              const findlr_parameter *p, const char *const *moments) {
  int32_t status = check_parameter(o, p);
  if (status)
    return status;
  findlr__slot *slot = &o->slots[o->slot_count++];
  slot->value = findlr__builtin_data(&p->value);
  slot->gradient = findlr__builtin_data(&p->gradient);
  slot->count = findlr_tensor_count(&p->value);
  slot->dtype = findlr_tensor_dtype(&p->value);
  slot->group = p->group;
  for (uint32_t m = 0; m < o->moment_count; m++) {
    size_t name_size = strlen(p->name) + strlen(moments[m]) + 2;
    slot->name[m] = findlr__allocate(a, name_size);
    if (slot->name[m])
      findlr__format(slot->name[m], name_size, "%s.%s", p->name, moments[m]);
    slot->moment[m] = findlr__allocate_aligned(a, moment_size(slot), ALIGN);
    if (!slot->name[m] || !slot->moment[m])
      return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_NO_MEMORY,
                                  "there is not enough memory for the optimizer's state of %s",
                                  p->name);
  }
  return FINDLR_OK;
}

int32_t findlr__optimizer_create(const findlr_host *host, void *ctx,
                                 const findlr_optimizer_spec *spec, const char *counter_name,
                                 const char *const *moments, uint32_t moment_count,
                                 void **ret_self) {
  findlr_allocator a = findlr__builtin_allocator(host, ctx);
  findlr__optimizer *o = findlr__allocate(&a, sizeof *o);
  if (o)
    o->slots = findlr__allocate(&a, findlr__size(spec->parameter_count, sizeof *o->slots, 1));
  if (!o || !o->slots) {
    findlr__release(&a, o, sizeof *o);
    return findlr__builtin_fail(host, ctx, FINDLR_ERR_NO_MEMORY,
                                "there is not enough memory for an optimizer");
  }
  o->host = host;
  o->ctx = ctx;
  o->table = spec->user;
  o->option_count = spec->option_count;
  for (uint32_t i = 0; i < spec->option_count; i++) {
    const findlr_value *value = spec->options[i];
    o->option[i] = value->type == FINDLR_OPTION_REAL ? value->real : (double)value->integer;
  }
  o->group_count = spec->group_count;
  o->slot_capacity = spec->parameter_count;
  o->moment_count = moment_count;
  o->counter_name = counter_name;
  o->counter_shape = 1;
  o->variant = best_variant();
  for (uint32_t i = 0; i < spec->parameter_count; i++) {
    int32_t status = take_parameter(o, &a, spec->parameters[i], moments);
    if (status) {
      findlr__optimizer_destroy(o);
      return status;
    }
  }
  *ret_self = o;
  return FINDLR_OK;
}

void findlr__optimizer_destroy(void *self) {
  findlr__optimizer *o = self;
  findlr_allocator a = findlr__builtin_allocator(o->host, o->ctx);
  for (uint32_t i = 0; i < o->slot_count; i++)
    for (uint32_t m = 0; m < o->moment_count; m++) {
      findlr__release_string(&a, o->slots[i].name[m]);
      if (o->slots[i].moment[m])
        a.alloc(a.ud, o->slots[i].moment[m], moment_size(&o->slots[i]), 0, ALIGN);
    }
  findlr__release(&a, o->slots, findlr__size(o->slot_capacity, sizeof *o->slots, 1));
  findlr__release(&a, o, sizeof *o);
}

int32_t findlr__optimizer_state(void *self, uint32_t i, findlr_named_tensor *out) {
  findlr__optimizer *o = self;
  findlr_named_tensor filled = { sizeof filled, 0, NULL, { 0 } };
  filled.tensor.device_type = FINDLR_DEVICE_CPU;
  filled.tensor.ndim = 1;
  filled.tensor.dtype_lanes = 1;
  if (o->counter_name && i == 0) {
    filled.name = o->counter_name;
    filled.tensor.data = &o->counter;
    filled.tensor.dtype_bits = 64;
    filled.tensor.shape = &o->counter_shape;
  } else {
    uint64_t at = (uint64_t)i - (o->counter_name != NULL);
    if (at >= (uint64_t)o->slot_count * o->moment_count)
      return FINDLR_DONE;
    findlr__slot *slot = &o->slots[at / o->moment_count];
    filled.name = slot->name[at % o->moment_count];
    filled.tensor.data = slot->moment[at % o->moment_count];
    filled.tensor.dtype_code = 2;
    filled.tensor.dtype_bits = slot->dtype == FINDLR_DTYPE_FLOAT32 ? 32 : 64;
    filled.tensor.shape = &slot->count;
  }
  return findlr__give(out, &filled, sizeof filled,
                      FINDLR_SIZE_UP_TO(findlr_named_tensor, tensor), "findlr_named_tensor", NULL);
}

int32_t findlr__optimizer_set(findlr__optimizer *o, const char *option, double value) {
  for (uint32_t i = 0; i < o->option_count; i++) {
    const findlr_option *known = &o->table[i];
    if (strcmp(known->name, option) != 0 || known->type != FINDLR_OPTION_REAL)
      continue;
    if (!(value >= known->minimum && value <= known->maximum))
      return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_ARGUMENT,
                                  "%s is to be %g, wanted from %g to %g", option, value,
                                  known->minimum, known->maximum);
    o->option[i] = value;
    return FINDLR_OK;
  }
  return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_UNSUPPORTED,
                              "the optimizer has no option %s that can change while it runs",
                              option);
}

int32_t findlr__optimizer_check(const findlr__optimizer *o, const double *rates,
                                uint32_t n_groups) {
  if (!rates || n_groups != o->group_count)
    return findlr__builtin_fail(o->host, o->ctx, FINDLR_ERR_ARGUMENT,
                                "a step was given %u rates, wanted %u", rates ? n_groups : 0,
                                o->group_count);
  return FINDLR_OK;
}
