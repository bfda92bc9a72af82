/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_HOST_EXEC_H
#define FINDLR_HOST_EXEC_H

#include "findlr/component.h"

/* The trainer `exec`: a program of the user's that takes a step when it is asked to, by lines of text on
 * its standard input and output. docs/exec.md has the protocol. */
extern const findlr_component findlr__exec;

#endif
