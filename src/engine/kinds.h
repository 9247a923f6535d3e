#pragma once

// The kinds of this server, by name; few of them, so that looking one up is a comparison or two.
// Also what a store reads specs with. Immutable: any thread.

#include <initializer_list>
#include <string_view>
#include <vector>

#include "engine/kind.h"

namespace docket::engine {

class Kinds : public model::SpecReader {
 public:
  Kinds(std::initializer_list<const Kind*> kinds) : kinds_(kinds) {}

  const Kind* find(std::string_view name) const;  // null: there is no such kind
  // Of a spec whose kind is not here any more: one whose runs fail with a message that says so.
  const Kind& of(const model::Spec& spec) const;
  const std::vector<const Kind*>& all() const { return kinds_; }
  model::SpecBodyPtr read_spec(std::string_view kind, JsonReader& in) const override;

 private:
  std::vector<const Kind*> kinds_;
};

}  // namespace docket::engine
