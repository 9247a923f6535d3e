#include "exec/runner/wire.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

namespace docket::runner::wire {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;

constexpr std::string_view kEpoch = "epoch ";

enum class Type : std::uint8_t { kHello = 1, kStart, kStop, kForget, kFind, kReport, kFound };

constexpr std::size_t kLengthBytes = 4;

class Writer {
 public:
  // Leaves room for the length, which the destructor fills in.
  Writer(std::string& out, Type type) : out_(out), start_(out.size()) {
    out_.append(kLengthBytes, '\0');
    out_.push_back(static_cast<char>(type));
  }
  ~Writer() {
    const auto length = static_cast<std::uint32_t>(out_.size() - start_ - kLengthBytes);
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      out_[start_ + i] = static_cast<char>(length >> (8 * i));
    }
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void integer(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void real(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned i = 0; i < 8; ++i) out_.push_back(static_cast<char>(bits >> (8 * i)));
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void flag(bool value) { number(value ? 1 : 0); }

 private:
  std::string& out_;
  std::size_t start_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = next();
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    ok_ = false;
    return 0;
  }
  std::int64_t integer() {
    const std::uint64_t raw = number();
    return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  }
  double real() {
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i) bits |= std::uint64_t{next()} << (8 * i);
    return std::bit_cast<double>(bits);
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > in_.size()) {
      ok_ = false;
      return {};
    }
    std::string value(in_.substr(0, size));
    in_.remove_prefix(size);
    return value;
  }
  bool flag() { return number() != 0; }
  // A count of things that each take at least one byte: a lie about it cannot make us allocate.
  std::size_t count() {
    const std::uint64_t n = number();
    if (n <= in_.size()) return static_cast<std::size_t>(n);
    ok_ = false;
    return 0;
  }
  bool finished() const { return ok_ && in_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::uint8_t next() {
    if (in_.empty()) {
      ok_ = false;
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(in_.front());
    in_.remove_prefix(1);
    return byte;
  }
  std::string_view in_;
  bool ok_ = true;
};

template <class Item, class Read>
std::vector<Item> read_list(Reader& in, Read&& read) {
  std::vector<Item> items;
  for (std::size_t left = in.count(); left > 0 && in.ok(); --left) items.push_back(read(in));
  return items;
}

void write_tokens(Writer& out, const std::vector<TaskId>& tokens) {
  out.number(tokens.size());
  for (const TaskId token : tokens) out.number(token.value);
}

std::vector<TaskId> read_tokens(Reader& in) {
  return read_list<TaskId>(in, [](Reader& r) { return TaskId{r.number()}; });
}

void write_spec(Writer& out, const LaunchSpec& spec) {
  out.flag(spec.cmd.has_value());
  out.text(spec.cmd.value_or(""));
  out.number(spec.args.size());
  for (const std::string& arg : spec.args) out.text(arg);
  out.text(spec.user);
  out.number(spec.env.size());
  for (const auto& [name, value] : spec.env) {
    out.text(name);
    out.text(value);
  }
  out.number(spec.secret_files.size());
  for (const SecretFile& file : spec.secret_files) {
    out.text(file.path);
    out.text(file.content);
  }
  out.number(spec.artifacts.size());
  for (const Artifact& artifact : spec.artifacts) {
    out.text(artifact.uri);
    out.flag(artifact.extract);
    out.flag(artifact.executable);
    out.flag(artifact.cache);
  }
  out.real(spec.cpus);
  out.real(spec.mem_mib);
  out.real(spec.disk_mib);
  out.integer(spec.kill_grace.count());
}

LaunchSpec read_spec(Reader& in) {
  LaunchSpec spec;
  const bool has_cmd = in.flag();
  std::string cmd = in.text();
  if (has_cmd) spec.cmd = std::move(cmd);
  spec.args = read_list<std::string>(in, [](Reader& r) { return r.text(); });
  spec.user = in.text();
  spec.env = read_list<std::pair<std::string, std::string>>(in, [](Reader& r) {
    std::string name = r.text();
    return std::pair{std::move(name), r.text()};
  });
  spec.secret_files = read_list<SecretFile>(in, [](Reader& r) {
    std::string path = r.text();
    return SecretFile{std::move(path), r.text()};
  });
  spec.artifacts = read_list<Artifact>(in, [](Reader& r) {
    Artifact artifact;
    artifact.uri = r.text();
    artifact.extract = r.flag();
    artifact.executable = r.flag();
    artifact.cache = r.flag();
    return artifact;
  });
  spec.cpus = in.real();
  spec.mem_mib = in.real();
  spec.disk_mib = in.real();
  spec.kill_grace = Duration{in.integer()};
  return spec;
}

void write_report(Writer& out, const AttemptReport& report) {
  out.number(report.token.value);
  out.number(static_cast<std::uint64_t>(report.phase));
  out.integer(to_micros(report.started_at));
  out.integer(to_micros(report.finished_at));
  out.integer(report.exit_code);
  out.integer(report.signal);
  out.flag(report.oom);
  out.text(report.message);
}

AttemptReport read_report(Reader& in) {
  AttemptReport report;
  report.token = TaskId{in.number()};
  const std::uint64_t phase = in.number();
  report.phase = phase <= static_cast<std::uint64_t>(AttemptPhase::kLost)
                     ? static_cast<AttemptPhase>(phase)
                     : AttemptPhase::kUnknown;
  report.started_at = from_micros(in.integer());
  report.finished_at = from_micros(in.integer());
  report.exit_code = static_cast<int>(in.integer());
  report.signal = static_cast<int>(in.integer());
  report.oom = in.flag();
  report.message = in.text();
  return report;
}

std::optional<Message> read_message(Type type, Reader& in) {
  switch (type) {
    case Type::kHello: {
      const std::uint64_t version = in.number();
      return Hello{version, in.text()};
    }
    case Type::kStart: {
      const TaskId token{in.number()};
      return Start{token, read_spec(in)};
    }
    case Type::kStop: {
      Stop stop{TaskId{in.number()}, std::nullopt};
      if (in.flag()) stop.grace = Duration{in.integer()};
      return stop;
    }
    case Type::kForget:
      return Forget{read_tokens(in)};
    case Type::kFind: {
      const std::uint64_t request = in.number();
      return Find{request, read_tokens(in)};
    }
    case Type::kReport:
      return Report{read_report(in)};
    case Type::kFound: {
      const std::uint64_t request = in.number();
      return Found{request, read_list<AttemptReport>(in, read_report)};
    }
  }
  return std::nullopt;
}

}  // namespace

// In the text of the first greeting, so that older runners can read it, too.
Hello greeting(std::uint64_t epoch) { return {.status = fmt::format("{}{}", kEpoch, epoch)}; }

std::uint64_t epoch_of(const Hello& greeting) {
  std::uint64_t epoch = 0;
  const std::string_view text = greeting.status;
  if (!text.starts_with(kEpoch)) return 0;
  const char* const end = text.data() + text.size();
  const auto [at, wrong] = std::from_chars(text.data() + kEpoch.size(), end, epoch);
  return wrong == std::errc{} && at == end ? epoch : 0;
}

void append(std::string& out, const Hello& message) {
  Writer writer(out, Type::kHello);
  writer.number(message.version);
  writer.text(message.status);
}

void append(std::string& out, TaskId token, const LaunchSpec& spec) {
  Writer writer(out, Type::kStart);
  writer.number(token.value);
  write_spec(writer, spec);
}

void append(std::string& out, const Stop& message) {
  Writer writer(out, Type::kStop);
  writer.number(message.token.value);
  writer.flag(message.grace.has_value());
  if (message.grace) writer.integer(message.grace->count());
}

void append(std::string& out, const Forget& message) {
  Writer writer(out, Type::kForget);
  write_tokens(writer, message.tokens);
}

void append(std::string& out, const Find& message) {
  Writer writer(out, Type::kFind);
  writer.number(message.request);
  write_tokens(writer, message.tokens);
}

void append(std::string& out, const AttemptReport& report) {
  Writer writer(out, Type::kReport);
  write_report(writer, report);
}

void append(std::string& out, const Found& message) {
  Writer writer(out, Type::kFound);
  writer.number(message.request);
  writer.number(message.reports.size());
  for (const AttemptReport& report : message.reports) write_report(writer, report);
}

Result<std::optional<Message>> take(std::string_view& in, std::size_t max_frame_bytes) {
  if (in.size() < kLengthBytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::size_t{static_cast<std::uint8_t>(in[i])} << (8 * i);
  }
  if (length == 0 || length > max_frame_bytes) {
    return fail(ErrorKind::kInvalid, fmt::format("frame of {} bytes refused", length));
  }
  if (in.size() - kLengthBytes < length) return std::nullopt;
  Reader reader(in.substr(kLengthBytes + 1, length - 1));
  auto message = read_message(static_cast<Type>(in[kLengthBytes]), reader);
  if (!message || !reader.finished()) return fail(ErrorKind::kInvalid, "malformed frame");
  in.remove_prefix(kLengthBytes + length);
  return message;
}

}  // namespace docket::runner::wire
