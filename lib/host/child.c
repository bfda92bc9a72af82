/* SPDX-License-Identifier: MIT */
/* pipe2, and closing what the child should not inherit */
#define _GNU_SOURCE
#include "host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "train/services.h"

extern char **environ;

enum {
  LONGEST_HEARD = 1024, /* bytes of a printed line; longer ones are logged in pieces */
  WORDS = 3,            /* lines that are remembered */
  LONGEST_WORDS = 200,  /* bytes of each */
  SLICE = 50,           /* milliseconds between looks whether it is still there */
  FAREWELL = 1,         /* seconds that a child may take to end after its last byte */
  OVERTIME = 100000000, /* nanoseconds in which what is there is still taken */
  EAGER = 400000,       /* nanoseconds of looking at the channel before sleeping, at least, ... */
  PATIENT = 3000000,    /* ... and at most, where answers keep coming within that time */
  LISTEN = 10000000     /* nanoseconds after which one listens all the same */
};

struct findlr__child {
  const findlr_host *host;
  void *ctx;
  int32_t log_level;
  uint32_t channel;
  pid_t pid;       /* 0 once it was waited for */
  bool status_known;
  int status;      /* as waitpid gives it */
  int to, from;    /* the channel, one descriptor if a socket; -1: closed */
  int held;        /* the child's own end of `to`: while it is open, writing cannot raise SIGPIPE */
  int heard;       /* what it prints */
  char name[96];
  char printed[LONGEST_HEARD]; /* a line of it that is not complete */
  size_t printed_length;
  int64_t listened; /* when, while answers came without waiting */
  int64_t waited;   /* nanoseconds for the answer before */
  char words[WORDS][LONGEST_WORDS]; /* a ring */
  uint32_t word_count;
  char buffer[FINDLR__CHILD_LONGEST_LINE + 1]; /* read from the channel, not yet asked for */
  size_t first, last;
  bool skipping; /* the rest of a line that was too long */
};

/* --- time ------------------------------------------------------------------------------------ */

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

findlr__deadline findlr__deadline_in(double seconds) {
  findlr__deadline never = { INT64_MAX, seconds };
  if (!isfinite(seconds) || seconds > 1e9)
    return never;
  return (findlr__deadline){ now() + (int64_t)(seconds * 1e9), seconds };
}

/* --- what it prints -------------------------------------------------------------------------- */

void findlr__child_hear(findlr__child *child, const char *text, size_t length) {
  char line[LONGEST_HEARD];
  size_t n = findlr__one_line(line, sizeof line, text, length);
  while (n > 0 && line[n - 1] == ' ')
    line[--n] = 0;
  if (n == 0)
    return;
  child->host->log(child->ctx, child->log_level, line, n);
  char *words = child->words[child->word_count++ % WORDS];
  findlr__one_line(words, LONGEST_WORDS, line, n);
}

static void hear_printed(findlr__child *child) {
  findlr__child_hear(child, child->printed, child->printed_length);
  child->printed_length = 0;
}

/* Takes what there is to hear, at most one buffer of it. False: nothing for now. */
static bool listen_once(findlr__child *child) {
  char bytes[4096];
  ssize_t n = child->heard < 0 ? -1 : read(child->heard, bytes, sizeof bytes);
  if (n == 0 || (n < 0 && child->heard >= 0 && errno != EAGAIN && errno != EINTR)) {
    close(child->heard);
    child->heard = -1;
  }
  for (ssize_t i = 0; i < n; i++) {
    /* Progress bars end their lines with a carriage return. */
    bool end = bytes[i] == '\n' || bytes[i] == '\r';
    if (!end)
      child->printed[child->printed_length++] = bytes[i];
    if (end || child->printed_length == sizeof child->printed - 1)
      hear_printed(child);
  }
  return n > 0;
}

/* As much as a pipe holds; somebody else may still be writing. */
static void hear_the_rest(findlr__child *child) {
  for (int i = 0; i < 32 && listen_once(child); i++)
    ;
  hear_printed(child);
}

/* --- its end --------------------------------------------------------------------------------- */

/* Has it ended? Then what it left in its process group is killed, while its own number cannot have been
 * given to another process yet, and it is waited for. */
static bool has_ended(findlr__child *child) {
  if (!child->pid)
    return true;
  siginfo_t info = { 0 };
  if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    if (errno == EINTR)
      return false;
    child->pid = 0; /* the program waits for all children, or ignores SIGCHLD */
    return true;
  }
  if (info.si_pid == 0)
    return false;
  kill(-child->pid, SIGKILL);
  pid_t waited;
  do
    waited = waitpid(child->pid, &child->status, 0);
  while (waited < 0 && errno == EINTR);
  child->status_known = waited == child->pid;
  child->pid = 0;
  return true;
}

enum { READY, LATE, ENDED };

/* Waits until fd (-1: nothing) is ready, listening meanwhile. ENDED: nothing will come any more, though
 * somebody else may keep the descriptor open. */
static int wait_for(findlr__child *child, int fd, short events, findlr__deadline deadline) {
  for (;;) {
    struct pollfd fds[] = { { fd, events, 0 }, { child->heard, POLLIN, 0 } };
    int64_t left = deadline.at == INT64_MAX ? INT64_MAX : deadline.at - now();
    if (left < -OVERTIME)
      return LATE; /* a child that chatters faster than we read */
    int milliseconds = left <= 0 ? 0 : left / 1000000 < SLICE ? (int)(left / 1000000) + 1 : SLICE;
    if (fd < 0 && milliseconds > 2)
      milliseconds = 2; /* only the end is waited for */
    int n = poll(fds, 2, milliseconds);
    if (n > 0 && fds[1].revents)
      listen_once(child);
    if (n > 0 && fds[0].revents)
      return READY;
    if ((n == 0 || fd < 0) && has_ended(child)) {
      /* It may have written between the two looks. */
      fds[0].revents = 0;
      return fd >= 0 && poll(fds, 1, 0) > 0 ? READY : ENDED;
    }
    if (left <= 0)
      return LATE;
  }
}

static void close_descriptor(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void close_channel(findlr__child *child) {
  if (child->from == child->to)
    child->from = -1;
  close_descriptor(&child->to);
  close_descriptor(&child->from);
  close_descriptor(&child->held);
}

static const char *signal_name(int number) {
  switch (number) {
#define NAME(name)                                                                                 \
  case name:                                                                                       \
    return #name;
    NAME(SIGABRT)
    NAME(SIGALRM)
    NAME(SIGBUS)
    NAME(SIGFPE)
    NAME(SIGHUP)
    NAME(SIGILL)
    NAME(SIGINT)
    NAME(SIGKILL)
    NAME(SIGPIPE)
    NAME(SIGQUIT)
    NAME(SIGSEGV)
    NAME(SIGSYS)
    NAME(SIGTERM)
    NAME(SIGTRAP)
    NAME(SIGUSR1)
    NAME(SIGUSR2)
    NAME(SIGXCPU)
    NAME(SIGXFSZ)
#undef NAME
  default:
    return "another signal";
  }
}

/* Nothing more comes through the channel: says how the child ended. */
static int32_t gone(findlr__child *child, findlr_error *err) {
  wait_for(child, -1, 0, findlr__deadline_in(FAREWELL));
  if (child->pid)
    return findlr__child_fail(child, err, FINDLR_ERR_BACKEND,
                              "closed its side of the channel without ending");
  if (!child->status_known)
    return findlr__child_fail(child, err, FINDLR_ERR_BACKEND,
                              "ended; how is not known, since the program waits for its children itself");
  if (WIFSIGNALED(child->status))
    return findlr__child_fail(child, err, FINDLR_ERR_BACKEND, "was killed by signal %d (%s)",
                              WTERMSIG(child->status), signal_name(WTERMSIG(child->status)));
  return findlr__child_fail(child, err, FINDLR_ERR_BACKEND, "exited with status %d",
                            WEXITSTATUS(child->status));
}

int32_t findlr__child_fail(findlr__child *child, findlr_error *err, int32_t code, const char *format,
                           ...) {
  hear_the_rest(child);
  char what[FINDLR_MESSAGE_SIZE];
  va_list args;
  va_start(args, format);
  findlr__format_list(what, sizeof what, format, args);
  va_end(args);
  char words[WORDS * (LONGEST_WORDS + 3)] = "";
  size_t length = strlen(child->name) + strlen(what) + sizeof "; its last words: ";
  uint32_t count = child->word_count < WORDS ? child->word_count : WORDS, taken = 0;
  size_t room = length < FINDLR_MESSAGE_SIZE ? FINDLR_MESSAGE_SIZE - length : 0;
  for (; taken < count; taken++) { /* as many of the last lines as the sentence can hold */
    size_t more = strlen(child->words[(child->word_count - 1 - taken) % WORDS]) + 3;
    if (more > room && taken > 0)
      break;
    room = more < room ? room - more : 0;
  }
  for (uint32_t i = taken; i > 0; i--)
    findlr__format(words + strlen(words), sizeof words - strlen(words), "%s%s",
                   child->words[(child->word_count - i) % WORDS], i > 1 ? " / " : "");
  char sentence[2 * FINDLR_MESSAGE_SIZE];
  findlr__format(sentence, sizeof sentence, "%s %s%s%s", child->name, what,
                 taken ? "; its last words: " : "", words);
  char whole[FINDLR_MESSAGE_SIZE]; /* cut between two characters */
  findlr__one_line(whole, sizeof whole, sentence, strlen(sentence));
  return findlr__fail(err, code, "%s", whole);
}

/* --- start ----------------------------------------------------------------------------------- */

/* A descriptor that no dup2 of the child's start can meet. */
static int move_up(int fd) {
  if (fd < 0 || fd > FINDLR__CHILD_FD)
    return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, FINDLR__CHILD_FD + 1);
  int error = errno;
  close(fd);
  errno = error;
  return moved;
}

static bool make_pair(int ends[2], bool sockets) {
  int made = sockets ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
                    : pipe2(ends, O_CLOEXEC);
  if (made != 0) {
    ends[0] = ends[1] = -1;
    return false;
  }
  ends[0] = move_up(ends[0]);
  ends[1] = move_up(ends[1]);
  return ends[0] >= 0 && ends[1] >= 0;
}

static bool do_not_block(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* What posix_spawn does in the child before the program begins; all of these return an errno. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                   uint32_t channel, int in, int out, int printed) {
  bool one = channel == FINDLR__CHILD_SOCKET;
  sigset_t all, none;
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  sigemptyset(&none);
  int error = one ? posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)
                     : posix_spawn_file_actions_adddup2(actions, in, 0);
  if (!error)
    error = posix_spawn_file_actions_adddup2(actions, one ? printed : out, 1);
  if (!error)
    error = posix_spawn_file_actions_adddup2(actions, printed, 2);
  if (!error && one)
    error = posix_spawn_file_actions_adddup2(actions, in, FINDLR__CHILD_FD);
#ifdef HAVE_SPAWN_CLOSEFROM
  if (!error) /* what the program opened without O_CLOEXEC */
    error = posix_spawn_file_actions_addclosefrom_np(actions, one ? FINDLR__CHILD_FD + 1 : 3);
#endif
  if (!error)
    error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETPGROUP);
  if (!error)
    error = posix_spawnattr_setsigdefault(attributes, &all);
  if (!error)
    error = posix_spawnattr_setsigmask(attributes, &none);
  if (!error)
    error = posix_spawnattr_setpgroup(attributes, 0);
  return error;
}

/* The environment with more in it, which stands in place of what has the same name. The strings are
 * borrowed. NULL: no memory. */
static const char **environment(const findlr__child *child, const char *const *more, size_t *ret_size) {
  size_t count = 0, most = 1;
  while (environ && environ[most - 1])
    most++;
  for (size_t i = 0; more && more[i]; i++)
    most++;
  *ret_size = most * sizeof(char *);
  const char **all = child->host->alloc(child->ctx, NULL, 0, *ret_size, _Alignof(char *));
  if (!all)
    return NULL;
  for (size_t i = 0; environ && environ[i]; i++) {
    bool replaced = false;
    for (size_t k = 0; more && more[k]; k++)
      replaced |= strncmp(environ[i], more[k], strcspn(more[k], "=") + 1) == 0;
    if (!replaced)
      all[count++] = environ[i];
  }
  for (size_t i = 0; more && more[i]; i++)
    all[count++] = more[i];
  all[count] = NULL;
  return all;
}

static int spawn(findlr__child *child, const char *const *argv, const char *const *variables, int in,
                 int out, int printed) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error)
    return error;
  error = posix_spawnattr_init(&attributes);
  if (!error) {
    error = prepare(&actions, &attributes, child->channel, in, out, printed);
    /* Neither is written to, for all their types. */
    char *const *words = (char *const *)(uintptr_t)argv, *const *rest = (char *const *)(uintptr_t)variables;
    if (!error)
      error = posix_spawnp(&child->pid, argv[0], &actions, &attributes, words, rest);
    if (error)
      child->pid = 0;
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static int32_t not_started(const char *program, int error, findlr_error *err) {
  if (error == ENOENT && !strchr(program, '/'))
    return findlr__fail(err, FINDLR_ERR_NOT_FOUND, "cannot start %s: there is no such program in PATH",
                        program);
  return findlr__fail(err, error == ENOENT ? FINDLR_ERR_NOT_FOUND : FINDLR_ERR_IO,
                      "cannot start %s: %s", program, strerror(error));
}

/* Makes the channel and starts the program. */
static int32_t start(findlr__child *child, const char *const *argv, const char *const *more,
                     findlr_error *err) {
  size_t size;
  const char **variables = environment(child, more, &size);
  if (!variables)
    return findlr__no_memory(err, "a child process");
  bool one = child->channel == FINDLR__CHILD_SOCKET;
  int requests[2] = { -1, -1 }, answers[2] = { -1, -1 }, prints[2] = { -1, -1 };
  bool made = make_pair(requests, one) && (one || make_pair(answers, false)) &&
              make_pair(prints, false);
  child->to = requests[1];
  child->from = one ? requests[1] : answers[0];
  child->held = one ? -1 : requests[0];
  child->heard = prints[0];
  made = made && do_not_block(child->to) && do_not_block(child->from) && do_not_block(child->heard);
  int error = made ? spawn(child, argv, variables, requests[0], answers[1], prints[1]) : errno;
  child->host->alloc(child->ctx, variables, size, 0, _Alignof(char *));
  if (one)
    close_descriptor(&requests[0]);
  close_descriptor(&answers[1]);
  close_descriptor(&prints[1]);
  return made && !error ? FINDLR_OK : not_started(argv[0], error, err);
}

int32_t findlr__child_start(const findlr__child_options *options, findlr__child **ret_child,
                            findlr_error *err) {
  const findlr_host *host = options->host;
  findlr__child *child =
      host->alloc(options->ctx, NULL, 0, sizeof *child, _Alignof(findlr__child));
  if (!child)
    return findlr__no_memory(err, "a child process");
  memset(child, 0, sizeof *child);
  child->host = host;
  child->ctx = options->ctx;
  child->log_level = options->log_level;
  child->channel = options->channel;
  const char *name = options->name ? options->name : options->argv[0];
  size_t length = findlr__one_line(child->name, sizeof child->name, name, strlen(name));
  if (length < strlen(name) && length > 3)
    memcpy(child->name + findlr__utf8(child->name, length - 3), "...", 4);
  int32_t status = start(child, options->argv, options->more, err);
  if (status != FINDLR_OK) {
    findlr__child_destroy(child, 0);
    return status;
  }
  *ret_child = child;
  return FINDLR_OK;
}

void findlr__child_destroy(findlr__child *child, double grace) {
  if (!child)
    return;
  /* Its answers are read on, so that it is not kept from ending by a full pipe. */
  int from = child->from == child->to ? -1 : child->from;
  child->from = child->from == child->to ? child->to : -1;
  close_channel(child);
  findlr__deadline deadline = findlr__deadline_in(grace);
  while (!has_ended(child) && wait_for(child, from, POLLIN, deadline) == READY) {
    ssize_t n = read(from, child->buffer, sizeof child->buffer);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
      close_descriptor(&from);
    if (now() > deadline.at)
      break;
  }
  if (!has_ended(child)) {
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
      ;
  }
  hear_the_rest(child);
  close_descriptor(&from);
  close_descriptor(&child->heard);
  child->host->alloc(child->ctx, child, sizeof *child, 0, _Alignof(findlr__child));
}

pid_t findlr__child_pid(const findlr__child *child) {
  return child->pid;
}

/* --- the channel ----------------------------------------------------------------------------- */

int32_t findlr__child_write(findlr__child *child, const void *bytes, size_t size,
                            findlr__deadline deadline, findlr_error *err) {
  const char *from = bytes;
  while (size > 0) {
    ssize_t n = child->channel == FINDLR__CHILD_SOCKET ? send(child->to, from, size, MSG_NOSIGNAL)
                                                       : write(child->to, from, size);
    if (n > 0) {
      from += n;
      size -= (size_t)n;
      continue;
    }
    if (n < 0 && errno == EINTR)
      continue;
    int state = n < 0 && errno == EAGAIN ? wait_for(child, child->to, POLLOUT, deadline) : ENDED;
    if (state == LATE)
      return findlr__child_fail(child, err, FINDLR_ERR_BACKEND, "took no request for %g seconds",
                                deadline.seconds);
    if (state == ENDED)
      return gone(child, err);
  }
  return FINDLR_OK;
}

/* How long to look before sleeping: waking up takes longer than a small step, so a little longer than the
 * answer before took; where that is long anyway, hardly at all. */
static int64_t patience(const findlr__child *child) {
  int64_t usual = child->waited + child->waited / 2;
  return usual > PATIENT || usual < EAGER ? EAGER : usual;
}

/* Reads at least one byte into the place. FINDLR_DONE: no more will come. Whoever else wants the core gets
 * it while one looks. */
static int32_t receive(findlr__child *child, void *place, size_t size, size_t *ret_size,
                       findlr__deadline deadline, findlr_error *err) {
  int64_t begin = now(), t = begin, eager = begin + patience(child);
  if (eager > deadline.at)
    eager = deadline.at;
  for (; t < eager; t = now()) {
    ssize_t n = read(child->from, place, size);
    if (n > 0) {
      *ret_size = (size_t)n;
      child->waited = t - begin;
      if (child->channel == FINDLR__CHILD_STDIO || t > child->listened + LISTEN) {
        child->listened = t;
        listen_once(child);
      }
      return FINDLR_OK;
    }
    if (n == 0 || errno != EAGAIN)
      break;
    sched_yield();
  }
  for (;;) {
    int state = wait_for(child, child->from, POLLIN, deadline);
    if (state == LATE)
      return findlr__child_fail(child, err, FINDLR_ERR_BACKEND, "gave no answer within %g seconds",
                                deadline.seconds);
    ssize_t n = state == ENDED ? 0 : read(child->from, place, size);
    if (n > 0) {
      *ret_size = (size_t)n;
      child->waited = now() - begin;
      return FINDLR_OK;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
      return FINDLR_DONE;
  }
}

int32_t findlr__child_read(findlr__child *child, void *bytes, size_t size, findlr__deadline deadline,
                           findlr_error *err) {
  char *to = bytes;
  while (size > 0) {
    size_t n = child->last - child->first;
    int32_t status = FINDLR_OK;
    if (n == 0 && size >= sizeof child->buffer) {
      status = receive(child, to, size, &n, deadline, err);
    } else {
      if (n == 0) {
        status = receive(child, child->buffer, sizeof child->buffer, &n, deadline, err);
        child->first = 0;
        child->last = status == FINDLR_OK ? n : 0;
      }
      n = n < size ? n : size;
      if (status == FINDLR_OK)
        memcpy(to, child->buffer + child->first, n);
      child->first += status == FINDLR_OK ? n : 0;
    }
    if (status != FINDLR_OK)
      return status == FINDLR_DONE ? gone(child, err) : status;
    to += n;
    size -= n;
  }
  return FINDLR_OK;
}

/* A line that ends before `end`, which is where its newline stands, if it has one. */
static findlr__child_line take_line(findlr__child *child, size_t end, bool whole) {
  findlr__child_line line = { child->buffer + child->first, end - child->first, whole };
  child->first = end < child->last ? end + 1 : child->last;
  child->buffer[end] = 0;
  if (line.length > 0 && line.text[line.length - 1] == '\r')
    child->buffer[end - 1] = 0, line.length--;
  return line;
}

bool findlr__child_has_line(const findlr__child *child) {
  return !child->skipping &&
         memchr(child->buffer + child->first, '\n', child->last - child->first) != NULL;
}

int32_t findlr__child_read_line(findlr__child *child, findlr__deadline deadline,
                                findlr__child_line *ret_line, findlr_error *err) {
  size_t looked = child->first;
  for (;;) {
    const char *newline = memchr(child->buffer + looked, '\n', child->last - looked);
    if (newline && child->skipping) {
      child->first = looked = (size_t)(newline - child->buffer) + 1;
      child->skipping = false;
      continue;
    }
    if (newline) {
      *ret_line = take_line(child, (size_t)(newline - child->buffer), true);
      return FINDLR_OK;
    }
    if (child->skipping)
      child->first = child->last;
    size_t length = child->last - child->first;
    if (length == FINDLR__CHILD_LONGEST_LINE) {
      *ret_line = take_line(child, child->last, false);
      child->skipping = true;
      return FINDLR_OK;
    }
    memmove(child->buffer, child->buffer + child->first, length);
    child->first = 0;
    child->last = looked = length;
    size_t n;
    int32_t status = receive(child, child->buffer + length, FINDLR__CHILD_LONGEST_LINE - length, &n,
                             deadline, err);
    if (status == FINDLR_DONE && length > 0) {
      *ret_line = take_line(child, child->last, true);
      return FINDLR_OK;
    }
    if (status != FINDLR_OK)
      return status == FINDLR_DONE ? gone(child, err) : status;
    child->last += n;
  }
}
