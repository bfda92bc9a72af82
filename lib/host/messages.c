/* SPDX-License-Identifier: MIT */
#include "host/messages.h"

#include <math.h>
#include <string.h>

#include "findlr/version.h"

#define MAGIC 0x57524c46u /* "FLRW" */

/* A member that is added to these structs must travel too. */
#define ENDS_WITH(T, member) (sizeof(T) - FINDLR_SIZE_UP_TO(T, member) < _Alignof(T))
_Static_assert(ENDS_WITH(findlr_session_options, slot_directory), "findlr_session_options has grown");
_Static_assert(ENDS_WITH(findlr_session_info, about_model), "findlr_session_info has grown");

void findlr__description_put(findlr__frame_out *f, const findlr__description *d) {
  const findlr_session_options *o = &d->options;
  findlr__frame_put_u32(f, MAGIC);
  findlr__frame_put_u32(f, FINDLR__PROTOCOL);
  findlr__frame_put_text(f, FINDLR_VERSION);
  findlr__frame_put_u64(f, (uint64_t)d->parent);
  findlr__frame_put_u64(f, d->memory_limit);
  findlr__frame_put_u32(f, d->context_flags);
  findlr__frame_put_u32(f, (uint32_t)d->log_level);
  findlr__frame_put_text(f, d->plugin_path);

  findlr__frame_put_u32(f, o->flags);
  findlr__frame_put_text(f, o->data);
  findlr__frame_put_text(f, o->model);
  findlr__frame_put_text(f, o->optimizer);
  findlr__frame_put_text(f, o->loss);
  findlr__frame_put_u32(f, o->sampling);
  findlr__frame_put_u32(f, o->dtype);
  findlr__frame_put_u32(f, o->threads);
  findlr__frame_put_u64(f, (uint64_t)o->batch_size);
  findlr__frame_put_u64(f, (uint64_t)o->accumulate);
  findlr__frame_put_real(f, o->validation);
  findlr__frame_put_u64(f, (uint64_t)o->validation_batches);
  findlr__frame_put_u64(f, o->seed);
  findlr__frame_put_text(f, o->slot_directory);
  findlr__frame_put_u32(f, o->group_count);
  for (uint32_t g = 0; g < o->group_count; g++) {
    findlr__frame_put_text(f, o->group_patterns[g]);
    findlr__frame_put_real(f, o->group_factors[g]);
  }
  findlr__frame_put_u32(f, d->plugin_count);
}

bool findlr__description_get(findlr__frame_in *f, findlr__description *d, const char **ret_version) {
  memset(d, 0, sizeof *d);
  *ret_version = NULL;
  if (findlr__frame_u32(f) != MAGIC)
    return false;
  uint32_t protocol = findlr__frame_u32(f);
  *ret_version = findlr__frame_text(f);
  if (protocol != FINDLR__PROTOCOL || !*ret_version || strcmp(*ret_version, FINDLR_VERSION) != 0)
    return false;
  d->parent = (int64_t)findlr__frame_u64(f);
  d->memory_limit = findlr__frame_u64(f);
  d->context_flags = findlr__frame_u32(f);
  d->log_level = (int32_t)findlr__frame_u32(f);
  d->plugin_path = findlr__frame_text(f);

  findlr_session_options *o = &d->options;
  findlr_session_options_init(o, sizeof *o);
  o->flags = findlr__frame_u32(f);
  o->data = findlr__frame_text(f);
  o->model = findlr__frame_text(f);
  o->optimizer = findlr__frame_text(f);
  o->loss = findlr__frame_text(f);
  o->sampling = findlr__frame_u32(f);
  o->dtype = findlr__frame_u32(f);
  o->threads = findlr__frame_u32(f);
  o->batch_size = (int64_t)findlr__frame_u64(f);
  o->accumulate = (int64_t)findlr__frame_u64(f);
  o->validation = findlr__frame_real(f);
  o->validation_batches = (int64_t)findlr__frame_u64(f);
  o->seed = findlr__frame_u64(f);
  o->slot_directory = findlr__frame_text(f);
  o->group_count = findlr__frame_u32(f);
  if (o->group_count >= FINDLR__MOST_GROUPS)
    return false;
  o->group_patterns = d->patterns;
  o->group_factors = d->factors;
  for (uint32_t g = 0; g < o->group_count; g++) {
    d->patterns[g] = findlr__frame_text(f);
    d->factors[g] = findlr__frame_real(f);
  }
  d->plugin_count = findlr__frame_u32(f);
  return !f->failed;
}

void findlr__info_put(findlr__frame_out *f, const findlr_session_info *i) {
  findlr__frame_put_u64(f, (uint64_t)i->rows);
  findlr__frame_put_u64(f, (uint64_t)i->training_rows);
  findlr__frame_put_u64(f, (uint64_t)i->validation_rows);
  findlr__frame_put_u64(f, (uint64_t)i->features);
  findlr__frame_put_u64(f, (uint64_t)i->classes);
  findlr__frame_put_u64(f, (uint64_t)i->parameters);
  findlr__frame_put_u64(f, (uint64_t)i->batch_size);
  findlr__frame_put_text(f, i->data);
  findlr__frame_put_text(f, i->model);
  findlr__frame_put_text(f, i->optimizer);
  findlr__frame_put_text(f, i->loss);
  findlr__frame_put_text(f, i->about_data);
  findlr__frame_put_text(f, i->about_model);
  findlr__frame_put_u32(f, i->group_count);
}

void findlr__info_put_group(findlr__frame_out *f, const char *pattern, double factor) {
  findlr__frame_put_text(f, pattern);
  findlr__frame_put_real(f, factor);
}

bool findlr__info_get(findlr__frame_in *f, findlr__description_answer *a) {
  memset(a, 0, sizeof *a);
  findlr_session_info *i = &a->info;
  i->struct_size = sizeof *i;
  i->rows = (int64_t)findlr__frame_u64(f);
  i->training_rows = (int64_t)findlr__frame_u64(f);
  i->validation_rows = (int64_t)findlr__frame_u64(f);
  i->features = (int64_t)findlr__frame_u64(f);
  i->classes = (int64_t)findlr__frame_u64(f);
  i->parameters = (int64_t)findlr__frame_u64(f);
  i->batch_size = (int64_t)findlr__frame_u64(f);
  i->data = findlr__frame_text(f);
  i->model = findlr__frame_text(f);
  i->optimizer = findlr__frame_text(f);
  i->loss = findlr__frame_text(f);
  i->about_data = findlr__frame_text(f);
  i->about_model = findlr__frame_text(f);
  i->group_count = findlr__frame_u32(f);
  if (!i->data || !i->model || !i->optimizer || !i->loss || !i->about_data || !i->about_model ||
      i->group_count < 1 || i->group_count > FINDLR__MOST_GROUPS)
    return false;
  for (uint32_t g = 0; g < i->group_count; g++) {
    a->patterns[g] = findlr__frame_text(f);
    a->factors[g] = findlr__frame_real(f);
    if (!a->patterns[g] || !(a->factors[g] > 0) || !isfinite(a->factors[g]))
      return false;
  }
  return findlr__frame_whole(f);
}
