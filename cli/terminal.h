/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_CLI_TERMINAL_H
#define FINDLR_CLI_TERMINAL_H

/* What a terminal can do, and the progress bar on standard error. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Is there a terminal that takes control sequences? */
bool terminal_capable(FILE *stream);

/* May it be coloured? A capable terminal, and NO_COLOR not set (no-color.org). */
bool terminal_color(FILE *stream);

/* Does the user's locale write UTF-8? */
bool terminal_unicode(void);

/* Width in characters; 80 where there is no terminal. */
int terminal_columns(FILE *stream);

/* The bar. It is drawn only if standard error is a capable terminal and begun with wanted = true, at
 * most some twenty times a second, and leaves no trace behind. */
void progress_begin(bool wanted);
void progress_show(int64_t step, int64_t steps, double lr, double loss);
void progress_clear(void); /* takes it off the screen until the next show */
void progress_end(void);

#endif
