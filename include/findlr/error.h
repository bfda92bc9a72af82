/* SPDX-License-Identifier: MIT */
#ifndef FINDLR_ERROR_H
#define FINDLR_ERROR_H

#include "base.h"

FINDLR_BEGIN

/* Every fallible function returns an int32_t status: 0 is success, a positive value is an outcome
 * that is no error, a negative one is an error. Its last argument is a `findlr_error *err` that the
 * caller owns: NULL if the sentence is not wanted. On failure out-parameters are left untouched. */

/* X(name, value, what it means) */
#define FINDLR_STATUS_LIST(X)                                                                      \
  X(FINDLR_OK, 0, "success")                                                                       \
  X(FINDLR_DONE, 1, "nothing more to do, or past the end of a list")                               \
  X(FINDLR_SKIPPED, 2, "the step was made but does not count")                                     \
  X(FINDLR_ERR_ARGUMENT, -1, "an argument or option has a value that is not allowed")              \
  X(FINDLR_ERR_NO_MEMORY, -2, "memory could not be had")                                           \
  X(FINDLR_ERR_STATE, -3, "the call is not allowed at this moment")                                \
  X(FINDLR_ERR_IO, -4, "the operating system could not read or write")                             \
  X(FINDLR_ERR_FORMAT, -5, "a file's content is not what its format demands")                      \
  X(FINDLR_ERR_NOT_FOUND, -6, "no such file, name or option")                                      \
  X(FINDLR_ERR_UNSUPPORTED, -7, "this build or this backend cannot do that")                       \
  X(FINDLR_ERR_LIMIT, -8, "larger than a limit or than memory allows")                             \
  X(FINDLR_ERR_PLUGIN_FILE, -9, "a file cannot be loaded as a plugin")                             \
  X(FINDLR_ERR_PLUGIN_VERSION, -10, "a plugin needs a newer host")                                 \
  X(FINDLR_ERR_PLUGIN_INVALID, -11, "a plugin breaks the rules of the ABI")                        \
  X(FINDLR_ERR_BACKEND, -12, "a model, optimizer, loss, data source or trainer failed")            \
  X(FINDLR_ERR_CANCELLED, -13, "the caller cancelled")

enum {
#define FINDLR_STATUS_CONSTANT(name, value, text) name = value,
  FINDLR_STATUS_LIST(FINDLR_STATUS_CONSTANT)
#undef FINDLR_STATUS_CONSTANT
  FINDLR_STATUS_AFTER_LAST = 3 /* no status; the end of the list */
};

#define FINDLR_MESSAGE_SIZE 512

/* What went wrong: the status and one sentence (UTF-8, no newline) that names the thing, what was
 * found and what was wanted. Written only on failure. Begin with FINDLR_ERROR_INIT or
 * findlr_error_init; the same object may serve any number of calls, one thread at a time. */
typedef struct findlr_error {
  uint32_t struct_size;
  int32_t code;
  char message[FINDLR_MESSAGE_SIZE];
} findlr_error;

#define FINDLR_ERROR_INIT { sizeof(findlr_error), 0, "" }

/* Sets struct_size to size and clears the rest. [any thread] */
FINDLR_API void findlr_error_init(findlr_error *err, size_t size);

/* "FINDLR_ERR_ARGUMENT" for -1 and so on; "unknown status" for others. Static. [any thread] */
FINDLR_API const char *findlr_status_name(int32_t status);

/* What a status means, in words. Static. [any thread] */
FINDLR_API const char *findlr_status_text(int32_t status);

FINDLR_END

#endif
