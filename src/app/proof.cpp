#include "app/proof.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/sha256.h"
#include "base/strings.h"
#include "pipeline/gate.h"

namespace crategate::app {
namespace {

constexpr std::uint64_t kSourceLimit = 1u << 30;

sys::Path proof_file(const std::string& cell) { return sys::Path("proofs") / cell; }
const sys::Path kChecksFile = "proofs/checks";

Result<std::vector<std::string>> source_files(const sys::Path& root, const sys::FileSystem& files,
                                              git::Repository& repository) {
  CG_TRY(auto tracked, repository.source_files());
  if (tracked) return *std::move(tracked);
  return files.files_below(root);
}

/// `a/b/` of a directory; empty for none.
std::string directory_prefix(const sys::Path& directory) {
  std::string text = directory.lexically_normal().string();
  if (text.empty() || text == ".") return {};
  if (!text.ends_with('/')) text += '/';
  return text;
}

std::set<std::string> own_outputs(const pipeline::Plan& plan, const config::Generate& generate) {
  const bool kept_by_hand = generate.template_file.empty() && generate.run.empty();
  std::set<std::string> paths;
  for (const auto& cell : plan.cells) {
    if (!kept_by_hand) paths.insert(cell.dockerfile);
    paths.insert(cell.log);
  }
  return paths;
}

/// What COPY takes over beside the bytes: whether a file can be executed, where a link points.
std::string kind_of(const sys::Path& path) {
  std::error_code gone;
  const auto status = std::filesystem::symlink_status(path, gone);
  if (std::filesystem::is_symlink(status)) {
    return concat("link to ", std::filesystem::read_symlink(path, gone).string());
  }
  const bool executable = (status.permissions() & std::filesystem::perms::owner_exec) != std::filesystem::perms::none;
  return executable ? "executable" : "";
}

Result<bool> equals(const sys::Path& name, const std::string& inputs, const stages::Workspace& workspace,
                    const sys::FileSystem& files) {
  CG_TRY(const auto text, stages::read_state(files, workspace, name));
  return text && trim(*text) == inputs;
}

}  // namespace

Result<std::string> hash_inputs(const pipeline::Plan& plan, const config::Generate& generate,
                                const std::string& settings, const stages::Workspace& workspace,
                                const sys::Path& images, const sys::FileSystem& files, git::Repository& repository) {
  CG_TRY(auto paths, source_files(workspace.root, files, repository));
  std::ranges::sort(paths);
  const auto ours = own_outputs(plan, generate);
  const std::vector<std::string> skipped = {
      ".git/", directory_prefix(workspace.state().lexically_normal().lexically_relative(workspace.root)),
      directory_prefix(images.empty() ? images : images.lexically_relative(workspace.root))};
  Sha256 hash;
  const auto add = [&hash](std::string_view text) { hash.update(concat(text.size(), ":", text)); };
  add(plan.plan_id);
  add(settings);
  for (const auto& path : paths) {
    const auto begins = [&path](const std::string& prefix) { return !prefix.empty() && path.starts_with(prefix); };
    if (ours.contains(path) || std::ranges::any_of(skipped, begins)) continue;
    add(path);
    add(kind_of(workspace.root / path));
    // A link or a device is not read as a source; that it is one is part of the inputs.
    const auto bytes = files.read_below(workspace.root, path, kSourceLimit);
    add(!bytes ? "not a regular file" : *bytes ? sha256_hex(**bytes) : "absent");
  }
  return hash.finish();
}

Result<std::optional<pipeline::Record>> find_proof(const pipeline::Plan& plan, const pipeline::Cell& cell,
                                                   const std::string& inputs, const Secret& key,
                                                   const stages::Workspace& workspace, const sys::FileSystem& files,
                                                   registry::RegistryReader& reader) {
  CG_TRY(const bool same, equals(proof_file(cell.key), inputs, workspace, files));
  if (!same) return std::nullopt;
  const auto record = stages::load_record(files, workspace, cell.key);
  if (!record || !*record || (*record)->plan_id != plan.plan_id) return std::nullopt;
  if (!key.empty() && !pipeline::is_signed_with(**record, key)) return std::nullopt;
  const auto text = stages::read_state(files, workspace, stages::digest_file(cell.key));
  if (!text || pipeline::judge_digest_text(**record, *text)) return std::nullopt;
  if (plan.policy.candidate) {
    CG_TRY(auto repository, oci::parse_repository(cell.candidate));
    CG_TRY(const auto stored, reader.digest({std::move(repository), std::nullopt, (*record)->manifest_digest}));
    if (!stored) return std::nullopt;
  }
  return **record;
}

Result<void> save_proof(const pipeline::Cell& cell, const std::string& inputs, const stages::Workspace& workspace,
                        sys::FileSystem& files) {
  return stages::write_state(files, workspace, proof_file(cell.key), concat(inputs, "\n"));
}

Result<bool> checks_proven(const std::string& inputs, const stages::Workspace& workspace,
                           const sys::FileSystem& files) {
  return equals(kChecksFile, inputs, workspace, files);
}

Result<void> save_checks(const std::string& inputs, const stages::Workspace& workspace, sys::FileSystem& files) {
  return stages::write_state(files, workspace, kChecksFile, concat(inputs, "\n"));
}

}  // namespace crategate::app
