// SPDX-License-Identifier: Apache-2.0
// Builds a request anew around resources: attributes of items move to the resource, and what then
// has equal resources, scopes and metrics comes together, in the order in which it was first seen.
// Records that nothing is taken from keep their bytes.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "data/message_edit.h"

namespace sonde::groupbyattrs {

class Regroup {
 public:
  Regroup(Signal signal, const std::vector<std::string>& keys) : signal_(signal), keys_(keys) {}

  // An error (Invalid) where the bytes do not parse.
  Result<> add(std::string_view chunk);
  // Everything that was added.
  Bytes build() const;

  // Spans, records, data points that had one of the keys, and that had none.
  size_t grouped = 0;
  size_t ungrouped = 0;

 private:
  struct Metric {
    std::string header;  // Every field but the data.
    uint32_t data_number = 0;
    std::string data_header;  // Every field but the points.
    std::string points;
  };
  struct Scope {
    std::string scope;
    std::string schema_url;
    std::string records;
    std::deque<Metric> metrics;
    std::map<std::string, Metric*, std::less<>> by_metric;
  };
  struct Group {
    std::string resource;
    std::string schema_url;
    std::deque<Scope> scopes;
    std::map<std::string, Scope*, std::less<>> by_scope;
  };
  // Where the records of one resource of the source go.
  struct Source {
    std::string_view resource;
    std::string_view schema_url;
    std::string_view scope;
    std::string_view scope_schema_url;
    std::map<std::string, Group*, std::less<>> by_values;  // By what was taken from the record.
  };

  Result<> add_scopes(std::string_view group, Source& source);
  Result<> add_record(std::string_view record, Source& source);
  Result<> add_metric(std::string_view metric, Source& source);
  // Takes the keys from the item and says where it belongs. `out` is the item as it stays.
  Result<Scope*> place(std::string_view item, uint32_t attribute_field, Source& source,
                       std::string_view& out);
  Group& group_of(Source& source);
  static Scope& scope_of(Group& group, const Source& source);

  const Signal signal_;
  const std::vector<std::string>& keys_;
  std::deque<Group> groups_;
  std::map<std::string, Group*, std::less<>> by_resource_;
  MessageEdit edit_;
  MessageEdit resource_edit_;
  std::string values_;  // The attributes taken from the item in hand, as fields of a resource.
  std::string item_;
  std::string scratch_;
};

}  // namespace sonde::groupbyattrs
