// The checks of the gate, each with its reason and remedy.
// Belongs here: comparing evidence.  Not here: fetching it (stages/evidence).
#include "pipeline/gate.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "image/fingerprint.h"
#include "oci/reference.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kFingerprintPrefix = "v1:";
constexpr std::string_view kNothing = "nothing";

std::string remedy_for(Reason reason, std::string_view cell) {
  std::string again = concat("crategate build --cell ", cell, ", then test and digest");
  switch (reason) {
    case Reason::record_missing:
      return concat("run the cell to its end: ", again);
    case Reason::record_unreadable:
      return concat("do not edit or copy records; make it again: ", again);
    case Reason::record_foreign:
      return concat("use the records of this plan and commit only; make it again: ", again);
    case Reason::tests_not_passed:
      return concat("make the tests pass, then run: ", again);
    case Reason::scan_not_passed:
      return concat("scan the image that is to be published, and mend what is found: ", again);
    case Reason::candidate_missing:
      return concat("store the tested image again (it may have been garbage-collected): ", again);
    case Reason::candidate_swapped:
      return concat("find out who wrote to the candidate repository, then run: ", again);
    case Reason::config_differs:
      return concat("the image's configuration is not the tested one; rebuild and test: ", again);
    case Reason::layer_differs:
      return concat("the image's content is not the tested one; rebuild and test: ", again);
    case Reason::platform_differs:
      return concat("build for the platform of the plan: ", again);
    case Reason::empty_evidence:
      return concat("no image stands behind this value; build one that has layers: ", again);
  }
  return again;
}

/// Some tools write arm64 as arm64/v8; both name the same machine.
oci::Platform normal(oci::Platform platform) {
  if (platform.architecture == "arm64" && platform.variant == "v8") platform.variant.clear();
  return platform;
}

std::string summary(const std::vector<oci::Digest>& diff_ids) { return concat(diff_ids.size(), " layers"); }

class Judgement {
 public:
  Judgement(const Plan& plan, const Cell& cell, const std::vector<std::string>& ignore_labels)
      : plan_(plan), cell_(cell), ignore_labels_(ignore_labels) {
    verdict_.cell = cell.key;
  }

  void record_is_missing() { refuse(Reason::record_missing, concat("a record for ", cell_.key), "none"); }
  void candidate_is_missing(const Record& record) {
    refuse(Reason::candidate_missing, concat(cell_.candidate, "@", record.manifest_digest.text()),
           record.candidate.empty() ? "a record that names none" : "no such image at the destination");
  }

  void check_binding(const Record& record, std::string_view run) {
    same(Reason::record_foreign, "plan", plan_.plan_id, record.plan_id);
    if (!run.empty()) same(Reason::record_foreign, "run", std::string(run), record.run);
    same(Reason::record_foreign, "commit", plan_.commit, record.commit);
    same(Reason::record_foreign, "cell", cell_.key, record.cell);
    same(Reason::platform_differs, "platform", normal(cell_.platform).text(), normal(record.platform).text());
  }

  void check_evidence(const Record& record) {
    const std::string_view fingerprint = record.fingerprint;
    const bool has_prefix = fingerprint.starts_with(kFingerprintPrefix);
    const std::string_view bare = has_prefix ? fingerprint.substr(kFingerprintPrefix.size()) : fingerprint;
    refuse_empty("fingerprint", bare);
    refuse_empty("layer text", record.layer_text);
    refuse_empty("config digest", record.config_digest.hex());
    refuse_empty("manifest digest", record.manifest_digest.hex());
    for (const auto& layer : record.diff_ids) refuse_empty("diff ID", layer.hex());
    if (record.diff_ids.empty()) refuse(Reason::empty_evidence, "an image with layers", "a record without layers");
    same(Reason::layer_differs, "layer text of the record's own layers", image::layer_text_digest(record.diff_ids),
         record.layer_text);
  }

  void check_tests(const Record& record) {
    const auto& tests = record.tests;
    if (tests.verdict == TestVerdict::not_configured && cell_.log.empty()) return;
    if (tests.verdict != TestVerdict::passed || tests.failed != 0 || tests.exit_code != 0) {
      refuse(Reason::tests_not_passed, "tests passed",
             concat("tests ", to_string(tests.verdict), ", ", tests.failed, " failed, exit code ", tests.exit_code));
    }
    same(Reason::record_foreign, "plan of the tests", plan_.plan_id, tests.plan_id);
    same(Reason::record_foreign, "cell of the tests", cell_.key, tests.cell);
    same(Reason::config_differs, "config digest of the image that ran the tests", record.config_digest.text(),
         tests.config_digest ? tests.config_digest->text() : std::string(kNothing));
  }

  /// The verdict is taken from the counts, by the plan's own threshold.
  void check_scan(const Record& record) {
    const auto& scan = record.scan;
    if (!plan_.scan || !scan) {
      if (plan_.scan.has_value() == scan.has_value()) return;
      return refuse(Reason::scan_not_passed, plan_.scan ? "a scan" : "no scan, for the plan asks for none",
                    std::string(scan ? to_string(scan->verdict) : kNotScanned));
    }
    const auto verdict = judge_scan(scan->counts, plan_.scan->severity);
    if (verdict == ScanVerdict::failed || verdict != scan->verdict) {
      refuse(Reason::scan_not_passed, concat("nothing at or above ", plan_.scan->severity),
             concat(to_string(scan->verdict), " with ", counts_text(scan->counts)));
    }
    same(Reason::scan_not_passed, "threshold", plan_.scan->severity, scan->policy.severity);
    if (scan->policy.ignore_unfixed && !plan_.scan->ignore_unfixed)
      refuse(Reason::scan_not_passed, "findings without a fix, too", "a scan that left them out");
    same(Reason::record_foreign, "plan of the scan", plan_.plan_id, scan->plan_id);
    same(Reason::record_foreign, "cell of the scan", cell_.key, scan->cell);
    same(Reason::config_differs, "config digest of the image that was scanned", record.config_digest.text(),
         scan->config_digest.text());
  }

  /// The candidate's name must lead to the very manifest of the record, where the plan wants it.
  void check_candidate(const Record& record) {
    const std::string& digest = record.manifest_digest.text();
    if (plan_.layout) {
      if (!record.candidate.ends_with(concat("@", digest))) {
        refuse(Reason::candidate_swapped, concat("a candidate that ends in @", digest), quoted(record.candidate, 200));
      }
      return;
    }
    const auto wanted = oci::parse_reference(concat(cell_.candidate, "@", digest));
    const auto found = oci::parse_reference(record.candidate);
    if (wanted && found && *wanted == *found) return;
    refuse(Reason::candidate_swapped, concat(cell_.candidate, "@", digest), quoted(record.candidate, 200));
  }

  void check_observed(const Record& record, const ObservedImage& observed) {
    same(Reason::candidate_swapped, "manifest digest", record.manifest_digest.text(), observed.manifest_digest.text());
    same(Reason::config_differs, "config digest", record.config_digest.text(), observed.manifest.config.digest.text());
    same(Reason::platform_differs, "platform", normal(record.platform).text(), normal(observed.config.platform).text());
    if (observed.manifest.layers.size() != observed.config.diff_ids.size() || observed.manifest.layers.empty()) {
      refuse(Reason::layer_differs, summary(observed.config.diff_ids),
             concat(observed.manifest.layers.size(), " layers in the manifest"));
    }
    check_layers(record, observed.config);
    same(Reason::config_differs, "fingerprint", record.fingerprint,
         image::fingerprint(observed.config, ignore_labels_));
  }

  CellVerdict conclude() && {
    verdict_.admitted = verdict_.findings.empty();
    return std::move(verdict_);
  }

 private:
  void refuse(Reason reason, std::string expected, std::string found) {
    verdict_.findings.push_back({.reason = reason,
                                 .cell = cell_.key,
                                 .expected = std::move(expected),
                                 .found = std::move(found),
                                 .remedy = remedy_for(reason, cell_.key)});
  }

  void same(Reason reason, std::string_view what, const std::string& expected, const std::string& found) {
    if (expected == found) return;
    refuse(reason, concat(what, " ", expected.empty() ? kNothing : expected),
           found.empty() ? std::string(kNothing) : quoted(found, 200));
  }

  void refuse_empty(std::string_view what, std::string_view hex) {
    if (hex.empty()) return refuse(Reason::empty_evidence, std::string(what), std::string(kNothing));
    if (image::is_empty_evidence(hex))
      refuse(Reason::empty_evidence, concat("the ", what, " of an image"), std::string(hex));
  }

  void check_layers(const Record& record, const oci::ImageConfig& found) {
    if (record.diff_ids == found.diff_ids) return;
    oci::ImageConfig expected = found;  // only the layers of the tested image are known one by one
    expected.diff_ids = record.diff_ids;
    const auto lines = image::differences(expected, found, ignore_labels_);
    refuse(Reason::layer_differs, concat("the ", summary(record.diff_ids), " of the record"),
           lines.empty() ? summary(found.diff_ids) : join(lines, "; "));
  }

  const Plan& plan_;
  const Cell& cell_;
  const std::vector<std::string>& ignore_labels_;
  CellVerdict verdict_;
};

}  // namespace

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::record_missing:
      return "record-missing";
    case Reason::record_unreadable:
      return "record-unreadable";
    case Reason::record_foreign:
      return "record-foreign";
    case Reason::tests_not_passed:
      return "tests-not-passed";
    case Reason::scan_not_passed:
      return "scan-not-passed";
    case Reason::candidate_missing:
      return "candidate-missing";
    case Reason::candidate_swapped:
      return "candidate-swapped";
    case Reason::config_differs:
      return "config-differs";
    case Reason::layer_differs:
      return "layer-differs";
    case Reason::platform_differs:
      return "platform-differs";
    case Reason::empty_evidence:
      return "empty-evidence";
  }
  return "record-unreadable";
}

CellVerdict judge(const Plan& plan, const Cell& cell, const std::optional<Record>& record,
                  const std::optional<ObservedImage>& observed, const std::vector<std::string>& ignore_labels,
                  std::string_view run) {
  Judgement judgement(plan, cell, ignore_labels);
  if (!record) {
    judgement.record_is_missing();
    return std::move(judgement).conclude();
  }
  judgement.check_binding(*record, run);
  judgement.check_evidence(*record);
  judgement.check_tests(*record);
  judgement.check_scan(*record);
  if (record->candidate.empty() || !observed) {
    judgement.candidate_is_missing(*record);
  } else {
    judgement.check_candidate(*record);
    judgement.check_observed(*record, *observed);
  }
  return std::move(judgement).conclude();
}

bool Verdict::admitted() const {
  return !cells.empty() && std::all_of(cells.begin(), cells.end(), [](const auto& cell) { return cell.admitted; });
}

}  // namespace crategate::pipeline
