#include "stages/regen.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/sha256.h"
#include "base/strings.h"
#include "stages/ci_container.h"
#include "stages/regen_limits.h"
#include "stages/regen_tree.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kFolder = "regen/files";
constexpr std::string_view kLog = "logs/regen.log";
constexpr std::uint64_t kMiB = 1u << 20;

std::uint64_t memory_of(const config::Regen& settings) {
  return static_cast<std::uint64_t>(settings.memory_mib) * kMiB;
}

/// The folder that strangers work in; gone at the end, whatever they did to it.
class WorkFolder {
 public:
  WorkFolder(sys::FileSystem& files, sys::Path path) : files_(files), path_(std::move(path)) {}
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    const auto removed = files_.remove_tree(path_);
    if (!removed) log::warning(describe(removed.error()));
  }
  /// Room for it: a killed run has left its own.
  Result<void> clear() const {
    CG_CHECK(files_.remove_tree(path_));
    return files_.make_directories(path_.parent_path());
  }
  const sys::Path& path() const { return path_; }

 private:
  sys::FileSystem& files_;
  sys::Path path_;
};

Result<void> withdraw(const RegenInputs& in, sys::FileSystem& files) {
  for (const auto name : {kRegenResultFile, kRegenPatchFile})
    CG_CHECK(write_state(files, in.workspace, sys::Path(name), ""));
  return {};
}

/// Compilers run there what they have made.
std::string tmpfs_options(const config::Regen& settings) {
  return concat("rw,exec,nosuid,nodev,mode=1777,size=", memory_of(settings));
}

/// Also of what the image itself asks for.
Result<docker::ContainerSpec> limited_container(const RegenInputs& in, const sys::Path& folder,
                                                docker::Engine& engine) {
  auto spec = regen_container(in, folder);
  CG_TRY(const auto image, engine.find_image(in.image));
  if (!image) {
    return fail(ErrorCode::not_found, concat("expected the image ", in.image, " in the engine, found none"),
                concat("Something has removed it since; `docker pull ", in.image, "`."));
  }
  CG_CHECK(limit_volumes(spec, image->config.volumes, tmpfs_options(in.settings)));
  return spec;
}

Result<CommandResult> generate(const RegenInputs& in, const RegenServices& svc, const sys::Path& folder,
                               const WrittenTree& written) {
  CG_TRY(const auto spec, limited_container(in, folder, svc.engine));
  const auto limits = folder_limits(written);
  CG_TRY(const auto disk, DiskWatch::begin([&] { return svc.free_space(folder); }));
  const std::function<Result<void>()> watch = [&]() -> Result<void> {
    auto checked = sys::check_folder(folder, limits);
    if (checked) checked = disk.check();
    if (!checked) return fail(std::move(checked).error().within("ci-image.generate was stopped"));
    return {};
  };
  CG_CHECK(svc.files.make_directories(in.workspace.state() / "logs"));
  CG_TRY(auto log, sys::LogFile::create(in.workspace.state(), sys::Path(kLog), kLogLimit));
  OutputCollector output(std::move(log), svc.progress);
  CG_TRY(auto result, run_in_container(spec, in.settings.timeout, output, svc.engine, watch));
  if (result.exit_code == 0 && !result.timed_out && !result.cancelled) return result;
  return fail(command_failure("ci-image.generate", result, in.settings.timeout,
                              (in.workspace.state_name / kLog).string(),
                              concat("Run it on your machine: `crategate ci-image gen`, which is ",
                                     describe_command(in.generate), " in ", in.image)));
}

Result<void> check_size(const std::string& patch, const config::Regen& settings) {
  const std::uint64_t most = pipeline::largest_patch(settings);
  if (patch.size() <= most) return {};
  return fail(ErrorCode::bad_input,
              concat("the patch: expected at most ", format_bytes(most), ", found ", format_bytes(patch.size())),
              "Set regen.max-mib, or let ci-image.generate change less.");
}

struct Made {
  pipeline::RegenResult result;
  std::string patch;
};

Result<Made> compare(const RegenInputs& in, git::TreeStore& store, const WrittenTree& written,
                     const sys::Path& folder) {
  const EditLimits limits{.files = static_cast<std::size_t>(in.settings.max_files),
                          .bytes = static_cast<std::uint64_t>(in.settings.max_mib) * kMiB};
  auto edits = read_edits(store, written, folder, limits);
  if (!edits) return fail(std::move(edits).error().within("what ci-image.generate left"));
  Made made{.result = {.pull_request = in.pull_request, .sha = in.commit, .image = in.image, .tree = written.tree},
            .patch = {}};
  if (!edits->empty()) {
    CG_TRY(made.result.tree, store.edit(written.tree, *edits));
    CG_TRY(made.patch, store.patch(written.tree, made.result.tree));
  }
  CG_CHECK(check_size(made.patch, in.settings));
  CG_TRY(const auto changes, store.changes(written.tree, made.result.tree));
  for (const auto& change : changes)
    made.result.files.push_back({.path = change.path, .change = pipeline::kind_of(change)});
  made.result.patch_sha256 = sha256_hex(made.patch);
  made.result.patch_bytes = static_cast<std::int64_t>(made.patch.size());
  return made;
}

}  // namespace

docker::ContainerSpec regen_container(const RegenInputs& in, const sys::Path& folder) {
  auto spec =
      ci_container({.image = in.image, .generate = in.generate, .workspace = {.root = folder}, .user = in.user});
  set_command(spec, in.generate);
  spec.labels["io.crategate.stage"] = "regen";
  if (!in.settings.network) spec.network = "none";
  spec.limits = {.memory = memory_of(in.settings),
                 .cpus = in.settings.cpus,
                 .processes = in.settings.processes,
                 .file_size = kRegenRoom,
                 .drop_capabilities = true,
                 .read_only_root = true,
                 .tmpfs = {{"/tmp", tmpfs_options(in.settings)}}};
  return spec;
}

Result<std::string> describe_regen(const RegenInputs& in) {
  CG_CHECK(require_ci_generate(in.generate));
  return describe_container(regen_container(in, in.workspace.state() / kFolder));
}

Result<Regenerated> run_regen(const RegenInputs& in, const RegenServices& svc) {
  // Facts
  CG_CHECK(require_ci_generate(in.generate));
  CG_CHECK(withdraw(in, svc.files));
  const std::string hint = in.pull_request > 0 ? concat("refs/pull/", in.pull_request, "/head") : std::string("HEAD");
  CG_CHECK(svc.transfer.fetch(in.commit, hint));
  CG_TRY(const auto store, svc.open(svc.transfer.repository()));
  CG_TRY(const std::string tree, store->tree_of(in.commit));
  const WorkFolder folder(svc.files, in.workspace.state() / kFolder);
  CG_CHECK(folder.clear());
  auto written = write_tree(*store, tree, folder.path());
  if (!written) return fail(std::move(written).error().within(concat("the files of ", in.commit)));
  // The command
  CG_TRY(const auto command, generate(in, svc, folder.path(), *written));
  CG_TRY(const auto made, compare(in, *store, *written, folder.path()));
  // Effects
  CG_CHECK(write_state(svc.files, in.workspace, sys::Path(kRegenPatchFile), made.patch));
  CG_CHECK(write_state(svc.files, in.workspace, sys::Path(kRegenResultFile), pipeline::to_json(made.result)));
  return Regenerated{.result = made.result, .elapsed = command.elapsed};
}

}  // namespace crategate::stages
