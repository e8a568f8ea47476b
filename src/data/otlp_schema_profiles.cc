// SPDX-License-Identifier: Apache-2.0
// Profiles (opentelemetry/proto/profiles/v1development/profiles.proto): what samples, stacks and
// attributes are called lies in one dictionary of the request, to which all else points by places.
#include "data/otlp_fields.h"
#include "data/otlp_schema_parts.h"

namespace sonde::otlp {
namespace {

using K = Kind;
using R = Rule;

// An int32 that is a place in a table of the dictionary.
constexpr K kPlace = K::Enum;

constexpr FieldInfo kValueTypeFields[] = {
    {value_type::kType, "typeStrindex", kPlace},
    {value_type::kUnit, "unitStrindex", kPlace},
};
constexpr Message kValueType{"ValueType", kValueTypeFields};

constexpr FieldInfo kSampleFields[] = {
    {sample::kStack, "stackIndex", kPlace},
    {sample::kAttributes, "attributeIndices", kPlace, R::Repeated},
    {sample::kLink, "linkIndex", kPlace},
    {sample::kValues, "values", K::Int64, R::Repeated},
    {sample::kTimestamps, "timestampsUnixNano", K::Fixed64, R::Repeated},
};
constexpr Message kSample{"Sample", kSampleFields};

constexpr FieldInfo kProfileFields[] = {
    {profile::kSampleType, "sampleType", K::Message, R::Plain, &kValueType},
    {profile::kSamples, "samples", K::Message, R::Repeated, &kSample},
    {profile::kTime, "timeUnixNano", K::Fixed64},
    {profile::kDuration, "durationNano", K::Uint64},
    {profile::kPeriodType, "periodType", K::Message, R::Plain, &kValueType},
    {profile::kPeriod, "period", K::Int64},
    {profile::kProfileId, "profileId", K::TraceId},  // As long, and as hexadecimal in JSON.
    {profile::kDroppedAttributes, "droppedAttributesCount", K::Uint32},
    {profile::kPayloadFormat, "originalPayloadFormat", K::String},
    {profile::kPayload, "originalPayload", K::Base64},
    {profile::kAttributes, "attributeIndices", kPlace, R::Repeated},
};
constexpr Message kProfile{"Profile", kProfileFields};

constexpr FieldInfo kScopeProfilesFields[] = {
    {scope_group::kScope, "scope", K::Message, R::Plain, &kScope},
    {scope_group::kRecords, "profiles", K::Message, R::Repeated, &kProfile},
    {scope_group::kSchemaUrl, "schemaUrl", K::String},
};
constexpr Message kScopeProfiles{"ScopeProfiles", kScopeProfilesFields};

constexpr FieldInfo kResourceProfilesFields[] = {
    {group::kResource, "resource", K::Message, R::Plain, &kResource},
    {group::kScopes, "scopeProfiles", K::Message, R::Repeated, &kScopeProfiles},
    {group::kSchemaUrl, "schemaUrl", K::String},
};
constexpr Message kResourceProfiles{"ResourceProfiles", kResourceProfilesFields};

constexpr FieldInfo kMappingFields[] = {
    {mapping::kStart, "memoryStart", K::Uint64},
    {mapping::kLimit, "memoryLimit", K::Uint64},
    {mapping::kOffset, "fileOffset", K::Uint64},
    {mapping::kFilename, "filenameStrindex", kPlace},
    {mapping::kAttributes, "attributeIndices", kPlace, R::Repeated},
};
constexpr Message kMapping{"Mapping", kMappingFields};

constexpr FieldInfo kLineFields[] = {
    {line::kFunction, "functionIndex", kPlace},
    {line::kLine, "line", K::Int64},
    {line::kColumn, "column", K::Int64},
};
constexpr Message kLine{"Line", kLineFields};

constexpr FieldInfo kLocationFields[] = {
    {location::kMapping, "mappingIndex", kPlace},
    {location::kAddress, "address", K::Uint64},
    {location::kLines, "lines", K::Message, R::Repeated, &kLine},
    {location::kAttributes, "attributeIndices", kPlace, R::Repeated},
};
constexpr Message kLocation{"Location", kLocationFields};

constexpr FieldInfo kFunctionFields[] = {
    {function::kName, "nameStrindex", kPlace},
    {function::kSystemName, "systemNameStrindex", kPlace},
    {function::kFilename, "filenameStrindex", kPlace},
    {function::kStartLine, "startLine", K::Int64},
};
constexpr Message kFunction{"Function", kFunctionFields};

constexpr FieldInfo kLinkFields[] = {
    {link::kTraceId, "traceId", K::TraceId},
    {link::kSpanId, "spanId", K::SpanId},
};
constexpr Message kLink{"Link", kLinkFields};

constexpr FieldInfo kKeyValueAndUnitFields[] = {
    {key_value_and_unit::kKey, "keyStrindex", kPlace},
    {key_value_and_unit::kValue, "value", K::Message, R::Plain, &kAnyValue},
    {key_value_and_unit::kUnit, "unitStrindex", kPlace},
};
constexpr Message kKeyValueAndUnit{"KeyValueAndUnit", kKeyValueAndUnitFields};

constexpr FieldInfo kStackFields[] = {
    {stack::kLocations, "locationIndices", kPlace, R::Repeated},
};
constexpr Message kStack{"Stack", kStackFields};

constexpr FieldInfo kDictionaryFields[] = {
    {dictionary::kMappings, "mappingTable", K::Message, R::Repeated, &kMapping},
    {dictionary::kLocations, "locationTable", K::Message, R::Repeated, &kLocation},
    {dictionary::kFunctions, "functionTable", K::Message, R::Repeated, &kFunction},
    {dictionary::kLinks, "linkTable", K::Message, R::Repeated, &kLink},
    {dictionary::kStrings, "stringTable", K::String, R::Repeated},
    {dictionary::kAttributes, "attributeTable", K::Message, R::Repeated, &kKeyValueAndUnit},
    {dictionary::kStacks, "stackTable", K::Message, R::Repeated, &kStack},
};
constexpr Message kDictionary{"ProfilesDictionary", kDictionaryFields};

constexpr FieldInfo kRequestFields[] = {
    {request::kGroups, "resourceProfiles", K::Message, R::Repeated, &kResourceProfiles},
    {request::kDictionary, "dictionary", K::Message, R::Plain, &kDictionary},
};
constexpr FieldInfo kPartialFields[] = {
    {partial_success::kRejected, "rejectedProfiles", K::Int64},
    {partial_success::kMessage, "errorMessage", K::String},
};
constexpr Message kPartial{"ExportProfilesPartialSuccess", kPartialFields};
constexpr FieldInfo kResponseFields[] = {
    {response::kPartialSuccess, "partialSuccess", K::Message, R::Plain, &kPartial}};

}  // namespace

constinit const Message kProfilesRequest{"ExportProfilesServiceRequest", kRequestFields};
constinit const Message kProfilesResponse{"ExportProfilesServiceResponse", kResponseFields};

}  // namespace sonde::otlp
