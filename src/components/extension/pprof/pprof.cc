// SPDX-License-Identifier: Apache-2.0
//
// The extension `pprof`: a CPU profile of Sonde itself, for `go tool pprof` and whatever else reads
// that form, at the Collector's addresses. What only a Go program has (goroutines, a profiled heap)
// is said not to be there.
#include <fmt/format.h>
#include <malloc.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "components/extension/pprof/profile.h"
#include "net/compression/compression.h"
#include "pipeline/component.h"
#include "pipeline/side_server.h"
#include "pipeline/side_task.h"

namespace sonde::pprof {
namespace {

constexpr int64_t kMostSeconds = 300;
constexpr size_t kMaxWords = 1 << 20;  // 8 MiB: five minutes of one busy core at common depths.

struct Dialer {
  Duration timeout{};
};
struct Config {
  std::string endpoint = "localhost:1777";
  Dialer dialer;
  int64_t block_profile_fraction = 0;
  int64_t mutex_profile_fraction = 0;
  std::string save_to_file;

  Result<> validate() const {
    if (endpoint.empty())
      return fail(ErrorKind::Invalid,
                  "\"endpoint\" is required when using the \"pprof\" extension");
    if (!save_to_file.empty())
      return fail(ErrorKind::Invalid,
                  "save_to_file: not supported; get /debug/pprof/profile?seconds=30");
    return {};
  }
};

constexpr auto kDialerFields = config::fields<Dialer>(
    config::field("timeout", &Dialer::timeout, "No effect on a server.", {.min = 0}));
constexpr auto kFields = config::fields<Config>(
    config::field("endpoint", &Config::endpoint, "Where to listen: host:port, or unix:PATH."),
    config::field("dialer", &Config::dialer, kDialerFields, "No effect on a server."),
    config::field("block_profile_fraction", &Config::block_profile_fraction,
                  "No effect: there is no such profile."),
    config::field("mutex_profile_fraction", &Config::mutex_profile_fraction,
                  "No effect: there is no such profile."),
    config::field("save_to_file", &Config::save_to_file, "Refused."));

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

net::Response text(int status, std::string body) {
  return {status,
          "text/plain; charset=utf-8",
          std::move(body),
          {{"X-Content-Type-Options", "nosniff"}}};
}

constexpr std::string_view kIndex =
    "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>/debug/pprof/</title></head><body>"
    "<h1>/debug/pprof/</h1><p>Profiles of this Sonde.</p><ul>"
    "<li><a href=\"profile?seconds=30\">profile</a>: where CPU time goes, over so many seconds, "
    "for "
    "<code>go tool pprof</code></li>"
    "<li><a href=\"cmdline\">cmdline</a>: the command line</li>"
    "<li><a href=\"heap?debug=1\">heap?debug=1</a>: what the allocator holds</li>"
    "<li><a href=\"threadcreate?debug=1\">threadcreate?debug=1</a>: the threads and their CPU time"
    "</li></ul><p>Goroutine, allocs, block and mutex profiles and execution traces are Go's and "
    "not "
    "to be had here.</p></body></html>\n";

// The allocator's own figures; there is no profile by call site.
std::string heap_text() {
  const auto m = mallinfo2();
  return fmt::format(
      "# glibc malloc, in bytes\nin_use: {}\nfree_in_arenas: {}\narenas: {}\nmapped: {}\n"
      "releasable_at_top: {}\n",
      m.uordblks + m.hblkhd, m.fordblks, m.arena, m.hblkhd, m.keepcost);
}

std::string threads_text() {
  std::string out = "# thread, name, CPU time in user and system ticks\n";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string stat = read_file(entry.path() / "stat");
    const size_t open = stat.find('('), close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos) continue;  // It has just ended.
    std::istringstream rest(stat.substr(close + 1));
    std::vector<std::string> fields;
    for (std::string word; rest >> word;) fields.push_back(word);
    if (fields.size() < 13) continue;
    out += fmt::format("{} {} {} {}\n", entry.path().filename().string(),
                       stat.substr(open + 1, close - open - 1), fields[11], fields[12]);
  }
  return out;
}

class Pprof final : public pipeline::Component {
 public:
  Pprof(Config config, std::string_view, pipeline::Outputs) : config_(std::move(config)) {}
  ~Pprof() override { stop(); }

  Result<> start(pipeline::Host& host) override {
    host_ = &host;
    server_ =
        TRY(pipeline::serve_beside(host, {.endpoint = config_.endpoint},
                                   [this](const net::Request& request, net::Responder responder) {
                                     answer(request, std::move(responder));
                                   }));
    return {};
  }

  void stop() override {
    server_.reset();
    if (timer_ != 0) host_->scheduler().cancel(std::exchange(timer_, 0));
    sampler_.reset();
  }
  // Whoever writes a profile needs seconds for it, in which the loop serves others.
  bool drained() const override { return !worker_.running(); }

 private:
  void answer(const net::Request& request, net::Responder responder) {
    constexpr std::string_view kRoot = "/debug/pprof/";
    if (!request.path.starts_with(kRoot)) return responder.respond(pipeline::no_such_page());
    const std::string_view name = std::string_view(request.path).substr(kRoot.size());
    const bool readable = request.query_param("debug").value_or("0") != "0";
    if (name.empty()) {
      return responder.respond({200, "text/html; charset=utf-8", std::string(kIndex), {}});
    }
    if (name == "profile") return profile(request, std::move(responder));
    if (name == "cmdline") {
      std::string line = read_file("/proc/self/cmdline");
      if (line.ends_with('\0')) line.pop_back();
      return responder.respond(text(200, std::move(line)));
    }
    if (name == "symbol") return responder.respond(text(200, "num_symbols: 0\n"));
    if (name == "heap" && readable) return responder.respond(text(200, heap_text()));
    if (name == "threadcreate" && readable) return responder.respond(text(200, threads_text()));
    if (name == "heap" || name == "threadcreate") {
      return responder.respond(text(501, fmt::format("There is no profile {0}: Sonde is not a Go "
                                                     "program. See {0}?debug=1 for figures.\n",
                                                     name)));
    }
    for (const std::string_view go : {"allocs", "block", "goroutine", "mutex", "trace"}) {
      if (name != go) continue;
      return responder.respond(
          text(501, fmt::format("There is no profile {}: Sonde is not a Go program.\n", name)));
    }
    responder.respond(text(404, "Unknown profile\n"));
  }

  void profile(const net::Request& request, net::Responder responder) {
    const std::string given = request.query_param("seconds").value_or("30");
    int64_t seconds = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), seconds);
    if (error != std::errc() || end != given.data() + given.size() || seconds < 1 ||
        seconds > kMostSeconds) {
      return responder.respond(text(
          400, fmt::format("seconds: a whole number from 1 to {} is wanted.\n", kMostSeconds)));
    }
    auto sampler = busy_ ? fail(ErrorKind::Exhausted, "a CPU profile is being taken already")
                         : Sampler::start(kMaxWords);
    if (!sampler) {
      return responder.respond(
          text(500, "Could not enable CPU profiling: " + sampler.error().message + "\n"));
    }
    busy_ = true;
    sampler_ = std::move(*sampler);
    started_ns_ = host_->clock().unix_ns();
    timer_ = host_->scheduler().after(
        std::chrono::seconds(seconds),
        [this, took = Duration(std::chrono::seconds(seconds)),
         responder = std::make_shared<net::Responder>(std::move(responder))]() mutable {
          timer_ = 0;
          finish(took, std::move(responder));
        });
  }

  // Symbols are read from files, which takes a while: not on the loop.
  void finish(Duration took, std::shared_ptr<net::Responder> responder) {
    auto samples = std::make_shared<Samples>(sampler_->stop());
    sampler_.reset();
    worker_.start([this, took, samples, responder = std::move(responder), started = started_ns_] {
      const auto mappings = parse_maps(read_file("/proc/self/maps"));
      const Bytes plain = Bytes::take(encode_profile(
          *samples, mappings, [](const std::string& file) { return SymbolTable::read(file); },
          started, took));
      auto packed = net::compress(net::Encoding::Gzip, std::span(&plain, 1));
      responder->respond(
          packed ? net::Response{200,
                                 "application/octet-stream",
                                 std::string(packed->view()),
                                 {{"Content-Disposition", "attachment; filename=\"profile\""}}}
                 : text(500, packed.error().message + "\n"));
      busy_ = false;
    });
  }

  const Config config_;
  pipeline::Host* host_ = nullptr;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<Sampler> sampler_;
  std::atomic<bool> busy_ = false;
  int64_t started_ns_ = 0;
  TimerId timer_ = 0;
  pipeline::SideTask worker_;
};

}  // namespace
}  // namespace sonde::pprof

SONDE_COMPONENT(extension, pprof) {
  using namespace sonde;
  return pipeline::make_type<pprof::Pprof, pprof::Config>(
      {.kind = pipeline::Kind::Extension,
       .name = "pprof",
       .summary = "Serves CPU profiles of Sonde itself.",
       .stability = "alpha"},
      pprof::kFields.table());
}
