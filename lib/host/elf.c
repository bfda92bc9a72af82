/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "host/loader.h"

#if defined(__linux__)
#include <elf.h>
#include <link.h>

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#elif defined(__i386__)
#define THIS_MACHINE EM_386
#elif defined(__arm__)
#define THIS_MACHINE EM_ARM
#elif defined(__riscv)
#define THIS_MACHINE EM_RISCV
#endif

static int32_t refuse(findlr_error *err, const char *file, const char *found) {
  return findlr__fail(err, FINDLR_ERR_PLUGIN_FILE, "%s is %s, wanted a shared object", file, found);
}

int32_t findlr__elf_check(int fd, uint64_t size, const char *file, findlr_error *err) {
  ElfW(Ehdr) head;
  if (size == 0)
    return refuse(err, file, "an empty file");
  memset(&head, 0, sizeof head);
  if (pread(fd, &head, sizeof head, 0) < 0)
    return findlr__fail(err, FINDLR_ERR_IO, "%s cannot be read", file);
  if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
    return refuse(err, file, "no ELF file");
  const uint16_t one = 1;
  const int little = *(const unsigned char *)&one == 1;
  if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
      head.e_ident[EI_DATA] != (little ? ELFDATA2LSB : ELFDATA2MSB))
    return refuse(err, file, "for a machine of another word size or byte order");
#ifdef THIS_MACHINE
  if (head.e_machine != THIS_MACHINE)
    return findlr__fail(err, FINDLR_ERR_PLUGIN_FILE,
                        "%s is for another machine (ELF number %u), wanted %u", file,
                        (unsigned)head.e_machine, (unsigned)THIS_MACHINE);
#endif
  if (size < sizeof head)
    return refuse(err, file, "cut off");
  if (head.e_type != ET_DYN)
    return refuse(err, file, "an ELF file of another type");
  if (head.e_phentsize != sizeof(ElfW(Phdr)) || head.e_phoff > size ||
      (size - head.e_phoff) / sizeof(ElfW(Phdr)) < head.e_phnum)
    return refuse(err, file, "cut off");
  for (unsigned i = 0; i < head.e_phnum; i++) {
    ElfW(Phdr) part;
    if (pread(fd, &part, sizeof part, (off_t)(head.e_phoff + i * sizeof part)) != sizeof part)
      return findlr__fail(err, FINDLR_ERR_IO, "%s cannot be read", file);
    if (part.p_type != PT_NULL && (part.p_offset > size || part.p_filesz > size - part.p_offset))
      return refuse(err, file, "cut off");
  }
  return FINDLR_OK;
}

#else

int32_t findlr__elf_check(int fd, uint64_t size, const char *file, findlr_error *err) {
  (void)fd;
  return size ? FINDLR_OK
              : findlr__fail(err, FINDLR_ERR_PLUGIN_FILE, "%s is an empty file", file);
}

#endif
