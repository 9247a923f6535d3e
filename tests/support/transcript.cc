#include "support/transcript.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cctype>
#include <fstream>
#include <regex>
#include <sstream>

#include "core/json.h"
#include "core/json_writer.h"

namespace docket::testing {
namespace {

namespace json = boost::json;

// ---- files

std::string test_name(const std::string& file, const std::string& title) {
  std::string name = file + "_" + title;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

void read_cases(const std::filesystem::path& path, std::vector<TranscriptCase>& cases) {
  std::ifstream in(path);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.starts_with("== ")) {
      cases.push_back({test_name(path.stem(), line.substr(3)), path.filename(), {}});
    } else if (!line.starts_with("#") && !line.empty() && !cases.empty()) {
      cases.back().lines.emplace_back(number, line);
    }
  }
}

// ---- expectations

// Longer names first: "$a" begins "$ab".
std::string fill(std::string text, const TranscriptNames& names) {
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const auto& [from, to] = *name;
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

class Matcher {
 public:
  Matcher(TranscriptNames& names, const char* time) : names_(names), time_(time) {}

  bool match(const json::value& expected, const json::value& actual, const std::string& path) {
    if (expected.is_string()) return match_text(expected.get_string(), actual, path);
    if (expected.is_object()) return match_object(expected.get_object(), actual, path);
    if (expected.is_array()) return match_array(expected.get_array(), actual, path);
    return expected == actual || complain(path, expected, actual);
  }
  const std::string& complaint() const { return complaint_; }

 private:
  bool match_text(std::string_view expected, const json::value& actual, const std::string& path) {
    if (expected == "*") return true;
    if (!actual.is_string()) return complain(path, json::string(expected), actual);
    const std::string text(actual.get_string());
    if (expected == "*time") return std::regex_match(text, time_) || complain(path, "time", actual);
    if (!expected.starts_with("$")) {
      const std::string wanted = fill(std::string(expected), names_);
      return wanted == text || complain(path, json::string(wanted), actual);
    }
    const auto [known, is_new] = names_.try_emplace(std::string(expected), text);
    return is_new || known->second == text || complain(path, json::string(known->second), actual);
  }
  bool match_object(const json::object& expected, const json::value& actual,
                    const std::string& path) {
    if (!actual.is_object()) return complain(path, expected, actual);
    const json::object& object = actual.get_object();
    for (const auto& member : expected) {
      if (member.key() == "...") continue;
      const json::value* found = object.if_contains(member.key());
      if (!found) return complain(path + "/" + std::string(member.key()), member.value(), "absent");
      if (!match(member.value(), *found, path + "/" + std::string(member.key()))) return false;
    }
    if (expected.contains("...") || object.size() == expected.size()) return true;
    return complain(path, expected, actual);
  }
  bool match_array(const json::array& expected, const json::value& actual,
                   const std::string& path) {
    if (!actual.is_array() || actual.get_array().size() != expected.size()) {
      return complain(path, expected, actual);
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!match(expected[i], actual.get_array()[i], path + "/" + std::to_string(i))) return false;
    }
    return true;
  }
  bool complain(const std::string& path, const json::value& expected, const json::value& actual) {
    complaint_ = "at " + path + ": expected " + to_json(expected) + ", got " + to_json(actual);
    return false;
  }

  TranscriptNames& names_;
  std::regex time_;
  std::string complaint_;
};

}  // namespace

std::vector<TranscriptCase> transcript_cases(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<TranscriptCase> cases;
  for (const auto& file : files) read_cases(file, cases);
  return cases;
}

json::value parsed_json(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : json::value();
}

void merge_json(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  for (const auto& member : patch.get_object()) {
    if (member.value().is_null()) {
      target.get_object().erase(member.key());
    } else {
      merge_json(target.get_object()[member.key()], member.value());
    }
  }
}

void join_body(Harness& docket, http::Response& response) {
  if (!response.stream || !response.stream->heartbeat().empty()) return;
  bool more = true;
  while (std::exchange(more, false)) {
    response.stream->next([&response, &more](std::optional<std::string> chunk) {
      more = chunk.has_value();
      response.body += chunk.value_or("");
    });
    docket.settle();
  }
}

// ---- the stage

bool TranscriptStage::direct(const std::string&, std::istream&) { return false; }

std::string TranscriptStage::body(const std::string& line) {
  ADD_FAILURE() << "no such body: " << line;
  return {};
}

void TranscriptStage::expect(const std::string& line, json::value&) {
  ADD_FAILURE() << "no such expectation: " << line;
}

// ---- the player

void TranscriptPlayer::play(const TranscriptCase& test) {
  for (const auto& [number, line] : test.lines) {
    SCOPED_TRACE(test.file + ":" + std::to_string(number));
    take(number, line);
    if (::testing::Test::HasFailure()) return;
  }
  finish();
}

void TranscriptPlayer::take(int number, const std::string& line) {
  if (line.starts_with("! ")) {
    finish();
    direct(line.substr(2));
  } else if (line.starts_with("> ") || line == ">") {
    take_request_line(line.substr(2));
  } else if (line.starts_with("< ")) {
    take_status_line(number, line.substr(2));
  } else if (answering_) {
    take_expected(line);
  } else {
    exchange_.body += (exchange_.body.empty() ? "" : "\n") +
                      (line.starts_with("@") ? stage_.body(filled(line)) : filled(line));
  }
}

void TranscriptPlayer::take_request_line(const std::string& text) {
  const std::size_t colon = text.find(':');
  const bool is_header =
      asking_ && !answering_ && colon != std::string::npos && text.find('/') > colon;
  if (is_header) {
    std::string name = text.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](char c) { return std::tolower(c); });
    exchange_.has_content_type |= name == "content-type";
    exchange_.headers.emplace_back(name, text.substr(std::min(colon + 2, text.size())));
    return;
  }
  finish();
  asking_ = true;
  exchange_ = Exchange{};
  std::istringstream in(text);
  in >> exchange_.method;
  std::getline(in >> std::ws, exchange_.target);
  exchange_.target = filled(exchange_.target);
}

void TranscriptPlayer::take_status_line(int number, const std::string& text) {
  Expected& expected = exchange_.expected;
  if (std::exchange(answering_, true)) {
    const std::size_t colon = std::min(text.find(": "), text.size());
    expected.headers.emplace_back(text.substr(0, colon),
                                  text.substr(std::min(colon + 2, text.size())));
    return;
  }
  expected.line = number;
  std::istringstream in(text);
  if (text.starts_with("later ")) {
    in >> expected.later >> expected.later;
    return;
  }
  in >> expected.status;
  std::getline(in >> std::ws, expected.content_type);
}

void TranscriptPlayer::take_expected(const std::string& line) {
  Expected& expected = exchange_.expected;
  expected.has_body = true;
  if (line.starts_with("@")) {
    stage_.expect(line, expected.wanted);
  } else if (line.starts_with("= ") || line == "=") {
    expected.exact = true;
    expected.body += line.size() > 2 ? filled(line.substr(2)) : "";
  } else {
    expected.body += line;
  }
}

void TranscriptPlayer::finish() {
  if (!std::exchange(asking_, false)) return;
  answering_ = false;
  exchange_.method == "answer" ? check_earlier(exchange_.target) : ask();
}

void TranscriptPlayer::ask() {
  if (!exchange_.has_content_type && !exchange_.body.empty()) {
    exchange_.headers.emplace_back("content-type", "application/json");
  }
  const std::string before = everything();
  const auto answer = stage_.docket.send(stage_.site(), exchange_.method, exchange_.target,
                                         exchange_.body, exchange_.headers);
  const std::string& later = exchange_.expected.later;
  ASSERT_EQ(answer->has_value(), later.empty())
      << exchange_.method << " " << exchange_.target << (later.empty() ? ": none" : ": too early");
  if (!later.empty()) {
    earlier_[later] = {exchange_.method, exchange_.target, answer};
    return;
  }
  join_body(stage_.docket, **answer);
  stage_.answered(exchange_.method, exchange_.target, **answer);
  check(**answer);
  if ((*answer)->status >= 400) {
    EXPECT_EQ(everything(), before) << "a refusal changed something";
  }
}

void TranscriptPlayer::check_earlier(const std::string& name) {
  const auto& [method, target, answer] = earlier_[name];
  ASSERT_TRUE(answer) << name << " was not asked";
  ASSERT_TRUE(*answer) << "still no answer to " << name;
  join_body(stage_.docket, **answer);
  stage_.answered(method, target, **answer);
  check(**answer);
}

void TranscriptPlayer::check(const http::Response& response) {
  const Expected& expected = exchange_.expected;
  SCOPED_TRACE("answer at line " + std::to_string(expected.line) + ": " + response.body);
  EXPECT_EQ(response.status, expected.status);
  if (expected.content_type == "-") {
    EXPECT_EQ(response.content_type, "");
  } else if (!expected.content_type.empty()) {
    EXPECT_EQ(response.content_type, expected.content_type);
  }
  check_headers(response);
  if (!expected.has_body) return;
  if (expected.exact) {
    EXPECT_EQ(response.body, expected.body);
    return;
  }
  EXPECT_EQ(response.content_type, "application/json");
  const json::value wanted =
      expected.wanted.is_null() ? parsed_json(expected.body) : expected.wanted;
  Matcher matcher(stage_.names, stage_.time_pattern());
  EXPECT_TRUE(matcher.match(wanted, parsed_json(response.body), "")) << matcher.complaint();
}

void TranscriptPlayer::check_headers(const http::Response& response) const {
  for (const auto& [name, value] : exchange_.expected.headers) {
    const auto found = std::ranges::find(response.headers, name, &http::Fields::value_type::first);
    const std::string actual = found == response.headers.end() ? "-" : found->second;
    EXPECT_EQ(actual, filled(value)) << name;
  }
}

std::string TranscriptPlayer::everything() {
  const auto access = std::exchange(stage_.docket.access, std::nullopt);
  std::string state = stage_.everything();
  stage_.docket.access = access;
  return state;
}

// ---- directives

void TranscriptPlayer::direct(const std::string& text) {
  std::istringstream in(filled(text));
  std::string verb;
  in >> verb;
  if (verb == "advance") {
    int seconds = 0;
    in >> seconds;
    stage_.docket.advance(std::chrono::seconds{seconds});
  } else if (verb == "user") {
    std::string name;
    std::string permissions;
    std::getline(in >> name >> std::ws, permissions);
    add_user(name, permissions);
  } else if (verb == "restart") {
    earlier_.clear();
    stage_.docket.restart();
    stage_.restarted();
  } else if (verb == "begin" || verb == "exit") {
    move_process(verb, in);
  } else {
    ASSERT_TRUE(stage_.direct(verb, in)) << "unknown directive " << verb;
    stage_.docket.settle();
  }
}

void TranscriptPlayer::move_process(const std::string& verb, std::istream& rest) {
  std::string job;
  int code = 0;
  rest >> job >> code;
  const engine::JobEntry* entry = stage_.docket.engine().job(job);
  ASSERT_TRUE(entry && !entry->active.empty()) << job << " has no active run";
  const TaskId run = entry->active.rbegin()->first;
  verb == "begin" ? stage_.docket.run_attempt(run) : stage_.docket.finish_attempt(run, code);
}

void TranscriptPlayer::add_user(const std::string& name, const std::string& permissions) {
  http::Identity identity(name);
  std::istringstream in(permissions);
  for (std::string permission; std::getline(in >> std::ws, permission, ';');) {
    ASSERT_TRUE(identity.grant(permission)) << permission;
  }
  auto& access = stage_.docket.access;
  if (!access) access.emplace();
  const auto shared = std::make_shared<const http::Identity>(std::move(identity));
  ASSERT_TRUE(access->add(http::token_digest(name + "-token"), shared));
}

std::string TranscriptPlayer::filled(std::string text) const {
  return fill(std::move(text), stage_.names);
}

}  // namespace docket::testing
