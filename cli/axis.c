/* SPDX-License-Identifier: MIT */
#include "axis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers beyond it count as infinite: differences of two that are not stay finite. */
#define HUGE_LOSS 1e300

bool chart_drawable(double value) {
  return fabs(value) < HUGE_LOSS; /* false for NaN */
}

bool chart_skipped(const chart *c, size_t i) {
  return c->skipped && (c->skipped[i] & FINDLR_POINT_SKIPPED);
}

const double *chart_line(const chart *c) {
  for (size_t i = 0; c->smoothed && i < c->n; i++)
    if (chart_drawable(c->smoothed[i]))
      return c->smoothed;
  return c->loss;
}

double chart_line_at(const chart *c, const axis *rates, double lr) {
  const double *line = chart_line(c);
  double before_x = NAN, before_y = NAN, x = axis_place(rates, lr);
  for (size_t i = 0; i < c->n; i++) {
    double here_x = axis_place(rates, c->lr[i]), here_y = line[i];
    if (chart_skipped(c, i))
      continue;
    if (here_x == x)
      return chart_drawable(here_y) ? here_y : NAN;
    if (before_x < x && x < here_x && chart_drawable(before_y) && chart_drawable(here_y))
      return before_y + (here_y - before_y) * (x - before_x) / (here_x - before_x);
    before_x = here_x;
    before_y = here_y;
  }
  return NAN;
}

/* Keeps what is between the places 0 and 1 in height; false if nothing is. */
static bool clip(piece *out) {
  double t0 = 0, t1 = 1, x = out->x0, y = out->y0, dx = out->x1 - x, dy = out->y1 - y;
  for (int edge = 0; edge <= 1; edge++) {
    double sign = edge ? 1 : -1, from = sign * (y - edge), to = sign * (y + dy - edge);
    if (from > 0 && to > 0)
      return false;
    if (from > 0)
      t0 = fmax(t0, (edge - y) / dy);
    else if (to > 0)
      t1 = fmin(t1, (edge - y) / dy);
  }
  if (t0 > 0) {
    out->x0 = x + t0 * dx;
    out->y0 = y + t0 * dy;
    out->joined = false;
  }
  if (t1 < 1) {
    out->leaves = dy > 0;
    out->x1 = x + t1 * dx;
    out->y1 = y + t1 * dy;
  }
  return true;
}

/* Lifts the pen. True with a piece if all it did since it was put down was one point. */
static bool pen_lift(pen *p, piece *out) {
  bool point = p->started && p->alone && p->y >= 0 && p->y <= 1;
  if (point)
    *out = (piece){ p->x, p->y, p->x, p->y, false, false };
  p->started = p->down = false;
  return point;
}

bool pen_move(pen *p, piece *out) {
  const chart *c = p->c;
  const double *line = p->line;
  while (p->next < c->n) {
    size_t i = p->next++;
    if (chart_skipped(c, i))
      continue;
    if (isnan(line[i]) || !chart_drawable(c->lr[i])) {
      if (pen_lift(p, out))
        return true;
      continue;
    }
    double x = axis_place(p->rates, c->lr[i]);
    double y = fmin(fmax(axis_place(p->losses, line[i]), -1e6), 1e6);
    if (p->down && fabs(x - p->x) + fabs(y - p->y) < 2e-4)
      continue; /* finer than anyone can see */
    *out = (piece){ p->x, p->y, x, y, p->down, false };
    bool drawn = p->started && clip(out);
    p->alone = !p->started;
    p->started = true;
    p->down = drawn && !(y < 0 || y > 1);
    p->x = x;
    p->y = y;
    if (drawn)
      return true;
  }
  return pen_lift(p, out);
}

/* --- numbers --------------------------------------------------------------------------------- */

char *chart_number(double value, int digits, char *buffer) {
  /* The shortest text has the digits and the exponent; round them there, in decimal. */
  char text[FINDLR_TEXT_SIZE], mantissa[FINDLR_TEXT_SIZE + 1] = "0";
  if (!isfinite(value))
    return strcpy(buffer, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
  findlr_text_format(fabs(value), text, sizeof text);
  int count = 0, power = -1; /* value = 0.d1d2... * 10^(power + 1) */
  bool point = false;
  const char *t = text;
  for (; *t && *t != 'e'; t++) {
    if (*t == '.') {
      point = true;
      continue;
    }
    if (count || *t != '0')
      mantissa[1 + count++] = *t;
    if (!point && count)
      power++;
    else if (point && !count)
      power--;
  }
  if (*t == 'e')
    power += atoi(t + 1);
  if (!count)
    return strcpy(buffer, "0");
  digits = digits < 1 ? 1 : digits > 17 ? 17 : digits;
  char *first = mantissa + 1; /* a 0 in front of it takes the carry */
  if (count > digits) {
    bool up = first[digits] >= '5';
    count = digits;
    for (int i = count - 1; up; i--) {
      up = first[i] == '9';
      first[i] = up ? '0' : (char)(first[i] + 1);
    }
    if (mantissa[0] != '0') {
      first = mantissa;
      power++;
    }
  }
  while (count > 1 && first[count - 1] == '0')
    count--;
  char *out = buffer;
  if (value < 0)
    *out++ = '-';
  if (power < -4 || power > 5) {
    *out++ = first[0];
    if (count > 1) {
      *out++ = '.';
      memcpy(out, first + 1, (size_t)count - 1);
      out += count - 1;
    }
    snprintf(out, 8, "e%c%02d", power < 0 ? '-' : '+', abs(power) % 1000);
    return buffer;
  }
  if (power < 0) {
    *out++ = '0';
    *out++ = '.';
    for (int i = -1; i > power; i--)
      *out++ = '0';
  }
  for (int i = 0; i < count || i <= power; i++) {
    if (i && i == power + 1)
      *out++ = '.';
    *out++ = i < count ? first[i] : '0';
  }
  *out = 0;
  return buffer;
}

/* --- axes ------------------------------------------------------------------------------------ */

static double to_axis(const axis *a, double value) {
  return a->log ? log10(value) : value;
}

double axis_place(const axis *a, double value) {
  double low = to_axis(a, a->low), high = to_axis(a, a->high);
  return (to_axis(a, value) - low) / (high - low);
}

double axis_value(const axis *a, double place) {
  double low = to_axis(a, a->low), high = to_axis(a, a->high);
  double value = low + (high - low) * place;
  return a->log ? pow(10, value) : value;
}

/* All of the values that can be drawn, with a little room in height; from 0 if they are all the same. */
static axis axis_of_all(const double *values, size_t n, double part) {
  axis a = { INFINITY, -INFINITY, false };
  for (size_t i = 0; i < n; i++)
    if (chart_drawable(values[i])) {
      a.low = fmin(a.low, values[i]);
      a.high = fmax(a.high, values[i]);
    }
  if (!(a.low <= a.high))
    return (axis){ 0, 1, false };
  double room = (a.high - a.low) * part, least = a.low;
  if (!(a.high - a.low > 1e-9 * fabs(a.high))) {
    a.low = fmin(a.low, 0);
    room = (fabs(a.high) > 1e-300 ? fabs(a.high) : 1) / 10;
  }
  a.high += room;
  a.low = least >= 0 ? fmax(a.low - room, 0) : a.low - room;
  return a;
}

axis axis_of_rates(const chart *c) {
  if (c->plain) {
    axis all = axis_of_all(c->lr, c->n, 0);
    all.high += all.low == 0 && all.high < 1; /* a single step */
    return all;
  }
  axis a = { INFINITY, -INFINITY, true };
  for (size_t i = 0; i <= c->n; i++) {
    double lr = i < c->n ? c->lr[i] : c->suggested;
    if (!chart_drawable(lr))
      continue;
    a.low = fmin(a.low, lr);
    a.high = fmax(a.high, lr);
  }
  if (!(a.low <= a.high))
    return (axis){ 1e-7, 10, true };
  a.log = a.low >= 1e-300;
  if (a.log) {
    double room = pow(a.high / a.low, 0.02);
    if (!(room < 1e20))
      room = 10;
    if (a.high / a.low < 1.0001)
      room = 3;
    a.low = fmax(a.low / room, 1e-305);
    a.high *= room;
  } else {
    double room = (a.high - a.low) * 0.02;
    if (!(room > 1e-9 * fabs(a.high)))
      room = fabs(a.high) > 1e-300 ? fabs(a.high) / 2 : 1;
    a.low -= room;
    a.high += room;
  }
  return a;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The quantile of the numbers among values[0..n) that can be drawn, sorted in room; NaN if none. */
static double quantile(const chart *c, const double *values, size_t n, double q, double *room) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++)
    if (chart_drawable(values[i]) && !chart_skipped(c, i))
      room[count++] = values[i];
  if (!count)
    return NAN;
  qsort(room, count, sizeof *room, ascending);
  return room[(size_t)(q * (double)(count - 1) + 0.5)];
}

bool axis_of_losses(const chart *c, axis *ret_axis) {
  if (c->plain) {
    *ret_axis = axis_of_all(c->loss, c->n, 0.06);
    return true;
  }
  axis a = { 0, 1, false };
  const double *line = chart_line(c);
  size_t lowest = c->n, count = 0;
  double most = -HUGE_LOSS;
  for (size_t i = 0; i < c->n; i++) {
    if (!chart_drawable(line[i]) || chart_skipped(c, i))
      continue;
    count++;
    most = fmax(most, line[i]);
    if (lowest == c->n || line[i] < line[lowest])
      lowest = i;
  }
  if (!count) {
    *ret_axis = a;
    return true;
  }
  double *room = malloc(c->n * sizeof *room);
  if (!room)
    return false;

  /* The fall, from the level at the beginning to the minimum. Where nothing falls, the spread
   * before anything explodes; of a handful of points, all. */
  size_t head = c->n / 10 + 1, before = lowest + 1;
  double low = line[lowest], bottom = low;
  double level = quantile(c, line, head < before ? head : before, 0.5, room);
  if (!(level > low))
    level = quantile(c, line, c->n, 0.25, room);
  if (count < 6)
    level = most;
  double fall = level - low, top = level, peak = -HUGE_LOSS;
  for (size_t i = 0; i < c->n; i++) {
    if (!chart_drawable(line[i]) || chart_skipped(c, i))
      continue;
    if (i < lowest)
      top = fmax(top, fmin(line[i], level + fall));
    else
      peak = fmax(peak, line[i]);
  }
  /* The scatter of the raw losses, but the line keeps a third of the height. */
  double noisy_top = quantile(c, c->loss, before, 0.98, room);
  double noisy_bottom = quantile(c, c->loss, c->n, 0.005, room);
  double limit = fall > 0 ? top - low : HUGE_LOSS;
  if (noisy_top > top)
    top = fmin(noisy_top, top + limit);
  if (noisy_bottom < bottom)
    bottom = fmax(noisy_bottom, bottom - limit);
  free(room);

  double height = top - bottom;
  if (!(height > 1e-9 * fabs(top)))
    height = top != 0 ? fabs(top) / 10 : 1;
  if (peak > top)
    top = peak <= top + 0.6 * height ? peak : top + 0.3 * height;
  a.low = bottom - 0.06 * height;
  a.high = top + 0.06 * height;
  if (bottom >= 0 && a.low < 0)
    a.low = 0;
  if (!(a.high > a.low))
    a.high = a.low + 1;
  *ret_axis = a;
  return true;
}

/* --- ticks ----------------------------------------------------------------------------------- */

/* Ticks at multiples of a step of 1, 2 or 5 times a power of ten. */
static size_t even_ticks(const axis *a, uint32_t wanted, tick *out) {
  double rough = (a->high - a->low) / wanted;
  int power = (int)floor(log10(rough));
  double unit = pow(10, power), ratio = rough / unit;
  int times = ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10;
  if (times == 10) {
    times = 1;
    power++;
    unit = pow(10, power);
  }
  double step = times * unit, first = ceil(a->low / step), last = floor(a->high / step);
  size_t n = 0;
  for (double k = first; k <= last && n < AXIS_TICKS && fabs(k) < 1e14; k++) {
    tick *t = &out[n++];
    *t = (tick){ .value = k * step };
    double largest = fmax(fabs(a->low), fabs(a->high));
    if (power >= -6 && largest < 1e6) {
      /* As many decimals as the step has, so that labels line up. */
      int decimals = power < 0 ? -power : 0;
      long long whole = llround(fabs(k) * times * (power > 0 ? unit : 1)), part = 0, ten = 1;
      for (int i = 0; i < decimals; i++)
        ten *= 10;
      part = whole % ten;
      int length = snprintf(t->label, sizeof t->label, "%s%lld", k < 0 ? "-" : "", whole / ten);
      if (decimals)
        snprintf(t->label + length, sizeof t->label - (size_t)length, ".%0*lld", decimals, part);
    } else {
      double digits = k ? floor(log10(fabs(k) * times) + 1e-9) + 1 : 1;
      chart_number(t->value, (int)digits, t->label);
    }
  }
  return n;
}

/* Ticks at powers of ten, every so many; those between are bare. */
static size_t decade_ticks(const axis *a, uint32_t wanted, tick *out) {
  int first = (int)floor(log10(a->low)), last = (int)floor(log10(a->high));
  int every = 1;
  while ((uint32_t)((last - first) / every) > wanted)
    every += every == 1 ? 1 : every == 2 ? 1 : every;
  size_t n = 0;
  for (int power = first; power <= last; power++) {
    for (int times = 1; times < 10; times++) {
      double value = times * pow(10, power);
      if (value < a->low || value > a->high || (times > 1 && last - first > 12) || n == AXIS_TICKS)
        continue;
      out[n] = (tick){ .value = value, .power = power };
      if (times == 1 && power % every == 0) {
        out[n].decade = true;
        chart_number(value, 1, out[n].label);
      }
      n++;
    }
  }
  return n;
}

/* Ticks at 1, 2 and 5 times powers of ten; the others are bare. */
static size_t half_decade_ticks(const axis *a, tick *out) {
  size_t n = 0;
  for (int power = (int)floor(log10(a->low)); power <= (int)floor(log10(a->high)); power++) {
    for (int times = 1; times < 10; times++) {
      double value = times * pow(10, power);
      if (value < a->low || value > a->high || n == AXIS_TICKS)
        continue;
      out[n] = (tick){ .value = value };
      if (times == 1 || times == 2 || times == 5)
        chart_number(value, 1, out[n].label);
      n++;
    }
  }
  return n;
}

size_t axis_ticks(const axis *a, uint32_t wanted, tick out[AXIS_TICKS]) {
  double ratio = a->high / a->low;
  if (!a->log || ratio < 8)
    return even_ticks(a, wanted, out);
  if (ratio < 300)
    return half_decade_ticks(a, out);
  return decade_ticks(a, wanted, out);
}
