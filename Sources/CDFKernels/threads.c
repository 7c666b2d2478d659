// The one thread pool. Workers sleep on a condition variable after a short spin; a job is a counter
// that the caller and the workers draw indices from. One job runs at a time: a nested call, or a
// call while another thread has the pool, runs on its own thread, which keeps the pool free of
// deadlocks.
#if defined(__linux__)
#define _GNU_SOURCE  // sched_getaffinity, sched_getcpu
#endif
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "include/CDFKernels.h"

enum { MAX_THREADS = 256, SPINS = 4000 };

typedef struct job {
  void (*body)(void *, size_t);
  void *context;
  size_t count;
  int processor;  // the caller's
} job;

static pthread_mutex_t pool_owner = PTHREAD_MUTEX_INITIALIZER;  // held by the caller whose job runs
static pthread_mutex_t wake_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;

static job current;
static atomic_size_t next_index;
static atomic_uint generation;   // odd while a job is open to workers
static atomic_int busy_workers;  // workers that may still touch `current`
static atomic_int active_limit;  // workers that may join the current job
static atomic_int requested_threads;
static int started_workers;  // guarded by pool_owner

static _Thread_local bool inside_pool;

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void draw(const job *work) {
  for (;;) {
    size_t index = atomic_fetch_add_explicit(&next_index, 1, memory_order_relaxed);
    if (index >= work->count) return;
    work->body(work->context, index);
  }
}

/// The processor that the calling thread runs on; -1 where that is not known.
static int own_processor(void) {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

/// Leaves a processor that the job's caller needs. The system may wake a worker where its caller runs and
/// take some milliseconds, several jobs' time, to part them.
static void leave_processor(int processor) {
#if defined(__linux__)
  cpu_set_t all, others;
  if (pthread_getaffinity_np(pthread_self(), sizeof all, &all) != 0) return;
  others = all;
  CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) == 0) return;
  pthread_setaffinity_np(pthread_self(), sizeof others, &others);
  pthread_setaffinity_np(pthread_self(), sizeof all, &all);
#else
  (void)processor;
#endif
}

static void *worker(void *argument) {
  int number = (int)(intptr_t)argument;
  inside_pool = true;
  unsigned seen = 0;
  for (;;) {
    unsigned now;
    for (int spin = 0;; spin++) {
      now = atomic_load_explicit(&generation, memory_order_acquire);
      if (now != seen && (now & 1)) break;
      if (spin < SPINS) {
        relax();
        continue;
      }
      pthread_mutex_lock(&wake_mutex);
      while (now = atomic_load_explicit(&generation, memory_order_acquire),
             now == seen || !(now & 1)) {
        pthread_cond_wait(&wake, &wake_mutex);
      }
      pthread_mutex_unlock(&wake_mutex);
      break;
    }
    seen = now;
    // Announce first, then check that the job is still open: the caller closes it before it waits
    // for busy_workers to reach zero, so either it sees this worker or the worker sees the job
    // closed.
    atomic_fetch_add(&busy_workers, 1);
    if (atomic_load(&generation) == now && number < atomic_load(&active_limit)) {
      job work = current;
      if (work.processor >= 0 && work.processor == own_processor()) {
        leave_processor(work.processor);
      }
      draw(&work);
    }
    atomic_fetch_sub(&busy_workers, 1);
  }
  return NULL;
}

/// Processors that this process may use.
static int available_processors(void) {
  long count = 0;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
#endif
  if (count < 1) count = sysconf(_SC_NPROCESSORS_ONLN);
  if (count < 1) count = 1;
  return count > MAX_THREADS ? MAX_THREADS : (int)count;
}

void df_keep_to_thread(bool keep) { inside_pool = keep; }

bool df_is_kept_to_thread(void) { return inside_pool; }

int df_thread_count(void) {
  int count = atomic_load_explicit(&requested_threads, memory_order_relaxed);
  if (count > 0) return count;
  // Asking the system takes longer than many a kernel: keep the answer, unless someone was first.
  int available = available_processors();
  return atomic_compare_exchange_strong(&requested_threads, &count, available) ? available : count;
}

void df_set_thread_count(int count) {
  if (count < 1) count = 1;
  atomic_store(&requested_threads, count > MAX_THREADS ? MAX_THREADS : count);
}

static void start_workers(int wanted) {
  while (started_workers < wanted) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, worker, (void *)(intptr_t)started_workers);
    pthread_attr_destroy(&attributes);
    if (failed) return;  // fewer workers: slower, still right
    started_workers++;
  }
}

void df_parallel_for(size_t count, void (*body)(void *, size_t), void *context) {
  int threads = df_thread_count();
  if (count <= 1 || threads == 1 || inside_pool || pthread_mutex_trylock(&pool_owner) != 0) {
    for (size_t i = 0; i < count; i++) body(context, i);
    return;
  }
  inside_pool = true;
  start_workers(threads - 1);
  current = (job){body, context, count, own_processor()};
  atomic_store(&next_index, 0);
  atomic_store(&active_limit, threads - 1);
  pthread_mutex_lock(&wake_mutex);
  atomic_fetch_add(&generation, 1);  // odd: open
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&wake_mutex);

  draw(&current);

  atomic_fetch_add(&generation, 1);  // even: closed
  for (int spin = 0; atomic_load(&busy_workers) != 0; spin++) {
    // On a crowded machine a worker may have lost its processor in the middle of an index.
    if (spin < SPINS) {
      relax();
    } else {
      sched_yield();
    }
  }
  inside_pool = false;
  pthread_mutex_unlock(&pool_owner);
}
