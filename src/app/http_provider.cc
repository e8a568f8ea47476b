// SPDX-License-Identifier: Apache-2.0
#include "app/http_provider.h"

#include <algorithm>

#include "net/http/http_client.h"
#include "net/loop.h"
#include "net/socket/address.h"

namespace sonde::app {
namespace {

constexpr int kMaxRedirects = 10;

// http[s]://[user[:password]@]host[:port][/path][?query].
struct Target {
  net::Url server;
  std::string base;  // up to the path, with the user
  std::string path;  // with the query

  // For messages: no password, neither here nor in a log.
  std::string shown() const { return net::shown_url(base + path); }
};

Result<Target> parse_target(std::string_view url) {
  const std::string_view whole = url;
  url = url.substr(0, url.find('#'));
  const bool tls = url.starts_with("https://");
  // A redirect to "unix:" would lead to a socket of this host.
  if (!tls && !url.starts_with("http://")) {
    return fail(ErrorKind::Invalid, net::shown_url(url) + " is not http://host:port/path");
  }
  const size_t end = std::min(url.find_first_of("/?", tls ? 8 : 7), url.size());
  Target target;
  target.base = url.substr(0, end);
  target.path = url.substr(end);
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  auto server = net::parse_url(target.base);
  if (!server && whole.find('@', end) != std::string_view::npos) {
    // What was taken for the host may be the beginning of a user and password.
    return fail(ErrorKind::Invalid, net::shown_url(whole) +
                                        " is not http://host:port/path; write /, ?, # and @ of a "
                                        "user and password as %2F, %3F, %23 and %40");
  }
  target.server = TRY(std::move(server));
  return target;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where a redirect points: another URL, or a path of the same server (RFC 9110 section 10.2.2).
Result<Target> follow(const Target& from, std::string_view location) {
  if (location.empty()) {
    return fail(ErrorKind::Unavailable, from.shown() + " is elsewhere and does not say where");
  }
  std::string url;
  if (location.find("://") < location.find_first_of("/?")) {
    url = location;
  } else if (location.starts_with("//")) {
    url = (from.server.tls ? "https:" : "http:") + std::string(location);
  } else if (location.starts_with('/')) {
    url = from.base + std::string(location);
  } else {
    const std::string_view path = std::string_view(from.path).substr(0, from.path.find('?'));
    const std::string_view directory = path.substr(0, path.rfind('/') + 1);
    url = from.base + std::string(directory) + std::string(location);
  }
  Target target = TRY(parse_target(url));
  if (from.server.tls && !target.server.tls) {
    return fail(ErrorKind::Unavailable,
                from.shown() + " points to " + target.shown() + ", which is not encrypted");
  }
  // The user goes along to the same server, and to no other.
  if (target.base == net::shown_url(from.base)) target.base = from.base;
  return target;
}

Result<net::HttpResponse> get(const Target& target) {
  net::HttpClientOptions options;
  options.base_url = target.base;
  options.max_response = config::kMaxRetrievedBytes;
  if (target.server.tls) options.tls = TRY(net::make_tls_client({}, net::HttpVersion::Http1));
  options.proxy = TRY(net::proxy_for(target.server, net::ProxyEnvironment::of_process()));
  net::Loop loop;
  Result<net::HttpResponse> answer = fail(ErrorKind::Unavailable, "it took too long");
  net::HttpClient client(loop, std::move(options));
  client.request("GET", target.path, {}, {}, [&](Result<net::HttpResponse> got) {
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
      return fail(ErrorKind::Invalid, net::shown_url(start + std::string(rest)) + " is not " +
                                          start + "//host:port/path");
    }
    Target target = TRY(parse_target(start + std::string(rest)));
    for (int redirects = 0;; ++redirects) {
      auto answer = get(target);
      if (!answer) {
        return fail(answer.error().kind, target.shown() + ": " + answer.error().message);
      }
      if (answer->status == 200) return config::Retrieved{.text = std::move(answer->body)};
      if (!is_redirect(answer->status)) {
        return fail(ErrorKind::Unavailable, target.shown() + " answered " +
                                                std::to_string(answer->status) + " and not 200");
      }
      if (redirects == kMaxRedirects) {
        return fail(ErrorKind::Unavailable, target.shown() + ": redirected too often");
      }
      target = TRY(follow(target, answer->header("location")));
    }
  };
}

}  // namespace sonde::app
