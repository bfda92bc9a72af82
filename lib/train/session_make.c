/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "train/session.h"

/* How a session comes into being, in the order in which its parts need each other: data, loss, split,
 * batch, statistics, sampler, model, groups, optimizer, state list, slots. Each step leaves the session
 * in a condition that findlr_session_destroy can undo. */

/* Streams of the one seed, so that model, sampler and split do not share random numbers. */
enum { SEED_MODEL = 1, SEED_SAMPLER = 2, SEED_SPLIT = 3 };

void findlr_session_options_init(findlr_session_options *options, size_t size) {
  findlr_session_options defaults = {
    .struct_size = (uint32_t)size,
    .sampling = FINDLR_SAMPLING_SHUFFLE,
    .dtype = FINDLR_DTYPE_FLOAT32,
    .threads = 1,
    .accumulate = 1,
  };
  if (!options || size < sizeof(uint32_t))
    return;
  memset(options, 0, size);
  memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
}

static int32_t check_options(const findlr_session_options *o, findlr_error *err) {
  if (o->flags & ~(uint32_t)(FINDLR_SESSION_STANDARDIZE | FINDLR_SESSION_DROP_LAST))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the session's flags have an unknown bit: %u",
                        o->flags);
  if (o->sampling > FINDLR_SAMPLING_SEQUENTIAL)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "sampling is %u, wanted 0, 1 or 2", o->sampling);
  if (o->dtype != FINDLR_DTYPE_FLOAT32 && o->dtype != FINDLR_DTYPE_FLOAT64)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the session's dtype is %s, wanted float32 or float64",
                        findlr__dtype_name(o->dtype));
  if (o->threads < 1 || o->threads > 1024)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "threads is %u, wanted 1 to 1024", o->threads);
  if (o->accumulate < 1 || o->accumulate > 1000000)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "accumulate is %lld, wanted 1 to 1000000",
                        (long long)o->accumulate);
  if (o->batch_size < 0)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the batch size is %lld, wanted at least 1",
                        (long long)o->batch_size);
  if (!(o->validation >= 0 && o->validation < 1))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the validation fraction is %g, wanted 0 or more and less than 1",
                        o->validation);
  if (o->validation_batches < 0)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT, "validation batches are %lld, wanted 0 or more",
                        (long long)o->validation_batches);
  if (o->group_count > 64 || (o->group_count && (!o->group_patterns || !o->group_factors)))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "%u parameter groups were given, wanted at most 64, each with pattern and factor",
                        o->group_count);
  for (uint32_t g = 0; g < o->group_count; g++) {
    double factor = o->group_factors[g];
    if (!o->group_patterns[g] || !*o->group_patterns[g])
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "parameter group %u has no pattern", g);
    if (!(factor > 0) || isinf(factor))
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "the factor of parameter group \"%s\" is %g, wanted a number above 0",
                          o->group_patterns[g], factor);
  }
  return FINDLR_OK;
}

static int32_t copy_text(findlr_session *s, const char *text, char **ret_copy, findlr_error *err) {
  *ret_copy = findlr__copy_string(s->allocator, text ? text : "");
  return *ret_copy ? FINDLR_OK : findlr__no_memory(err, "the session");
}

static int32_t begin_part(findlr_session *s, findlr__part *part, const char *kind,
                          const findlr__choice *choice, findlr_error *err) {
  findlr__format(part->name, sizeof part->name, "%s %s", kind, choice->component->name);
  findlr__services_clear(&s->services);
  return copy_text(s, choice->text, &part->text, err);
}

static int32_t created(findlr_session *s, findlr__part *part, int32_t status, findlr_error *err) {
  if (status != FINDLR_OK)
    return findlr__component_failed(err, &s->services, status, part->name, NULL);
  if (!part->self)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "%s: create succeeded without an instance",
                        part->name);
  return FINDLR_OK;
}

static int32_t make_data(findlr_session *s, const findlr__plan *plan, findlr_error *err) {
  int32_t status;
  findlr__part *part = &s->data_part;
  if (plan->options->data_object) {
    const findlr_data *object = plan->options->data_object;
    if (object->struct_size < FINDLR_SIZE_UP_TO(findlr_data, self) || !object->vtable ||
        object->vtable->struct_size < FINDLR_SIZE_UP_TO(findlr_data_vtable, gather) ||
        !object->vtable->describe || !object->vtable->gather)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the data object is not filled in: describe and gather are wanted");
    findlr__format(part->name, sizeof part->name, "data memory");
    s->data = object->vtable;
    part->self = object->self;
    status = copy_text(s, "memory", &part->text, err);
  } else {
    status = begin_part(s, part, "data", &plan->data, err);
    if (status)
      return status;
    s->data = plan->data.component->vtable;
    s->data_owned = true;
    findlr_data_spec spec = {
      .struct_size = sizeof spec,
      .threads = plan->options->threads,
      .user = plan->data.component->user,
      .option_count = plan->data.count,
      .options = plan->data.values,
    };
    status = created(s, part, s->data->create(&s->services.host, &s->services, &spec, &part->self),
                     err);
  }
  if (status)
    return status;

  findlr_data_info *info = &s->data_info;
  info->struct_size = sizeof *info;
  info->target_columns = 1;
  status = s->data->describe(part->self, info);
  if (status)
    return findlr__component_failed(err, &s->services, status, part->name, "describe");
  if (info->rows < 1 || info->classes < 0 || info->classes == 1 || info->target_columns < 1 ||
      info->input_ndim < 0 || info->input_ndim > FINDLR__MAX_DIMENSIONS)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID,
                        "%s describes %lld rows of %d dimensions with %lld classes and %lld target "
                        "columns, which cannot be",
                        part->name, (long long)info->rows, info->input_ndim,
                        (long long)info->classes, (long long)info->target_columns);
  findlr_tensor row = { .ndim = info->input_ndim };
  int64_t shape[FINDLR__MAX_DIMENSIONS];
  for (int32_t i = 0; i < info->input_ndim; i++)
    shape[i] = info->input_shape[i];
  row.shape = shape;
  s->features = findlr_tensor_count(&row);
  if (s->features < 1)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "%s has rows without inputs", part->name);
  return FINDLR_OK;
}

/* Which loss, and so what the targets are and how many outputs the model needs. */
static int32_t choose_loss(findlr_session *s, const findlr__plan *plan,
                           const findlr__choice **ret_choice, findlr_error *err) {
  const findlr_data_info *info = &s->data_info;
  const findlr__choice *choice = info->classes ? &plan->loss_for_classes : &plan->loss_for_real;
  s->loss = choice->component->vtable;
  s->targets_kind = s->loss->targets;
  s->outputs = info->target_columns;
  if (s->targets_kind == FINDLR_TARGETS_CLASSES) {
    if (!info->classes)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "loss %s wants classes as targets, but those of %s are real numbers",
                          choice->component->name, s->data_part.name);
    s->outputs = info->classes;
  } else if (s->targets_kind == FINDLR_TARGETS_BINARY && info->classes) {
    if (info->classes != 2)
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "loss %s wants 2 classes, but %s has %lld",
                          choice->component->name, s->data_part.name, (long long)info->classes);
    s->outputs = 1;
  }
  *ret_choice = choice;
  return FINDLR_OK;
}

/* The class of every row, for the stratified split. */
static int32_t gather_classes(findlr_session *s, int64_t *classes, findlr_error *err) {
  enum { PIECE = 4096 };
  int64_t rows[PIECE];
  for (int64_t at = 0; at < s->data_info.rows; at += PIECE) {
    int64_t n = s->data_info.rows - at < PIECE ? s->data_info.rows - at : PIECE;
    for (int64_t i = 0; i < n; i++)
      rows[i] = at + i;
    findlr_tensor t = { .data = classes + at, .device_type = FINDLR_DEVICE_CPU, .ndim = 1,
                        .shape = &n };
    findlr__tensor_set_dtype(&t, FINDLR_DTYPE_INT64);
    int32_t status = s->data->gather(s->data_part.self, rows, n, NULL, &t);
    if (status)
      return findlr__component_failed(err, &s->services, status, s->data_part.name, "gather");
    for (int64_t i = 0; i < n; i++)
      if (classes[at + i] < 0 || classes[at + i] >= s->data_info.classes)
        return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID,
                            "%s gives row %lld the class %lld, wanted 0 to %lld", s->data_part.name,
                            (long long)(at + i), (long long)classes[at + i],
                            (long long)s->data_info.classes - 1);
  }
  return FINDLR_OK;
}

static int32_t make_split(findlr_session *s, const findlr_session_options *o, findlr_error *err) {
  int64_t rows = s->data_info.rows, *classes = NULL;
  size_t bytes = 0;
  int32_t status = FINDLR_OK;
  if (o->validation > 0 && s->data_info.classes) {
    bytes = findlr__size((size_t)rows, sizeof *classes, 0);
    classes = bytes ? findlr__allocate(s->allocator, bytes) : NULL;
    if (!classes)
      return findlr__no_memory(err, "the classes of the rows");
    status = gather_classes(s, classes, err);
  }
  if (!status)
    status = findlr__split_make(&s->split, s->allocator, rows, s->data_info.classes, classes,
                                o->validation, findlr__random_mix(o->seed, SEED_SPLIT), err);
  findlr__release(s->allocator, classes, bytes);
  return status;
}

static int32_t make_batch(findlr_session *s, const findlr_session_options *o, findlr_error *err) {
  int64_t most = s->split.training;
  if (o->batch_size > most)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the batch size is %lld, wanted at most the %lld rows to train on",
                        (long long)o->batch_size, (long long)most);
  s->batch_size = o->batch_size ? o->batch_size : most < 64 ? most : 64;
  s->accumulate = o->accumulate;
  s->validation_batches = o->validation_batches;
  s->dtype = o->dtype;
  s->rows = findlr__allocate(s->allocator, (size_t)s->batch_size * sizeof *s->rows);
  if (!s->rows)
    return findlr__no_memory(err, "a batch");
  const findlr_data_info *info = &s->data_info;
  bool classes = s->targets_kind == FINDLR_TARGETS_CLASSES;
  int32_t status = findlr__buffer_make(&s->inputs, s->allocator, s->dtype, s->batch_size,
                                       info->input_ndim, info->input_shape, "a batch of inputs", err);
  if (!status && (classes || (s->targets_kind == FINDLR_TARGETS_BINARY && info->classes)))
    status = findlr__buffer_make(&s->classes, s->allocator, FINDLR_DTYPE_INT64, s->batch_size, 0, NULL,
                                 "a batch of classes", err);
  if (!status && !classes)
    status = findlr__buffer_make(&s->targets, s->allocator, s->dtype, s->batch_size, 1, &s->outputs,
                                 "a batch of targets", err);
  if (!status)
    status = findlr__buffer_make(&s->grad, s->allocator, s->dtype, s->batch_size, 1, &s->outputs,
                                 "the gradient of a batch", err);
  return status;
}

static int32_t make_statistics(findlr_session *s, const findlr_session_options *o,
                               findlr_error *err) {
  if (!(o->flags & FINDLR_SESSION_STANDARDIZE))
    return FINDLR_OK;
  findlr__standardize fresh;
  int32_t status = findlr__standardize_make(&fresh, s->allocator, s->features, err);
  for (int64_t at = 0; !status && at < s->split.training; at += s->batch_size) {
    int64_t n = s->split.training - at < s->batch_size ? s->split.training - at : s->batch_size;
    for (int64_t i = 0; i < n; i++)
      s->rows[i] = at + i;
    findlr__split_training_rows(&s->split, s->rows, n);
    status = findlr__session_gather(s, n, err);
    if (!status)
      findlr__standardize_add(&fresh, &s->inputs.tensor);
  }
  if (status) {
    findlr__standardize_free(&fresh, s->allocator);
    return status;
  }
  findlr__standardize_finish(&fresh);
  s->standardize = fresh;
  return FINDLR_OK;
}

/* Can the stock optimizers work on it? */
static bool parameter_fits(const findlr_parameter *p) {
  uint32_t dtype = findlr_tensor_dtype(&p->value);
  if ((dtype != FINDLR_DTYPE_FLOAT32 && dtype != FINDLR_DTYPE_FLOAT64) ||
      dtype != findlr_tensor_dtype(&p->gradient) || p->value.ndim != p->gradient.ndim ||
      !findlr__tensor_is_compact(&p->value) || !findlr__tensor_is_compact(&p->gradient))
    return false;
  for (int32_t i = 0; i < p->value.ndim; i++)
    if (p->value.shape[i] != p->gradient.shape[i])
      return false;
  return true;
}

static int32_t list_parameters(findlr_session *s, findlr_error *err) {
  int32_t status;
  findlr_parameter p = { .struct_size = sizeof p };
  for (uint32_t n = 0;; n++) {
    status = s->model->parameter(s->model_part.self, n, &p);
    if (status == FINDLR_DONE) {
      s->parameter_count = n;
      break;
    }
    if (status)
      return findlr__component_failed(err, &s->services, status, s->model_part.name, "parameter");
    if (n == 1000000)
      return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "%s lists parameters without end",
                          s->model_part.name);
  }
  if (!s->parameter_count) {
    if (s->engine)
      return FINDLR_OK;
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID,
                        "%s has no parameters and does not train by itself (" FINDLR_EXT_TRAIN ")",
                        s->model_part.name);
  }
  s->parameters = findlr__allocate(s->allocator, s->parameter_count * sizeof *s->parameters);
  if (!s->parameters)
    return findlr__no_memory(err, "the list of parameters");
  for (uint32_t i = 0; i < s->parameter_count; i++) {
    findlr_parameter *q = &s->parameters[i];
    q->struct_size = sizeof *q;
    status = s->model->parameter(s->model_part.self, i, q);
    if (status)
      return findlr__component_failed(err, &s->services, status, s->model_part.name, "parameter");
    q->group = 0;
    if (!q->name || !*q->name)
      return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID, "%s: parameter %u has no name",
                          s->model_part.name, i);
    if (!s->engine && !parameter_fits(q))
      return findlr__fail(err, FINDLR_ERR_UNSUPPORTED,
                          "%s: parameter \"%s\" (%s) is not compact float32 or float64 memory of the "
                          "CPU with a gradient like it, and the model does not train by "
                          "itself (" FINDLR_EXT_TRAIN ")",
                          s->model_part.name, q->name,
                          findlr__dtype_name(findlr_tensor_dtype(&q->value)));
  }
  return FINDLR_OK;
}

static int32_t make_model(findlr_session *s, const findlr__plan *plan, findlr_error *err) {
  const findlr_session_options *o = plan->options;
  findlr__part *part = &s->model_part;
  int32_t status = begin_part(s, part, "model", &plan->model, err);
  if (!status)
    status = copy_text(s, plan->model.about, &s->about_model, err);
  if (status)
    return status;
  s->model = plan->model.component->vtable;
  findlr_model_spec spec = {
    .struct_size = sizeof spec,
    .threads = o->threads,
    .seed = findlr__random_mix(o->seed, SEED_MODEL),
    .max_batch = s->batch_size,
    .outputs = s->outputs,
    .classes = s->targets_kind == FINDLR_TARGETS_CLASSES ? s->data_info.classes : 0,
    .dtype = s->dtype,
    .input_ndim = s->data_info.input_ndim,
    .input_shape = s->data_info.input_shape,
    .user = plan->model.component->user,
    .option_count = plan->model.count,
    .options = plan->model.values,
  };
  status = created(s, part, s->model->create(&s->services.host, &s->services, &spec, &part->self),
                   err);
  if (status)
    return status;
  if (FINDLR_HAS(s->model, findlr_model_vtable, get_extension))
    s->engine = s->model->get_extension(part->self, FINDLR_EXT_TRAIN);
  if (s->engine && (o->loss || o->optimizer))
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "%s trains by itself: it takes no %s, use the model's own options", part->name,
                        o->loss ? "loss" : "optimizer");
  return list_parameters(s, err);
}

/* A model that trains by itself cannot see what the session writes into its list of parameters. */
static int32_t tell_groups(findlr_session *s, findlr_error *err) {
  if (!FINDLR_HAS(s->engine, findlr_train, set_groups))
    return findlr__fail(err, FINDLR_ERR_UNSUPPORTED,
                        "%s trains by itself with one rate: it takes no parameter groups",
                        s->model_part.name);
  size_t bytes = s->parameter_count * sizeof(uint32_t);
  uint32_t *groups = findlr__allocate(s->allocator, bytes);
  if (!groups)
    return findlr__no_memory(err, "the parameter groups");
  for (uint32_t i = 0; i < s->parameter_count; i++)
    groups[i] = s->parameters[i].group;
  int32_t status = s->engine->set_groups(s->model_part.self, groups, s->parameter_count);
  findlr__release(s->allocator, groups, bytes);
  return status ? findlr__component_failed(err, &s->services, status, s->model_part.name, "set_groups")
                : FINDLR_OK;
}

/* Each parameter to the first pattern that fits; the rest, if any, to group 0. */
static int32_t make_groups(findlr_session *s, const findlr_session_options *o, findlr_error *err) {
  uint32_t rest = o->group_count == 0;
  uint64_t used = 0;
  for (uint32_t i = 0; i < s->parameter_count; i++) {
    uint32_t g = 0;
    while (g < o->group_count && fnmatch(o->group_patterns[g], s->parameters[i].name, 0) != 0)
      g++;
    s->parameters[i].group = g;
    if (g < o->group_count)
      used |= (uint64_t)1 << g;
    else
      rest = 1;
  }
  for (uint32_t g = 0; g < o->group_count; g++)
    if (!(used >> g & 1))
      return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                          "parameter group \"%s\" fits no parameter that an earlier one leaves (%s)",
                          o->group_patterns[g],
                          s->parameter_count ? s->parameters[0].name : "the model names none");
  for (uint32_t i = 0; i < s->parameter_count; i++) {
    uint32_t g = s->parameters[i].group;
    s->parameters[i].group = g == o->group_count ? 0 : g + rest;
  }
  uint32_t count = o->group_count + rest;
  s->patterns = findlr__allocate(s->allocator, count * sizeof *s->patterns);
  s->factors = findlr__allocate(s->allocator, count * 4 * sizeof *s->factors);
  s->group_count = count;
  if (!s->patterns || !s->factors)
    return findlr__no_memory(err, "the parameter groups");
  s->rates = s->factors + count;
  s->starts = s->rates + count;
  s->ends = s->starts + count;
  for (uint32_t g = 0; g < count; g++) {
    bool is_rest = rest && g == 0;
    s->factors[g] = is_rest ? 1 : o->group_factors[g - rest];
    int32_t status = copy_text(s, is_rest ? "*" : o->group_patterns[g - rest], &s->patterns[g], err);
    if (status)
      return status;
  }
  return s->engine && count > 1 ? tell_groups(s, err) : FINDLR_OK;
}

static int32_t make_loss(findlr_session *s, const findlr__choice *choice, findlr_error *err) {
  findlr__part *part = &s->loss_part;
  int32_t status = begin_part(s, part, "loss", choice, err);
  if (status)
    return status;
  findlr_loss_spec spec = {
    .struct_size = sizeof spec,
    .dtype = s->dtype,
    .max_batch = s->batch_size,
    .outputs = s->outputs,
    .user = choice->component->user,
    .option_count = choice->count,
    .options = choice->values,
  };
  return created(s, part, s->loss->create(&s->services.host, &s->services, &spec, &part->self), err);
}

static int32_t make_optimizer(findlr_session *s, const findlr__plan *plan, findlr_error *err) {
  findlr__part *part = &s->optimizer_part;
  int32_t status = begin_part(s, part, "optimizer", &plan->optimizer, err);
  if (status)
    return status;
  size_t bytes = s->parameter_count * sizeof(findlr_parameter *);
  const findlr_parameter **pointers = findlr__allocate(s->allocator, bytes);
  if (!pointers)
    return findlr__no_memory(err, "the list of parameters");
  for (uint32_t i = 0; i < s->parameter_count; i++)
    pointers[i] = &s->parameters[i];
  s->optimizer = plan->optimizer.component->vtable;
  findlr_optimizer_spec spec = {
    .struct_size = sizeof spec,
    .threads = plan->options->threads,
    .parameter_count = s->parameter_count,
    .group_count = s->group_count,
    .parameters = pointers,
    .user = plan->optimizer.component->user,
    .option_count = plan->optimizer.count,
    .options = plan->optimizer.values,
  };
  status = created(
      s, part, s->optimizer->create(&s->services.host, &s->services, &spec, &part->self), err);
  findlr__release(s->allocator, pointers, bytes);
  return status;
}

typedef int32_t list_function(void *self, uint32_t i, findlr_named_tensor *out);

static int32_t add_states(findlr_session *s, const findlr__part *part, const char *owner,
                          list_function *list, findlr_error *err) {
  for (uint32_t i = 0;; i++) {
    findlr_named_tensor entry = { .struct_size = sizeof entry };
    int32_t status = list(part->self, i, &entry);
    if (status == FINDLR_DONE)
      return FINDLR_OK;
    if (status)
      return findlr__component_failed(err, &s->services, status, part->name, "state");
    status = findlr__state_add(&s->state, owner, entry.name, &entry.tensor, err);
    if (status)
      return status;
  }
}

static int32_t add_own(findlr_session *s, const char *name, int64_t *numbers, int64_t *shape,
                       findlr_error *err) {
  findlr_tensor t = { .data = numbers, .device_type = FINDLR_DEVICE_CPU, .ndim = 1, .shape = shape };
  findlr__tensor_set_dtype(&t, FINDLR_DTYPE_INT64);
  return findlr__state_add(&s->state, "session", name, &t, err);
}

static int32_t make_state(findlr_session *s, findlr_error *err) {
  int32_t status = FINDLR_OK;
  findlr__state_make(&s->state, s->allocator);
  if (FINDLR_HAS(s->model, findlr_model_vtable, get_extension)) {
    const findlr_opaque_state *opaque = s->model->get_extension(s->model_part.self, FINDLR_EXT_STATE);
    if (opaque)
      findlr__state_add_opaque(&s->state, "model", opaque, s->model_part.self);
  }
  /* A model with an engine of its own may list parameters that are not here to be copied; its opaque
   * state then holds them. */
  for (uint32_t i = 0; i < s->parameter_count && !status; i++)
    if (!s->engine || findlr__tensor_is_compact(&s->parameters[i].value))
      status = findlr__state_add(&s->state, "parameter", s->parameters[i].name,
                                 &s->parameters[i].value, err);
    else if (!s->state.opaque_count)
      status = findlr__fail(err, FINDLR_ERR_UNSUPPORTED,
                            "%s: parameter \"%s\" cannot be copied, and the model offers no state of its "
                            "own (" FINDLR_EXT_STATE ")",
                            s->model_part.name, s->parameters[i].name);
  if (!status)
    status = add_states(s, &s->model_part, "model", s->model->state, err);
  if (!status && s->optimizer) {
    status = add_states(s, &s->optimizer_part, "optimizer", s->optimizer->state, err);
    if (FINDLR_HAS(s->optimizer, findlr_optimizer_vtable, get_extension)) {
      const findlr_opaque_state *opaque =
          s->optimizer->get_extension(s->optimizer_part.self, FINDLR_EXT_STATE);
      if (opaque)
        findlr__state_add_opaque(&s->state, "optimizer", opaque, s->optimizer_part.self);
    }
  }
  s->sampler_shape[0] = 3;
  s->steps_shape[0] = 1;
  if (!status)
    status = add_own(s, "sampler", s->sampler.state, s->sampler_shape, err);
  if (!status)
    status = add_own(s, "steps", &s->steps, s->steps_shape, err);
  return status;
}

static int32_t make(findlr_session *s, const findlr__plan *plan, findlr_error *err) {
  const findlr_session_options *o = plan->options;
  const findlr__choice *loss = NULL;
  int32_t status = check_options(o, err);
  if (!status)
    status = make_data(s, plan, err);
  if (!status)
    status = choose_loss(s, plan, &loss, err);
  if (!status)
    status = make_split(s, o, err);
  if (!status)
    status = make_batch(s, o, err);
  if (!status)
    status = make_statistics(s, o, err);
  if (!status)
    status = findlr__sampler_make(&s->sampler, s->allocator, s->split.training, o->sampling,
                                  o->flags & FINDLR_SESSION_DROP_LAST,
                                  findlr__random_mix(o->seed, SEED_SAMPLER), err);
  if (!status)
    status = make_model(s, plan, err);
  if (!status)
    status = make_groups(s, o, err);
  if (!status && !s->engine)
    status = make_loss(s, loss, err);
  if (!status && !s->engine)
    status = make_optimizer(s, plan, err);
  if (!status)
    status = make_state(s, err);
  if (!status)
    status = findlr__slots_make(&s->slots, s->allocator, o->slot_directory, err);
  return status;
}

int32_t findlr__session_make(const findlr__plan *plan, findlr_session **ret_session,
                             findlr_error *err) {
  const findlr__services *given = plan->services;
  findlr_session *s = findlr__allocate(given->allocator, sizeof *s);
  if (!s)
    return findlr__no_memory(err, "a session");
  s->allocator = given->allocator;
  findlr_error_init(&s->error, sizeof s->error);
  findlr__services_init(&s->services, given->allocator, given->log, given->log_ud, given->log_level);
  int32_t status = make(s, plan, err);
  if (status) {
    findlr_session_destroy(s);
    return status;
  }
  *ret_session = s;
  return FINDLR_OK;
}

static void free_part(findlr_session *s, findlr__part *part, void (*destroy)(void *self)) {
  if (part->self && destroy)
    destroy(part->self);
  findlr__release_string(s->allocator, part->text);
}

void findlr_session_destroy(findlr_session *s) {
  if (!s)
    return;
  const findlr_allocator *a = s->allocator;
  if (s->slots.allocator)
    findlr__slots_free(&s->slots);
  if (s->state.allocator)
    findlr__state_free(&s->state);
  free_part(s, &s->optimizer_part, s->optimizer ? s->optimizer->destroy : NULL);
  free_part(s, &s->loss_part, s->loss ? s->loss->destroy : NULL);
  free_part(s, &s->model_part, s->model ? s->model->destroy : NULL);
  free_part(s, &s->data_part, s->data && s->data_owned ? s->data->destroy : NULL);
  findlr__release_string(a, s->about_model);
  findlr__release(a, s->parameters, s->parameter_count * sizeof *s->parameters);
  for (uint32_t g = 0; s->patterns && g < s->group_count; g++)
    findlr__release_string(a, s->patterns[g]);
  findlr__release(a, s->patterns, s->group_count * sizeof *s->patterns);
  findlr__release(a, s->factors, s->group_count * 4 * sizeof *s->factors);
  findlr__sampler_free(&s->sampler, a);
  findlr__standardize_free(&s->standardize, a);
  findlr__split_free(&s->split, a);
  findlr__buffer_free(&s->inputs, a);
  findlr__buffer_free(&s->targets, a);
  findlr__buffer_free(&s->classes, a);
  findlr__buffer_free(&s->grad, a);
  findlr__release(a, s->rows, (size_t)s->batch_size * sizeof *s->rows);
  findlr__release(a, s, sizeof *s);
}
