/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_REPORT_H
#define FINDLR_CLI_REPORT_H

#include "record.h"

/* What people read at the end: the curve as text, why the test ended, the suggestion and what to do
 * next. quiet: the bare rate. FINDLR_OK if there is a rate, else FINDLR_DONE. */
int32_t report(const record *r, bool quiet, findlr_error *err);

#endif
