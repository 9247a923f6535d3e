#pragma once

// What a job does: the name of its kind, and a body that only this kind understands. All others
// pass it on, and can get it as text: one JSON object.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace docket {
class JsonReader;
class JsonWriter;
}  // namespace docket

namespace docket::model {

// A spec as its kind reads it. Never changes once made.
class SpecBody {
 public:
  virtual ~SpecBody() = default;
  // Writes one object, which the kind reads back as an equal body.
  virtual void write(JsonWriter& out) const = 0;
};
using SpecBodyPtr = std::shared_ptr<const SpecBody>;  // one for all versions and copies of a job

struct Spec {
  std::string kind;
  SpecBodyPtr body;

  void write(JsonWriter& out) const;
  std::string text() const;
  friend bool operator==(const Spec& a, const Spec& b);
};

// A body that is a plain value; write_spec(out, value) is found beside its type.
template <class T>
struct SpecOf final : SpecBody {
  explicit SpecOf(T made) : value(std::move(made)) {}
  void write(JsonWriter& out) const override { write_spec(out, value); }
  T value;
};

// Null: the body is not of this type.
template <class T>
const T* get_if(const Spec& spec) {
  const auto* body = dynamic_cast<const SpecOf<T>*>(spec.body.get());
  return body ? &body->value : nullptr;
}

// Of a kind that this program does not have: kept as it was written.
class UnreadSpec final : public SpecBody {
 public:
  explicit UnreadSpec(std::string text) : text_(std::move(text)) {}
  void write(JsonWriter& out) const override;

 private:
  std::string text_;
};

// Turns the text of a spec into its body.
class SpecReader {
 public:
  virtual ~SpecReader() = default;
  // Null: there is no such kind. Flaws of the text become complaints.
  virtual SpecBodyPtr read_spec(std::string_view kind, JsonReader& in) const = 0;
};

}  // namespace docket::model
