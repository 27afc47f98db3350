// The load: connects to a server, sends numbered events, checks all that comes back, and prints what it has measured as one
// line of JSON. One thread, its own process. Told what to do by arguments (plan.h); ../native.ts starts it.
// Without `idle` there is traffic; with it, connections that do nothing are held and the server's memory is read.

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "crowd.h"
#include "plan.h"

enum {
  WRITE_BYTES = 64 * 1024,
  PROBE_MS = 20,
  JOIN_DEADLINE_MS = 15000,
  // The end is reached when nothing has come for this long, or after this long in any case.
  DRAIN_QUIET_MS = 500,
  DRAIN_MS = 3000,
  HEAT_WINDOW_BYTES = 16 * 1024,
  IDLE_SETTLE_MS = 1500,
};

// How late the load's own ticks were.
static struct histogram lateness;

// Sends as much as the slowest receiver's window allows; says whether that was anything.
static bool flood(void) {
  const uint64_t window = plan.window / plan.bytes;
  bool wrote = false;
  for (uint32_t index = 0; index < plan.rooms; index++) {
    struct room *room = &crowd.rooms[index];
    if (most_behind(room) > window) continue;
    for (uint32_t number = 0; number < room->sender_count; number++) {
      struct sender *sender = room->senders[number];
      if (sender->pending_length > 0 || sender->failed) continue;
      send_events(sender, sender->block.capacity);
      wrote = true;
    }
  }
  return wrote;
}

// Sends what is due, late ticks together; sets the timer to the next.
static void keep_rate(uint64_t period_us) {
  const uint64_t now = now_us();
  uint64_t next = now + period_us;
  for (uint32_t index = 0; index < plan.rooms; index++) {
    for (uint32_t number = 0; number < crowd.rooms[index].sender_count; number++) {
      struct sender *sender = crowd.rooms[index].senders[number];
      if (sender->failed) continue;
      if (sender->due_us <= now && sender->pending_length == 0) {
        uint64_t ticks = (now - sender->due_us) / period_us + 1;
        if (ticks > sender->block.capacity / plan.lines) ticks = sender->block.capacity / plan.lines;
        if (crowd.recording) histogram_add(&lateness, now - sender->due_us, 1);
        sender->due_us += ticks * period_us;
        send_events(sender, (uint32_t)ticks * plan.lines);
      }
      if (sender->due_us < next && sender->pending_length == 0) next = sender->due_us;
    }
  }
  const uint64_t late = now_us();
  set_alarm(next > late ? next - late : 1);
}

static void run_until(uint64_t end_us) {
  const uint64_t period_us = plan.period;
  while (now_us() < end_us) {
    bool wrote = false;
    if (period_us > 0) keep_rate(period_us);
    else wrote = flood();
    turn(wrote ? 0 : 5);
  }
}

// Marks.

struct mark {
  uint64_t at_us, sent, received, server_us, load_us, busy_us, segments;
};

static struct mark take_mark(void) {
  struct mark mark = {.at_us = now_us(), .received = crowd.received};
  for (uint32_t index = 0; index < plan.rooms; index++) mark.sent += crowd.rooms[index].sent;
  for (uint32_t index = 0; index < crowd.connection_count; index++) {
    const struct connection *connection = crowd.connections[index];
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (connection->receiver == NULL || connection->receiver->frames == 0) continue;
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) mark.segments += info.tcpi_data_segs_in;
  }
  mark.server_us = process_cpu_us((int)plan.pid);
  mark.load_us = own_cpu_us();
  mark.busy_us = busy_cpu_us();
  return mark;
}

static void probe_all(void) {
  const uint64_t deadline = now_us() + (uint64_t)JOIN_DEADLINE_MS * 1000;
  for (;;) {
    uint32_t missing = 0;
    for (uint32_t index = 0; index < plan.rooms; index++) {
      struct room *room = &crowd.rooms[index];
      uint32_t here = 0;
      for (uint32_t number = 0; number < room->receiver_count; number++) here += room->receivers[number]->frames == 0;
      missing += here;
      // A sender's probe may not come back to itself, so that two are needed when the first also receives.
      for (uint32_t number = 0; here > 0 && number < room->sender_count && number < 2; number++) {
        if (room->senders[number]->pending_length == 0) send_probe(room->senders[number]);
      }
    }
    if (missing == 0) return;
    if (now_us() > deadline) fail("%u receivers got no probe", missing);
    for (const uint64_t end = now_us() + PROBE_MS * 1000; now_us() < end;) turn(1);
  }
}

// Waits until everybody has all; says whether that came to be.
static bool drain(void) {
  const uint64_t start = now_us();
  uint64_t seen = crowd.received, since = start;
  for (;;) {
    uint64_t behind = 0;
    for (uint32_t index = 0; index < plan.rooms; index++) behind += most_behind(&crowd.rooms[index]);
    if (behind == 0) return true;
    turn(5);
    const uint64_t now = now_us();
    if (crowd.received != seen) seen = crowd.received, since = now;
    if (now - since > DRAIN_QUIET_MS * 1000) return true;
    if (now - start > DRAIN_MS * 1000) return false;
  }
}

// Lets all senders write in turn, as fast as a small window allows: a server that has worked for a while has compiled its
// code and sized its queues, and a rate alone would take minutes for that.
static void heat(uint32_t ms) {
  uint32_t place = 0;
  for (const uint64_t end = now_us() + (uint64_t)ms * 1000; now_us() < end; place++) {
    bool wrote = false;
    for (uint32_t index = 0; index < plan.rooms; index++) {
      struct room *room = &crowd.rooms[index];
      struct sender *sender = room->senders[place % room->sender_count];
      if (sender->pending_length > 0 || most_behind(room) * plan.bytes > HEAT_WINDOW_BYTES) continue;
      send_events(sender, plan.lines);
      wrote = true;
    }
    turn(wrote ? 0 : 1);
  }
  drain();
}

static void print_text(const char *text) {
  putchar('"');
  for (; *text != 0; text++) {
    const unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\' || byte < ' ' || byte > '~') printf("\\u%04x", byte);
    else putchar(byte);
  }
  putchar('"');
}

static void print_verdict(bool drained) {
  struct faults faults = {0};
  uint64_t expected = 0, accounted = 0, received = 0;
  const char *odd = "";
  for (uint32_t index = 0; index < plan.rooms; index++) {
    const struct room *room = &crowd.rooms[index];
    for (uint32_t number = 0; number < room->receiver_count; number++) {
      const struct receiver *receiver = room->receivers[number];
      const uint64_t own = receiver->self < 0 ? 0 : room->senders[receiver->self]->sent;
      expected += room->sent - own;
      accounted += receiver_accounted(receiver);
      received += receiver->unique;
      faults.lost += receiver->missing;
      faults.again += receiver->again;
      faults.damaged += receiver->damaged;
      if (!plan.wire->echoes) faults.own += receiver->own;
      if (odd[0] == 0) odd = receiver->odd;
    }
  }
  // What hasn't come in time though it was still coming is not lost but late.
  const uint64_t outstanding = expected - accounted;
  if (drained) faults.lost += outstanding;
  printf("\"expected\":%lu,\"received\":%lu,\"behind\":%lu,", expected, received, drained ? 0 : outstanding);
  printf("\"disconnected\":%u,\"stalledCut\":%u,", crowd.ended, crowd.stalled_cut);
  printf("\"faults\":{\"lost\":%lu,\"again\":%lu,\"own\":%lu,\"damaged\":%lu},", faults.lost, faults.again, faults.own,
         faults.damaged);
  printf("\"odd\":");
  print_text(odd);
}

// The two kinds of run.

static uint32_t block_capacity(void) {
  const uint32_t fits = (plan.window < WRITE_BYTES ? plan.window : WRITE_BYTES) / plan.bytes;
  return fits > plan.lines ? fits : plan.lines;
}

static void run_traffic(void) {
  const uint32_t capacity = block_capacity();
  for (uint32_t index = 0; index < plan.rooms; index++) {
    for (uint32_t count = 0; count < plan.subscribers; count++) join(&crowd.rooms[index], false, true, false, 0);
    for (uint32_t count = 0; count < plan.publishers; count++) join(&crowd.rooms[index], true, false, false, capacity);
    for (uint32_t count = 0; count < plan.members; count++) {
      join(&crowd.rooms[index], true, true, count >= plan.members - plan.stalled, capacity);
    }
  }
  probe_all();
  if (plan.heat > 0) heat(plan.heat);
  uint64_t start = now_us();
  if (plan.period > 0) {
    // The ticks are spread evenly over a period.
    const uint64_t period_us = plan.period;
    const uint64_t all = (uint64_t)plan.rooms * (plan.publishers + plan.members);
    uint64_t place = 0;
    for (uint32_t index = 0; index < plan.rooms; index++) {
      for (uint32_t number = 0; number < crowd.rooms[index].sender_count; number++, place++) {
        crowd.rooms[index].senders[number]->due_us = start + place * period_us / all;
      }
    }
  }
  run_until(start + (uint64_t)plan.warmup * 1000);
  const struct mark before = take_mark();
  crowd.recording = true;
  run_until(before.at_us + (uint64_t)plan.measure * 1000);
  crowd.recording = false;
  const struct mark after = take_mark();
  const long rss = process_kib((int)plan.pid, "VmRSS:"), peak = process_kib((int)plan.pid, "VmHWM:");
  const bool drained = drain();
  printf("{\"elapsedUs\":%lu,\"sent\":%lu,", after.at_us - before.at_us, after.sent - before.sent);
  printf("\"deliveries\":%lu,", after.received - before.received);
  printf("\"latencyUs\":{\"p50\":%lu,\"p90\":%lu,\"p99\":%lu,\"p999\":%lu,\"max\":%lu},", histogram_quantile(&crowd.latency, 0.5),
         histogram_quantile(&crowd.latency, 0.9), histogram_quantile(&crowd.latency, 0.99), histogram_quantile(&crowd.latency, 0.999), crowd.latency.max);
  printf("\"tickLateP99Us\":%lu,", histogram_quantile(&lateness, 0.99));
  printf("\"serverCpuUs\":%lu,\"loadCpuUs\":%lu,", after.server_us - before.server_us, after.load_us - before.load_us);
  printf("\"busyCpuUs\":%lu,", after.busy_us - before.busy_us);
  printf("\"segments\":%lu,\"rssKib\":%ld,\"peakKib\":%ld,", after.segments - before.segments, rss, peak);
  print_verdict(drained);
  puts("}");
}

static void settle_for(uint32_t ms) {
  for (const uint64_t end = now_us() + (uint64_t)ms * 1000; now_us() < end;) turn(50);
}

static void hold(struct room *room, uint32_t count) {
  const int before = open_files((int)plan.pid);
  for (uint32_t index = 0; index < count; index++) join(room, false, true, false, 0);
  // An upgrade has been answered; a bare connection may still wait to be accepted.
  if (plan.wire->upgrade != NULL) return;
  const uint64_t deadline = now_us() + (uint64_t)JOIN_DEADLINE_MS * 1000;
  while (before >= 0 && open_files((int)plan.pid) < before + (int)count) {
    if (now_us() > deadline) fail("the server has not accepted %u connections", count);
    turn(5);
  }
}

static void run_idle(void) {
  struct room *room = &crowd.rooms[0];
  settle_for(IDLE_SETTLE_MS);
  const long cold = process_kib((int)plan.pid, "VmRSS:");
  hold(room, plan.warm);
  join(room, true, false, false, 1);
  probe_all();
  send_events(room->senders[0], 1);
  bool drained = drain();
  settle_for(IDLE_SETTLE_MS);
  const long warm = process_kib((int)plan.pid, "VmRSS:");
  hold(room, plan.idle);
  settle_for(IDLE_SETTLE_MS);
  const long idle = process_kib((int)plan.pid, "VmRSS:");
  const uint64_t server_us = process_cpu_us((int)plan.pid);
  settle_for(IDLE_SETTLE_MS);
  const uint64_t rest_us = process_cpu_us((int)plan.pid) - server_us;
  // The newcomers have not seen the first event; they start with the second.
  for (uint32_t index = plan.warm; index < room->receiver_count; index++) {
    room->receivers[index]->next[0] = 2;
    room->receivers[index]->unique = 1;
  }
  send_events(room->senders[0], 1);
  drained = drain() && drained;
  settle_for(IDLE_SETTLE_MS);
  const long after = process_kib((int)plan.pid, "VmRSS:");
  printf("{\"idle\":{\"connections\":%u,\"warm\":%u,", plan.idle, plan.warm + 1);
  printf("\"coldKib\":%ld,\"warmKib\":%ld,\"idleKib\":%ld,\"afterKib\":%ld,", cold, warm, idle, after);
  printf("\"restCpuShare\":%f},", (double)rest_us / (IDLE_SETTLE_MS * 1000.0));
  print_verdict(drained);
  puts("}");
}

int main(int count, char **arguments) {
  init_digits();
  read_plan(count, arguments);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  crowd_init();
  if (plan.idle > 0) run_idle();
  else run_traffic();
  return 0;
}
