#include "model/spec.h"

#include "core/json_writer.h"

namespace docket::model {

void Spec::write(JsonWriter& out) const {
  if (body) return body->write(out);
  out.raw("{}");
}

void UnreadSpec::write(JsonWriter& out) const { out.raw(text_); }

std::string Spec::text() const {
  std::string text;
  JsonWriter out(text);
  write(out);
  return text;
}

bool operator==(const Spec& a, const Spec& b) {
  return a.kind == b.kind && (a.body == b.body || a.text() == b.text());
}

}  // namespace docket::model
