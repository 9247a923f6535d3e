// exec/runner/archive_extract: hostile archives. Nothing changes outside of the working directory,
// no link leads out of it, and what is unpacked keeps to the limits.

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "exec/runner/archive_extract.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr runner::FetchLimits kLimits{.extracted_bytes = 32 * 1024, .extracted_entries = 16};

// ---- a tar file of entries as the input says, with headers that count

constexpr std::array<const char*, 16> kNames{"a", "b",  "c",   "d/e", "..",  ".",    "../..", "",
                                             "/", "/a", "a/b", "l",   "l/x", "../l", "./..",  "x"};
constexpr std::string_view kTypes("011222555SLKxg36", 16);

// A path of up to four of the names, or the input's own text.
std::string path(Input& input) {
  const std::uint8_t how = input.byte();
  if (how % 8 == 7) return input.text();
  std::string text;
  for (int more = how % 4; more >= 0; --more) {
    text += kNames.at(input.below(kNames.size()));
    if (more > 0) text += '/';
  }
  return text;
}

void put(std::string& header, std::size_t at, std::size_t size, std::string_view text) {
  header.replace(at, std::min(size, text.size()), text.substr(0, size));
}

std::string octal(std::size_t value, int width) {
  std::string text(static_cast<std::size_t>(width), '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, value /= 8) {
    *at = static_cast<char>('0' + value % 8);
  }
  return text;
}

std::string tar_entry(Input& input) {
  const char type = kTypes[input.below(kTypes.size())];
  const std::string name = path(input);
  const std::string link = path(input);
  const std::string data = input.text();
  const bool has_data = type != '1' && type != '2' && type != '5';
  std::string header(512, '\0');
  put(header, 0, 100, name);
  put(header, 100, 8, octal(input.byte() * 16U + input.byte(), 7));
  put(header, 108, 8, octal(0, 7));
  put(header, 116, 8, octal(0, 7));
  put(header, 124, 12, octal(has_data ? data.size() : 0, 11));
  put(header, 136, 12, octal(input.byte(), 11));
  put(header, 148, 8, "        ");
  put(header, 156, 1, std::string_view(&type, 1));
  put(header, 157, 100, link);
  put(header, 257, 8, std::string_view("ustar\00000", 8));
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(header, 148, 8, octal(sum, 6) + std::string(1, '\0') + " ");
  if (!has_data) return header;
  return header + data + std::string((512 - data.size() % 512) % 512, '\0');
}

struct Archive {
  std::string name;
  std::string bytes;
};

Archive archive_of(std::string_view bytes) {
  Input input(bytes);
  switch (input.byte() % 8) {
    case 0:
      return {"x.tar", std::string(input.rest())};
    case 1:
      return {"x.zip", std::string(input.rest())};
    case 2:
      return {"x.gz", std::string(input.rest())};
    case 3:
      return {"x.tar.xz", std::string(input.rest())};
    default:
      break;
  }
  Archive made{"x.tar", {}};
  for (int entries = 0; entries < 20 && !input.empty(); ++entries) made.bytes += tar_entry(input);
  made.bytes += std::string(1024, '\0');
  return made;
}

// ---- where it is unpacked: TOP/up/up/work, so that links that lead up can be seen

struct Facts {
  mode_t mode = 0;
  nlink_t links = 0;  // of files: those and times of folders change while the archive is put there
  off_t size = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const Facts&) const = default;
};

class Ground {
 public:
  Ground() {
    std::string pattern = fs::temp_directory_path() / "docket-fuzz-XXXXXX";
    require(::mkdtemp(pattern.data()) != nullptr, "a temporary directory");
    top_ = fs::canonical(pattern);
    work_ = top_ / "up" / "up" / "work";
    fs::create_directories(work_);
    for (const fs::path& folder : {top_, top_ / "up", top_ / "up" / "up"}) {
      for (const char* name : {"a", "b", "x"}) std::ofstream(folder / name) << "outside";
    }
    before_ = outside();
  }
  ~Ground() { fs::remove_all(top_); }
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  void unpack(const Archive& archive) {
    const fs::path file = top_ / archive.name;
    std::ofstream(file, std::ios::binary) << archive.bytes;
    const fs::path home = fs::current_path();
    fs::current_path(work_);
    fs::create_hard_link(file, archive.name);  // a bare name, as in the runner
    static_cast<void>(runner::extract_archive(archive.name, kLimits));
    fs::current_path(home);
    fs::remove(file);
    fs::remove(work_ / archive.name);
    check();
    empty(work_);
  }

 private:
  std::map<fs::path, Facts> outside() const {
    std::map<fs::path, Facts> found;
    for (auto at = fs::recursive_directory_iterator(top_); at != fs::end(at); ++at) {
      if (at->path() == work_) {
        at.disable_recursion_pending();
        continue;
      }
      struct stat facts{};
      ::lstat(at->path().c_str(), &facts);
      Facts& kept = found[at->path()];
      kept.mode = facts.st_mode;
      if (S_ISDIR(facts.st_mode)) continue;
      kept.links = facts.st_nlink;
      kept.size = facts.st_size;
      kept.changed_ns = facts.st_ctim.tv_sec * 1'000'000'000 + facts.st_ctim.tv_nsec;
    }
    return found;
  }

  void check() {
    const auto now = outside();
    require(now == before_, "nothing changes outside of the working directory");
    std::size_t entries = 0;
    std::uint64_t bytes = 0;
    struct stat facts{};
    ::stat(work_.c_str(), &facts);
    ::chmod(work_.c_str(), 0700);
    for (auto at = fs::recursive_directory_iterator(work_); at != fs::end(at); ++at) {
      ::lstat(at->path().c_str(), &facts);
      if (S_ISDIR(facts.st_mode)) ::chmod(at->path().c_str(), 0700);  // to look into it
      check_entry(at->path(), facts);
      if (S_ISREG(facts.st_mode)) bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
      ++entries;
    }
    constexpr std::size_t kPathDepth = 64;  // each entry may add the folders of its path
    require(entries <= kLimits.extracted_entries * kPathDepth, "no more entries than the limit");
    constexpr std::uint64_t kBlock = 4096;
    require(bytes <= kLimits.extracted_bytes + entries * kBlock, "no more bytes than the limit",
            std::to_string(bytes));
  }

  void check_entry(const fs::path& entry, const struct stat& facts) const {
    require(S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode) || S_ISLNK(facts.st_mode),
            "files, folders and links only", entry.string());
    require(S_ISDIR(facts.st_mode) || (facts.st_mode & 06000U) == 0, "no setuid bits",
            entry.string());
    if (!S_ISLNK(facts.st_mode)) return;
    std::error_code loop;
    const fs::path end = fs::weakly_canonical(entry, loop);
    if (loop) return;
    require((end.string() + "/").starts_with(work_.string() + "/"), "no link leads outside",
            entry.string() + " -> " + fs::read_symlink(entry).string() + " is " + end.string());
  }

  static void empty(const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path());
    ::chmod(folder.c_str(), 0755);
  }

  fs::path top_;
  fs::path work_;
  std::map<fs::path, Facts> before_;
};

void run(std::string_view input) {
  static Ground ground;
  ground.unpack(archive_of(input));
}

const Target kTarget("archive", run);

}  // namespace
}  // namespace docket::fuzz
