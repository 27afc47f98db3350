// Raw lines, eventrelay's sessions, NATS text, RESP2 and MQTT 3.1.1 with QoS 0, by themselves and as messages of a WebSocket; see
// wire.h. Protocols that are made of messages are those of wire_websocket.c.

#include "wire.h"

#include <stdio.h>
#include <string.h>

#include "websocket.h"

static struct bytes text(const char *format, const char *room, unsigned number) {
  struct bytes out;
  out.length = (uint32_t)snprintf((char *)out.data, sizeof out.data, format, room, number);
  return out;
}

static struct bytes nothing(void) { return (struct bytes){.length = 0}; }

static int no_other(const unsigned char *at, size_t length, struct bytes *reply) {
  (void)at, (void)length, (void)reply;
  return -1;
}

// Raw lines.

static struct bytes lines_greet(bool listens, const char *room) { return (void)listens, (void)room, nothing(); }
static struct bytes lines_greeted(bool listens) { return (void)listens, nothing(); }
static struct bytes lines_head(const char *room, uint32_t bytes) { return (void)room, (void)bytes, nothing(); }

// Sessions: level 1 of docs/PROTOCOL.md.

// Three quarters of the relay's window, which is what the protocol asks for.
enum { SESSION_REPORT_BYTES = 192 * 1024 };

static struct bytes session_greet(bool listens, const char *room) {
  return (void)listens, text("{\"$hello\":{\"version\":1,\"room\":\"%s\"}}\n", room, 0);
}

// The load sets no state, so that every `$welcome` ends with this, and nothing before its end does.
static struct bytes session_greeted(bool listens) { return (void)listens, text("\"state\":{}}}\n", "", 0); }

static int session_other(const unsigned char *at, size_t length, struct bytes *reply) {
  (void)reply;
  if (memcmp(at, "{\"$", length < 3 ? length : 3) != 0) return -1;
  const unsigned char *end = memchr(at, '\n', length);
  return end == NULL ? 0 : (int)(end - at) + 1;
}

static struct bytes session_report(uint64_t received, bool ping) {
  struct bytes out;
  const char *const format = "%s{\"$ack\":{\"bytes\":%llu}}\n";
  // The number of a ping comes back and is not looked at.
  const char *const first = ping ? "{\"$ping\":{\"t\":0}}\n" : "";
  out.length = (uint32_t)snprintf((char *)out.data, sizeof out.data, format, first, (unsigned long long)received);
  return out;
}

// NATS.

static struct bytes nats_greet(bool listens, const char *room) {
  static const char connect[] =
      "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\"lang\":\"c\",\"version\":\"1\"}\r\n";
  struct bytes out = text(listens ? "SUB %s 1\r\nPING\r\n" : "PING\r\n", room, 0);
  memmove(out.data + sizeof connect - 1, out.data, out.length);
  memcpy(out.data, connect, sizeof connect - 1);
  out.length += sizeof connect - 1;
  return out;
}

static struct bytes nats_greeted(bool listens) { return (void)listens, text("PONG\r\n", "", 0); }
static struct bytes nats_send_head(const char *room, uint32_t bytes) { return text("PUB %s %u\r\n", room, bytes); }
static struct bytes nats_receive_head(const char *room, uint32_t bytes) { return text("MSG %s 1 %u\r\n", room, bytes); }

static int nats_other(const unsigned char *at, size_t length, struct bytes *reply) {
  static const char *const known[] = {"PING\r\n", "PONG\r\n", "+OK\r\n", "INFO "};
  for (int index = 0; index < 4; index++) {
    const size_t size = strlen(known[index]);
    const size_t some = length < size ? length : size;
    if (memcmp(at, known[index], some) != 0) continue;
    if (index == 0 && some == size) append(reply, "PONG\r\n", 6);
    const unsigned char *end = memchr(at, '\n', length);
    return end == NULL ? 0 : (int)(end - at) + 1;
  }
  return -1;
}

// RESP2.

static struct bytes resp_greet(bool listens, const char *room) {
  if (!listens) return text("*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n", "", 0);
  struct bytes out = text("*2\r\n$9\r\nSUBSCRIBE\r\n$", "", 0);
  const struct bytes name = text("%2$u\r\n%1$s\r\n", room, (unsigned)strlen(room));
  memcpy(out.data + out.length, name.data, name.length);
  out.length += name.length;
  return out;
}

static struct bytes resp_greeted(bool listens) { return listens ? text(":1\r\n", "", 0) : nothing(); }

static struct bytes resp_head(const char *start, const char *room, uint32_t bytes) {
  struct bytes out;
  const char *const format = "%s$%zu\r\n%s\r\n$%u\r\n";
  out.length = (uint32_t)snprintf((char *)out.data, sizeof out.data, format, start, strlen(room), room, bytes);
  return out;
}

static struct bytes resp_send_head(const char *room, uint32_t bytes) {
  return resp_head("*3\r\n$7\r\nPUBLISH\r\n", room, bytes);
}

static struct bytes resp_receive_head(const char *room, uint32_t bytes) {
  return resp_head("*3\r\n$7\r\nmessage\r\n", room, bytes);
}

// MQTT 3.1.1.

static uint32_t put_length(unsigned char *at, uint32_t length) {
  uint32_t count = 0;
  do {
    at[count++] = (unsigned char)(length % 128 + (length >= 128 ? 128 : 0));
    length /= 128;
  } while (length > 0);
  return count;
}

static struct bytes mqtt_publish_head(const char *room, uint32_t bytes) {
  struct bytes out;
  const uint32_t name = (uint32_t)strlen(room);
  out.data[0] = 0x30;
  uint32_t at = 1 + put_length(out.data + 1, 2 + name + bytes);
  out.data[at++] = 0;
  out.data[at++] = (unsigned char)name;
  memcpy(out.data + at, room, name);
  out.length = at + name;
  return out;
}

static struct bytes mqtt_greet(bool listens, const char *room) {
  // Clean session, no keep-alive, and a client identifier that the server makes up.
  static const unsigned char connect[] = {0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0};
  struct bytes out;
  memcpy(out.data, connect, sizeof connect);
  out.length = sizeof connect;
  if (listens) {
    const unsigned char name = (unsigned char)strlen(room);
    const unsigned char subscribe[] = {0x82, (unsigned char)(5 + name), 0, 1, 0, name};
    memcpy(out.data + out.length, subscribe, sizeof subscribe);
    memcpy(out.data + out.length + sizeof subscribe, room, name);
    out.length += (uint32_t)sizeof subscribe + name;
    out.data[out.length++] = 0;
  }
  return out;
}

static struct bytes mqtt_greeted(bool listens) {
  static const unsigned char connack[] = {0x20, 2, 0, 0}, suback[] = {0x90, 3, 0, 1, 0};
  struct bytes out;
  out.length = listens ? sizeof suback : sizeof connack;
  memcpy(out.data, listens ? suback : connack, out.length);
  return out;
}

// All of them.

#define LINES                                                                                                               \
  .greet = lines_greet, .greeted = lines_greeted, .send_head = lines_head, .receive_head = lines_head, .send_tail = "\n",   \
  .receive_tail = "\n", .other = no_other
#define SESSIONS                                                                                                            \
  .has_rooms = true, .greet = session_greet, .greeted = session_greeted, .send_head = lines_head,                           \
  .receive_head = lines_head, .send_tail = "\n", .receive_tail = "\n", .other = session_other,                              \
  .report_bytes = SESSION_REPORT_BYTES, .report = session_report
#define NATS                                                                                                                \
  .has_rooms = true, .greet = nats_greet, .greeted = nats_greeted, .send_head = nats_send_head,                             \
  .receive_head = nats_receive_head, .send_tail = "\r\n", .receive_tail = "\r\n", .other = nats_other
#define RESP                                                                                                                \
  .sends_apart = true, .echoes = true, .has_rooms = true, .greet = resp_greet, .greeted = resp_greeted,                     \
  .send_head = resp_send_head, .receive_head = resp_receive_head, .send_tail = "\r\n", .receive_tail = "\r\n",              \
  .other = no_other
#define MQTT                                                                                                                \
  .echoes = true, .has_rooms = true, .greet = mqtt_greet, .greeted = mqtt_greeted, .send_head = mqtt_publish_head,          \
  .receive_head = mqtt_publish_head, .send_tail = "", .receive_tail = "", .other = no_other

static const struct upgrade in_lines = {.path = "/", .opcode = WS_TEXT, .whole = true};
static const struct upgrade in_binary = {.path = "/", .opcode = WS_BINARY};
static const struct upgrade in_mqtt = {.path = "/mqtt", .subprotocol = "mqtt", .opcode = WS_BINARY};

static const struct wire wires[] = {
    {.name = "lines", LINES},
    {.name = "sessions", SESSIONS},
    {.name = "nats", NATS},
    {.name = "resp", RESP},
    {.name = "mqtt", MQTT},
    {.name = "lines/websocket", LINES, .upgrade = &in_lines},
    {.name = "sessions/websocket", SESSIONS, .upgrade = &in_lines},
    {.name = "nats/websocket", NATS, .upgrade = &in_binary},
    {.name = "mqtt/websocket", MQTT, .upgrade = &in_mqtt},
};

static const struct wire *find_in(const struct wire *all, size_t count, const char *name) {
  for (size_t index = 0; index < count; index++) {
    if (strcmp(all[index].name, name) == 0) return &all[index];
  }
  return NULL;
}

const struct wire *find_wire(const char *name) {
  const struct wire *found = find_in(wires, sizeof wires / sizeof *wires, name);
  return found != NULL ? found : find_in(message_wires, message_wire_count, name);
}
