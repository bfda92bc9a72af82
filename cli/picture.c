/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "findlr/draw.h"
#include "message.h"

static const char *text_of(const cJSON *config, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(config, name);
  return cJSON_IsString(item) ? item->valuestring : "";
}

/* A number of the configuration, which stands there as raw text. */
static const char *number_text(const cJSON *config, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(config, name);
  return cJSON_IsRaw(item) ? item->valuestring : "";
}

chart picture_chart(const record *r, const char *title, char subtitle[PICTURE_TEXT]) {
  const char *optimizer = text_of(r->config, "optimizer"), *loss = text_of(r->config, "loss");
  const char *batch = number_text(r->config, "batch_size");
  const char *steps = number_text(r->config, "num_iter");
  if (*optimizer && *loss && *batch && *steps)
    snprintf(subtitle, PICTURE_TEXT, "%.*s, %.*s, batch %s, %s steps", (int)strcspn(optimizer, ":"),
             optimizer, (int)strcspn(loss, ":"), loss, batch, steps);
  else if (*batch && *steps) /* a model that trains by itself */
    snprintf(subtitle, PICTURE_TEXT, "batch %s, %s steps", batch, steps);
  else if (*steps) /* a trainer that chooses its batches itself */
    snprintf(subtitle, PICTURE_TEXT, "%s steps", steps);
  else
    *subtitle = 0;
  return (chart){
    .n = findlr_curve_count(r->curve),
    .lr = findlr_curve_lr(r->curve, 0),
    .loss = findlr_curve_loss(r->curve),
    .smoothed = r->smoothing.kind == FINDLR_SMOOTHING_NONE ? NULL : r->smoothed,
    .skipped = findlr_curve_flags(r->curve),
    .suggested = r->suggestion.lr,
    .low = r->suggestion.low,
    .high = r->suggestion.high,
    .title = title ? title : text_of(r->config, "title"),
    .subtitle = subtitle,
    .y_label = r->validation ? "validation loss" : NULL,
    .note = r->suggestion.message,
  };
}

int32_t picture_format(const char *path, findlr_context *context, const char **ret_format,
                       findlr_error *err) {
  static const char *const formats[] = { "svg", "png", "pdf" };
  const char *dot = strrchr(path, '.');
  const char *ending = output_is_stdout(path) ? "svg" : dot ? dot + 1 : "";
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (strcasecmp(ending, formats[i]) == 0) {
      const void *render;
      *ret_format = formats[i];
      if (i == 0)
        return FINDLR_OK;
      return as_failure(
          findlr_plugin_extension(context, "cairo", FINDLR_EXT_RENDER, &render, err), err);
    }
  return fail(err, FINDLR_ERR_ARGUMENT, "cannot draw %s: its name must end in .svg, .png or .pdf",
              path);
}

int32_t picture_write(const record *r, const char *title, const char *format, findlr_context *context,
                      output *to, findlr_error *err) {
  char subtitle[PICTURE_TEXT];
  chart picture = picture_chart(r, title, subtitle);
  int32_t status = chart_write(&picture, format, context, output_write, to, err);
  if (status == FINDLR_OK)
    return output_close(to, err);
  output_discard(to);
  return as_failure(status, err);
}
