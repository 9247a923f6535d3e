#include "dialects/scylla/tree_walk.h"

#include <utility>

#include "core/json_writer.h"

namespace docket::scylla {
namespace {

using engine::Fold;

// Children read at once: few enough that the rows need no buffer so large that the allocator would
// take it from the system, and give it back, each time.
constexpr std::uint32_t kPage = 256;

// Whether the store has to be queried.
bool may_have_children(const model::Task& task, bool folded) {
  if (task.kind == model::TaskKind::kAttempt) return false;
  return !folded || task.tally.failing > 0;
}

bool is_folded(const model::Task& task) {
  return task.kind == model::TaskKind::kAttempt || task.tally.fold > 0;
}

using engine::ChildId;
using engine::TaskRow;

Result<std::vector<TaskRow>> read(engine::Reader& reader, const engine::ChildQuery& query,
                                  const TaskRow* /*of*/) {
  return reader.children(query);
}
Result<std::vector<ChildId>> read(engine::Reader& reader, const engine::ChildQuery& query,
                                  const ChildId* /*of*/) {
  return reader.child_ids(query);
}

TaskId id_of(const TaskRow& child) { return child.task.id; }
TaskId id_of(const ChildId& child) { return child.id; }
std::uint64_t place_of(const TaskRow& child) { return engine::place_of(child.task); }
std::uint64_t place_of(const ChildId& child) { return child.place; }

}  // namespace

template <class Child>
Siblings<Child>::Siblings(TaskId parent, bool parent_is_folded) {
  query_.parent = parent;
  query_.which = parent_is_folded ? Fold::kKept : Fold::kUnfolded;
  query_.limit = kPage;
}

template <class Child>
Result<> Siblings<Child>::read_page(engine::Reader& reader) {
  auto page = read(reader, query_, static_cast<const Child*>(nullptr));
  if (!page) return fail(std::move(page.error()));
  page_ = std::move(*page);
  at_ = 0;
  page_is_last_ = page_.size() < query_.limit;
  if (!page_.empty()) query_.after = place_of(page_.back());
  return {};
}

template <class Child>
Result<const Child*> Siblings<Child>::next(engine::Reader& reader) {
  for (;;) {
    if (at_ < page_.size()) {
      const Child& child = page_[at_++];
      if (query_.which == Fold::kUnfolded) {
        shown_.insert(id_of(child));
      } else if (shown_.contains(id_of(child))) {
        continue;
      }
      return &child;
    }
    if (page_is_last_ && query_.which != Fold::kUnfolded) return nullptr;
    if (page_is_last_) {
      query_.which = Fold::kFolded;
      query_.after = 0;
    }
    if (auto read = read_page(reader); !read) return fail(std::move(read.error()));
  }
}

TreeWalk::TreeWalk(engine::TaskRow root, std::string parent_uuid, std::string node, Depth depth)
    : root_(std::move(root)),
      root_parent_(std::move(parent_uuid)),
      node_(std::move(node)),
      whole_(depth == Depth::kAll) {}

Result<bool> TreeWalk::write(engine::Reader& reader, std::string& out, std::size_t enough) {
  if (!std::exchange(begun_, true)) {
    if (whole_) out += '[';
    if (auto done = begin(reader, out, root_, root_parent_, false); !done) {
      return fail(std::move(done.error()));
    }
  }
  while (out.size() < enough) {
    Result<> done;
    if (ids_) {
      done = write_child_id(reader, out);
    } else if (siblings_) {
      done = write_child(reader, out);
    } else if (open_.empty() || !whole_) {
      if (whole_) out += ']';
      return false;
    } else {
      parent_ = std::move(open_.front());
      open_.pop_front();
      siblings_.emplace(parent_.id, parent_.folded);
    }
    if (!done) return fail(std::move(done.error()));
  }
  return true;
}

// Everything of a status except the ids of its children, which follow piece by piece.
Result<> TreeWalk::begin(engine::Reader& reader, std::string& out, const engine::TaskRow& row,
                         std::string_view parent_uuid, bool folded) {
  const auto unfolded = sums_.of(reader, row.task);
  if (!unfolded) return fail(unfolded.error());
  const TaskView view(row, parent_uuid);
  JsonWriter json(out);
  begin_status(json, view, model::progress_of(row.task, *unfolded));
  if (!may_have_children(row.task, folded)) {
    out += '}';
    return {};
  }
  ids_.emplace(row.task.id, folded);
  has_ids_ = false;
  open_.push_back({row.task.id, view.uuid, folded});
  return {};
}

Result<> TreeWalk::write_child_id(engine::Reader& reader, std::string& out) {
  const auto child = ids_->next(reader);
  if (!child) return fail(child.error());
  if (!*child) {
    out += has_ids_ ? "]}" : "}";
    if (!has_ids_) open_.pop_back();  // it had no children
    ids_.reset();
    return {};
  }
  out += std::exchange(has_ids_, true) ? "," : ",\"children_ids\":[";
  const std::string& uuid = (*child)->uuid;
  JsonWriter json(out);
  write_identity(json, uuid.empty() ? model::uuid_of((*child)->id) : uuid, node_);
  return {};
}

Result<> TreeWalk::write_child(engine::Reader& reader, std::string& out) {
  const auto child = siblings_->next(reader);
  if (!child) return fail(child.error());
  if (!*child) {
    siblings_.reset();
    return {};
  }
  out += ',';
  const engine::TaskRow& row = **child;
  const bool folded = parent_.folded || (is_folded(row.task) && model::is_final(row.task.state));
  return begin(reader, out, row, parent_.uuid, folded);
}

}  // namespace docket::scylla
