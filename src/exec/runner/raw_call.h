#pragma once

// System calls for code that runs in the runner's memory but not in its thread: the child between
// clone and exec, and reapers. libc's wrappers keep errno in a place that such code shares with the
// runner; these give the error back as a negative number and touch nothing.

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>

// Such code runs on stacks that the sanitizers do not know.
#define DOCKET_IN_CHILD __attribute__((no_sanitize("address", "undefined")))

namespace docket::runner {

DOCKET_IN_CHILD inline long raw_call_of_longs(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
  long result = number;
  register long fourth asm("r10") = d;
  register long fifth asm("r8") = e;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long call asm("x8") = number;
  register long result asm("x0") = a;
  register long second asm("x1") = b;
  register long third asm("x2") = c;
  register long fourth asm("x3") = d;
  register long fifth asm("x4") = e;
  asm volatile("svc #0"
               : "+r"(result)
               : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
               : "memory");
  return result;
#else
  const long result = ::syscall(number, a, b, c, d, e);
  return result < 0 ? -errno : result;
#endif
}

template <class T>
DOCKET_IN_CHILD long to_register(T value) {
  if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else {
    return static_cast<long>(value);
  }
}

// Up to five arguments; numbers and pointers.
template <class... Arguments>
DOCKET_IN_CHILD long raw_call(long number, Arguments... arguments) {
  static_assert(sizeof...(arguments) <= 5);
  long values[5] = {};
  int at = 0;
  ((values[at++] = to_register(arguments)), ...);
  return raw_call_of_longs(number, values[0], values[1], values[2], values[3], values[4]);
}

// Writes the digits of value backwards from end, and returns where they begin.
DOCKET_IN_CHILD inline char* put_digits(char* end, long value) {
  do {
    *--end = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  return end;
}

}  // namespace docket::runner
