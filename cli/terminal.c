/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "chart.h"

bool terminal_capable(FILE *stream) {
  const char *term = getenv("TERM");
  return stream && isatty(fileno(stream)) && term && *term && strcmp(term, "dumb") != 0;
}

bool terminal_color(FILE *stream) {
  const char *no_color = getenv("NO_COLOR");
  return terminal_capable(stream) && !(no_color && *no_color);
}

bool terminal_unicode(void) {
  /* A locale object of our own: the process stays in the C locale, where numbers have a point. */
  locale_t user = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (!user)
    return false;
  bool unicode = strcmp(nl_langinfo_l(CODESET, user), "UTF-8") == 0;
  freelocale(user);
  return unicode;
}

int terminal_columns(FILE *stream) {
  struct winsize size;
  if (stream && isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0)
    return size.ws_col;
  return 80;
}

static struct {
  bool wanted, shown;
  int columns;
  struct timespec last;
} bar;

void progress_begin(bool wanted) {
  bar.wanted = wanted && terminal_capable(stderr);
  bar.shown = false;
  bar.columns = terminal_columns(stderr);
  bar.last = (struct timespec){ 0, 0 };
}

void progress_show(int64_t step, int64_t steps, double lr, double loss) {
  enum { LONGEST_BAR = 40, NUMBERS = 44 };
  if (!bar.wanted || steps <= 0)
    return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double passed = (double)(now.tv_sec - bar.last.tv_sec) + 1e-9 * (double)(now.tv_nsec - bar.last.tv_nsec);
  if (bar.last.tv_sec != 0 && passed < 0.05)
    return;
  bar.last = now;
  char a[FINDLR_TEXT_SIZE], b[FINDLR_TEXT_SIZE], cells[LONGEST_BAR + 1];
  int room = bar.columns - NUMBERS, width = room < LONGEST_BAR ? room : LONGEST_BAR;
  if (width < 0)
    width = 0;
  int full = (int)((double)width * (double)step / (double)steps);
  memset(cells, ' ', sizeof cells);
  memset(cells, '=', (size_t)(full < width ? full : width));
  char line[160];
  snprintf(line, sizeof line, "%lld/%lld [%.*s] lr %s loss %s", (long long)step, (long long)steps,
           width, cells, chart_number(lr, 3, a), chart_number(loss, 3, b));
  fprintf(stderr, "\r\033[K%.*s", bar.columns > 1 ? bar.columns - 1 : 0, line);
  bar.shown = true;
}

void progress_clear(void) {
  if (bar.shown)
    fputs("\r\033[K", stderr);
  bar.shown = false;
}

void progress_end(void) {
  progress_clear();
  bar.wanted = false;
}
