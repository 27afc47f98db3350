// Time, quantiles, and what Linux says of a process: CPU time, memory, open files.

#ifndef STATS_H
#define STATS_H

#include <stdint.h>

// Microseconds since the first call.
uint64_t now_us(void);

enum { OCTAVE_BITS = 7, OCTAVE = 1 << OCTAVE_BITS, VALUE_BITS = 30 };

// Counts whole numbers in buckets of fixed relative width; a quantile is at most one part in 128 too high.
struct histogram {
  uint64_t buckets[(VALUE_BITS - OCTAVE_BITS + 1) * OCTAVE], count, max;
};

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t times);
uint64_t histogram_quantile(const struct histogram *histogram, double q);

// CPU time of a process and of this one, in microseconds; of all processes together.
uint64_t process_cpu_us(int pid);
uint64_t own_cpu_us(void);
uint64_t busy_cpu_us(void);

// A field of /proc/PID/status such as "VmRSS:", in KiB; -1 if there is none.
long process_kib(int pid, const char *field);
int open_files(int pid);

#endif
