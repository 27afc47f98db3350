// The events that a sender writes at once: made ready beforehand, with numbers and times filled in at each write, and put into
// WebSocket messages where the protocol wants that.

#ifndef BLOCK_H
#define BLOCK_H

#include "receiver.h"

struct block {
  const struct frame *frame;
  // The most events of a write.
  uint32_t capacity;
  // An event with its head and tail, and where in that it begins.
  uint32_t length, head;
  unsigned char *events;
  // The same in messages, masked; NULL if the protocol has none.
  unsigned char *sealed;
};

struct written {
  const unsigned char *data;
  size_t length;
};

void block_init(struct block *block, const struct frame *frame, const char *room, uint32_t sender, uint32_t capacity);

// Makes events `first` and the `count - 1` after it, behind what has to be said ahead of them. They are overwritten by the next.
struct written block_write(struct block *block, struct bytes ahead, uint64_t first, uint32_t count, uint64_t time_us);

#endif
