// A finished release and a failed one, for the tests of this folder.
#pragma once

#include <string>

#include "render/report.h"
#include "unit/pipeline/evidence.h"

namespace crategate::render::sample {

namespace base = pipeline::sample;

inline const oci::Digest kBefore = oci::Digest::of("before");

inline pipeline::TagMove move(const CellReport& cell, const std::string& tag, const oci::Digest& to) {
  return {.cell = cell.key, .repository = cell.image, .tag = tag, .from = std::nullopt, .to = to};
}

inline Report released() {
  const auto plan = base::plan();
  Report report = begin_report(plan);
  report.check = {StageState::passed, 12300};
  report.generate = {StageState::passed, 40};
  for (auto& cell : report.cells) {
    cell.build = {StageState::passed, 83000};
    cell.scan = {StageState::skipped, 0};
    cell.test = {StageState::passed, 3100};
    cell.digest = cell.gate = cell.push = {StageState::passed, 0};
    cell.record = base::record(plan);
    cell.candidate = cell.record->manifest_digest;
    report.published.push_back(move(cell, "v1.2.3", cell.record->manifest_digest));
    report.moved.push_back(move(cell, "latest", cell.record->manifest_digest));
    report.moved.back().from = kBefore;
  }
  report.cells[1].build = {StageState::cached, 0};
  report.published[1].needed = false;
  report.published[1].from = kBefore;
  report.published[1].note = "kept: a schedule run after this release moved it on purpose";
  report.moved[2].needed = false;
  report.moved[2].note = "already there";
  report.windows = {std::chrono::microseconds(18400), std::chrono::microseconds(31000)};
  report.verdict = "published 4 images";
  report.started_at = "2026-11-20T03:00:00Z";
  report.finished_at = "2026-11-20T03:04:05Z";
  report.duration_ms = 245000;
  report.written = {"release.json"};
  return report;
}

inline Report failed() {
  const auto plan = base::plan();
  Report report = begin_report(plan);
  report.check = {StageState::passed, 12300};
  report.generate = {StageState::cached, 0};
  auto& cell = report.cells[2];
  cell.build = {StageState::passed, 61000};
  cell.test = {StageState::failed, 2200};
  cell.tests = pipeline::TestResult{
      .verdict = pipeline::TestVerdict::failed, .total = 24, .failed = 3, .skipped = 2, .exit_code = 1};
  cell.failure = "3 of 24 tests failed | see `tests/logs/test-py3.13-cpu.log` @org/team <b>";
  report.cells[0].build = {StageState::running, 0};
  report.verdict = "tests failed: nothing was published";
  return report;
}

}  // namespace crategate::render::sample
