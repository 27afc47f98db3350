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

static struct layout make_short_event(uint32_t bytes, bool compact, unsigned char *out) {
  // {"b":"SSSSNNNNNNNNNNNNTTTTTTTTTTTT"   }, with more blanks in a longer event: it ends in a word without digits. Without blanks
  // the string is longer: {"b":"SSSSNNNNNNNNNNNNTTTTTTTTTTTTxxx"}.
  const uint32_t fields = 6, end = fields + 4 + 12 + 12;
  memset(out, '0', bytes);
  memcpy(out, "{\"b\":\"", fields);
  memset(out + end, compact ? 'x' : ' ', bytes - end);
  out[compact ? bytes - 2 : end] = '"';
  out[bytes - 1] = '}';
  return (struct layout){bytes, fields, fields + 4, fields + 16};
}

struct layout make_event(uint32_t line_bytes, bool compact, unsigned char *out) {
  const uint32_t bytes = line_bytes - 1;
  if (line_bytes < MIN_LONG_EVENT_BYTES) return make_short_event(bytes, compact, out);
  // { "s": "0003","n": "000000001234","t": "000001234567","p": [1.5,-72,318,2.5,...7]}
  static const char *const numbers[] = {"1.5,", "-72,", "318,", "2.5,"};
  const char *const start = compact ? "{\"s\":\"0000\",\"n\":\"000000000000\",\"t\":\"000000000000\",\"p\":["
                                    : "{ \"s\": \"0000\",\"n\": \"000000000000\",\"t\": \"000000000000\",\"p\": [";
  const char *const end = "7]}";
  uint32_t at = (uint32_t)strlen(start);
  memcpy(out, start, at);
  for (int index = 0; at + 4 <= bytes - 3; index++, at += 4) memcpy(out + at, numbers[index % 4], 4);
  while (at < bytes - 3) out[at++] = compact ? '7' : ' ';
  memcpy(out + bytes - 3, end, 3);
  return compact ? (struct layout){bytes, 6, 17, 36} : (struct layout){bytes, 8, 20, 40};
}
