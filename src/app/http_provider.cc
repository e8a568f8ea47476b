// SPDX-License-Identifier: Apache-2.0
#include "app/http_provider.h"

#include <algorithm>

#include "net/http/http_client.h"
#include "net/http/http_types.h"
#include "net/loop.h"

namespace sonde::app {
namespace {

constexpr int kMaxRedirects = 10;

// http://user:password@host:port/path?query#fragment, without the fragment.
struct Target {
  std::string scheme;  // with its colon
  std::string authority;
  std::string path;
  std::string authorization;  // the header; empty where there is no user

  std::string base() const { return scheme + "//" + authority; }
};

Result<Target> parse_target(std::string_view url) {
  const auto wrong = [&] {
    // What stands before an @ may be a password.
    return fail(ErrorKind::Invalid,
                std::string(url.substr(url.rfind('@') + 1)) + " is not http://host:port/path");
  };
  Target target;
  url = url.substr(0, url.find('#'));
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos) return wrong();
  target.scheme = url.substr(0, colon + 1);
  std::string_view rest = url.substr(colon + 3);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  target.path = rest.substr(end);
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  rest = rest.substr(0, end);
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    auto authorization = net::basic_authorization(rest.substr(0, at));
    if (!authorization) return wrong();
    target.authorization = std::move(*authorization);
    rest.remove_prefix(at + 1);
  }
  target.authority = rest;
  if (target.authority.empty() || (target.scheme != "http:" && target.scheme != "https:")) {
    return wrong();
  }
  return target;
}

// For messages: no password, neither here nor in a log.
std::string shown(const Target& target) { return target.base() + target.path; }

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where a redirect points: another URL, or a path of the same server (RFC 9110 section 10.2.2).
Result<Target> follow(const Target& from, std::string_view location) {
  if (location.empty()) {
    return fail(ErrorKind::Unavailable, shown(from) + " is elsewhere and does not say where");
  }
  std::string url;
  if (location.find("://") < location.find_first_of("/?")) {
    url = location;
  } else if (location.starts_with("//")) {
    url = from.scheme + std::string(location);
  } else if (location.starts_with('/')) {
    url = from.base() + std::string(location);
  } else {
    const std::string_view path = std::string_view(from.path).substr(0, from.path.find('?'));
    const std::string_view directory = path.substr(0, path.rfind('/') + 1);
    url = from.base() + std::string(directory) + std::string(location);
  }
  Target target = TRY(parse_target(url));
  if (from.scheme == "https:" && target.scheme != "https:") {
    return fail(ErrorKind::Unavailable,
                shown(from) + " points to " + shown(target) + ", which is not encrypted");
  }
  if (target.base() == from.base() && target.authorization.empty()) {
    target.authorization = from.authorization;
  }
  return target;
}

Result<net::HttpResponse> get(const Target& target) {
  net::HttpClientOptions options;
  options.base_url = target.base();
  options.max_response = config::kMaxRetrievedBytes;
  if (target.scheme == "https:") {
    options.tls = TRY(net::make_tls_client({}, net::HttpVersion::Http1));
  }
  const auto host = TRY(net::parse_url(options.base_url));
  options.proxy = TRY(net::proxy_for(host, net::ProxyEnvironment::of_process()));
  net::Headers headers;
  if (!target.authorization.empty()) headers.push_back({"authorization", target.authorization});
  net::Loop loop;
  Result<net::HttpResponse> answer = fail(ErrorKind::Unavailable, "it took too long");
  net::HttpClient client(loop, std::move(options));
  client.request("GET", target.path, std::move(headers), {}, [&](Result<net::HttpResponse> got) {
    answer = std::move(got);
    loop.stop();
  });
  (void)loop.run_for(std::chrono::seconds(11));
  return answer;
}

}  // namespace

config::Provider http_provider(std::string_view scheme) {
  return [start = std::string(scheme) + ":"](std::string_view rest) -> Result<config::Retrieved> {
    if (!rest.starts_with("//") || rest.size() < 3) {
      return fail(ErrorKind::Invalid,
                  start + std::string(rest) + " is not " + start + "//host:port/path");
    }
    Target target = TRY(parse_target(start + std::string(rest)));
    for (int redirects = 0;; ++redirects) {
      auto answer = get(target);
      if (!answer) {
        return fail(answer.error().kind, shown(target) + ": " + answer.error().message);
      }
      if (answer->status == 200) return config::Retrieved{.text = std::move(answer->body)};
      if (!is_redirect(answer->status)) {
        return fail(ErrorKind::Unavailable,
                    shown(target) + " answered " + std::to_string(answer->status) + " and not 200");
      }
      if (redirects == kMaxRedirects) {
        return fail(ErrorKind::Unavailable, shown(target) + ": redirected too often");
      }
      target = TRY(follow(target, answer->header("location")));
    }
  };
}

}  // namespace sonde::app
