// See crowd.h.

#define _GNU_SOURCE
#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "entry.h"
#include "plan.h"

enum {
  READ_BYTES = 256 * 1024,
  MAX_READY = 512,
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
  inbox = (unsigned char *)malloc(HEADROOM_BYTES + READ_BYTES) + HEADROOM_BYTES;
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

static struct connection *add_connection(int fd, bool reads) {
  struct connection *connection = calloc(1, sizeof *connection);
  connection->fd = fd;
  connection->reads = reads;
  crowd.connections[crowd.connection_count++] = connection;
  struct epoll_event event = {.events = reads ? EPOLLIN : 0, .data.ptr = connection};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll: %s", strerror(errno));
  return connection;
}

void join(struct room *room, bool sends, bool reads, bool stalled, uint32_t capacity) {
  struct receiver *receiver = NULL;
  struct connection *connection = NULL;
  const int self = sends ? (int)room->sender_count : -1;
  const uint32_t senders = plan.idle > 0 ? 1 : plan.publishers + plan.members;
  if (reads) {
    receiver = malloc(sizeof *receiver);
    receiver_init(receiver, &room->frame, senders, self, &crowd.latency);
    connection = add_connection(enter(room->name, true, stalled, receiver), !stalled);
    connection->receiver = receiver;
    if (!stalled) room->receivers[room->receiver_count++] = receiver;
  }
  if (!sends) return;
  if (connection == NULL || plan.wire->sends_apart) {
    struct receiver *own = NULL;
    if (receiver == NULL) {
      // Nothing is sent to it but what the protocol itself says.
      own = malloc(sizeof *own);
      receiver_init(own, &room->frame, senders, self, &crowd.latency);
    }
    connection = add_connection(enter(room->name, false, false, own), true);
    connection->receiver = own;
  }
  struct sender *sender = calloc(1, sizeof *sender);
  sender->connection = connection;
  sender->room = room;
  block_init(&sender->block, &room->frame, room->name, (uint32_t)self, capacity);
  connection->sender = room->senders[room->sender_count] = sender;
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
    struct connection *connection = sender->connection;
    if (sender->pending_length > 0 || connection->owed.length == 0) continue;
    connection->reply = connection->owed;
    connection->owed.length = 0;
    sender->pending = connection->reply.data;
    sender->pending_length = connection->reply.length;
  }
  await_writable(sender, false);
}

// Writes `count` events from `first` on; the sender has nothing pending.
static void write_events(struct sender *sender, struct bytes ahead, uint64_t first, uint32_t count) {
  const struct written written = block_write(&sender->block, ahead, first, count, now_us());
  sender->pending = written.data;
  sender->pending_length = written.length;
  push(sender);
}

// Returns a report that is due, so that it goes in one segment with the events behind it; empty if none is.
static struct bytes report_ahead(struct sender *sender) {
  struct connection *connection = sender->connection;
  const struct receiver *receiver = connection->receiver;
  const struct bytes none = {.length = 0};
  if (plan.wire->report_bytes == 0 || receiver == NULL || !connection->reads) return none;
  const uint64_t bytes = receiver->bytes;
  if (!connection->ping_due && (bytes - connection->reported) * 3 < plan.wire->report_bytes * 2ull) return none;
  const struct bytes report = plan.wire->report(bytes, connection->ping_due);
  connection->ping_due = false;
  connection->reported = bytes;
  return report;
}

void send_events(struct sender *sender, uint32_t count) {
  const struct bytes ahead = report_ahead(sender);
  const uint64_t first = sender->sent + 1;
  sender->sent += count;
  sender->room->sent += count;
  write_events(sender, ahead, first, count);
}

void send_probe(struct sender *sender) { write_events(sender, (struct bytes){.length = 0}, 0, 1); }

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
  const struct upgrade *upgrade = plan.wire->upgrade;
  struct bytes said = plan.wire->report(bytes, ping);
  if (upgrade != NULL) said = ws_message(upgrade->opcode, said.data, said.length);
  if (answer(connection, said)) connection->reported = bytes;
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
  const ssize_t count = recv(connection->fd, inbox, READ_BYTES, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return end(connection);
  // A connection that only sends, beside one that listens, gets nothing of interest.
  if (receiver == NULL) return;
  struct bytes reply = {.length = 0};
  const uint64_t before = receiver->unique;
  receiver->recording = crowd.recording;
  receiver_take(receiver, inbox, (size_t)count, now_us(), &reply);
  crowd.received += receiver->unique - before;
  if (reply.length > 0 && !answer(connection, reply)) append(&connection->owed, reply.data, reply.length);
  if (receiver->closed) return end(connection);
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
