// The scene of fourteen images, and the words for what happened in it.
#include "simulation/history.h"

#include "base/strings.h"

namespace crategate::simulation {
namespace {

constexpr std::size_t kImages = 14;
constexpr std::size_t kNewImage = 13;  ///< never published before

std::string image(std::size_t i) { return concat("localhost:5000/me/app-", i + 1); }
const std::string kSet = "localhost:5000/me/release-set";

class Builder {
 public:
  Builder() { content("nothing", "", "", false); }
  Content content(const std::string& name, const std::string& repository, const std::string& version, bool verified) {
    scene_.contents.push_back({oci::Digest::of(name), repository, version, verified});
    scene_.by_digest.emplace(scene_.contents.back().digest, scene_.contents.size() - 1);
    return scene_.contents.size() - 1;
  }
  std::size_t tag(const std::string& repository, const std::string& tag, pipeline::TagRank rank, Content before) {
    const auto index = scene_.tags.size();
    scene_.tags.push_back({repository, tag, rank});
    scene_.by_name.emplace(std::pair(repository, tag), index);
    scene_.before.push_back(before);
    scene_.persons.push_back(content(concat("person ", index), repository, "", false));
    return index;
  }
  /// One content for each image, and the index of them all.
  std::vector<Content> images(const std::string& version) {
    std::vector<Content> made;
    for (std::size_t i = 0; i < kImages; ++i) made.push_back(content(concat(version, " ", i), image(i), version, true));
    made.push_back(content(concat(version, " set"), kSet, version, true));
    return made;
  }
  Scene& scene() { return scene_; }

 private:
  Scene scene_;
};

std::string name_of(const Scene& scene, Content content) {
  if (content == kNothing) return "nothing";
  const auto& facts = scene.contents[content];
  return facts.version.empty() ? "a person's" : facts.version;
}

}  // namespace

Scene fourteen_images(const std::vector<std::string>& versions) {
  using pipeline::TagRank;
  Builder build;
  const auto old = build.images("v1.0.0");
  std::vector<std::size_t> latest;
  for (std::size_t i = 0; i < kImages; ++i) {
    latest.push_back(build.tag(image(i), "latest", TagRank::moving, i == kNewImage ? kNothing : old[i]));
  }
  const auto extra = build.tag(image(0), "edge", TagRank::extra, old[0]);
  const auto set = build.tag(kSet, "latest", TagRank::set, old[kImages]);
  for (const auto& version : versions) {
    const auto made = build.images(version);
    Release release{version, {}};
    for (std::size_t i = 0; i < kImages; ++i) {
      release.wanted.push_back({build.tag(image(i), version, TagRank::version, kNothing), made[i]});
    }
    release.wanted.push_back({extra, made[0]});
    for (std::size_t i = 0; i < kImages; ++i) release.wanted.push_back({latest[i], made[i]});
    release.wanted.push_back({build.tag(kSet, version, TagRank::set, kNothing), made[kImages]});
    release.wanted.push_back({set, made[kImages]});
    build.scene().releases.push_back(std::move(release));
  }
  return std::move(build.scene());
}

std::string text_of(const Scene& scene, const History& history) {
  std::string text;
  for (const auto& entry : history.entries) {
    const std::string who = entry.run == kPerson ? "a person" : concat("run ", entry.run);
    switch (entry.kind) {
      case Entry::Kind::opened:
        text += concat(who, ": journal ", entry.journal, " is open\n");
        break;
      case Entry::Kind::closed:
        text += concat(who, ": journal ", entry.journal, " is closed\n");
        break;
      case Entry::Kind::wrote:
        text += concat(who, ": ", scene.tags[entry.tag].repository, ":", scene.tags[entry.tag].tag, " = ",
                       name_of(scene, entry.now), "\n");
        break;
      case Entry::Kind::ended:
        text += concat(who, " ended with ", entry.code, "\n");
        break;
      case Entry::Kind::died:
        text += concat(who, " died\n");
        break;
    }
  }
  return text;
}

}  // namespace crategate::simulation
