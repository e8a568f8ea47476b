// SPDX-License-Identifier: Apache-2.0
// Changes a chunk in one pass: rewrite() walks its resources, scopes and items in their order and
// asks an Editor about each, which may change the message through a typed edit, or drop it by
// answering false. Each item is indexed only when asked something, encoded at once, and forgotten,
// so the working set stays in the first cache. What was not touched is copied verbatim, in runs as
// long as possible; a chunk that nothing changed is handed back as it is, without a copy. Use:
//
//   class Redact : public Editor {
//     bool span(SpanEdit& span, Owners& owners) override {
//       span.attributes().set("url.query", "*");
//       return !span.name().starts_with("health");
//     }
//   };
//   Rewritten out = TRY(rewriter.rewrite(Signal::Traces, chunk, redact));
//
// A scope or resource all of whose items were dropped vanishes, as does a metric whose every point
// was dropped. A processor keeps one Rewriter, which keeps its memory. Editors and edits know
// nothing of batches, acknowledgements and configuration: that is the processor's business.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "data/batch.h"
#include "data/log_view.h"
#include "data/message_edit.h"
#include "data/metric_view.h"
#include "data/trace_view.h"

namespace sonde {

// A typed name for the edit of one message. attributes() has get, set, erase, for_each_attribute;
// message() is the same with the fields that have no name here. Copying one copies a reference.
class TypedEdit {
 public:
  explicit TypedEdit(MessageEdit& message) : message_(&message) {}
  MessageEdit& message() { return *message_; }

 protected:
  MessageEdit* message_;
};

class ResourceEdit : public TypedEdit {
 public:
  using TypedEdit::TypedEdit;
  MessageEdit& attributes() { return *message_; }
};

class ScopeEdit : public TypedEdit {
 public:
  using TypedEdit::TypedEdit;
  MessageEdit& attributes() { return *message_; }
  std::string_view name() const { return message_->bytes_field(otlp::scope::kName); }
  std::string_view version() const { return message_->bytes_field(otlp::scope::kVersion); }
  void set_name(std::string_view name) { message_->set_bytes(otlp::scope::kName, name); }
  void set_version(std::string_view text) { message_->set_bytes(otlp::scope::kVersion, text); }
};

class EventEdit : public TypedEdit {
 public:
  using TypedEdit::TypedEdit;
  MessageEdit& attributes() { return *message_; }
  EventView original() const { return EventView::parse(message_->original()); }
  std::string_view name() const { return message_->bytes_field(otlp::event::kName); }
  void set_name(std::string_view name) { message_->set_bytes(otlp::event::kName, name); }
};

class LinkEdit : public TypedEdit {
 public:
  using TypedEdit::TypedEdit;
  MessageEdit& attributes() { return *message_; }
  LinkView original() const { return LinkView::parse(message_->original()); }
};

class SpanEdit : public TypedEdit {
 public:
  using TypedEdit::TypedEdit;
  MessageEdit& attributes() { return *message_; }
  // As it came: the fields that no edit changed. Empty when the bytes do not parse.
  SpanView original() const;
  std::string_view name() const { return message_->bytes_field(otlp::span::kName); }
  void set_name(std::string_view name) { message_->set_bytes(otlp::span::kName, name); }
  void set_trace_state(std::string_view text) {
    message_->set_bytes(otlp::span::kTraceState, text);
  }
  void set_status(StatusCode code, std::string_view message);
  // False drops the event or the link. Both return how many stay.
  size_t for_each_event(FunctionRef<bool(EventEdit&)> visit);
  size_t for_each_link(FunctionRef<bool(LinkEdit&)> visit);
};

class LogEdit : public TypedEdit {
 public:
  using TypedEdit::TypedEdit;
  MessageEdit& attributes() { return *message_; }
  LogView original() const;
  AnyValueView body() const { return AnyValueView(message_->bytes_field(otlp::log::kBody)); }
  void set_body(const AttributeValue& value);
  void set_body_any(std::string_view any_value) {
    message_->set_bytes(otlp::log::kBody, any_value);
  }
  // 1 to 24; 0 takes it away.
  void set_severity(uint32_t number, std::string_view text);
};

class PointEdit : public TypedEdit {
 public:
  PointEdit(MessageEdit& message, MetricView::Kind kind) : TypedEdit(message), kind_(kind) {}
  MessageEdit& attributes() { return *message_; }
  MetricView::Kind kind() const { return kind_; }
  // The filtered attributes of an exemplar are attributes. False drops it; not of a summary.
  size_t for_each_exemplar(FunctionRef<bool(MessageEdit&)> visit);

 private:
  MetricView::Kind kind_;
};

class MetricEdit : public TypedEdit {
 public:
  using TypedEdit::TypedEdit;
  // The metadata of a metric is its attributes; what users mean by attributes are its points'.
  MessageEdit& metadata() { return *message_; }
  MetricView original() const;
  std::string_view name() const { return message_->bytes_field(otlp::metric::kName); }
  std::string_view unit() const { return message_->bytes_field(otlp::metric::kUnit); }
  void set_name(std::string_view name) { message_->set_bytes(otlp::metric::kName, name); }
  void set_unit(std::string_view unit) { message_->set_bytes(otlp::metric::kUnit, unit); }
  void set_description(std::string_view text) {
    message_->set_bytes(otlp::metric::kDescription, text);
  }
  // False drops the point. Returns how many stay; a metric of which none stays vanishes, unless it
  // had none before.
  size_t for_each_point(FunctionRef<bool(PointEdit&)> visit);

  bool dropped_points() const { return dropped_points_; }
  bool emptied() const { return emptied_; }

 private:
  bool dropped_points_ = false;
  bool emptied_ = false;
};

// What an item belongs to. A change made here by an item's visit holds for the whole resource or
// scope, and the items after it see it.
struct Owners {
  ResourceEdit resource;
  ScopeEdit scope;
};

class Editor {
 public:
  // How deep it wants to look: what lies deeper is not walked and copied verbatim.
  enum class Depth : uint8_t { Resources, Scopes, Items };

  virtual ~Editor() = default;
  virtual Depth depth() const { return Depth::Items; }
  // Each answers whether the message stays. A dropped resource or scope takes its items along,
  // and they are not visited.
  virtual bool resource(ResourceEdit&) { return true; }
  virtual bool scope(ScopeEdit&, ResourceEdit&) { return true; }
  virtual bool span(SpanEdit&, Owners&) { return true; }
  virtual bool log(LogEdit&, Owners&) { return true; }
  virtual bool metric(MetricEdit&, Owners&) { return true; }
};

struct Rewritten {
  Bytes chunk;         // Empty when everything was dropped; the same bytes when nothing changed.
  size_t dropped = 0;  // Items: spans, log records, data points.
  bool changed = false;
};

// Keeps its memory from chunk to chunk. Not for several threads at once.
class Rewriter {
 public:
  Rewriter();
  ~Rewriter();
  Rewriter(Rewriter&&) noexcept;
  Rewriter& operator=(Rewriter&&) noexcept;

  // An error (Invalid) when the chunk does not parse as far as it was looked into, or grows past
  // 256 MiB and sixteen times its size, or (Exhausted) when it is 2 GiB or larger; the editor may
  // have seen a part of it by then.
  Result<Rewritten> rewrite(Signal signal, const Bytes& chunk, Editor& editor);

 private:
  class Walk;
  std::unique_ptr<Walk> walk_;
};

}  // namespace sonde
