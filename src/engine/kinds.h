#pragma once

// The kinds of this server, by name. They are few, so a look-up is a comparison or two. The store
// reads specs with it. Immutable: any thread.

#include <initializer_list>
#include <string_view>
#include <vector>

#include "engine/kind.h"

namespace docket::engine {

class Kinds : public model::SpecReader {
 public:
  Kinds(std::initializer_list<const Kind*> kinds) : kinds_(kinds) {}

  const Kind* find(std::string_view name) const;  // null: there is no such kind
  // For a spec whose kind is gone: a kind whose runs fail with a message that says so.
  const Kind& of(const model::Spec& spec) const;
  const std::vector<const Kind*>& all() const { return kinds_; }
  model::SpecBodyPtr read_spec(std::string_view kind, JsonReader& in) const override;

 private:
  std::vector<const Kind*> kinds_;
};

}  // namespace docket::engine
