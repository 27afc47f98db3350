// What the load is asked to do: arguments name=value. Read once, then the same for all files.

#ifndef PLAN_H
#define PLAN_H

#include <stdint.h>

#include "wire.h"

// Counts are for each room. With `idle` there is no traffic; with `period` it is a rate, without a flood.
struct plan {
  uint32_t port, rooms, publishers, subscribers, members, stalled, idle, warm;
  // An event with its LF, and how far the slowest receiver of a flood may be behind.
  uint32_t bytes, window;
  // From one write of a sender to its next in microseconds, and events in each.
  uint32_t period, lines;
  // In milliseconds: a small flood before a rate, the rate before it is measured, the measured time.
  uint32_t heat, warmup, measure;
  // The server's process, whose CPU time and memory are read.
  uint32_t pid;
  const struct wire *wire;
};

extern struct plan plan;

void read_plan(int count, char **arguments);

// Says on stderr why the load can't run, and ends the program.
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

#endif
