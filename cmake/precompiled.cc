// See precompiled.cmake.
