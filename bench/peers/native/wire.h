// The protocols of the servers that are compared: what a connection says first, how an event is framed in both
// directions, and what else may come. A frame has one length, so that the load finds fields without parsing.
// A new protocol is one more entry in wire.c, or in wire_websocket.c.

#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum { MAX_HEAD_BYTES = 128, MAX_ROOM_NAME = 16 };

// How a protocol goes through a WebSocket.
struct upgrade {
  const char *path;
  // A subprotocol that is asked for; NULL for none.
  const char *subprotocol;
  // The opcode of what is sent: text or binary.
  int opcode;
  // Each event is sent as a message of its own, of which `send_head` begins with the head. Otherwise a message takes what one
  // write would have taken.
  bool sends_each;
  // Each event is received as a message of its own, of which `receive_head` begins with the head. Otherwise messages carry a stream
  // of bytes, wherever they end.
  bool receives_each;
  // A message ends where an event or a control line ends.
  bool whole;
  // A request of its own that asks where to go, and the path in its answer, false if there is none; NULL for none.
  struct bytes (*ask)(const char *room);
  bool (*place)(const char *answer, char *path, size_t size);
  // Takes a message of the greeting: 1 if it was the last; what has to be answered goes to `reply`, as a payload. NULL if there are
  // none.
  int (*greeting)(const unsigned char *message, size_t length, struct bytes *reply);
};

struct wire {
  const char *name;
  // A member needs a second connection to send, because one that listens may not.
  bool sends_apart;
  // The server gives a member its own events back, and the member has to drop them.
  bool echoes;
  // The connection has a room of its own; without, everybody is in the same one.
  bool has_rooms;
  // The server writes events anew, so that they have no blanks between their parts.
  bool compact;
  // What a connection sends first, and the last bytes of the answer to it (none: it isn't answered).
  struct bytes (*greet)(bool listens, const char *room);
  struct bytes (*greeted)(bool listens);
  // What stands before and after an event of `bytes` bytes.
  struct bytes (*send_head)(const char *room, uint32_t bytes);
  struct bytes (*receive_head)(const char *room, uint32_t bytes);
  const char *send_tail, *receive_tail;
  // Bytes of a received message that differ from sender to sender: where they begin in it, and how many.
  uint32_t varies_at, varies;
  // Takes something at `at` that is no event: returns its length, 0 if more bytes are needed, -1 if it is none the protocol
  // knows. What has to be answered is added to `reply`.
  int (*other)(const unsigned char *at, size_t length, struct bytes *reply);
  // A receiver reports what it has received: as soon as that is so many bytes more than it last reported, and once a second
  // with a ping; 0 if the protocol wants no reports.
  uint32_t report_bytes;
  // Writes a report: `received` counts from the answer to the greeting on, up to the end of a frame.
  struct bytes (*report)(uint64_t received, bool ping);
  // NULL: the protocol's bytes are the connection's.
  const struct upgrade *upgrade;
};

// Returns the protocol of that name, NULL if there is none.
const struct wire *find_wire(const char *name);

// The protocols that are the same through a WebSocket but for the messages around their bytes, and those that are made of
// messages.
extern const struct wire message_wires[];
extern const size_t message_wire_count;

#endif
