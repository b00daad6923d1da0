// cleanup: settings → checked directories → emptied here, or each in a container of its own.
// Belongs here: where it happens, and what is said of it.  Not here: what may be emptied (pipeline/cleanup).
#include "stages/cleanup.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "json/value.h"
#include "render/markdown.h"
#include "sys/cancel.h"
#include "sys/empty_directory.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kProgram = "/usr/bin/crategate";
constexpr std::string_view kMountPoint = "/host";
constexpr std::string_view kCleanupFile = "cleanup.json";
constexpr std::chrono::milliseconds kTimeout = std::chrono::minutes(10);
constexpr std::size_t kLongestReport = 64u << 10;
// As the engine says it; then nothing was created (docker/container).
constexpr std::string_view kNoSource = "bind source path does not exist";

json::Value value_of(const Cleaned& cleaned) {
  return json::Value::object({{"path", cleaned.path},
                              {"present", cleaned.present},
                              {"free_before", cleaned.free_before},
                              {"free_after", cleaned.free_after},
                              {"removed", cleaned.removed},
                              {"bytes", cleaned.bytes},
                              {"kept", cleaned.kept},
                              {"failures", cleaned.failures},
                              {"first_failure", cleaned.first_failure}});
}

Result<Cleaned> read_report(const std::string& text, const std::string& path) {
  CG_TRY(const auto document, json::Document::parse(text, concat("cleanup of ", path), {}, ErrorCode::engine));
  const auto root = document.root();
  Cleaned cleaned{.path = path, .first_failure = {}};
  CG_TRY(cleaned.present, root.boolean("present"));
  const std::pair<std::string_view, std::uint64_t*> numbers[] = {{"free_before", &cleaned.free_before},
                                                                 {"free_after", &cleaned.free_after},
                                                                 {"removed", &cleaned.removed},
                                                                 {"bytes", &cleaned.bytes},
                                                                 {"kept", &cleaned.kept},
                                                                 {"failures", &cleaned.failures}};
  for (const auto& [key, number] : numbers) {
    CG_TRY(const auto found, root.integer(key));
    if (found < 0) return fail(ErrorCode::engine, concat("cleanup of ", path, ": ", key, " is negative"));
    *number = static_cast<std::uint64_t>(found);
  }
  CG_TRY(cleaned.first_failure, root.string("first_failure"));
  return cleaned;
}

Result<Cleaned> clean_in_container(const std::string& image, const std::string& path, docker::Engine& engine) {
  std::string output;
  const auto outcome =
      engine.run_container(cleanup_container(image, path),
                           {.timeout = kTimeout, .on_output = [&output](std::string_view bytes) -> Result<void> {
                              output += bytes.substr(0, kLongestReport - std::min(kLongestReport, output.size()));
                              return {};
                            }});
  if (!outcome && outcome.error().message.find(kNoSource) != std::string::npos)
    return Cleaned{.path = path, .first_failure = {}};
  if (!outcome) return fail(Error(outcome.error()).within(concat("cleanup of ", path)));
  if (outcome->cancelled) CG_CHECK(sys::check_cancelled());
  if (outcome->exit_code == 0 && !outcome->timed_out) return read_report(output, path);
  return fail(ErrorCode::engine,
              concat("cleanup of ", path, ": expected exit 0 of its container, found ",
                     outcome->timed_out ? std::string("no end") : concat("exit ", outcome->exit_code), ": ",
                     quoted(trim(output), 300)),
              concat("Check that ", image, " is an image of this crategate."));
}

std::string amount(const Cleaned& cleaned) {
  if (!cleaned.present) return "not there";
  std::string text = concat(format_bytes(cleaned.bytes), " in ", cleaned.removed, " files and directories");
  if (cleaned.kept > 0) text += concat(", ", cleaned.kept, " directories kept (mounts, state of an engine)");
  if (cleaned.failures > 0)
    text += concat(", ", cleaned.failures, " could not be removed (first ", neutralise(cleaned.first_failure), ")");
  return text;
}

CleanupResult summed(std::vector<Cleaned> directories) {
  CleanupResult result;
  bool first = true;
  for (const auto& each : directories) {
    if (!each.present) continue;
    if (first) result.free_before = each.free_before;
    first = false;
    result.free_after = each.free_after;
    result.freed += each.free_after > each.free_before ? each.free_after - each.free_before : 0;
  }
  result.directories = std::move(directories);
  return result;
}

Result<void> save(const CleanupResult& result, const Workspace& workspace, sys::FileSystem& files) {
  json::Value directories = json::Value::array();
  for (const auto& each : result.directories) directories.push(value_of(each));
  const json::Value document = json::Value::object({{"free_before", result.free_before},
                                                    {"free_after", result.free_after},
                                                    {"freed", result.freed},
                                                    {"directories", std::move(directories)}});
  return write_state(files, workspace, kCleanupFile, document.pretty());
}

}  // namespace

docker::ContainerSpec cleanup_container(const std::string& image, const std::string& path) {
  docker::ContainerSpec spec;
  spec.image = image;
  const std::string mounted = concat(kMountPoint, path);
  set_command(spec, {std::string(kProgram), "cleanup-here", mounted});
  spec.binds = {concat(path, ":", mounted)};
  spec.engine_paths = true;
  spec.workdir = "/";
  spec.user = "0:0";
  spec.network = "none";
  spec.labels = {{"io.crategate.stage", "cleanup"}};
  return spec;
}

Result<std::vector<std::string>> plan_cleanup(const CleanupInputs& in, const CleanupServices& svc) {
  auto keep = in.keep;
  keep.push_back({in.workspace.root.string(), "the workspace", false});
  keep.push_back({in.workspace.state().lexically_normal().string(), "crategate's own state"});
  if (!in.image.empty()) {
    CG_TRY(docker::Engine* const engine, svc.engine());
    CG_TRY(const auto info, engine->info());
    keep.push_back({info.root, "the Docker engine's state"});
  }
  auto directories = pipeline::cleanup_directories(in.cleanup);
  for (const auto& path : directories) CG_CHECK(pipeline::check_cleanup_path(path, keep));
  return directories;
}

Result<void> check_mounted(const std::string& path, const std::vector<docker::SeenMount>& mounts) {
  const auto at = std::ranges::find(mounts, path, &docker::SeenMount::point);
  if (at == mounts.end() || !path.starts_with(kMountPoint)) return {};
  const std::string asked = path.substr(kMountPoint.size());
  if (!asked.ends_with(at->root)) {
    return fail(ErrorCode::bad_input,
                concat("cleanup.paths: expected a directory reached without links, found ", quoted(asked),
                       ", which is ", quoted(at->root)),
                "Name the real path.");
  }
  return pipeline::check_cleanup_path(at->root, {});
}

Result<Cleaned> clean_here(const std::string& path, const sys::FileSystem& files) {
  Cleaned cleaned{.path = path, .first_failure = {}};
  if (!files.exists(path)) return cleaned;
  CG_TRY(cleaned.free_before, files.free_space(path));
  CG_TRY(const auto emptied, sys::empty_directory(path, pipeline::is_engine_state));
  if (!emptied) return cleaned;
  CG_TRY(cleaned.free_after, files.free_space(path));
  cleaned.present = true;
  cleaned.removed = emptied->removed;
  cleaned.bytes = emptied->bytes;
  cleaned.kept = emptied->kept;
  cleaned.failures = emptied->failures;
  cleaned.first_failure = emptied->first_failure;
  return cleaned;
}

std::string to_json(const Cleaned& cleaned) { return value_of(cleaned).canonical(); }

Result<CleanupResult> run_cleanup(const CleanupInputs& in, const CleanupServices& svc) {
  CG_TRY(const auto directories, plan_cleanup(in, svc));
  docker::Engine* engine = nullptr;
  if (!in.image.empty()) {
    CG_TRY(engine, svc.engine());
    CG_CHECK(provide_image(in.image, *engine));
  }
  std::vector<Cleaned> done;
  for (const auto& path : directories) {
    CG_CHECK(sys::check_cancelled());
    CG_TRY(auto cleaned, engine == nullptr ? clean_here(path, svc.files) : clean_in_container(in.image, path, *engine));
    done.push_back(std::move(cleaned));
  }
  auto result = summed(std::move(done));
  CG_CHECK(save(result, in.workspace, svc.files));
  return result;
}

std::string cleanup_line(const CleanupResult& result) {
  if (std::ranges::none_of(result.directories, &Cleaned::present)) return "none of the directories is there";
  return concat("freed ", format_bytes(result.freed), ": ", format_bytes(result.free_before), " were free, now ",
                format_bytes(result.free_after));
}

std::vector<std::string> cleanup_lines(const CleanupResult& result) {
  std::vector<std::string> lines;
  for (const auto& each : result.directories) lines.push_back(concat(each.path, ": ", amount(each)));
  return lines;
}

std::string cleanup_markdown(const CleanupResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : result.directories)
    rows.push_back({render::markdown_code(each.path), render::markdown_text(amount(each))});
  return concat("### cleanup: ", render::markdown_text(cleanup_line(result)), "\n\n",
                render::markdown_table({"Directory", "Removed"}, rows), "\n");
}

}  // namespace crategate::stages
