#include "exec/runner/artifact_download.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "exec/runner/owned_fd.h"

namespace docket::runner {
namespace {

struct CurlFree {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
  void operator()(char* text) const { ::curl_free(text); }
};

struct Transfer {
  int to_fd = -1;
  std::uint64_t left = 0;
  bool too_large = false;
  int write_error = 0;
  Validators validators;
};

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t bytes = size * count;
  if (bytes > transfer.left) {
    transfer.too_large = true;
    return 0;
  }
  transfer.left -= bytes;
  if (write_all(transfer.to_fd, data, bytes)) return bytes;
  transfer.write_error = errno;
  return 0;
}

std::string_view header_value(std::string_view line, std::string_view name) {
  const bool same = line.size() > name.size() && line[name.size()] == ':' &&
                    std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
                      return a == std::tolower(static_cast<unsigned char>(b));
                    });
  if (!same) return {};
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front())))
    line.remove_prefix(1);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())))
    line.remove_suffix(1);
  return line;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) transfer.validators = {};  // of the last answer after redirects
  if (const auto value = header_value(line, "etag"); !value.empty())
    transfer.validators.etag = value;
  if (const auto value = header_value(line, "last-modified"); !value.empty()) {
    transfer.validators.last_modified = value;
  }
  return line.size();
}

void set_limits(CURL* curl, const FetchLimits& limits) {
  ::curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  ::curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  ::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
  ::curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(limits.seconds));
  ::curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  ::curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stalled_seconds));
  ::curl_easy_setopt(curl, CURLOPT_USERAGENT, "docket");
}

std::unique_ptr<curl_slist, CurlFree> conditions(const Validators& known) {
  curl_slist* list = nullptr;
  if (!known.etag.empty()) {
    list = ::curl_slist_append(list, ("If-None-Match: " + known.etag).c_str());
  }
  if (!known.last_modified.empty()) {
    list = ::curl_slist_append(list, ("If-Modified-Since: " + known.last_modified).c_str());
  }
  return std::unique_ptr<curl_slist, CurlFree>(list);
}

tl::unexpected<Error> explain(CURLcode code, long status, const char* detail,
                              const Transfer& transfer, const FetchLimits& limits) {
  if (transfer.too_large) {
    return fail(ErrorKind::kExhausted,
                fmt::format("it is larger than the limit of {} bytes", limits.download_bytes));
  }
  if (transfer.write_error != 0) return fail_errno("cannot write", transfer.write_error);
  if (status >= 400)
    return fail(ErrorKind::kUnavailable, fmt::format("the server answered {}", status));
  return fail(ErrorKind::kUnavailable, *detail != '\0' ? detail : ::curl_easy_strerror(code));
}

}  // namespace

std::optional<std::string> local_path(const std::string& uri) {
  if (uri.starts_with('/')) return uri;
  std::string_view rest = uri;
  for (const std::string_view prefix : {"file://localhost/", "file:///"}) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size() - 1);
    int size = 0;
    const std::unique_ptr<char, CurlFree> plain(
        ::curl_easy_unescape(nullptr, rest.data(), static_cast<int>(rest.size()), &size));
    return std::string(plain.get(), static_cast<std::size_t>(size));
  }
  return std::nullopt;
}

Result<std::string> artifact_name(const std::string& uri) {
  const auto local = local_path(uri);
  std::string path = local ? *local : uri.substr(0, uri.find_first_of("?#"));
  if (!local) {
    const std::size_t scheme = path.find("://");
    const std::size_t slash = scheme == std::string::npos ? scheme : path.find('/', scheme + 3);
    path = slash == std::string::npos ? std::string() : path.substr(slash);
  }
  if (uri.find('\0') != std::string::npos || path.find('\0') != std::string::npos) {
    return fail(ErrorKind::kInvalid, "it has a NUL, which no file name can have");
  }
  const std::string name = path.substr(path.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") {
    return fail(ErrorKind::kInvalid, "it does not end in a file name");
  }
  return name;
}

std::string shown_uri(const std::string& uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return uri;
  const std::size_t begin = scheme + 3;
  const std::size_t end = std::min(uri.find('/', begin), uri.size());
  const std::size_t at = uri.rfind('@', end);
  return at == std::string::npos || at < begin ? uri : uri.substr(0, begin) + uri.substr(at + 1);
}

Result<> copy_open_file(int from_fd, int to_fd, std::uint64_t limit) {
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t n = ::read(from_fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read", errno);
    if (n == 0) return {};
    const auto bytes = static_cast<std::size_t>(n);
    if (bytes > limit) return fail(ErrorKind::kExhausted, "it is larger than the limit");
    limit -= bytes;
    if (!write_all(to_fd, buffer.data(), bytes)) return fail_errno("cannot write", errno);
  }
}

Result<> copy_file(const std::string& path, int to_fd, const FetchLimits& limits) {
  const OwnedFd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!from) return fail(ErrorKind::kNotFound, errno_text(errno));
  struct stat info{};
  if (::fstat(from.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(ErrorKind::kInvalid, "it is not a regular file");
  }
  return copy_open_file(from.get(), to_fd, limits.download_bytes);
}

Result<Download> download(const std::string& uri, int to_fd, const Validators& known,
                          const FetchLimits& limits) {
  const std::unique_ptr<CURL, CurlFree> curl(::curl_easy_init());
  if (!curl) return fail(ErrorKind::kInternal, "libcurl does not start");
  Transfer transfer{.to_fd = to_fd, .left = limits.download_bytes};
  std::array<char, CURL_ERROR_SIZE> detail{};
  const auto headers = conditions(known);
  set_limits(curl.get(), limits);
  ::curl_easy_setopt(curl.get(), CURLOPT_URL, uri.c_str());
  ::curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  ::curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail.data());
  ::curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, on_body);
  ::curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
  ::curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, on_header);
  ::curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &transfer);
  const CURLcode code = ::curl_easy_perform(curl.get());
  long status = 0;
  ::curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) return explain(code, status, detail.data(), transfer, limits);
  return Download{status == 304 ? Freshness::kUnchanged : Freshness::kNew, transfer.validators};
}

}  // namespace docket::runner
