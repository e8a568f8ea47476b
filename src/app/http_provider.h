// SPDX-License-Identifier: Apache-2.0
// `${http://host/path}`, `--config https://host/path`: one GET, of ten seconds and 16 MiB at most,
// on a loop of its own, so that it works before the engine has one. An answer that is not 200 is an
// error. https believes the system's authorities, as the Collector's source does; OpenSSL's
// SSL_CERT_FILE and SSL_CERT_DIR name others.
#pragma once

#include "config/providers.h"

namespace sonde::app {

// `scheme` is "http" or "https".
config::Provider http_provider(std::string_view scheme = "http");

}  // namespace sonde::app
