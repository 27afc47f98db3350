// See crowd.h.

#define _GNU_SOURCE
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "plan.h"

enum {
  READ_BYTES = 256 * 1024,
  MAX_READY = 512,
  STALLED_RECEIVE_BYTES = 4096,
  ANSWER_DEADLINE_S = 10,
  // Of each connection, where the protocol has pings: while there is traffic, and otherwise.
  PING_US = 1000000,
  CALM_PING_US = 5000000,
};

struct crowd crowd;

static int poller, timer;
static unsigned char *inbox;

void crowd_init(void) {
  poller = epoll_create1(EPOLL_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
  inbox = malloc(READ_BYTES + MAX_EVENT_BYTES * 2);
  const size_t places = (size_t)plan.publishers + plan.subscribers + plan.members + plan.idle + plan.warm + 1;
  crowd.connections = malloc(places * 2 * plan.rooms * sizeof *crowd.connections);
  crowd.rooms = calloc(plan.rooms, sizeof *crowd.rooms);
  for (uint32_t index = 0; index < plan.rooms; index++) {
    struct room *room = &crowd.rooms[index];
    snprintf(room->name, sizeof room->name, "room-%04u", index);
    frame_init(&room->frame, plan.wire, room->name, plan.bytes);
    room->senders = malloc(places * sizeof *room->senders);
    room->receivers = malloc(places * sizeof *room->receivers);
  }
}

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

// Sends the greeting and waits for its answer; what came after the answer is the receiver's.
static void greet(int fd, bool listens, const char *room, struct receiver *receiver) {
  const struct bytes hello = plan.wire->greet(listens, room), answer = plan.wire->greeted(listens);
  if (hello.length > 0 && send(fd, hello.data, hello.length, MSG_NOSIGNAL) != (ssize_t)hello.length) {
    fail("greeting: %s", strerror(errno));
  }
  if (answer.length == 0) return;
  const struct timeval deadline = {.tv_sec = ANSWER_DEADLINE_S}, none = {0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  static unsigned char text[READ_BYTES];
  size_t length = 0;
  for (;;) {
    const ssize_t count = recv(fd, text + length, sizeof text - length, 0);
    if (count <= 0) fail("the server didn't answer the greeting");
    length += (size_t)count;
    const unsigned char *found = memmem(text, length, answer.data, answer.length);
    if (found == NULL) continue;
    found += answer.length;
    struct bytes reply = {.length = 0};
    if (receiver != NULL) receiver_take(receiver, (unsigned char *)found, (size_t)(text + length - found), 0, &reply);
    break;
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
}

static struct connection *add_connection(int fd, bool reads) {
  struct connection *connection = calloc(1, sizeof *connection);
  connection->fd = fd;
  connection->reads = reads;
  crowd.connections[crowd.connection_count++] = connection;
  struct epoll_event event = {.events = reads ? EPOLLIN : 0, .data.ptr = connection};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll: %s", strerror(errno));
  return connection;
}

static struct sender *new_sender(struct room *room, struct connection *connection, uint32_t number,
                                 uint32_t capacity) {
  struct sender *sender = calloc(1, sizeof *sender);
  const struct frame *frame = &room->frame;
  const struct bytes head = plan.wire->send_head(room->name, frame->layout.bytes);
  const uint32_t body = frame->length - frame->head, length = head.length + body;
  sender->connection = connection;
  sender->room = room;
  sender->capacity = capacity;
  sender->block = malloc((size_t)length * capacity);
  for (uint32_t index = 0; index < capacity; index++) {
    unsigned char *at = sender->block + (size_t)index * length;
    memcpy(at, head.data, head.length);
    memcpy(at + head.length, frame->sample + frame->head, body);
    store_word(at + head.length + frame->layout.sender, digits[number]);
  }
  return sender;
}

void join(struct room *room, bool sends, bool reads, bool stalled, uint32_t capacity) {
  struct receiver *receiver = NULL;
  struct connection *connection = NULL;
  const int self = sends ? (int)room->sender_count : -1;
  const uint32_t senders = plan.idle > 0 ? 1 : plan.publishers + plan.members;
  if (reads) {
    const int fd = open_socket(stalled);
    receiver = malloc(sizeof *receiver);
    receiver_init(receiver, &room->frame, senders, self, &crowd.latency);
    greet(fd, true, room->name, receiver);
    connection = add_connection(fd, !stalled);
    connection->receiver = receiver;
    if (!stalled) room->receivers[room->receiver_count++] = receiver;
  }
  if (!sends) return;
  if (connection == NULL || plan.wire->sends_apart) {
    const int fd = open_socket(false);
    struct receiver *own = NULL;
    if (receiver == NULL) {
      // Nothing is sent to it but what the protocol itself says.
      own = malloc(sizeof *own);
      receiver_init(own, &room->frame, senders, self, &crowd.latency);
    }
    greet(fd, false, room->name, own);
    connection = add_connection(fd, true);
    connection->receiver = own;
  }
  connection->sender = room->senders[room->sender_count] = new_sender(room, connection, (uint32_t)self, capacity);
  room->sender_count++;
}

static void await_writable(struct sender *sender, bool waits) {
  if (sender->waits == waits) return;
  sender->waits = waits;
  struct connection *connection = sender->connection;
  const uint32_t events = (connection->reads ? EPOLLIN : 0) | (waits ? EPOLLOUT : 0);
  struct epoll_event event = {.events = events, .data.ptr = connection};
  epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event);
}

static void push(struct sender *sender) {
  while (sender->pending_length > 0) {
    const int fd = sender->connection->fd;
    const ssize_t count = send(fd, sender->pending, sender->pending_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return await_writable(sender, true);
    if (count < 0) sender->failed = true;
    sender->pending += count < 0 ? 0 : count;
    sender->pending_length -= count < 0 ? sender->pending_length : (size_t)count;
  }
  await_writable(sender, false);
}

// Writes `count` events from `first` on; the sender has nothing pending.
static void write_events(struct sender *sender, uint64_t first, uint32_t count) {
  const struct frame *frame = &sender->room->frame;
  const uint32_t body = frame->length - frame->head;
  const uint32_t head = plan.wire->send_head(sender->room->name, frame->layout.bytes).length, length = head + body;
  unsigned char *at = sender->block;
  unsigned char time[12];
  store_number(time, now_us());
  for (uint32_t index = 0; index < count; index++, at += length) {
    const uint64_t sequence = first + index;
    if (index == 0 || sequence % DIGIT_GROUP == 0) store_number(at + head + frame->layout.sequence, sequence);
    else memcpy(at + head + frame->layout.sequence, at - length + head + frame->layout.sequence, 8);
    store_word(at + head + frame->layout.sequence + 8, digits[sequence % DIGIT_GROUP]);
    memcpy(at + head + frame->layout.time, time, 12);
  }
  sender->pending = sender->block;
  sender->pending_length = (size_t)length * count;
  push(sender);
}

// Sends a report that is due ahead of events, in one segment with them.
static void report_ahead(struct sender *sender) {
  struct connection *connection = sender->connection;
  const struct receiver *receiver = connection->receiver;
  if (plan.wire->report_bytes == 0 || receiver == NULL || !connection->reads) return;
  const uint64_t bytes = receiver->bytes;
  if (!connection->ping_due && (bytes - connection->reported) * 3 < plan.wire->report_bytes * 2ull) return;
  const struct bytes reply = plan.wire->report(bytes, connection->ping_due);
  connection->ping_due = false;
  if (send(connection->fd, reply.data, reply.length, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE) == (ssize_t)reply.length) {
    connection->reported = bytes;
  }
}

void send_events(struct sender *sender, uint32_t count) {
  report_ahead(sender);
  const uint64_t first = sender->sent + 1;
  sender->sent += count;
  sender->room->sent += count;
  write_events(sender, first, count);
}

void send_probe(struct sender *sender) { write_events(sender, 0, 1); }

static void end(struct connection *connection) {
  if (connection->ended) return;
  connection->ended = true;
  if (connection->reads) crowd.ended++;
  else crowd.stalled_cut++;
  epoll_ctl(poller, EPOLL_CTL_DEL, connection->fd, NULL);
}

// Writes something that is no event. In the middle of a write of events there is no place for it: says whether there was.
static bool answer(struct connection *connection, struct bytes reply) {
  struct sender *sender = connection->sender;
  if (sender != NULL && sender->pending_length > 0) return false;
  if (sender == NULL) {
    // It writes nothing but a few bytes once in a while, so its buffer is never full.
    if (send(connection->fd, reply.data, reply.length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) end(connection);
    return true;
  }
  connection->reply = reply;
  sender->pending = connection->reply.data;
  sender->pending_length = reply.length;
  push(sender);
  return true;
}

static void report(struct connection *connection, bool ping) {
  const uint64_t bytes = connection->receiver->bytes;
  if (answer(connection, plan.wire->report(bytes, ping))) connection->reported = bytes;
}

static void report_if_due(struct connection *connection) {
  const struct receiver *receiver = connection->receiver;
  if (plan.wire->report_bytes == 0 || receiver == NULL || !connection->reads) return;
  if (receiver->bytes - connection->reported >= plan.wire->report_bytes) report(connection, false);
}

// Looks at one connection after the other, each about once in PING_US, and lets it ping if that is due.
static void ping_some(void) {
  static uint64_t next_us;
  static uint32_t place;
  const uint64_t now = now_us();
  if (plan.wire->report_bytes == 0 || crowd.connection_count == 0) return;
  if (next_us + PING_US < now) next_us = now;
  for (; next_us <= now; next_us += PING_US / crowd.connection_count + 1) {
    struct connection *connection = crowd.connections[place++ % crowd.connection_count];
    if (!connection->reads || connection->ended) continue;
    const uint64_t active = connection->receiver->frames + (connection->sender == NULL ? 0 : connection->sender->sent);
    if (active == connection->active && now - connection->pinged_us < CALM_PING_US) continue;
    connection->active = active;
    connection->pinged_us = now;
    // Who sends events all the time pings with them; client.ts does so, too.
    const uint64_t sent = connection->sender == NULL ? 0 : connection->sender->sent;
    const bool rides = sent > connection->sent_at_ping && !connection->ping_due;
    connection->sent_at_ping = sent;
    connection->ping_due = rides;
    if (!rides) report(connection, true);
  }
}

static void read_from(struct connection *connection) {
  struct receiver *receiver = connection->receiver;
  const uint32_t held = receiver == NULL ? 0 : receiver->held_length;
  if (held > 0) memcpy(inbox, receiver->held, held);
  const ssize_t count = recv(connection->fd, inbox + held, READ_BYTES, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return end(connection);
  // A connection that only sends, beside one that listens, gets nothing of interest.
  if (receiver == NULL) return;
  struct bytes reply = {.length = 0};
  const uint64_t before = receiver->unique;
  receiver->recording = crowd.recording;
  receiver_take(receiver, inbox, held + (size_t)count, now_us(), &reply);
  crowd.received += receiver->unique - before;
  if (reply.length > 0) answer(connection, reply);
  report_if_due(connection);
}

void turn(int timeout_ms) {
  ping_some();
  struct epoll_event events[MAX_READY];
  const int count = epoll_wait(poller, events, MAX_READY, timeout_ms);
  for (int index = 0; index < count; index++) {
    struct connection *connection = events[index].data.ptr;
    if (connection == NULL) {
      uint64_t expirations;
      if (read(timer, &expirations, sizeof expirations) < 0) continue;
      continue;
    }
    if (events[index].events & EPOLLOUT) {
      push(connection->sender);
      // With its window full it gets nothing more to read, which would remind it.
      report_if_due(connection);
    }
    if (!(events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
    if (connection->reads) read_from(connection);
    else end(connection);
  }
}

void set_alarm(uint64_t wait_us) {
  struct itimerspec in = {.it_value = {(time_t)(wait_us / 1000000), (long)(wait_us % 1000000) * 1000}};
  timerfd_settime(timer, 0, &in, NULL);
}

uint64_t most_behind(const struct room *room) {
  uint64_t most = 0;
  for (uint32_t index = 0; index < room->receiver_count; index++) {
    const struct receiver *receiver = room->receivers[index];
    const uint64_t own = receiver->self < 0 ? 0 : room->senders[receiver->self]->sent;
    const uint64_t behind = room->sent - own - receiver_accounted(receiver);
    if (behind > most) most = behind;
  }
  return most;
}
