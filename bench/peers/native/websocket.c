// See websocket.h.

#include "websocket.h"

enum { FINAL = 0x80, RESERVED = 0x70, MASKED = 0x80, SHORT_LENGTH = 126, LONG_LENGTH = 127 };

uint32_t ws_head_length(uint64_t length) {
  return (length < SHORT_LENGTH ? 2 : length <= UINT16_MAX ? 4 : 10) + WS_KEY_BYTES;
}

uint32_t ws_head(unsigned char *out, int opcode, uint64_t length, uint32_t key) {
  const uint32_t bytes = length < SHORT_LENGTH ? 0 : length <= UINT16_MAX ? 2 : 8;
  out[0] = (unsigned char)(FINAL | opcode);
  out[1] = (unsigned char)(MASKED | (bytes == 0 ? (int)length : bytes == 2 ? SHORT_LENGTH : LONG_LENGTH));
  for (uint32_t index = 0; index < bytes; index++) out[2 + index] = (unsigned char)(length >> 8 * (bytes - 1 - index));
  memcpy(out + 2 + bytes, &key, WS_KEY_BYTES);
  return 2 + bytes + WS_KEY_BYTES;
}

uint32_t ws_next_key(void) {
  static uint32_t state = 0x9e3779b9;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

void ws_mask(unsigned char *out, const unsigned char *in, size_t length, uint32_t key, size_t phase) {
  const unsigned turn = 8 * (unsigned)(phase % WS_KEY_BYTES);
  const uint32_t turned = turn == 0 ? key : key >> turn | key << (32 - turn);
  const uint64_t wide = (uint64_t)turned << 32 | turned;
  for (; length >= sizeof wide; length -= sizeof wide, out += sizeof wide, in += sizeof wide) {
    uint64_t word;
    memcpy(&word, in, sizeof word);
    word ^= wide;
    memcpy(out, &word, sizeof word);
  }
  for (size_t index = 0; index < length; index++) out[index] = in[index] ^ (unsigned char)(wide >> 8 * index);
}

struct bytes ws_message(int opcode, const unsigned char *payload, uint32_t length) {
  struct bytes out;
  const uint32_t key = ws_next_key(), head = ws_head(out.data, opcode, length, key);
  ws_mask(out.data + head, payload, length, key, 0);
  out.length = head + length;
  return out;
}

int ws_read_head(const unsigned char *at, size_t length, struct ws_frame *frame) {
  if (length < 2) return 0;
  frame->opcode = at[0] & 0x0f;
  frame->final = (at[0] & FINAL) != 0;
  const bool control = frame->opcode >= WS_CLOSE, known = frame->opcode <= WS_BINARY || (control && frame->opcode <= WS_PONG);
  if ((at[0] & RESERVED) != 0 || (at[1] & MASKED) != 0 || !known) return -1;
  const uint32_t bytes = at[1] < SHORT_LENGTH ? 0 : at[1] == SHORT_LENGTH ? 2 : 8;
  if (control && (!frame->final || bytes > 0)) return -1;
  frame->head = 2 + bytes;
  if (length < frame->head) return 0;
  frame->length = bytes == 0 ? at[1] : 0;
  for (uint32_t index = 0; index < bytes; index++) frame->length = frame->length << 8 | at[2 + index];
  // The shortest way to write a length is the only one.
  if (bytes == 2 && frame->length < SHORT_LENGTH) return -1;
  if (bytes == 8 && (frame->length <= UINT16_MAX || frame->length > INT64_MAX)) return -1;
  return 1;
}

// Takes what is there of the frame's payload.
static int64_t take_payload(struct unframer *unframer, const unsigned char *at, size_t length, struct piece *piece) {
  const size_t some = length < unframer->left ? length : (size_t)unframer->left;
  unframer->left -= some;
  unframer->in_frame = unframer->left > 0;
  const bool ends = !unframer->in_frame && unframer->final;
  if (ends) unframer->in_message = false;
  *piece = (struct piece){WS_CONTINUATION, at, some, ends};
  return (int64_t)some;
}

int64_t unframe(struct unframer *unframer, const unsigned char *at, size_t length, struct piece *piece) {
  if (unframer->in_frame) return take_payload(unframer, at, length, piece);
  struct ws_frame frame;
  const int whole = ws_read_head(at, length, &frame);
  if (whole <= 0) return whole;
  if (frame.opcode >= WS_CLOSE) {
    if (length < frame.head + frame.length) return 0;
    *piece = (struct piece){frame.opcode, at + frame.head, (size_t)frame.length, true};
    return (int64_t)(frame.head + frame.length);
  }
  if ((frame.opcode == WS_CONTINUATION) != unframer->in_message) return -1;
  unframer->in_message = unframer->in_frame = true;
  unframer->final = frame.final;
  unframer->left = frame.length;
  return frame.head + take_payload(unframer, at + frame.head, length - frame.head, piece);
}
