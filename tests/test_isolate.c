/* SPDX-License-Identifier: MIT */
/* Isolation: the same numbers as in this process, and what each kind of breakage costs. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "findlr/isolate.h"
#include "host/messages.h"
#include "support.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* --- a context that knows the zoo, and what it logs ------------------------------------------- */

typedef struct heard {
  char text[1 << 14];
  size_t length;
  int to; /* a descriptor; 0: none */
} heard;

static heard log_of_test;

static void hear(void *ud, int32_t level, const char *text, size_t len) {
  heard *h = ud;
  if (h->length + len + 16 < sizeof h->text)
    h->length += (size_t)sprintf(h->text + h->length, "%d %s\n", (int)level, text);
  if (h->to && write(h->to, text, len) < 0)
    return;
}

static findlr_context *context;

static void open_context(void) {
  ERR;
  findlr_context_options o;
  findlr_context_options_init(&o, sizeof o);
  memset(&log_of_test, 0, sizeof log_of_test);
  o.log = hear;
  o.log_ud = &log_of_test;
  o.plugin_path = TEST_ZOO;
  ck_ok(findlr_context_create(&o, &context, &err));
  /* A sanitizer should not explain what the tests are about. */
  setenv("ASAN_OPTIONS",
         "handle_segv=0:handle_abort=0:handle_sigfpe=0:handle_sigbus=0:detect_leaks=0:"
         "allocator_may_return_null=1",
         1);
}

static void close_context(void) {
  findlr_context_destroy(context);
  context = NULL;
}

static findlr_session_options options_of(const char *model) {
  findlr_session_options o;
  findlr_session_options_init(&o, sizeof o);
  o.model = model;
  return o;
}

static findlr_isolated *isolate(const char *model, double step_limit) {
  ERR;
  findlr_session_options o = options_of(model);
  findlr_isolate_options how;
  findlr_isolate_options_init(&how, sizeof how);
  how.step_limit = step_limit;
  findlr_isolated *isolated = NULL;
  ck_ok(findlr_isolated_create(context, &o, &how, &isolated, &err));
  return isolated;
}

/* --- nothing may be left ---------------------------------------------------------------------- */

static int descriptors(void) {
  DIR *directory = opendir("/proc/self/fd");
  int n = 0;
  while (directory && readdir(directory))
    n++;
  if (directory)
    closedir(directory);
  return n;
}

static void check_no_child(void) {
  pid_t pid = waitpid(-1, NULL, WNOHANG);
  ck_assert_msg(pid == -1 && errno == ECHILD, "process %d is left", (int)pid);
}

/* Is the process gone, or at least dead, within five seconds? */
static bool ends(pid_t pid) {
  for (int i = 0; i < 500; i++) {
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(line, 1, sizeof line - 1, file) : 0;
    if (file)
      fclose(file);
    const char *after = n ? strrchr(line, ')') : NULL;
    if (!after || after[2] == 'Z' || after[2] == 'X')
      return true;
    nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
  }
  return false;
}

static pid_t process_in(const char *text) {
  const char *at = strstr(text, "process ");
  return at ? (pid_t)atoi(at + 8) : 0;
}

/* --- the same numbers -------------------------------------------------------------------------- */

typedef struct results {
  double loss[200], rate[200], held_out;
  size_t count;
  uint64_t prints[4];
} results;

static void run(const findlr_trainer *t, const findlr_range_test_options *options, results *r) {
  ERR;
  findlr_range_test *test;
  ck_ok(t->vtable->fingerprint(t->self, &r->prints[0]));
  ck_ok(findlr_range_test_create(NULL, options, &test, &err));
  ck_ok(findlr_drive(test, t, NULL, &err));
  const findlr_curve *curve = findlr_range_test_curve(test);
  r->count = findlr_curve_count(curve);
  ck_assert(r->count > 10 && r->count <= 200);
  memcpy(r->loss, findlr_curve_loss(curve), r->count * sizeof(double));
  memcpy(r->rate, findlr_curve_lr(curve, 0), r->count * sizeof(double));
  findlr_range_test_destroy(test);
  ck_ok(t->vtable->fingerprint(t->self, &r->prints[1]));
  ck_assert(r->prints[0] == r->prints[1]);

  const double rate = 0.01;
  double loss;
  ck_ok(t->vtable->save(t->self, 1));
  for (int i = 0; i < 5; i++)
    ck_ok(t->vtable->step(t->self, &rate, 1, &loss));
  ck_ok(t->vtable->fingerprint(t->self, &r->prints[2]));
  ck_ok(t->vtable->evaluate(t->self, &r->held_out));
  ck_ok(t->vtable->restore(t->self, 1));
  ck_ok(t->vtable->fingerprint(t->self, &r->prints[3]));
  ck_assert(r->prints[3] == r->prints[1] && r->prints[2] != r->prints[1]);
}

static void compare(const findlr_session_options *o) {
  ERR;
  results here = { .count = 0 }, there = { .count = 0 };
  findlr_range_test_options options;
  findlr_range_test_options_init(&options, sizeof options);
  options.num_iter = 40;
  findlr_session *session;
  findlr_isolated *isolated;
  findlr_session_info a = { .struct_size = sizeof a }, b = { .struct_size = sizeof b };
  ck_ok(findlr_session_create(context, o, &session, &err));
  ck_ok(findlr_isolated_create(context, o, NULL, &isolated, &err));
  ck_ok(findlr_session_describe(session, &a, &err));
  ck_ok(findlr_isolated_describe(isolated, &b, &err));
  ck_assert_str_eq(a.data, b.data);
  ck_assert_str_eq(a.model, b.model);
  ck_assert_str_eq(a.optimizer, b.optimizer);
  ck_assert_str_eq(a.loss, b.loss);
  ck_assert_str_eq(a.about_data, b.about_data);
  ck_assert_str_eq(a.about_model, b.about_model);
  ck_assert(a.group_count == b.group_count && a.rows == b.rows && a.training_rows == b.training_rows &&
            a.validation_rows == b.validation_rows && a.features == b.features &&
            a.classes == b.classes && a.parameters == b.parameters && a.batch_size == b.batch_size);
  for (uint32_t g = 0; g < a.group_count; g++) {
    ck_assert_str_eq(findlr_session_group_pattern(session, g), findlr_isolated_group_pattern(isolated, g));
    ck_assert(findlr_session_group_factor(session, g) == findlr_isolated_group_factor(isolated, g));
  }
  ck_assert_ptr_null(findlr_isolated_group_pattern(isolated, a.group_count));
  ck_assert(findlr_isolated_group_factor(isolated, a.group_count) == 0);

  findlr_trainer_info here_can = { .struct_size = sizeof here_can }, there_can = here_can;
  ck_ok(findlr_trainer_describe(findlr_session_trainer(session), &here_can, &err));
  ck_ok(findlr_trainer_describe(findlr_isolated_trainer(isolated), &there_can, &err));
  ck_assert(here_can.group_count == there_can.group_count && here_can.slot_count == there_can.slot_count &&
            here_can.can_evaluate == there_can.can_evaluate);
  ck_ok(findlr_session_fit_options(session, &options, &err));
  run(findlr_session_trainer(session), &options, &here);
  ck_ok(findlr_isolated_fit_options(isolated, &options, &err));
  run(findlr_isolated_trainer(isolated), &options, &there);
  ck_assert_msg(memcmp(&here, &there, sizeof here) == 0, "other numbers with isolation");
  findlr_isolated_destroy(isolated);
  findlr_session_destroy(session);
  check_no_child();
}

START_TEST(numbers_are_the_same) {
  static const char *const optimizers[] = { "sgd:momentum=0.9", "adam", "rmsprop", "adagrad" };
  findlr_session_options o = options_of(_i % 2 ? "linear" : "mlp:hidden=16");
  o.optimizer = optimizers[_i / 2];
  o.validation = 0.2;
  o.seed = 7;
  compare(&o);
}
END_TEST

START_TEST(numbers_are_the_same_with_every_option) {
  const char *const patterns[] = { "*bias" };
  const double factors[] = { 0.1 };
  findlr_session_options o = options_of("mlp:hidden=8x8,activation=tanh");
  o.flags = FINDLR_SESSION_STANDARDIZE | FINDLR_SESSION_DROP_LAST;
  o.data = "digits";
  o.loss = "cross_entropy:label_smoothing=0.1";
  o.sampling = FINDLR_SAMPLING_REPLACEMENT;
  o.dtype = FINDLR_DTYPE_FLOAT64;
  o.threads = 2;
  o.batch_size = 20;
  o.accumulate = 2;
  o.validation = 0.3;
  o.validation_batches = 2;
  o.seed = UINT64_MAX;
  o.group_count = 1;
  o.group_patterns = patterns;
  o.group_factors = factors;
  o.slot_directory = "/tmp";
  compare(&o);
}
END_TEST

/* --- what breaks -------------------------------------------------------------------------------- */

static const struct {
  const char *how;
  const char *sentence, *words; /* that must occur; words NULL: none */
} breaks[] = {
  { "segfault", "in step 3 the worker was killed by signal 11 (SIGSEGV)", "about to touch nothing" },
  { "exit", "in step 3 the worker exited with status 0", "cannot read the \"configuration\"" },
  { "abort", "in step 3 the worker was killed by signal 6 (SIGABRT)", "an assertion" },
  { "fpe", "in step 3 the worker was killed by signal 8 (SIGFPE)", NULL },
  { "kill", "in step 3 the worker was killed by signal 9 (SIGKILL)", NULL },
  { "fork", "in step 3 the worker was killed by signal 9 (SIGKILL)", "stays behind" },
  { "loop", "in step 3 the worker gave no answer within 0.3 seconds", "waits for a lock" },
  { "deaf", "in step 3 the worker gave no answer within 0.3 seconds", NULL },
  { "close", "in step 3 the worker ", NULL },
  { "junk", "in step 3 the worker gave an answer that makes no sense", NULL },
  { "heap", "in step 3 the worker ", NULL },
};

/* Through a whole range test: the curve so far is kept, and the reason is failed. */
START_TEST(a_break_costs_a_sentence) {
  ERR;
  const int before = descriptors();
  char spec[64];
  snprintf(spec, sizeof spec, "broken:how=%s", breaks[_i].how);
  const bool slow = strcmp(breaks[_i].how, "loop") == 0 || strcmp(breaks[_i].how, "deaf") == 0 ||
                    strcmp(breaks[_i].how, "close") == 0;
  findlr_isolated *isolated = isolate(spec, slow ? 0.3 : 20);
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  findlr_range_test *test;
  ck_ok(findlr_range_test_create(NULL, NULL, &test, &err));
  const bool junk = strcmp(breaks[_i].how, "junk") == 0;
  const int32_t status = junk ? FINDLR_ERR_FORMAT : FINDLR_ERR_BACKEND;
  ck_fails(findlr_drive(test, t, NULL, &err), status, breaks[_i].sentence);
  if (breaks[_i].words)
    ck_assert_msg(strstr(err.message, breaks[_i].words) != NULL, "%s", err.message);
  ck_assert_int_eq(findlr_range_test_reason(test), FINDLR_REASON_FAILED);
  ck_assert_uint_eq(findlr_curve_count(findlr_range_test_curve(test)), 2);
  ck_assert(findlr_curve_loss(findlr_range_test_curve(test))[1] > 2);
  if (strcmp(breaks[_i].how, "fork") == 0)
    ck_assert_msg(ends(process_in(err.message)), "a process of the backend is left");

  /* Every later call says the same, and nothing is left to wait for. */
  const double rate = 0.1;
  double loss = 5;
  uint64_t hash = 5;
  check_no_child();
  ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), status);
  ck_assert_str_eq(t->message(t->message_ud), err.message);
  ck_assert_int_eq(t->vtable->evaluate(t->self, &loss), status);
  ck_assert_int_eq(t->vtable->save(t->self, 0), status);
  ck_assert_int_eq(t->vtable->restore(t->self, 0), status);
  ck_assert_int_eq(t->vtable->fingerprint(t->self, &hash), status);
  ck_assert(loss == 5 && hash == 5);
  findlr_range_test_destroy(test);
  findlr_isolated_destroy(isolated);
  check_no_child();
  ck_assert_int_eq(descriptors(), before);
}
END_TEST

static const struct {
  const char *how;
  int32_t status;
  const char *sentence;
} stillborn[] = {
  { "segfault", FINDLR_ERR_BACKEND, "while making the session the worker was killed by signal 11 (SIGSEGV); "
                                    "its last words: about to touch nothing" },
  { "exit", FINDLR_ERR_BACKEND, "while making the session the worker exited with status 0" },
  { "loop", FINDLR_ERR_BACKEND, "while making the session the worker gave no answer within 0.5 seconds" },
  { "refuse", FINDLR_ERR_LIMIT, "model broken: this is too much" },
};

START_TEST(a_break_in_create_costs_a_sentence) {
  ERR;
  const int before = descriptors();
  char spec[64];
  snprintf(spec, sizeof spec, "broken:how=%s,at=0", stillborn[_i].how);
  findlr_session_options o = options_of(spec);
  findlr_isolate_options how;
  findlr_isolate_options_init(&how, sizeof how);
  how.start_limit = strcmp(stillborn[_i].how, "loop") == 0 ? 0.5 : 20;
  findlr_isolated *isolated = NULL;
  ck_fails(findlr_isolated_create(context, &o, &how, &isolated, &err), stillborn[_i].status,
           stillborn[_i].sentence);
  ck_assert_ptr_null(isolated);
  check_no_child();
  ck_assert_int_eq(descriptors(), before);
}
END_TEST

START_TEST(a_break_in_destroy_costs_a_warning) {
  findlr_isolated_destroy(isolate("broken:how=segfault,at=-1", 0));
  ck_assert_msg(strstr(log_of_test.text, "2 while giving back the session the worker was killed by signal "
                                         "11 (SIGSEGV); its last words: about to touch nothing\n"),
                "%s", log_of_test.text);
  check_no_child();
}
END_TEST

START_TEST(what_does_no_harm_is_no_error) {
  static const char *const ways[] = { "nothing", "print", "fds", "log" };
  const double rate = 0.1;
  double loss = 0;
  char spec[64];
  snprintf(spec, sizeof spec, "broken:how=%s", ways[_i]);
  findlr_isolated *isolated = isolate(spec, 20);
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  const int before = descriptors();
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), FINDLR_OK);
  ck_assert_int_eq(descriptors(), before);
  findlr_isolated_destroy(isolated);
  if (_i == 0)
    ck_assert_str_eq(log_of_test.text, "");
  if (_i == 1)
    ck_assert_msg(strstr(log_of_test.text, "1 line 1 of what nobody wants to read, on standard"), "%s",
                  log_of_test.text);
  if (_i == 3)
    ck_assert_str_eq(log_of_test.text, "2 the rate is high\n");
  check_no_child();
}
END_TEST

START_TEST(an_error_of_the_backend_is_only_an_error) {
  ERR;
  findlr_isolated *isolated = isolate("broken:how=refuse", 0);
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  const double rates[] = { 0.1, 0.1 };
  double loss = 5;
  ck_ok(t->vtable->step(t->self, rates, 1, &loss));
  ck_ok(t->vtable->step(t->self, rates, 1, &loss));
  ck_assert_int_eq(t->vtable->step(t->self, rates, 1, &loss), FINDLR_ERR_LIMIT);
  ck_assert_str_eq(t->message(t->message_ud), "model broken: forward: this is too much");
  ck_ok(t->vtable->step(t->self, rates, 1, &loss));
  ck_assert_int_eq(t->vtable->step(t->self, rates, 2, &loss), FINDLR_ERR_ARGUMENT);
  ck_assert_int_eq(t->vtable->evaluate(t->self, &loss), FINDLR_ERR_STATE);
  ck_assert_int_eq(t->vtable->restore(t->self, 3), FINDLR_ERR_STATE);
  const double none = NAN;
  ck_assert_int_eq(t->vtable->step(t->self, &none, 1, &loss), FINDLR_ERR_ARGUMENT);
  ck_ok(t->vtable->step(t->self, rates, 1, &loss));
  findlr_isolated_destroy(isolated);
}
END_TEST

START_TEST(memory_can_be_limited) {
  ERR;
  if (SANITIZED)
    return;
  findlr_session_options o = options_of("broken:how=memory");
  findlr_isolate_options how;
  findlr_isolate_options_init(&how, sizeof how);
  how.memory_limit = 256 << 20;
  findlr_isolated *isolated;
  ck_ok(findlr_isolated_create(context, &o, &how, &isolated, &err));
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  const double rate = 0.1;
  double loss;
  ck_ok(t->vtable->step(t->self, &rate, 1, &loss));
  ck_ok(t->vtable->step(t->self, &rate, 1, &loss));
  ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), FINDLR_ERR_BACKEND);
  ck_assert_msg(strstr(t->message(t->message_ud), "SIGABRT); its last words: no more memory"), "%s",
                t->message(t->message_ud));
  findlr_isolated_destroy(isolated);
}
END_TEST

START_TEST(a_death_between_steps_is_noticed) {
  ERR;
  findlr_isolated *isolated = isolate("broken:how=loop,at=2", 0);
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  const double rate = 0.1;
  double loss;
  ck_ok(t->vtable->step(t->self, &rate, 1, &loss));
  /* Its only child is the worker: find it as the kernel lists it. */
  siginfo_t info = { .si_pid = 0 };
  ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
  ck_assert_int_eq(info.si_pid, 0);
  char path[64], line[64] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  FILE *file = fopen(path, "r");
  if (file && fgets(line, sizeof line, file)) {
    kill((pid_t)atoi(line), SIGTERM);
    nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
    ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), FINDLR_ERR_BACKEND);
    ck_assert_str_eq(t->message(t->message_ud), "in step 2 the worker was killed by signal 15 (SIGTERM)");
    check_no_child();
  }
  if (file)
    fclose(file);
  findlr_isolated_destroy(isolated);
}
END_TEST

/* --- the program around it ---------------------------------------------------------------------- */

static volatile sig_atomic_t deaths;

static void count_death(int number) {
  (void)number;
  deaths++;
}

START_TEST(other_children_and_signals_are_left_alone) {
  struct sigaction old, now, action = { .sa_handler = count_death, .sa_flags = SA_RESTART };
  sigset_t mask, mask_before;
  sigaction(SIGCHLD, &action, &old);
  sigprocmask(SIG_SETMASK, NULL, &mask_before);
  pid_t own = fork();
  if (own == 0)
    _exit(7);
  siginfo_t info;
  waitid(P_PID, (id_t)own, &info, WEXITED | WNOWAIT);
  findlr_isolated *isolated = isolate("broken:how=abort,at=1", 0);
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  const double rate = 0.1;
  double loss;
  ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), FINDLR_ERR_BACKEND);
  findlr_isolated_destroy(isolated);
  findlr_isolated_destroy(isolate("linear", 0));
  int status = 0;
  ck_assert_int_eq(waitpid(own, &status, WNOHANG), own);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  ck_assert_int_ge(deaths, 1);
  sigaction(SIGCHLD, &old, &now);
  ck_assert(now.sa_handler == count_death);
  sigprocmask(SIG_SETMASK, NULL, &mask);
  for (int number = 1; number < 32; number++)
    ck_assert_int_eq(sigismember(&mask, number), sigismember(&mask_before, number));
  check_no_child();
}
END_TEST

START_TEST(a_program_that_ignores_its_children) {
  struct sigaction old, ignore = { .sa_handler = SIG_IGN };
  sigaction(SIGCHLD, &ignore, &old);
  findlr_isolated *isolated = isolate("broken:how=abort,at=1", 0);
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  const double rate = 0.1;
  double loss;
  ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), FINDLR_ERR_BACKEND);
  ck_assert_msg(strstr(t->message(t->message_ud), "the worker ended; how is not known"), "%s",
                t->message(t->message_ud));
  findlr_isolated_destroy(isolated);
  sigaction(SIGCHLD, &old, NULL);
}
END_TEST

/* In the forked parent: makes a worker that gets stuck, after telling its number through the pipe. */
static void get_stuck(int to) {
  log_of_test.to = to;
  findlr_isolated *isolated = isolate("broken:how=loop,at=1", 0);
  const findlr_trainer *t = findlr_isolated_trainer(isolated);
  const double rate = 0.1;
  double loss;
  t->vtable->step(t->self, &rate, 1, &loss);
  _exit(0);
}

START_TEST(a_worker_ends_with_its_parent) {
#ifdef __linux__
  int ends_of_pipe[2];
  char text[256] = "";
  ck_assert_int_eq(pipe(ends_of_pipe), 0);
  pid_t other = fork();
  if (other == 0)
    get_stuck(ends_of_pipe[1]);
  close(ends_of_pipe[1]);
  ck_assert(read(ends_of_pipe[0], text, sizeof text - 1) > 0);
  close(ends_of_pipe[0]);
  pid_t worker = process_in(text);
  ck_assert_msg(worker > 0 && kill(worker, 0) == 0, "%s", text);
  kill(other, SIGKILL);
  waitpid(other, NULL, 0);
  ck_assert_msg(ends(worker), "worker %d outlives its parent", (int)worker);
#endif
}
END_TEST

static void *isolate_in_a_thread(void *spec) {
  return isolate(spec, 20);
}

START_TEST(the_thread_that_made_it_may_end) {
  pthread_t thread;
  void *made;
  ck_assert_int_eq(pthread_create(&thread, NULL, isolate_in_a_thread, (void *)(uintptr_t) "linear"), 0);
  pthread_join(thread, &made);
  nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
  const findlr_trainer *t = findlr_isolated_trainer(made);
  const double rate = 0.1;
  double loss;
  ck_assert_msg(t->vtable->step(t->self, &rate, 1, &loss) == FINDLR_OK, "%s", t->message(t->message_ud));
  findlr_isolated_destroy(made);
}
END_TEST

typedef struct job {
  pthread_t thread;
  findlr_isolated *isolated;
  results results;
} job;

static void *work(void *ud) {
  job *j = ud;
  ERR;
  findlr_range_test_options options;
  findlr_range_test_options_init(&options, sizeof options);
  options.num_iter = 60;
  findlr_range_test *test;
  const findlr_trainer *t = findlr_isolated_trainer(j->isolated);
  if (findlr_range_test_create(NULL, &options, &test, &err) != FINDLR_OK ||
      findlr_drive(test, t, NULL, &err) != FINDLR_OK)
    return NULL;
  const findlr_curve *curve = findlr_range_test_curve(test);
  j->results.count = findlr_curve_count(curve);
  memcpy(j->results.loss, findlr_curve_loss(curve), j->results.count * sizeof(double));
  findlr_range_test_destroy(test);
  return j;
}

START_TEST(two_at_once) {
  job jobs[2] = { { .isolated = isolate("mlp:hidden=16", 20) }, { .isolated = isolate("mlp:hidden=16", 20) } };
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
  for (int i = 0; i < 2; i++) {
    void *done;
    pthread_join(jobs[i].thread, &done);
    ck_assert_ptr_nonnull(done);
    findlr_isolated_destroy(jobs[i].isolated);
  }
  ck_assert_uint_gt(jobs[0].results.count, 10);
  ck_assert(memcmp(&jobs[0].results, &jobs[1].results, sizeof jobs[0].results) == 0);
}
END_TEST

/* --- what is refused ---------------------------------------------------------------------------- */

static int32_t no_option(void *user, uint32_t i, findlr_option *out) {
  (void)user, (void)i, (void)out;
  return FINDLR_ERR_ARGUMENT;
}

static int32_t value_and_gradient(void *self, const findlr_tensor *outputs, const findlr_tensor *targets,
                                  double *ret_sum, double *ret_weight, const findlr_tensor *grad) {
  (void)self, (void)outputs, (void)targets, (void)ret_sum, (void)ret_weight, (void)grad;
  return FINDLR_ERR_UNSUPPORTED;
}

static int32_t create_loss(const findlr_host *host, void *ctx, const findlr_loss_spec *spec,
                           void **ret_self) {
  (void)host, (void)ctx, (void)spec, (void)ret_self;
  return FINDLR_ERR_UNSUPPORTED;
}

static void destroy_loss(void *self) {
  (void)self;
}

START_TEST(what_cannot_be_isolated_is_refused) {
  ERR;
  static const findlr_loss_vtable vtable = { .struct_size = sizeof vtable,
                                             .targets = FINDLR_TARGETS_REAL,
                                             .create = create_loss,
                                             .destroy = destroy_loss,
                                             .value_and_gradient = value_and_gradient };
  static const findlr_component own = { .struct_size = sizeof own, .kind = FINDLR_KIND_LOSS,
                                        .name = "own", .help = "mine", .vtable = &vtable,
                                        .option = no_option };
  findlr_isolated *isolated = NULL;
  findlr_session_options o = options_of("linear");
  const findlr_data object = { .struct_size = sizeof object };
  o.data_object = &object;
  ck_fails(findlr_isolated_create(context, &o, NULL, &isolated, &err), FINDLR_ERR_UNSUPPORTED,
           "data in memory cannot be isolated");
  o.data_object = NULL;
  ck_ok(findlr_register(context, &own, &err));
  o.loss = "own";
  ck_fails(findlr_isolated_create(context, &o, NULL, &isolated, &err), FINDLR_ERR_UNSUPPORTED,
           "loss own is part of the program itself");
  o.loss = NULL;
  o.group_count = 65;
  ck_fails(findlr_isolated_create(context, &o, NULL, &isolated, &err), FINDLR_ERR_ARGUMENT,
           "65 parameter groups");
  o.group_count = 0;
  o.model = "linea";
  ck_fails(findlr_isolated_create(context, &o, NULL, &isolated, &err), FINDLR_ERR_NOT_FOUND, "linea");
  o.model = "linear:bias=maybe";
  ck_fails(findlr_isolated_create(context, &o, NULL, &isolated, &err), FINDLR_ERR_ARGUMENT, "maybe");
  o.model = "\xff";
  ck_fails(findlr_isolated_create(context, &o, NULL, &isolated, &err), FINDLR_ERR_ARGUMENT, "UTF-8");
  ck_fails(findlr_isolated_create(NULL, NULL, NULL, &isolated, &err), FINDLR_ERR_ARGUMENT, "NULL");

  findlr_isolate_options how;
  findlr_isolate_options_init(&how, sizeof how);
  how.step_limit = -1;
  ck_fails(findlr_isolated_create(context, NULL, &how, &isolated, &err), FINDLR_ERR_ARGUMENT, "-1 seconds");
  how.step_limit = 0;
  how.start_limit = NAN;
  ck_fails(findlr_isolated_create(context, NULL, &how, &isolated, &err), FINDLR_ERR_ARGUMENT, "start limit");
  how.start_limit = 0;
  if (!getenv("FINDLR_TEST_VALGRIND")) { /* its posix_spawn does not tell */
    how.worker = "/nowhere/findlr-worker";
    ck_fails(findlr_isolated_create(context, NULL, &how, &isolated, &err), FINDLR_ERR_NOT_FOUND,
             "cannot start /nowhere/findlr-worker");
    how.worker = "/dev/null";
    ck_fails(findlr_isolated_create(context, NULL, &how, &isolated, &err), FINDLR_ERR_IO,
             "cannot start /dev/null");
  }
  how.struct_size = 4;
  ck_fails(findlr_isolated_create(context, NULL, &how, &isolated, &err), FINDLR_ERR_ARGUMENT, "4");
  char *worker = strdup(getenv("FINDLR_WORKER"));
  setenv("FINDLR_WORKER", "findlr-worker", 1);
  ck_fails(findlr_isolated_create(context, NULL, NULL, &isolated, &err), FINDLR_ERR_ARGUMENT,
           "FINDLR_WORKER is \"findlr-worker\", wanted an absolute path");
  setenv("FINDLR_WORKER", worker, 1);
  free(worker);
  ck_assert_ptr_null(isolated);
  check_no_child();
}
END_TEST

/* Isolation must not bring into this process what it keeps out of it. */
START_TEST(nothing_is_loaded_here) {
  ERR;
  findlr_plugin_info info = { .struct_size = sizeof info };
  findlr_isolated_destroy(isolate("broken:how=nothing", 0));
  ck_assert_int_eq(findlr_plugin_at(context, 0, &info, &err), FINDLR_DONE);
  findlr_session_options o = options_of("broken");
  findlr_isolate_options how;
  findlr_isolate_options_init(&how, sizeof how);
  const char *const files[] = { TEST_ZOO "/larger.so", TEST_ZOO "/no_entry.so", NULL };
  findlr_isolated *isolated;
  how.plugins = files;
  how.plugin_count = 1;
  ck_ok(findlr_isolated_create(context, &o, &how, &isolated, &err));
  findlr_isolated_destroy(isolated);
  how.plugin_count = 2;
  ck_fails(findlr_isolated_create(context, &o, &how, &isolated, &err), FINDLR_ERR_PLUGIN_FILE,
           "no_entry.so is no plugin");
  how.plugin_count = 3;
  ck_fails(findlr_isolated_create(context, &o, &how, &isolated, &err), FINDLR_ERR_ARGUMENT,
           "plugin file 2 of the isolation's options is NULL");
  ck_assert_int_eq(findlr_plugin_at(context, 0, &info, &err), FINDLR_DONE);
  /* what is loaded here from a file is loaded there */
  ck_ok(findlr_load_plugin(context, TEST_ZOO "/broken.so", &err));
  findlr_isolated_destroy(isolate("broken:how=nothing", 0));
}
END_TEST

/* --- damage ------------------------------------------------------------------------------------- */

static const struct {
  const char *what;
  double limit;
  int32_t status;
  const char *sentence;
} fakes[] = {
  { "ends", 20, FINDLR_ERR_BACKEND, "while making the session the worker exited with status 3" },
  { "echoes", 20, FINDLR_ERR_FORMAT, "the worker gave an answer that makes no sense" },
  { "is silent", 0.3, FINDLR_ERR_BACKEND, "the worker gave no answer within 0.3 seconds" },
  { "chatters", 0.3, FINDLR_ERR_BACKEND, "the worker gave no answer within 0.3 seconds" },
  { "boasts", 20, FINDLR_ERR_FORMAT, "the worker gave an answer that makes no sense" },
  { "stops", 20, FINDLR_ERR_BACKEND, "the worker exited with status 4" },
  { "is old", 20, FINDLR_ERR_UNSUPPORTED, "the worker is of findlr 0.0.9" },
};

static int32_t with_fake(const char *what, double limit, findlr_isolated **ret_isolated, findlr_error *err) {
  findlr_session_options o = options_of("linear");
  findlr_isolate_options how;
  findlr_isolate_options_init(&how, sizeof how);
  how.worker = TEST_FAKE_WORKER;
  how.start_limit = how.step_limit = limit;
  setenv("FAKE_WORKER", what, 1);
  return findlr_isolated_create(context, &o, &how, ret_isolated, err);
}

START_TEST(a_program_that_is_no_worker) {
  ERR;
  findlr_isolated *isolated = NULL;
  const int before = descriptors();
  ck_fails(with_fake(fakes[_i].what, fakes[_i].limit, &isolated, &err), fakes[_i].status, fakes[_i].sentence);
  ck_assert_ptr_null(isolated);
  check_no_child();
  ck_assert_int_eq(descriptors(), before);
}
END_TEST

START_TEST(damaged_answers_do_no_harm) {
  ERR;
  int good = 0;
  for (int seed = 0; seed < 40; seed++) {
    char text[16];
    snprintf(text, sizeof text, "%d", seed);
    findlr_isolated *isolated = NULL;
    if (with_fake(text, 20, &isolated, &err) != FINDLR_OK)
      continue;
    const findlr_trainer *t = findlr_isolated_trainer(isolated);
    const double rates[2] = { 1, 2 };
    double loss;
    uint64_t hash;
    findlr_session_info info = { .struct_size = sizeof info };
    ck_ok(findlr_isolated_describe(isolated, &info, &err));
    for (uint32_t g = 0; g < info.group_count; g++)
      ck_assert_ptr_nonnull(findlr_isolated_group_pattern(isolated, g));
    for (int i = 0; i < 4; i++)
      good += t->vtable->step(t->self, rates, 1, &loss) == FINDLR_OK;
    t->vtable->evaluate(t->self, &loss);
    t->vtable->fingerprint(t->self, &hash);
    t->vtable->save(t->self, 0);
    findlr_isolated_destroy(isolated);
  }
  ck_assert_int_gt(good, 10);
  check_no_child();
}
END_TEST

START_TEST(damaged_frames_are_not_read_past_their_end) {
  test_allocator a;
  test_allocator_init(&a);
  findlr__frame_out f = { .allocator = &a.allocator };
  const char *const patterns[] = { "a*", "b*" };
  const double factors[] = { 1, 2 };
  findlr__description d = { .plugin_path = "/x", .options = options_of("mlp") };
  d.options.group_count = 2;
  d.options.group_patterns = patterns;
  d.options.group_factors = factors;
  findlr_session_info info = { .struct_size = sizeof info, .group_count = 1, .data = "d", .model = "m",
                               .optimizer = "o", .loss = "l", .about_data = "", .about_model = "" };
  unsigned state = 1;
  int good = 0;
  for (int i = 0; i < 20000; i++) {
    findlr__frame_begin(&f, FINDLR__ASK_CREATE);
    if (i % 2) {
      findlr__description_put(&f, &d);
    } else {
      findlr__info_put(&f, &info);
      findlr__info_put_group(&f, "*", 1);
    }
    size_t size = f.size - FINDLR__FRAME_HEAD;
    state = state * 1664525u + 1013904223u;
    if (i > 1 && state >> 31)
      f.bytes[FINDLR__FRAME_HEAD + (state >> 8) % size] = (unsigned char)(state >> 3);
    else if (i > 1)
      size = (state >> 8) % size;
    unsigned char *exact = malloc(size ? size : 1); /* sanitizers see one byte past it */
    memcpy(exact, f.bytes + FINDLR__FRAME_HEAD, size);
    findlr__frame_in in = { 1, exact, size, 0, false };
    findlr__description got;
    findlr__description_answer answer;
    const char *version;
    if (i % 2)
      good += findlr__description_get(&in, &got, &version) && got.options.group_count <= 64;
    else
      good += findlr__info_get(&in, &answer) && strlen(answer.patterns[0]) < 100;
    free(exact);
  }
  ck_assert_int_gt(good, 100);
  findlr__frame_out_free(&f);
  test_allocator_check(&a);
}
END_TEST

START_TEST(every_allocation_may_fail) {
  ERR;
  for_each_failure(a) {
    findlr_context_options o;
    findlr_context_options_init(&o, sizeof o);
    o.allocator = &a.allocator;
    findlr_context *own = NULL;
    findlr_isolated *isolated = NULL;
    findlr_session_options options = options_of("linear");
    int32_t status = findlr_context_create(&o, &own, &err);
    if (status == FINDLR_OK)
      status = findlr_isolated_create(own, &options, NULL, &isolated, &err);
    ck_no_memory(status, a);
    if (isolated) { /* a step takes no memory any more */
      const findlr_trainer *t = findlr_isolated_trainer(isolated);
      const double rate = 0.1;
      double loss;
      size_t calls = a.calls;
      ck_assert_int_eq(t->vtable->save(t->self, 0), FINDLR_OK);
      ck_assert_int_eq(t->vtable->step(t->self, &rate, 1, &loss), FINDLR_OK);
      ck_assert_uint_eq(a.calls, calls);
    }
    findlr_isolated_destroy(isolated);
    findlr_context_destroy(own);
  }
  check_no_child();
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("isolate");
  TCase *c = tcase_create("isolate");
  tcase_set_timeout(c, 60);
  tcase_add_checked_fixture(c, open_context, close_context);
  tcase_add_loop_test(c, numbers_are_the_same, 0, 8);
  tcase_add_test(c, numbers_are_the_same_with_every_option);
  tcase_add_loop_test(c, a_break_costs_a_sentence, 0, (int)(sizeof breaks / sizeof *breaks));
  tcase_add_loop_test(c, a_break_in_create_costs_a_sentence, 0, (int)(sizeof stillborn / sizeof *stillborn));
  tcase_add_test(c, a_break_in_destroy_costs_a_warning);
  tcase_add_loop_test(c, what_does_no_harm_is_no_error, 0, 4);
  tcase_add_test(c, an_error_of_the_backend_is_only_an_error);
  tcase_add_test(c, memory_can_be_limited);
  tcase_add_test(c, a_death_between_steps_is_noticed);
  tcase_add_test(c, other_children_and_signals_are_left_alone);
  tcase_add_test(c, a_program_that_ignores_its_children);
  tcase_add_test(c, a_worker_ends_with_its_parent);
  tcase_add_test(c, the_thread_that_made_it_may_end);
  tcase_add_test(c, two_at_once);
  tcase_add_test(c, what_cannot_be_isolated_is_refused);
  tcase_add_test(c, nothing_is_loaded_here);
  tcase_add_loop_test(c, a_program_that_is_no_worker, 0, (int)(sizeof fakes / sizeof *fakes));
  tcase_add_test(c, damaged_answers_do_no_harm);
  tcase_add_test(c, damaged_frames_are_not_read_past_their_end);
  tcase_add_test(c, every_allocation_may_fail);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
