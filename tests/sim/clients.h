#pragma once

// People and programs that use the server. Each owns a few jobs, which it alone defines, and
// starts and stops runs of all clients. One request at a time, over a network with delays; the
// outcome of a request whose answer was lost is unknown.

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "kinds/test/spec.h"
#include "sim/expectations.h"
#include "sim/world.h"

namespace docket::sim {

class Clients {
 public:
  Clients(World& world, Dice dice, std::size_t count, Duration think_max);
  void stop() { active_ = false; }  // no new requests
  void server_died();
  Expectations& expectations() { return expectations_; }
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  using Work = std::function<Result<Effect>(engine::Engine&, Time)>;
  struct KnownRun {
    TaskId id;
    std::string job;
    std::string name;
  };
  struct Client {
    std::size_t number;
    std::uint64_t request = 0;  // rises with every request
    bool waiting = false;
    std::vector<std::string> jobs;
  };
  void think(Client& client);
  void ask(Client& client);
  void arrive(Client& client, std::uint64_t request, const Work& work);
  void answered(Client& client, std::uint64_t request);

  Work choose(Client& client);
  Work create(const std::string& job);
  Work update(const std::string& job);
  Work remove(const std::string& job);
  Work add_schedule(const std::string& job);
  Work change_schedule(const std::string& job);
  Work remove_schedule(const std::string& job);
  Work start();
  Work stop_run();
  Work ask_run();
  Work put_secret(const Client& client);
  Work delete_secret(const Client& client);
  std::vector<kinds::TestStep> draw_steps(int depth);
  kinds::TestNeeds draw_needs();
  model::Spec draw_tree();
  model::Spec draw_process();
  model::JobDefinition draw_job(const std::string& id);
  model::ScheduleDefinition draw_schedule(const std::string& job, const std::string& id);
  std::vector<model::ScheduleDefinition> draw_schedules(const std::string& job);

  World& world_;
  Dice dice_;
  Duration think_max_;
  Expectations expectations_;
  std::vector<Client> clients_;
  std::vector<std::string> everybodys_;  // jobs that may be started by hand
  std::vector<KnownRun> runs_;           // started, newest last
  std::int64_t last_mark_ = 0;
  std::uint64_t acknowledged_ = 0;
  bool active_ = true;
};

}  // namespace docket::sim
