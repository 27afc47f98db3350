// The events that the load sends: JSON of one fixed length with sender, sequence number and time at fixed places, so that
// writing and checking one is a handful of 32-bit words. From 64 bytes on they are those of bench/line_layout.ts;
// shorter ones are one string. Framing is wire.h; what a receiver has got is receiver.h.

#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MIN_EVENT_BYTES = 40, MIN_LONG_EVENT_BYTES = 64, MAX_EVENT_BYTES = 65536 };
enum { MAX_SENDERS = 10000, DIGIT_GROUP = 10000 };

// Where the fields of an event of this length begin. `bytes` counts the event without LF.
struct layout {
  uint32_t bytes, sender, sequence, time;
};

// The four ASCII digits of 0 to 9999, as this machine reads them from memory. Filled by init_digits().
extern uint32_t digits[DIGIT_GROUP];

void init_digits(void);

// Makes the layout of events that are `line_bytes` long with their LF, and writes one of them, all fields zero, to `out`. A compact
// one has no blanks, so that a server that parses it and writes it anew writes the same.
struct layout make_event(uint32_t line_bytes, bool compact, unsigned char *out);

static inline uint32_t load_word(const unsigned char *at) {
  uint32_t word;
  memcpy(&word, at, 4);
  return word;
}

static inline void store_word(unsigned char *at, uint32_t word) { memcpy(at, &word, 4); }

// Writes a number below 10^12 as twelve digits.
static inline void store_number(unsigned char *at, uint64_t value) {
  store_word(at, digits[value / ((uint64_t)DIGIT_GROUP * DIGIT_GROUP) % DIGIT_GROUP]);
  store_word(at + 4, digits[value / DIGIT_GROUP % DIGIT_GROUP]);
  store_word(at + 8, digits[value % DIGIT_GROUP]);
}

// Reads `count` digits; UINT64_MAX if one of them is none.
static inline uint64_t load_number(const unsigned char *at, int count) {
  uint64_t value = 0;
  for (int index = 0; index < count; index++) {
    if (at[index] < '0' || at[index] > '9') return UINT64_MAX;
    value = value * 10 + (uint64_t)(at[index] - '0');
  }
  return value;
}

#endif
