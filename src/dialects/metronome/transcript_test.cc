// Plays the conversations in transcripts/*.txt against the door. They are the specification of what
// clients see.
//
//   == Title                    a new server; everything up to the next title is one test
//   # text                      a remark
//   ! advance 90                seconds pass
//   ! begin JOB                 the process of the job's newest run starts
//   ! exit JOB CODE             ... ends
//   ! user NAME PERMISSION; ... the server has an access list, and NAME the token NAME-token
//   ! restart                   kill -9 of the server, and a start
//   > METHOD TARGET             a request; "> Name: value" lines are headers
//   @job ID {patch}             body: a minimal job with a JSON merge patch applied
//   @schedule ID {patch}        body: likewise
//   ...                         any other line: body as it stands (application/json unless a header
//   says otherwise) < STATUS [CONTENT-TYPE]     the answer; "-" for no content type
//   @invalid PATH: TEXT         body: one line of a 422's details
//   ...                         JSON: "*" matches anything, "*time" a timestamp, "$name" is
//   remembered and filled in
//                               later, the member "..." allows others. Or `= TEXT`: exactly this;
//                               `= `: empty.
//
// A refused request must change nothing: jobs, runs, history and queue are compared before and
// after.

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "core/json.h"
#include "core/json_writer.h"
#include "dialects/metronome/access.h"
#include "dialects/metronome/metronome.h"
#include "support/harness.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;

struct Case {
  std::string name;
  std::string file;
  std::vector<std::pair<int, std::string>> lines;  // number and text
};

std::string test_name(const std::string& file, const std::string& title) {
  std::string name = file + "_" + title;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

void read_cases(const std::filesystem::path& path, std::vector<Case>& cases) {
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

std::vector<Case> all_cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(DOCKET_TRANSCRIPTS)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Case> cases;
  for (const auto& file : files) read_cases(file, cases);
  return cases;
}

// ---- bodies

void merge(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  for (const auto& member : patch.get_object()) {
    if (member.value().is_null()) {
      target.get_object().erase(member.key());
    } else {
      merge(target.get_object()[member.key()], member.value());
    }
  }
}

json::value parsed(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : json::value();
}

// "@job a {...}" as JSON.
std::string expand(const std::string& line) {
  std::istringstream in(line);
  std::string kind;
  std::string id;
  in >> kind >> id;
  std::string patch;
  std::getline(in, patch);
  json::value body = kind == "@job"
                         ? parsed(R"({"run":{"cpus":0.1,"mem":32,"disk":0,"cmd":"true"}})")
                         : parsed(R"({"cron":"0 0 * * *"})");
  body.get_object()["id"] = id;
  if (patch.find('{') != std::string::npos) merge(body, parsed(patch));
  return to_json(body);
}

// ---- expectations

using Names = std::map<std::string, std::string>;

class Matcher {
 public:
  explicit Matcher(Names& names) : names_(names) {}

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
    static const std::regex kTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000)");
    if (!actual.is_string()) return complain(path, json::string(expected), actual);
    const std::string text(actual.get_string());
    if (expected == "*time") return std::regex_match(text, kTime) || complain(path, "time", actual);
    if (!expected.starts_with("$")) {
      return expected == text || complain(path, json::string(expected), actual);
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

  Names& names_;
  std::string complaint_;
};

struct Expected {
  int line = 0;
  int status = 0;
  std::string content_type;
  std::string body;
  bool has_body = false;
  bool exact = false;
  json::array details;
};

struct Exchange {
  int line = 0;
  std::string method;
  std::string target;
  http::Fields headers;
  bool has_content_type = false;
  std::string body;
  Expected expected;
};

// ---- the player

class Player {
 public:
  void play(const Case& test) {
    for (const auto& [number, line] : test.lines) {
      SCOPED_TRACE(test.file + ":" + std::to_string(number));
      take(number, line);
      if (::testing::Test::HasFailure()) return;
    }
    finish();
  }

 private:
  void take(int number, const std::string& line) {
    if (line.starts_with("! ")) {
      finish();
      direct(line.substr(2));
    } else if (line.starts_with("> ") || line == ">") {
      take_request_line(number, line.substr(2));
    } else if (line.starts_with("< ")) {
      take_status_line(number, line.substr(2));
    } else if (answering_) {
      take_expected(line);
    } else {
      exchange_.body += (exchange_.body.empty() ? "" : "\n") +
                        (line.starts_with("@") ? expand(filled(line)) : filled(line));
    }
  }

  void take_request_line(int number, const std::string& text) {
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
    exchange_.line = number;
    std::istringstream in(text);
    in >> exchange_.method;
    std::getline(in >> std::ws, exchange_.target);
    exchange_.target = filled(exchange_.target);
  }

  void take_status_line(int number, const std::string& text) {
    answering_ = true;
    std::istringstream in(text);
    in >> exchange_.expected.status;
    std::getline(in >> std::ws, exchange_.expected.content_type);
    exchange_.expected.line = number;
  }

  void take_expected(const std::string& line) {
    Expected& expected = exchange_.expected;
    expected.has_body = true;
    if (line.starts_with("@invalid ")) {
      const std::size_t colon = line.find(": ");
      const std::string path = line.substr(9, colon - 9);
      add_detail(path, line.substr(colon + 2));
    } else if (line.starts_with("= ") || line == "=") {
      expected.exact = true;
      expected.body = line.size() > 2 ? filled(line.substr(2)) : "";
    } else {
      expected.body += line;
    }
  }

  void add_detail(const std::string& path, const std::string& text) {
    json::array& details = exchange_.expected.details;
    for (json::value& detail : details) {
      if (detail.at("path") == json::string(path)) {
        detail.at("errors").get_array().emplace_back(text);
        return;
      }
    }
    details.push_back(json::object{{"path", path}, {"errors", json::array{json::string(text)}}});
  }

  void finish() {
    if (!std::exchange(asking_, false)) return;
    answering_ = false;
    if (!exchange_.has_content_type && !exchange_.body.empty()) {
      exchange_.headers.emplace_back("content-type", "application/json");
    }
    const std::string before = everything();
    const http::Response response =
        docket_.ask(site(), exchange_.method, exchange_.target, exchange_.body, exchange_.headers);
    check(response);
    if (response.status >= 400) EXPECT_EQ(everything(), before) << "a refusal changed something";
  }

  void check(const http::Response& response) {
    const Expected& expected = exchange_.expected;
    SCOPED_TRACE("answer at line " + std::to_string(expected.line) + ": " + response.body);
    EXPECT_EQ(response.status, expected.status);
    if (expected.content_type == "-") {
      EXPECT_EQ(response.content_type, "");
    } else if (!expected.content_type.empty()) {
      EXPECT_EQ(response.content_type, expected.content_type);
    }
    if (!expected.has_body) return;
    if (expected.exact) {
      EXPECT_EQ(response.body, expected.body);
      return;
    }
    EXPECT_EQ(response.content_type, "application/json");
    const json::value wanted =
        expected.details.empty()
            ? parsed(expected.body)
            : json::object{{"message", "Object is not valid"}, {"details", expected.details}};
    Matcher matcher(names_);
    EXPECT_TRUE(matcher.match(wanted, parsed(response.body), "")) << matcher.complaint();
  }

  std::string everything() {
    const auto access = std::exchange(docket_.access, std::nullopt);
    std::string state = docket_.ask(*door(), "GET", "/v1/jobs?embed=activeRuns,history").body +
                        docket_.ask(*door(), "GET", "/v1/queue").body;
    docket_.access = access;
    return state;
  }

  void direct(const std::string& text) {
    std::istringstream in(text);
    std::string verb;
    std::string job;
    in >> verb;
    if (verb == "advance") {
      int seconds = 0;
      in >> seconds;
      docket_.advance(std::chrono::seconds{seconds});
    } else if (verb == "user") {
      in >> job;
      std::string permissions;
      std::getline(in >> std::ws, permissions);
      add_user(job, permissions);
    } else if (verb == "restart") {
      docket_.restart();
      door_.reset();
    } else if (verb == "begin" || verb == "exit") {
      int code = 0;
      in >> job >> code;
      const engine::JobEntry* entry = docket_.engine().job(job);
      ASSERT_TRUE(entry && !entry->active.empty()) << job << " has no active run";
      const TaskId run = entry->active.rbegin()->first;
      verb == "begin" ? docket_.run_attempt(run) : docket_.finish_attempt(run, code);
    } else {
      FAIL() << "unknown directive " << verb;
    }
  }

  void add_user(const std::string& name, const std::string& permissions) {
    http::Identity identity(name);
    std::istringstream in(permissions);
    for (std::string permission; std::getline(in >> std::ws, permission, ';');) {
      ASSERT_TRUE(identity.grant(permission)) << permission;
    }
    if (!docket_.access) docket_.access.emplace();
    const auto shared = std::make_shared<const http::Identity>(std::move(identity));
    ASSERT_TRUE(docket_.access->add(http::token_digest(name + "-token"), shared));
  }

  // As on the port of this API: the service itself, and below the prefix the router in front of it.
  http::Site site() { return {{"", door()}, {"/service/metronome", door(), router_gate()}}; }

  const std::shared_ptr<const http::Door>& door() {
    MetronomeSettings settings;
    settings.started_at = testing::working_day();
    settings.config = {{"mesos.role", "*"}};
    if (!door_) door_ = make_metronome_door(docket_.loop(), *docket_.archive, settings);
    return door_;
  }

  std::string filled(std::string text) const {
    for (const auto& [name, value] : names_) {
      for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
        text.replace(at, name.size(), value);
      }
    }
    return text;
  }

  testing::Harness docket_;
  std::shared_ptr<const http::Door> door_;
  Names names_;
  bool asking_ = false;
  bool answering_ = false;
  Exchange exchange_;
};

class Transcript : public ::testing::TestWithParam<Case> {};

TEST_P(Transcript, IsKept) { Player().play(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Metronome, Transcript, ::testing::ValuesIn(all_cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace docket::metronome
