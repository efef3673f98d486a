// What only the start of the program needed goes back to the system: freed heap, and the pages of
// program and libraries that were mapped meanwhile (reading the facts, opening RocksDB, making
// keys). Those that are needed again come back from the page cache, at a minor fault each.
//
// Later, freed heap stays for the next burst, as the allocator sees fit, and goes back when it is
// asked for.
//
// Threads: any, beside all others. Errors: none; what cannot be given back stays.
#pragma once

namespace kulisse::cmd {

void ReturnStartupMemory();
void ReturnFreedMemory();

}  // namespace kulisse::cmd
