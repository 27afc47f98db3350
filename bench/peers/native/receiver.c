// See receiver.h.

#define _GNU_SOURCE
#include "receiver.h"

#include <stdlib.h>

enum { SAME, DIGIT, ANY };

void frame_init(struct frame *frame, const struct wire *wire, const char *room, uint32_t line_bytes) {
  unsigned char *event = malloc(line_bytes + 64);
  frame->wire = wire;
  frame->layout = make_event(line_bytes, wire->compact, event);
  const struct bytes head = wire->receive_head(room, frame->layout.bytes);
  const uint32_t tail = (uint32_t)strlen(wire->receive_tail);
  frame->head = head.length;
  frame->length = head.length + frame->layout.bytes + tail;
  frame->sample = malloc(frame->length);
  frame->kinds = malloc(frame->length);
  memcpy(frame->sample, head.data, head.length);
  memcpy(frame->sample + head.length, event, frame->layout.bytes);
  memcpy(frame->sample + head.length + frame->layout.bytes, wire->receive_tail, tail);
  memset(frame->kinds, SAME, frame->length);
  memset(frame->kinds + head.length + frame->layout.sender, DIGIT, 4);
  memset(frame->kinds + head.length + frame->layout.sequence, DIGIT, 12);
  memset(frame->kinds + head.length + frame->layout.time, DIGIT, 12);
  if (wire->varies > 0) {
    struct ws_frame message;
    ws_read_head(frame->sample, frame->length, &message);
    memset(frame->kinds + message.head + wire->varies_at, ANY, wire->varies);
  }
  free(event);
}

void receiver_init(struct receiver *receiver, const struct frame *frame, uint32_t senders, int self,
                   struct histogram *latency) {
  memset(receiver, 0, sizeof *receiver);
  receiver->frame = frame;
  receiver->senders = senders;
  receiver->self = self;
  receiver->latency = latency;
  receiver->next = malloc(senders * sizeof *receiver->next);
  for (uint32_t sender = 0; sender < senders; sender++) receiver->next[sender] = 1;
}

// Compares every byte of a frame.
static bool is_frame(const struct frame *frame, const unsigned char *at) {
  for (uint32_t index = 0; index < frame->length; index++) {
    if (frame->kinds[index] == SAME && at[index] != frame->sample[index]) return false;
    if (frame->kinds[index] == DIGIT && (at[index] < '0' || at[index] > '9')) return false;
  }
  return true;
}

static void settle(struct receiver *receiver, int sender, uint64_t count) {
  receiver->next[sender] += count;
  if (sender == receiver->self) receiver->own += count;
  else receiver->unique += count;
}

static void add_latency(struct receiver *receiver, uint64_t time_us, uint64_t sent_us, uint64_t count) {
  if (count > 0) histogram_add(receiver->latency, time_us > sent_us ? time_us - sent_us : 0, count);
}

// Takes frames as long as each is the one expected next of its sender; returns where the first other one begins.
static unsigned char *take_run(struct receiver *receiver, unsigned char *at, const unsigned char *end, uint64_t time_us) {
  const struct frame *frame = receiver->frame;
  const uint32_t length = frame->length;
  const uint32_t sender_at = frame->head + frame->layout.sender, sequence_at = frame->head + frame->layout.sequence;
  const uint32_t time_at = frame->head + frame->layout.time;
  const uint32_t first_word = load_word(frame->sample), last_word = load_word(frame->sample + length - 4);
  const bool has_head = frame->head > 0;
  int sender = -1;
  uint32_t sender_word = 0, low = 0, mid_word = 0, high_word = 0;
  uint64_t count = 0, same_time = 0, sent_us = 0;
  unsigned char time_digits[12] = {0};
  for (; (size_t)(end - at) >= length; at += length) {
    const uint32_t word = load_word(at + sender_at);
    if (word != sender_word || low == DIGIT_GROUP || sender < 0) {
      // Another sender, or the last four digits ran over: settle the run and begin another.
      if (sender >= 0) settle(receiver, sender, count);
      count = 0;
      const uint64_t number = load_number(at + sender_at, 4);
      sender = number < receiver->senders ? (int)number : -1;
      if (sender < 0) break;
      sender_word = word;
      const uint64_t expected = receiver->next[sender];
      low = (uint32_t)(expected % DIGIT_GROUP);
      mid_word = digits[expected / DIGIT_GROUP % DIGIT_GROUP];
      high_word = digits[expected / ((uint64_t)DIGIT_GROUP * DIGIT_GROUP) % DIGIT_GROUP];
    }
    if (load_word(at + sequence_at + 8) != digits[low] || load_word(at + sequence_at + 4) != mid_word ||
        load_word(at + sequence_at) != high_word || load_word(at + length - 4) != last_word ||
        (has_head && load_word(at) != first_word)) {
      break;
    }
    low++;
    count++;
    if (receiver->recording && sender != receiver->self) {
      // Events of one write carry one time: it is decoded once.
      if (memcmp(at + time_at, time_digits, 12) != 0) {
        add_latency(receiver, time_us, sent_us, same_time);
        same_time = 0;
        memcpy(time_digits, at + time_at, 12);
        sent_us = load_number(at + time_at, 12);
      }
      same_time++;
    }
  }
  if (sender >= 0) settle(receiver, sender, count);
  add_latency(receiver, time_us, sent_us, same_time);
  return at;
}

// Takes a whole frame that is not the one expected next.
static void take_odd(struct receiver *receiver, const unsigned char *at) {
  const struct frame *frame = receiver->frame;
  const uint64_t sender = load_number(at + frame->head + frame->layout.sender, 4);
  const uint64_t sequence = load_number(at + frame->head + frame->layout.sequence, 12);
  if (sender >= receiver->senders) {
    receiver->damaged++;
  } else if (sequence >= receiver->next[sender]) {
    const uint64_t skipped = sequence - receiver->next[sender];
    settle(receiver, (int)sender, 1);
    receiver->next[sender] = sequence + 1;
    if ((int)sender != receiver->self) receiver->missing += skipped;
  } else if (sequence > 0 || receiver->next[sender] > 1) {
    receiver->again++;
  }
}

// Says where the next event may begin after bytes that are none.
static unsigned char *find_next(const struct frame *frame, unsigned char *at, unsigned char *end) {
  unsigned char *found;
  if (frame->head > 0) {
    const size_t same = frame->wire->varies > 0 ? 4 : frame->head;
    found = memmem(at + 1, (size_t)(end - at) - 1, frame->sample, same);
    return found == NULL ? end : found;
  }
  found = memchr(at, '\n', (size_t)(end - at));
  return found == NULL ? end : found + 1;
}

static void add_damaged(struct receiver *receiver, const unsigned char *at, size_t length) {
  receiver->damaged++;
  if (receiver->odd[0] != 0) return;
  memcpy(receiver->odd, at, length < sizeof receiver->odd ? length : sizeof receiver->odd - 1);
}

void receiver_take_stream(struct receiver *receiver, unsigned char *at, size_t length, uint64_t time_us, struct bytes *reply) {
  const struct frame *frame = receiver->frame;
  unsigned char *const end = at + length;
  const uint64_t before = receiver->unique + receiver->own;
  receiver->bytes += length + receiver->held_length;
  at -= receiver->held_length;
  if (receiver->held_length > 0) memcpy(at, receiver->held, receiver->held_length);
  while (at < end) {
    const bool whole = (size_t)(end - at) >= frame->length;
    if (whole && is_frame(frame, at)) {
      unsigned char *next = take_run(receiver, at, end, time_us);
      if (next == at) {
        take_odd(receiver, at);
        receiver->frames++;
        next += frame->length;
      }
      at = next;
      continue;
    }
    const int other = frame->wire->other(at, (size_t)(end - at), reply);
    if (other > 0) {
      at += other;
      continue;
    }
    if (other == 0 || !whole) break;
    unsigned char *next = find_next(frame, at, end);
    add_damaged(receiver, at, (size_t)(next - at));
    at = next;
  }
  receiver->frames += receiver->unique + receiver->own - before;
  receiver->held_length = (uint32_t)(end - at);
  receiver->bytes -= receiver->held_length;
  if (receiver->held_length > receiver->held_capacity) {
    receiver->held_capacity = receiver->held_length;
    receiver->held = realloc(receiver->held, receiver->held_capacity);
  }
  if (receiver->held_length > 0) memcpy(receiver->held, at, receiver->held_length);
}

// What the protocol in the stream wants answered goes out as messages.
static void take_data(struct receiver *receiver, const struct piece *piece, uint64_t time_us, struct bytes *reply) {
  const struct upgrade *upgrade = receiver->frame->wire->upgrade;
  struct bytes answer = {.length = 0};
  receiver_take_stream(receiver, (unsigned char *)piece->data, piece->length, time_us, &answer);
  if (answer.length > 0) {
    const struct bytes message = ws_message(upgrade->opcode, answer.data, answer.length);
    append(reply, message.data, message.length);
  }
  if (piece->ends && upgrade->whole && receiver->held_length > 0) add_damaged(receiver, receiver->held, receiver->held_length);
}

void receiver_take(struct receiver *receiver, unsigned char *at, size_t length, uint64_t time_us, struct bytes *reply) {
  const struct upgrade *upgrade = receiver->frame->wire->upgrade;
  if (upgrade == NULL || upgrade->receives_each) return receiver_take_stream(receiver, at, length, time_us, reply);
  struct unframer *unframer = &receiver->unframer;
  const unsigned char *const end = at + length;
  at -= unframer->held_length;
  memcpy(at, unframer->held, unframer->held_length);
  int64_t count = 0;
  for (struct piece piece; at < end && !receiver->closed; at += count) {
    count = unframe(unframer, at, (size_t)(end - at), &piece);
    if (count == 0) break;
    if (count < 0) {
      add_damaged(receiver, at, (size_t)(end - at));
      receiver->closed = true;
    } else if (piece.opcode < WS_CLOSE) {
      take_data(receiver, &piece, time_us, reply);
    } else if (piece.opcode != WS_PONG) {
      const int opcode = piece.opcode == WS_PING ? WS_PONG : WS_CLOSE;
      const struct bytes message = ws_message(opcode, piece.data, (uint32_t)piece.length);
      append(reply, message.data, message.length);
      receiver->closed = opcode == WS_CLOSE;
    }
  }
  unframer->held_length = receiver->closed ? 0 : (uint32_t)(end - at);
  memcpy(unframer->held, at, unframer->held_length);
}
