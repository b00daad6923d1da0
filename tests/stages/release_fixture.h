// A release whose images stand as real candidates in a real OCI layout, for the tests of what publishes.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stages/build.h"
#include "stages/digest.h"
#include "stages/layout_registry.h"
#include "stages/project.h"
#include "stages/publication.h"
#include "stages/watched_reader.h"
#include "support/fake_engine.h"

namespace crategate::stages::sample {

/// Counts what is written, and can fail before one of the manifests.
class WatchedWriter final : public registry::RegistryWriter {
 public:
  explicit WatchedWriter(registry::RegistryWriter& inner) : inner_(inner) {}
  Result<registry::BlobArrival> put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                         const registry::BlobSource& source) override {
    const std::lock_guard lock(mutex_);
    if (source.mount_from) mounts.insert(concat(source.mount_from->path, " -> ", repository.path));
    if (source.mount_from && mounts_allowed) return inner_.put_blob(repository, blob, source);
    if (!source.open) return registry::BlobArrival::not_mounted;
    ++blobs;
    return inner_.put_blob(repository, blob, {std::nullopt, source.open});
  }
  Result<oci::Digest> put_manifest(const oci::Reference& reference, std::string_view bytes,
                                   std::string_view media_type) override {
    {
      const std::lock_guard lock(mutex_);
      if (fail_at && manifests.size() == *fail_at) {
        if (comes_back && ++failures == 3) fail_at.reset();
        return fail(ErrorCode::unavailable, "the registry went away");
      }
      manifests.push_back(reference.familiar());
    }
    if (serves) return *serves;
    return inner_.put_manifest(reference, bytes, media_type);
  }
  Result<void> point_tag(const oci::Reference& tag, const std::optional<oci::Digest>& /*before*/,
                         std::string_view bytes, std::string_view media_type) override {
    CG_CHECK(put_manifest(tag, bytes, media_type));
    return {};
  }
  std::optional<oci::Digest> glance(const oci::Reference& reference,
                                    const std::optional<oci::Repository>& /*source*/) override {
    return has_all ? reference.digest : std::nullopt;
  }
  Result<bool> remove_manifest(const oci::Reference& reference) override {
    if (!removes_tags) return fail(ErrorCode::conflict, "the registry removes no tags");
    return inner_.remove_manifest(reference);
  }
  std::size_t blobs = 0;
  std::vector<std::string> manifests;
  std::set<std::string> mounts;
  bool mounts_allowed = true, removes_tags = true;
  bool has_all = false;  ///< whatever it is asked for
  std::optional<std::size_t> fail_at;
  bool comes_back = false;  ///< after it has failed three times
  int failures = 0;
  std::optional<oci::Digest> serves;  ///< instead of what was written

 private:
  registry::RegistryWriter& inner_;
  std::mutex mutex_;  ///< blobs come side by side
};

class Release : public ::testing::Test {
 protected:
  /// As many cells as twice the versions.
  void make_plan(std::vector<std::string> pythons = {"3.11", "3.13"}) {
    auto facts = pipeline::sample::facts(std::move(pythons));
    facts.destination.layout = true;
    facts.version = parse_version(version).value();
    facts.event = pipeline::sample::tag_push(version);
    facts.policy = policy;
    facts.version_released = released;
    plan = pipeline::compute_plan(facts, project.configuration).value();
  }
  const pipeline::Cell& cell(const std::string& key = "cpu-py3.11") const { return *plan->find(key); }

  /// The image that a build of the cell makes; `mark` makes it another one.
  test::TestImage image_of(const pipeline::Cell& of, const std::string& mark = "") const {
    test::TestImage image;
    image.layers = {"base of " + of.base, concat("layer of ", of.key, mark)};
    image.labels = build_request({project.configuration, *plan, of, project.workspace, {}, {}}).labels;
    return image;
  }
  /// Build and passed tests, as far as `digest` looks.
  void test_passed(const pipeline::Cell& of, const test::TestImage& image) {
    pipeline::TestResult tests;
    tests.verdict = pipeline::TestVerdict::passed;
    tests.total = 24;
    tests.duration_ms = 1200;
    tests.image_id = engine.add(local_image_name(*plan, of), image);
    if (!engine.containerd_store) tests.config_digest = image.config_digest();
    tests.plan_id = plan->plan_id;
    tests.cell = of.key;
    tests.log = of.log;
    ASSERT_TRUE(save_built(project.files, project.workspace, Built{plan->plan_id, of.key, tests.image_id, 61'000}));
    ASSERT_TRUE(write_state(project.files, project.workspace, test_result_file(of.key), pipeline::to_json(tests)));
  }
  Result<pipeline::Record> digest(const pipeline::Cell& of, bool store_it = true) {
    return run_digest({project.configuration, *plan, of, project.workspace, "42", "1", signing},
                      {project.files, clock, engine, store_it ? &writer : nullptr, stored_layers});
  }
  /// Candidate and record.
  void prove(const pipeline::Cell& of, const std::string& mark = "") {
    test_passed(of, image_of(of, mark));
    const auto record = digest(of);
    ASSERT_TRUE(record) << describe(record.error());
  }
  void prove_all(const std::string& mark = "") {
    for (const auto& each : plan->cells) prove(each, mark);
    writer.manifests.clear();
    writer.blobs = 0;
  }
  pipeline::Record record_of(const std::string& key) const {
    return load_record(project.files, project.workspace, key).value().value();
  }
  void write_record(const std::string& key, const pipeline::Record& record) {
    ASSERT_TRUE(write_state(project.files, project.workspace, record_file(key), pipeline::to_json(record)));
  }
  oci::Digest candidate(const std::string& key = "cpu-py3.11") const { return record_of(key).manifest_digest; }

  PublishInputs inputs() const {
    return {project.configuration, *plan, project.workspace, "20261120", run, "1", signing};
  }
  PublishServices services() {
    journal.emplace(project.files, project.workspace, plan->image_set);
    return {project.files,
            clock,
            reader,
            reader,
            writer,
            *journal,
            [this](const auto& changes) { announced.push_back(changes); }};
  }
  /// Every tag and what it names.
  std::map<std::string, std::string> tags() const {
    const auto names = layout.names().value();
    std::map<std::string, std::string> found;
    for (const auto& [name, named] : names) found[name] = named.text();
    return found;
  }
  std::optional<std::string> tag(const std::string& name) const {
    const auto all = tags();
    const auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  }

  std::string version = "v1.2.3", run = "42";
  Secret signing;  ///< what records are signed with
  pipeline::Policy policy = pipeline::sample::release_policy();
  bool released = true;
  sample::Project project;
  test::FakeClock clock;
  test::FakeEngine engine;
  std::optional<pipeline::Plan> plan;
  layout::OciLayout layout = layout::OciLayout::open(project.workspace.state() / kImagesDirectory).value();
  LayoutRegistry store{layout};
  WatchedReader reader{store};
  WatchedWriter writer{store};
  std::optional<FileJournal> journal;
  StoredLayers* stored_layers = nullptr;
  std::vector<pipeline::ChangeSet> announced;
};

inline const std::vector<std::string> kSevenPythons = {"3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"};

}  // namespace crategate::stages::sample
