#include "cmd/startup_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

// tcmalloc's, in the programs that are linked with it.
extern "C" [[gnu::weak]] void MallocExtension_ReleaseFreeMemory();  // NOLINT(*-naming)

namespace kulisse::cmd {

namespace {

// Code and constants of one object: read-only from the start, so that no page differs from its
// file.
int DropCleanPages(dl_phdr_info* object, size_t /*size*/, void* /*data*/) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = (object->dlpi_addr + segment.p_vaddr + page - 1) & ~(page - 1);
    const uintptr_t end = (object->dlpi_addr + segment.p_vaddr + segment.p_memsz) & ~(page - 1);
    if (begin >= end) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives numbers.
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void ReturnFreedMemory() {
  if (MallocExtension_ReleaseFreeMemory != nullptr) {
    MallocExtension_ReleaseFreeMemory();
  } else {
    malloc_trim(0);
  }
}

void ReturnStartupMemory() {
  ReturnFreedMemory();
  dl_iterate_phdr(DropCleanPages, nullptr);
}

}  // namespace kulisse::cmd
