// How fast the SQLite store is on this machine, compared with what its disk can do, in one run:
//
//   store_bench [--directory DIR] [--finished N] [--queued N] [--seconds S] [--keep yes]
//               [--only runs|tree]
//
// 1. the disk: fdatasync of 4 KiB, overwriting and appending
// 2. an empty store: creating runs (a task and an event each) and whole lives of runs, by size of
// batch
// 3. the same store filled with a long history: creating runs again, pages of every kind, opening
// and loading
// 4. a store with as many ended operations, and one tree of operations: its pages, what doors that
// forget list, reports of progress, and its removal
//
// The history is built through commit() like any other.

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kinds/process/spec.h"
#include "store/sqlite/sqlite_store.h"

namespace docket::bench {
namespace {

using Stopwatch = std::chrono::steady_clock;
using model::State;

struct Options {
  std::string directory = "store_bench.data";
  std::uint64_t finished = 1'000'000;
  std::uint64_t queued = 100'000;
  double seconds = 2;
  std::uint64_t jobs = 1000;
  bool keep = false;  // use an existing history, and keep it
  std::string only;
};

double seconds_since(Stopwatch::time_point start) {
  return std::chrono::duration<double>(Stopwatch::now() - start).count();
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "store_bench: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Processor time of this thread, which load from other programs does not distort.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Calls `work` for about the given time; returns how often it was called per second.
double rate(double seconds, const std::function<void()>& work) {
  const auto start = Stopwatch::now();
  std::uint64_t count = 0;
  while (seconds_since(start) < seconds) {
    work();
    ++count;
  }
  return static_cast<double>(count) / seconds_since(start);
}

enum class Writing { kOver, kOnto };

double sync_rate(const std::string& directory, double seconds, Writing writing) {
  const std::string file = directory + "/sync";
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::vector<char> page(4096, 'x');
  constexpr off_t kLength = 16 << 20;
  off_t at = 0;
  for (; writing == Writing::kOver && at < kLength; at += 4096) {
    if (pwrite(descriptor, page.data(), page.size(), at) < 0) std::exit(1);
  }
  fsync(descriptor);
  at = 0;
  const double per_second = rate(seconds, [&] {
    if (pwrite(descriptor, page.data(), page.size(), at) < 0) std::exit(1);
    at += 4096;
    if (writing == Writing::kOver) at %= kLength;
    fdatasync(descriptor);
  });
  close(descriptor);
  unlink(file.c_str());
  return per_second;
}

// Makes rows as the engine does: rising numbers, one event per change.
class Feeder {
 public:
  Feeder(store::SqliteStore& store, std::uint64_t jobs) : store_(store), jobs_(jobs) {}

  void resume() {
    const engine::Snapshot snapshot = must(store_.load());
    task_ = snapshot.last_task.value;
    event_ = snapshot.last_event.value;
    now_ = from_micros(1'600'000'000'000'000) + std::chrono::milliseconds(task_);
  }

  void make_jobs() {
    engine::Batch batch;
    for (std::uint64_t uid = 1; uid <= jobs_; ++uid) {
      model::Job job;
      job.uid = JobUid{uid};
      job.definition.id = "group.job-" + std::to_string(uid);
      kinds::ProcessSpec spec;
      spec.cmd = "/bin/true";
      job.definition.spec = kinds::spec_of(spec);
      engine::JobRow row;
      row.job = std::make_shared<const model::Job>(std::move(job));
      batch.jobs.push_back(std::move(row));
    }
    must(store_.commit(batch));
  }

  model::Task add_run(engine::Batch& batch, std::uint64_t job) {
    model::Task run;
    run.id = run.root = TaskId{++task_};
    run.job = JobUid{job};
    run.job_version = 1;
    run.state = State::kQueued;
    run.created_at = tick();
    char name[32];
    std::snprintf(name, sizeof name, "20190307%06llukC8Rs",
                  static_cast<unsigned long long>(task_ % 1'000'000'000ULL));
    run.name = name;
    put(batch, run, State::kCreated);
    return run;
  }

  model::Task add_attempt(engine::Batch& batch, const model::Task& run) {
    model::Task attempt;
    attempt.id = TaskId{++task_};
    attempt.parent = attempt.root = run.id;
    attempt.job = run.job;
    attempt.job_version = run.job_version;
    attempt.kind = model::TaskKind::kAttempt;
    attempt.created_at = tick();
    put(batch, attempt, State::kCreated);
    return attempt;
  }

  void change(engine::Batch& batch, model::Task& task, State state) {
    const State before = std::exchange(task.state, state);
    if (state == State::kRunning) task.started_at = tick();
    if (model::is_final(state)) task.finished_at = tick();
    put(batch, task, before);
  }

  // Three ticks per run: created and started, running, ended with its job's totals.
  void lives(std::uint64_t count, State end) {
    engine::Batch first, second, third;
    std::vector<std::pair<model::Task, model::Task>> pairs;
    for (std::uint64_t index = 0; index < count; ++index) {
      model::Task run = add_run(first, next_job());
      change(first, run, State::kRunning);
      model::Task attempt = add_attempt(first, run);
      pairs.emplace_back(std::move(run), std::move(attempt));
    }
    for (auto& [run, attempt] : pairs) change(second, attempt, State::kRunning);
    for (auto& [run, attempt] : pairs) {
      change(third, attempt, end);
      change(third, run, end);
    }
    commit(first);
    commit(second);
    commit(third);
  }

  void creates(std::uint64_t count) {
    engine::Batch batch;
    for (std::uint64_t index = 0; index < count; ++index) add_run(batch, next_job());
    commit(batch);
  }

  void commit(const engine::Batch& batch) {
    rows_ += batch.tasks.size() + batch.events.size();
    must(store_.commit(batch));
  }

  std::uint64_t rows() const { return rows_; }
  void use_jobs(std::uint64_t count) { used_jobs_ = count; }

 private:
  Time tick() { return now_ += std::chrono::microseconds(200); }
  std::uint64_t next_job() { return 1 + (turn_++ * 7919) % used_jobs_; }

  void put(engine::Batch& batch, const model::Task& task, State before) {
    batch.tasks.push_back(task);
    model::Event event;
    event.seq = EventSeq{++event_};
    event.at = now_;
    event.type = task.parent ? model::EventType::kAttemptChanged : model::EventType::kRunChanged;
    event.job = task.job;
    event.task = task.id;
    event.root = task.root;
    event.before = before;
    event.after = task.state;
    event.job_id = "group.job-" + std::to_string(task.job.value);
    batch.events.push_back(std::move(event));
  }

  store::SqliteStore& store_;
  std::uint64_t jobs_;
  std::uint64_t used_jobs_ = 1;
  std::uint64_t task_ = 0;
  std::uint64_t event_ = 0;
  std::uint64_t turn_ = 0;
  std::uint64_t rows_ = 0;
  Time now_ = from_micros(1'600'000'000'000'000);
};

std::unique_ptr<store::SqliteStore> open_store(const Options& options) {
  return must(store::SqliteStore::open({.directory = options.directory + "/data"}));
}

// Prints one line: `work` writes `runs` runs in `rows` rows each time.
void print_rate(const std::string& what, const Options& options, std::uint64_t runs, int rows,
                const std::function<void()>& work) {
  const double cpu = cpu_seconds();
  std::uint64_t done = 0;
  const double per_second = rate(options.seconds,
                                 [&] {
                                   work();
                                   done += runs;
                                 }) *
                            static_cast<double>(runs);
  const double cpu_micros = (cpu_seconds() - cpu) * 1e6 / static_cast<double>(done);
  std::printf("  %-58s %8.0f runs/s %9.0f rows/s %7.1f us of processor a run\n", what.c_str(),
              per_second, per_second * rows, cpu_micros);
}

void print_writes(Feeder& feeder, const Options& options, const std::string& where) {
  for (std::uint64_t jobs : {std::uint64_t{1}, options.jobs}) {
    feeder.use_jobs(jobs);
    for (std::uint64_t size : {1U, 64U, 1000U}) {
      print_rate(where + ", creates of " + std::to_string(jobs) + " jobs, batches of " +
                     std::to_string(size),
                 options, size, 2, [&] { feeder.creates(size); });
    }
  }
  for (std::uint64_t size : {1U, 16U, 64U}) {
    print_rate(where + ", whole lives, batches of " + std::to_string(size), options, size, 12,
               [&] { feeder.lives(size, State::kDone); });
  }
}

void fill(Feeder& feeder, const Options& options) {
  feeder.use_jobs(options.jobs);
  const auto start = Stopwatch::now();
  for (std::uint64_t done = 0; done < options.finished; done += 500) {
    // Failures are rare and far apart, as in practice; job 1 gets a history of its own.
    feeder.use_jobs(done % 2000 == 0 ? 1 : options.jobs);
    feeder.lives(500, done % 100'000 == 0 ? State::kFailed : State::kDone);
  }
  for (std::uint64_t made = 0; made < options.queued; made += 1000) feeder.creates(1000);
  std::printf("filled in %.1f s\n", seconds_since(start));
}

void print_page(const char* what, const std::function<std::size_t()>& query) {
  std::vector<double> times;
  std::size_t rows = 0;
  constexpr int kRounds = 300;
  const double first_cpu = cpu_seconds();
  query();
  const double cold = cpu_seconds() - first_cpu;
  const double cpu = cpu_seconds();
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Stopwatch::now();
    rows = query();
    times.push_back(seconds_since(start) * 1e3);
  }
  const double mean = (cpu_seconds() - cpu) / kRounds;
  std::sort(times.begin(), times.end());
  std::printf(
      "  %-36s %5zu rows  p50 %7.3f ms  p99 %7.3f ms; processor: first %7.3f ms, mean %7.3f ms\n",
      what, rows, times[times.size() / 2], times[times.size() * 99 / 100], cold * 1e3, mean * 1e3);
}

void print_pages(store::SqliteStore& store, std::uint64_t last_task) {
  const std::unique_ptr<engine::Reader> reader = must(store.open_reader());
  const auto tasks = [&](const char* what, const engine::TaskQuery& query) {
    print_page(what, [&] { return must(reader->tasks(query)).size(); });
  };
  const Time middle = from_micros(1'600'000'000'000'000) + std::chrono::seconds(400);
  tasks("tasks, newest 100", {});
  tasks("runs, newest 100", {.parent = TaskId{}});
  tasks("runs, newest 1000", {.parent = TaskId{}, .limit = 1000});
  tasks("runs, oldest 100", {.parent = TaskId{}, .order = engine::Order::kOldestFirst});
  tasks("runs after the middle", {.parent = TaskId{}, .after = TaskId{last_task / 2}});
  tasks("runs of a job", {.parent = TaskId{}, .job = JobUid{77}});
  tasks("runs of a job by its id", {.parent = TaskId{}, .job_id = "group.job-77"});
  tasks("failed runs of a job",
        {.parent = TaskId{}, .job = JobUid{77}, .states = {State::kFailed}});
  tasks("failed runs of job 1", {.parent = TaskId{}, .job = JobUid{1}, .states = {State::kFailed}});
  tasks("failed or aborted runs",
        {.parent = TaskId{}, .states = {State::kFailed, State::kAborted}});
  tasks("aborted runs: none", {.parent = TaskId{}, .states = {State::kAborted}});
  tasks("running tasks: none", {.states = {State::kRunning}});
  tasks("queued runs of a job, oldest", {.parent = TaskId{},
                                         .job = JobUid{77},
                                         .states = {State::kQueued},
                                         .order = engine::Order::kOldestFirst});
  tasks("a run by name", {.name = "20190307012345kC8Rs"});
  tasks("attempts of a run", {.parent = TaskId{last_task / 4 * 2 + 1}});
  tasks("done runs of a second", {.parent = TaskId{},
                                  .states = {State::kDone},
                                  .created_from = middle,
                                  .created_until = middle + std::chrono::seconds(1)});
  tasks("failed runs of a stretch", {.parent = TaskId{},
                                     .states = {State::kFailed},
                                     .created_from = middle,
                                     .created_until = middle + std::chrono::seconds(100)});
  const auto history = [&](const char* what, const engine::HistoryQuery& query) {
    print_page(what, [&] { return must(reader->history(query)).size(); });
  };
  history("history of a job: successes", {.job = JobUid{77}});
  history("history of a job: 100 successes", {.job = JobUid{77}, .limit = 100});
  history("history of a job: failures", {.job = JobUid{77}, .succeeded = false});
  history("history of job 1: successes", {.job = JobUid{1}});
  const auto events = [&](const char* what, const engine::EventQuery& query) {
    print_page(what, [&] { return must(reader->events(query)).size(); });
  };
  events("events after the middle", {.after = EventSeq{last_task * 2}});
  events("events of a run", {.root = TaskId{last_task / 4 * 2 + 1}});
  events("events of an attempt", {.task = TaskId{last_task / 4 * 2 + 2}});
  events("events of a job after the middle", {.job = JobUid{77}, .after = EventSeq{last_task * 2}});
}

std::uint64_t resident_mib() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long long size = 0, resident = 0;
  if (!file || std::fscanf(file, "%llu %llu", &size, &resident) != 2) return 0;
  std::fclose(file);
  return resident * 4096 / (1 << 20);
}

void print_opening(const Options& options) {
  auto start = Stopwatch::now();
  auto store = open_store(options);
  const double opened = seconds_since(start);
  const engine::Snapshot snapshot = must(store->load());
  std::printf("open %.1f ms, open and load %.1f ms: %zu jobs, %zu live tasks; resident %llu MiB\n",
              opened * 1e3, seconds_since(start) * 1e3, snapshot.jobs.size(), snapshot.tasks.size(),
              static_cast<unsigned long long>(resident_mib()));
}

void bench_empty(const Options& options) {
  const auto start = Stopwatch::now();
  const auto store = open_store(options);
  std::printf("open an empty store %.1f ms\n", seconds_since(start) * 1e3);
  Feeder feeder(*store, options.jobs);
  feeder.make_jobs();
  print_writes(feeder, options, "empty");
}

void make_history(const Options& options) {
  const auto store = open_store(options);
  Feeder feeder(*store, options.jobs);
  feeder.make_jobs();
  fill(feeder, options);
}

void bench_history(const Options& options) {
  print_opening(options);
  const auto store = open_store(options);
  print_pages(*store, must(store->load()).last_task.value);
  Feeder feeder(*store, options.jobs);
  feeder.resume();
  print_writes(feeder, options, "long history");
}

// A store of operations: `finished` roots of which the newest few are listed, and one tree.
class Forest {
 public:
  static constexpr std::uint64_t kFolded = 100'000;
  static constexpr std::uint64_t kLive = 1000;
  static constexpr std::uint64_t kListed = 100;

  explicit Forest(store::SqliteStore& store) : store_(store) {}

  void add_ended_roots(std::uint64_t count) {
    engine::Batch batch;
    for (std::uint64_t left = count; left > 0; --left) {
      batch.tasks.push_back(ended(operation(nullptr), 0));
      if (left <= kListed) {
        batch.listings.push_back({TaskId{task_}, "backups", 0, false, far()});
      }
      commit_if_large(batch);
    }
    commit_if_large(batch, 1);
  }

  void add_tree() {
    root_ = operation(nullptr);
    engine::Batch batch{.tasks = {root_}};
    for (std::uint64_t left = kFolded + kLive; left > 0; --left) {
      model::Task child = operation(&root_);
      // Every hundredth fails. They end in a different order from that in which they began, as if a
      // thousand ran at a time: 7919 and 1000 are coprime.
      const State state = left % 100 == 0 ? State::kFailed : State::kDone;
      const std::uint64_t fold = left / 1000 * 1000 + left * 7919 % 1000;
      if (left > kLive) child = ended(child, 1'000'000 - fold, state);
      if (left <= kLive) live_.push_back(child);
      batch.tasks.push_back(std::move(child));
      commit_if_large(batch);
    }
    commit_if_large(batch, 1);
  }

  // One report by each of `count` reporters, in one batch.
  void report(std::uint64_t count) {
    engine::Batch batch;
    for (std::uint64_t at = 0; at < count; ++at) {
      model::Task& task = live_[turn_++ % 100];
      task.tally.counts = true;
      task.tally.completed += 1.5;
      batch.tasks.push_back(task);
    }
    must(store_.commit(batch));
  }

  void end_tree() {
    engine::Batch batch;
    for (const model::Task& each : live_) batch.tasks.push_back(ended(each, each.id.value));
    root_ = ended(root_, 0);
    root_.finished_at = from_micros(1);  // the oldest of all
    batch.tasks.push_back(root_);
    must(store_.commit(batch));
  }
  TaskId root() const { return root_.id; }

 private:
  static Time far() { return from_micros(4'000'000'000'000'000); }

  model::Task operation(const model::Task* parent) {
    model::Task task;
    task.id = task.root = TaskId{++task_};
    task.kind = model::TaskKind::kOperation;
    task.state = State::kRunning;
    task.created_at = task.started_at = now_ += std::chrono::microseconds(200);
    if (parent) {
      task.parent = parent->id;
      task.root = parent->root;
    }
    model::Operation what;
    what.module = "backups";
    what.type = "upload";
    what.scope = "table";
    what.keyspace = "users";
    what.table = "sessions";
    what.units = "bytes";
    what.sequence = task.root.value;
    what.internal = parent != nullptr;
    task.operation = std::make_shared<const model::Operation>(std::move(what));
    task.tally = {true, 1024.5, 4096, 0, 0, 0, 0, 0};
    return task;
  }

  model::Task ended(model::Task task, std::uint64_t fold, State state = State::kDone) {
    task.state = state;
    task.finished_at = now_;
    task.tally.fold = fold;
    return task;
  }

  void commit_if_large(engine::Batch& batch, std::size_t least = 1000) {
    if (batch.tasks.size() < least) return;
    must(store_.commit(batch));
    batch = {};
  }

  store::SqliteStore& store_;
  model::Task root_;
  std::vector<model::Task> live_;
  std::uint64_t task_ = 0;
  std::uint64_t turn_ = 0;
  Time now_ = from_micros(1'600'000'000'000'000);
};

std::size_t read_children(engine::Reader& reader, TaskId parent, engine::Fold which) {
  engine::ChildQuery query{parent, which};
  std::size_t rows = 0;
  for (bool more = true; more;) {
    const std::vector<engine::TaskRow> page = must(reader.children(query));
    rows += page.size();
    more = page.size() == engine::kMaxPage;
    if (more) query.after = engine::place_of(page.back().task);
  }
  return rows;
}

void print_children(store::SqliteStore& store, TaskId root) {
  using engine::Fold;
  const std::unique_ptr<engine::Reader> reader = must(store.open_reader());
  const std::pair<const char*, std::vector<Fold>> questions[] = {
      {"children, live and folded", {Fold::kUnfolded, Fold::kFolded}},
      {"children, folded and failing", {Fold::kKept}}};
  for (const auto& [what, folds] : questions) {
    for (const char* round : {"first", "again"}) {
      const auto start = Stopwatch::now();
      const double cpu = cpu_seconds();
      std::size_t rows = 0;
      for (const Fold fold : folds) rows += read_children(*reader, root, fold);
      const auto count = static_cast<double>(rows);
      std::printf("  %-30s %-5s %7zu rows %9.0f rows/s %9.0f rows a second of processor\n", what,
                  round, rows, count / seconds_since(start), count / (cpu_seconds() - cpu));
    }
  }
}

void print_listed(store::SqliteStore& store) {
  const std::unique_ptr<engine::Reader> reader = must(store.open_reader());
  const auto listed = [&](const char* what, const engine::ListedQuery& query) {
    print_page(what, [&] { return must(reader->listed(query)).size(); });
  };
  const Time now = from_micros(1'700'000'000'000'000);
  listed("listed of a module", {.module = "backups", .now = now});
  listed("listed of another: none", {.module = "repair", .now = now});
  print_page("live operations", [&] {
    return must(reader->tasks(
                    {.states = {State::kCreated, State::kRunning}, .limit = engine::kMaxPage}))
        .size();
  });
}

void print_reports(Forest& forest, const Options& options) {
  for (std::uint64_t size : {1U, 100U, 1000U}) {
    const double cpu = cpu_seconds();
    std::uint64_t done = 0;
    const double per_second = rate(options.seconds, [&] {
      forest.report(size);
      done += size;
    });
    std::printf("  reports of progress, batches of %-4llu %9.0f/s %7.2f us of processor each\n",
                static_cast<unsigned long long>(size), per_second * static_cast<double>(size),
                (cpu_seconds() - cpu) * 1e6 / static_cast<double>(done));
  }
}

void bench_tree(const Options& options) {
  std::filesystem::remove_all(options.directory + "/data");
  auto store = open_store(options);
  Forest forest(*store);
  auto start = Stopwatch::now();
  forest.add_ended_roots(options.finished);
  forest.add_tree();
  const double seconds = seconds_since(start);
  std::printf("%llu ended operations and a tree of %llu made in %.1f s\n",
              static_cast<unsigned long long>(options.finished),
              static_cast<unsigned long long>(Forest::kFolded + Forest::kLive), seconds);
  print_children(*store, forest.root());
  print_listed(*store);
  print_reports(forest, options);
  forest.end_tree();
  start = Stopwatch::now();
  must(store->commit({.sweeps = {{from_micros(2), 1, kNever}}}));
  std::printf("the tree removed in %.2f s\n", seconds_since(start));
}

void run(const Options& options) {
  std::filesystem::create_directories(options.directory);
  if (options.only != "runs" && !options.keep) bench_tree(options);
  if (options.only == "tree") {
    std::filesystem::remove_all(options.directory);
    return;
  }
  const std::string data = options.directory + "/data";
  const auto print_disk = [&] {
    std::printf("disk: %.0f fdatasync/s over 4 KiB, %.0f/s when the file grows\n",
                sync_rate(options.directory, 1, Writing::kOver),
                sync_rate(options.directory, 1, Writing::kOnto));
  };
  print_disk();
  if (!options.keep || !std::filesystem::exists(data)) {
    std::filesystem::remove_all(data);
    bench_empty(options);
    std::filesystem::remove_all(data);
    make_history(options);
  }
  bench_history(options);
  print_disk();
  std::printf("file %.0f MiB\n",
              static_cast<double>(std::filesystem::file_size(data + "/docket.db")) / (1 << 20));
  if (!options.keep) std::filesystem::remove_all(options.directory);
}

}  // namespace
}  // namespace docket::bench

int main(int count, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  docket::bench::Options options;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = arguments[at];
    if (name == "--directory") options.directory = arguments[at + 1];
    if (name == "--finished") options.finished = std::strtoull(arguments[at + 1], nullptr, 10);
    if (name == "--queued") options.queued = std::strtoull(arguments[at + 1], nullptr, 10);
    if (name == "--keep") options.keep = std::string(arguments[at + 1]) == "yes";
    if (name == "--only") options.only = arguments[at + 1];
    if (name == "--seconds") options.seconds = std::strtod(arguments[at + 1], nullptr);
  }
  docket::bench::run(options);
}
