// Boost.JSON with the fuzzer's instrumentation, in place of the library as it was installed: the
// fuzzer can only find its way through code that it sees.

#pragma clang diagnostic ignored "-Weverything"
#include <boost/json/src.hpp>
