/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* initstate, setstate */
#include "manners.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* In the C library's terms rand() and random() share one generator, whose memory the caller may choose:
 * initstate and setstate answer with the memory used until then. */
void manners_seed(manners_random *random, uint64_t seed) {
  pthread_mutex_lock(&lock);
  memset(random, 0, sizeof *random);
  char *host = initstate((unsigned int)(seed ^ seed >> 32), (char *)random->state, sizeof random->state);
  setstate(host);
  pthread_mutex_unlock(&lock);
}

static int copy_of(int fd) {
  return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

int manners_file(void) {
  const char *folder = getenv("TMPDIR");
  char path[4096];
  const int n = snprintf(path, sizeof path, "%s/findlr-darknet-XXXXXX",
                         folder && *folder ? folder : "/tmp");
  const int fd = n > 0 && (size_t)n < sizeof path ? mkstemp(path) : -1;
  if (fd >= 0) {
    unlink(path);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return fd;
}

void manners_begin(manners *m, manners_random *random, int output) {
  pthread_mutex_lock(&lock);
  m->out = m->err = m->printed = -1;
  m->own_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  m->host_locale = m->own_locale ? uselocale(m->own_locale) : (locale_t)0;
  if (output != MANNERS_SILENT) {
    fflush(stdout);
    fflush(stderr);
    m->out = copy_of(STDOUT_FILENO);
    m->err = copy_of(STDERR_FILENO);
    if (output == MANNERS_CATCH) {
      m->printed = manners_file();
      if (m->printed < 0)
        m->printed = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (m->printed >= 0 && m->err >= 0)
      dup2(m->printed, STDERR_FILENO);
    if (m->out >= 0 && m->err >= 0)
      dup2(m->printed >= 0 ? m->printed : m->err, STDOUT_FILENO);
  }
  m->host_random = setstate((char *)random->state);
}

static void log_printed(const manners *m, const findlr_host *host, void *ctx) {
  char line[512];
  size_t n = 0;
  char c;
  lseek(m->printed, 0, SEEK_SET);
  for (;;) {
    const int more = read(m->printed, &c, 1) == 1;
    if (n && (!more || c == '\n' || n == sizeof line)) {
      host->log(ctx, FINDLR_LOG_DEBUG, line, n);
      n = 0;
    }
    if (!more)
      return;
    if (c != '\n')
      line[n++] = c;
  }
}

void manners_end(manners *m, const findlr_host *host, void *ctx) {
  setstate(m->host_random); /* which writes our position into our memory */
  if (m->out >= 0 || m->err >= 0) {
    fflush(stdout);
    fflush(stderr);
    if (m->out >= 0) {
      dup2(m->out, STDOUT_FILENO);
      close(m->out);
    }
    if (m->err >= 0) {
      dup2(m->err, STDERR_FILENO);
      close(m->err);
    }
  }
  if (m->own_locale) {
    uselocale(m->host_locale);
    freelocale(m->own_locale);
  }
  if (m->printed >= 0) {
    log_printed(m, host, ctx);
    close(m->printed);
  }
  pthread_mutex_unlock(&lock);
}
