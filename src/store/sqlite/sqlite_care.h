#pragma once

// Long work on the files of a SqliteStore (engine/store_care.h), over connections of its own.

#include <string>

#include "engine/store_care.h"

namespace docket::store {

class SqliteCare : public engine::StoreCare {
 public:
  // `directory` and `vfs` as in SqliteOptions; the store is open elsewhere.
  explicit SqliteCare(const std::string& directory, const std::string& vfs = {});

  Result<> backup(const std::string& file, engine::CareWatch& watch) override;
  Result<> verify(const std::vector<std::string>& families, engine::CareWatch& watch) override;
  Result<> vacuum(engine::CareWatch& watch) override;
  Result<> checkpoint(engine::CareWatch& watch) override;
  Result<> export_records(const std::string& file, engine::CareWatch& watch) override;
  Result<> upgrade(engine::CareWatch& watch) override;
  Result<std::uint64_t> trees_ended_before(Time instant) override;

 private:
  std::string file_;
  std::string vfs_;
};

}  // namespace docket::store
