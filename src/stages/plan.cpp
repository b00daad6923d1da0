// plan: facts → one decision → plan.json.
// Belongs here: which facts the decision needs and where they come from.  Not here: the policy (pipeline/policy).
#include "stages/plan.h"

#include <algorithm>
#include <utility>

#include "actions/names.h"
#include "base/strings.h"
#include "oci/reference.h"
#include "pipeline/event.h"
#include "pipeline/policy.h"
#include "render/report.h"
#include "stages/pull_request_changes.h"

namespace crategate::stages {
namespace {

constexpr std::uint64_t kPayloadLimit = 64u << 20;
constexpr std::uint64_t kVersionLimit = 256;
constexpr std::size_t kPlanOutputLimit = 32u << 10;  // jobs hand outputs on in the environment: stay far below 128 KiB

std::string environment_or(const std::string& option, const sys::Environment& environment, std::string_view name) {
  return option.empty() ? environment.get(name).value_or("") : option;
}

Result<std::string> read_payload(const std::string& path, const sys::FileSystem& files) {
  if (path.empty()) return std::string();
  CG_TRY(auto text, files.read(path, kPayloadLimit));
  if (!text) {
    return fail(ErrorCode::bad_input, concat("event payload: expected a file, found nothing at ", quote(path)),
                "Check --payload, or GITHUB_EVENT_PATH.");
  }
  return *std::move(text);
}

Result<Version> read_version(const PlanInputs& in, const PlanServices& svc) {
  const auto& source = in.configuration.version;
  if (!source.value.empty()) return parse_version(source.value);
  if (source.git_tag) {
    CG_TRY(const auto tag, svc.repository.tag_at_head());
    if (!tag) {
      return fail(ErrorCode::bad_input, "version: expected a git tag at HEAD, found none",
                  "Tag the commit, or set `version: {file: VERSION}`.");
    }
    return parse_version(*tag);
  }
  if (!source.command.empty() && in.in_action) {
    return fail(
        ErrorCode::bad_input, "version.command: expected a file or a git tag inside the action, found a command",
        "Inside the action there is no host to run the project's code on: use version.file or version.git-tag.");
  }
  if (!source.command.empty()) {
    const sys::Command command{.program = source.command.front(),
                               .arguments = {source.command.begin() + 1, source.command.end()},
                               .directory = in.workspace.root,
                               .environment = sys::child_environment(svc.environment)};
    CG_TRY(const auto outcome, svc.processes.run(command, {.timeout = std::chrono::minutes(1), .capture_limit = 4096}));
    if (outcome.exit_code != 0) {
      return fail(ErrorCode::bad_input,
                  concat("version.command: expected exit 0, found ", outcome.exit_code, ": ", quote(trim(outcome.err))),
                  concat("Run it yourself: ", command.text()));
    }
    return pipeline::parse_version_file(outcome.out, "version.command");
  }
  CG_TRY(const auto text, svc.files.read_below(in.workspace.root, source.file, kVersionLimit));
  if (!text) {
    return fail(ErrorCode::bad_input, concat(source.file, ": expected the project's version, found no such file"),
                concat("Write one line such as v1.2.3 into ", source.file, " and commit it."));
  }
  return pipeline::parse_version_file(*text, source.file);
}

Result<std::map<std::string, std::vector<std::string>>> read_axes(const PlanInputs& in, const PlanServices& svc) {
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& axis : in.configuration.axes) {
    if (axis.file.empty()) {
      values[axis.name] = axis.values;
      continue;
    }
    CG_TRY(const auto text, svc.files.read_below(in.workspace.root, axis.file));
    if (!text) {
      return fail(ErrorCode::bad_input,
                  concat(axis.file, ": expected the values of axis ", axis.name, ", found no such file"),
                  concat("Write one value a line into ", axis.file, ", or list them under axes.", axis.name, "."));
    }
    CG_TRY(values[axis.name], pipeline::parse_axis_file(*text, axis.file, axis.name));
  }
  return values;
}

std::string workflow_file(const sys::Environment& environment) {
  // owner/repo/.github/workflows/x.yml@refs/heads/main
  const std::string reference = environment.get(actions::kWorkflowRef).value_or("");
  const auto begin = reference.find(".github/workflows/");
  if (begin == std::string::npos) return {};
  return reference.substr(begin, reference.find('@', begin) - begin);
}

Result<void> read_changes(pipeline::PolicyFacts& facts, git::Repository& repository) {
  if (facts.event.deleted) return {};
  if (facts.event.kind == pipeline::EventKind::pull_request) {
    CG_TRY(auto compared, compare_pull_request(facts.event, repository));
    facts.pull_request_changes = {std::move(compared.paths), std::move(compared.why_not)};
    return {};
  }
  if (facts.event.kind == pipeline::EventKind::tag_push || facts.event.kind == pipeline::EventKind::dispatch) {
    CG_TRY(auto changes, repository.changes("HEAD~1", "HEAD", false));
    facts.last_commit_changes = {std::move(changes.paths), std::move(changes.why_not)};
  }
  return {};
}

/// The version's git tag: on a tag push it is the event itself, else git is asked.
struct VersionTag {
  bool exists = false, at_head = false;
};
Result<VersionTag> find_version_tag(const pipeline::Event& event, const Version& version, git::Repository& repository) {
  if (event.kind == pipeline::EventKind::tag_push) return VersionTag{true, true};
  if (event.kind != pipeline::EventKind::schedule && event.kind != pipeline::EventKind::dispatch) return VersionTag{};
  CG_TRY(const auto tagged, repository.resolve(concat("refs/tags/", version.text, "^{commit}")));
  if (!tagged) return VersionTag{};
  CG_TRY(const auto head, repository.head());
  return VersionTag{true, head && *head == *tagged};
}

Result<void> check_release_branch(const pipeline::Event& event, const config::Release& release,
                                  git::Repository& repository, pipeline::Policy& policy) {
  if (release.require_branch.empty() || event.kind != pipeline::EventKind::tag_push) return {};
  const std::string commit = event.sha.empty() ? "HEAD" : event.sha;
  CG_TRY(auto contained, repository.is_ancestor(commit, concat("refs/remotes/origin/", release.require_branch)));
  if (!contained) {
    CG_TRY(contained, repository.is_ancestor(commit, concat("refs/heads/", release.require_branch)));
  }
  if (contained && *contained) return {};
  const std::string found =
      contained ? concat("the tagged commit is not on branch ", release.require_branch)
                : concat("cannot tell whether the tagged commit is on branch ", release.require_branch,
                         ": the clone is shallow or does not have that branch (check out with fetch-depth: 0)");
  if (!release.require_branch_refuses) {
    policy.warnings.push_back(found);
    return {};
  }
  return fail(ErrorCode::bad_input, concat("release.require-branch: ", found),
              concat("Tag a commit of ", release.require_branch, ", or set release.require-branch-refuses: false."));
}

/// What is published must be what it is named after: the event's commit is checked out, and the tag names it.
Result<void> require_commit(const pipeline::Event& event, const std::string& commit, git::Repository& repository,
                            pipeline::Policy& policy) {
  if (!policy.push || commit.empty()) return {};
  CG_TRY(const auto position, repository.position(event.tag));
  if (position.head && *position.head != commit) {
    return fail(ErrorCode::bad_input,
                concat("commit: expected ", commit, " of the event to be checked out, found ", *position.head),
                concat("Check it out (git checkout ", commit, "), or plan for what is checked out."));
  }
  if (event.kind != pipeline::EventKind::tag_push) return {};
  if (!position.tag) {
    policy.warnings.push_back(
        concat("tag ", quote(event.tag), " is not in this clone: cannot tell whether it names ", commit));
    return {};
  }
  if (*position.tag == commit) return {};
  return fail(ErrorCode::bad_input,
              concat("tag ", quote(event.tag), ": expected it to name the commit that is released, ", commit,
                     ", found ", *position.tag),
              concat("Check the tag out (git checkout ", event.tag, "), or give the release a new version."));
}

/// References admit any digits, as docker does; nothing can be published to a port that there is not.
bool has_possible_port(const std::string& host) {
  constexpr std::uint64_t kHighestPort = 65535;
  const auto colon = host.rfind(':');
  if (colon == std::string::npos || host.ends_with(']')) return true;
  const auto port = parse_unsigned(host.substr(colon + 1));
  return port && *port > 0 && *port <= kHighestPort;
}

}  // namespace

Result<pipeline::Destination> parse_destination(const std::string& to, bool layout_by_default) {
  if (to.empty()) return pipeline::Destination{.layout = layout_by_default, .prefix = {}};
  if (to == "oci" || to.starts_with("oci:")) return pipeline::Destination{.layout = true, .prefix = {}};
  const std::string prefix = to.ends_with('/') ? to.substr(0, to.size() - 1) : to;
  const auto slash = prefix.find('/');
  const std::string host = prefix.substr(0, slash);
  const bool is_host = host == "localhost" || host.find_first_of(".:") != std::string::npos;
  if (!is_host || !has_possible_port(host) ||
      !oci::parse_repository(concat(prefix, slash == std::string::npos ? "/x" : ""))) {
    return fail(ErrorCode::bad_input, concat("--to: expected REGISTRY[/PATH] or oci:DIR, found ", quote(to)),
                "Write the registry's host, e.g. --to localhost:5000 or --to ghcr.io/owner.");
  }
  return pipeline::Destination{.layout = false, .prefix = prefix};
}

Result<pipeline::EventFacts> read_event_facts(const PlanInputs& in, const PlanServices& svc) {
  const auto& options = in.invocation;
  pipeline::EventFacts facts;
  facts.name = environment_or(options.event, svc.environment, actions::kEventName);
  facts.rebuild_base = options.rebuild_base;
  if (facts.name.empty()) {
    if (svc.environment.get(actions::kActions).value_or("") == "true") {
      return fail(ErrorCode::bad_input, "GITHUB_EVENT_NAME: expected an event name, found nothing",
                  "The runner sets it; give --event when you run a stage by hand.");
    }
    facts.name = "workflow_dispatch";  // a person at a shell is a manual run of what is checked out
  }
  // Facts of the runner's own event do not describe another one that was asked for by option.
  const std::string of_runner = svc.environment.get(actions::kEventName).value_or("");
  const bool from_runner = options.event.empty() || of_runner.empty() || of_runner == options.event;
  const auto fact = [&](const std::string& option, std::string_view name) {
    return from_runner ? environment_or(option, svc.environment, name) : option;
  };
  facts.ref = fact(options.ref, actions::kRef);
  facts.ref_type = options.ref.empty() ? fact(options.ref_type, actions::kRefType) : options.ref_type;
  facts.sha = fact(options.sha, actions::kSha);
  facts.base_ref = fact(options.base_ref, actions::kBaseRef);
  const std::string payload = fact(options.payload, actions::kEventPath);
  CG_TRY(facts.payload, read_payload(payload, svc.files));
  facts.payload_name += concat(" ", payload);
  if (facts.ref.empty()) {
    CG_TRY(facts.ref, svc.repository.head_ref());
  }
  return facts;
}

Result<pipeline::Event> read_event(const PlanInputs& in, const PlanServices& svc) {
  CG_TRY(const auto facts, read_event_facts(in, svc));
  return pipeline::parse_event(facts);
}

Result<pipeline::Plan> make_plan(const PlanInputs& in, const PlanServices& svc) {
  // Facts
  CG_TRY(const auto event, read_event(in, svc));
  CG_TRY(const auto version, read_version(in, svc));
  CG_TRY(auto axes, read_axes(in, svc));
  std::string commit = event.sha;
  if (commit.empty()) {
    CG_TRY(const auto head, svc.repository.head());
    commit = head.value_or("");
  }
  CG_TRY(const auto version_tag, find_version_tag(event, version, svc.repository));
  pipeline::PolicyFacts facts{.event = event,
                              .pull_request_changes = {},
                              .last_commit_changes = {},
                              .workflow_file = workflow_file(svc.environment),
                              .is_prerelease = version.is_prerelease,
                              .publish = in.invocation.publish && event.publish,
                              .fresh = in.invocation.fresh,
                              .cache_write = in.invocation.cache_write,
                              .version_tag_exists_at_head = version_tag.at_head};
  CG_CHECK(read_changes(facts, svc.repository));
  // Decision
  pipeline::Policy policy = pipeline::decide_policy(facts, in.configuration);
  CG_CHECK(check_release_branch(event, in.configuration.release, svc.repository, policy));
  CG_CHECK(require_commit(event, commit, svc.repository, policy));
  if (policy.push && !in.configuration.test) {
    policy.warnings.emplace_back(
        "no tests are configured: images are published that nothing has tested (section test)");
  }
  if (commit.empty()) policy.warnings.emplace_back("the repository has no commit: images carry no revision label");
  return pipeline::compute_plan({.event = event,
                                 .policy = std::move(policy),
                                 .version = version,
                                 .axis_values = std::move(axes),
                                 .destination = in.destination,
                                 .commit = commit,
                                 .version_released = version_tag.exists,
                                 .only = in.invocation.only},
                                in.configuration);
}

Result<void> publish_plan(const pipeline::Plan& plan, bool dry_run, const Workspace& workspace, sys::FileSystem& files,
                          actions::Workflow& workflow) {
  const std::string text = pipeline::to_json(plan);
  if (!dry_run) CG_CHECK(write_state(files, workspace, kPlanFile, text));
  const auto& policy = plan.policy;
  const auto word = [](bool value) { return std::string(value ? "true" : "false"); };
  const bool any_fresh = std::ranges::any_of(plan.cells, [&](const auto& cell) { return plan.is_fresh(cell); });
  const std::vector<std::pair<std::string_view, std::string>> outputs = {
      {"version", plan.version},
      {"rebuild_flag", word(policy.rebuild_flag)},
      {"cache_update", word(policy.cache_write)},
      {"python_versions_json", pipeline::python_versions_json(plan)},
      {"matrix", pipeline::matrix_json(plan)},
      {"should_run", word(policy.should_run)},
      {"fresh", word(any_fresh)},
      {"push", word(policy.push)},
      {"latest", word(policy.latest)},
      {"is_prerelease", word(plan.is_prerelease)},
      {"reason", join(policy.reasons, "; ")},
      {"plan", text.size() <= kPlanOutputLimit ? std::string(trim(text)) : std::string()},
      {"dry_run", word(dry_run)},
  };
  for (const auto& [name, value] : outputs) CG_CHECK(workflow.set_output(name, value));
  for (const auto& warning : policy.warnings) {
    workflow.annotate(
        {.severity = actions::Severity::warning, .title = "crategate plan", .message = warning, .location = {}});
  }
  return workflow.add_summary(render::plan_summary_markdown(plan));
}

}  // namespace crategate::stages
