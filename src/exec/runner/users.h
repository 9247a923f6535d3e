#pragma once

// Who an attempt runs as: looked up before the spawn, since the child may call nothing of libc.
// Runner thread only.

#include <sys/types.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace docket::runner {

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string home;
  std::string shell;
};

class UserTable {
 public:
  UserTable();
  // Empty name: the runner's own user, as it was when the table was made. Unknown: kNotFound with a
  // message for the attempt. Answers are kept for a minute, since the lookup may ask a directory
  // service.
  Result<User> find(const std::string& name, Time now);

 private:
  struct Entry {
    User user;
    Time read_at;
  };
  const User own_;  // so that no first attempt waits for libc to load its user lookup
  std::unordered_map<std::string, Entry> known_;
};

}  // namespace docket::runner
