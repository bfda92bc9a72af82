/* SPDX-License-Identifier: MIT */
#include "support.h"

/* Each block is preceded by what its owner must give back when freeing it. */
typedef struct block {
  void *memory; /* what malloc gave */
  size_t size, align;
} block;

enum { FRESH = 0xA5, FREED = 0xDD, RUNS_AT_MOST = 10000 };

static block *block_of(void *ptr) {
  return (block *)ptr - 1;
}

static void *take(test_allocator *a, size_t size, size_t align) {
  a->calls++;
  if (a->fail_at && (a->persistent ? a->calls >= a->fail_at : a->calls == a->fail_at)) {
    a->failed = true;
    return NULL;
  }
  size_t whole = align < _Alignof(block) ? _Alignof(block) : align;
  char *memory = malloc(sizeof(block) + whole + size);
  ck_assert_ptr_nonnull(memory);
  uintptr_t at = (uintptr_t)memory + sizeof(block);
  char *ptr = memory + sizeof(block) + (whole - at % whole) % whole;
  *block_of(ptr) = (block){ memory, size, align };
  memset(ptr, FRESH, size);
  a->live_blocks++;
  a->live_bytes += size;
  return ptr;
}

static void *alloc(void *ud, void *ptr, size_t old_size, size_t new_size, size_t align) {
  test_allocator *a = ud;
  ck_assert_msg(align && (align & (align - 1)) == 0, "alignment %zu is no power of two", align);
  if (!ptr) {
    ck_assert_msg(old_size == 0, "%zu bytes of nothing", old_size);
  } else {
    const block *b = block_of(ptr);
    ck_assert_msg(b->size == old_size, "%zu bytes given back of %zu", old_size, b->size);
    ck_assert_msg(b->align == align, "alignment %zu given back of %zu", align, b->align);
  }
  /* A block always moves, so that no pointer to the old one may be kept. */
  void *fresh = new_size ? take(a, new_size, align) : NULL;
  if (new_size && !fresh)
    return NULL;
  if (ptr) {
    if (fresh)
      memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
    a->live_blocks--;
    a->live_bytes -= old_size;
    void *memory = block_of(ptr)->memory;
    memset(ptr, FREED, old_size);
    free(memory);
  }
  return fresh;
}

void test_allocator_init(test_allocator *a) {
  *a = (test_allocator){ .allocator = { sizeof a->allocator, 0, a, alloc } };
}

void test_allocator_check(const test_allocator *a) {
  ck_assert_msg(a->live_blocks == 0, "%zu blocks of %zu bytes leaked (failing call %zu%s)",
                a->live_blocks, a->live_bytes, a->run, a->persistent ? " and all later" : "");
}

bool test_allocator_next(test_allocator *a) {
  bool persistent = a->persistent;
  size_t run = a->run + 1;
  if (a->run) {
    test_allocator_check(a);
    if (!a->failed) { /* the body ran to its end */
      if (persistent)
        return false;
      persistent = true;
      run = 1;
    }
  }
  ck_assert_msg(run < RUNS_AT_MOST, "more than %d allocations", RUNS_AT_MOST);
  test_allocator_init(a);
  a->run = a->fail_at = run;
  a->persistent = persistent;
  return true;
}
