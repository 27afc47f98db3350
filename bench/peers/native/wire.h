// The protocols of the servers that are compared: what a connection says first, how an event is framed in both
// directions, and what else may come. A frame has one length, so that the load finds fields without parsing.
// A new protocol is one more entry in wire.c.

#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_HEAD_BYTES = 128, MAX_ROOM_NAME = 16 };

struct bytes {
  unsigned char data[MAX_HEAD_BYTES * 2];
  uint32_t length;
};

struct wire {
  const char *name;
  // A member needs a second connection to send, because one that listens may not.
  bool sends_apart;
  // The server gives a member its own events back, and the member has to drop them.
  bool echoes;
  // The connection has a room of its own; without, everybody is in the same one.
  bool has_rooms;
  // What a connection sends first, and the last bytes of the answer to it (none: it isn't answered).
  struct bytes (*greet)(bool listens, const char *room);
  struct bytes (*greeted)(bool listens);
  // What stands before and after an event of `bytes` bytes.
  struct bytes (*send_head)(const char *room, uint32_t bytes);
  struct bytes (*receive_head)(const char *room, uint32_t bytes);
  const char *tail;
  // Takes something at `at` that is no event: returns its length, 0 if more bytes are needed, -1 if it is none the protocol
  // knows. What has to be answered goes to `reply`.
  int (*other)(const unsigned char *at, size_t length, struct bytes *reply);
  // A receiver reports what it has received: as soon as that is so many bytes more than it last reported, and once a second
  // with a ping; 0 if the protocol wants no reports.
  uint32_t report_bytes;
  // Writes a report: `received` counts from the answer to the greeting on, up to the end of a frame.
  struct bytes (*report)(uint64_t received, bool ping);
};

// Returns the protocol of that name, NULL if there is none.
const struct wire *find_wire(const char *name);

#endif
