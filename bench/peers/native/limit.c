// The physical limit: reads from every connection that has something, then gives each other connection all of it in one
// write. No lines, no checks, no memory of what was, no care for a slow reader: what is left is the kernel's work.
// Its writes are as large as the relay's in a flood, 256 KiB at most. Prints its port.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_READY = 512, BACKLOG = 4096, MAX_WRITE_BYTES = 256 * 1024 };

// A stretch of the batch, and who sent it.
struct part {
  int owner;
  size_t length;
};

static int *members, member_count;
static unsigned char *batch;
static size_t batch_length;
static struct part parts[MAX_READY];
static int part_count;

static void leave(int fd) {
  for (int index = 0; index < member_count; index++) {
    if (members[index] == fd) members[index] = members[--member_count];
  }
  close(fd);
}

// Writes the batch to a member, without the member's own parts.
static void give(int fd) {
  static struct iovec pieces[MAX_READY];
  int count = 0;
  size_t at = 0;
  for (int index = 0; index < part_count; index++) {
    unsigned char *start = batch + at;
    at += parts[index].length;
    if (parts[index].owner == fd) continue;
    if (count > 0 && (unsigned char *)pieces[count - 1].iov_base + pieces[count - 1].iov_len == start) {
      pieces[count - 1].iov_len += parts[index].length;
    } else {
      pieces[count++] = (struct iovec){start, parts[index].length};
    }
  }
  struct iovec *piece = pieces;
  while (count > 0) {
    struct msghdr message = {.msg_iov = piece, .msg_iovlen = (size_t)count};
    ssize_t written = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno == EAGAIN) {
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      poll(&wait, 1, -1);
      continue;
    }
    if (written < 0) return;
    while (count > 0 && (size_t)written >= piece->iov_len) written -= (ssize_t)piece->iov_len, piece++, count--;
    if (count > 0) piece->iov_base = (unsigned char *)piece->iov_base + written, piece->iov_len -= (size_t)written;
  }
}

static void give_all(void) {
  for (int index = 0; index < member_count; index++) give(members[index]);
  part_count = 0;
  batch_length = 0;
}

int main(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  members = malloc(files.rlim_max * sizeof *members);
  batch = malloc(MAX_WRITE_BYTES);
  const int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poller = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, BACKLOG) != 0) return 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event ready[MAX_READY];
    const int ready_count = epoll_wait(poller, ready, MAX_READY, -1);
    for (int index = 0; index < ready_count; index++) {
      int fd = ready[index].data.fd;
      if (fd == listener) {
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
          epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
          members[member_count++] = fd;
        }
        continue;
      }
      const ssize_t got = recv(fd, batch + batch_length, MAX_WRITE_BYTES - batch_length, MSG_DONTWAIT);
      if (got <= 0) {
        if (got == 0 || errno != EAGAIN) leave(fd);
        continue;
      }
      parts[part_count++] = (struct part){fd, (size_t)got};
      batch_length += (size_t)got;
      if (batch_length == MAX_WRITE_BYTES) give_all();
    }
    if (part_count > 0) give_all();
  }
}
