#pragma once

// What text from clients may contain, depending on its use.

#include <string_view>

namespace docket {

enum class TextUse {
  kScript,  // passed on unchanged to a program: no NUL, which would end it
  kProse,   // for people: no control characters but tabs and ends of lines
  kName,    // for finding something: no control characters
};

// "must not contain ...", or null: nothing is wrong with it. Expects UTF-8.
const char* flaw_of(std::string_view text, TextUse use);

// A path that stays below the directory it is put into: relative, without "..", "." or empty parts,
// control characters or NUL.
bool is_inner_path(std::string_view path);

}  // namespace docket
