#include "cli/tasks_text.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ostream>

#include "cli/client/json_access.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

constexpr std::array kListMembers{"task_id",         "type",     "kind",  "scope",  "state",
                                  "sequence_number", "keyspace", "table", "entity", "shard",
                                  "start_time",      "end_time"};
// Two columns of a tree have names that differ from their members.
constexpr std::array<std::pair<const char*, const char*>, 18> kTreeMembers{{
    {"id", "id"},
    {"type", "type"},
    {"kind", "kind"},
    {"scope", "scope"},
    {"state", "state"},
    {"is_abortable", "is_abortable"},
    {"start_time", "start_time"},
    {"end_time", "end_time"},
    {"error", "error"},
    {"parent_id", "parent_id"},
    {"sequence_number", "sequence_number"},
    {"shard", "shard"},
    {"keyspace", "keyspace"},
    {"table", "table"},
    {"entity", "entity"},
    {"progress_units", "progress_units"},
    {"total", "progress_total"},
    {"completed", "progress_completed"},
}};
constexpr const char* kChildren = "children_ids";

// The epoch stands for no time.
std::string cell_of(const json::value& value) {
  std::string text = text_of(value);
  return text == "1970-01-01T00:00:00Z" ? std::string() : text;
}

std::string text_of_children(const json::value& children) {
  std::string text = "[";
  for (const json::value& child : array_of(children)) {
    text += (text.size() > 1 ? ", " : "") + std::string("{task_id: ") + text_at(child, "task_id") +
            ", node: " + text_at(child, "node") + " }";
  }
  return text + "]";
}

}  // namespace

void PlainTable::print(std::ostream& out) const {
  std::vector<std::size_t> widths(rows_.front().size(), 1);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << (i > 0 ? " " : "") << row[i] << std::string(widths[i] - row[i].size(), ' ');
    }
    out << '\n';
  }
}

PlainTable list_table() { return PlainTable({kListMembers.begin(), kListMembers.end()}); }

std::vector<std::string> list_row(const json::value& stats) {
  std::vector<std::string> cells;
  for (const char* name : kListMembers) cells.push_back(cell_of(member(stats, name)));
  return cells;
}

PlainTable tree_table() {
  std::vector<std::string> header;
  for (const auto& [column, name] : kTreeMembers) header.emplace_back(column);
  header.emplace_back(kChildren);
  return PlainTable(std::move(header));
}

std::vector<std::string> tree_row(const json::value& status) {
  std::vector<std::string> cells;
  for (const auto& [column, name] : kTreeMembers) cells.push_back(cell_of(member(status, name)));
  cells.push_back(text_of_children(member(status, kChildren)));
  return cells;
}

void print_status(std::ostream& out, const json::value& status) {
  const json::object* members = status.if_object();
  if (members == nullptr) return;
  for (const auto& [name, value] : *members) {
    out << std::string_view(name) << ": "
        << (value.is_array() ? text_of_children(value) : cell_of(value)) << '\n';
  }
}

}  // namespace docket::cli
