// Names of the CI image: the tags of pull requests, branches and commits (C-3, C-12).
// Belongs here: branch → tag.  Not here: which of them an event uses (ci_image).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/configuration.h"

namespace crategate::pipeline {

/// Of the build cache, in the image's own repository.
inline constexpr std::string_view kCacheTag = "buildcache";

/// In the engine only: what was built on a machine, and what a fork has built.
inline constexpr std::string_view kLocalTag = "local", kForkTag = "fork";

/// `pr-7`.
std::string pull_request_tag(std::int64_t number);

/// The number of a tag of that form; nullopt = it has another one.
std::optional<std::int64_t> pull_request_of(std::string_view tag);

/// The tag that `ci-image.branches` gives the branch; empty = none of its own.
std::string mapped_tag(std::string_view branch, const config::CiImage& settings);
/// That, else `ci-image.default-tag`.
std::string branch_tag(std::string_view branch, const config::CiImage& settings);

/// `{branch}-sha-{commit}`, always a valid tag. Where the branch's name had to be changed for that, `-` and 8 hex digits of
/// its SHA-256 follow, so that `feature/x` and `feature-x` have different tags. Whatever the branch is called, it is never
/// a mapped tag, `v1.0.0`, `pr-N`, or the tag of another branch or commit (A23, A24). By `ci-image.commit: short` only the first
/// 7 digits stand there: two commits of one branch may share them.
std::string commit_tag(std::string_view branch, std::string_view commit);
std::string commit_tag(std::string_view branch, std::string_view commit, const config::CiImage& settings);

/// Errors: bad_input naming the setting for a tag outside the grammar, for one of the form `pr-N` or `…-sha-COMMIT`, which
/// belong to pull requests and commits, and for the build cache's and those of the engine.
Result<void> check_tags(const config::CiImage& settings);

}  // namespace crategate::pipeline
