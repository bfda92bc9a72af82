/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_HOST_H
#define FINDLR_CLI_HOST_H

#include "arguments.h"
#include "findlr/findlr.h"

/* A context as --plugin, --plugin-path and --quiet ask for it. args must outlive it. */
int32_t host_open(const arguments *args, findlr_context **ret_context, findlr_error *err);

#endif
