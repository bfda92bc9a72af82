/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

#include "host/child.h"
#include "train/services.h"

/* What the log sink was given, one line after the other. */
typedef struct fixture {
  test_allocator allocator;
  findlr__services services;
  char log[8192];
  size_t lines, bytes;
} fixture;

static void keep(void *ud, int32_t level, const char *text, size_t len) {
  fixture *f = ud;
  ck_quick(level == FINDLR_LOG_INFO, "level %d", level);
  f->lines++;
  f->bytes += len;
  if (strlen(f->log) + len + 2 < sizeof f->log)
    strcat(strcat(f->log, text), "\n");
}

static void fixture_init(fixture *f) {
  memset(f, 0, sizeof *f);
  test_allocator_init(&f->allocator);
  findlr__services_init(&f->services, &f->allocator.allocator, keep, f, FINDLR_LOG_INFO);
}

static int32_t start_in(fixture *f, uint32_t channel, const char *script, findlr__child **child,
                        findlr_error *err) {
  const char *argv[] = { "sh", "-c", script, NULL };
  findlr__child_options o = { .host = &f->services.host, .ctx = &f->services, .argv = argv,
                              .name = "the script", .channel = channel,
                              .log_level = FINDLR_LOG_INFO };
  return findlr__child_start(&o, child, err);
}

static findlr__child *start(fixture *f, const char *script) {
  ERR;
  findlr__child *child = NULL;
  ck_ok(start_in(f, FINDLR__CHILD_STDIO, script, &child, &err));
  return child;
}

static findlr__deadline soon(void) {
  return findlr__deadline_in(10);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t open_descriptors(void) {
  size_t n = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder && readdir(folder))
    n++;
  if (folder)
    closedir(folder);
  return n;
}

/* No child of this process is left, ended or not. */
static void ck_alone(void) {
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
}

START_TEST(lines_go_both_ways) {
  ERR;
  fixture f;
  fixture_init(&f);
  size_t before = open_descriptors();
  findlr__child *child = start(&f, "while read line; do echo \"got $line\"; echo heard $line >&2; done");
  for (int i = 0; i < 3; i++) {
    findlr__child_line line;
    ck_ok(findlr__child_write(child, "one\ntwo\n", 8, soon(), &err));
    ck_ok(findlr__child_read_line(child, soon(), &line, &err));
    ck_assert_str_eq(line.text, "got one");
    ck_assert_uint_eq(line.length, 7);
    ck_assert(line.whole);
    ck_ok(findlr__child_read_line(child, soon(), &line, &err));
    ck_assert_str_eq(line.text, "got two");
  }
  ck_assert_int_gt(findlr__child_pid(child), 0);
  findlr__child_destroy(child, 10);
  ck_assert_uint_eq(f.lines, 6);
  ck_assert_ptr_nonnull(strstr(f.log, "heard two\n"));
  ck_alone();
  ck_assert_uint_eq(open_descriptors(), before);
  test_allocator_check(&f.allocator);
}
END_TEST

START_TEST(bytes_go_through_a_socket) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr__child *child = NULL;
  ck_ok(start_in(&f, FINDLR__CHILD_SOCKET,
                 "echo printed; cat; exec 1>&2; cat <&3 >&3", &child, &err));
  enum { SIZE = 60000 };
  static char out[SIZE], in[SIZE];
  for (size_t i = 0; i < SIZE; i++)
    out[i] = (char)(i * 7);
  ck_ok(findlr__child_write(child, out, SIZE, soon(), &err));
  ck_ok(findlr__child_read(child, in, 10, soon(), &err));
  ck_ok(findlr__child_read(child, in + 10, SIZE - 10, soon(), &err));
  ck_assert_mem_eq(in, out, SIZE);
  findlr__child_destroy(child, 10);
  ck_assert_str_eq(f.log, "printed\n");
  ck_alone();
  test_allocator_check(&f.allocator);
}
END_TEST

/* How scripts end, and what is said of it. */
static const struct {
  const char *script, *sentence;
} ends[] = {
  { "exit 3", "the script exited with status 3" },
  { "echo first >&2; echo >&2; echo last >&2; exit 1",
    "the script exited with status 1; its last words: first / last" },
  { "printf 'no newline' >&2; exit 0", "exited with status 0; its last words: no newline" },
  { "echo one >&2; echo two >&2; echo three >&2; echo four >&2; kill -9 $$",
    "was killed by signal 9 (SIGKILL); its last words: two / three / four" },
  { "kill -SEGV $$", "was killed by signal 11 (SIGSEGV)" },
  { "kill -PIPE $$", "was killed by signal 13 (SIGPIPE)" },
  { "printf 'bad \\377 utf8\\033[2J\\rcarriage' >&2", "its last words: bad ? utf8 [2J / carriage" },
  { "exec 1>&-; sleep 20", "closed its side of the channel without ending" },
  { "exec 0<&-; exit 4", "exited with status 4" },
};

START_TEST(an_end_is_said_in_words) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr__child *child = start(&f, ends[_i].script);
  findlr__child_line line;
  ck_ok(findlr__child_write(child, "step\n", 5, soon(), &err));
  ck_fails(findlr__child_read_line(child, soon(), &line, &err), FINDLR_ERR_BACKEND,
           ends[_i].sentence);
  /* It stays so. */
  int32_t status = findlr__child_write(child, "step\n", 5, soon(), &err);
  if (status == FINDLR_OK)
    status = findlr__child_read_line(child, soon(), &line, &err);
  ck_assert_int_eq(status, FINDLR_ERR_BACKEND);
  findlr__child_destroy(child, 0);
  ck_alone();
  test_allocator_check(&f.allocator);
}
END_TEST

START_TEST(a_socket_ends_without_a_signal) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr__child *child = NULL;
  ck_ok(start_in(&f, FINDLR__CHILD_SOCKET, "echo bye; exit 5", &child, &err));
  int32_t status = FINDLR_OK;
  for (int i = 0; i < 1000 && status == FINDLR_OK; i++)
    status = findlr__child_write(child, "0123456789", 10, soon(), &err);
  char byte;
  if (status == FINDLR_OK)
    status = findlr__child_read(child, &byte, 1, soon(), &err);
  ck_assert_int_eq(status, FINDLR_ERR_BACKEND);
  ck_assert_str_eq(err.message, "the script exited with status 5; its last words: bye");
  findlr__child_destroy(child, 0);
  ck_alone();
}
END_TEST

START_TEST(no_such_program) {
  ERR;
  fixture f;
  fixture_init(&f);
  size_t before = open_descriptors();
  findlr__child *child = NULL;
  static const struct {
    const char *program, *sentence;
    int32_t status;
  } cases[] = {
    { "pyhton3-not-there", "cannot start pyhton3-not-there: there is no such program in PATH",
      FINDLR_ERR_NOT_FOUND },
    { "./not-there", "cannot start ./not-there: ", FINDLR_ERR_NOT_FOUND },
    { "/", "cannot start /: ", FINDLR_ERR_IO },
  };
  /* Under valgrind posix_spawn cannot tell. */
  for (size_t i = 0; i < sizeof cases / sizeof *cases && !getenv("FINDLR_TEST_VALGRIND"); i++) {
    const char *argv[] = { cases[i].program, NULL };
    findlr__child_options o = { .host = &f.services.host, .ctx = &f.services, .argv = argv };
    ck_fails(findlr__child_start(&o, &child, &err), cases[i].status, cases[i].sentence);
  }
  ck_assert_ptr_null(child);
  ck_assert_uint_eq(open_descriptors(), before);
  ck_alone();
  test_allocator_check(&f.allocator);
}
END_TEST

START_TEST(silence_has_a_limit) {
  ERR;
  fixture f;
  fixture_init(&f);
  /* One that says nothing, and one that says too much. */
  static const char *const scripts[] = { "sleep 20", "while :; do echo chatter >&2; done" };
  for (size_t i = 0; i < 2; i++) {
    findlr__child *child = start(&f, scripts[i]);
    findlr__child_line line;
    double begin = seconds();
    ck_fails(findlr__child_read_line(child, findlr__deadline_in(0.2), &line, &err),
             FINDLR_ERR_BACKEND, "the script gave no answer within 0.2 seconds");
    ck_assert_double_lt(seconds() - begin, 5);
    findlr__child_destroy(child, 0);
    ck_alone();
  }
  findlr__child *child = start(&f, "sleep 20");
  static char much[200000];
  ck_fails(findlr__child_write(child, much, sizeof much, findlr__deadline_in(0.1), &err),
           FINDLR_ERR_BACKEND, "took no request for 0.1 seconds");
  findlr__child_destroy(child, 0);
  ck_alone();
  test_allocator_check(&f.allocator);
}
END_TEST

START_TEST(one_that_will_not_end_is_killed_with_its_own) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr__child *child = start(&f, "trap '' TERM HUP INT; sleep 1000 & echo $!; while :; do sleep 1000; done");
  findlr__child_line line;
  ck_ok(findlr__child_read_line(child, soon(), &line, &err));
  pid_t grandchild = (pid_t)strtol(line.text, NULL, 10), pid = findlr__child_pid(child);
  ck_assert_int_eq(kill(grandchild, 0), 0);
  double begin = seconds();
  findlr__child_destroy(child, 0.2);
  double took = seconds() - begin;
  ck_assert_double_gt(took, 0.15);
  ck_assert_double_lt(took, 5);
  ck_alone();
  ck_assert_int_eq(kill(pid, 0), -1);
  /* It is dying; whoever adopted it may need a moment to notice. */
  char path[64], state = 'R';
  snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
  for (int i = 0; i < 1000 && state != 'Z' && state != 'X'; i++) {
    FILE *stat = fopen(path, "r");
    if (!stat)
      break;
    if (fscanf(stat, "%*d %*s %c", &state) != 1)
      state = 'X';
    fclose(stat);
    ck_assert_msg(i < 999, "the grandchild is in state %c", state);
    poll(NULL, 0, 10);
  }
}
END_TEST

START_TEST(what_a_dead_child_leaves_does_not_keep_us) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr__child *child = start(&f, "sleep 1000 & exit 7"); /* the sleeper holds standard output */
  findlr__child_line line;
  double begin = seconds();
  ck_fails(findlr__child_read_line(child, findlr__deadline_in(60), &line, &err), FINDLR_ERR_BACKEND,
           "exited with status 7");
  ck_assert_double_lt(seconds() - begin, 10);
  findlr__child_destroy(child, 0);
  ck_alone();
}
END_TEST

START_TEST(much_log_and_long_lines) {
  ERR;
  fixture f;
  fixture_init(&f);
  findlr__child *child = start(&f, "i=0; while [ $i -lt 2000 ]; do "
                                   "printf '%01000d\\n' $i >&2; i=$((i+1)); done; "
                                   "printf '%040000d\\nanswer\\n' 1; read line");
  findlr__child_line line;
  ck_ok(findlr__child_read_line(child, findlr__deadline_in(60), &line, &err));
  ck_assert(!line.whole);
  ck_assert_uint_eq(line.length, FINDLR__CHILD_LONGEST_LINE);
  ck_ok(findlr__child_read_line(child, soon(), &line, &err));
  ck_assert(line.whole);
  ck_assert_str_eq(line.text, "answer");
  findlr__child_destroy(child, 10);
  ck_assert_uint_eq(f.lines, 2000);
  ck_assert_uint_eq(f.bytes, 2000 * 1000);
  ck_alone();
  test_allocator_check(&f.allocator);
}
END_TEST

START_TEST(the_hosts_own_child_is_left_alone) {
  ERR;
  fixture f;
  fixture_init(&f);
  struct sigaction before[2], after[2];
  sigset_t mask_before, mask_after;
  sigaction(SIGCHLD, NULL, &before[0]);
  sigaction(SIGPIPE, NULL, &before[1]);
  sigprocmask(SIG_SETMASK, NULL, &mask_before);
  pid_t own = fork();
  if (own == 0) {
    sleep(1000);
    _exit(0);
  }
  pid_t ended = fork();
  if (ended == 0)
    _exit(9);
  findlr__child *child = start(&f, "exit 3");
  findlr__child_line line;
  ck_fails(findlr__child_read_line(child, soon(), &line, &err), FINDLR_ERR_BACKEND, "status 3");
  findlr__child_destroy(child, 0);
  ck_assert_int_eq(kill(own, 0), 0);
  int status = 0;
  ck_assert_int_eq(waitpid(ended, &status, 0), ended);
  ck_assert_int_eq(WEXITSTATUS(status), 9);
  ck_assert_int_eq(waitpid(own, &status, WNOHANG), 0);
  kill(own, SIGKILL);
  ck_assert_int_eq(waitpid(own, &status, 0), own);
  sigaction(SIGCHLD, NULL, &after[0]);
  sigaction(SIGPIPE, NULL, &after[1]);
  sigprocmask(SIG_SETMASK, NULL, &mask_after);
  for (int i = 0; i < 2; i++)
    ck_assert(before[i].sa_handler == after[i].sa_handler);
  for (int s = 1; s < 32; s++)
    ck_assert_int_eq(sigismember(&mask_before, s), sigismember(&mask_after, s));
}
END_TEST

START_TEST(a_host_that_ignores_its_children) {
  ERR;
  fixture f;
  fixture_init(&f);
  signal(SIGCHLD, SIG_IGN);
  findlr__child *child = start(&f, "exit 3");
  findlr__child_line line;
  ck_fails(findlr__child_read_line(child, soon(), &line, &err), FINDLR_ERR_BACKEND,
           "the program waits for its children itself");
  findlr__child_destroy(child, 0);
  child = start(&f, "sleep 1000");
  findlr__child_destroy(child, 0);
  signal(SIGCHLD, SIG_DFL);
  ck_alone();
  test_allocator_check(&f.allocator);
}
END_TEST

/* It gets nothing that was not given: descriptors, ignored signals, a blocked mask. */
START_TEST(a_child_begins_clean) {
  ERR;
  fixture f;
  fixture_init(&f);
  int leak = dup(2);
  signal(SIGPIPE, SIG_IGN);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, &old);
  findlr__child *child = start(&f, "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l");
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &old, NULL);
  findlr__child_line line;
  for (int i = 0; i < 2; i++) {
    ck_ok(findlr__child_read_line(child, soon(), &line, &err));
    ck_assert_msg(!(strtoull(strchr(line.text, '\t') + 1, NULL, 16) & 0x7fffffff), "%s", line.text);
  }
  ck_ok(findlr__child_read_line(child, soon(), &line, &err));
  ck_assert_int_eq(strtol(line.text, NULL, 10), 4); /* 0, 1, 2, and ls's own for the folder */
  findlr__child_destroy(child, 10);
  close(leak);
}
END_TEST

START_TEST(a_host_without_standard_streams) {
  ERR;
  fixture f;
  fixture_init(&f);
  int kept[3];
  for (int i = 0; i < 3; i++)
    kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
  for (int i = 0; i < 3; i++)
    close(i);
  findlr__child *child = NULL;
  findlr__child_line line = { "", 0, false };
  int32_t status = start_in(&f, FINDLR__CHILD_STDIO, "read a; echo $a; echo heard >&2", &child, &err);
  if (status == FINDLR_OK)
    status = findlr__child_write(child, "hello\n", 6, soon(), &err);
  if (status == FINDLR_OK)
    status = findlr__child_read_line(child, soon(), &line, &err);
  bool right = status == FINDLR_OK && strcmp(line.text, "hello") == 0;
  findlr__child_destroy(child, 10);
  for (int i = 0; i < 3; i++) {
    dup2(kept[i], i);
    close(kept[i]);
  }
  ck_assert_msg(right, "%s", err.message);
  ck_assert_str_eq(f.log, "heard\n");
}
END_TEST

static void *talk(void *ud) {
  fixture f;
  fixture_init(&f);
  findlr_error err = FINDLR_ERROR_INIT;
  long *bad = ud;
  for (int i = 0; i < 5; i++) {
    findlr__child *child = NULL;
    findlr__child_line line;
    if (start_in(&f, FINDLR__CHILD_STDIO, "while read a; do echo $a; done; exit 3", &child, &err))
      ++*bad;
    for (int k = 0; child && k < 50; k++)
      if (findlr__child_write(child, "line\n", 5, soon(), &err) ||
          findlr__child_read_line(child, soon(), &line, &err) || strcmp(line.text, "line") != 0)
        ++*bad;
    double begin = seconds();
    findlr__child_destroy(child, 10);
    if (seconds() - begin > 5) /* another's copy of the channel would keep it from ending */
      ++*bad;
  }
  return NULL;
}

START_TEST(many_at_once) {
  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  long bad[THREADS] = { 0 };
  for (int i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, talk, &bad[i]), 0);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    ck_assert_int_eq(bad[i], 0);
  }
  ck_alone();
}
END_TEST

START_TEST(without_memory) {
  for_each_failure(a) {
    ERR;
    fixture f;
    fixture_init(&f);
    f.services.allocator = &a.allocator;
    findlr__child *child = NULL;
    int32_t status = start_in(&f, FINDLR__CHILD_STDIO, "exit 0", &child, &err);
    ck_no_memory(status, a);
    findlr__child_destroy(child, 10);
  }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("child");
  TCase *t = tcase_create("child");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, lines_go_both_ways);
  tcase_add_test(t, bytes_go_through_a_socket);
  tcase_add_loop_test(t, an_end_is_said_in_words, 0, sizeof ends / sizeof *ends);
  tcase_add_test(t, a_socket_ends_without_a_signal);
  tcase_add_test(t, no_such_program);
  tcase_add_test(t, silence_has_a_limit);
  tcase_add_test(t, one_that_will_not_end_is_killed_with_its_own);
  tcase_add_test(t, what_a_dead_child_leaves_does_not_keep_us);
  tcase_add_test(t, much_log_and_long_lines);
  tcase_add_test(t, the_hosts_own_child_is_left_alone);
  tcase_add_test(t, a_host_that_ignores_its_children);
  tcase_add_test(t, a_child_begins_clean);
  tcase_add_test(t, a_host_without_standard_streams);
  tcase_add_test(t, many_at_once);
  tcase_add_test(t, without_memory);
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
