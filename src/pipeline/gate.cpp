// The checks of the gate, each with its reason and remedy.
// Belongs here: comparing evidence.  Not here: fetching it (stages/evidence).
#include "pipeline/gate.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/strings.h"
#include "image/fingerprint.h"
#include "oci/reference.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kFingerprintPrefix = "v1:";
constexpr std::string_view kNothing = "nothing";

/// Some tools write arm64 as arm64/v8; both name the same machine.
oci::Platform normal(oci::Platform platform) {
  if (platform.architecture == "arm64" && platform.variant == "v8") platform.variant.clear();
  return platform;
}

/// A number as the runner counts attempts; nullopt for anything else.
std::optional<int> attempt_number(std::string_view text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Of a kind that only a Windows base has, and that registries do not keep.
bool is_kept_elsewhere(const oci::Descriptor& layer) {
  return layer.media_type.find("nondistributable") != std::string::npos ||
         layer.media_type.find(".foreign.") != std::string::npos;
}

std::string summary(const std::vector<oci::Digest>& diff_ids) { return concat(diff_ids.size(), " layers"); }

class Judgement {
 public:
  Judgement(const Plan& plan, const Cell& cell, const Demands& demands) : plan_(plan), cell_(cell), demands_(demands) {
    verdict_.cell = cell.key;
  }

  void record_is_missing() { refuse(Reason::record_missing, concat("a record for ", cell_.key), "none"); }
  void candidate_was_not_rebuilt() {
    refuse(Reason::candidate_missing, "an image that was built once more", "none");
    verdict_.findings.back().remedy =
        plan_.policy.push ? concat("run `crategate verify` in the same job before") : "this plan publishes nothing";
  }
  void candidate_is_missing(const Record& record) {
    refuse(Reason::candidate_missing, concat(cell_.candidate, "@", record.manifest_digest.text()),
           record.candidate.empty() ? "a record that names none" : "no such image at the destination");
  }

  void candidate_is_no_image(std::string_view found) {
    refuse(Reason::candidate_swapped, "the manifest of one image, and its configuration", std::string(found));
  }

  bool has_signature(const Record& record) {
    if (demands_.key.empty() || is_signed_with(record, demands_.key)) return true;
    refuse(Reason::signature_invalid, "a record signed with the secret in force",
           record.signature.empty() ? "no signature" : "the signature of another record or secret");
    return false;
  }

  void check_binding(const Record& record) {
    same(Reason::record_foreign, "plan", plan_.plan_id, record.plan_id);
    if (!demands_.run.empty()) {
      same(Reason::record_foreign, "run", demands_.run, record.run);
      const auto own = attempt_number(demands_.attempt), theirs = attempt_number(record.attempt);
      if (own && (!theirs || *theirs > *own || *theirs < 1)) {
        refuse(Reason::record_foreign, concat("attempt 1 to ", *own, " of the run"),
               record.attempt.empty() ? std::string(kNothing) : concat("attempt ", quoted(record.attempt, 200)));
      }
    }
    same(Reason::record_foreign, "commit", plan_.commit, record.commit);
    same(Reason::record_foreign, "cell", cell_.key, record.cell);
    if (cell_.base_digest && record.base)
      same(Reason::record_foreign, "base image", cell_.base_digest->text(), record.base->digest.text());
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
    same(Reason::candidate_swapped, "manifest size in bytes", std::to_string(record.manifest_size),
         std::to_string(observed.manifest_size));
    check_shape(record, observed);
    check_layers(record, observed.config);
    check_config(record, observed);
  }

  /// The rebuilt image against the configuration and the contents that the record keeps of the tested one.
  void check_rebuilt(const Record& record, const ObservedImage& observed) {
    const auto tested = oci::parse_image_config(record.config);
    if (!tested || tested->diff_ids != record.diff_ids || normal(tested->platform) != normal(record.platform)) {
      return refuse(Reason::record_unreadable, "the configuration of the tested image", "none that fits the record");
    }
    same(Reason::config_differs, "fingerprint of the tested image", image::fingerprint(*tested, demands_.ignore_labels),
         record.fingerprint);
    check_shape(record, observed);
    auto alike = *tested;  // but for what is compared by itself
    alike.diff_ids = observed.config.diff_ids;
    alike.platform = observed.config.platform;
    if (auto lines = image::differences(alike, observed.config, demands_.ignore_labels); !lines.empty()) {
      refuse_lines(Reason::config_differs, "the configuration of the tested image", std::move(lines));
    }
    if (plan_.rebuild == Rebuild::content || record.contents != observed.contents) {
      return check_contents(record, observed);
    }
    check_layers(record, observed.config,
                 "; the files are the same up to their times, which gate.rebuild: content admits");
  }

  /// What is judged of a record before any image is looked at. False: it has not the signature that is demanded, and nothing
  /// else of it was judged.
  bool check_record(const Record& record) {
    if (!has_signature(record)) return false;
    check_binding(record);
    check_evidence(record);
    check_tests(record);
    check_scan(record);
    return true;
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

  void check_shape(const Record& record, const ObservedImage& observed) {
    same(Reason::platform_differs, "platform of the image", normal(record.platform).text(),
         normal(observed.config.platform).text());
    if (observed.manifest.layers.size() != observed.config.diff_ids.size() || observed.manifest.layers.empty()) {
      refuse(Reason::layer_differs, summary(observed.config.diff_ids),
             concat(observed.manifest.layers.size(), " layers in the manifest"));
    }
    const auto elsewhere = std::ranges::find_if(observed.manifest.layers, is_kept_elsewhere);
    if (elsewhere != observed.manifest.layers.end()) {
      refuse(Reason::candidate_swapped, "layers that the registry keeps",
             concat("layer ", elsewhere->digest.text(), " of type ", quoted(elsewhere->media_type, 200)));
    }
  }

  void check_contents(const Record& record, const ObservedImage& observed) {
    const auto& expected = record.contents;
    const auto& found = observed.contents;
    if (expected.size() != record.diff_ids.size() || found.size() != observed.config.diff_ids.size() || found.empty()) {
      return refuse(Reason::content_differs, concat("what ", summary(record.diff_ids), " hold"),
                    concat("that of ", expected.size(), " tested and ", found.size(), " rebuilt layers"));
    }
    if (expected == found) return;
    // By the lines of layers, with contents in the place of layers.
    oci::ImageConfig tested = observed.config, rebuilt = observed.config;
    tested.diff_ids = expected;
    rebuilt.diff_ids = found;
    refuse_lines(Reason::content_differs, "the files of the tested image",
                 image::differences(tested, rebuilt, demands_.ignore_labels));
  }

  void check_layers(const Record& record, const oci::ImageConfig& found, std::string_view remark = {}) {
    if (record.diff_ids == found.diff_ids) return;
    oci::ImageConfig expected = found;  // only the layers of the tested image are known one by one
    expected.diff_ids = record.diff_ids;
    auto lines = image::differences(expected, found, demands_.ignore_labels);
    if (lines.empty()) lines.push_back(summary(found.diff_ids));
    refuse_lines(Reason::layer_differs, concat("the ", summary(record.diff_ids), " of the record"), std::move(lines),
                 remark);
  }

  /// The first of `lines` is what was found; all of them are the details.
  void refuse_lines(Reason reason, std::string expected, std::vector<std::string> lines, std::string_view remark = {}) {
    const std::string more = lines.size() > 1 ? concat("; and ", lines.size() - 1, " more") : std::string();
    refuse(reason, std::move(expected), concat(lines.front(), more, remark));
    if (lines.size() > 1) verdict_.findings.back().details = std::move(lines);
  }

  /// Another platform or other layers make another config digest and fingerprint: that is said once.
  void check_config(const Record& record, const ObservedImage& observed) {
    const auto found = image::fingerprint(observed.config, demands_.ignore_labels);
    const bool same_digest = record.config_digest == observed.manifest.config.digest;
    if (same_digest && record.fingerprint == found) return;
    oci::ImageConfig alike = observed.config;
    alike.platform = record.platform;
    alike.diff_ids = record.diff_ids;
    const bool is_said = alike.platform != observed.config.platform || alike.diff_ids != observed.config.diff_ids;
    const bool keys_agree = record.fingerprint == image::fingerprint(alike, demands_.ignore_labels);
    if (is_said && keys_agree && !verdict_.findings.empty()) return;
    if (record.fingerprint != found) {
      refuse(Reason::config_differs, concat("fingerprint ", record.fingerprint), found);
    } else {
      refuse(Reason::config_differs, concat("config digest ", record.config_digest.text()),
             observed.manifest.config.digest.text());
    }
    if (!observed.tested) return;
    alike = *observed.tested;
    alike.platform = observed.config.platform;
    alike.diff_ids = observed.config.diff_ids;
    verdict_.findings.back().details = image::differences(alike, observed.config, demands_.ignore_labels);
  }

  const Plan& plan_;
  const Cell& cell_;
  const Demands& demands_;
  CellVerdict verdict_;
};

}  // namespace

CellVerdict judge(const Plan& plan, const Cell& cell, const std::optional<Record>& record,
                  const std::optional<ObservedImage>& observed, const Demands& demands, std::string_view no_image) {
  Judgement judgement(plan, cell, demands);
  if (!record) {
    judgement.record_is_missing();
    return std::move(judgement).conclude();
  }
  if (!judgement.check_record(*record)) return std::move(judgement).conclude();
  if (plan.rebuild && observed) {
    judgement.check_rebuilt(*record, *observed);
  } else if (plan.rebuild && !no_image.empty()) {
    judgement.candidate_is_no_image(no_image);
  } else if (plan.rebuild) {
    judgement.candidate_was_not_rebuilt();
  } else if (record->candidate.empty() || (!observed && no_image.empty())) {
    judgement.candidate_is_missing(*record);
  } else {
    judgement.check_candidate(*record);
    if (observed) {
      judgement.check_observed(*record, *observed);
    } else {
      judgement.candidate_is_no_image(no_image);
    }
  }
  return std::move(judgement).conclude();
}

CellVerdict judge_record(const Plan& plan, const Cell& cell, const Record& record, const Demands& demands) {
  Judgement judgement(plan, cell, demands);
  judgement.check_record(record);
  return std::move(judgement).conclude();
}

std::optional<Finding> judge_digest_text(const Record& record, const std::optional<std::string>& text) {
  if (text && *text == concat(record.layer_text, "\n")) return std::nullopt;
  return Finding{.reason = Reason::digest_text_differs,
                 .cell = record.cell,
                 .expected = concat("one line in digest-", record.cell, ".txt: ", record.layer_text),
                 .found = !text ? "no such file" : quoted(*text, 200),
                 .remedy = remedy_for(Reason::digest_text_differs, record.cell)};
}

bool Verdict::admitted() const {
  return !cells.empty() && std::all_of(cells.begin(), cells.end(), [](const auto& cell) { return cell.admitted; });
}

}  // namespace crategate::pipeline
