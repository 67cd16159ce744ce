#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ck_pool {
  int started;             // threads that were really created
  pthread_t *ids;
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  uint64_t round;          // under `lock`
  int running;             // workers still in this round, under `lock`
  int stop;                // under `lock`
  // The work of this round.
  ck_body body;
  const void *context;
  int64_t count;
  _Atomic int64_t next;
  _Atomic uint64_t published;  // `round` again, for the short spin before a worker sleeps
};

typedef struct {
  ck_pool *pool;
  int worker;
} start;

static void work(ck_pool *pool, int worker) {
  for (;;) {
    int64_t item = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (item >= pool->count) return;
    pool->body(pool->context, item, worker);
  }
}

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void *worker_main(void *argument) {
  start given = *(start *)argument;
  free(argument);
  ck_pool *pool = given.pool;
  uint64_t seen = 0;
  for (;;) {
    // Operators follow each other within microseconds: a short spin saves most wake-ups.
    for (int spin = 0; spin < 2000; spin++) {
      if (atomic_load_explicit(&pool->published, memory_order_relaxed) != seen) break;
      relax();
    }
    pthread_mutex_lock(&pool->lock);
    while (pool->round == seen && !pool->stop) pthread_cond_wait(&pool->wake, &pool->lock);
    if (pool->stop) {
      pthread_mutex_unlock(&pool->lock);
      return NULL;
    }
    seen = pool->round;
    pthread_mutex_unlock(&pool->lock);
    work(pool, given.worker);
    pthread_mutex_lock(&pool->lock);
    if (--pool->running == 0) pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->lock);
  }
}

ck_pool *ck_pool_create(int threads) {
  if (threads < 1 || threads > 1024) return NULL;
  ck_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->ids = calloc((size_t)threads, sizeof *pool->ids);
  if (!pool->ids) {
    free(pool);
    return NULL;
  }
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->done, NULL);
  for (int i = 1; i < threads; i++) {
    start *given = malloc(sizeof *given);
    if (!given) break;
    *given = (start){pool, i};
    if (pthread_create(&pool->ids[i - 1], NULL, worker_main, given)) {
      free(given);
      break;
    }
    pool->started = i;
  }
  return pool;
}

void ck_pool_destroy(ck_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  pool->stop = 1;
  atomic_store(&pool->published, UINT64_MAX);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 0; i < pool->started; i++) pthread_join(pool->ids[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_cond_destroy(&pool->done);
  pthread_mutex_destroy(&pool->lock);
  free(pool->ids);
  free(pool);
}

void ck_parallel(ck_pool *pool, int64_t count, ck_body body, const void *context) {
  if (!pool || pool->started == 0 || count < 2) {
    for (int64_t item = 0; item < count; item++) body(context, item, 0);
    return;
  }
  pthread_mutex_lock(&pool->lock);
  pool->body = body;
  pool->context = context;
  pool->count = count;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  pool->running = pool->started;
  pool->round++;
  atomic_store_explicit(&pool->published, pool->round, memory_order_relaxed);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
  work(pool, 0);
  pthread_mutex_lock(&pool->lock);
  while (pool->running) pthread_cond_wait(&pool->done, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
}
