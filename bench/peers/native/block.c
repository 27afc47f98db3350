// See block.h.

#include "block.h"

#include <stdlib.h>

void block_init(struct block *block, const struct frame *frame, const char *room, uint32_t sender, uint32_t capacity) {
  const struct wire *wire = frame->wire;
  const struct bytes head = wire->send_head(room, frame->layout.bytes);
  const uint32_t tail = (uint32_t)strlen(wire->send_tail);
  block->frame = frame;
  block->capacity = capacity;
  block->head = head.length;
  block->length = head.length + frame->layout.bytes + tail;
  // What is said ahead stands in front of the events.
  const size_t all = MAX_FEW_BYTES + (size_t)block->length * capacity;
  block->events = (unsigned char *)malloc(all) + MAX_FEW_BYTES;
  block->sealed = wire->upgrade == NULL ? NULL : malloc(WS_MAX_HEAD * 2 + all);
  for (uint32_t index = 0; index < capacity; index++) {
    unsigned char *at = block->events + (size_t)index * block->length;
    memcpy(at, head.data, head.length);
    memcpy(at + head.length, frame->sample + frame->head, frame->layout.bytes);
    memcpy(at + head.length + frame->layout.bytes, wire->send_tail, tail);
    store_word(at + head.length + frame->layout.sender, digits[sender]);
  }
}

// Puts bytes into one message.
static struct written seal_all(struct block *block, const unsigned char *from, size_t length) {
  const uint32_t key = ws_next_key(), head = ws_head(block->sealed, block->frame->wire->upgrade->opcode, length, key);
  ws_mask(block->sealed + head, from, length, key, 0);
  return (struct written){block->sealed, head + length};
}

// Masks the messages that the events are.
static struct written seal_each(struct block *block, uint32_t count) {
  // A message is longer than its event by what the protocol says around it: its head tells how long it is.
  const uint32_t head = (block->events[1] & 0x7f) < 126 ? 2 + WS_KEY_BYTES : 4 + WS_KEY_BYTES;
  const unsigned char *from = block->events;
  unsigned char *to = block->sealed;
  for (uint32_t index = 0; index < count; index++, from += block->length, to += block->length) {
    const uint32_t key = ws_next_key();
    memcpy(to, from, head - WS_KEY_BYTES);
    memcpy(to + head - WS_KEY_BYTES, &key, WS_KEY_BYTES);
    ws_mask(to + head, from + head, block->length - head, key, 0);
  }
  return (struct written){block->sealed, (size_t)block->length * count};
}

struct written block_write(struct block *block, struct bytes ahead, uint64_t first, uint32_t count, uint64_t time_us) {
  const struct layout *layout = &block->frame->layout;
  unsigned char *at = block->events + block->head;
  unsigned char time[12];
  store_number(time, time_us);
  for (uint32_t index = 0; index < count; index++, at += block->length) {
    const uint64_t sequence = first + index;
    if (index == 0 || sequence % DIGIT_GROUP == 0) store_number(at + layout->sequence, sequence);
    else memcpy(at + layout->sequence, at - block->length + layout->sequence, 8);
    store_word(at + layout->sequence + 8, digits[sequence % DIGIT_GROUP]);
    memcpy(at + layout->time, time, 12);
  }
  const struct upgrade *upgrade = block->frame->wire->upgrade;
  if (upgrade != NULL && upgrade->sends_each) return seal_each(block, count);
  unsigned char *const from = block->events - ahead.length;
  memcpy(from, ahead.data, ahead.length);
  const size_t length = ahead.length + (size_t)block->length * count;
  return upgrade == NULL ? (struct written){from, length} : seal_all(block, from, length);
}
