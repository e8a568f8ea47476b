// SPDX-License-Identifier: Apache-2.0
// The yardstick of the pipeline benchmark: a forwarder of OTLP over gRPC as one writes it with
// grpc++ and libprotobuf, at their best: typed messages on arenas, the callback API, memory that is
// kept. A request is answered when the next hop took it, or, with --batch, when it joined a batch.
// It is frozen: figures of different days compare only while it stays as it is.
// usage: pipeline_reference LISTEN TARGET [--gzip] [--insert] [--batch ITEMS]
#include <google/protobuf/arena.h>
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "logs_service.grpc.pb.h"
#include "metrics_service.grpc.pb.h"
#include "trace_service.grpc.pb.h"

namespace {

namespace otlp = sonde::testing;
using google::protobuf::Arena;

struct Options {
  bool gzip = false;
  bool insert = false;
  int batch = 0;  // items; 0 forwards each request by itself
};

google::protobuf::ArenaOptions arena_options() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 64 * 1024;
  options.max_block_size = 1024 * 1024;
  return options;
}

void insert_attribute(google::protobuf::RepeatedPtrField<otlp::KeyValue>* attributes) {
  for (const otlp::KeyValue& attribute : *attributes) {
    if (attribute.key() == "deployment.environment") return;
  }
  otlp::KeyValue* added = attributes->Add();
  added->set_key("deployment.environment");
  added->mutable_value()->set_string_value("benchmark");
}

struct Traces {
  using Service = opentelemetry::proto::collector::trace::v1::TraceService;
  using Request = otlp::TracesRequest;
  using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
  static auto* resources(Request& request) { return request.mutable_resource_spans(); }
  template <class Visit>
  static void each(Request& request, Visit visit) {
    for (auto& resource : *request.mutable_resource_spans()) {
      for (auto& scope : *resource.mutable_scope_spans()) {
        for (auto& span : *scope.mutable_spans()) visit(span.mutable_attributes());
      }
    }
  }
  static int count(const Request& request) {
    int items = 0;
    for (const auto& resource : request.resource_spans()) {
      for (const auto& scope : resource.scope_spans()) items += scope.spans_size();
    }
    return items;
  }
};

struct Logs {
  using Service = opentelemetry::proto::collector::logs::v1::LogsService;
  using Request = otlp::LogsRequest;
  using Response = opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse;
  static auto* resources(Request& request) { return request.mutable_resource_logs(); }
  template <class Visit>
  static void each(Request& request, Visit visit) {
    for (auto& resource : *request.mutable_resource_logs()) {
      for (auto& scope : *resource.mutable_scope_logs()) {
        for (auto& record : *scope.mutable_log_records()) visit(record.mutable_attributes());
      }
    }
  }
  static int count(const Request& request) {
    int items = 0;
    for (const auto& resource : request.resource_logs()) {
      for (const auto& scope : resource.scope_logs()) items += scope.log_records_size();
    }
    return items;
  }
};

int points(const otlp::Metric& metric) {
  return metric.gauge().data_points_size() + metric.sum().data_points_size() +
         metric.histogram().data_points_size() + metric.exponential_histogram().data_points_size() +
         metric.summary().data_points_size();
}

struct Metrics {
  using Service = opentelemetry::proto::collector::metrics::v1::MetricsService;
  using Request = otlp::MetricsRequest;
  using Response = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse;
  static auto* resources(Request& request) { return request.mutable_resource_metrics(); }
  template <class Points, class Visit>
  static void each_point(Points* points, Visit visit) {
    for (auto& point : *points->mutable_data_points()) visit(point.mutable_attributes());
  }
  template <class Visit>
  static void each(Request& request, Visit visit) {
    for (auto& resource : *request.mutable_resource_metrics()) {
      for (auto& scope : *resource.mutable_scope_metrics()) {
        for (auto& metric : *scope.mutable_metrics()) {
          if (metric.has_gauge()) each_point(metric.mutable_gauge(), visit);
          if (metric.has_sum()) each_point(metric.mutable_sum(), visit);
          if (metric.has_histogram()) each_point(metric.mutable_histogram(), visit);
        }
      }
    }
  }
  static int count(const Request& request) {
    int items = 0;
    for (const auto& resource : request.resource_metrics()) {
      for (const auto& scope : resource.scope_metrics()) {
        for (const auto& metric : scope.metrics()) items += points(metric);
      }
    }
    return items;
  }
};

// A request and its response on one arena. It lives until the call is over and, in a batch, until
// that is sent.
template <class Kind>
class Holder final : public grpc::MessageHolder<typename Kind::Request, typename Kind::Response> {
 public:
  Holder() : arena_(arena_options()) {
    this->set_request(Arena::CreateMessage<typename Kind::Request>(&arena_));
    this->set_response(Arena::CreateMessage<typename Kind::Response>(&arena_));
  }
  void keep() { uses_.fetch_add(1, std::memory_order_relaxed); }
  void Release() override {
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  Arena arena_;
  std::atomic<int> uses_ = 1;
};

template <class Kind>
class Allocator final
    : public grpc::MessageAllocator<typename Kind::Request, typename Kind::Response> {
 public:
  grpc::MessageHolder<typename Kind::Request, typename Kind::Response>* AllocateMessages()
      override {
    return new Holder<Kind>;
  }
};

template <class Kind>
class Forwarder final : public Kind::Service::CallbackService {
 public:
  Forwarder(const std::shared_ptr<grpc::Channel>& channel, Options options)
      : stub_(Kind::Service::NewStub(channel)), options_(options) {
    this->SetMessageAllocatorFor_Export(&allocator_);
  }

  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const typename Kind::Request*,
                                   typename Kind::Response*) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    auto* const holder = static_cast<Holder<Kind>*>(context->GetRpcAllocatorState());
    if (options_.insert) Kind::each(*holder->request(), insert_attribute);
    if (options_.batch > 0) {
      join(holder);
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }
    struct Call {
      grpc::ClientContext context;
      typename Kind::Response response;
    };
    auto* const call = new Call;
    stub_->async()->Export(&call->context, holder->request(), &call->response,
                           [call, reactor](const grpc::Status& status) {
                             reactor->Finish(status);
                             delete call;
                           });
    return reactor;
  }

 private:
  struct Batch {
    Batch() : arena(arena_options()) {
      request = Arena::CreateMessage<typename Kind::Request>(&arena);
    }
    ~Batch() {
      for (Holder<Kind>* part : parts) part->Release();
    }
    Arena arena;
    typename Kind::Request* request;
    std::vector<Holder<Kind>*> parts;
    int items = 0;
    grpc::ClientContext context;
    typename Kind::Response response;
  };

  void join(Holder<Kind>* holder) {
    const int items = Kind::count(*holder->request());
    holder->keep();
    std::unique_ptr<Batch> full;
    {
      const std::lock_guard lock(mutex_);
      if (!batch_) {
        batch_ = std::make_unique<Batch>();
        const uint64_t number = ++number_;
        alarm_ = std::make_unique<grpc::Alarm>();
        alarm_->Set(std::chrono::system_clock::now() + std::chrono::milliseconds(200),
                    [this, number](bool due) {
                      if (due) expire(number);
                    });
      }
      for (auto& resource : *Kind::resources(*holder->request())) {
        Kind::resources(*batch_->request)->UnsafeArenaAddAllocated(&resource);
      }
      batch_->parts.push_back(holder);
      batch_->items += items;
      if (batch_->items >= options_.batch) full = std::move(batch_);
    }
    if (full) send(std::move(full));
  }

  void expire(uint64_t number) {
    std::unique_ptr<Batch> due;
    {
      const std::lock_guard lock(mutex_);
      if (number == number_) due = std::move(batch_);
    }
    if (due) send(std::move(due));
  }

  void send(std::unique_ptr<Batch> batch) {
    Batch* const sent = batch.release();
    stub_->async()->Export(&sent->context, sent->request, &sent->response,
                           [sent](const grpc::Status& status) {
                             if (!status.ok()) {
                               fprintf(stderr, "reference: lost a batch of %d items: %s\n",
                                       sent->items, status.error_message().c_str());
                             }
                             delete sent;
                           });
  }

  Allocator<Kind> allocator_;
  std::unique_ptr<typename Kind::Service::Stub> stub_;
  Options options_;
  std::mutex mutex_;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<grpc::Alarm> alarm_;
  uint64_t number_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 3; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--gzip") options.gzip = true;
    if (flag == "--insert") options.insert = true;
    if (flag == "--batch" && i + 1 < argc) options.batch = atoi(argv[++i]);
  }
  if (argc < 3) {
    fprintf(stderr, "usage: pipeline_reference LISTEN TARGET [--gzip] [--insert] [--batch N]\n");
    return 2;
  }
  // Half a megabyte that goes back to the system after each message would double the cost.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  if (options.gzip) arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  const auto channel =
      grpc::CreateCustomChannel(argv[2], grpc::InsecureChannelCredentials(), arguments);
  Forwarder<Traces> traces(channel, options);
  Forwarder<Logs> logs(channel, options);
  Forwarder<Metrics> metrics(channel, options);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(argv[1], grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&traces);
  builder.RegisterService(&logs);
  builder.RegisterService(&metrics);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  printf("ready\n");
  fflush(stdout);
  server->Wait();
  return 0;
}
