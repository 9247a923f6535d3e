# Compiler and linker settings for the whole tree: warnings are errors, ccache and mold when present.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  # In a release, identical functions (the many instances of templates) are merged into one.
  add_link_options(-fuse-ld=mold $<$<CONFIG:Release>:-Wl,--gc-sections,--icf=safe>)
endif()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

# For all targets, so that all can share precompiled headers.
add_compile_options(-pthread)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
                    -Wold-style-cast -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # ccache needs timestamp-free precompiled headers.
  add_compile_options(-Xclang -fno-pch-timestamp)
  # Members with defaults may be omitted from a designated initializer: that is what the defaults
  # are for.
  add_compile_options(-Wno-missing-designated-field-initializers)
  # libstdc++ 12's own std::stable_sort calls a function that clang considers deprecated.
  add_compile_options(-Wno-deprecated-declarations)
else()
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)  # g++ refuses shared ones at every small difference
  # g++ 12 must keep compiling, but its flow analysis misreports std::variant and std::optional.
  add_compile_options(-Wno-maybe-uninitialized)
  # As for clang above; g++ has no flag for designated initializers alone.
  add_compile_options(-Wno-missing-field-initializers)
endif()
if(DOCKET_SANITIZE)
  add_compile_options(-fsanitize=${DOCKET_SANITIZE} -fno-sanitize-recover=all)
  if(DOCKET_SANITIZE MATCHES address)
    add_compile_definitions(DOCKET_SANITIZE_ADDRESS)  # for tests that account for its cost
  endif()
  add_link_options(-fsanitize=${DOCKET_SANITIZE})
endif()
