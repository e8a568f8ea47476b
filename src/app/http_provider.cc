// SPDX-License-Identifier: Apache-2.0
#include "app/http_provider.h"

#include "net/http_client.h"
#include "net/loop.h"

namespace sonde::app {

config::Provider http_provider(std::string_view scheme) {
  return [start = std::string(scheme) + ":"](std::string_view rest) -> Result<config::Retrieved> {
    const std::string url = start + std::string(rest);
    if (!rest.starts_with("//") || rest.size() < 3) {
      return fail(ErrorKind::Invalid, url + " is not " + start + "//host:port/path");
    }
    const size_t slash = std::min(rest.find_first_of("/?", 2), rest.size());
    std::string path(rest.substr(slash));
    if (!path.starts_with('/')) path.insert(0, "/");
    net::HttpClientOptions options;
    options.base_url = start + std::string(rest.substr(0, slash));
    options.max_response = config::kMaxRetrievedBytes;
    if (start == "https:") options.tls = TRY(net::make_tls_client({}, net::HttpVersion::Http1));
    const auto host = TRY(net::parse_url(options.base_url));
    options.proxy = TRY(net::proxy_for(host, net::ProxyEnvironment::of_process()));
    net::Loop loop;
    Result<net::HttpResponse> answer = fail(ErrorKind::Unavailable, "it took too long");
    {
      net::HttpClient client(loop, std::move(options));
      client.request("GET", path, {}, {}, [&](Result<net::HttpResponse> response) {
        answer = std::move(response);
        loop.stop();
      });
      (void)loop.run_for(std::chrono::seconds(11));
    }
    if (!answer) return fail(answer.error().kind, url + ": " + answer.error().message);
    if (answer->status != 200) {
      return fail(ErrorKind::Unavailable,
                  url + " answered " + std::to_string(answer->status) + " and not 200");
    }
    return config::Retrieved{.text = std::move(answer->body)};
  };
}

}  // namespace sonde::app
