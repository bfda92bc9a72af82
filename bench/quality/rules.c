/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/peers.h"

double sweep_log10(int step) {
  double from = log10(SWEEP_START), to = log10(SWEEP_END);
  return from + (to - from) * step / (SWEEP_STEPS - 1);
}

int rules_list(rule rules[MOST_RULES]) {
  int n = 0;
  rules[n++] = (rule){ .name = "auto", .kind = RULE_AUTO };
  const findlr__peer *peer;
  for (uint32_t i = 0; (peer = findlr__peer_at(i)) != NULL && n < MOST_RULES - 5; i++) {
    rules[n] = (rule){ .kind = RULE_PEER, .peer = peer };
    snprintf(rules[n].name, sizeof rules[n].name, "%s", peer->name);
    n++;
  }
  static const double fixed[] = { -3, -2, -1 };
  for (int i = 0; i < 3; i++) {
    rule *r = &rules[n++];
    *r = (rule){ .kind = RULE_ALWAYS, .log10_rate = fixed[i] };
    snprintf(r->name, sizeof r->name, "always %g", pow(10, fixed[i]));
  }
  rules[n++] = (rule){ .name = "candidate, schedule known", .kind = RULE_CANDIDATE };
  rules[n++] = (rule){ .name = "candidate", .kind = RULE_CANDIDATE_UNKNOWN };
  return n;
}

static int ask_auto(const double *loss, answer *out) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_curve *curve;
  int32_t status = findlr_curve_create(NULL, 1, SWEEP_STEPS, &curve, &err);
  if (!status) {
    findlr_curve_set_requested(curve, SWEEP_STEPS);
    for (int i = 0; i < SWEEP_STEPS && !status; i++) {
      double rate = pow(10, sweep_log10(i));
      status = findlr_curve_append(curve, &rate, loss[i], loss[i], 0, &err);
    }
    findlr_suggestion s = FINDLR_SUGGESTION_INIT;
    if (!status)
      status = findlr_suggest(curve, NULL, &s, &err);
    findlr_curve_destroy(curve);
    for (int policy = 0; policy < POLICIES; policy++)
      out->rate[policy] = log10(s.lr);
    out->low = log10(s.low);
    out->high = log10(s.high);
    out->good = s.verdict == FINDLR_VERDICT_GOOD;
  }
  if (status)
    fprintf(stderr, "quality: auto: %s\n", err.message);
  return status ? -1 : 0;
}

static double ask_peer(const findlr__peer *peer, const double *loss) {
  double rate[SWEEP_STEPS], work[4 * SWEEP_STEPS];
  for (int i = 0; i < SWEEP_STEPS; i++)
    rate[i] = pow(10, sweep_log10(i));
  findlr__sweep sweep = { rate, loss, SWEEP_STEPS, SWEEP_STEPS, work };
  findlr__pick pick = peer->pick(&sweep);
  return pick.outcome == FINDLR__PICK_ROW ? log10(rate[pick.row] / pick.divisor) : NAN;
}

int rule_ask(const rule *r, const double loss[SWEEP_STEPS], const features *f, answer *out) {
  *out = (answer){ .low = NAN, .high = NAN, .good = -1 };
  if (r->kind == RULE_AUTO)
    return ask_auto(loss, out);
  double one = r->kind == RULE_PEER ? ask_peer(r->peer, loss) : r->log10_rate;
  for (int policy = 0; policy < POLICIES; policy++)
    out->rate[policy] = r->kind == RULE_CANDIDATE ? candidate_rate(f, &candidate_constants, policy)
                        : r->kind == RULE_CANDIDATE_UNKNOWN
                            ? candidate_rate(f, &candidate_constants, CONSTANT) + 0.05
                            : one;
  if (r->kind == RULE_CANDIDATE || r->kind == RULE_CANDIDATE_UNKNOWN)
    out->good = candidate_is_good(f);
  return 0;
}
