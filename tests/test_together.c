/* SPDX-License-Identifier: MIT */
/* Several heavy backends in one process, one after another and in turns: each computes what it computes by
 * itself, nobody works with more threads than it was given, and the process ends as it should. */
#define _DEFAULT_SOURCE /* usleep */
#include "backend.h"

#include <dirent.h>
#include <sys/wait.h>

enum { STEPS = 20, MOST = 4 };

static const char cfg[] = "[net]\nwidth=8\nheight=8\nchannels=1\n"
                          "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
                          "[maxpool]\nsize=2\nstride=2\n[dropout]\n"
                          "[connected]\noutput=10\nactivation=linear\n[softmax]\n";
static char cfg_path[64], darknet_model[128];

typedef struct backend {
  const char *name, *model, *data, *optimizer;
} backend;

/* Those of this build; the others are named on standard error. */
static backend backends[MOST];
static int backend_count;

static void find_backends(void) {
  snprintf(cfg_path, sizeof cfg_path, "%s", backend_file(cfg, strlen(cfg)));
  snprintf(darknet_model, sizeof darknet_model, "darknet:%s", cfg_path);
  const backend all[MOST] = {
    { "mlp", "mlp:hidden=64x32", NULL, NULL },
#ifdef HAVE_FANN
    { "fann", "fann:momentum=0.9", NULL, NULL },
#else
    { "fann", NULL, NULL, NULL },
#endif
#ifdef HAVE_DARKNET
    { "darknet", darknet_model, NULL, NULL },
#else
    { "darknet", NULL, NULL, NULL },
#endif
#ifdef TORCH_FILES
    { "torch", "torch:file=\"" TORCH_FILES "/cnn.pt\",shape=1x8x8", NULL, NULL },
#else
    { "torch", NULL, NULL, NULL },
#endif
  };
  for (int i = 0; i < MOST; i++)
    if (all[i].model)
      backends[backend_count++] = all[i];
    else
      fprintf(stderr, "skipped: %s, which is not part of this build\n", all[i].name);
}

static findlr_session *open_backend(const backend *b, uint32_t threads) {
  findlr_session_options o = backend_defaults(b->model);
  o.data = b->data;
  o.optimizer = b->optimizer;
  o.threads = threads;
  o.seed = 5;
  return backend_session(&o);
}

/* What a process of its own finds: the losses of every backend that it was asked for. */
typedef struct losses {
  double of[MOST][STEPS];
} losses;

/* Runs body in a child, which ends as a program ends, with every destructor of every library. */
static losses in_a_process(void (*body)(losses *found, int which), int which) {
  int ends[2], status = 0;
  losses found;
  memset(&found, 0, sizeof found);
  ck_assert_int_eq(pipe(ends), 0);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    backend_open();
    body(&found, which);
    backend_close();
    const char *at = (const char *)&found;
    for (size_t done = 0; done < sizeof found;) {
      const ssize_t n = write(ends[1], at + done, sizeof found - done);
      if (n <= 0)
        _exit(3);
      done += (size_t)n;
    }
    exit(7);
  }
  close(ends[1]);
  char *at = (char *)&found;
  for (size_t done = 0; done < sizeof found;) {
    const ssize_t n = read(ends[0], at + done, sizeof found - done);
    if (n <= 0)
      break;
    done += (size_t)n;
  }
  close(ends[0]);
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "the process ended with status %x",
                (unsigned)status);
  return found;
}

static void take_steps(findlr_session *s, double *loss, int n) {
  for (int i = 0; i < n; i++)
    loss[i] = backend_step(s, 0.01);
}

static void alone(losses *found, int which) {
  findlr_session *s = open_backend(&backends[which], 1);
  take_steps(s, found->of[which], STEPS);
  findlr_session_destroy(s);
}

static void one_after_another(losses *found, int from) {
  for (int k = 0; k < backend_count; k++)
    alone(found, (from + k) % backend_count);
}

static void in_turns(losses *found, int from) {
  findlr_session *s[MOST];
  for (int k = 0; k < backend_count; k++)
    s[(from + k) % backend_count] = open_backend(&backends[(from + k) % backend_count], 1);
  for (int i = 0; i < STEPS; i++)
    for (int b = 0; b < backend_count; b++)
      take_steps(s[b], &found->of[b][i], 1);
  for (int b = 0; b < backend_count; b++)
    findlr_session_destroy(s[b]);
}

/* Left as they are: a program that ends without giving anything back. */
static void given_up(losses *found, int from) {
  for (int k = 0; k < backend_count; k++) {
    const int b = (from + k) % backend_count;
    take_steps(open_backend(&backends[b], 1), found->of[b], STEPS);
  }
}

static losses expected;

static void by_themselves(void) {
  find_backends();
  for (int b = 0; b < backend_count; b++)
    memcpy(expected.of[b], in_a_process(alone, b).of[b], sizeof expected.of[b]);
}

static void forget(void) {
  unlink(cfg_path);
}

static void check_same(void (*body)(losses *found, int which), int which) {
  const losses found = in_a_process(body, which);
  for (int b = 0; b < backend_count; b++)
    for (int i = 0; i < STEPS; i++)
      ck_assert_msg(found.of[b][i] == expected.of[b][i], "%s, step %d: %.17g, by itself %.17g",
                    backends[b].name, i, found.of[b][i], expected.of[b][i]);
}

/* Whichever of them is loaded first. */
START_TEST(one_after_another_they_compute_the_same) {
  for (int b = 0; b < backend_count; b++)
    check_same(one_after_another, b);
}
END_TEST

START_TEST(in_turns_they_compute_the_same) {
  for (int b = 0; b < backend_count; b++)
    check_same(in_turns, b);
}
END_TEST

START_TEST(a_program_may_end_without_giving_back) {
  check_same(given_up, 0);
}
END_TEST

#ifdef __linux__
/* Ticks of processor time that each thread of this process has had, the busiest first; returns how many
 * threads there are. */
static int thread_times(long ticks[64]) {
  int n = 0;
  DIR *folder = opendir("/proc/self/task");
  for (struct dirent *entry; (entry = readdir(folder)) && n < 64;) {
    char name[300], text[1024];
    if (*entry->d_name == '.')
      continue;
    snprintf(name, sizeof name, "/proc/self/task/%s/stat", entry->d_name);
    FILE *file = fopen(name, "r");
    const size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
      fclose(file);
    text[length] = 0;
    const char *after = strrchr(text, ')');
    long user = 0, kernel = 0;
    if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user,
                         &kernel) != 2)
      continue;
    int at = n++;
    for (; at > 0 && ticks[at - 1] < user + kernel; at--)
      ticks[at] = ticks[at - 1];
    ticks[at] = user + kernel;
  }
  closedir(folder);
  return n;
}

/* Each backend works for a while with one thread: then one thread has worked. Libraries may start threads
 * when they are loaded (OpenBLAS does, which comes with darknet's OpenCV), but these have nothing to do. */
static void works_with_one_thread(losses *found, int which) {
  long before[64] = { 0 }, after[64] = { 0 };
  findlr_session *s = open_backend(&backends[which], 1);
  backend_step(s, 0.01);
  usleep(500000); /* OpenBLAS's threads turn round for a moment before they go to sleep */
  thread_times(before);
  do {
    take_steps(s, found->of[which], STEPS);
    thread_times(after);
  } while (after[0] - before[0] < 40);
  const int threads = thread_times(after);
  fprintf(stderr, "%s: %d threads, of which the busiest had %ld ticks and the next %ld\n",
          backends[which].name, threads, after[0] - before[0], after[1] - before[1]);
  ck_assert_int_le(after[1] - before[1], 4);
  findlr_session_destroy(s);
}

START_TEST(none_works_with_more_threads_than_given) {
  for (int b = 0; b < backend_count; b++)
    in_a_process(works_with_one_thread, b);
}
END_TEST
#endif

static Suite *suite(void) {
  Suite *s = suite_create("together");
  TCase *t = tcase_create("together");
  tcase_add_checked_fixture(t, by_themselves, forget);
  tcase_set_timeout(t, 240);
  tcase_add_test(t, one_after_another_they_compute_the_same);
  tcase_add_test(t, in_turns_they_compute_the_same);
  tcase_add_test(t, a_program_may_end_without_giving_back);
#ifdef __linux__
  tcase_add_test(t, none_works_with_more_threads_than_given);
#endif
  suite_add_tcase(s, t);
  return s;
}

TEST_MAIN(suite())
