/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "arguments.h"
#include "message.h"
#include "picture.h"
#include "terminal.h"

static int32_t write_text(void *ud, const void *bytes, size_t size) {
  fwrite(bytes, 1, size, ud);
  return FINDLR_OK;
}

static int32_t draw(const record *r, FILE *to, findlr_error *err) {
  enum { WIDEST = 100, ROWS = 20 };
  char subtitle[PICTURE_TEXT];
  chart picture = picture_chart(r, NULL, subtitle);
  int columns = terminal_columns(to);
  uint32_t flags = (terminal_unicode() ? CHART_UNICODE : 0) | (terminal_color(to) ? CHART_COLOR : 0);
  return chart_text(&picture, (uint32_t)(columns < WIDEST ? columns : WIDEST), ROWS, flags, write_text,
                    to, err);
}

/* Why the test ended, where it was not at its end. */
static void tell_stop(const record *r, FILE *to) {
  char step[FINDLR_TEXT_SIZE], steps[FINDLR_TEXT_SIZE];
  int64_t asked = findlr_curve_requested(r->curve);
  if (!r->reason || strcmp(r->reason, "finished") == 0)
    return;
  fprintf(to, "Stopped after %s", counted(r->step, step));
  if (asked > 0)
    fprintf(to, " of %s", counted(asked, steps));
  fprintf(to, " steps: %s.\n", strcmp(r->reason, "not_finite") == 0 ? "the loss was not finite" : r->reason);
}

/* The rate of each parameter group, in the proportion in which they were tested. */
static void tell_groups(const record *r, FILE *to) {
  char rate[FINDLR_TEXT_SIZE];
  uint32_t groups = findlr_curve_groups(r->curve);
  for (uint32_t g = 0; groups > 1 && g < groups; g++) {
    double factor = findlr_curve_lr(r->curve, g)[0] / findlr_curve_lr(r->curve, 0)[0];
    fprintf(to, "  %s: %s\n", r->groups[g], chart_number(r->suggestion.lr * factor, 3, rate));
  }
}

int32_t report(const record *r, bool quiet, findlr_error *err) {
  const findlr_suggestion *s = &r->suggestion;
  bool found = isfinite(s->lr);
  char lr[FINDLR_TEXT_SIZE], low[FINDLR_TEXT_SIZE], high[FINDLR_TEXT_SIZE];
  FILE *to = output_text();
  if (quiet) {
    if (!found)
      complain("%s", s->message);
    else if (to != stderr)
      fprintf(to, "%s\n", number(s->lr, lr));
    return found ? FINDLR_OK : FINDLR_DONE;
  }
  int32_t status = draw(r, to, err);
  if (status != FINDLR_OK)
    return status;
  fputc('\n', to);
  tell_stop(r, to);
  const char *bold = terminal_color(to) ? "\033[1m" : "", *plain = *bold ? "\033[0m" : "";
  if (!found)
    fprintf(to, "%sNo learning rate suggested%s (%s, method %s).\n", bold, plain,
            findlr_verdict_name(s->verdict), s->method);
  else
    fprintf(to, "%sSuggested learning rate: %s%s; %s to %s for a cyclical schedule (method %s).\n", bold,
            chart_number(s->lr, 3, lr), plain, chart_number(s->low, 3, low),
            chart_number(s->high, 3, high), s->method);
  if (found)
    tell_groups(r, to);
  char sentence[sizeof s->message + 1];
  snprintf(sentence, sizeof sentence, "%s.", s->message);
  *sentence = (char)toupper((unsigned char)*sentence);
  wrap(to, sentence, 0, 0);
  return found ? FINDLR_OK : FINDLR_DONE;
}
