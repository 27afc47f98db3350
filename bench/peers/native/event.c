// Builds events; see event.h.

#include "event.h"

#include <stdio.h>

uint32_t digits[DIGIT_GROUP];

void init_digits(void) {
  for (int value = 0; value < DIGIT_GROUP; value++) {
    char text[8];
    snprintf(text, sizeof text, "%04d", value);
    memcpy(&digits[value], text, 4);
  }
}

struct layout make_event(uint32_t line_bytes, unsigned char *out) {
  const uint32_t bytes = line_bytes - 1;
  if (line_bytes < MIN_LONG_EVENT_BYTES) {
    // {"b":"SSSSNNNNNNNNNNNNTTTTTTTTTTTT"   }, with more blanks in a longer event: it ends in a word without digits.
    const uint32_t fields = 6;
    memset(out, '0', bytes);
    memcpy(out, "{\"b\":\"", 6);
    memset(out + 34, ' ', bytes - 34);
    out[34] = '"';
    out[bytes - 1] = '}';
    return (struct layout){bytes, fields, fields + 4, fields + 16};
  }
  // { "s": "0003","n": "000000001234","t": "000001234567","p": [1.5,-72,318,2.5,...7]}
  static const char *const numbers[] = {"1.5,", "-72,", "318,", "2.5,"};
  const int head = snprintf((char *)out, 64, "{ \"s\": \"0000\",\"n\": \"000000000000\",\"t\": \"000000000000\",\"p\": [");
  uint32_t at = (uint32_t)head;
  for (int index = 0; at + 4 <= bytes - 3; index++, at += 4) memcpy(out + at, numbers[index % 4], 4);
  while (at < bytes - 3) out[at++] = ' ';
  memcpy(out + bytes - 3, "7]}", 3);
  return (struct layout){bytes, 8, 20, 40};
}
