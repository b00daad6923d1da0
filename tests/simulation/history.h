// What an observer of the registry sees: which tags there are, what was wanted of them, and every change in order.
// Belongs here: the facts that the judge reads.  Not here: how they come about (world, process).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "oci/digest.h"
#include "pipeline/tags.h"

namespace crategate::simulation {

using Content = std::size_t;  ///< index into Scene::contents
inline constexpr Content kNothing = 0;
inline constexpr int kPerson = -1;  ///< the run of whoever is no run

struct TagSlot {
  std::string repository, tag;
  pipeline::TagRank rank;
};

struct ContentFacts {
  oci::Digest digest;
  std::string repository, version;  ///< version: empty = not labelled
  bool verified = false;            ///< passed the gate
};

struct Wanted {
  std::size_t tag;
  Content content;
};

struct Release {
  std::string version;
  std::vector<Wanted> wanted;
};

/// All that exists and all that may be published, once for all worlds.
struct Scene {
  std::vector<TagSlot> tags;           ///< at most 64
  std::vector<ContentFacts> contents;  ///< the first is nothing
  std::vector<Release> releases;
  std::vector<Content> before;   ///< of each tag
  std::vector<Content> persons;  ///< of each tag: what a person would point it at
  std::map<oci::Digest, Content> by_digest;
  std::map<std::pair<std::string, std::string>, std::size_t> by_name;
};

/// Fourteen images with a version tag and `latest` each, one extra tag and the index of the release, before which 13
/// of the 14 were published as v1.0.0.
Scene fourteen_images(const std::vector<std::string>& versions);

struct Entry {
  enum class Kind : unsigned char {
    opened,  ///< an open journal became durable; `tags` are those it names
    closed,  ///< the journal is not open any more
    wrote,
    ended,  ///< with `code`; what was published says `release`, or that nothing was
    died,
  };
  Kind kind;
  int run = kPerson;
  int journal = 0;  ///< which of them
  std::uint64_t tags = 0;
  std::size_t tag = 0;
  Content now = kNothing;
  int code = 0;
  int release = -1;
};

struct History {
  std::vector<Content> before;
  std::vector<Entry> entries;
};

/// For people: one line for each entry.
std::string text_of(const Scene& scene, const History& history);

}  // namespace crategate::simulation
