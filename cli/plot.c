/* SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "host.h"
#include "message.h"
#include "picture.h"
#include "report.h"
#include "suggest.h"

static int32_t plot(const arguments *args, findlr_context *context, findlr_error *err) {
  const char *format;
  output *picture = NULL;
  record r;
  int32_t status = picture_format(args->output, context, &format, err);
  if (status == FINDLR_OK)
    status = output_open(args->output, &picture, err);
  if (status == FINDLR_OK)
    status = suggest_file(args, context, &r, err);
  if (status != FINDLR_OK) {
    output_discard(picture);
    return status;
  }
  status = picture_write(&r, args->title, format, context, picture, err);
  if (status == FINDLR_OK && !args->quiet && !output_is_stdout(args->output))
    fprintf(output_text(), "%s\n", args->output);
  record_free(&r);
  return status;
}

int32_t plot_command(const arguments *args, findlr_error *err) {
  findlr_context *context;
  if (!args->output)
    return fail(err, FINDLR_ERR_ARGUMENT, "plot needs a file to draw: findlr plot %s -o curve.svg",
                args->files.at[0]);
  int32_t status = host_open(args, &context, err);
  if (status != FINDLR_OK)
    return status;
  status = plot(args, context, err);
  findlr_context_destroy(context);
  return status;
}
