// Everybody whom the load plays: rooms with their senders and receivers, their connections, and the loop that serves them.
// When and how much is sent is load.c's business.

#ifndef CROWD_H
#define CROWD_H

#include "block.h"
#include "receiver.h"

struct sender {
  struct connection *connection;
  struct room *room;
  struct block block;
  uint64_t sent, due_us;
  // What of the last write the socket hasn't taken yet.
  const unsigned char *pending;
  size_t pending_length;
  bool failed, waits;
};

struct connection {
  int fd;
  // Whether it is ever read; a stalled one is not.
  bool reads, ended;
  struct receiver *receiver;
  struct sender *sender;
  // The received bytes that were last reported; what had been sent and received at the last ping, and when that was.
  uint64_t reported, active, pinged_us;
  // What had been sent at the last ping, and whether one waits for the next events.
  uint64_t sent_at_ping;
  bool ping_due;
  // What was last written beside events, and answers that wait for the end of a write.
  struct bytes reply, owed;
};

struct room {
  char name[MAX_ROOM_NAME];
  struct frame frame;
  struct sender **senders;
  struct receiver **receivers;
  uint32_t sender_count, receiver_count;
  uint64_t sent;
};

struct crowd {
  struct room *rooms;
  struct connection **connections;
  uint32_t connection_count;
  // Connections that the server has ended: those that read, and those that are stalled.
  uint32_t ended, stalled_cut;
  // Events of others, all receivers together.
  uint64_t received;
  struct histogram latency;
  // Whether latencies are counted.
  bool recording;
};

extern struct crowd crowd;

// Makes the rooms of the plan, with nobody in them.
void crowd_init(void);

// Opens what one place in a room needs: one connection, or two where the protocol wants a sender apart.
// `capacity` is the most events of a write.
void join(struct room *room, bool sends, bool reads, bool stalled, uint32_t capacity);

// Writes the next `count` events; the sender has nothing pending.
void send_events(struct sender *sender, uint32_t count);

// Writes an event that only asks whether everybody is there.
void send_probe(struct sender *sender);

// Waits for something to happen, `timeout_ms` at most and not beyond the alarm, and deals with it.
void turn(int timeout_ms);

// Ends a `turn` in so many microseconds.
void set_alarm(uint64_t wait_us);

// Says how many events the slowest receiver of a room still has to get.
uint64_t most_behind(const struct room *room);

#endif
