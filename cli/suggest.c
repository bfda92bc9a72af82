/* SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "host.h"
#include "message.h"
#include "record.h"
#include "report.h"
#include "suggest.h"

/* The method that a file of ours was read by. */
static const char *recorded_method(const record *r) {
  const cJSON *method = cJSON_GetObjectItemCaseSensitive(r->config, "method");
  bool known = cJSON_IsString(method) && findlr_suggestion_method_help(method->valuestring);
  return known ? method->valuestring : NULL;
}

int32_t suggest_file(const arguments *args, findlr_context *context, record *r, findlr_error *err) {
  int32_t status = check_method(args->method, err);
  if (status != FINDLR_OK)
    return status;
  findlr_smoothing smoothing;
  findlr_smoothing_init(&smoothing, sizeof smoothing);
  status = as_usage(findlr_smoothing_parse(context, args->smoothing, &smoothing, err), err);
  if (status == FINDLR_OK)
    status = record_read(args->files.at[0], r, err);
  if (status != FINDLR_OK)
    return status;
  r->smoothing = smoothing;
  if (args->num_iter)
    findlr_curve_set_requested(r->owned, args->num_iter);
  status = record_conclude(r, args->method ? args->method : recorded_method(r), err);
  if (status != FINDLR_OK)
    record_free(r);
  return as_failure(status, err);
}

int32_t suggest_command(const arguments *args, findlr_error *err) {
  findlr_context *context;
  record r;
  output *json = NULL;
  int32_t status = host_open(args, &context, err);
  if (status != FINDLR_OK)
    return status;
  if (args->json)
    status = output_open(args->json, &json, err);
  if (status == FINDLR_OK)
    status = suggest_file(args, context, &r, err);
  if (status == FINDLR_OK) {
    if (json) {
      record_write_json(&r, json);
      status = output_close(json, err);
      json = NULL;
    }
    if (status == FINDLR_OK)
      status = report(&r, args->quiet, err);
    record_free(&r);
  }
  output_discard(json);
  findlr_context_destroy(context);
  return status;
}
