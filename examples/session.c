/* SPDX-License-Identifier: MIT */
/* The library's own loop: data, model, optimizer and loss by name; the session is restored afterwards. */
#include <findlr/findlr.h>
#include <stdio.h>

static int fail(const findlr_error *err) {
  fprintf(stderr, "%s\n", err->message);
  return 1;
}

int main(void) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context;
  if (findlr_context_create(NULL, &context, &err) != FINDLR_OK)
    return fail(&err);

  findlr_session_options options;
  findlr_session_options_init(&options, sizeof options);
  options.data = "digits";
  options.model = "mlp:hidden=128";
  options.optimizer = "sgd:momentum=0.9";
  options.seed = 1;
  findlr_session *session;
  if (findlr_session_create(context, &options, &session, &err) != FINDLR_OK)
    return fail(&err);

  findlr_range_test_options ramp;
  findlr_range_test_options_init(&ramp, sizeof ramp);
  findlr_range_test *test;
  if (findlr_session_fit_options(session, &ramp, &err) != FINDLR_OK ||
      findlr_range_test_create(NULL, &ramp, &test, &err) != FINDLR_OK ||
      findlr_drive(test, findlr_session_trainer(session), NULL, &err) != FINDLR_OK)
    return fail(&err);

  findlr_suggestion found = FINDLR_SUGGESTION_INIT;
  if (findlr_range_test_suggest(test, NULL, &found, &err) != FINDLR_OK)
    return fail(&err);
  printf("%s after %lld steps\n", findlr_reason_name(findlr_range_test_reason(test)),
         (long long)findlr_range_test_steps(test));
  printf("learning rate %g, between %g and %g (%s)\n%s\n", found.lr, found.low, found.high,
         findlr_verdict_name(found.verdict), found.message);

  findlr_range_test_destroy(test);
  findlr_session_destroy(session);
  findlr_context_destroy(context);
  return 0;
}
