// SPDX-License-Identifier: Apache-2.0
// Builds a request anew around resources: attributes of items move to the resource, and what then
// has equal resources, scopes and metrics comes together, in the order in which it was first seen.
// Records that nothing is taken from keep their bytes. Until it is built a resource, a scope or the
// head of a metric is a view of the request, however many groups have it: what is held grows as the
// request does, and what is built is known beforehand.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "data/message_edit.h"

namespace sonde::groupbyattrs {

class Regroup {
 public:
  // Takes up to `most` bytes, held and built.
  Regroup(Signal signal, const std::vector<std::string>& keys, size_t most)
      : signal_(signal), keys_(keys), most_(most) {}
  Regroup(const Regroup&) = delete;
  Regroup& operator=(const Regroup&) = delete;

  // The bytes must live until all is built. An error (Invalid) where they do not parse, (Exhausted)
  // where it takes too much. After an error this is of no more use.
  Result<> add(std::string_view chunk);
  // Everything that was added, in chunks of some MiB or one resource.
  std::vector<Bytes> build();

  // Spans, records, data points that had one of the keys, and that had none.
  size_t grouped = 0;
  size_t ungrouped = 0;

 private:
  // A metric without its points.
  struct MetricHead {
    std::string header;  // Every field but the data.
    uint32_t data_number = 0;
    std::string data_header;  // Every field but the points.
    auto operator<=>(const MetricHead&) const = default;
  };
  struct Metric {
    const MetricHead* head;
    std::string points;
    size_t data_size() const { return head->data_header.size() + points.size(); }
    size_t size() const;
  };
  struct ScopeHead {
    std::string_view scope;
    std::string_view schema_url;
    auto operator<=>(const ScopeHead&) const = default;
  };
  struct Scope {
    const ScopeHead* head;
    std::string records;
    std::deque<Metric> metrics;
    std::map<const MetricHead*, Metric*> by_metric;
    size_t size() const;
  };
  struct Group {
    std::string_view resource;
    std::string_view values;  // Attributes that replace those of the resource.
    std::string_view schema_url;
    std::deque<Scope> scopes;
    std::map<const ScopeHead*, Scope*> by_scope;
  };
  // What a resource is besides the keys, whose values stand apart. Equal where the attributes are,
  // in whatever order; their hash alone mostly tells which of two is less.
  struct Base {
    std::string_view resource;
    std::string_view schema_url;
    uint64_t hash = 0;
    const std::vector<std::string>* keys = nullptr;
    bool operator<(const Base& other) const;
  };
  using Identity = std::vector<uint32_t>;  // Of a base and of the values of the keys; 0: none.
  // Where the records of one resource of the source go.
  struct Source {
    std::string_view resource;
    std::string_view schema_url;
    const ScopeHead* scope = nullptr;
    Identity identity;
    std::map<std::string, Group*, std::less<>> by_values;  // By what was taken from the record.
  };

  Result<> add_scopes(std::string_view group, Source& source);
  Result<> add_record(std::string_view record, Source& source);
  Result<> add_metric(std::string_view metric, Source& source);
  // Takes the keys from the item and says where it belongs. `out` is the item as it stays.
  Result<Scope*> place(std::string_view item, uint32_t attribute_field, Source& source,
                       std::string_view& out);
  void identify(Source& source);
  uint32_t id_of_value(std::string_view attribute);
  Group& group_of(Source& source);
  Scope& scope_of(Group& group, const Source& source);
  std::string_view resource_of(const Group& group);

  const Signal signal_;
  const std::vector<std::string>& keys_;
  const size_t most_;
  size_t taken_ = 0;
  std::deque<Source> sources_;
  std::deque<Group> groups_;
  std::map<Base, uint32_t> bases_;
  std::map<std::string_view, uint32_t> value_ids_;  // Attributes as fields of a resource.
  std::deque<std::string> repeated_values_;         // Of keys that a resource has twice.
  std::map<Identity, Group*> by_identity_;
  std::set<ScopeHead> scope_heads_;
  std::set<MetricHead> metric_heads_;
  MessageEdit edit_;
  MessageEdit resource_edit_;
  std::string values_;  // The attributes taken from the item in hand, as fields of a resource.
  std::string item_;
  std::string resource_;
  std::string scratch_;
};

}  // namespace sonde::groupbyattrs
