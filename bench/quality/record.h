/* SPDX-License-Identifier: MIT */
#ifndef QUALITY_RECORD_H
#define QUALITY_RECORD_H

#include "protocol.h"

/* Measurements as text: a file a task while they are made, all tasks in one gzip file where they
 * stay. */

/* Everything that is known, a row a task. */
typedef struct suite {
  oracle *oracles;
  sweeps *sweeps;
} suite;

suite suite_new(void);
void suite_free(suite *s);

/* Writes one task's measurement as DIRECTORY/ID.oracle or ID.sweeps, whole or not at all; 0 or -1.
 */
int record_oracle(const char *directory, const task *t, const oracle *o);
int record_sweeps(const char *directory, const task *t, const sweeps *s);
/* Whether that file is there. kind: "oracle" or "sweeps". */
int record_exists(const char *directory, const task *t, const char *kind);

/* Reads a file of either kind, packed or not, into the suite. The number of tasks read, or -1 with
 * a sentence on stderr (not for a file that is not there: 0). Tasks that the table has no more are
 * left out. */
int record_read(const char *file, suite *s);

/* Puts DIRECTORY/ID.KIND of every task in the table's order into one gzip file; the number, or -1.
 */
int record_pack(const char *directory, const char *kind, const char *file);

#endif
