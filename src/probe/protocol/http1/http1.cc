// SPDX-License-Identifier: Apache-2.0
// HTTP/1.x by the semantic conventions: which method is a label, where a target's path ends, which
// status is an error (of a client from 400 on, of a server from 500 on).
#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "probe/protocol/http1/connection.h"
#include "probe/protocol/protocol.h"

namespace sonde::probe::http1 {
namespace {

constexpr std::string_view kOther = "_OTHER";
constexpr std::array<std::string_view, 10> kMethods = {
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "QUERY"};

// The authority without user and password, which are secrets.
std::string host_of(std::string_view authority) {
  const size_t at = authority.rfind('@');
  return well_formed_utf8(at == std::string_view::npos ? authority : authority.substr(at + 1));
}

// The path of a request target without its query; an absolute target also names the host.
void split_target(std::string_view target, FinishedRequest& out) {
  const size_t scheme = target.find("://");
  if (!target.starts_with('/') && scheme != std::string_view::npos) {
    target.remove_prefix(scheme + 3);
    const size_t end = std::min(target.find_first_of("/?#"), target.size());
    out.host = host_of(target.substr(0, end));
    target.remove_prefix(end);
    if (!target.starts_with('/')) target = "/";
  }
  const std::string_view path = target.substr(0, target.find_first_of("?#"));
  out.target = well_formed_utf8(path, kMaxTarget);
}

class Http1 final : public Protocol {
 public:
  std::string_view name() const override { return "http1"; }
  const Convention& convention() const override { return kHttp; }
  std::string_view system() const override { return "http"; }
  std::unique_ptr<ConnectionParser> make_connection() const override {
    return std::make_unique<Connection>();
  }

  void begin(const RequestHead& head, FinishedRequest& out) const override {
    const bool known =
        std::find(kMethods.begin(), kMethods.end(), head.operation) != kMethods.end();
    out.operation = known ? head.operation : kOther;
    if (!known) out.operation_original = head.operation;
    out.host = host_of(head.host);
    out.target_cut = head.target_cut;
    if (head.operation == "CONNECT") {
      out.host = host_of(cut_utf8(head.target, kMaxTarget));
    } else {
      split_target(head.target, out);
    }
  }

  void finish(FinishedRequest& out) const override {
    if (out.status >= (out.server ? 500 : 400)) out.error_type = std::to_string(out.status);
  }

  Routing routing(const FinishedRequest& request) const override {
    if (!request.server || request.target.empty()) return Routing::None;
    // Only the status says whether the path exists.
    return request.status == 404 ? Routing::Known : Routing::Template;
  }

  std::string span_name(const FinishedRequest& request) const override {
    if (request.operation != kOther) return Protocol::span_name(request);
    return request.route.empty() ? "HTTP" : "HTTP " + request.route;
  }

  void attributes(const FinishedRequest& request, std::vector<Attribute>& out) const override {
    if (!request.target.empty()) out.push_back({"url.path", std::string_view(request.target)});
    out.push_back({"http.request.body.size", static_cast<int64_t>(request.request_bytes)});
    out.push_back({"http.response.body.size", static_cast<int64_t>(request.response_bytes)});
  }
};

}  // namespace

const Protocol& protocol() {
  static const Http1 http1;
  return http1;
}

}  // namespace sonde::probe::http1
