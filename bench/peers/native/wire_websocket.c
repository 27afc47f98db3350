// Protocols made of WebSocket messages, an event each: bare ones, those of Socket.IO 4 and those of Colyseus; see wire.h. Events
// begin with the head of their message, so that they are found and checked as those of any other protocol.

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "websocket.h"
#include "wire.h"

// A longer message is none that is known.
enum { MAX_MESSAGE_BYTES = MAX_EVENT_BYTES + 1024 };

static struct bytes no_greeting(bool listens, const char *room) { return (void)listens, (void)room, (struct bytes){.length = 0}; }
static struct bytes no_answer(bool listens) { return (void)listens, (struct bytes){.length = 0}; }

// The head of a message with this prefix, an event and so many bytes after it. The key of one that is sent is filled in later.
static struct bytes message_head(bool sends, int opcode, const void *prefix, size_t length, uint32_t bytes, size_t after) {
  struct bytes out;
  out.length = ws_head(out.data, opcode, length + bytes + after, 0);
  if (!sends) {
    out.length -= WS_KEY_BYTES;
    out.data[1] &= 0x7f;
  }
  append(&out, prefix, length);
  return out;
}

// Takes a whole frame that is no event: answers pings; `known` says whether a message of data is one that may come.
static int take_frame(const unsigned char *at, size_t length, struct bytes *reply,
                      bool (*known)(const unsigned char *data, size_t length, struct bytes *reply)) {
  struct ws_frame frame;
  const int whole = ws_read_head(at, length, &frame);
  if (whole <= 0) return whole;
  if (frame.length > MAX_MESSAGE_BYTES) return -1;
  if (length < frame.head + frame.length) return 0;
  const unsigned char *data = at + frame.head;
  if (frame.opcode == WS_PING) {
    const struct bytes pong = ws_message(WS_PONG, data, (uint32_t)frame.length);
    append(reply, pong.data, pong.length);
  }
  const bool is_data = frame.opcode < WS_CLOSE;
  if (is_data && (!frame.final || frame.opcode == WS_CONTINUATION || !known(data, frame.length, reply))) return -1;
  return (int)(frame.head + frame.length);
}

// Bare messages.

static bool no_data(const unsigned char *data, size_t length, struct bytes *reply) {
  return (void)data, (void)length, (void)reply, false;
}

static int bare_other(const unsigned char *at, size_t length, struct bytes *reply) {
  return take_frame(at, length, reply, no_data);
}

static struct bytes bare_send_head(const char *room, uint32_t bytes) {
  return (void)room, message_head(true, WS_TEXT, "", 0, bytes, 0);
}

static struct bytes bare_receive_head(const char *room, uint32_t bytes) {
  return (void)room, message_head(false, WS_TEXT, "", 0, bytes, 0);
}

static struct bytes no_head(const char *room, uint32_t bytes) { return (void)room, (void)bytes, (struct bytes){.length = 0}; }
static int no_other(const unsigned char *at, size_t length, struct bytes *reply) {
  return (void)at, (void)length, (void)reply, -1;
}

// Socket.IO 4 in Engine.IO 4: a message begins with two digits that say what it is, the event is in a JSON array.

static const char socket_io_prefix[] = "42[\"e\",";

static struct bytes socket_io_send_head(const char *room, uint32_t bytes) {
  return (void)room, message_head(true, WS_TEXT, socket_io_prefix, strlen(socket_io_prefix), bytes, 1);
}

static struct bytes socket_io_receive_head(const char *room, uint32_t bytes) {
  return (void)room, message_head(false, WS_TEXT, socket_io_prefix, strlen(socket_io_prefix), bytes, 1);
}

// "0{…}" opens the lower protocol, "40" asks for the upper one, which answers "40{…}".
static int socket_io_greeting(const unsigned char *message, size_t length, struct bytes *reply) {
  if (length >= 2 && message[0] == '0') append(reply, "40", 2);
  return length >= 3 && memcmp(message, "40{", 3) == 0;
}

static bool socket_io_known(const unsigned char *data, size_t length, struct bytes *reply) {
  if (length != 1 || data[0] != '2') return false;
  const struct bytes pong = ws_message(WS_TEXT, (const unsigned char *)"3", 1);
  append(reply, pong.data, pong.length);
  return true;
}

static int socket_io_other(const unsigned char *at, size_t length, struct bytes *reply) {
  return take_frame(at, length, reply, socket_io_known);
}

// Colyseus: a byte says what a message is; of events there follow the name and MessagePack, of its relay room the sender's
// identifier and what was sent. The event is a string there, which costs the server less than the objects that games send.

enum { COLYSEUS_JOIN = 10, COLYSEUS_DATA = 13, COLYSEUS_STATE = 14, COLYSEUS_PATCH = 15, COLYSEUS_ID_BYTES = 9 };

static struct bytes colyseus_head(bool sends, uint32_t bytes) {
  unsigned char prefix[3 + 2 + COLYSEUS_ID_BYTES + 5] = {COLYSEUS_DATA, 0xa1, 'e', 0x92, 0xa0 | COLYSEUS_ID_BYTES};
  size_t length = sends ? 3 : 5 + COLYSEUS_ID_BYTES;
  if (bytes < 32) prefix[length++] = (unsigned char)(0xa0 | bytes);
  else if (bytes < 256) prefix[length++] = 0xd9;
  else prefix[length++] = 0xda, prefix[length++] = (unsigned char)(bytes >> 8);
  if (bytes >= 32) prefix[length++] = (unsigned char)bytes;
  return message_head(sends, WS_BINARY, prefix, length, bytes, 0);
}

static struct bytes colyseus_send_head(const char *room, uint32_t bytes) { return (void)room, colyseus_head(true, bytes); }
static struct bytes colyseus_receive_head(const char *room, uint32_t bytes) { return (void)room, colyseus_head(false, bytes); }

static struct bytes colyseus_ask(const char *room) {
  struct bytes out;
  static const char *const format = "POST /matchmake/joinOrCreate/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
  (void)room;
  out.length = (uint32_t)snprintf((char *)out.data, sizeof out.data, format, "relay");
  return out;
}

// Finds "name":"value" and copies the value.
static bool field(const char *text, const char *name, char *value, size_t size) {
  char key[32];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  const char *from = strstr(text, key);
  if (from == NULL) return false;
  from += strlen(key);
  const size_t length = strcspn(from, "\"");
  if (length >= size) return false;
  memcpy(value, from, length);
  value[length] = 0;
  return true;
}

static bool colyseus_place(const char *answer, char *path, size_t size) {
  char process[64], room[64], session[64];
  if (!field(answer, "processId", process, sizeof process) || !field(answer, "roomId", room, sizeof room) ||
      !field(answer, "sessionId", session, sizeof session) || strlen(session) != COLYSEUS_ID_BYTES) {
    return false;
  }
  return snprintf(path, size, "/%s/%s?sessionId=%s", process, room, session) < (int)size;
}

static int colyseus_greeting(const unsigned char *message, size_t length, struct bytes *reply) {
  if (length == 0 || message[0] != COLYSEUS_JOIN) return 0;
  append(reply, (unsigned char[]){COLYSEUS_JOIN}, 1);
  return 1;
}

static bool colyseus_known(const unsigned char *data, size_t length, struct bytes *reply) {
  return (void)reply, length > 0 && (data[0] == COLYSEUS_STATE || data[0] == COLYSEUS_PATCH);
}

static int colyseus_other(const unsigned char *at, size_t length, struct bytes *reply) {
  return take_frame(at, length, reply, colyseus_known);
}

// All of them.

static const struct upgrade to_messages = {.path = "/", .opcode = WS_TEXT, .sends_each = true, .receives_each = true};
static const struct upgrade to_lines_apart = {.path = "/", .opcode = WS_TEXT, .sends_each = true, .whole = true};
static const struct upgrade to_socket_io = {
    .path = "/socket.io/?EIO=4&transport=websocket",
    .opcode = WS_TEXT,
    .sends_each = true,
    .receives_each = true,
    .greeting = socket_io_greeting,
};
static const struct upgrade to_colyseus = {
    .opcode = WS_BINARY,
    .sends_each = true,
    .receives_each = true,
    .ask = colyseus_ask,
    .place = colyseus_place,
    .greeting = colyseus_greeting,
};

const struct wire message_wires[] = {
    {
        .name = "messages/websocket",
        .greet = no_greeting,
        .greeted = no_answer,
        .send_head = bare_send_head,
        .receive_head = bare_receive_head,
        .send_tail = "",
        .receive_tail = "",
        .other = bare_other,
        .upgrade = &to_messages,
    },
    {
        // As pages send without a library, and the relay answers: an event a message to it, lines from it.
        .name = "lines apart/websocket",
        .greet = no_greeting,
        .greeted = no_answer,
        .send_head = bare_send_head,
        .receive_head = no_head,
        .send_tail = "",
        .receive_tail = "\n",
        .other = no_other,
        .upgrade = &to_lines_apart,
    },
    {
        .name = "socket.io/websocket",
        .compact = true,
        .greet = no_greeting,
        .greeted = no_answer,
        .send_head = socket_io_send_head,
        .receive_head = socket_io_receive_head,
        .send_tail = "]",
        .receive_tail = "]",
        .other = socket_io_other,
        .upgrade = &to_socket_io,
    },
    {
        .name = "colyseus/websocket",
        .greet = no_greeting,
        .greeted = no_answer,
        .send_head = colyseus_send_head,
        .receive_head = colyseus_receive_head,
        .send_tail = "",
        .receive_tail = "",
        .varies_at = 5,
        .varies = COLYSEUS_ID_BYTES,
        .other = colyseus_other,
        .upgrade = &to_colyseus,
    },
};

const size_t message_wire_count = sizeof message_wires / sizeof *message_wires;
