// Calls into Go from threads that Go did not start.
#include <pthread.h>

#include "_cgo_export.h"

static void *run(void *argument) {
  int *number = argument;
  *number = calledBack(*number) + calledBack(*number + 1);
  return 0;
}

int call_back_on_thread(int rounds) {
  int sum = 0;
  for (int round = 0; round < rounds; round++) {
    pthread_t thread;
    int number = rounds > 1 ? round : 1;
    if (pthread_create(&thread, 0, run, &number) != 0) return -1;
    pthread_join(thread, 0);
    sum += number;
  }
  return sum;
}
