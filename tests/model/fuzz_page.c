/* The broken files of fuzz_engine.c for a browser, as WebAssembly: the same seed gives the same files, one by one. */

#define main unused
#include "fuzz_engine.c"
#undef main

static uint8_t whole[1 << 18], broken[1 << 18];
static uint64_t chance;

/* Where the page writes the whole file, and where it finds the broken one. */
__attribute__((export_name("whole_file"))) uint8_t *whole_file(void) { return whole; }

__attribute__((export_name("broken_file"))) uint8_t *broken_file(void) { return broken; }

__attribute__((export_name("begin"))) void begin(uint32_t seed) { chance = seed; }

/* Break the file (size bytes) in the next way; returns how long it is now. */
__attribute__((export_name("next"))) size_t next(size_t size)
{
    memcpy(broken, whole, size);
    return spoil(broken, size, &chance);
}
