// SPDX-License-Identifier: Apache-2.0
#include "app/http_provider.h"

#include "net/http_client.h"
#include "net/loop.h"

namespace sonde::app {

config::Provider http_provider() {
  return [](std::string_view rest) -> Result<config::Retrieved> {
    const std::string url = "http:" + std::string(rest);
    if (!rest.starts_with("//") || rest.size() < 3) {
      return fail(ErrorKind::Invalid, url + " is not http://host:port/path");
    }
    const size_t slash = std::min(rest.find('/', 2), rest.size());
    std::string path(rest.substr(slash));
    if (path.empty()) path = "/";
    net::Loop loop;
    Result<net::HttpResponse> answer = fail(ErrorKind::Unavailable, "it took too long");
    {
      net::HttpClient client(loop, {.base_url = "http:" + std::string(rest.substr(0, slash)),
                                    .max_response = config::kMaxRetrievedBytes});
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
