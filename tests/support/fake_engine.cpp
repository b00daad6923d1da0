// Bodies of the fake engine and builder.
#include "support/fake_engine.h"

#include "base/strings.h"

namespace crategate::test {

std::string FakeEngine::add(const std::string& name, const TestImage& image) {
  const std::string id = containerd_store ? image.manifest_digest().text() : image.config_digest().text();
  ids_[name] = id;
  images_[id] = {id, image.diff_ids(), "linux", image.architecture, ""};
  images_[id].config.env = image.env;
  images_[id].config.labels = image.labels;
  archives_[id] = image.archive();
  return id;
}

void FakeEngine::containers_print(std::string output, std::int64_t exit_code) {
  script_ = [output = std::move(output), exit_code](const auto&, const docker::ContainerRun& run) {
    const std::size_t half = output.size() / 2;
    for (const auto& piece : {output.substr(0, half), output.substr(half)}) {
      if (auto taken = run.on_output(piece); !taken) {
        return Result<docker::ContainerOutcome>(fail(std::move(taken).error()));
      }
    }
    docker::ContainerOutcome outcome;
    outcome.exit_code = exit_code;
    outcome.elapsed = std::chrono::milliseconds(1200);
    return Result<docker::ContainerOutcome>(std::move(outcome));
  };
}

std::string FakeEngine::id_of(const std::string& name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? name : found->second;
}

Result<docker::EngineInfo> FakeEngine::info() { return docker::EngineInfo{"1.45", containerd_store, engine_root}; }

Result<std::optional<docker::EngineImage>> FakeEngine::find_image(const std::string& name) {
  const auto found = images_.find(id_of(name));
  if (found == images_.end()) return std::nullopt;
  return found->second;
}

Result<void> FakeEngine::pull_image(const std::string& name) {
  pulled.push_back(name);
  if (pull_error) return fail(*pull_error);
  add(name, {});
  return {};
}

Result<void> FakeEngine::save_image(const std::string& name, const net::BodySink& sink) {
  saved.push_back(name);
  const auto found = archives_.find(id_of(name));
  if (found == archives_.end()) return fail(ErrorCode::not_found, concat("no such image: ", name));
  constexpr std::size_t kPiece = 1000;
  for (std::size_t at = 0; at < found->second.size(); at += kPiece) {
    if (auto taken = sink(std::string_view(found->second).substr(at, kPiece)); !taken) return taken;
    if (save_error) return fail(*save_error);
  }
  return {};
}

Result<void> FakeEngine::load_image(const net::BodySource& archive, std::uint64_t size) {
  std::string bytes;
  while (true) {
    CG_TRY(const std::string chunk, archive());
    if (chunk.empty()) break;
    bytes += chunk;
  }
  if (bytes.size() != size) return fail(ErrorCode::internal, "an archive of another size");
  loaded.push_back(std::move(bytes));
  return {};
}

Result<void> FakeEngine::remove_image(const std::string& name) {
  ids_.erase(name);
  return {};
}

Result<docker::ContainerOutcome> FakeEngine::run_container(const docker::ContainerSpec& spec,
                                                           const docker::ContainerRun& run) {
  containers.push_back(spec);
  runs.push_back(run);
  if (!script_) return fail(ErrorCode::internal, "the test gave no script for this container");
  auto outcome = script_(spec, run);
  if (outcome && outcome->image_id.empty()) outcome->image_id = id_of(spec.image);
  return outcome;
}

Result<std::vector<sys::Command>> RecordingBuilder::commands(const docker::BuildRequest& request) {
  sys::Command command;
  command.program = "docker";
  command.arguments = docker::build_arguments(request);
  return std::vector<sys::Command>{std::move(command)};
}

Result<docker::BuildOutcome> RecordingBuilder::build(const docker::BuildRequest& request,
                                                     std::chrono::milliseconds timeout,
                                                     const docker::ProgressLine& progress) {
  requests.push_back(request);
  timeouts.push_back(timeout);
  for (const auto& line : lines) progress(line);
  if (on_build) on_build(request);
  return answer;
}

}  // namespace crategate::test
