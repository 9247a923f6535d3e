#include "dialects/native/body.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/json_reader.h"

namespace docket::native {
namespace {

// Indexed by JsonFlaw. The detail of a complaint, if any, is appended.
constexpr std::array<const char*, kJsonFlaws> kWords{"is required",
                                                     "must be an object",
                                                     "must be an array",
                                                     "must be a string",
                                                     "must be true or false",
                                                     "must be a number",
                                                     "must be a whole number",
                                                     "must not be empty",
                                                     "must be one of",
                                                     "is not a known member",
                                                     ""};

std::string in_words(const JsonComplaint& complaint) {
  const std::string words = kWords[static_cast<std::size_t>(complaint.flaw)];
  if (words.empty() || complaint.detail.empty()) return words + complaint.detail;
  return words + " " + complaint.detail;
}

// "/run/artifacts(0)/uri" as a JSON pointer: "/run/artifacts/0/uri".
std::string to_pointer(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto slash = path.find('/', 1);
    auto segment = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
    const auto open = segment.rfind('(');
    const bool indexed =
        open != std::string_view::npos && segment.back() == ')' && segment.size() > open + 2 &&
        std::all_of(segment.begin() + static_cast<std::ptrdiff_t>(open) + 1, segment.end() - 1,
                    [](unsigned char c) { return std::isdigit(c); });
    if (!indexed) {
      out += segment;
      continue;
    }
    out.append(segment.substr(0, open)).append("/");
    out += segment.substr(open + 1, segment.size() - open - 2);
  }
  return out;
}

}  // namespace

Error reword_errors(Error error) {
  if (error.fields.empty()) return error;
  for (FieldError& field : error.fields) field.path = to_pointer(field.path);
  return invalid_body(std::move(error.fields));
}

Error invalid_body(const JsonComplaints& complaints) {
  std::vector<FieldError> errors;
  for (const JsonComplaint& complaint : complaints.list)
    errors.push_back({.path = complaint.path.pointer(), .errors = {in_words(complaint)}});
  return invalid_body(std::move(errors));
}

Error invalid_body(std::vector<FieldError> errors) {
  return {
      .kind = ErrorKind::kInvalid, .message = "The body is not valid", .fields = std::move(errors)};
}

}  // namespace docket::native
