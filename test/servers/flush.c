/*
 * Stands between a PostgreSQL server and its disk: once the file that PERSIST_FLUSH_FAILS names is there, the next
 * flush of the write-ahead log fails, and takes the file away. What was written stays where the system keeps it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_log(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, "/pg_wal/") != NULL;
}

int fdatasync(int fd) {
  const char *fails = getenv("PERSIST_FLUSH_FAILS");
  if (fails != NULL && is_log(fd) && unlink(fails) == 0) {
    errno = EIO;
    return -1;
  }
  int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return flush(fd);
}
