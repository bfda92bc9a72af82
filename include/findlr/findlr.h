/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_H
#define FINDLR_H

/* libfindlr finds the learning rate at which a model should start training: the learning-rate range
 * test. This header includes all others; they are the manual. Read first:
 *
 *   range_test.h   your own training loop: ask for a rate, tell the loss, read the suggestion
 *   session.h      the library's loop: data, model, optimizer and loss by name
 *   isolate.h      the same in a program of its own, for backends that crash
 *   suggestion.h   what a finished curve says
 *   schedule.h     rates for the training that follows, and early_stopping.h when to end it
 *   plugin.h       writing a backend
 *
 * Ownership: who makes a thing destroys it; returned pointers belong to the object asked and live as
 * its header says. Threads: an object is used by one thread at a time, different objects by any.
 * Errors: error.h. Environment: the library reads FINDLR_PLUGIN_PATH (registry.h) and FINDLR_WORKER
 * (isolate.h) and nothing else, prints nothing, installs no signal handler, and does not depend on the
 * locale. Programs that a trainer `exec` is told to start are looked for in PATH and get the whole
 * environment, with FINDLR_SEED and FINDLR_THREADS in it. */

#include "context.h"
#include "curve.h"
#include "driver.h"
#include "early_stopping.h"
#include "error.h"
#include "isolate.h"
#include "memory.h"
#include "metric.h"
#include "range_test.h"
#include "registry.h"
#include "schedule.h"
#include "session.h"
#include "smoothing.h"
#include "spec.h"
#include "stop.h"
#include "suggestion.h"
#include "text.h"
#include "version.h"

#endif
