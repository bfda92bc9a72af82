/* SPDX-License-Identifier: MIT */
/* findlr-worker: a session in a process of its own. libfindlr starts it for findlr_isolated_create with
 * a socket as descriptor 3, describes the session, and then asks for steps. Standard output and standard
 * error lead to the library, which keeps what backends print as their last words. Signals, process
 * group and the other descriptors are as for a fresh program: that is the starter's work.
 *
 * It ends when the library says so, closes the socket, or dies. The last is the kernel's to tell
 * (Linux), since a backend that is stuck in a step reads no socket. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "findlr/findlr.h"
#include "host/messages.h"

enum {
  CHANNEL = 3,
  EAGER = 400000, /* nanoseconds of looking for a request before sleeping, as the library does */
  EXIT_USAGE = 2
};

static void *take(void *ud, void *ptr, size_t old_size, size_t new_size, size_t align) {
  (void)ud, (void)old_size, (void)align;
  if (new_size)
    return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

static const findlr_allocator memory = { sizeof memory, 0, NULL, take };

/* What there is one of. */
typedef struct worker {
  findlr__inbox inbox;
  pthread_mutex_t sending; /* backends may log from threads of their own */
  findlr__frame_out answer;
  findlr_context *context;
  findlr_session *session;
} worker;

/* --- living and dying with the parent -------------------------------------------------------- */

static volatile sig_atomic_t parent;

/* The thread that started us is gone, and with it perhaps the process. */
static void parent_ended(int number) {
  (void)number;
  if (getppid() != (pid_t)parent)
    kill(getpid(), SIGKILL);
}

static void follow(int64_t pid) {
  parent = (sig_atomic_t)pid;
#ifdef __linux__
  /* SIGHUP and not SIGKILL: the signal also comes when only the thread ended that made the trainer. */
  struct sigaction action = { .sa_handler = parent_ended, .sa_flags = SA_RESTART };
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, NULL);
  prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
#endif
  if (getppid() != (pid_t)pid)
    _exit(EXIT_FAILURE); /* it ended before it could be followed */
}

/* --- the channel ----------------------------------------------------------------------------- */

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int32_t receive(void *ud, void *bytes, size_t size) {
  (void)ud;
  int64_t until = now() + EAGER;
  for (char *to = bytes; size > 0;) {
    bool eager = now() < until;
    ssize_t n = recv(CHANNEL, to, size, eager ? MSG_DONTWAIT : 0);
    if (n < 0 && eager && errno == EAGAIN) {
      sched_yield();
      continue;
    }
    if (n == 0 || (n < 0 && errno != EINTR))
      return FINDLR_ERR_IO;
    to += n > 0 ? n : 0;
    size -= n > 0 ? (size_t)n : 0;
  }
  return FINDLR_OK;
}

static void transmit(worker *w, const findlr__frame_out *f) {
  if (f->failed)
    _exit(EXIT_FAILURE); /* without memory for an answer nothing can be said */
  pthread_mutex_lock(&w->sending);
  for (size_t at = 0; at < f->size;) {
    ssize_t n = send(CHANNEL, f->bytes + at, f->size - at, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR)
      _exit(EXIT_FAILURE); /* nobody listens */
    at += n > 0 ? (size_t)n : 0;
  }
  pthread_mutex_unlock(&w->sending);
}

static void log_line(void *ud, int32_t level, const char *text, size_t len) {
  findlr__frame_out line = { .allocator = &memory };
  findlr__frame_begin(&line, FINDLR__SAYS_LOG);
  findlr__frame_put_u32(&line, (uint32_t)level);
  findlr__frame_put_bytes(&line, text, len);
  transmit(ud, &line);
  findlr__frame_out_free(&line);
}

/* --- answers --------------------------------------------------------------------------------- */

static void begin_answer(worker *w, int32_t status, const findlr_error *err) {
  findlr__frame_begin(&w->answer, FINDLR__SAYS_ANSWER);
  findlr__frame_put_u32(&w->answer, (uint32_t)status);
  if (status < 0)
    findlr__frame_put_text(&w->answer, err->message);
}

static int32_t fail(findlr_error *err, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int32_t fail(findlr_error *err, int32_t code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
  return err->code = code;
}

/* --- requests -------------------------------------------------------------------------------- */

static int32_t limit_memory(uint64_t bytes, findlr_error *err) {
  struct rlimit limit = { (rlim_t)bytes, (rlim_t)bytes };
  if (bytes == 0 || setrlimit(RLIMIT_AS, &limit) == 0)
    return FINDLR_OK;
  return fail(err, FINDLR_ERR_LIMIT, "the worker's memory cannot be limited: %s", strerror(errno));
}

static int32_t load_plugins(worker *w, findlr__frame_in *f, uint32_t count, findlr_error *err) {
  int32_t status = FINDLR_OK;
  for (uint32_t i = 0; status == FINDLR_OK && i < count; i++) {
    const char *file = findlr__frame_text(f);
    if (!file)
      return fail(err, FINDLR_ERR_FORMAT, "the worker was sent a damaged list of plugins");
    status = findlr_load_plugin(w->context, file, err);
  }
  if (status == FINDLR_OK && !findlr__frame_whole(f))
    status = fail(err, FINDLR_ERR_FORMAT, "the worker was sent a damaged description");
  return status;
}

static int32_t create(worker *w, findlr__frame_in *f, findlr_error *err) {
  findlr__description d;
  const char *version = NULL;
  if (w->session)
    return fail(err, FINDLR_ERR_STATE, "the worker has a session already");
  if (!findlr__description_get(f, &d, &version))
    return version ? fail(err, FINDLR_ERR_UNSUPPORTED,
                          "the worker is of findlr %s, and was started by libfindlr %s", FINDLR_VERSION,
                          version)
                   : fail(err, FINDLR_ERR_FORMAT, "the worker was sent a damaged description");
  follow(d.parent);
  int32_t status = limit_memory(d.memory_limit, err);
  if (status != FINDLR_OK)
    return status;
  findlr_context_options options;
  findlr_context_options_init(&options, sizeof options);
  options.flags = d.context_flags;
  options.log = log_line;
  options.log_ud = w;
  options.log_level = d.log_level;
  options.plugin_path = d.plugin_path;
  status = findlr_context_create(&options, &w->context, err);
  if (status == FINDLR_OK)
    status = load_plugins(w, f, d.plugin_count, err);
  if (status == FINDLR_OK)
    status = findlr_session_create(w->context, &d.options, &w->session, err);
  return status;
}

static void answer_create(worker *w, findlr__frame_in *f, findlr_error *err) {
  findlr_session_info info = { .struct_size = sizeof info };
  int32_t status = create(w, f, err);
  if (status == FINDLR_OK)
    status = findlr_session_describe(w->session, &info, err);
  begin_answer(w, status, err);
  if (status != FINDLR_OK)
    return;
  findlr__info_put(&w->answer, &info);
  for (uint32_t g = 0; g < info.group_count; g++)
    findlr__info_put_group(&w->answer, findlr_session_group_pattern(w->session, g),
                           findlr_session_group_factor(w->session, g));
}

static void answer_step(worker *w, findlr__frame_in *f, findlr_error *err) {
  double rates[FINDLR__MOST_GROUPS], loss = 0;
  uint32_t n = findlr__frame_u32(f);
  for (uint32_t i = 0; i < n && i < FINDLR__MOST_GROUPS; i++)
    rates[i] = findlr__frame_real(f);
  int32_t status = n <= FINDLR__MOST_GROUPS && findlr__frame_whole(f)
                       ? findlr_session_step(w->session, rates, n, &loss, err)
                       : fail(err, FINDLR_ERR_FORMAT, "the worker was sent damaged rates");
  begin_answer(w, status, err);
  findlr__frame_put_real(&w->answer, loss);
}

static void answer(worker *w, findlr__frame_in *f) {
  findlr_error err = FINDLR_ERROR_INIT;
  double loss = 0;
  uint64_t hash = 0;
  if (!w->session && f->kind != FINDLR__ASK_CREATE && f->kind != FINDLR__ASK_QUIT) {
    begin_answer(w, fail(&err, FINDLR_ERR_STATE, "the worker has no session yet"), &err);
    return;
  }
  switch (f->kind) {
  case FINDLR__ASK_CREATE:
    answer_create(w, f, &err);
    break;
  case FINDLR__ASK_STEP:
    answer_step(w, f, &err);
    break;
  case FINDLR__ASK_EVALUATE:
    begin_answer(w, findlr_session_evaluate(w->session, &loss, &err), &err);
    findlr__frame_put_real(&w->answer, loss);
    break;
  case FINDLR__ASK_SAVE:
    begin_answer(w, findlr_session_save(w->session, findlr__frame_u32(f), &err), &err);
    break;
  case FINDLR__ASK_RESTORE:
    begin_answer(w, findlr_session_restore(w->session, findlr__frame_u32(f), &err), &err);
    break;
  case FINDLR__ASK_FINGERPRINT:
    begin_answer(w, findlr_session_fingerprint(w->session, &hash, &err), &err);
    findlr__frame_put_u64(&w->answer, hash);
    break;
  case FINDLR__ASK_QUIT:
    findlr_session_destroy(w->session);
    findlr_context_destroy(w->context);
    begin_answer(w, FINDLR_OK, &err);
    break;
  default:
    begin_answer(w, fail(&err, FINDLR_ERR_UNSUPPORTED, "the worker was asked for something unknown"),
                 &err);
  }
}

int main(void) {
  struct stat channel;
  if (fstat(CHANNEL, &channel) != 0 || !S_ISSOCK(channel.st_mode)) {
    fprintf(stderr, "findlr-worker: libfindlr starts this program; it does nothing by itself\n");
    return EXIT_USAGE;
  }
  fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);   /* programs that a backend starts are not ours */
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* last words should not wait in a buffer */
  worker w = { .inbox = { .allocator = &memory, .read = receive }, .answer = { .allocator = &memory } };
  pthread_mutex_init(&w.sending, NULL);

  uint32_t kind = 0;
  findlr__frame_in request;
  while (kind != FINDLR__ASK_QUIT && findlr__inbox_next(&w.inbox, &request) == FINDLR_OK) {
    kind = request.kind;
    answer(&w, &request);
    transmit(&w, &w.answer);
  }
  fflush(NULL);
  _exit(kind == FINDLR__ASK_QUIT ? EXIT_SUCCESS : EXIT_FAILURE); /* what libraries do at exit is theirs to get wrong */
}
