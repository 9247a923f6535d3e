# Headers that most files of a room need and that take a second or more to read: read once for all.
# Each file still includes what it uses.
#
#   docket_pch          the standard library, fmt, Boost.JSON: every room
#   docket_asio_pch     these, Asio and Beast: the rooms that may include them (tools/tidy)
#   docket_test_pch     these, GoogleTest and GoogleMock: for tests only, not optimized
#   docket_fast_test_pch    the same, optimized
set(common
  <algorithm> <array> <boost/json/array.hpp> <boost/json/object.hpp> <boost/json/value.hpp> <chrono>
  <cstdint> <fmt/format.h> <functional> <map> <memory> <optional> <set> <span> <string> <string_view>
  <tl/expected.hpp> <unordered_map> <utility> <variant> <vector>)
function(docket_pch name)
  cmake_parse_arguments(PCH "" "" "LINKS;HEADERS" ${ARGN})
  add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cc)
  target_link_libraries(${name} PRIVATE Boost::json fmt::fmt tl::expected ${PCH_LINKS})
  target_precompile_headers(${name} PRIVATE ${common} ${PCH_HEADERS})
endfunction()

docket_pch(docket_pch)
docket_pch(docket_asio_pch LINKS OpenSSL::SSL HEADERS
  <boost/asio/basic_socket_acceptor.hpp> <boost/asio/basic_stream_socket.hpp>
  <boost/asio/basic_waitable_timer.hpp> <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp>
  <boost/asio/post.hpp> <boost/beast/http/basic_parser.hpp> <boost/intrusive/list.hpp>)
if(DOCKET_TESTS)
  docket_pch(docket_test_pch LINKS GTest::gmock HEADERS <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_options(docket_test_pch PRIVATE ${DOCKET_NOT_OPTIMIZED})
  docket_pch(docket_fast_test_pch LINKS GTest::gmock HEADERS <gmock/gmock.h> <gtest/gtest.h>)
endif()
