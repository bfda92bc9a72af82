/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "output.h"

static findlr_range_test *_Atomic watched;
static volatile sig_atomic_t caught;

static void handle(int number) {
  int saved = errno;
  findlr_range_test *test = watched;
  if (test && !caught) {
    caught = number;
    findlr_range_test_cancel(test);
  } else {
    output_remove_unfinished();
    signal(number, SIG_DFL);
    raise(number); /* takes effect when this handler returns */
  }
  errno = saved;
}

void interrupt_install(void) {
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction old, action = { .sa_handler = handle, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    /* What was ignored stays ignored, as nohup wants it. */
    if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
      sigaction(numbers[i], &action, NULL);
  }
  /* A reader that goes away is a write error like any other. */
  signal(SIGPIPE, SIG_IGN);
}

void interrupt_watch(findlr_range_test *test) {
  watched = test;
}

int interrupt_signal(void) {
  return caught;
}
