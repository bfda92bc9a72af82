/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_PLUGINS_DARKNET_MANNERS_H
#define FINDLR_PLUGINS_DARKNET_MANNERS_H

#include <locale.h>

#include "findlr/plugin.h"

/* darknet draws from rand(), prints, and reads numbers by the locale. Between manners_begin and manners_end
 * it finds what it wants, and the process is afterwards as it was: rand() goes on where it stood, nothing
 * was printed, the thread has its locale. One thread at a time; others wait in manners_begin. */

enum { MANNERS_RANDOM_SIZE = 256 };

/* The generator behind rand(): bytes without addresses in them, to be kept, copied and brought back. */
typedef struct manners_random {
  int32_t state[MANNERS_RANDOM_SIZE / sizeof(int32_t)];
} manners_random;

void manners_seed(manners_random *random, uint64_t seed);

typedef struct manners {
  char *host_random;
  locale_t own_locale, host_locale;
  int out, err, printed; /* -1: not redirected */
} manners;

/* random: what rand() draws from. output: what happens to what is printed. */
enum {
  MANNERS_SILENT, /* nothing is printed here: look at nothing, which takes no time */
  MANNERS_CATCH,  /* it is kept for the log */
  MANNERS_LET_OUT /* all of it to standard error */
};
void manners_begin(manners *m, manners_random *random, int output);
/* Hands what was printed to the host's log, line by line. */
void manners_end(manners *m, const findlr_host *host, void *ctx);

/* A new file without a name, in TMPDIR or /tmp, or -1. */
int manners_file(void);

#endif
