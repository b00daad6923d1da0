// The sweep: threats A40–A55 and faults B01–B15 on every request of the client. CRATEGATE_SWEEP=whole runs all of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/client.h"
#include "support/fakes.h"
#include "sweep/fault_sweep.h"

namespace crategate::sweep {
namespace {

using registry::HttpRegistry;
using test::RequestKind;
using test::StrictRegistry;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int kAlways = 1000;
constexpr int kMostRequests = 60;
constexpr std::chrono::minutes kLongest{5};

/// Gives up on silence soon.
class HastyClient final : public net::HttpClient {
 public:
  explicit HastyClient(std::chrono::milliseconds patience) : patience_(patience) {}
  Result<net::Response> send(const net::Request& request) override {
    net::Request hasty = request;
    hasty.timeout = patience_;
    return client_.send(hasty);
  }

 private:
  std::chrono::milliseconds patience_;
  net::PosixHttpClient client_;
};

struct Target {
  oci::Repository repository;
  oci::Reference tag(const std::string& name) const { return {repository, name, std::nullopt}; }
};

const std::string kBlob(300000, 'b');  // NOLINT(cert-err58-cpp)
const std::string kNew(200000, 'n');   // NOLINT(cert-err58-cpp)

std::string manifest_of(const std::string& mark) {
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciManifest, R"(","config":{"mediaType":")",
                oci::kOciConfig, R"(","digest":")", oci::Digest::of(kBlob).text(), R"(","size":)", kBlob.size(),
                R"(},"layers":[],"annotations":{"mark":")", mark, "\"}}");
}

oci::Descriptor descriptor_of(const std::string& bytes) {
  return {"application/octet-stream", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
}

registry::BlobSource source_of(const std::string& bytes) {
  return {.open = [&bytes](std::uint64_t offset) -> Result<net::BodySource> {
    return [&bytes, offset]() mutable -> Result<std::string> {
      std::string piece = bytes.substr(std::min<std::size_t>(offset, bytes.size()), 64U << 10U);
      offset += piece.size();
      return piece;
    };
  }};
}

/// Success, or the error.
template <class T>
Result<void> end_of(const Result<T>& result) {
  if (!result) return fail(Error(result.error()));
  return {};
}

Result<void> found(bool there) {
  if (there) return {};
  return fail(ErrorCode::not_found, "answered that it is absent");
}

Result<void> read_blob(HttpRegistry& client, const Target& target) {
  std::string seen;
  CG_TRY(const bool there,
         client.read_blob(target.repository, descriptor_of(kBlob), [&seen](std::string_view piece) -> Result<void> {
           seen += piece;
           return {};
         }));
  if (there && seen != kBlob) return fail(ErrorCode::internal, "other bytes were taken for the blob");
  return found(there);
}

/// The operation that sends requests of that kind.
Result<void> operate(HttpRegistry& client, RequestKind kind, const Target& target) {
  using enum RequestKind;
  switch (kind) {
    case blob_head: {
      CG_TRY(const bool there, client.has_blob(target.repository, oci::Digest::of(kBlob)));
      return found(there);
    }
    case blob_get:
      return read_blob(client, target);
    case upload_start:
    case upload_chunk:
    case upload_status:
    case upload_end:
      return end_of(client.put_blob(target.repository, descriptor_of(kNew), source_of(kNew)));
    case mount: {
      registry::BlobSource source = source_of(kBlob);
      source.mount_from = target.repository;
      return end_of(client.put_blob({target.repository.registry, "c/d"}, descriptor_of(kBlob), source));
    }
    case manifest_head: {
      CG_TRY(const auto digest, client.digest(target.tag("v1")));
      return found(digest && *digest == oci::Digest::of(manifest_of("v1")));
    }
    case manifest_get:
    case token_get: {
      CG_TRY(const auto manifest, client.manifest(target.tag("v1")));
      return found(manifest && manifest->bytes == manifest_of("v1"));
    }
    case manifest_put:
      return end_of(client.put_manifest(target.tag("v2"), manifest_of("v2"), oci::kOciManifest));
    case manifest_delete:
      return end_of(client.remove_manifest(target.tag("v1")));
    case tags: {
      CG_TRY(const auto list, client.tags(target.repository));
      return found(list && *list == std::vector<std::string>{"v1"});
    }
    default:
      return end_of(client.referrers(target.repository, oci::Digest::of(manifest_of("v1"))));
  }
}

using Content = std::map<std::string, test::StrictStore::Repository>;

bool same(const Content& left, const Content& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const auto& a, const auto& b) {
    const auto keys_match = [](const auto& x, const auto& y) { return x.first == y.first; };
    return a.first == b.first && a.second.tags == b.second.tags && a.second.manifests == b.second.manifests &&
           std::equal(a.second.blobs.begin(), a.second.blobs.end(), b.second.blobs.begin(), b.second.blobs.end(),
                      keys_match);
  });
}

/// A registry with one image, and a client with a login for it.
struct Scene {
  explicit Scene(std::chrono::milliseconds silence)
      : strict([this] {
          StrictRegistry::Options options;
          options.auth = test::RegistryAuth::token;
          options.clock = &clock;
          return options;
        }()),
        http(silence),
        client(
            http, clock,
            [](const std::string&) -> Result<std::optional<registry::Credentials>> {
              return registry::Credentials{test::kWriter, Secret(test::kWriterPassword)};
            },
            registry::RegistryOptions{}),
        target{{strict.host(), "a/b"}} {
    strict.add_blob("a/b", kBlob);
    strict.add_manifest("a/b", "v1", manifest_of("v1"), std::string(oci::kOciManifest));
  }
  test::FakeClock clock;
  StrictRegistry strict;
  HastyClient http;
  HttpRegistry client;
  Target target;
};

/// What the registry holds after the operation met no fault.
const Content& complete(RequestKind kind) {
  static std::map<RequestKind, Content> known;
  const auto have = known.find(kind);
  if (have != known.end()) return have->second;
  Scene scene(std::chrono::seconds(20));
  const auto done = operate(scene.client, kind, scene.target);
  if (!done) ADD_FAILURE() << "without a fault: " << describe(done.error());
  return known[kind] = scene.strict.content();
}

struct Outcome {
  Result<void> result;
  int met = 0, requests = 0;
  std::chrono::milliseconds passed{0};
};

Outcome meet(RequestKind kind, const NamedFault& row, bool once) {
  const bool stalls = row.fault.kind == test::RegistryFault::Kind::stall;
  Scene scene(stalls ? std::chrono::milliseconds(300) : std::chrono::milliseconds(20000));
  const Content before = scene.strict.content();
  if (kind == RequestKind::upload_chunk || kind == RequestKind::upload_status) {
    test::RegistryFault cut;
    cut.kind = test::RegistryFault::Kind::cut;
    scene.strict.inject(RequestKind::upload_end, cut);
  }
  scene.strict.inject(kind, row.fault, once ? 1 : kAlways);
  if (once) scene.clock.on_sleep = [&scene] { scene.strict.recover(); };
  const auto before_wall = std::chrono::steady_clock::now();
  Outcome outcome{operate(scene.client, kind, scene.target)};
  const auto wall = std::chrono::steady_clock::now() - before_wall;
  outcome.met = scene.strict.count(kind);
  outcome.requests = scene.strict.requests();
  outcome.passed = scene.clock.passed();
  EXPECT_LT(wall, std::chrono::seconds(60));
  EXPECT_LE(outcome.requests, kMostRequests);
  EXPECT_LE(outcome.passed, kLongest);
  EXPECT_THAT(scene.strict.take_complaints(), IsEmpty());
  if (!outcome.result) {
    const std::string shown = describe(outcome.result.error()) + outcome.result.error().hint;
    EXPECT_THAT(shown, Not(HasSubstr(test::kWriterPassword)));
    EXPECT_THAT(shown, Not(HasSubstr("token-")));
  }
  const Content after = scene.strict.content();
  EXPECT_TRUE(same(after, before) || same(after, complete(kind))) << "half of it was done";
  return outcome;
}

bool is_whole() {
  const char* const sweep = std::getenv("CRATEGATE_SWEEP");
  return sweep != nullptr && std::string_view(sweep) == "whole";
}

std::string shown(const Outcome& outcome) {
  return concat(outcome.result ? std::string_view("success") : name(outcome.result.error().code), " (",
                outcome.requests, " requests, ", outcome.passed.count(), " ms)");
}

/// How often what met a request or a fault ended how.
std::map<std::string, std::map<std::string, int>>& tally() {
  static std::map<std::string, std::map<std::string, int>> counts;
  return counts;
}

void expect_end(RequestKind kind, const NamedFault& row, bool once) {
  const Outcome outcome = meet(kind, row, once);
  const End expected = expected_end(kind, row.name, once);
  EXPECT_GT(outcome.met, 0) << "no request met the fault";
  if (outcome.result) {
    EXPECT_TRUE(expected.success) << shown(outcome);
  } else {
    EXPECT_THAT(expected.errors, testing::Contains(outcome.result.error().code)) << describe(outcome.result.error());
  }
  for (const std::string& group : {std::string(test::name(kind)), row.name})
    ++tally()[group][outcome.result ? std::string("success") : std::string(name(outcome.result.error().code))];
  if (is_whole())
    std::cout << concat(test::name(kind), " ", row.name, once ? " once: " : " always: ", shown(outcome)) << std::endl;
}

/// Prints what was counted: by request, then by fault.
class PrintsTally final : public testing::Environment {
 public:
  void TearDown() override {
    if (!is_whole()) return;
    for (const RequestKind kind : all_kinds()) print(std::string(test::name(kind)));
    for (const NamedFault& each : all_faults()) print(each.name);
  }

 private:
  static void print(const std::string& group) {
    std::string line = concat("sweep: ", group, ":");
    for (const auto& [end, count] : tally()[group]) line += concat(" ", count, " ", end);
    std::cout << line << std::endl;
  }
};

const testing::Environment* const kPrintsTally = testing::AddGlobalTestEnvironment(new PrintsTally);

class FaultSweep : public testing::TestWithParam<RequestKind> {};

TEST_P(FaultSweep, EndsAsItsTableSays) {
  const std::vector<NamedFault> faults = all_faults();
  const auto shift = static_cast<std::size_t>(GetParam());
  for (std::size_t i = 0; i < faults.size(); ++i) {
    for (const bool once : {true, false}) {
      // The sample: each fault and each request, a fifth of their pairs.
      if (!is_whole() && (i + shift + (once ? 0 : 2)) % 5 != 0) continue;
      SCOPED_TRACE(concat(faults[i].name, once ? " once" : " always"));
      expect_end(GetParam(), faults[i], once);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Requests, FaultSweep, testing::ValuesIn(all_kinds()),
                         [](const auto& each) { return std::string(test::name(each.param)); });

}  // namespace
}  // namespace crategate::sweep
