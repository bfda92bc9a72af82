/* SPDX-License-Identifier: MIT */
#include "train/control_word.h"

#if defined(__GNUC__) && (defined(__x86_64__) || (defined(__i386__) && defined(__SSE__)))

enum { FLAGS = 0x3F };

findlr__control_word findlr__control_word_read(void) {
  uint32_t mxcsr;
  uint16_t x87;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  __asm__ volatile("fnstcw %0" : "=m"(x87));
  return (findlr__control_word){ mxcsr & ~(uint32_t)FLAGS, x87 };
}

bool findlr__control_word_restore(findlr__control_word before) {
  findlr__control_word now = findlr__control_word_read();
  if (now.main == before.main && now.x87 == before.x87)
    return false;
  uint32_t mxcsr = (uint32_t)before.main;
  __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
  __asm__ volatile("fldcw %0" : : "m"(before.x87));
  return true;
}

#elif defined(__GNUC__) && defined(__aarch64__)

findlr__control_word findlr__control_word_read(void) {
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  return (findlr__control_word){ fpcr, 0 };
}

bool findlr__control_word_restore(findlr__control_word before) {
  if (findlr__control_word_read().main == before.main)
    return false;
  __asm__ volatile("msr fpcr, %0" : : "r"(before.main));
  return true;
}

#else

findlr__control_word findlr__control_word_read(void) {
  return (findlr__control_word){ 0, 0 };
}

bool findlr__control_word_restore(findlr__control_word before) {
  (void)before;
  return false;
}

#endif
