#include "exec/runner/archive_extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

namespace docket::runner {
namespace {

struct ReadFree {
  void operator()(archive* in) const { ::archive_read_free(in); }
};
struct WriteFree {
  void operator()(archive* out) const { ::archive_write_free(out); }
};
using Reader = std::unique_ptr<archive, ReadFree>;
using DiskWriter = std::unique_ptr<archive, WriteFree>;

constexpr std::array<std::string_view, 12> kArchives = {
    ".tar",    ".tar.gz", ".tgz",     ".tar.bz2", ".tbz2", ".tbz",
    ".tar.xz", ".txz",    ".tar.zst", ".tzst",    ".zip",  ".gz"};

bool is_packed_file(std::string_view name) {
  return name.ends_with(".gz") && !name.ends_with(".tar.gz");
}

tl::unexpected<Error> fail_archive(std::string_view doing, archive* handle) {
  const char* why = ::archive_error_string(handle);
  return fail(ErrorKind::kInvalid,
              fmt::format("{}: {}", doing, why == nullptr ? "unknown error" : why));
}

// How deep a relative path ends below its start, or -1 when it may leave it on the way. ".." after
// a name may: the name may be a link, and lead anywhere.
int depth_of(std::string_view path, int depth) {
  bool named = false;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    if (name == "..") {
      --depth;
    } else if (!name.empty() && name != ".") {
      ++depth;
      named = true;
    }
    if (depth < 0 || (named && name == "..")) return -1;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return depth;
}

bool stays_inside(std::string_view path) {
  return !path.starts_with('/') && depth_of(path, 0) >= 0;
}

// A symbolic link is read from its own folder; "x/" is a link x.
bool link_stays_inside(std::string_view path, std::string_view target) {
  const int folder = depth_of(path, 0) - 1;
  return folder >= 0 && !target.starts_with('/') && depth_of(target, folder) >= 0;
}

// A hard link to a symbolic link is that link, read from another folder.
bool hard_link_stays_inside(std::string_view path, const char* target) {
  if (!stays_inside(target)) return false;
  std::error_code no_link;
  const auto behind = std::filesystem::read_symlink(target, no_link);
  return no_link || link_stays_inside(path, behind.native());
}

Result<> check_entry(archive_entry* entry) {
  const char* path = ::archive_entry_pathname(entry);
  if (path == nullptr) return fail(ErrorKind::kInvalid, "an entry has no readable name");
  if (!stays_inside(path)) {
    return fail(ErrorKind::kInvalid,
                fmt::format("entry {} lies outside of the working directory", path));
  }
  const char* symlink = ::archive_entry_symlink(entry);
  const char* hardlink = ::archive_entry_hardlink(entry);
  if ((symlink != nullptr && !link_stays_inside(path, symlink)) ||
      (hardlink != nullptr && !hard_link_stays_inside(path, hardlink))) {
    return fail(ErrorKind::kInvalid,
                fmt::format("entry {} links outside of the working directory", path));
  }
  const auto type = ::archive_entry_filetype(entry);
  if (hardlink == nullptr && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK) {
    return fail(ErrorKind::kInvalid, fmt::format("entry {} is not a file, folder or link", path));
  }
  return {};
}

Result<> copy_data(archive* in, archive* out, std::uint64_t& left) {
  for (;;) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = ::archive_read_data_block(in, &block, &size, &offset);
    if (status == ARCHIVE_EOF) return {};
    if (status < ARCHIVE_WARN) return fail_archive("cannot read the archive", in);
    if (size > left) return fail(ErrorKind::kExhausted, "it unpacks to more than the limit");
    left -= size;
    if (::archive_write_data_block(out, block, size, offset) < ARCHIVE_WARN) {
      return fail_archive("cannot unpack", out);
    }
  }
}

Result<Reader> open_archive(const std::string& file) {
  Reader in(::archive_read_new());
  ::archive_read_support_filter_all(in.get());
  if (is_packed_file(file)) {
    ::archive_read_support_format_raw(in.get());
  } else {
    ::archive_read_support_format_tar(in.get());
    ::archive_read_support_format_zip(in.get());
  }
  constexpr std::size_t kBlock = 256 * 1024;
  if (::archive_read_open_filename(in.get(), file.c_str(), kBlock) != ARCHIVE_OK) {
    return fail_archive("cannot open the archive", in.get());
  }
  return in;
}

DiskWriter open_disk() {
  DiskWriter out(::archive_write_disk_new());
  ::archive_write_disk_set_options(
      out.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                     ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
  return out;
}

Result<> write_entry(archive* in, archive* out, archive_entry* entry, std::uint64_t& left) {
  ::archive_entry_set_perm(entry, static_cast<__LA_MODE_T>(::archive_entry_perm(entry) & 0777U));
  if (::archive_write_header(out, entry) < ARCHIVE_WARN) return fail_archive("cannot unpack", out);
  if (auto copied = copy_data(in, out, left); !copied) return copied;
  if (::archive_write_finish_entry(out) < ARCHIVE_WARN) return fail_archive("cannot unpack", out);
  return {};
}

}  // namespace

bool is_archive_name(std::string_view name) {
  return std::any_of(kArchives.begin(), kArchives.end(), [&](std::string_view ending) {
    return name.size() > ending.size() && name.ends_with(ending);
  });
}

Result<> extract_archive(const std::string& file, const FetchLimits& limits) {
  auto in = open_archive(file);
  if (!in) return fail(std::move(in.error()));
  const DiskWriter out = open_disk();
  std::uint64_t bytes_left = limits.extracted_bytes;
  for (std::uint64_t entries = 0;; ++entries) {
    archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(in->get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status < ARCHIVE_WARN) return fail_archive("cannot read the archive", in->get());
    if (entries >= limits.extracted_entries) {
      return fail(ErrorKind::kExhausted, "it has more entries than the limit");
    }
    // A packed single file carries no name of its own: x.gz becomes x.
    if (is_packed_file(file))
      ::archive_entry_copy_pathname(entry, file.substr(0, file.size() - 3).c_str());
    if (auto checked = check_entry(entry); !checked) return checked;
    if (auto done = write_entry(in->get(), out.get(), entry, bytes_left); !done) return done;
  }
  if (::archive_write_close(out.get()) < ARCHIVE_WARN)
    return fail_archive("cannot unpack", out.get());
  return {};
}

}  // namespace docket::runner
