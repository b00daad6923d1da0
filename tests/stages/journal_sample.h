// A journal of a release, for the tests of whatever keeps one.
#pragma once

#include <string>

#include "pipeline/journal.h"

namespace crategate::stages::sample {

inline const std::string kImages = "me/app-{cell}";

inline pipeline::Journal journal(std::int64_t epoch, pipeline::JournalState state = pipeline::JournalState::open) {
  return {.images = kImages,
          .epoch = epoch,
          .state = state,
          .plan_id = "p",
          .version = "v1.2.3",
          .commit = "c",
          .run = "7",
          .attempt = "1",
          .started_at = "2026-11-20T09:29:18Z",
          .moves = {{.cell = "cpu",
                     .repository = "me/app-cpu",
                     .tag = "latest",
                     .rank = pipeline::TagRank::moving,
                     .from = {},
                     .to = oci::Digest::of("new"),
                     .note = {}}},
          .last = {}};
}

}  // namespace crategate::stages::sample
