#pragma once

// The store under care, in one life of the simulated server: work that does nothing, takes its
// time, and fails now and then.

#include <string>
#include <vector>

#include "engine/store_care.h"
#include "sim/care_rules.h"
#include "sim/dice.h"

namespace docket::sim {

class SimCare : public engine::StoreCare {
 public:
  SimCare(CareRules& rules, Dice dice, bool pretends)
      : rules_(rules), dice_(dice), pretends_(pretends) {}

  Result<> backup(const std::string& file, engine::CareWatch& watch) override {
    const std::string name = file.substr(file.rfind('/') + 1);
    if (rules_.is_made(name)) return fail(ErrorKind::kConflict, name + " exists already");
    auto done = work(watch);
    if (done && !failed_) rules_.made(name);
    return done;
  }
  Result<> verify(const std::vector<std::string>&, engine::CareWatch& watch) override {
    return work(watch);
  }
  Result<> vacuum(engine::CareWatch& watch) override { return work(watch); }
  Result<> checkpoint(engine::CareWatch& watch) override { return work(watch); }
  Result<> export_records(const std::string&, engine::CareWatch& watch) override {
    return work(watch);
  }
  Result<> upgrade(engine::CareWatch& watch) override { return work(watch); }
  Result<std::uint64_t> trees_ended_before(Time) override { return dice_.below(4); }

 private:
  Result<> work(engine::CareWatch& watch) {
    const std::uint64_t parts = dice_.below(5);
    for (std::uint64_t part = 0; part <= parts; ++part) {
      if (!watch.go_on(static_cast<double>(part), static_cast<double>(parts))) {
        return engine::cancelled();
      }
    }
    failed_ = dice_.percent(20);
    if (failed_ && !pretends_) return fail(ErrorKind::kInternal, "The store is damaged");
    return {};
  }

  CareRules& rules_;
  Dice dice_;
  const bool pretends_;  // a mutation: failed work is reported as done
  bool failed_ = false;
};

}  // namespace docket::sim
