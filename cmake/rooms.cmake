# One folder, one library, one test binary.
#
#   docket_room(NAME LINKS ... [PCH docket_asio_pch])   makes docket_NAME from the *.cc here, and NAME_test from the *_test.cc here.
#
# A room may link only what its card allows; a wrong include then fails to link, and tools/tidy names it.
function(docket_room name)
  cmake_parse_arguments(ROOM "" "PCH" "LINKS;TEST_LINKS" ${ARGN})
  if(NOT ROOM_PCH)
    set(ROOM_PCH docket_pch)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  list(REMOVE_ITEM sources ${tests} "")
  if(sources)
    add_library(docket_${name} STATIC ${sources})
    target_include_directories(docket_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(docket_${name} PUBLIC ${ROOM_LINKS})
    target_precompile_headers(docket_${name} REUSE_FROM ${ROOM_PCH})
  else()
    add_library(docket_${name} INTERFACE)
    target_include_directories(docket_${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(docket_${name} INTERFACE ${ROOM_LINKS})
  endif()
  if(DOCKET_TESTS AND tests)
    docket_test(${name}_test SOURCES ${tests} LINKS docket_${name} ${ROOM_TEST_LINKS})
  endif()
endfunction()

set(DOCKET_NOT_OPTIMIZED $<$<CONFIG:Release>:-O0>)
function(docket_not_optimized name)
  target_compile_options(${name} PRIVATE ${DOCKET_NOT_OPTIMIZED})
  target_precompile_headers(${name} REUSE_FROM docket_test_pch)
endfunction()

# A GoogleTest program whose cases all appear in ctest. Its own files are not optimized, because
# that would be half of the build time, unless the test spends its own time in them (OPTIMIZED).
function(docket_test name)
  cmake_parse_arguments(TEST "OPTIMIZED" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${TEST_LINKS} GTest::gmock GTest::gtest_main)
  if(TEST_OPTIMIZED)
    target_precompile_headers(${name} REUSE_FROM docket_fast_test_pch)
  else()
    docket_not_optimized(${name})
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
endfunction()

# docket_openapi(ROOM): embeds a door's description, the openapi.json of its folder, in the program.
function(docket_openapi room)
  set(embed ${PROJECT_SOURCE_DIR}/cmake/embed.cmake)
  set(document ${CMAKE_CURRENT_SOURCE_DIR}/openapi.json)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/openapi.cc)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${document} -DOUTPUT=${output} -DROOM=dialects/${folder}
            -DNAMESPACE=${folder} -P ${embed}
    DEPENDS ${document} ${embed}
    VERBATIM)
  target_sources(docket_${room} PRIVATE ${output})
endfunction()
