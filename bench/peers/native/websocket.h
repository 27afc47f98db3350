// RFC 6455 as a client sees it: frames to a server, masked, and frames from one, checked. Knows no sockets and no events.
// Whether text is UTF-8 is not looked at: each byte of an event is compared by who takes it.

#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };
enum { WS_KEY_BYTES = 4, WS_MAX_HEAD = 14, WS_MAX_CONTROL = 125, WS_MAX_HELD = 10 + WS_MAX_CONTROL };

// Writes the head of a whole message with so many bytes of payload, the key at its end; returns its length.
uint32_t ws_head(unsigned char *out, int opcode, uint64_t length, uint32_t key);

// The length of such a head.
uint32_t ws_head_length(uint64_t length);

// Another key for each frame, so that no server has an easy time with one it knows.
uint32_t ws_next_key(void);

// Copies payload and masks it. `phase` is its place in the payload.
void ws_mask(unsigned char *out, const unsigned char *in, size_t length, uint32_t key, size_t phase);

// Makes a whole message of a payload, ready to be sent.
struct bytes ws_message(int opcode, const unsigned char *payload, uint32_t length);

// The head of a frame of a server.
struct ws_frame {
  int opcode;
  bool final;
  uint32_t head;
  uint64_t length;
};

// Reads a head: 1 if it is whole, 0 if more bytes are needed, -1 if the protocol doesn't allow it to a server.
int ws_read_head(const unsigned char *at, size_t length, struct ws_frame *frame);

// What connections that carry a stream of bytes in messages are in the middle of.
struct unframer {
  // The rest of a message's frame, whether one has begun, and whether the frame is its last.
  uint64_t left;
  bool in_message, in_frame, final;
  // The beginning of a head or of a control frame; for who reads: it belongs in front of the next bytes.
  unsigned char held[WS_MAX_HELD];
  uint32_t held_length;
};

// A piece of what was read: payload of data, `ends` if it is the last of its message, or a whole control frame.
struct piece {
  int opcode;
  const unsigned char *data;
  size_t length;
  bool ends;
};

// Takes the next piece from `length` bytes at `at`, at least one: returns how many bytes it took, 0 if more are needed, -1 if the
// protocol doesn't allow them.
int64_t unframe(struct unframer *unframer, const unsigned char *at, size_t length, struct piece *piece);

#endif
