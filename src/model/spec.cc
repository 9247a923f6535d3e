#include "model/spec.h"

namespace docket::model {

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
