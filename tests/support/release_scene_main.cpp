// release-scene WORKSPACE [LAYERS BYTES]: every cell of the plan in WORKSPACE, as if it had been built and tested:
// its candidate in the plan's registry, its record below .crategate. No engine is needed, and everything that judges
// and publishes it afterwards is real.
#include <charconv>
#include <iostream>
#include <memory>
#include <random>

#include "base/strings.h"
#include "config/settings.h"
#include "registry/client.h"
#include "stages/build.h"
#include "stages/digest.h"
#include "stages/workspace.h"
#include "support/fake_engine.h"
#include "sys/clock.h"

namespace crategate {
namespace {

std::string random_bytes(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(count, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

struct Scene {
  stages::Workspace workspace;
  std::size_t layers = 2, bytes = 100;
  sys::PosixFileSystem files;
  sys::SystemClock clock;
  net::PosixHttpClient http;
  registry::HttpRegistry registry{
      http, clock, [](const std::string&) -> Result<std::optional<registry::Credentials>> { return std::nullopt; }, {}};

  Result<void> make() {
    CG_TRY(const auto text, files.read(workspace.root / "crategate.yml", sys::kTextLimit));
    CG_TRY(const auto loaded, config::load(config::File{"crategate.yml", text.value_or("")}, {}));
    CG_TRY(const auto plan, stages::load_plan(files, workspace, ""));
    for (const auto& cell : plan.cells) CG_CHECK(make_cell(loaded.configuration, plan, cell));
    return {};
  }

  Result<void> make_cell(const config::Configuration& configuration, const pipeline::Plan& plan,
                         const pipeline::Cell& cell) {
    test::TestImage image;
    image.layers.clear();
    for (std::size_t i = 0; i < layers; ++i)
      image.layers.push_back(concat(cell.key, " ", plan.version, " ", i, random_bytes(bytes, i)));
    image.labels = stages::build_request({configuration, plan, cell, workspace, {}, {}}).labels;
    test::FakeEngine engine;
    const std::string id = engine.add(stages::local_image_name(plan, cell), image);
    CG_CHECK(stages::save_built(files, workspace, {plan.plan_id, cell.key, id, 1000}));
    pipeline::TestResult tests;
    tests.plan_id = plan.plan_id;
    tests.cell = cell.key;
    CG_CHECK(stages::write_state(files, workspace, stages::test_result_file(cell.key), pipeline::to_json(tests)));
    CG_CHECK(stages::run_digest({configuration, plan, cell, workspace, "", ""}, {files, clock, engine, &registry}));
    return {};
  }
};

std::size_t number(const char* text) {
  std::size_t value = 0;
  std::from_chars(text, text + std::string_view(text).size(), value);
  return value;
}

}  // namespace
}  // namespace crategate

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::cerr << "usage: release-scene WORKSPACE [LAYERS BYTES]\n";
    return 2;
  }
  const auto scene = std::make_unique<crategate::Scene>();
  scene->workspace.root = std::filesystem::canonical(argv[1]);
  if (argc == 4) {
    scene->layers = crategate::number(argv[2]);
    scene->bytes = crategate::number(argv[3]);
  }
  const auto made = scene->make();
  if (made) return 0;
  std::cerr << "release-scene: " << crategate::describe(made.error()) << "\n";
  return 1;
}
