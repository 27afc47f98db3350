// A few bytes with their length: what protocols say beside events.

#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>
#include <string.h>

enum { MAX_FEW_BYTES = 256 };

struct bytes {
  unsigned char data[MAX_FEW_BYTES];
  uint32_t length;
};

// Adds bytes as far as they fit as a whole.
static inline void append(struct bytes *bytes, const void *data, size_t length) {
  if (bytes->length + length > MAX_FEW_BYTES) return;
  memcpy(bytes->data + bytes->length, data, length);
  bytes->length += (uint32_t)length;
}

#endif
