/*
 * Asks what is to become of each system call that changes what is under one directory.
 *
 * Loaded by LD_PRELOAD into a process that stores something. Before such a call it writes one line to a socket and
 * waits for the answer, so whoever is at the other end sees every call in its place among the messages that the
 * process itself writes there, and can look at the directory while nothing moves in it.
 *
 *   PERSIST_FAULT_ROOT     the directory, absolute and without symbolic links
 *   PERSIST_FAULT_CHANNEL  the socket's descriptor
 *
 * A line is `? CALL LENGTH OFFSET PATH` or `? CALL LENGTH OFFSET FROM<TAB>TO`: paths are relative to the directory ("."
 * for itself), length and offset are those of a write or truncation, or -1. The answers, a line each:
 *
 *   go N        do it, and don't ask about the N calls after it
 *   kill        end the process before it
 *   last        do it, then end the process
 *   torn N      write its first N bytes, then end the process; what isn't a write isn't done
 *   short N     write its first N bytes, and say so to the caller, as the kernel may
 *   fail ERRNO  don't do it; the caller gets this error
 *   lie         don't do it; the caller is told that it was done
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum verb { GO, KILL, LAST, TORN, SHORT, FAIL, LIE };
static const char *const verbs[] = {"go", "kill", "last", "torn", "short", "fail", "lie"};

struct answer {
  enum verb verb;
  long number;
};

static char root[PATH_MAX];
static size_t root_length;
static int channel = -1;
static long passing;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("PERSIST_FAULT_ROOT"), *descriptor = getenv("PERSIST_FAULT_CHANNEL");
  if (directory == NULL || descriptor == NULL) return;
  snprintf(root, sizeof root, "%s", directory);
  root_length = strlen(root);
  channel = atoi(descriptor);
  unsetenv("LD_PRELOAD"); /* What this program starts is another matter. */
}

/* ---- which calls are of interest ---- */

/* The part of an absolute path below the root; NULL where it lies elsewhere. */
static const char *below(const char *path) {
  if (strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == 0) return ".";
  return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static int name_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length < 0) return 0;
  buffer[length] = 0;
  return 1;
}

static const char *of_descriptor(int fd, char *buffer) {
  return channel >= 0 && fd != channel && name_of(fd, buffer) ? below(buffer) : NULL;
}

static const char *of_path(int directory, const char *path, char *buffer) {
  if (channel < 0) return NULL;
  if (path[0] == '/') return below(path);
  char base[PATH_MAX];
  if (directory == AT_FDCWD ? getcwd(base, sizeof base) == NULL : !name_of(directory, base)) return NULL;
  return snprintf(buffer, PATH_MAX, "%s/%s", base, path) < PATH_MAX ? below(buffer) : NULL;
}

/* ---- asking ---- */

static void end_here(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static void say(const char *line, size_t length) {
  while (length > 0) {
    long written = syscall(SYS_write, channel, line, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) end_here(); /* Nobody listens any more. */
    line += written;
    length -= (size_t)written;
  }
}

static void hear(char *line, size_t size) {
  for (size_t length = 0; length + 1 < size;) {
    long got = syscall(SYS_read, channel, line + length, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) end_here();
    if (line[length] == '\n') {
      line[length] = 0;
      return;
    }
    length++;
  }
  abort();
}

static struct answer parse(const char *line) {
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    size_t length = strlen(verbs[i]);
    if (strncmp(line, verbs[i], length) == 0 && (line[length] == 0 || line[length] == ' ')) {
      return (struct answer){(enum verb)i, atol(line + length)};
    }
  }
  abort();
}

/* Asks about one call, and keeps the turn until it is answered: threads come one after another. */
static struct answer ask(const char *call, long length, long offset, const char *path, const char *to) {
  char line[2 * PATH_MAX + 128];
  pthread_mutex_lock(&turn);
  if (passing > 0) {
    passing--;
    return (struct answer){GO, 0};
  }
  if (to == NULL) to = "";
  int size =
      snprintf(line, sizeof line, "? %s %ld %ld %s%s%s\n", call, length, offset, path, *to == 0 ? "" : "\t", to);
  say(line, (size_t)size);
  hear(line, sizeof line);
  struct answer answer = parse(line);
  if (answer.verb == KILL) end_here();
  if (answer.verb == GO) passing = answer.number;
  return answer;
}

static void done(struct answer answer) {
  int kept = errno;
  if (answer.verb == LAST || answer.verb == TORN) end_here();
  pthread_mutex_unlock(&turn);
  errno = kept;
}

/* ---- the calls: straight to the kernel, as libc's own are ---- */

/* One that is done whole or not at all. */
static long whole(const char *call, long length, const char *path, const char *to, long number, long a, long b, long c,
                  long d, long e) {
  if (path == NULL) return syscall(number, a, b, c, d, e);
  struct answer answer = ask(call, length, -1, path, to);
  long result = 0;
  if (answer.verb == FAIL) {
    errno = (int)answer.number;
    result = -1;
  } else if (answer.verb != LIE && answer.verb != TORN) {
    result = syscall(number, a, b, c, d, e);
  }
  done(answer);
  return result;
}

static ssize_t put(int fd, const struct iovec *parts, int count, off64_t offset) {
  return offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}

/* Only the first bytes of several buffers. */
static ssize_t put_some(int fd, const struct iovec *parts, int count, off64_t offset, size_t some) {
  struct iovec first[IOV_MAX];
  int taken = 0;
  for (; taken < count && taken < IOV_MAX && some > 0; taken++) {
    first[taken] = parts[taken];
    if (first[taken].iov_len > some) first[taken].iov_len = some;
    some -= first[taken].iov_len;
  }
  return taken == 0 ? 0 : put(fd, first, taken, offset);
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off64_t offset) {
  char buffer[PATH_MAX];
  const char *path = of_descriptor(fd, buffer);
  if (path == NULL) return put(fd, parts, count, offset);
  size_t size = 0;
  for (int i = 0; i < count; i++) size += parts[i].iov_len;
  struct answer answer = ask("write", (long)size, (long)offset, path, NULL);
  ssize_t result = (ssize_t)size;
  if (answer.verb == FAIL) {
    errno = (int)answer.number;
    result = -1;
  } else if (answer.verb == TORN || answer.verb == SHORT) {
    result = put_some(fd, parts, count, offset, (size_t)answer.number);
  } else if (answer.verb != LIE) {
    result = put(fd, parts, count, offset);
  }
  done(answer);
  return result;
}

#define ONE_PART \
  (struct iovec[]) { {(void *)data, size} }

ssize_t write(int fd, const void *data, size_t size) { return write_parts(fd, ONE_PART, 1, -1); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return write_parts(fd, ONE_PART, 1, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return write_parts(fd, ONE_PART, 1, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_parts(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return write_parts(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  return write_parts(fd, parts, count, at);
}

static int on_descriptor(const char *call, long length, int fd, long number) {
  char buffer[PATH_MAX];
  return (int)whole(call, length, of_descriptor(fd, buffer), NULL, number, fd, length, 0, 0, 0);
}

int fsync(int fd) { return on_descriptor("fsync", -1, fd, SYS_fsync); }
int fdatasync(int fd) { return on_descriptor("fdatasync", -1, fd, SYS_fdatasync); }
int ftruncate(int fd, off_t length) { return on_descriptor("truncate", length, fd, SYS_ftruncate); }
int ftruncate64(int fd, off64_t length) { return on_descriptor("truncate", length, fd, SYS_ftruncate); }

/* An open is of interest where it may make a file or empty one. */
static int open_at(int directory, const char *path, int flags, va_list more) {
  char buffer[PATH_MAX];
  int making = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE, mode = making ? va_arg(more, int) : 0;
  const char *where = flags & (O_CREAT | O_TRUNC) ? of_path(directory, path, buffer) : NULL;
  return (int)whole("open", -1, where, NULL, SYS_openat, directory, (long)path, flags, mode, 0);
}

#define OPENS(name, parameters, last, directory) \
  int name parameters {                          \
    va_list more;                                \
    va_start(more, last);                        \
    int fd = open_at(directory, path, last, more); \
    va_end(more);                                \
    return fd;                                   \
  }

OPENS(open, (const char *path, int flags, ...), flags, AT_FDCWD)
OPENS(open64, (const char *path, int flags, ...), flags, AT_FDCWD)
OPENS(openat, (int at, const char *path, int flags, ...), flags, at)
OPENS(openat64, (int at, const char *path, int flags, ...), flags, at)

/* Of two paths one is enough to be of interest; the other is then told as it was written. */
static int pair(const char *call, long number, int a, const char *from, int b, const char *to, unsigned flags) {
  char first[PATH_MAX], second[PATH_MAX];
  const char *old = of_path(a, from, first), *new = of_path(b, to, second);
  const char *path = old != NULL ? old : new != NULL ? from : NULL;
  return (int)whole(call, -1, path, new != NULL ? new : to, number, a, (long)from, b, (long)to, flags);
}

int rename(const char *from, const char *to) { return pair("rename", SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) {
  return pair("rename", SYS_renameat2, a, from, b, to, 0);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
  return pair("rename", SYS_renameat2, a, from, b, to, flags);
}
int link(const char *from, const char *to) { return pair("link", SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
  return pair("link", SYS_linkat, a, from, b, to, (unsigned)flags);
}

static int on_path(const char *call, long length, int directory, const char *path, long number, long argument) {
  char buffer[PATH_MAX];
  const char *where = of_path(directory, path, buffer);
  return (int)whole(call, length, where, NULL, number, directory, (long)path, argument, 0, 0);
}

int unlink(const char *path) { return on_path("unlink", -1, AT_FDCWD, path, SYS_unlinkat, 0); }
int unlinkat(int at, const char *path, int flags) { return on_path("unlink", -1, at, path, SYS_unlinkat, flags); }
/* C++'s, which Node's rm is made of, asks libc for this one, and libc the kernel. */
int remove(const char *path) {
  int removed = unlink(path);
  return removed < 0 && errno == EISDIR ? rmdir(path) : removed;
}
int rmdir(const char *path) { return on_path("rmdir", -1, AT_FDCWD, path, SYS_unlinkat, AT_REMOVEDIR); }
int mkdir(const char *path, mode_t mode) { return on_path("mkdir", -1, AT_FDCWD, path, SYS_mkdirat, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return on_path("mkdir", -1, at, path, SYS_mkdirat, mode); }
