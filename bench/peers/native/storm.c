// A storm: so many clients connect to a server at once, each says what its protocol says first, and waits for the answer. Prints as one
// line of JSON when they were connected, answered, and had all that comes of it. One thread, its own process; ../../storm.ts starts it.
// Everything is prepared beforehand, so that what is measured is the server. Arguments: wire, port, pid of the server, clients.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stats.h"
#include "wire.h"

enum {
  MAX_READY = 512,
  READ_BYTES = 256 * 1024,
  // Where the protocol has no answer, a client counts as answered when it hears the first event: somebody says one each 2 ms.
  EVENT_US = 2000,
  // The storm is over when nothing has come for this long after the last answer; or after this long in any case.
  QUIET_US = 300 * 1000,
  DEADLINE_US = 20 * 1000 * 1000,
};

struct client {
  int fd;
  bool said, answered;
  uint64_t received, reported;
  // The end of what was received, as many bytes as an answer's end may begin in.
  unsigned char end[MAX_FEW_BYTES];
  size_t end_length;
};

static const struct wire *wire;
static int port, pid, client_count;
static unsigned char memory[MAX_FEW_BYTES + READ_BYTES];

static void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  va_end(values);
  fputc('\n', stderr);
  exit(1);
}

static void read_arguments(int count, char **arguments) {
  for (int index = 1; index < count; index++) {
    const char *value = strchr(arguments[index], '=');
    if (value == NULL) fail("%s: it is name=value", arguments[index]);
    const size_t length = (size_t)(value++ - arguments[index]);
    if (strncmp(arguments[index], "wire", length) == 0) wire = find_wire(value);
    else if (strncmp(arguments[index], "port", length) == 0) port = atoi(value);
    else if (strncmp(arguments[index], "pid", length) == 0) pid = atoi(value);
    else if (strncmp(arguments[index], "clients", length) == 0) client_count = atoi(value);
    else fail("%s: there are wire, port, pid and clients", arguments[index]);
  }
  if (wire == NULL || wire->upgrade != NULL || port <= 0 || client_count <= 0) fail("wire, port or clients is missing or wrong");
}

static struct sockaddr_in server_address(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int open_socket(int flags) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), on = 1;
  if (fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Connects who says the events that plain clients hear.
static int open_speaker(void) {
  const int fd = open_socket(0);
  const struct sockaddr_in address = server_address();
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) fail("connect: %s", strerror(errno));
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static void start_connecting(struct client *client, int poller) {
  const struct sockaddr_in address = server_address();
  if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
    fail("connect: %s", strerror(errno));
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client};
  epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event);
}

// Takes what has come; says whether the answer is there now.
static bool take(struct client *client, struct bytes answer) {
  unsigned char *const read_into = memory + MAX_FEW_BYTES;
  for (;;) {
    const ssize_t got = recv(client->fd, read_into, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) fail("the server has closed a connection");
    client->received += (uint64_t)got;
    if (client->answered) continue;
    unsigned char *from = read_into - client->end_length;
    memcpy(from, client->end, client->end_length);
    const size_t length = client->end_length + (size_t)got;
    if (answer.length == 0 || memmem(from, length, answer.data, answer.length) != NULL) {
      client->answered = true;
      continue;
    }
    client->end_length = length < answer.length - 1 ? length : answer.length - 1;
    memcpy(client->end, from + length - client->end_length, client->end_length);
  }
}

static void report(struct client *client) {
  if (wire->report_bytes == 0 || client->received - client->reported < wire->report_bytes) return;
  // Its welcome is not part of the stream, and is at most 32 KiB.
  const struct bytes said = wire->report(client->received - 32 * 1024, false);
  if (send(client->fd, said.data, said.length, MSG_NOSIGNAL) > 0) client->reported = client->received;
}

static void print_times(const char *name, const struct histogram *times) {
  printf("\"%s\":{\"p50\":%lu,\"max\":%lu},", name, histogram_quantile(times, 0.5), times->max);
}

int main(int count, char **arguments) {
  read_arguments(count, arguments);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const struct bytes hello = wire->greet(true, "hall"), answer = wire->greeted(true);
  const int poller = epoll_create1(0), speaker = answer.length == 0 ? open_speaker() : -1;
  struct client *const clients = calloc((size_t)client_count, sizeof *clients);
  for (int index = 0; index < client_count; index++) clients[index].fd = open_socket(SOCK_NONBLOCK);
  usleep(100 * 1000);

  static struct histogram connected, answered;
  const uint64_t server_us = process_cpu_us(pid), load_us = own_cpu_us(), start = now_us();
  uint64_t last = start, spoke = 0, answered_cpu_us = 0;
  for (int index = 0; index < client_count; index++) start_connecting(&clients[index], poller);
  for (;;) {
    const uint64_t now = now_us();
    const bool is_over = answered.count == (uint64_t)client_count;
    if (now - start > DEADLINE_US) break;
    if (is_over && now - last > QUIET_US) break;
    if (speaker >= 0 && !is_over && now - spoke >= EVENT_US) {
      spoke = now;
      if (send(speaker, "{}\n", 3, MSG_NOSIGNAL) < 0 && errno != EAGAIN) fail("speaker: %s", strerror(errno));
    }
    struct epoll_event ready[MAX_READY];
    const int ready_count = epoll_wait(poller, ready, MAX_READY, speaker >= 0 && !is_over ? 1 : 20);
    for (int index = 0; index < ready_count; index++) {
      struct client *const client = ready[index].data.ptr;
      if (!client->said && ready[index].events & EPOLLOUT) {
        client->said = true;
        histogram_add(&connected, now_us() - start, 1);
        if (hello.length > 0 && send(client->fd, hello.data, hello.length, MSG_NOSIGNAL) != (ssize_t)hello.length) {
          fail("greeting: %s", strerror(errno));
        }
      }
      if (!(ready[index].events & EPOLLIN)) continue;
      const bool was_answered = client->answered;
      take(client, answer);
      report(client);
      last = now_us();
      if (was_answered || !client->answered) continue;
      histogram_add(&answered, last - start, 1);
      if (answered.count == (uint64_t)client_count) answered_cpu_us = process_cpu_us(pid) - server_us;
    }
  }
  uint64_t bytes = 0;
  for (int index = 0; index < client_count; index++) bytes += clients[index].received;
  printf("{\"clients\":%d,\"answered\":%lu,", client_count, answered.count);
  print_times("connectedUs", &connected);
  print_times("answeredUs", &answered);
  printf("\"settledUs\":%lu,\"bytes\":%lu,", last - start, bytes);
  printf("\"answeredCpuUs\":%lu,\"serverCpuUs\":%lu,\"loadCpuUs\":%lu}\n", answered_cpu_us, process_cpu_us(pid) - server_us,
         own_cpu_us() - load_us);
  return 0;
}
