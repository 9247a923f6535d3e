#include <curl/curl.h>

#include <array>
#include <utility>

#include "cli/client/http_client.h"

namespace docket::cli {
namespace {

using EasyHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

// Larger than any answer of a server; keeps a faulty one from filling the memory.
constexpr std::size_t kMaxBody = 256U << 20U;

struct Exchange {
  const HttpRequest& request;
  CURL* curl;
  HttpResponse response = {};
  bool stopped = false;  // by the sink
};

long status_of(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view piece(data, size * count);
  if (exchange.request.stream && status_of(exchange.curl) / 100 == 2) {
    exchange.stopped = !exchange.request.stream(piece);
    return exchange.stopped ? 0 : piece.size();
  }
  if (exchange.response.body.size() + piece.size() > kMaxBody) return 0;
  exchange.response.body.append(piece);
  return piece.size();
}

std::string host_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  char* host = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return {};
  }
  std::string result(host);
  curl_free(host);
  return result;
}

// A proxy from the environment cannot reach this machine's loopback.
bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpTimeouts timeouts) : timeouts_(timeouts) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    const EasyHandle handle(curl_easy_init(), &curl_easy_cleanup);
    if (!handle) return fail(ErrorKind::kInternal, "libcurl did not start");
    std::array<char, CURL_ERROR_SIZE> complaint{};
    curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, complaint.data());
    const HeaderList headers = make_headers(request);
    if (headers) curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
    set_request(handle.get(), request);
    set_limits(handle.get(), request);

    Exchange exchange{request, handle.get()};
    curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &exchange);
    const CURLcode code = curl_easy_perform(handle.get());
    if (code != CURLE_OK && !exchange.stopped) return fail(explain(code, complaint.data()));
    return finish(std::move(exchange));
  }

 private:
  static HeaderList make_headers(const HttpRequest& request) {
    curl_slist* list = nullptr;
    if (!request.token.empty()) {
      list = curl_slist_append(list, ("Authorization: token=" + request.token).c_str());
    }
    if (!request.content_type.empty()) {
      list = curl_slist_append(list, ("Content-Type: " + request.content_type).c_str());
    }
    // Otherwise curl waits a second for a "100 Continue" before bodies over 1 MiB.
    list = curl_slist_append(list, "Expect:");
    return {list, &curl_slist_free_all};
  }

  static void set_request(CURL* curl, const HttpRequest& request) {
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS,
                     1L);  // a job called ".." must not become another path
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "docket");
    if (is_loopback(host_of(request.url))) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (request.method == "GET") return;
    if (request.method != "DELETE" || !request.body.empty()) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  void set_limits(CURL* curl, const HttpRequest& request) const {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeouts_.connect_ms);
    if (!request.stream) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeouts_.answer_ms);
  }

  static ErrorKind kind_of(CURLcode code) {
    switch (code) {
      case CURLE_OPERATION_TIMEDOUT:
        return ErrorKind::kTimeout;
      case CURLE_GOT_NOTHING:
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
        return ErrorKind::kCancelled;
      default:
        return ErrorKind::kUnavailable;
    }
  }

  static Error explain(CURLcode code, const char* complaint) {
    const std::string text = *complaint != '\0' ? complaint : curl_easy_strerror(code);
    return {kind_of(code), text};
  }

  static HttpResponse finish(Exchange exchange) {
    char* type = nullptr;
    curl_easy_getinfo(exchange.curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) exchange.response.content_type = type;
    curl_header* permission = nullptr;
    if (curl_easy_header(exchange.curl, "X-Docket-Permission", 0, CURLH_HEADER, -1, &permission) ==
        CURLHE_OK) {
      exchange.response.permission = permission->value;
    }
    exchange.response.status = static_cast<int>(status_of(exchange.curl));
    return std::move(exchange.response);
  }

  HttpTimeouts timeouts_;
};

}  // namespace

std::unique_ptr<HttpClient> make_curl_client(HttpTimeouts timeouts) {
  return std::make_unique<CurlClient>(timeouts);
}

}  // namespace docket::cli
