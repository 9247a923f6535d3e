#include "exec/runner/runner_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <unordered_map>

#include "exec/runner/attempt_sweeper.h"
#include "exec/runner/log_files.h"
#include "exec/runner/monotonic.h"
#include "exec/runner/runner_logs.h"
#include "exec/runner/runner_process.h"
#include "exec/runner/start_pace.h"
#include "exec/runner/wire.h"

namespace docket::runner {

namespace asio = boost::asio;
using boost::system::error_code;
using engine::AttemptPhase;
using engine::AttemptReport;

namespace {

// Between two looks for files of attempts that retention has removed.
constexpr std::chrono::milliseconds kSweepInterval = std::chrono::minutes{1};

using Socket = asio::local::stream_protocol::socket;

// A token between its start (or first report) and its end or forget: all that must be sent again
// on a new connection.
struct Live {
  std::string start_frame;  // until a report says that it was started
  std::optional<wire::Stop> stop;
};

struct PendingFind {
  std::vector<TaskId> tokens;
  std::function<void(Result<std::vector<AttemptReport>>)> done;
};

bool is_over(AttemptPhase phase) {
  return phase == AttemptPhase::kExited || phase == AttemptPhase::kLost;
}

}  // namespace

struct RunnerExecutor::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& context, RunnerExecutorConfig settings,
       std::function<void(const std::string&)> log)
      : io(context),
        config(std::move(settings)),
        note(std::move(log)),
        socket(io),
        timer(io),
        logs(io, config.dir),
        pace(config.start_first, config.start_last) {}

  void connect();
  void unreachable(const std::string& why);
  void start_runner_once();
  void connected();
  void resend_all();
  void disconnected(const std::string& why);
  void close();

  void read();
  void on_bytes(std::size_t count);
  void on_message(wire::Message& message);
  void on_report(const AttemptReport& report);
  void on_found(wire::Found& found);
  void on_hello(const wire::Hello& hello);
  void refuse(TaskId token, std::string why);

  std::string& out();  // append frames; flushed once at the end of this turn
  void flush();

  asio::io_context& io;
  RunnerExecutorConfig config;
  std::function<void(const std::string&)> note;
  engine::ExecutorListener* listener = nullptr;
  std::uint64_t epoch = 0;
  Socket socket;
  asio::steady_timer timer;
  Duration retry{};
  RunnerLogs logs;
  std::optional<AttemptSweeper> sweeper;
  StartPace pace;
  std::array<char, 65536> chunk{};
  std::string in;
  std::string queued;
  std::string writing;
  bool is_connected = false;  // greeted both ways
  bool flush_posted = false;
  bool closed = false;
  std::uint64_t generation = 0;  // of the connection: handlers of an older one are void
  pid_t runner_pid = -1;
  std::uint64_t next_request = 1;
  std::unordered_map<TaskId, Live> live;
  std::map<std::uint64_t, PendingFind> finds;
  std::map<TaskId, wire::Stop> blind_stops;  // of tokens not in live, asked while disconnected
  RunnerStatus status;
  std::string noted;  // the last reason that was logged
};

// ---- the connection ----

void RunnerExecutor::Impl::connect() {
  if (closed) return;
  socket = Socket(io);
  error_code error;
  const std::string path = socket_path(config.dir);
  if (path.size() >= 108) {  // sun_path; Asio would throw
    unreachable(fmt::format("the socket's path is too long: {}", path));
    return;
  }
  socket.open(asio::local::stream_protocol(), error);
  socket.non_blocking(true, error);
  socket.connect(asio::local::stream_protocol::endpoint(path),
                 error);  // local: at once or not at all
  if (error) {
    start_runner_once();
    unreachable(error.message());
    return;
  }
  connected();
}

void RunnerExecutor::Impl::start_runner_once() {
  if (runner_pid > 0 && !runner_ended(runner_pid)) return;  // it is on its way
  runner_pid = -1;
  const auto now = steady_now();
  if (pace.ends(now)) {
    using Seconds = std::chrono::duration<double>;
    note(fmt::format(
        "the runner ended after {:.2f} s of service, {} in a row; another starts in {} s",
        Seconds(pace.served()).count(), pace.in_a_row(), Seconds(pace.pause()).count()));
  }
  if (now < pace.next()) return;
  pace.begins();
  auto started = start_runner(config.dir, config.runner_argv);
  if (started) {
    runner_pid = *started;
  } else {
    note(started.error().message);
  }
}

void RunnerExecutor::Impl::unreachable(const std::string& why) {
  const bool settled = retry >= config.retry_last;  // not just starting up
  std::string error = "the runner is out of reach: " + why;
  if (settled && std::exchange(noted, error) != error) note(error);
  status.last_error = std::move(error);
  retry = std::clamp(retry * 2, config.retry_first, config.retry_last);
  const auto now = steady_now();
  const Duration start = std::chrono::ceil<Duration>(pace.next() - now);
  timer.expires_after(start > Duration::zero() ? std::min(start, retry) : retry);
  timer.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->connect();
  });
}

void RunnerExecutor::Impl::connected() {
  ++generation;
  in.clear();
  queued.clear();
  writing.clear();
  wire::append(queued, wire::greeting(epoch));
  flush();
  read();
}

void RunnerExecutor::Impl::disconnected(const std::string& why) {
  if (status.connected) note("lost the runner: " + why);
  ++generation;
  is_connected = false;
  status.connected = false;
  error_code ignored;
  socket.close(ignored);
  unreachable(why);
}

void RunnerExecutor::Impl::close() {
  closed = true;
  ++generation;
  listener = nullptr;
  finds.clear();
  sweeper.reset();
  logs.stop();
  error_code ignored;
  socket.close(ignored);
  timer.cancel();
}

void RunnerExecutor::Impl::on_hello(const wire::Hello& hello) {
  if (hello.version != wire::kVersion) {
    disconnected(fmt::format("it speaks version {} of the protocol, this server {}", hello.version,
                             wire::kVersion));
    return;
  }
  is_connected = true;
  pace.serves(steady_now());
  retry = Duration{};
  status = {true, hello.status, {}};
  note("runner connected: " + hello.status);
  resend_all();
}

// Starts before finds: a find that was asked after a start must see it.
void RunnerExecutor::Impl::resend_all() {
  std::string& frames = out();
  wire::Find unsure;
  for (const auto& [token, attempt] : live) {
    frames += attempt.start_frame;
    if (attempt.start_frame.empty()) unsure.tokens.push_back(token);
  }
  for (const auto& [token, attempt] : live) {
    if (attempt.stop) wire::append(frames, *attempt.stop);
  }
  for (const auto& [token, stop] : std::exchange(blind_stops, {})) wire::append(frames, stop);
  if (!unsure.tokens.empty()) wire::append(frames, unsure);
  for (const auto& [request, find] : finds) wire::append(frames, wire::Find{request, find.tokens});
}

// ---- reading ----

void RunnerExecutor::Impl::read() {
  socket.async_read_some(asio::buffer(chunk), [self = shared_from_this(), life = generation](
                                                  error_code error, std::size_t count) {
    if (life != self->generation) return;
    if (error) {
      self->disconnected(error.message());
      return;
    }
    self->on_bytes(count);
    if (life == self->generation) self->read();
  });
}

void RunnerExecutor::Impl::on_bytes(std::size_t count) {
  in.append(chunk.data(), count);
  std::string_view rest = in;
  const std::uint64_t life = generation;
  for (;;) {
    auto message = wire::take(rest, config.max_frame_bytes);
    if (!message) {
      disconnected(message.error().message);
      return;
    }
    if (!*message) break;
    on_message(**message);
    if (life != generation) return;
  }
  in.erase(0, in.size() - rest.size());
}

void RunnerExecutor::Impl::on_message(wire::Message& message) {
  if (const auto* hello = std::get_if<wire::Hello>(&message)) on_hello(*hello);
  if (const auto* report = std::get_if<wire::Report>(&message)) on_report(report->report);
  if (auto* found = std::get_if<wire::Found>(&message)) on_found(*found);
}

void RunnerExecutor::Impl::on_report(const AttemptReport& report) {
  const auto known = live.find(report.token);
  // A start that waits in the runner may be lost with the runner: it is sent again.
  if (known != live.end() && report.phase != AttemptPhase::kStarting) {
    known->second.start_frame.clear();
  }
  if (known != live.end() && is_over(report.phase)) live.erase(known);
  if (listener != nullptr) listener->on_attempt(report);
}

void RunnerExecutor::Impl::on_found(wire::Found& found) {
  if (found.request == 0) {  // our own question after a reconnect
    for (const AttemptReport& report : found.reports) on_report(report);
    return;
  }
  auto pending = finds.extract(found.request);
  if (pending.empty()) return;
  for (const AttemptReport& report : found.reports) {
    const bool runs =
        report.phase == AttemptPhase::kStarting || report.phase == AttemptPhase::kRunning;
    if (runs) live.try_emplace(report.token);
  }
  pending.mapped().done(std::move(found.reports));
}

// The runner would drop the connection over it, again and again.
void RunnerExecutor::Impl::refuse(TaskId token, std::string why) {
  asio::post(io, [self = shared_from_this(), token, why = std::move(why)] {
    AttemptReport report{.token = token, .phase = AttemptPhase::kExited, .exit_code = 126};
    report.message = why;
    self->on_report(report);
  });
}

// ---- writing ----

std::string& RunnerExecutor::Impl::out() {
  if (!flush_posted) {
    flush_posted = true;
    asio::post(io, [self = shared_from_this()] {
      self->flush_posted = false;
      self->flush();
    });
  }
  return queued;
}

void RunnerExecutor::Impl::flush() {
  if (queued.empty() || !writing.empty() || !socket.is_open()) return;
  writing.swap(queued);
  asio::async_write(socket, asio::buffer(writing),
                    [self = shared_from_this(), life = generation](error_code error, std::size_t) {
                      if (life != self->generation) return;
                      self->writing.clear();
                      if (!error) self->flush();  // a failed socket is noticed by read()
                    });
}

// ---- the port ----

RunnerExecutor::RunnerExecutor(asio::io_context& io, RunnerExecutorConfig config,
                               std::function<void(const std::string&)> note)
    : impl_(std::make_shared<Impl>(io, std::move(config), std::move(note))) {
  asio::post(io, [impl = impl_] { impl->connect(); });
}

RunnerExecutor::~RunnerExecutor() { impl_->close(); }

void RunnerExecutor::attach(engine::ExecutorListener* listener, std::uint64_t epoch) {
  impl_->listener = listener;
  impl_->epoch = epoch;
}

void RunnerExecutor::start(TaskId token, const engine::PayloadPtr& payload) {
  Live& attempt = impl_->live[token];
  attempt.start_frame.clear();
  const auto* spec = engine::get_if<LaunchSpec>(payload);
  if (!spec) return impl_->refuse(token, "the runner runs commands only");
  wire::append(attempt.start_frame, token, *spec);
  if (attempt.start_frame.size() > impl_->config.max_frame_bytes) {
    impl_->refuse(token, "the attempt's environment, secrets and arguments are too large");
    return;
  }
  if (impl_->is_connected) impl_->out() += attempt.start_frame;
}

void RunnerExecutor::stop(TaskId token, std::optional<Duration> grace) {
  const wire::Stop stop{token, grace};
  const auto known = impl_->live.find(token);
  if (known != impl_->live.end()) known->second.stop = stop;
  // A token that we do not follow may still run: the runner knows or ignores it.
  if (impl_->is_connected) {
    wire::append(impl_->out(), stop);
  } else if (known == impl_->live.end()) {
    impl_->blind_stops.insert_or_assign(token, stop);
  }
}

void RunnerExecutor::forget(const std::vector<TaskId>& tokens) {
  for (const TaskId token : tokens) impl_->live.erase(token);
  // Losing it with the connection does no harm: a runner keeps nothing in memory of ended
  // attempts.
  if (impl_->is_connected) wire::append(impl_->out(), wire::Forget{tokens});
}

void RunnerExecutor::find(std::vector<engine::AttemptQuery> attempts,
                          std::function<void(Result<std::vector<AttemptReport>>)> done) {
  const std::uint64_t request = impl_->next_request++;
  PendingFind& pending = impl_->finds[request];
  for (const engine::AttemptQuery& each : attempts) pending.tokens.push_back(each.token);
  pending.done = std::move(done);
  if (impl_->is_connected) wire::append(impl_->out(), wire::Find{request, pending.tokens});
}

engine::Logs* RunnerExecutor::logs() { return &impl_->logs; }

void RunnerExecutor::sweep(engine::Archive& archive) {
  impl_->sweeper.emplace(impl_->io, archive, impl_->config.dir, kSweepInterval);
  impl_->sweeper->start();
}

RunnerStatus RunnerExecutor::status() const { return impl_->status; }

}  // namespace docket::runner
