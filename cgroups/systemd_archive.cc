// What libdbus, linked as an archive, asks of others and a client of systemd never needs.
//
// Debian's was built for servers that systemd starts, and calls libsystemd, which has no archive. It looks up
// users for an authentication by cookies in their home, and hosts for buses beyond this machine: glibc would
// load the host's name services into a static program for that. Nobody is found here, so neither can happen.
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>

extern "C" {

int sd_listen_fds(int unset_environment);
int sd_is_socket(int fd, int family, int type, int listening);

int sd_listen_fds(int /*unset_environment*/) {
  return 0;
}

int sd_is_socket(int /*fd*/, int /*family*/, int /*type*/, int /*listening*/) {
  return 0;
}

int getpwnam_r(
    const char* /*name*/, passwd* /*entry*/, char* /*buffer*/, std::size_t /*size*/, passwd** found) {
  *found = nullptr;
  return 0;
}

int getpwuid_r(uid_t /*uid*/, passwd* /*entry*/, char* /*buffer*/, std::size_t /*size*/, passwd** found) {
  *found = nullptr;
  return 0;
}

int getgrouplist(const char* /*user*/, gid_t /*group*/, gid_t* /*groups*/, int* count) {
  *count = 0;
  return 0;
}

int getaddrinfo(const char* /*node*/,
                const char* /*service*/,
                const addrinfo* /*hints*/,
                addrinfo** /*found*/) {
  return EAI_FAIL;
}

void freeaddrinfo(addrinfo* /*list*/) {}
}
