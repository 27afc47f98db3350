// See entry.h.

#define _GNU_SOURCE
#include "entry.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plan.h"

enum { READ_BYTES = 256 * 1024, STALLED_RECEIVE_BYTES = 4096, ANSWER_DEADLINE_S = 10, MAX_PATH_BYTES = 256, MAX_REQUEST_BYTES = 1024 };

// What is read until the last answer is there, with room in front of it, and what WebSocket messages carry of it.
static unsigned char memory[2][HEADROOM_BYTES + READ_BYTES];
static unsigned char *const text = memory[0] + HEADROOM_BYTES, *const stream = memory[1] + HEADROOM_BYTES;

static int open_socket(bool stalled) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  const int on = 1, small = STALLED_RECEIVE_BYTES;
  // A small buffer makes the server notice in a second what would take half a minute.
  if (stalled) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect: %s", strerror(errno));
  return fd;
}

static void set_deadline(int fd, int seconds) {
  const struct timeval deadline = {.tv_sec = seconds};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
}

static void say(int fd, const void *data, size_t length) {
  if (length > 0 && send(fd, data, length, MSG_NOSIGNAL) != (ssize_t)length) fail("greeting: %s", strerror(errno));
}

// Reads once, behind `length` bytes; returns the new length.
static size_t read_more(int fd, size_t length) {
  const ssize_t count = length < READ_BYTES ? recv(fd, text + length, READ_BYTES - length, 0) : 0;
  if (count <= 0) fail("the server didn't answer the greeting");
  return length + (size_t)count;
}

// Asks where to go, by a request of its own.
static void find_path(const char *room, char *path) {
  const struct upgrade *upgrade = plan.wire->upgrade;
  if (upgrade->ask == NULL) {
    snprintf(path, MAX_PATH_BYTES, "%s", upgrade->path);
    return;
  }
  const int fd = open_socket(false);
  const struct bytes request = upgrade->ask(room);
  set_deadline(fd, ANSWER_DEADLINE_S);
  say(fd, request.data, request.length);
  size_t length = 0;
  for (ssize_t count; (count = recv(fd, text + length, READ_BYTES - 1 - length, 0)) > 0;) length += (size_t)count;
  close(fd);
  text[length] = 0;
  if (!upgrade->place((const char *)text, path, MAX_PATH_BYTES)) fail("the server didn't say where to go: %.200s", text);
}

// Makes the connection a WebSocket. Returns how many bytes came behind the answer; they are moved to the front.
static size_t upgrade_socket(int fd, const char *path) {
  // Key and answer are those of RFC 6455, 1.3.
  static const char accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
  const char *const subprotocol = plan.wire->upgrade->subprotocol;
  char request[MAX_REQUEST_BYTES];
  const int size = snprintf(request, sizeof request,
                            "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
                            path, plan.port, subprotocol == NULL ? "" : "Sec-WebSocket-Protocol: ",
                            subprotocol == NULL ? "" : subprotocol, subprotocol == NULL ? "" : "\r\n");
  say(fd, request, (size_t)size);
  for (size_t length = 0;;) {
    length = read_more(fd, length);
    unsigned char *end = memmem(text, length, "\r\n\r\n", 4);
    if (end == NULL) continue;
    end += 4;
    const size_t head = (size_t)(end - text);
    if (memcmp(text, "HTTP/1.1 101", 12) != 0 || memmem(text, head, accept, sizeof accept - 1) == NULL) {
      fail("the server doesn't upgrade: %.*s", (int)(head < 200 ? head : 200), text);
    }
    memmove(text, end, length - head);
    return length - head;
  }
}

// Answers messages until the greeting is over, `length` bytes of which have come; returns how many are behind it.
static size_t greet_by_messages(int fd, size_t length) {
  for (;;) {
    struct ws_frame frame;
    const int whole = ws_read_head(text, length, &frame);
    if (whole < 0) fail("the server doesn't speak WebSocket");
    if (whole == 0 || length < frame.head + frame.length) {
      length = read_more(fd, length);
      continue;
    }
    struct bytes reply = {.length = 0};
    const bool data = frame.opcode < WS_CLOSE;
    const bool over = data && plan.wire->upgrade->greeting(text + frame.head, frame.length, &reply) == 1;
    if (reply.length > 0) {
      const struct bytes message = ws_message(plan.wire->upgrade->opcode, reply.data, reply.length);
      say(fd, message.data, message.length);
    }
    length -= frame.head + frame.length;
    memmove(text, text + frame.head + frame.length, length);
    if (over) return length;
  }
}

// Collects what messages carry, up to `length` bytes of which have been read; what is none yet stays at the front of the text.
static size_t unframe_text(struct unframer *unframer, size_t *length, size_t carried) {
  size_t at = 0;
  for (struct piece piece; at < *length;) {
    const int64_t count = unframe(unframer, text + at, *length - at, &piece);
    if (count < 0) fail("the server doesn't speak WebSocket");
    if (count == 0) break;
    at += (size_t)count;
    if (piece.opcode >= WS_CLOSE) continue;
    if (carried + piece.length > READ_BYTES) fail("the server's greeting is too long");
    memcpy(stream + carried, piece.data, piece.length);
    carried += piece.length;
  }
  *length -= at;
  memmove(text, text + at, *length);
  return carried;
}

// Sends the greeting and waits for its answer.
static void greet(int fd, bool listens, const char *room, size_t length, struct receiver *receiver) {
  const struct upgrade *upgrade = plan.wire->upgrade;
  const struct bytes hello = plan.wire->greet(listens, room), answer = plan.wire->greeted(listens);
  const struct bytes message = upgrade == NULL ? hello : ws_message(upgrade->opcode, hello.data, hello.length);
  if (hello.length > 0) say(fd, message.data, message.length);
  struct bytes reply = {.length = 0};
  if (answer.length == 0) {
    if (receiver != NULL && length > 0) receiver_take(receiver, text, length, 0, &reply);
    return;
  }
  struct unframer unframer = {0};
  for (size_t carried = 0;;) {
    if (upgrade != NULL) carried = unframe_text(&unframer, &length, carried);
    unsigned char *const said = upgrade == NULL ? text : stream;
    const size_t said_length = upgrade == NULL ? length : carried;
    unsigned char *found = said_length == 0 ? NULL : memmem(said, said_length, answer.data, answer.length);
    if (found == NULL) {
      length = read_more(fd, length);
      continue;
    }
    found += answer.length;
    if (receiver == NULL) return;
    receiver_take_stream(receiver, found, (size_t)(said + said_length - found), 0, &reply);
    if (upgrade == NULL) return;
    receiver->unframer = unframer;
    if (length > 0) receiver_take(receiver, text, length, 0, &reply);
    return;
  }
}

int enter(const char *room, bool listens, bool stalled, struct receiver *receiver) {
  const struct upgrade *upgrade = plan.wire->upgrade;
  char path[MAX_PATH_BYTES];
  if (upgrade != NULL) find_path(room, path);
  const int fd = open_socket(stalled);
  set_deadline(fd, ANSWER_DEADLINE_S);
  size_t length = upgrade == NULL ? 0 : upgrade_socket(fd, path);
  if (upgrade != NULL && upgrade->greeting != NULL) length = greet_by_messages(fd, length);
  greet(fd, listens, room, length, receiver);
  set_deadline(fd, 0);
  return fd;
}
