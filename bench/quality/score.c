/* SPDX-License-Identifier: MIT */
#include "score.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "rules.h"

static const double NEAR = 0.05, RUINED = 0.5;
static const double HALF_A_RUNG = 0.125; /* the best rate is known no better than the grid */

enum { EASY, HARD, ALL, PARTS };
static const char *const part_names[] = { "easy", "hard", "all" };

/* A task that can be scored. */
typedef struct subject {
  const task *task;
  const char *family;
  int hard;
  double regret[POLICIES][RATES]; /* 0 to 1 */
  double best[POLICIES];          /* log10 of the best rate of the grid */
  double floor[POLICIES];         /* regret of one seed's best rate on the other seeds */
  const sweeps *sweeps;
  features features[SWEEP_SEEDS];
} subject;

/* --- regret ---------------------------------------------------------------------------------- */

static double middle(const double x[3]) {
  return fmax(fmin(x[0], x[1]), fmin(fmax(x[0], x[1]), x[2]));
}

static int least(const double *x) {
  int best = 0;
  for (int i = 1; i < RATES; i++)
    if (x[i] < x[best])
      best = i;
  return best;
}

/* The values of the grid's rates as regrets: nothing is worse than not to train. */
static int to_regrets(double *x, double initial) {
  int best = least(x);
  double least_loss = x[best], gain = initial - least_loss;
  for (int i = 0; i < RATES; i++)
    x[i] = x[i] < initial ? (x[i] - least_loss) / gain : 1;
  return best;
}

/* 0 if training gains nothing worth while at any rate. */
static int subject_open(const task *t, const oracle *o, const sweeps *w, subject *s) {
  *s = (subject){ .task = t, .family = data_family(t->data), .hard = task_is_hard(t), .sweeps = w };
  double initial = middle(o->initial);
  for (int policy = 0; policy < POLICIES; policy++) {
    double *regret = s->regret[policy];
    for (int k = 0; k < RATES; k++) {
      double seeds[3] = { o->best[policy][0][k], o->best[policy][1][k], o->best[policy][2][k] };
      regret[k] = middle(seeds);
    }
    int best = least(regret);
    if (!(initial - regret[best] > 0.02 * fabs(initial)))
      return 0;
    s->best[policy] = grid_log10(best);
    to_regrets(regret, initial);

    for (int seed = 0; seed < ORACLE_SEEDS; seed++) {
      double others[RATES];
      int a = (seed + 1) % 3, b = (seed + 2) % 3;
      for (int k = 0; k < RATES; k++)
        others[k] = (o->best[policy][a][k] + o->best[policy][b][k]) / 2;
      to_regrets(others, (o->initial[a] + o->initial[b]) / 2);
      s->floor[policy] += others[least(o->best[policy][seed])] / ORACLE_SEEDS;
    }
  }
  double l[SWEEP_STEPS];
  for (int i = 0; i < SWEEP_STEPS; i++)
    l[i] = sweep_log10(i);
  for (int seed = 0; seed < SWEEP_SEEDS; seed++)
    s->features[seed] = features_of(l, w->loss[seed], SWEEP_STEPS);
  return 1;
}

static double regret(const subject *s, int policy, double log10_rate) {
  if (isnan(log10_rate))
    return 1;
  double at = (log10_rate - grid_log10(0)) / (grid_log10(1) - grid_log10(0));
  at = fmin(fmax(at, 0), RATES - 1);
  int i = at < RATES - 1 ? (int)at : RATES - 2;
  double part = at - i;
  return s->regret[policy][i] * (1 - part) + s->regret[policy][i + 1] * part;
}

/* --- figures --------------------------------------------------------------------------------- */

/* Sums over sweeps; a task counts as one, however many sweeps it has. */
typedef struct tally {
  double weight, sum[POLICIES], near[POLICIES], ruined[POLICIES];
} tally;

static void tally_add(tally *t, const subject *s, const double rate[POLICIES]) {
  t->weight += 1.0 / SWEEP_SEEDS;
  for (int policy = 0; policy < POLICIES; policy++) {
    double r = regret(s, policy, rate[policy]);
    t->sum[policy] += r / SWEEP_SEEDS;
    t->near[policy] += (r <= NEAR) / (double)SWEEP_SEEDS;
    t->ruined[policy] += (r > RUINED) / (double)SWEEP_SEEDS;
  }
}

static void tally_print(const tally *t, FILE *json) {
  double n = fmax(t->weight, 1e-9);
  printf(" %.3f %.3f %.3f | %3.0f %3.0f %3.0f | %4.1f %4.1f %4.1f |", t->sum[0] / n, t->sum[1] / n,
         t->sum[2] / n, 100 * t->near[0] / n, 100 * t->near[1] / n, 100 * t->near[2] / n,
         100 * t->ruined[0] / n, 100 * t->ruined[1] / n, 100 * t->ruined[2] / n);
  static const char *const names[] = { "mean", "within_0.05", "ruined" };
  const double *const figures[] = { t->sum, t->near, t->ruined };
  fprintf(json, "{\"weight\": %.4g", t->weight);
  for (int k = 0; k < 3; k++)
    fprintf(json, ", \"%s\": [%.5f, %.5f, %.5f]", names[k], figures[k][0] / n, figures[k][1] / n,
            figures[k][2] / n);
  fprintf(json, "}");
}

static int belongs(const subject *s, int part) {
  return part == ALL || s->hard == (part == HARD);
}

/* --- constants fitted without the data set that they are used on ------------------------------ */

/* Least mean regret of a single number, searched from coarse to fine; others fixed. */
typedef double objective(void *ud);

static double search(double *x, double from, double to, objective *f, void *ud) {
  double best_x = *x, best = f(ud), width = (to - from) / 12;
  for (int round = 0; round < 2; round++) {
    double centre = best_x, a = round ? centre - width : from, b = round ? centre + width : to;
    for (int k = 0; k <= 12; k++) {
      *x = a + (b - a) * k / 12;
      double value = f(ud);
      if (value < best - 1e-9) {
        best = value;
        best_x = *x;
      }
    }
  }
  *x = best_x;
  return best;
}

typedef struct fit {
  const subject *subjects;
  int count;
  const char *left_out;
  int part;
  const answer *answers; /* [count][SWEEP_SEEDS]; NULL: the candidate's */
  constants constants;   /* of the candidate; for others policy[] is the shift */
  int policy;            /* -1: all */
} fit;

static double rate_of(const fit *f, int i, int seed, int policy) {
  if (!f->answers)
    return candidate_rate(&f->subjects[i].features[seed], &f->constants, policy);
  return f->answers[i * SWEEP_SEEDS + seed].rate[policy] + f->constants.policy[policy];
}

static double mean_regret(void *ud) {
  const fit *f = ud;
  double sum = 0;
  for (int i = 0; i < f->count; i++) {
    const subject *s = &f->subjects[i];
    if (!belongs(s, f->part) || !strcmp(s->family, f->left_out))
      continue;
    for (int policy = 0; policy < POLICIES; policy++)
      if (f->policy < 0 || f->policy == policy)
        for (int seed = 0; seed < SWEEP_SEEDS; seed++)
          sum += regret(s, policy, rate_of(f, i, seed, policy));
  }
  return sum;
}

/* part: the tasks that it is fitted to. */
static void refit(fit *f) {
  constants *c = &f->constants;
  *c = candidate_constants;
  if (f->answers)
    memset(c->policy, 0, sizeof c->policy);
  for (int round = 0; round < (f->answers ? 1 : 2); round++) {
    f->policy = -1;
    if (!f->answers) {
      search(&c->c50_share, 0, 1, mean_regret, f);
      search(&c->hard_shift, -2, 0, mean_regret, f);
      search(&c->no_z, 0, 6, mean_regret, f);
      search(&c->half_z, 1, 25, mean_regret, f);
    }
    for (f->policy = 0; f->policy < POLICIES; f->policy++)
      search(&c->policy[f->policy], f->answers ? -2.4 : -.6, f->answers ? 2.4 : .6, mean_regret, f);
  }
}

/* Adds to the tallies of both parts what the rule gets with constants that were fitted, for each
 * family, to the tasks of all others. */
static void leave_one_out(fit *f, tally tallies[PARTS]) {
  for (int i = 0; i < f->count; i++) {
    const subject *s = &f->subjects[i];
    int seen = 0;
    for (int j = 0; j < i; j++)
      seen |= !strcmp(f->subjects[j].family, s->family);
    if (seen)
      continue;
    f->left_out = s->family;
    f->part = ALL;
    refit(f);
    for (int j = i; j < f->count; j++) {
      const subject *held_out = &f->subjects[j];
      if (strcmp(held_out->family, s->family))
        continue;
      for (int seed = 0; seed < SWEEP_SEEDS; seed++) {
        double rate[POLICIES];
        for (int policy = 0; policy < POLICIES; policy++)
          rate[policy] = rate_of(f, j, seed, policy);
        tally_add(&tallies[held_out->hard ? HARD : EASY], held_out, rate);
        tally_add(&tallies[ALL], held_out, rate);
      }
    }
  }
}

/* --- the table ------------------------------------------------------------------------------- */

static void print_head(const char *what, const subject *subjects, int count) {
  int tasks[PARTS] = { 0 };
  for (int i = 0; i < count; i++) {
    tasks[subjects[i].hard ? HARD : EASY]++;
    tasks[ALL]++;
  }
  printf("\n%-27s", what);
  for (int part = 0; part < ALL; part++)
    printf("| %s tasks: %-43d", part_names[part], tasks[part]);
  printf("\n%-27s", "");
  for (int part = 0; part < ALL; part++)
    printf("| mean regret c/d/o | <= .05, %%   | > .5, %%        ");
  printf("\n");
}

/* moves: see moves(); NaN: not known. */
static void print_row(const char *name, const tally tallies[PARTS], double moves, FILE *json) {
  printf("%-27s|", name);
  fprintf(json, "{\"rule\": \"%s\"", name);
  for (int part = 0; part < PARTS; part++) {
    fprintf(json, ", \"%s\": ", part_names[part]);
    if (part < ALL) {
      tally_print(&tallies[part], json);
    } else { /* into the file only */
      const tally *t = &tallies[part];
      double n = fmax(t->weight, 1e-9);
      fprintf(json, "{\"weight\": %.4g, \"mean\": [%.4f, %.4f, %.4f]}", n, t->sum[0] / n,
              t->sum[1] / n, t->sum[2] / n);
    }
  }
  if (moves > 0) {
    printf(" x%.2f", moves);
    fprintf(json, ", \"moves\": %.3f", moves);
  }
  printf("\n");
  fprintf(json, "}");
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* By what factor the answer moves from one sweep of a task to the next: the median. */
static double moves(const answer *answers, int count) {
  double *steps = calloc((size_t)count * SWEEP_SEEDS, sizeof *steps);
  size_t n = 0;
  if (!steps)
    abort();
  for (int i = 0; i < count * SWEEP_SEEDS; i++) {
    double from = answers[i].rate[CONSTANT],
           to = (i + 1) % SWEEP_SEEDS ? answers[i + 1].rate[CONSTANT] : NAN;
    if (!isnan(from) && !isnan(to))
      steps[n++] = fabs(to - from);
  }
  qsort(steps, n, sizeof *steps, compare);
  double median = n ? pow(10, steps[n / 2]) : NAN;
  free(steps);
  return median;
}

/* What the rule says about its own answers: verdict, bounds. */
static void print_calibration(const rule *r, const subject *subjects, int count,
                              const answer *answers, FILE *json) {
  double *widths = calloc((size_t)count * SWEEP_SEEDS, sizeof *widths);
  if (!widths)
    abort();
  printf("%-27s|", r->name);
  fprintf(json, "{\"rule\": \"%s\"", r->name);
  for (int part = 0; part < ALL; part++) {
    tally good = { 0 }, rest = { 0 };
    double inside = 0, bounds = 0, to_high = 0, all = 0;
    size_t n = 0;
    for (int i = 0; i < count; i++)
      for (int seed = 0; seed < SWEEP_SEEDS && belongs(&subjects[i], part); seed++) {
        const answer *a = &answers[i * SWEEP_SEEDS + seed];
        all++;
        tally_add(a->good ? &good : &rest, &subjects[i], a->rate);
        if (isnan(a->low))
          continue;
        bounds++;
        double best = subjects[i].best[CONSTANT];
        inside += best >= a->low - HALF_A_RUNG && best <= a->high + HALF_A_RUNG;
        to_high += regret(&subjects[i], ONE_CYCLE, a->high);
        widths[n++] = a->high - a->low;
      }
    qsort(widths, n, sizeof *widths, compare);
    double g = fmax(good.weight, 1e-9), o = fmax(rest.weight, 1e-9);
    double width = n ? widths[n / 2] : NAN;
    printf(" %3.0f | %3.0f %3.0f %.3f %.3f | %3.0f %3.0f %.3f %.3f |",
           100 * good.weight * SWEEP_SEEDS / fmax(all, 1), 100 * good.near[0] / g,
           100 * good.near[1] / g, good.sum[0] / g, good.sum[1] / g, 100 * rest.near[0] / o,
           100 * rest.near[1] / o, rest.sum[0] / o, rest.sum[1] / o);
    fprintf(json,
            ", \"%s\": {\"good\": %.4f, \"good_within_0.05\": [%.4f, %.4f], \"good_mean\": [%.4f, "
            "%.4f], \"rest_within_0.05\": [%.4f, %.4f], \"rest_mean\": [%.4f, %.4f]",
            part_names[part], good.weight * SWEEP_SEEDS / fmax(all, 1), good.near[0] / g,
            good.near[1] / g, good.sum[0] / g, good.sum[1] / g, rest.near[0] / o, rest.near[1] / o,
            rest.sum[0] / o, rest.sum[1] / o);
    if (n) {
      printf(" %3.0f %.2f %.3f |", 100 * inside / bounds, width, to_high / bounds);
      fprintf(json,
              ", \"bounds_hold\": %.4f, \"bounds_decades\": %.3f, \"one_cycle_to_high\": %.4f",
              inside / bounds, width, to_high / bounds);
    } else {
      printf("   -    -     - |");
    }
    fprintf(json, "}");
  }
  printf("\n");
  fprintf(json, "}");
  free(widths);
}

static void print_floor(const subject *subjects, int count, FILE *json) {
  tally tallies[PARTS] = { 0 };
  for (int i = 0; i < count; i++)
    for (int part = 0; part < PARTS; part++)
      if (belongs(&subjects[i], part)) {
        tally *t = &tallies[part];
        t->weight++;
        for (int policy = 0; policy < POLICIES; policy++) {
          double r = subjects[i].floor[policy];
          t->sum[policy] += r;
          t->near[policy] += r <= NEAR;
          t->ruined[policy] += r > RUINED;
        }
      }
  print_row("best of a grid, one seed", tallies, NAN, json);
}

/* Whether the first rule's mean is the least among it and the peers. */
static int is_best(const rule *rules, int n, const tally (*tallies)[PARTS]) {
  for (int k = 1; k < n; k++)
    for (int part = 0; part < ALL && rules[k].kind == RULE_PEER; part++)
      for (int policy = 0; policy < POLICIES; policy++)
        if (tallies[k][part].sum[policy] <= tallies[0][part].sum[policy] &&
            tallies[k][part].weight > 0) {
          printf("%s is no worse than auto on %s tasks, %s\n", rules[k].name, part_names[part],
                 policy_name(policy));
          return 0;
        }
  return 1;
}

static void print_tables(const subject *subjects, int count, FILE *json, int *ret_best) {
  rule rules[MOST_RULES];
  int n = rules_list(rules);
  size_t each = (size_t)count * SWEEP_SEEDS;
  answer *answers = calloc((size_t)n * each, sizeof *answers);
  if (!answers)
    abort();
  print_head("rule", subjects, count);
  fprintf(json, ",\n \"rules\": [\n  ");
  tally all[MOST_RULES][PARTS] = { 0 };
  for (int k = 0; k < n; k++) {
    tally *tallies = all[k];
    for (int i = 0; i < count; i++)
      for (int seed = 0; seed < SWEEP_SEEDS; seed++) {
        answer *a = &answers[(size_t)k * each + (size_t)i * SWEEP_SEEDS + (size_t)seed];
        if (rule_ask(&rules[k], subjects[i].sweeps->loss[seed], &subjects[i].features[seed], a))
          abort();
        tally_add(&tallies[subjects[i].hard ? HARD : EASY], &subjects[i], a->rate);
        tally_add(&tallies[ALL], &subjects[i], a->rate);
      }
    print_row(rules[k].name, tallies, moves(&answers[(size_t)k * each], count), json);
    fprintf(json, ",\n  ");
  }
  print_floor(subjects, count, json);

  print_head("left out one data set", subjects, count);
  fprintf(json, "],\n \"fitted_to_other_data_sets\": [\n  ");
  for (int k = -1; k < n; k++) {
    tally tallies[PARTS] = { 0 };
    char name[64] = "candidate, refitted";
    fit f = { .subjects = subjects, .count = count };
    if (k >= 0 && rules[k].kind == RULE_CANDIDATE)
      break;
    if (k >= 0) {
      f.answers = answers + (size_t)k * each;
      snprintf(name, sizeof name, "%s, shifted", rules[k].name);
      if (rules[k].kind == RULE_ALWAYS && rules[k].log10_rate > -2.5)
        continue;
      if (rules[k].kind == RULE_ALWAYS)
        snprintf(name, sizeof name, "always the same rate");
    }
    leave_one_out(&f, tallies);
    if (k >= 0)
      fprintf(json, ",\n  ");
    print_row(name, tallies, NAN, json);
  }

  printf("\n%-27s| easy: good, %% | of them <= .05 and mean, c/d | of the rest | bounds hold %%, "
         "decades, "
         "one-cycle to high | hard: the same\n",
         "verdict and bounds");
  fprintf(json, "],\n \"verdicts\": [\n  ");
  int first = 1;
  for (int k = 0; k < n; k++)
    if (rules[k].kind != RULE_ALWAYS && rules[k].kind != RULE_PEER) {
      fprintf(json, "%s", first ? "" : ",\n  ");
      print_calibration(&rules[k], subjects, count, answers + (size_t)k * each, json);
      first = 0;
    }
  fprintf(json, "]");
  free(answers);
  *ret_best = is_best(rules, n, (const tally(*)[PARTS])all);
}

int score(const suite *s, const char *pattern, const char *name, int *ret_best) {
  subject *subjects = calloc(task_count(), sizeof *subjects);
  char part[4100];
  snprintf(part, sizeof part, "%.4090s.part", name);
  FILE *json = subjects ? fopen(part, "w") : NULL;
  if (!json) {
    fprintf(stderr, "quality: %s: %s\n", part, strerror(errno));
    free(subjects);
    return -1;
  }
  int count = 0, unknown = 0, hopeless = 0, families = 0;
  for (size_t i = 0; i < task_count(); i++) {
    char id[TASK_ID];
    task_id(task_at(i), id);
    if (fnmatch(pattern, id, 0))
      continue;
    if (!s->oracles[i].present || !s->sweeps[i].present) {
      unknown++;
      continue;
    }
    if (!subject_open(task_at(i), &s->oracles[i], &s->sweeps[i], &subjects[count])) {
      printf("%s: no rate gains anything worth while; left out\n", id);
      hopeless++;
      continue;
    }
    int seen = 0;
    for (int j = 0; j < count; j++)
      seen |= !strcmp(subjects[j].family, subjects[count].family);
    families += !seen;
    count++;
  }
  printf("%d tasks over %d families of data sets, %d sweeps each; %d not measured, %d left out.\n"
         "c/d/o: training at a constant rate, with linear decay, one-cycle.\n",
         count, families, SWEEP_SEEDS, unknown, hopeless);
  fprintf(
      json,
      "{\"tasks\": %d, \"families\": %d, \"sweeps\": %d, \"policies\": [\"%s\", \"%s\", \"%s\"]",
      count, families, SWEEP_SEEDS, policy_name(0), policy_name(1), policy_name(2));
  if (count)
    print_tables(subjects, count, json, ret_best);
  fprintf(json, "}\n");
  free(subjects);
  int failed = ferror(json) != 0;
  failed |= fclose(json) != 0;
  if (failed || rename(part, name) != 0) {
    fprintf(stderr, "quality: %s could not be written\n", name);
    return -1;
  }
  return 0;
}
