// Checks what one receiver gets: per sender nothing lost, nothing again, nothing of its own, nothing damaged. In the good
// case an event costs a few comparisons of words. Knows no sockets; load.c reads and hands over.

#ifndef RECEIVER_H
#define RECEIVER_H

#include "event.h"
#include "stats.h"
#include "websocket.h"
#include "wire.h"

// Room that must be in front of what is given to a receiver: for the beginning of an event that came with the bytes before.
enum { HEADROOM_BYTES = MAX_EVENT_BYTES * 2 };

// What all connections of a room have in common: a sample of the frame that its receivers get.
struct frame {
  const struct wire *wire;
  struct layout layout;
  unsigned char *sample;
  // What may stand at each byte.
  unsigned char *kinds;
  uint32_t head, length;
};

struct faults {
  uint64_t lost, again, own, damaged;
};

struct receiver {
  const struct frame *frame;
  uint32_t senders;
  // Its own number among the senders, -1 if it sends nothing.
  int self;
  // By sender, the number that is expected next. Events start at 1; 0 asks whether everybody is there.
  uint64_t *next;
  uint64_t unique, own, missing, again, damaged, frames;
  // All bytes that were taken, those that are no events included; what is held isn't.
  uint64_t bytes;
  struct histogram *latency;
  bool recording;
  // Where its WebSocket is, if messages carry a stream; and whether the server broke that protocol or closed by it.
  struct unframer unframer;
  bool closed;
  // The beginning of a frame that the last bytes ended in.
  unsigned char *held;
  uint32_t held_length, held_capacity;
  char odd[121];
};

void frame_init(struct frame *frame, const struct wire *wire, const char *room, uint32_t line_bytes);
void receiver_init(struct receiver *receiver, const struct frame *frame, uint32_t senders, int self,
                   struct histogram *latency);

// Takes all that is whole in `length` bytes at `at` and keeps the rest. The HEADROOM_BYTES in front of them are its own to write.
// What the protocol wants answered goes to `reply`, as it has to be sent.
void receiver_take(struct receiver *receiver, unsigned char *at, size_t length, uint64_t time_us, struct bytes *reply);

// Takes bytes that were in messages, if messages carry a stream; `receiver_take` does that with what they carry.
void receiver_take_stream(struct receiver *receiver, unsigned char *at, size_t length, uint64_t time_us, struct bytes *reply);

// Events of others that came or were passed over by later ones: how far this receiver is.
static inline uint64_t receiver_accounted(const struct receiver *receiver) {
  return receiver->unique + receiver->missing;
}

#endif
