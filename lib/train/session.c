/* SPDX-License-Identifier: MIT */
#include "train/session.h"

#include <math.h>
#include <string.h>

#include "train/control_word.h"

static int32_t failed(findlr_session *s, const findlr__part *part, const char *slot, int32_t status,
                      findlr_error *err) {
  return findlr__component_failed(err, &s->services, status, part->name, slot);
}

/* --- a batch --------------------------------------------------------------------------------- */

static void to_probabilities(const findlr__buffer *classes, findlr__buffer *targets, int64_t n) {
  const int64_t *from = classes->tensor.data;
  for (int64_t i = 0; i < n; i++)
    if (targets->tensor.dtype_bits == 32)
      ((float *)targets->tensor.data)[i] = (float)from[i];
    else
      ((double *)targets->tensor.data)[i] = (double)from[i];
}

/* Fetches rows[0..n-1] of the data into the batch buffers. */
int32_t findlr__session_gather(findlr_session *s, int64_t n, findlr_error *err) {
  bool as_classes = s->classes.tensor.data != NULL;
  s->inputs.shape[0] = s->targets.shape[0] = s->classes.shape[0] = s->grad.shape[0] = n;
  int32_t status = s->data->gather(s->data_part.self, s->rows, n, &s->inputs.tensor,
                                   as_classes ? &s->classes.tensor : &s->targets.tensor);
  if (status)
    return failed(s, &s->data_part, "gather", status, err);
  if (as_classes && s->targets_kind == FINDLR_TARGETS_BINARY)
    to_probabilities(&s->classes, &s->targets, n);
  if (s->standardize.features)
    findlr__standardize_apply(&s->standardize, &s->inputs.tensor);
  return FINDLR_OK;
}

static const findlr_tensor *targets(const findlr_session *s) {
  return s->targets_kind == FINDLR_TARGETS_CLASSES ? &s->classes.tensor : &s->targets.tensor;
}

static int32_t forward(findlr_session *s, uint32_t mode, const findlr_tensor **ret_outputs,
                       findlr_error *err) {
  const findlr_tensor *outputs = NULL;
  int32_t status = s->model->forward(s->model_part.self, &s->inputs.tensor, mode, &outputs);
  if (status)
    return failed(s, &s->model_part, "forward", status, err);
  if (!outputs || outputs->ndim != 2 || outputs->shape[0] != s->inputs.shape[0] ||
      outputs->shape[1] != s->outputs || findlr_tensor_dtype(outputs) != s->dtype ||
      !findlr__tensor_is_compact(outputs))
    return findlr__fail(err, FINDLR_ERR_PLUGIN_INVALID,
                        "%s: forward does not give compact %s outputs of %lld x %lld",
                        s->model_part.name, findlr__dtype_name(s->dtype),
                        (long long)s->inputs.shape[0], (long long)s->outputs);
  *ret_outputs = outputs;
  return FINDLR_OK;
}

/* Forward, loss and backward on the batch in the buffers; gradients of the sum. */
static int32_t accumulate(findlr_session *s, bool first, double *ret_sum, double *ret_weight,
                          findlr_error *err) {
  if (s->engine) {
    int32_t status = s->engine->accumulate(s->model_part.self, &s->inputs.tensor, targets(s), ret_sum,
                                           ret_weight);
    return status ? failed(s, &s->model_part, "accumulate", status, err) : FINDLR_OK;
  }
  const findlr_tensor *outputs;
  int32_t status = forward(s, FINDLR_MODE_TRAIN, &outputs, err);
  if (status)
    return status;
  status = s->loss->value_and_gradient(s->loss_part.self, outputs, targets(s), ret_sum, ret_weight,
                                       &s->grad.tensor);
  if (status)
    return failed(s, &s->loss_part, "value_and_gradient", status, err);
  status = s->model->backward(s->model_part.self, &s->grad.tensor,
                              first ? 0 : FINDLR_BACKWARD_ACCUMULATE);
  return status ? failed(s, &s->model_part, "backward", status, err) : FINDLR_OK;
}

/* --- the step -------------------------------------------------------------------------------- */

static int32_t set_rates(findlr_session *s, const double *rates, uint32_t n, findlr_error *err) {
  if (n != 1 && n != s->group_count)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the step was given %u rates, wanted 1 or one for each of %u groups", n,
                        s->group_count);
  for (uint32_t g = 0; g < s->group_count; g++) {
    double rate = n == s->group_count ? rates[g] : rates[0] * s->factors[g];
    if (!isfinite(rate))
      return findlr__fail(err, FINDLR_ERR_ARGUMENT, "the learning rate is %g, wanted a finite number",
                          rate);
    s->rates[g] = rate;
  }
  return FINDLR_OK;
}

static int32_t step(findlr_session *s, const double *rates, uint32_t n, double *ret_loss,
                    findlr_error *err) {
  int32_t status = set_rates(s, rates, n, err);
  double total = 0, weight = 0;
  for (int64_t k = 0; !status && k < s->accumulate; k++) {
    double batch_sum = 0, batch_weight = 0;
    int64_t rows = findlr__sampler_next(&s->sampler, s->batch_size, s->rows);
    findlr__split_training_rows(&s->split, s->rows, rows);
    status = findlr__session_gather(s, rows, err);
    if (!status)
      status = accumulate(s, k == 0, &batch_sum, &batch_weight, err);
    total += batch_sum;
    weight += batch_weight;
  }
  if (status)
    return status;
  if (s->engine) {
    status = s->engine->apply(s->model_part.self, s->rates, s->group_count, 1 / weight);
    if (status < 0)
      return failed(s, &s->model_part, "apply", status, err);
  } else {
    status = s->optimizer->step(s->optimizer_part.self, s->rates, s->group_count, 1 / weight);
    if (status < 0)
      return failed(s, &s->optimizer_part, "step", status, err);
  }
  s->steps++;
  *ret_loss = total / weight;
  return status == FINDLR_SKIPPED ? FINDLR_SKIPPED : FINDLR_OK;
}

/* Backends run inside this: what they do to the floating-point unit is undone, and said once. */
static void put_control_word_back(findlr_session *s, findlr__control_word before) {
  if (!findlr__control_word_restore(before) || s->misbehaviour_reported)
    return;
  s->misbehaviour_reported = true;
  findlr__services_log(&s->services, FINDLR_LOG_MISBEHAVING,
                       "%s, %s or %s left the floating-point control word changed; it was put back",
                       s->model_part.name, s->loss_part.name, s->optimizer_part.name);
}

int32_t findlr_session_step(findlr_session *s, const double *rates, uint32_t n, double *ret_loss,
                            findlr_error *err) {
  findlr__control_word before = findlr__control_word_read();
  int32_t status = step(s, rates, n, ret_loss, err);
  put_control_word_back(s, before);
  return status;
}

/* --- evaluation ------------------------------------------------------------------------------ */

static int32_t evaluate_batch(findlr_session *s, double *ret_sum, double *ret_weight,
                              findlr_error *err) {
  if (s->engine) {
    int32_t status = s->engine->evaluate(s->model_part.self, &s->inputs.tensor, targets(s), ret_sum,
                                         ret_weight);
    return status ? failed(s, &s->model_part, "evaluate", status, err) : FINDLR_OK;
  }
  const findlr_tensor *outputs;
  int32_t status = forward(s, FINDLR_MODE_EVAL, &outputs, err);
  if (status)
    return status;
  status = s->loss->value_and_gradient(s->loss_part.self, outputs, targets(s), ret_sum, ret_weight,
                                       NULL);
  return status ? failed(s, &s->loss_part, "value_and_gradient", status, err) : FINDLR_OK;
}

static int32_t evaluate(findlr_session *s, double *ret_loss, findlr_error *err) {
  if (!s->split.validation)
    return findlr__fail(err, FINDLR_ERR_STATE,
                        "there are no held-out rows to evaluate on: give a validation fraction above 0");
  int64_t rows = s->split.validation, batch = s->batch_size;
  if (s->validation_batches && s->validation_batches <= rows / batch)
    rows = s->validation_batches * batch;
  double total = 0, weight = 0;
  for (int64_t at = 0; at < rows; at += batch) {
    int64_t n = rows - at < batch ? rows - at : batch;
    double batch_sum = 0, batch_weight = 0;
    memcpy(s->rows, s->split.rows + s->split.training + at, (size_t)n * sizeof *s->rows);
    int32_t status = findlr__session_gather(s, n, err);
    if (!status)
      status = evaluate_batch(s, &batch_sum, &batch_weight, err);
    if (status)
      return status;
    total += batch_sum;
    weight += batch_weight;
  }
  *ret_loss = total / weight;
  return FINDLR_OK;
}

int32_t findlr_session_evaluate(findlr_session *s, double *ret_loss, findlr_error *err) {
  findlr__control_word before = findlr__control_word_read();
  int32_t status = evaluate(s, ret_loss, err);
  put_control_word_back(s, before);
  return status;
}

/* --- state ----------------------------------------------------------------------------------- */

int32_t findlr_session_save(findlr_session *s, uint32_t slot, findlr_error *err) {
  return findlr__slots_save(&s->slots, slot, &s->state, err);
}

int32_t findlr_session_restore(findlr_session *s, uint32_t slot, findlr_error *err) {
  return findlr__slots_restore(&s->slots, slot, &s->state, err);
}

int32_t findlr_session_fingerprint(findlr_session *s, uint64_t *ret_hash, findlr_error *err) {
  return findlr__state_fingerprint(&s->state, ret_hash, err);
}

int32_t findlr_session_state(findlr_session *s, uint32_t i, findlr_named_tensor *out,
                             findlr_error *err) {
  if (i >= s->state.count)
    return FINDLR_DONE;
  return findlr__give(out, &s->state.entries[i], sizeof s->state.entries[i],
                      FINDLR_SIZE_UP_TO(findlr_named_tensor, tensor), "the out-tensor", err);
}

/* --- as a trainer ---------------------------------------------------------------------------- */

static int32_t trainer_step(void *self, const double *rates, uint32_t n, double *ret_loss) {
  findlr_session *s = self;
  return findlr_session_step(s, rates, n, ret_loss, &s->error);
}

static int32_t trainer_evaluate(void *self, double *ret_loss) {
  findlr_session *s = self;
  return findlr_session_evaluate(s, ret_loss, &s->error);
}

static int32_t trainer_save(void *self, uint32_t slot) {
  findlr_session *s = self;
  return findlr_session_save(s, slot, &s->error);
}

static int32_t trainer_restore(void *self, uint32_t slot) {
  findlr_session *s = self;
  return findlr_session_restore(s, slot, &s->error);
}

static int32_t trainer_fingerprint(void *self, uint64_t *ret_hash) {
  findlr_session *s = self;
  return findlr_session_fingerprint(s, ret_hash, &s->error);
}

static int32_t trainer_describe(void *self, findlr_trainer_info *out) {
  const findlr_session *s = self;
  findlr_trainer_info info = {
    .struct_size = sizeof info,
    .group_count = s->group_count,
    .slot_count = FINDLR__SLOTS,
    .can_evaluate = s->split.validation > 0,
    .about = "",
  };
  return findlr__give(out, &info, sizeof info, FINDLR_SIZE_UP_TO(findlr_trainer_info, about),
                      "findlr_trainer_info", NULL);
}

static const void *trainer_extension(void *self, const char *id) {
  (void)self;
  static const findlr_trainer_about about = { sizeof about, 0, trainer_describe };
  return strcmp(id, FINDLR_EXT_TRAINER) == 0 ? &about : NULL;
}

static const char *trainer_message(void *message_ud) {
  return ((findlr_session *)message_ud)->error.message;
}

static const findlr_trainer_vtable trainer_vtable = {
  .struct_size = sizeof trainer_vtable,
  .step = trainer_step,
  .evaluate = trainer_evaluate,
  .save = trainer_save,
  .restore = trainer_restore,
  .fingerprint = trainer_fingerprint,
  .get_extension = trainer_extension,
};

const findlr_trainer *findlr_session_trainer(findlr_session *s) {
  s->trainer = (findlr_trainer){ sizeof(findlr_trainer), 0, &trainer_vtable, s, trainer_message, s };
  return &s->trainer;
}

/* --- what it is ------------------------------------------------------------------------------ */

int32_t findlr__fit_options(uint32_t group_count, const double *factors, double *starts, double *ends,
                            findlr_range_test_options *options, findlr_error *err) {
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  int32_t status = findlr__take(&o, sizeof o, options,
                                FINDLR_SIZE_UP_TO(findlr_range_test_options, max_skips),
                                "the range test's options", err);
  if (status)
    return status;
  for (uint32_t g = 0; g < group_count; g++) {
    starts[g] = o.start_lr * factors[g];
    ends[g] = o.end_lr * factors[g];
  }
  o.groups = group_count;
  o.group_start = starts;
  o.group_end = ends;
  return findlr__give(options, &o, sizeof o, FINDLR_SIZE_UP_TO(findlr_range_test_options, max_skips),
                      "the range test's options", err);
}

int32_t findlr_session_fit_options(findlr_session *s, findlr_range_test_options *options,
                                   findlr_error *err) {
  return findlr__fit_options(s->group_count, s->factors, s->starts, s->ends, options, err);
}

int32_t findlr_session_describe(findlr_session *s, findlr_session_info *out, findlr_error *err) {
  findlr_session_info info = {
    .struct_size = sizeof info,
    .group_count = s->group_count,
    .rows = s->data_info.rows,
    .training_rows = s->split.training,
    .validation_rows = s->split.validation,
    .features = s->features,
    .classes = s->targets_kind == FINDLR_TARGETS_REAL ? 0 : s->data_info.classes,
    .batch_size = s->batch_size,
    .data = s->data_part.text,
    .model = s->model_part.text,
    .optimizer = s->optimizer_part.text ? s->optimizer_part.text : "",
    .loss = s->loss_part.text ? s->loss_part.text : "",
    .about_data = s->data_info.about ? s->data_info.about : "",
    .about_model = s->about_model,
  };
  for (uint32_t i = 0; i < s->parameter_count; i++)
    info.parameters += findlr_tensor_count(&s->parameters[i].value);
  return findlr__give(out, &info, sizeof info, FINDLR_SIZE_UP_TO(findlr_session_info, about_model),
                      "the session's description", err);
}

const char *findlr_session_group_pattern(const findlr_session *s, uint32_t group) {
  return group < s->group_count ? s->patterns[group] : NULL;
}

double findlr_session_group_factor(const findlr_session *s, uint32_t group) {
  return group < s->group_count ? s->factors[group] : 0;
}
