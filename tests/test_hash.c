/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "core/hash.h"

static uint64_t hash_of(const void *bytes, size_t size, uint64_t seed) {
  findlr__hash hash;
  findlr__hash_begin(&hash, seed);
  findlr__hash_add(&hash, bytes, size);
  return findlr__hash_end(&hash);
}

static void fill(unsigned char *bytes, int n) {
  for (int i = 0; i < n; i++)
    bytes[i] = (unsigned char)(i * 131 + 7);
}

/* From the xxhash package of Python: xxhash.xxh64(bytes[:n], seed). */
START_TEST(gives_the_reference_values) {
  static const struct {
    size_t n;
    uint64_t plain, seeded;
  } wanted[] = {
    { 0, 0xef46db3751d8e999u, 0xac75fda2929b17efu },   { 1, 0xa96c7f0ce858bbb7u, 0x84e535b36672440du },
    { 3, 0xbed43740ee6332bbu, 0x00b77b485431ce5du },   { 4, 0xfa212ae44b3bb23du, 0x60492c4bfcb70cacu },
    { 7, 0x2744460dd675d2c0u, 0xcdf83b729545b016u },   { 8, 0x994b676b71ce94ddu, 0xf424edebfea8d23fu },
    { 15, 0x09e6451ed2ff8b1du, 0xc812576b9fd296eeu },  { 31, 0x6711d55e306b5d8fu, 0xfa1259cc8b20eb58u },
    { 32, 0x07f7b8e3bc5d6e25u, 0x920f3e10a5db09c6u },  { 33, 0x09f85eeb4e1cbe9fu, 0x3d805e8712cb4890u },
    { 63, 0xb7c9968c066cb6a5u, 0x184bc5097530bb9au },  { 64, 0x50d4159a0411632eu, 0x94667e10d68b3991u },
    { 100, 0x9ddada11d3dc2d8fu, 0x5766be6782b96389u }, { 255, 0x15a6db05d4e83df4u, 0x99365070f4f22bf9u },
    { 1000, 0x0bf0bdbcc82eb373u, 0xb43e358553049780u },
  };
  unsigned char bytes[1000];
  fill(bytes, 1000);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    ck_assert_uint_eq(hash_of(bytes, wanted[i].n, 0), wanted[i].plain);
    ck_assert_uint_eq(hash_of(bytes, wanted[i].n, 2654435761u), wanted[i].seeded);
  }
  ck_assert_uint_eq(hash_of("abc", 3, 0), 0x44bc2cf5ad770999u);
}
END_TEST

START_TEST(pieces_make_no_difference) {
  unsigned char bytes[200];
  fill(bytes, 200);
  for (size_t first = 0; first <= 100; first++)
    for (size_t second = 0; second <= 100; second += 7) {
      findlr__hash hash;
      findlr__hash_begin(&hash, 9);
      findlr__hash_add(&hash, bytes, first);
      findlr__hash_add(&hash, bytes + first, second);
      findlr__hash_add(&hash, bytes + first + second, 200 - first - second);
      ck_assert_uint_eq(findlr__hash_end(&hash), hash_of(bytes, 200, 9));
      /* Asking does not end it. */
      ck_assert_uint_eq(findlr__hash_end(&hash), hash_of(bytes, 200, 9));
    }
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("hash");
  TCase *c = tcase_create("hash");
  tcase_add_test(c, gives_the_reference_values);
  tcase_add_test(c, pieces_make_no_difference);
  suite_add_tcase(s, c);
  return s;
}

TEST_MAIN(suite())
