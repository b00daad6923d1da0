// Ten thousand operations: what is opened is closed, what is allocated is freed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/client.h"
#include "support/fakes.h"
#include "support/peak_memory.h"
#include "support/strict_registry.h"

namespace crategate::registry {
namespace {

using test::RegistryFault;
using test::RequestKind;

constexpr int kOperations = 10000;
constexpr std::size_t kGrowth = 8U << 20U;  ///< of the process, noise of the allocator included

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

struct World {
  World()
      : strict([this] {
          test::StrictRegistry::Options options;
          options.auth = test::RegistryAuth::token;
          options.clock = &clock;
          return options;
        }()),
        client(
            http, clock,
            [](const std::string&) -> Result<std::optional<Credentials>> {
              return Credentials{test::kWriter, Secret(test::kWriterPassword)};
            },
            RegistryOptions{}) {
    blob = strict.add_blob("a/b", bytes);
    strict.add_manifest("a/b", "v1", manifest("v1"), std::string(oci::kOciManifest));
  }

  std::string manifest(const std::string& mark) const {
    return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciManifest, R"(","config":{"mediaType":")",
                  oci::kOciConfig, R"(","digest":")", blob, R"(","size":)", bytes.size(),
                  R"(},"layers":[],"annotations":{"mark":")", mark, "\"}}");
  }
  oci::Reference tag(const std::string& name) const { return {repository(), name, std::nullopt}; }
  oci::Repository repository() const { return {strict.host(), "a/b"}; }

  bool read_whole() {
    const oci::Descriptor described{"a/b", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
    const auto ignore = [](std::string_view) { return Result<void>{}; };
    return client.read_blob(repository(), described, ignore).value_or(false);
  }
  bool upload(int number) {
    const std::string content = concat("upload ", number % 10);
    const oci::Descriptor described{"a/b", oci::Digest::of(content), content.size(), {}, std::nullopt};
    const BlobSource source{.open = [&content](std::uint64_t) -> Result<net::BodySource> {
      return [left = content]() mutable -> Result<std::string> { return std::exchange(left, {}); };
    }};
    return client.put_blob({strict.host(), "c/d"}, described, source).has_value();
  }
  /// One of eight; every fiftieth meets a cut connection.
  bool operate(int number) {
    if (number % 50 == 0) strict.inject(RequestKind::manifest_get, {.kind = RegistryFault::Kind::reset_after});
    switch (number % 8) {
      case 0:
        return client.manifest(tag("v1")).has_value();
      case 1:
        return client.digest(tag("v1")).has_value();
      case 2:
        return client.has_blob(repository(), oci::Digest::of(bytes)).has_value();
      case 3:
        return read_whole();
      case 4:
        return upload(number);
      case 5:
        return client.put_manifest(tag(concat("t", number % 10)), manifest("v2"), oci::kOciManifest).has_value();
      case 6:
        return client.tags(repository()).has_value();
      default:
        return !client.manifest(tag("absent")).value_or(StoredManifest{{"", oci::Digest::of(""), 0, {}, {}}, ""});
    }
  }

  test::FakeClock clock;
  std::string bytes = std::string(10000, 'e'), blob;
  test::StrictRegistry strict;
  net::PosixHttpClient http;
  HttpRegistry client;
};

TEST(RegistryEndurance, NeitherDescriptorsNorMemoryGrow) {
  World world;
  std::size_t descriptors = 0, memory = 0;
  int requests = 0;
  for (int i = 0; i < kOperations; ++i) {
    ASSERT_TRUE(world.operate(i)) << i;
    if (i % 500 == 499) {
      requests += world.strict.requests();
      world.strict.clear_log();
    }
    if (i != kOperations / 5) continue;
    descriptors = open_descriptors();
    memory = resident_bytes();
  }
  EXPECT_GT(requests, kOperations);
  EXPECT_LE(world.strict.connections(), kOperations / 50 + 10) << "warm connections are used again";
  EXPECT_LE(open_descriptors(), descriptors + 2);
  if (test::kMemoryIsMeasured) {
    EXPECT_LE(resident_bytes(), memory + kGrowth);
  }
}

}  // namespace
}  // namespace crategate::registry
