// Each thread's scratch memory: it grows to the most that was asked for and is freed as the thread ends.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"

typedef struct scratch {
  float *memory;
  size_t floats;
} scratch;

static _Thread_local scratch slots[DF_SCRATCH_SLOTS];
static pthread_key_t owner;

static void free_slots(void *ended) {
  scratch *slots = ended;
  for (int i = 0; i < DF_SCRATCH_SLOTS; i++) {
    free(slots[i].memory);
    slots[i] = (scratch){0};
  }
}

static void fail(void) {
  fputs("dfkit: out of memory\n", stderr);
  abort();
}

static void make_key(void) {
  if (pthread_key_create(&owner, free_slots) != 0) fail();
}

static void grow(int slot, size_t floats) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_key);
  free(slots[slot].memory);
  size_t rounded = df_round_up(floats, 4096);
  bool possible = rounded >= floats && rounded <= SIZE_MAX / sizeof(float);
  void *memory = possible ? aligned_alloc(64, rounded * sizeof(float)) : NULL;
  if (!memory || pthread_setspecific(owner, slots) != 0) fail();
  slots[slot] = (scratch){memory, rounded};
}

float *df_scratch(int slot, size_t floats) {
  if (slots[slot].floats < floats) grow(slot, floats);
  return slots[slot].memory;
}
