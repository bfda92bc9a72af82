/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

typedef struct fixture {
  test_allocator allocator;
  findlr_context *context;
  char log[4096];
  size_t lines;
} fixture;

static void keep(void *ud, int32_t level, const char *text, size_t len) {
  fixture *f = ud;
  (void)level;
  f->lines++;
  if (strlen(f->log) + len + 2 < sizeof f->log)
    strcat(strcat(f->log, text), "\n");
}

static void fixture_init(fixture *f) {
  ERR;
  memset(f, 0, sizeof *f);
  test_allocator_init(&f->allocator);
  findlr_context_options o;
  findlr_context_options_init(&o, sizeof o);
  o.allocator = &f->allocator.allocator;
  o.log = keep;
  o.log_ud = f;
  ck_ok(findlr_context_create(&o, &f->context, &err));
}

/* Nothing is left: no memory, and no process, ended or not. */
static void fixture_done(fixture *f) {
  findlr_context_destroy(f->context);
  test_allocator_check(&f->allocator);
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
}

static char *put_quoted(char *to, const char *text) {
  *to++ = '"';
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      *to++ = '\\';
    *to++ = *text;
  }
  *to++ = '"';
  *to = 0;
  return to;
}

/* A spec for a script of the shell. */
static const char *shell(const char *script, const char *more, char spec[4096]) {
  char command[2048] = "sh -c ";
  put_quoted(command + strlen(command), script);
  strcpy(spec, "exec:command=");
  strcpy(put_quoted(spec + strlen(spec), command), more);
  return spec;
}

#define HELLO "echo findlr 1 groups=1 slots=4 validate=1; "
/* Says hello and then does `act` for each step. */
#define STEPS(act)                                                                                 \
  HELLO "n=0; while read a b; do case $a in step) n=$((n+1)); " act ";; evaluate) echo findlr loss 7;; " \
        "stop) exit;; *) echo findlr ok;; esac; done"

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the same curve as in C ------------------------------------------------------------------- */

static findlr_range_test *make_test(int64_t num_iter, uint32_t groups, uint32_t follow) {
  ERR;
  static const double start[] = { 1e-4, 3e-5 }, end[] = { 1.3, 0.7 };
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.num_iter = num_iter;
  o.groups = groups;
  o.group_start = groups > 1 ? start : NULL;
  o.group_end = groups > 1 ? end : NULL;
  o.follow = follow;
  findlr_range_test *test = NULL;
  ck_ok(findlr_range_test_create(NULL, &o, &test, &err));
  return test;
}

/* What tests/exec/quadratic.py does. */
static void train_in_c(findlr_range_test *test) {
  ERR;
  double w[] = { 4, -3 }, v[] = { 0, 0 };
  findlr_request request;
  findlr_request_init(&request, sizeof request);
  int count = 0;
  double loss = 0;
  while (findlr_range_test_ask(test, &request, &err) == FINDLR_OK) {
    if (request.action == FINDLR_ACTION_STEP) {
      if (++count == 5) {
        ck_ok(findlr_range_test_skip(test, &err));
        continue;
      }
      loss = 0.5 * (w[0] - 1) * (w[0] - 1) + 2.5 * (w[1] + 0.25) * (w[1] + 0.25);
      const double gradient[] = { w[0] - 1, 5 * (w[1] + 0.25) };
      for (int i = 0; i < 2; i++) {
        v[i] = 0.5 * v[i] + gradient[i];
        w[i] -= request.rates[i] * v[i];
      }
    } else {
      loss = 0.5 * (w[0] - 1) * (w[0] - 1) + 2.5 * (w[1] + 0.25) * (w[1] + 0.25);
    }
    ck_ok(findlr_range_test_tell(test, loss, &err));
  }
}

static void ck_same_curve(const findlr_curve *a, const findlr_curve *b) {
  size_t n = findlr_curve_count(a);
  ck_assert_uint_gt(n, 10);
  ck_assert_uint_eq(n, findlr_curve_count(b));
  for (uint32_t g = 0; g < 2; g++)
    ck_assert_mem_eq(findlr_curve_lr(a, g), findlr_curve_lr(b, g), n * sizeof(double));
  for (size_t i = 0; i < n; i++) {
    ck_assert_int_eq(findlr_curve_flags(a)[i], findlr_curve_flags(b)[i]);
    if (!(findlr_curve_flags(a)[i] & FINDLR_POINT_SKIPPED))
      ck_assert_mem_eq(findlr_curve_loss(a) + i, findlr_curve_loss(b) + i, sizeof(double));
  }
}

static const char *const quadratic =
    "exec:command=\"python3 " TEST_SOURCE "/tests/exec/quadratic.py " TEST_SOURCE "/examples/exec\"";

START_TEST(the_curve_of_the_same_training_in_c) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr_trainer trainer;
  ck_ok(findlr_trainer_create(f.context, quadratic, 1, 0, &trainer, &err));
  findlr_trainer_info info = { .struct_size = sizeof info };
  ck_ok(findlr_trainer_describe(&trainer, &info, &err));
  ck_assert_uint_eq(info.group_count, 2);
  ck_assert_uint_eq(info.slot_count, 4);
  ck_assert_uint_eq(info.can_evaluate, 1);
  ck_assert_ptr_nonnull(strstr(info.about, "quadratic.py"));
  for (uint32_t follow = 0; follow < 2; follow++) {
    findlr_range_test *expected = make_test(60, 2, follow), *test = make_test(60, 2, follow);
    train_in_c(expected);
    ck_ok(findlr_drive(test, &trainer, NULL, &err));
    ck_same_curve(findlr_range_test_curve(test), findlr_range_test_curve(expected));
    /* Restored: a second run is the same. */
    ck_ok(findlr_drive(test, &trainer, NULL, &err));
    ck_same_curve(findlr_range_test_curve(test), findlr_range_test_curve(expected));
    findlr_range_test_destroy(test);
    findlr_range_test_destroy(expected);
  }
  ck_assert_ptr_nonnull(strstr(f.log, "step 1\n"));
  findlr_trainer_destroy(&trainer);
  fixture_done(&f);
}
END_TEST

START_TEST(slots_of_the_script) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, quadratic, 1, 0, &t, &err));
  const double rates[] = { 0.1, 0.05 };
  double a, b, c, held_out;
  ck_assert_int_eq(t.vtable->restore(t.self, 2), FINDLR_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(t.message(t.message_ud), "nothing was saved in slot 2"));
  ck_assert_int_eq(t.vtable->save(t.self, 4), FINDLR_ERR_LIMIT);
  ck_assert_ptr_nonnull(strstr(t.message(t.message_ud), "has 4 slots"));
  ck_assert_int_eq(t.vtable->save(t.self, 0), FINDLR_OK);
  ck_assert_int_eq(t.vtable->step(t.self, rates, 2, &a), FINDLR_OK);
  ck_assert_int_eq(t.vtable->save(t.self, 3), FINDLR_OK);
  ck_assert_int_eq(t.vtable->step(t.self, rates, 1, &b), FINDLR_OK);
  ck_assert_int_eq(t.vtable->restore(t.self, 3), FINDLR_OK);
  ck_assert_int_eq(t.vtable->evaluate(t.self, &held_out), FINDLR_OK);
  ck_assert_double_eq(held_out, b);
  ck_assert_int_eq(t.vtable->restore(t.self, 0), FINDLR_OK);
  ck_assert_int_eq(t.vtable->step(t.self, rates, 2, &c), FINDLR_OK);
  ck_assert_double_eq(a, c);
  ck_assert_int_eq(t.vtable->step(t.self, rates, 3, &c), FINDLR_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(t.message(t.message_ud), "2 parameter groups, but was given 3 rates"));
  findlr_trainer_destroy(&t);
  fixture_done(&f);
}
END_TEST

/* --- what the protocol says -------------------------------------------------------------------- */

START_TEST(rates_are_written_so_that_they_read_back_equal) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, shell(STEPS("echo findlr loss $b"), "", spec), 1, 0, &t, &err));
  static const double rates[] = { 0.1, 1e-7, 1.0 / 3, 5e-324, 1.7976931348623157e308, 12345678 };
  for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
    double loss = 0;
    ck_assert_int_eq(t.vtable->step(t.self, &rates[i], 1, &loss), FINDLR_OK);
    ck_assert_mem_eq(&loss, &rates[i], sizeof loss);
  }
  findlr_trainer_destroy(&t);
  fixture_done(&f);
}
END_TEST

START_TEST(losses_may_be_anything) {
  ERR;
  fixture f;
  fixture_init(&f);
  static const struct {
    const char *text;
    double value;
  } cases[] = { { "nan", NAN }, { "NaN", NAN }, { "inf", INFINITY }, { "-Inf", -INFINITY },
                { "-1.5e3", -1500 }, { "+2", 2 }, { "  3 ", 3 } };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char script[512], spec[4096];
    snprintf(script, sizeof script, STEPS("echo 'findlr loss %s'"), cases[i].text);
    findlr_trainer t;
    ck_ok(findlr_trainer_create(f.context, shell(script, "", spec), 1, 0, &t, &err));
    double loss = 0;
    const double rate = 0.1;
    ck_assert_int_eq(t.vtable->step(t.self, &rate, 1, &loss), FINDLR_OK);
    ck_assert(isnan(cases[i].value) ? isnan(loss) : loss == cases[i].value);
    findlr_trainer_destroy(&t);
  }
  fixture_done(&f);
}
END_TEST

START_TEST(words_of_the_command) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr_trainer t;
  ck_ok(findlr_trainer_create(
      f.context,
      "exec:command=\"  sh -c \\\"printf 'findlr 1 \\\\\\\\n'; printf '<%s>' \\\\\\\"$@\\\\\\\" >&2\\\" x "
      "\\\"\\\" a\\\"b c\\\"d $HOME *  back\\\\slash\"",
      1, 0, &t, &err));
  findlr_trainer_destroy(&t);
  ck_assert_str_eq(f.log, "<><ab cd><$HOME><*><back\\slash>\n");
  fixture_done(&f);
}
END_TEST

START_TEST(seed_and_threads_are_in_its_environment) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  setenv("FINDLR_SEED", "from outside", 1);
  ck_ok(findlr_trainer_create(f.context, shell("echo $FINDLR_SEED $FINDLR_THREADS; " HELLO, "", spec), 3,
                              18446744073709551615u, &t, &err));
  unsetenv("FINDLR_SEED");
  findlr_trainer_destroy(&t);
  ck_assert_str_eq(f.log, "18446744073709551615 3\n");
  fixture_done(&f);
}
END_TEST

/* Without slots a fresh process is the state at the start. */
START_TEST(a_script_that_cannot_save) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  shell("echo started; echo findlr 1; n=0; while read a b; do n=$((n+1)); echo findlr loss $n; done", "",
        spec);
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, spec, 1, 0, &t, &err));
  const double rate = 0.1;
  double loss = 0;
  ck_assert_int_eq(t.vtable->save(t.self, 1), FINDLR_ERR_LIMIT);
  ck_assert_int_eq(t.vtable->restore(t.self, 0), FINDLR_ERR_STATE);
  ck_assert_int_eq(t.vtable->save(t.self, 0), FINDLR_OK);
  ck_assert_int_eq(t.vtable->step(t.self, &rate, 1, &loss), FINDLR_OK);
  ck_assert_int_eq(t.vtable->step(t.self, &rate, 1, &loss), FINDLR_OK);
  ck_assert_double_eq(loss, 2);
  ck_assert_int_eq(t.vtable->save(t.self, 0), FINDLR_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(t.message(t.message_ud), "cannot save (its hello says slots=0)"));
  ck_assert_int_eq(t.vtable->restore(t.self, 0), FINDLR_OK);
  ck_assert_int_eq(t.vtable->evaluate(t.self, &loss), FINDLR_ERR_UNSUPPORTED);
  ck_assert_int_eq(t.vtable->step(t.self, &rate, 1, &loss), FINDLR_OK);
  ck_assert_double_eq(loss, 1);
  ck_assert_str_eq(f.log, "started\nstarted\n");
  findlr_range_test *test = make_test(8, 1, FINDLR_FOLLOW_TRAIN);
  ck_assert_int_eq(t.vtable->restore(t.self, 0), FINDLR_OK);
  for (int i = 0; i < 2; i++)
    ck_ok(findlr_drive(test, &t, NULL, &err));
  ck_assert_double_eq(findlr_curve_loss(findlr_range_test_curve(test))[0], 1);
  findlr_range_test_destroy(test);
  findlr_trainer_destroy(&t);
  fixture_done(&f);
}
END_TEST

START_TEST(what_it_cannot_is_said_before_the_first_step) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, shell("echo findlr 1 groups=3; cat >&2", "", spec), 1, 0, &t, &err));
  findlr_range_test *test = make_test(8, 1, FINDLR_FOLLOW_VALIDATION);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_UNSUPPORTED, "cannot evaluate");
  findlr_range_test_destroy(test);
  test = make_test(8, 2, FINDLR_FOLLOW_TRAIN);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_ARGUMENT,
           "the test has 2 parameter groups, but the trainer has 3");
  findlr_range_test_destroy(test);
  findlr_trainer_destroy(&t);
  ck_assert_str_eq(f.log, "stop\n");
  fixture_done(&f);
}
END_TEST

/* --- what goes wrong --------------------------------------------------------------------------- */

static const struct {
  const char *script, *more;
  int32_t status;
  const char *sentence;
} at_start[] = {
  { "exit 3", "", FINDLR_ERR_BACKEND, "exited with status 3" },
  { "echo I am no trainer; echo nor is this >&2", "", FINDLR_ERR_BACKEND,
    "trainer exec: no hello line \"findlr 1 groups=G slots=K validate=0|1\" came: sh -c " },
  { "echo no trainer", "", FINDLR_ERR_BACKEND, "exited with status 0; its last words: no trainer" },
  { "kill -11 $$", "", FINDLR_ERR_BACKEND, "was killed by signal 11 (SIGSEGV)" },
  { "sleep 100", ",start_timeout=0.2", FINDLR_ERR_BACKEND, "gave no answer within 0.2 seconds" },
  { "while :; do echo chatter; done", ",start_timeout=0.2", FINDLR_ERR_BACKEND,
    "gave no answer within 0.2 seconds; its last words: chatter / chatter / chatter" },
  { "exec 1>&-; sleep 100", "", FINDLR_ERR_BACKEND, "closed its side of the channel" },
  { "echo findlr 2 groups=1", "", FINDLR_ERR_BACKEND, "said \"findlr 2 groups=1\" at its start" },
  { "echo findlr 1x", "", FINDLR_ERR_BACKEND, "said \"findlr 1x\" at its start" },
  { "echo findlr loss 1", "", FINDLR_ERR_BACKEND, "said \"findlr loss 1\" at its start" },
  { "echo findlr 1 groups=0", "", FINDLR_ERR_BACKEND, "said \"findlr 1 groups=0\"" },
  { "echo findlr 1 groups=1025", "", FINDLR_ERR_BACKEND, "groups=1025" },
  { "echo findlr 1 groups=99999999999999999999", "", FINDLR_ERR_BACKEND, "said" },
  { "echo findlr 1 slots=65", "", FINDLR_ERR_BACKEND, "slots=65" },
  { "echo findlr 1 slots=-1", "", FINDLR_ERR_BACKEND, "slots=-1" },
  { "echo findlr 1 validate=yes", "", FINDLR_ERR_BACKEND, "validate=yes" },
};

START_TEST(a_bad_start) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  ck_fails(findlr_trainer_create(f.context, shell(at_start[_i].script, at_start[_i].more, spec), 1, 0, &t,
                                 &err),
           at_start[_i].status, at_start[_i].sentence);
  fixture_done(&f);
}
END_TEST

START_TEST(a_bad_command) {
  ERR;
  fixture f;
  fixture_init(&f);
  static const struct {
    const char *spec;
    int32_t status;
    const char *sentence;
  } cases[] = {
    { "exec", FINDLR_ERR_ARGUMENT, "command" },
    { "exec:command=", FINDLR_ERR_ARGUMENT, "command is empty" },
    { "exec:command=\"  \"", FINDLR_ERR_ARGUMENT, "command is empty" },
    { "exec:command=\"\\\"\\\"\"", FINDLR_ERR_ARGUMENT, "command is empty" },
    { "exec:command=\"sh \\\"open\"", FINDLR_ERR_ARGUMENT, "a closing quote is missing in" },
    { "exec:command=sh,timeout=-1", FINDLR_ERR_ARGUMENT, "timeout" },
    { "exec:command=sh,start_timeout=soon", FINDLR_ERR_ARGUMENT, "start_timeout" },
  };
  findlr_trainer t;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_fails(findlr_trainer_create(f.context, cases[i].spec, 1, 0, &t, &err), cases[i].status,
             cases[i].sentence);
  if (!getenv("FINDLR_TEST_VALGRIND")) { /* under which posix_spawn cannot tell */
    ck_fails(findlr_trainer_create(f.context, "exec:command=pyhton3-not-there x.py", 1, 0, &t, &err),
             FINDLR_ERR_NOT_FOUND, "cannot start pyhton3-not-there: there is no such program in PATH");
    ck_fails(findlr_trainer_create(f.context, "exec:command=./not-there.py", 1, 0, &t, &err),
             FINDLR_ERR_NOT_FOUND, "cannot start ./not-there.py: ");
  }
  static char many[9000] = "exec:command=\"";
  for (size_t i = strlen(many); i < sizeof many - 2; i += 2)
    memcpy(many + i, "a ", 3);
  strcat(many, "\"");
  ck_fails(findlr_trainer_create(f.context, many, 1, 0, &t, &err), FINDLR_ERR_LIMIT, "more than 1024 words");
  fixture_done(&f);
}
END_TEST

/* In the third step something goes wrong: two rows are kept. */
#define THIRD(act) STEPS("if [ $n = 3 ]; then " act "; fi; echo findlr loss $n")

static const struct {
  const char *script, *more, *sentence;
  bool there; /* still, after that */
} in_a_step[] = {
  { THIRD("echo oh no >&2; exit 3"), "", "exited with status 3; its last words: oh no", false },
  { THIRD("kill -11 $$"), "", "was killed by signal 11 (SIGSEGV)", false },
  { THIRD("sleep 100"), ",timeout=0.2", "gave no answer within 0.2 seconds", false },
  { THIRD("while :; do echo much; done"), ",timeout=0.2", "within 0.2 seconds; its last words: much", false },
  { THIRD("exec 1>&-; sleep 100"), "", "closed its side of the channel without ending", false },
  { THIRD("echo findlr los 3"), "",
    "said \"findlr los 3\" to \"step\", wanted \"findlr loss NUMBER\", \"findlr skip\"", false },
  { THIRD("echo findlr loss"), "", "said \"findlr loss\" to \"step\"", false },
  { THIRD("echo findlr loss 1.5x"), "", "said \"findlr loss 1.5x\"", false },
  { THIRD("echo findlr loss 1,5"), "", "said \"findlr loss 1,5\"", false },
  { THIRD("echo findlr loss 1 2"), "", "said \"findlr loss 1 2\"", false },
  { THIRD("echo findlr loss NA"), "", "said \"findlr loss NA\"", false },
  { THIRD("echo findlr ok"), "", "said \"findlr ok\"", false },
  { THIRD("echo findlr skip it"), "", "said \"findlr skip it\"", false },
  { THIRD("printf 'findlr loss 1\\000\\n'"), "", "said \"findlr loss 1\"", false },
  { THIRD("printf 'findlr loss %040000d\\n' 1"), "", "said \"findlr loss 00000000", false },
  { THIRD("echo findlr error \"out of memory on the device\"; continue"), "",
    "failed at step: out of memory on the device", true },
  { THIRD("echo findlr error; continue"), "", "failed at step: it did not say why", true },
};

START_TEST(a_bad_step_keeps_what_was_recorded) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, shell(in_a_step[_i].script, in_a_step[_i].more, spec), 1, 0, &t,
                              &err));
  findlr_range_test *test = make_test(20, 1, FINDLR_FOLLOW_TRAIN);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_BACKEND, in_a_step[_i].sentence);
  ck_assert_ptr_null(strstr(err.message, "restored"));
  ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), 2);
  ck_assert_int_eq(findlr_range_test_reason(test), FINDLR_REASON_FAILED);
  const double rate = 0.1;
  double loss;
  int32_t status = t.vtable->step(t.self, &rate, 1, &loss);
  ck_assert_int_eq(status, in_a_step[_i].there ? FINDLR_OK : FINDLR_ERR_BACKEND);
  if (!in_a_step[_i].there) /* it says the same for ever, and what is dead is gone */
    ck_assert_ptr_nonnull(strstr(t.message(t.message_ud), in_a_step[_i].sentence));
  if (!in_a_step[_i].there)
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
  findlr_range_test_destroy(test);
  findlr_trainer_destroy(&t);
  fixture_done(&f);
}
END_TEST

START_TEST(two_answers_to_one_request) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, shell(STEPS("printf 'findlr loss 1\\nfindlr loss 2\\n'"), "", spec),
                              1, 0, &t, &err));
  const double rate = 0.1;
  double loss;
  ck_assert_int_eq(t.vtable->step(t.self, &rate, 1, &loss), FINDLR_OK);
  ck_assert_int_eq(t.vtable->step(t.self, &rate, 1, &loss), FINDLR_ERR_BACKEND);
  ck_assert_ptr_nonnull(strstr(t.message(t.message_ud), "said \"findlr loss 2\" without being asked"));
  findlr_trainer_destroy(&t);
  fixture_done(&f);
}
END_TEST

START_TEST(a_dead_script_that_cannot_save_begins_again) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  shell("echo findlr 1; n=0; while read a b; do n=$((n+1)); [ $n = 3 ] && exit 9; echo findlr loss $n; done",
        "", spec);
  ck_ok(findlr_trainer_create(f.context, spec, 1, 0, &t, &err));
  findlr_range_test *test = make_test(8, 1, FINDLR_FOLLOW_TRAIN);
  for (int i = 0; i < 2; i++) {
    ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_BACKEND, "exited with status 9");
    ck_assert_ptr_null(strstr(err.message, "restored"));
    ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), 2);
  }
  findlr_range_test_destroy(test);
  findlr_trainer_destroy(&t);
  fixture_done(&f);
}
END_TEST

START_TEST(megabytes_of_log) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context,
                              shell(STEPS("head -c 2000000 /dev/zero | tr '\\0' x; echo; "
                                          "head -c 2000000 /dev/zero | tr '\\0' '\\n' >&2; "
                                          "seq 1 20000; seq 1 20000 >&2; echo findlr loss 1"), "", spec),
                              1, 0, &t, &err));
  const double rate = 0.1;
  double loss;
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(t.vtable->step(t.self, &rate, 1, &loss), FINDLR_OK);
  findlr_trainer_destroy(&t);
  ck_assert_uint_eq(f.lines, 3 * 40001);
  fixture_done(&f);
}
END_TEST

START_TEST(one_that_ignores_stop) {
  ERR;
  fixture f;
  fixture_init(&f);
  char spec[4096];
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, shell(HELLO "trap '' TERM INT HUP; while :; do sleep 100; done", "",
                                               spec), 1, 0, &t, &err));
  double begin = seconds();
  findlr_trainer_destroy(&t);
  ck_assert_double_lt(seconds() - begin, 20);
  fixture_done(&f);
}
END_TEST

START_TEST(the_hosts_own_child) {
  ERR;
  fixture f;
  fixture_init(&f);
  pid_t own = fork();
  if (own == 0) {
    pause();
    _exit(0);
  }
  char spec[4096];
  findlr_trainer t;
  ck_ok(findlr_trainer_create(f.context, shell(THIRD("exit 3"), "", spec), 1, 0, &t, &err));
  findlr_range_test *test = make_test(8, 1, FINDLR_FOLLOW_TRAIN);
  ck_fails(findlr_drive(test, &t, NULL, &err), FINDLR_ERR_BACKEND, "status 3");
  findlr_range_test_destroy(test);
  findlr_trainer_destroy(&t);
  int status;
  ck_assert_int_eq(waitpid(own, &status, WNOHANG), 0);
  kill(own, SIGKILL);
  ck_assert_int_eq(waitpid(own, &status, 0), own);
  fixture_done(&f);
}
END_TEST

static void *drive_one(void *ud) {
  findlr_error err = FINDLR_ERROR_INIT;
  findlr_context *context = NULL;
  findlr_trainer t;
  char spec[4096];
  int32_t *worst = ud;
  *worst = findlr_context_create(NULL, &context, &err);
  if (*worst == FINDLR_OK)
    *worst = findlr_trainer_create(context, shell(STEPS("echo findlr loss $b"), "", spec), 1, 0, &t, &err);
  if (*worst != FINDLR_OK)
    return NULL;
  findlr_range_test_options o;
  findlr_range_test_options_init(&o, sizeof o);
  o.stop = &(findlr_stop){ .struct_size = sizeof(findlr_stop), .rule = FINDLR_STOP_NONE };
  findlr_range_test *test = NULL;
  *worst = findlr_range_test_create(NULL, &o, &test, &err);
  for (int i = 0; i < 3 && *worst == FINDLR_OK; i++) {
    *worst = findlr_drive(test, &t, NULL, &err);
    const findlr_curve *curve = findlr_range_test_curve(test);
    for (size_t k = 0; k < 100 && *worst == FINDLR_OK; k++)
      *worst = findlr_curve_loss(curve)[k] == findlr_curve_lr(curve, 0)[k] ? FINDLR_OK : FINDLR_DONE;
  }
  findlr_range_test_destroy(test);
  findlr_trainer_destroy(&t);
  findlr_context_destroy(context);
  return NULL;
}

START_TEST(many_at_once) {
  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  int32_t worst[THREADS];
  for (int i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, drive_one, &worst[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    ck_assert_int_eq(worst[i], FINDLR_OK);
  }
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(without_memory) {
  for_each_failure(a) {
    ERR;
    findlr_context_options o;
    findlr_context_options_init(&o, sizeof o);
    size_t fail_at = a.fail_at;
    a.fail_at = 0;
    o.allocator = &a.allocator;
    findlr_context *context = NULL;
    ck_ok(findlr_context_create(&o, &context, &err));
    a.fail_at = fail_at ? a.calls + fail_at : 0;
    findlr_trainer t = { 0 };
    char spec[4096];
    int32_t status =
        findlr_trainer_create(context, shell(STEPS("echo findlr loss 1"), "", spec), 1, 0, &t, &err);
    ck_no_memory(status, a);
    findlr_trainer_destroy(&t);
    findlr_context_destroy(context);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("exec");
  TCase *t = tcase_create("exec");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, the_curve_of_the_same_training_in_c);
  tcase_add_test(t, slots_of_the_script);
  tcase_add_test(t, rates_are_written_so_that_they_read_back_equal);
  tcase_add_test(t, losses_may_be_anything);
  tcase_add_test(t, words_of_the_command);
  tcase_add_test(t, seed_and_threads_are_in_its_environment);
  tcase_add_test(t, a_script_that_cannot_save);
  tcase_add_test(t, what_it_cannot_is_said_before_the_first_step);
  tcase_add_loop_test(t, a_bad_start, 0, sizeof at_start / sizeof *at_start);
  tcase_add_test(t, a_bad_command);
  tcase_add_loop_test(t, a_bad_step_keeps_what_was_recorded, 0, sizeof in_a_step / sizeof *in_a_step);
  tcase_add_test(t, two_answers_to_one_request);
  tcase_add_test(t, a_dead_script_that_cannot_save_begins_again);
  tcase_add_test(t, megabytes_of_log);
  tcase_add_test(t, one_that_ignores_stop);
  tcase_add_test(t, the_hosts_own_child);
  tcase_add_test(t, many_at_once);
  tcase_add_test(t, without_memory);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
