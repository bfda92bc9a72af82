/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_SUGGEST_H
#define FINDLR_CLI_SUGGEST_H

#include "arguments.h"
#include "record.h"

/* Reads the file of a command and concludes, as --method, --num-iter and --smoothing say. */
int32_t suggest_file(const arguments *args, findlr_context *context, record *r, findlr_error *err);

#endif
