// SPDX-License-Identifier: Apache-2.0
// Any text as a URL and as a query of each database: what stays of it is never more than a few
// bytes for each that came, and what stays of JSON is JSON of which the same stays.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "components/processor/redaction/json_values.h"
#include "components/processor/redaction/redis_arguments.h"
#include "components/processor/redaction/sql_values.h"
#include "components/processor/redaction/url_words.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sonde::redaction;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CHECK(cluster_url(text).size() <= size + 1, "a URL grew");
  CHECK(hide_redis_values(text).size() <= 2 * size, "a command grew");
  for (const SqlDialect dialect : {SqlDialect::Common, SqlDialect::MySql}) {
    CHECK(hide_sql_values(text, dialect).size() <= size, "a statement grew");
  }
  if (const auto json = hide_json_values(text)) {
    CHECK(json->size() <= 3 * size, "a query grew");
    const auto again = hide_json_values(*json);
    CHECK(again && *again == *json, "hidden values are not hidden for good");
  }
  return 0;
}
