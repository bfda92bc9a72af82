/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 32768 };

/* The file while it is read, a chunk at a time. */
typedef struct source {
  const char *path;
  int fd;
  size_t file_size; /* 0 for a pipe */
  size_t n;         /* bytes in the chunk; 0 at the end of the file */
  unsigned char chunk[CHUNK];
} source;

const char *bytes_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

void bytes_free(bytes *b) {
  if (b->data)
    b->host->alloc(b->ctx, b->data, b->capacity, 0, BYTES_ALIGN);
  b->data = NULL;
  b->size = b->capacity = 0;
}

static int32_t system_error(bytes *b, const char *path, int number) {
  switch (number) {
  case ENOENT:
    return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_NOT_FOUND, "%s does not exist", path);
  case EACCES:
    return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_IO, "%s cannot be read: permission denied",
                            path);
  case EISDIR:
    return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_IO, "%s is a directory, wanted a file",
                            path);
  default:
    return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_IO,
                            "%s cannot be read (the operating system's error %d)", path, number);
  }
}

static int32_t open_source(bytes *b, source *s, const char *path) {
  s->path = path;
  s->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (s->fd < 0)
    return system_error(b, path, errno);
  struct stat status;
  int32_t result = FINDLR_OK;
  if (fstat(s->fd, &status) != 0)
    result = system_error(b, path, errno);
  else if (S_ISDIR(status.st_mode))
    result = system_error(b, path, EISDIR);
  else if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) /* /dev/zero never ends */
    result = findlr_host_fail(b->host, b->ctx, FINDLR_ERR_IO, "%s is a device, wanted a file", path);
  else if (S_ISREG(status.st_mode) && status.st_size > 0)
    s->file_size = (size_t)status.st_size;
  if (result)
    close(s->fd);
  return result;
}

/* Fills the chunk as far as the file goes. */
static int32_t next_chunk(bytes *b, source *s) {
  s->n = 0;
  while (s->n < sizeof s->chunk) {
    ssize_t n = read(s->fd, s->chunk + s->n, sizeof s->chunk - s->n);
    if (n == 0)
      break;
    if (n > 0)
      s->n += (size_t)n;
    else if (errno != EINTR)
      return system_error(b, s->path, errno);
  }
  return FINDLR_OK;
}

/* Makes room for `more` bytes after those there are; `expected` is a guess at the whole. */
static int32_t reserve(bytes *b, const char *path, size_t more, size_t expected) {
  if (more <= b->capacity - b->size)
    return FINDLR_OK;
  size_t wanted = b->capacity <= SIZE_MAX / 2 ? b->capacity * 2 : SIZE_MAX;
  if (wanted < expected)
    wanted = expected;
  if (wanted - b->size < more)
    wanted = b->size <= SIZE_MAX - more ? b->size + more : SIZE_MAX;
  void *data = b->host->alloc(b->ctx, b->data, b->capacity, wanted, BYTES_ALIGN);
  if (!data)
    return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_NO_MEMORY,
                            "there is not enough memory for the content of %s", path);
  b->data = data;
  b->capacity = wanted;
  return FINDLR_OK;
}

static int32_t read_plain(bytes *b, source *s) {
  int32_t status = FINDLR_OK;
  while (!status && s->n > 0) {
    status = reserve(b, s->path, s->n, s->file_size);
    if (status)
      break;
    memcpy(b->data + b->size, s->chunk, s->n);
    b->size += s->n;
    status = next_chunk(b, s);
  }
  return status;
}

#ifdef HAVE_ZLIB

/* zlib does not tell sizes when it frees: they stand before each block. */
enum { BLOCK_HEAD = 64 };

static void *zlib_alloc(void *opaque, unsigned items, unsigned size) {
  const bytes *b = opaque;
  size_t whole = (size_t)items * size + BLOCK_HEAD;
  unsigned char *block = b->host->alloc(b->ctx, NULL, 0, whole, BYTES_ALIGN);
  if (!block)
    return NULL;
  memcpy(block, &whole, sizeof whole);
  return block + BLOCK_HEAD;
}

static void zlib_free(void *opaque, void *ptr) {
  const bytes *b = opaque;
  unsigned char *block = (unsigned char *)ptr - BLOCK_HEAD;
  size_t whole;
  memcpy(&whole, block, sizeof whole);
  b->host->alloc(b->ctx, block, whole, 0, BYTES_ALIGN);
}

/* packed: bytes read so far, this chunk's included. *ended: the last member is complete. */
static int32_t unpack_chunk(bytes *b, source *s, z_stream *z, size_t packed, bool *ended) {
  size_t packed_size = s->file_size > packed ? s->file_size : packed;
  z->next_in = s->chunk;
  z->avail_in = (unsigned)s->n;
  do {
    if (*ended) { /* another member, or zeros to the end of the file as tapes have them */
      if (*z->next_in == 0) {
        z->next_in++, z->avail_in--;
        continue;
      }
      inflateReset(z);
      *ended = false;
    }
    int32_t status = reserve(b, s->path, CHUNK, packed_size < SIZE_MAX / 4 ? 4 * packed_size : 0);
    if (status)
      return status;
    size_t room = b->capacity - b->size;
    if (room > 1u << 30)
      room = 1u << 30;
    z->next_out = b->data + b->size;
    z->avail_out = (unsigned)room;
    int result = inflate(z, Z_NO_FLUSH);
    b->size += room - z->avail_out;
    if (result == Z_MEM_ERROR)
      return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_NO_MEMORY,
                              "there is not enough memory to unpack %s", s->path);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_FORMAT,
                              "%s is corrupt: its gzip data fails near byte %zu (%s)", s->path,
                              packed - z->avail_in, z->msg ? z->msg : "no reason given");
    if (b->size > BYTES_GZIP_SIZE && b->size / BYTES_GZIP_RATIO > packed_size)
      return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_LIMIT,
                              "%s unpacks to more than %zu MiB and more than %d times its size, "
                              "as a gzip bomb does",
                              s->path, BYTES_GZIP_SIZE >> 20, BYTES_GZIP_RATIO);
    *ended = result == Z_STREAM_END;
  } while (z->avail_in > 0 || (z->avail_out == 0 && !*ended));
  return FINDLR_OK;
}

static int32_t read_gzip(bytes *b, source *s) {
  z_stream z = { .zalloc = zlib_alloc, .zfree = zlib_free, .opaque = b };
  if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) /* 16: gzip and nothing else */
    return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_NO_MEMORY,
                            "there is not enough memory to unpack %s", s->path);
  int32_t status = FINDLR_OK;
  bool ended = false;
  size_t packed = 0;
  while (!status && s->n > 0) {
    packed += s->n;
    status = unpack_chunk(b, s, &z, packed, &ended);
    if (!status)
      status = next_chunk(b, s);
  }
  inflateEnd(&z);
  if (!status && !ended)
    status = findlr_host_fail(b->host, b->ctx, FINDLR_ERR_FORMAT,
                              "%s is truncated: its gzip data ends early, after %zu bytes", s->path,
                              packed);
  return status;
}

#else

static int32_t read_gzip(bytes *b, source *s) {
  return findlr_host_fail(b->host, b->ctx, FINDLR_ERR_UNSUPPORTED,
                          "%s is packed with gzip, and this build has no zlib to unpack it",
                          s->path);
}

#endif

int32_t bytes_read(bytes *b, const findlr_host *host, void *ctx, const char *path) {
  *b = (bytes){ .host = host, .ctx = ctx };
  source s = { .fd = -1 };
  int32_t status = open_source(b, &s, path);
  if (status)
    return status;
  status = next_chunk(b, &s);
  if (!status && s.n >= 2 && s.chunk[0] == 0x1f && s.chunk[1] == 0x8b)
    status = read_gzip(b, &s);
  else if (!status)
    status = read_plain(b, &s);
  close(s.fd);
  if (!status && b->size == 0)
    status = findlr_host_fail(host, ctx, FINDLR_ERR_FORMAT, "%s is empty", path);
  if (status)
    bytes_free(b);
  return status;
}
