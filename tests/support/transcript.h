#pragma once

// Plays conversations written in text files against a door. They are the specification of what
// clients see.
//
//   == Title                    a new server; everything up to the next title is one test
//   # text                      a remark
//   ! advance 90                seconds pass
//   ! begin JOB                 the process of the job's newest run starts
//   ! exit JOB CODE             ... ends
//   ! user NAME PERMISSION; ... the server has an access list, and NAME the token NAME-token
//   ! restart                   kill -9 of the server, and a start
//   ! ...                       whatever else the door's stage knows
//   > METHOD TARGET             a request; "> Name: value" lines are headers
//   @...                        body: made by the door's stage
//   ...                         any other line: body as it stands (application/json unless a header
//                               says otherwise)
//   < STATUS [CONTENT-TYPE]     the answer; "-" for no content type
//   < Name: value               and this header; "-": it has none of this name
//   < later NAME                there is no answer yet;
//   > answer NAME               but now there is, as the next lines say
//   @...                        body: understood by the door's stage
//   ...                         JSON: "*" matches anything, "*time" a timestamp, "$name" is
//                               remembered and filled in later, the member "..." allows others.
//   = TEXT                      or exactly this, several such lines being one; `= `: empty
//
// A refused request must change nothing: what the stage calls everything is compared before and
// after.

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "http/server.h"
#include "support/harness.h"

namespace docket::testing {

struct TranscriptCase {
  std::string name;
  std::string file;
  std::vector<std::pair<int, std::string>> lines;  // number and text
};

// What a failing test is called.
inline void PrintTo(const TranscriptCase& test, std::ostream* out) { *out << test.file; }

// Of all files of a directory, in the order of their names.
std::vector<TranscriptCase> transcript_cases(const std::filesystem::path& directory);

// "$name" to what it stands for.
using TranscriptNames = std::map<std::string, std::string>;

// What a door brings along: how to mount it, and its own words.
class TranscriptStage {
 public:
  virtual ~TranscriptStage() = default;
  virtual http::Site site() = 0;
  // The server was restarted: whatever was made from the old one is gone.
  virtual void restarted() = 0;
  // Everything that a refused request must not change, asked without access control.
  virtual std::string everything() = 0;
  // What "*time" matches, as a regular expression.
  virtual const char* time_pattern() const = 0;
  // A directive of its own; false: it has none of this name.
  virtual bool direct(const std::string& verb, std::istream& rest);
  // The JSON that a line "@..." of a request stands for.
  virtual std::string body(const std::string& line);
  // Called with every answer, whole, and the request that it answers.
  virtual void answered(const std::string& /*method*/, const std::string& /*target*/,
                        const http::Response& /*response*/) {}
  // Adds a line "@..." of an answer to the JSON that is expected.
  virtual void expect(const std::string& line, boost::json::value& wanted);

  Harness docket;
  TranscriptNames names;
};

class TranscriptPlayer {
 public:
  explicit TranscriptPlayer(TranscriptStage& stage) : stage_(stage) {}
  // Ends with the first line that fails.
  void play(const TranscriptCase& test);

 private:
  struct Expected {
    int line = 0;
    int status = 0;
    std::string content_type;
    http::Fields headers;
    std::string body;
    bool has_body = false;
    bool exact = false;
    boost::json::value wanted;  // what the stage makes of "@..." lines
    std::string later;          // the answer's name
  };
  struct Exchange {
    std::string method;  // "answer": the answer to an earlier request
    std::string target;
    http::Fields headers;
    bool has_content_type = false;
    std::string body;
    Expected expected;
  };

  void take(int number, const std::string& line);
  void take_request_line(const std::string& text);
  void take_status_line(int number, const std::string& text);
  void take_expected(const std::string& line);
  void finish();
  void ask();
  void check_earlier(const std::string& name);
  void check(const http::Response& response);
  void check_headers(const http::Response& response) const;
  void direct(const std::string& text);
  void add_user(const std::string& name, const std::string& permissions);
  void move_process(const std::string& verb, std::istream& rest);
  std::string filled(std::string text) const;
  std::string everything();

  TranscriptStage& stage_;
  bool asking_ = false;
  bool answering_ = false;
  Exchange exchange_;
  struct Earlier {
    std::string method, target;
    std::shared_ptr<std::optional<http::Response>> answer;
  };
  std::map<std::string, Earlier> earlier_;
};

// Reads a streamed body to its end into the response. Streams that have no end of their own (with
// a heartbeat) stay as they are.
void join_body(Harness& docket, http::Response& response);

// JSON text as a value; fails the test if it is not JSON.
boost::json::value parsed_json(std::string_view text);
// RFC 7386.
void merge_json(boost::json::value& target, const boost::json::value& patch);

}  // namespace docket::testing
