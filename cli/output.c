/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

struct output {
  FILE *stream;
  char *path;      /* as given, for sentences */
  char *target;    /* the file that it becomes; NULL: written directly */
  char *unfinished; /* its name until then */
  int error;       /* errno of the first write that failed */
};

static FILE *standard; /* the real standard output; NULL if the program was started without one */
static bool taken;     /* by a result */

/* The unfinished files, for the signal handler: only ever complete strings, or NULL. */
enum { MOST_OUTPUTS = 4 };
static char *volatile unfinished[MOST_OUTPUTS];

void output_claim_stdout(void) {
  /* No descriptor of ours may be taken for one of the three. */
  int fd;
  bool closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
  while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
    ;
  if (fd >= 0)
    close(fd);
  int copy = closed ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  standard = copy < 0 ? NULL : fdopen(copy, "w");
  dup2(STDERR_FILENO, STDOUT_FILENO);
}

FILE *output_text(void) {
  return taken || !standard ? stderr : standard;
}

bool output_is_stdout(const char *path) {
  static const char *const names[] = { "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1" };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(path, names[i]) == 0)
      return true;
  return false;
}

/* The file that a path leads to, through symbolic links; it need not exist yet. */
static char *resolve(const char *path) {
  char *whole = realpath(path, NULL);
  if (whole || errno != ENOENT)
    return whole;
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  char *folder = slash ? joined(path, "", "") : joined(".", "", "");
  if (slash)
    folder[slash - path + 1] = 0;
  char *where = realpath(folder, NULL);
  free(folder);
  if (where && *name)
    whole = joined(strcmp(where, "/") == 0 ? "" : where, "/", name);
  else if (where)
    errno = EISDIR;
  free(where);
  return whole;
}

bool output_same(const char *a, const char *b) {
  if (output_is_stdout(a) || output_is_stdout(b))
    return output_is_stdout(a) && output_is_stdout(b);
  char *x = resolve(a), *y = resolve(b);
  bool same = x && y && strcmp(x, y) == 0;
  free(x);
  free(y);
  return same;
}

static int32_t cannot(const char *verb, const char *path, int error, findlr_error *err) {
  return fail(err, FINDLR_ERR_IO, "cannot %s %s: %s", verb,
              output_is_stdout(path) ? "standard output" : path, strerror(error));
}

static void forget(output *self) {
  for (int i = 0; i < MOST_OUTPUTS; i++)
    if (unfinished[i] == self->unfinished)
      unfinished[i] = NULL;
}

static void destroy(output *self) {
  if (self->unfinished) {
    unlink(self->unfinished);
    forget(self);
  }
  free(self->unfinished);
  free(self->target);
  free(self->path);
  free(self);
}

/* A new file beside the target, with the rights that the target has or would get. */
static int open_beside(output *self, const struct stat *old) {
  size_t folder = (size_t)(strrchr(self->target, '/') - self->target) + 1;
  char *name = joined(self->target, "", ".XXXXXX.");
  memmove(name + folder + 1, name + folder, strlen(name + folder) - 1);
  name[folder] = '.';
  int fd = mkstemp(name);
  if (fd < 0) {
    free(name);
    return -1;
  }
  self->unfinished = name;
  for (int i = 0; i < MOST_OUTPUTS; i++)
    if (!unfinished[i]) {
      unfinished[i] = name;
      break;
    }
  mode_t mask = umask(0);
  umask(mask);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fchmod(fd, old ? old->st_mode & 0777 : 0666 & ~mask);
  return fd;
}

int32_t output_open(const char *path, output **ret_output, findlr_error *err) {
  output *self = allocate(sizeof *self);
  *self = (output){ .path = joined(path, "", "") };
  if (output_is_stdout(path)) {
    if (!standard) {
      destroy(self);
      return cannot("write", path, EBADF, err);
    }
    self->stream = standard;
    taken = true;
    *ret_output = self;
    return FINDLR_OK;
  }
  struct stat old;
  bool exists = stat(path, &old) == 0;
  int fd = -1;
  if (exists && !S_ISREG(old.st_mode))
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  else if (exists && access(path, W_OK) != 0)
    fd = -1;
  else if ((self->target = resolve(path)) != NULL)
    fd = open_beside(self, exists ? &old : NULL);
  if (fd < 0 || (self->stream = fdopen(fd, "w")) == NULL) {
    int error = errno;
    if (fd >= 0)
      close(fd);
    destroy(self);
    return cannot("write", path, error, err);
  }
  *ret_output = self;
  return FINDLR_OK;
}

int32_t output_write(void *self, const void *bytes, size_t size) {
  output *out = self;
  errno = 0;
  if (!out->error && fwrite(bytes, 1, size, out->stream) != size)
    out->error = errno ? errno : EIO;
  return FINDLR_OK;
}

int32_t output_close(output *self, findlr_error *err) {
  int32_t status = FINDLR_OK;
  if (fflush(self->stream) != 0 && !self->error)
    self->error = errno;
  if (self->stream != standard && fclose(self->stream) != 0 && !self->error)
    self->error = errno;
  if (!self->error && self->target) {
    if (rename(self->unfinished, self->target) == 0) {
      forget(self);
      free(self->unfinished);
      self->unfinished = NULL;
    } else
      self->error = errno;
  }
  if (self->error)
    status = cannot("write", self->path, self->error, err);
  destroy(self);
  return status;
}

void output_discard(output *self) {
  if (!self)
    return;
  if (self->stream != standard)
    fclose(self->stream);
  destroy(self);
}

int32_t output_finish(findlr_error *err) {
  FILE *text = output_text();
  if (ferror(text) || fflush(text) != 0)
    return cannot("write", "-", errno ? errno : EIO, err);
  return FINDLR_OK;
}

void output_remove_unfinished(void) {
  for (int i = 0; i < MOST_OUTPUTS; i++)
    if (unfinished[i])
      unlink(unfinished[i]);
}
