#pragma once

// Errors as values. Every call that can fail for a reason outside the program returns Result<T>;
// each door maps the closed set of kinds to its own statuses and bodies in one table. Exceptions do
// not cross a room.

#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace docket {

enum class ErrorKind {
  kNotFound,     // the thing named does not exist
  kConflict,     // the request contradicts what is there (exists already, has active runs, has
                 // dependents)
  kInvalid,      // the request itself is wrong; nothing was changed
  kDenied,       // known caller, not allowed
  kExhausted,    // a limit or a resource (disk, queue depth) is used up; may work later
  kUnavailable,  // this server cannot do it now (stopping, store failed)
  kTimeout,
  kCancelled,
  kInternal,  // a bug or a broken environment
};

// One complaint about one place of the input, e.g. {"/run/cpus", {"..."}}. The path's notation is
// the door's.
struct FieldError {
  std::string path;
  std::vector<std::string> errors;
  bool operator==(const FieldError&) const = default;
};

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  std::vector<FieldError> fields = {};  // only with kInvalid
  std::string subject = {};             // id of the thing at fault, where a door shows it
  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace docket
