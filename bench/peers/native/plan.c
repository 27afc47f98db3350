// See plan.h.

#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

struct plan plan = {.rooms = 1, .bytes = 100, .window = 1 << 20, .warmup = 500, .measure = 2000, .lines = 1};

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("Cannot run the load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs("\n", stderr);
  exit(1);
}

void read_plan(int count, char **arguments) {
  const struct {
    const char *name;
    uint32_t *value;
  } numbers[] = {
      {"port", &plan.port}, {"rooms", &plan.rooms}, {"publishers", &plan.publishers},
      {"subscribers", &plan.subscribers}, {"members", &plan.members}, {"stalled", &plan.stalled},
      {"idle", &plan.idle}, {"warm", &plan.warm}, {"bytes", &plan.bytes},
      {"window", &plan.window}, {"period", &plan.period}, {"lines", &plan.lines},
      {"heat", &plan.heat}, {"warmup", &plan.warmup}, {"measure", &plan.measure}, {"pid", &plan.pid},
  };
  for (int index = 1; index < count; index++) {
    char *value = strchr(arguments[index], '=');
    bool known = false;
    if (value == NULL) fail("\"%s\" is not name=value", arguments[index]);
    *value++ = 0;
    if (strcmp(arguments[index], "wire") == 0) known = (plan.wire = find_wire(value)) != NULL;
    for (size_t number = 0; number < sizeof numbers / sizeof *numbers; number++) {
      if (strcmp(arguments[index], numbers[number].name) != 0) continue;
      *numbers[number].value = (uint32_t)strtoul(value, NULL, 10);
      known = true;
    }
    if (!known) fail("\"%s=%s\" is unknown", arguments[index], value);
  }
  if (plan.wire == NULL || plan.port == 0) fail("wire=... and port=... are needed");
  if (plan.rooms > 1 && !plan.wire->has_rooms) fail("wire=%s has one room", plan.wire->name);
  if (plan.bytes < MIN_EVENT_BYTES || plan.bytes > MAX_EVENT_BYTES) {
    fail("bytes=%u, allowed are %d to %d", plan.bytes, MIN_EVENT_BYTES, MAX_EVENT_BYTES);
  }
  if (plan.publishers + plan.members > MAX_SENDERS) fail("more than %d senders", MAX_SENDERS);
}
