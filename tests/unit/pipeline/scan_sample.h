// A plan that asks for a scan, a result that satisfies it, and a report of the scanner's documented format.
#pragma once

#include <string>

#include "pipeline/trivy_report.h"
#include "unit/pipeline/evidence.h"

namespace crategate::pipeline::sample {

inline Plan scanned_plan(const std::string& severity = "CRITICAL") {
  auto project = configuration();
  project.scan = config::Scan{.severity = severity};
  return *compute_plan(facts(), project);
}

inline ScanResult scan(const Plan& plan) {
  ScanResult result;
  result.policy = *plan.scan;
  result.counts.by_severity = {0, 2, 0, 1, 0};
  result.verdict = ScanVerdict::below_threshold;
  result.scanner = "trivy";
  result.scanner_version = "0.65.0";
  result.image_id = "sha256:x";
  result.config_digest = oci::Digest::of("config");
  result.report_digest = oci::Digest::of("report").text();
  result.plan_id = plan.plan_id;
  result.cell = plan.cells.front().key;
  result.duration_ms = 2100;
  return result;
}

inline ScannedArtifact artifact() {
  return {.name = "in/image.tar", .config_digest = oci::Digest::of("config"), .needs_packages = true};
}

/// One of each kind, and a check that passed.
inline std::string trivy_report() {
  return R"x({"SchemaVersion":2,"ReportID":"x","CreatedAt":"2026-11-20T09:29:18.1Z","ArtifactName":"in/image.tar",)x"
         R"x("ArtifactType":"container_image","Metadata":{"Size":1,"OS":{"Family":"debian","Name":"12.9"},"ImageID":")x" +
         oci::Digest::of("config").text() +
         R"x(","ImageConfig":{"architecture":"amd64"}},"Results":[)x"
         R"x({"Target":"in/image.tar (debian 12.9)","Class":"os-pkgs","Type":"debian","Vulnerabilities":[)x"
         R"x({"VulnerabilityID":"CVE-2026-1","PkgName":"openssl","InstalledVersion":"3.0","Severity":"HIGH","CVSS":{"nvd":{"V3Score":7.5}}},)x"
         R"x({"VulnerabilityID":"CVE-2026-2","PkgName":"libc6","InstalledVersion":"2.36-9","FixedVersion":"2.36-10",)x"
         R"x("Severity":"CRITICAL","Title":"glibc: a flaw","PrimaryURL":"https://avd.aquasec.com/nvd/cve-2026-2"}]},)x"
         R"x({"Target":"Python","Class":"lang-pkgs","Type":"python-pkg"},)x"
         R"x({"Target":"/app/key.pem","Class":"secret","Secrets":[{"RuleID":"private-key","Category":"AsymmetricPrivateKey",)x"
         R"x("Severity":"HIGH","Title":"Asymmetric Private Key","Match":"****"}]},)x"
         R"x({"Target":"Dockerfile","Class":"config","Type":"dockerfile","Misconfigurations":[)x"
         R"x({"ID":"DS002","Type":"Dockerfile Security Check","Severity":"LOW","Title":"root user","Status":"FAIL"},)x"
         R"x({"ID":"DS001","Type":"Dockerfile Security Check","Severity":"CRITICAL","Title":"latest","Status":"PASS"}]}],)x"
         R"x("Trivy":{"Version":"0.68.1"}})x";
}

}  // namespace crategate::pipeline::sample
