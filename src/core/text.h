#pragma once

// What the texts of clients may hold, by what becomes of them.

#include <string_view>

namespace docket {

enum class TextUse {
  kScript,  // handed on as it is, to a program: no NUL, which would end it there
  kProse,   // for people: no control characters but tabs and ends of lines
  kName,    // for finding something: no control characters
};

// "must not contain ...", or null: nothing is wrong with it. Expects UTF-8.
const char* flaw_of(std::string_view text, TextUse use);

// A path that stays below the directory it is put into: relative, without "..", "." or empty parts,
// control characters or NUL.
bool is_inner_path(std::string_view path);

}  // namespace docket
