// See stats.h.

#include "stats.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  const uint64_t us = (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
  static uint64_t first;
  if (first == 0) first = us - 1;
  return us - first;
}

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t times) {
  if (value >= 1u << VALUE_BITS) value = (1u << VALUE_BITS) - 1;
  uint64_t bucket = value;
  if (value >= OCTAVE) {
    const int shift = 31 - __builtin_clz((uint32_t)value) - OCTAVE_BITS;
    bucket = (uint64_t)shift * OCTAVE + (value >> shift);
  }
  histogram->buckets[bucket] += times;
  histogram->count += times;
  if (value > histogram->max) histogram->max = value;
}

uint64_t histogram_quantile(const struct histogram *histogram, double q) {
  uint64_t wanted = (uint64_t)(q * (double)histogram->count + 0.999999), seen = 0;
  if (wanted == 0) wanted = 1;
  for (uint64_t bucket = 0; bucket < sizeof histogram->buckets / sizeof *histogram->buckets; bucket++) {
    seen += histogram->buckets[bucket];
    if (seen < wanted) continue;
    if (bucket < OCTAVE * 2) return bucket;
    const uint64_t shift = bucket / OCTAVE - 1;
    const uint64_t highest = ((bucket - shift * OCTAVE + 1) << shift) - 1;
    return highest < histogram->max ? highest : histogram->max;
  }
  return 0;
}

uint64_t process_cpu_us(int pid) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

uint64_t own_cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
         (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

uint64_t busy_cpu_us(void) {
  unsigned long user = 0, nice = 0, system = 0, irq = 0, softirq = 0, steal = 0;
  FILE *file = fopen("/proc/stat", "r");
  if (file == NULL) return 0;
  if (fscanf(file, "cpu %lu %lu %lu %*u %*u %lu %lu %lu", &user, &nice, &system, &irq, &softirq, &steal) != 6) user = 0;
  fclose(file);
  return (user + nice + system + irq + softirq + steal) * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

long process_kib(int pid, const char *field) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  long kib = -1;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, field, strlen(field)) == 0) kib = atol(line + strlen(field));
  }
  fclose(file);
  return kib;
}

int open_files(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", pid);
  DIR *folder = opendir(path);
  if (folder == NULL) return -1;
  int count = 0;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count - 2;
}
