/* SPDX-License-Identifier: MIT */
#include "findlr/driver.h"

#include <string.h>

#include "core/internal.h"
#include "train/control_word.h"

void findlr_drive_options_init(findlr_drive_options *options, size_t size) {
  if (!options || size < sizeof(uint32_t))
    return;
  memset(options, 0, size);
  options->struct_size = (uint32_t)size;
}

static int32_t check_trainer(const findlr_trainer *t, findlr_error *err) {
  if (!t || t->struct_size < FINDLR_SIZE_UP_TO(findlr_trainer, self) || !t->vtable ||
      t->vtable->struct_size < FINDLR_SIZE_UP_TO(findlr_trainer_vtable, restore) || !t->vtable->step ||
      !t->vtable->save || !t->vtable->restore)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the trainer is not filled in: step, save and restore are wanted");
  return FINDLR_OK;
}

int32_t findlr_trainer_describe(const findlr_trainer *t, findlr_trainer_info *out, findlr_error *err) {
  int32_t status = check_trainer(t, err);
  if (status)
    return status;
  findlr_trainer_info info = {
    .struct_size = sizeof info,
    .slot_count = UINT32_MAX,
    .can_evaluate = FINDLR_HAS(t->vtable, findlr_trainer_vtable, evaluate),
    .about = "",
  };
  const findlr_trainer_about *about =
      FINDLR_HAS(t->vtable, findlr_trainer_vtable, get_extension)
          ? t->vtable->get_extension(t->self, FINDLR_EXT_TRAINER)
          : NULL;
  if (about && about->describe(t->self, &info) != FINDLR_OK)
    return findlr__fail(err, FINDLR_ERR_BACKEND, "the trainer cannot describe itself");
  info.can_evaluate = info.can_evaluate && FINDLR_HAS(t->vtable, findlr_trainer_vtable, evaluate);
  return findlr__give(out, &info, sizeof info, FINDLR_SIZE_UP_TO(findlr_trainer_info, about),
                      "findlr_trainer_info", err);
}

/* What the test wants and the trainer cannot do is said before the first step. */
static int32_t check_fit(const findlr_range_test *test, const findlr_trainer *t, findlr_error *err) {
  findlr_trainer_info info = { .struct_size = sizeof info };
  int32_t status = findlr_trainer_describe(t, &info, err);
  if (status)
    return status;
  uint32_t groups = findlr_curve_groups(findlr_range_test_curve(test));
  if (info.group_count && groups != 1 && groups != info.group_count)
    return findlr__fail(err, FINDLR_ERR_ARGUMENT,
                        "the test has %u parameter groups, but the trainer has %u", groups,
                        info.group_count);
  if (findlr_range_test_follow(test) == FINDLR_FOLLOW_VALIDATION && !info.can_evaluate)
    return findlr__fail(err, FINDLR_ERR_UNSUPPORTED,
                        "the test follows the held-out loss, but the trainer cannot evaluate");
  return FINDLR_OK;
}

static int32_t failed(const findlr_trainer *t, int32_t status, const char *slot, findlr_error *err) {
  const char *message =
      FINDLR_HAS(t, findlr_trainer, message) ? t->message(t->message_ud) : NULL;
  if (status > 0 || !strcmp(findlr_status_name(status), "unknown status"))
    return findlr__fail(err, FINDLR_ERR_BACKEND, "the trainer's %s gave the unknown status %d", slot,
                        status);
  if (message && *message)
    return findlr__fail(err, status, "%s", message);
  return findlr__fail(err, status, "the trainer's %s failed: %s", slot, findlr_status_text(status));
}

static int32_t obey(findlr_range_test *test, const findlr_trainer *t, const findlr_request *request,
                    findlr_error *err) {
  const findlr_trainer_vtable *v = t->vtable;
  double loss = 0;
  int32_t status;
  switch (request->action) {
  case FINDLR_ACTION_STEP:
    status = v->step(t->self, request->rates, request->groups, &loss);
    if (status == FINDLR_SKIPPED)
      return findlr_range_test_skip(test, err);
    if (status)
      return failed(t, status, "step", err);
    break;
  case FINDLR_ACTION_EVALUATE:
    status = v->evaluate(t->self, &loss);
    if (status)
      return failed(t, status, "evaluate", err);
    break;
  case FINDLR_ACTION_SAVE:
    status = v->save(t->self, request->slot);
    if (status)
      return failed(t, status, "save", err);
    break;
  default:
    status = v->restore(t->self, request->slot);
    if (status)
      return failed(t, status, "restore", err);
  }
  return findlr_range_test_tell(test, loss, err);
}

static int32_t loop(findlr_range_test *test, const findlr_trainer *t,
                    const findlr_drive_options *options, findlr_error *err) {
  findlr_request request;
  findlr_request_init(&request, sizeof request);
  bool reported = false;
  for (;;) {
    int32_t status = findlr_range_test_ask(test, &request, err);
    if (status == FINDLR_DONE)
      return FINDLR_OK;
    if (status)
      return status;
    findlr__control_word before = findlr__control_word_read();
    status = obey(test, t, &request, err);
    if (findlr__control_word_restore(before) && !reported && options->log) {
      static const char text[] = "the trainer left the floating-point control word changed; it was "
                                 "put back";
      reported = true;
      options->log(options->ud, FINDLR_LOG_MISBEHAVING, text, sizeof text - 1);
    }
    if (status)
      return status;
    if (options->progress && options->progress(options->ud, test) != 0)
      findlr_range_test_cancel(test);
  }
}

int32_t findlr_drive(findlr_range_test *test, const findlr_trainer *trainer,
                     const findlr_drive_options *options, findlr_error *err) {
  findlr_drive_options o;
  findlr_drive_options_init(&o, sizeof o);
  int32_t status = findlr__take(&o, sizeof o, options, FINDLR_SIZE_UP_TO(findlr_drive_options, ud),
                                "the drive options", err);
  if (status)
    return status;
  status = check_trainer(trainer, err);
  if (!status)
    status = check_fit(test, trainer, err);
  if (status)
    return status;
  if (findlr_range_test_reason(test) != FINDLR_REASON_RUNNING ||
      findlr_curve_count(findlr_range_test_curve(test)) > 0)
    findlr_range_test_reset(test);

  const findlr_trainer_vtable *v = trainer->vtable;
  status = v->save(trainer->self, 0);
  if (status) {
    findlr_range_test_fail(test);
    return failed(trainer, status, "save", err);
  }
  findlr_error cause = FINDLR_ERROR_INIT, on_return = FINDLR_ERROR_INIT;
  status = loop(test, trainer, &o, &cause);
  if (status)
    findlr_range_test_fail(test);

  /* The way back must not lose the sentence of what went wrong before; a trainer that is gone for good
   * has only that one. */
  int32_t returned = v->restore(trainer->self, 0);
  if (returned)
    returned = failed(trainer, returned, "restore", &on_return);
  if (returned && !status)
    return findlr__fail(err, returned, "the trainer could not be restored: %s", on_return.message);
  if (returned && strcmp(cause.message, on_return.message) != 0)
    return findlr__fail(err, status, "%s; nor could the trainer be restored: %s", cause.message,
                        on_return.message);
  if (status)
    return findlr__fail(err, status, "%s", cause.message);
  if (!status && findlr_range_test_reason(test) == FINDLR_REASON_CANCELLED)
    status = findlr__fail(err, FINDLR_ERR_CANCELLED, "the range test was cancelled at step %lld",
                          (long long)findlr_range_test_steps(test));
  if (!status && findlr_range_test_reason(test) == FINDLR_REASON_FAILED)
    status = findlr__fail(err, FINDLR_ERR_BACKEND,
                          "the trainer skipped too many steps in a row, at step %lld",
                          (long long)findlr_range_test_steps(test));
  return status;
}
