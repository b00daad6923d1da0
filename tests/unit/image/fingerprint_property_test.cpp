// What holds of every image: thousands of random ones, and random changes of each.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>
#include <set>

#include "base/strings.h"
#include "image/fingerprint.h"
#include "json/value.h"

namespace crategate::image {
namespace {

constexpr int kImages = 300;

/// The same on every machine; CRATEGATE_SEED plays another sequence.
class Random {
 public:
  Random() {
    if (const char* seed = std::getenv("CRATEGATE_SEED"))
      engine_.seed(static_cast<unsigned>(std::strtoul(seed, nullptr, 10)));
  }
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  bool chance() { return below(2) == 0; }

  /// Of the characters that quoting and joining could confuse.
  std::string text(std::size_t longest = 12) {
    static const std::vector<std::string> kPieces{"a",
                                                  "B",
                                                  "=",
                                                  "\"",
                                                  "\\",
                                                  ",",
                                                  "[",
                                                  "]",
                                                  "{",
                                                  "}",
                                                  ":",
                                                  " ",
                                                  "\n",
                                                  "\x01",
                                                  "/",
                                                  "\xc3\xa9",
                                                  "\xe2\x82\xac",
                                                  "\xf0\x9f\x9a\x80",
                                                  "null",
                                                  "0"};
    std::string made;
    for (std::size_t i = 0, length = 1 + below(longest); i < length; ++i) made += kPieces[below(kPieces.size())];
    return made;
  }
  std::vector<std::string> list(std::size_t longest = 4) {
    std::vector<std::string> made;
    for (std::size_t i = 0, length = below(longest + 1); i < length; ++i) made.push_back(below(8) == 0 ? "" : text());
    return made;
  }
  std::vector<std::string> set() {
    std::set<std::string> made;
    for (std::size_t i = 0, length = below(4); i < length; ++i) made.insert(text());
    return {made.begin(), made.end()};
  }
  std::string maybe() { return chance() ? text() : std::string(); }

  oci::ImageConfig image() {
    oci::ImageConfig made;
    made.platform = {chance() ? "linux" : "windows", chance() ? "amd64" : "arm64", chance() ? "" : "v8"};
    for (std::size_t i = 0, layers = below(6); i < layers; ++i) made.diff_ids.push_back(oci::Digest::of(text()));
    auto& config = made.config;
    config.env = list();
    config.entrypoint = list();
    config.cmd = list();
    config.shell = list();
    config.on_build = list();
    config.user = maybe();
    config.working_dir = maybe();
    config.stop_signal = maybe();
    for (const std::string& key : set()) config.labels[key] = maybe();
    config.exposed_ports = set();
    config.volumes = set();
    if (chance()) {
      config.health_check = oci::HealthCheck{list(), number(), number(), number(), number(), 1 + number()};
    }
    return made;
  }
  std::int64_t number() { return static_cast<std::int64_t>(below(1U << 30U)); }

 private:
  std::mt19937 engine_{20261122};
};

/// The image as a document: volatile members and empty ones as the writer likes, members in any order.
std::string document(const oci::ImageConfig& image, Random& random) {
  using Members = std::vector<std::pair<std::string, json::Value>>;
  const auto object = [&random](Members members) {
    for (std::size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[random.below(i)]);
    return json::Value::object(std::move(members));
  };
  Members config;
  const auto add = [&](const char* key, json::Value value, bool empty, json::Value when_empty) {
    if (!empty) config.emplace_back(key, std::move(value));
    if (empty && random.chance()) config.emplace_back(key, random.chance() ? json::Value() : std::move(when_empty));
  };
  const auto lists = json::Value::array();
  const auto keys = [&](const std::vector<std::string>& names) {
    Members members;
    for (const auto& name : names) members.emplace_back(name, random.chance() ? json::Value() : json::Value::object());
    return object(std::move(members));
  };
  const auto& c = image.config;
  add("Env", json::Value::array_of(c.env), c.env.empty(), lists);
  add("Entrypoint", json::Value::array_of(c.entrypoint), c.entrypoint.empty(), lists);
  add("Cmd", json::Value::array_of(c.cmd), c.cmd.empty(), lists);
  add("Shell", json::Value::array_of(c.shell), c.shell.empty(), lists);
  add("OnBuild", json::Value::array_of(c.on_build), c.on_build.empty(), lists);
  add("User", c.user, c.user.empty(), "");
  add("WorkingDir", c.working_dir, c.working_dir.empty(), "");
  add("StopSignal", c.stop_signal, c.stop_signal.empty(), "");
  add("Labels", json::Value::object_of(c.labels), c.labels.empty(), json::Value::object());
  add("ExposedPorts", keys(c.exposed_ports), c.exposed_ports.empty(), json::Value::object());
  add("Volumes", keys(c.volumes), c.volumes.empty(), json::Value::object());
  const auto check = c.health_check.value_or(oci::HealthCheck{});
  add("Healthcheck",
      object({{"Test", json::Value::array_of(check.test)},
              {"Interval", check.interval},
              {"Timeout", check.timeout},
              {"StartPeriod", check.start_period},
              {"StartInterval", check.start_interval},
              {"Retries", check.retries}}),
      !c.health_check, json::Value::object());
  config.emplace_back("Hostname", random.text());
  std::vector<std::string> ids;
  for (const auto& id : image.diff_ids) ids.push_back(id.text());
  Members root{{"os", image.platform.os},
               {"architecture", image.platform.architecture},
               {"variant", image.platform.variant},
               {"config", object(std::move(config))},
               {"rootfs", object({{"type", "layers"}, {"diff_ids", json::Value::array_of(ids)}})},
               {"created", random.text()},
               {"author", random.text()},
               {"docker_version", random.text()},
               {"history", json::Value::array(
                               {json::Value::object({{"created", random.text()}, {"created_by", random.text()}})})}};
  const auto whole = object(std::move(root));
  return random.chance() ? whole.canonical() : whole.pretty();
}

/// Every text and number that the fingerprint covers, to be changed in place.
struct Field {
  std::string name;
  std::function<std::string*(oci::ImageConfig&)> text;
};

std::vector<Field> texts_of(oci::ImageConfig& image) {
  std::vector<Field> fields;
  const auto list = [&fields](const char* name, std::vector<std::string> oci::ContainerConfig::*member,
                              std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      fields.push_back(
          {concat(name, "[", i, "]"), [member, i](oci::ImageConfig& each) { return &(each.config.*member)[i]; }});
    }
  };
  const auto text = [&fields](const char* name, std::string oci::ContainerConfig::*member) {
    fields.push_back({name, [member](oci::ImageConfig& each) { return &(each.config.*member); }});
  };
  using Config = oci::ContainerConfig;
  const Config& config = image.config;
  fields.push_back({"os", [](oci::ImageConfig& each) { return &each.platform.os; }});
  fields.push_back({"architecture", [](oci::ImageConfig& each) { return &each.platform.architecture; }});
  fields.push_back({"variant", [](oci::ImageConfig& each) { return &each.platform.variant; }});
  list("Env", &Config::env, config.env.size());
  list("Entrypoint", &Config::entrypoint, config.entrypoint.size());
  list("Cmd", &Config::cmd, config.cmd.size());
  list("Shell", &Config::shell, config.shell.size());
  list("OnBuild", &Config::on_build, config.on_build.size());
  list("ExposedPorts", &Config::exposed_ports, config.exposed_ports.size());
  list("Volumes", &Config::volumes, config.volumes.size());
  text("User", &Config::user);
  text("WorkingDir", &Config::working_dir);
  text("StopSignal", &Config::stop_signal);
  for (const auto& label : config.labels) {
    fields.push_back({concat("Labels[", label.first, "]"),
                      [key = label.first](oci::ImageConfig& each) { return &each.config.labels.at(key); }});
  }
  if (config.health_check) {
    for (std::size_t i = 0; i < config.health_check->test.size(); ++i) {
      fields.push_back(
          {"Healthcheck.Test", [i](oci::ImageConfig& each) { return &each.config.health_check->test[i]; }});
    }
  }
  return fields;
}

TEST(FingerprintProperty, IsTheSameForEveryDocumentOfAnImage) {
  Random random;
  for (int i = 0; i < kImages; ++i) {
    const oci::ImageConfig image = random.image();
    const std::string expected = fingerprint(image, {});
    for (int form = 0; form < 5; ++form) {
      const std::string text = document(image, random);
      const auto read = oci::parse_image_config(text);
      ASSERT_TRUE(read) << read.error().message << "\n" << text;
      ASSERT_EQ(fingerprint(*read, {}), expected) << text;
      ASSERT_TRUE(differences(image, *read, {}).empty()) << text;
      ASSERT_EQ(layer_text_digest(read->diff_ids), layer_text_digest(image.diff_ids));
    }
  }
}

/// `changed` is not `image`, and everybody says so.
void expect_another(const oci::ImageConfig& image, const oci::ImageConfig& changed, const std::string& what) {
  ASSERT_NE(fingerprint(image, {}), fingerprint(changed, {})) << what;
  ASSERT_FALSE(differences(image, changed, {}).empty()) << what;
  ASSERT_FALSE(differences(changed, image, {}).empty()) << what;
}

TEST(FingerprintProperty, IsAnotherForEveryFlippedBitOfACoveredText) {
  Random random;
  int flips = 0;
  for (int i = 0; i < kImages / 10; ++i) {
    oci::ImageConfig image = random.image();
    for (const Field& field : texts_of(image)) {
      const std::string original = *field.text(image);
      for (std::size_t bit = 0; bit < original.size() * 8; ++bit, ++flips) {
        oci::ImageConfig changed = image;
        char& byte = (*field.text(changed))[bit / 8];
        byte = static_cast<char>(byte ^ (1 << (bit % 8)));
        ASSERT_NE(fingerprint(image, {}), fingerprint(changed, {})) << field.name << " bit " << bit;
      }
    }
  }
  EXPECT_GT(flips, 5'000);
}

TEST(FingerprintProperty, IsAnotherForEveryFlippedBitOfADiffIdOrNumber) {
  Random random;
  for (int i = 0; i < kImages / 10; ++i) {
    oci::ImageConfig image = random.image();
    if (image.diff_ids.empty()) image.diff_ids.push_back(oci::Digest::of("x"));
    image.config.health_check = oci::HealthCheck{{"CMD"}, 1, 2, 3, 4, 5};
    const std::size_t layer = random.below(image.diff_ids.size());
    const std::string hex(image.diff_ids[layer].hex());
    for (std::size_t bit = 0; bit < 256; ++bit) {
      oci::ImageConfig changed = image;
      static const std::string kDigits = "0123456789abcdef";
      std::string other = hex;
      other[bit / 4] = kDigits[kDigits.find(hex[bit / 4]) ^ (1U << (bit % 4))];
      changed.diff_ids[layer] = oci::Digest::from_sha256_hex(other);
      expect_another(image, changed, concat("diff ID ", layer, " bit ", bit));
      ASSERT_NE(layer_text_digest(image.diff_ids), layer_text_digest(changed.diff_ids));
    }
    for (const auto member : {&oci::HealthCheck::interval, &oci::HealthCheck::timeout, &oci::HealthCheck::start_period,
                              &oci::HealthCheck::start_interval, &oci::HealthCheck::retries}) {
      for (unsigned bit = 0; bit < 63; ++bit) {
        oci::ImageConfig changed = image;
        (*changed.config.health_check).*member ^= std::int64_t{1} << bit;
        expect_another(image, changed, concat("number, bit ", bit));
      }
    }
  }
}

TEST(FingerprintProperty, IsAnotherForEveryEntryTakenAwayDoubledOrMoved) {
  Random random;
  const auto lists = {&oci::ContainerConfig::env, &oci::ContainerConfig::entrypoint, &oci::ContainerConfig::cmd,
                      &oci::ContainerConfig::shell, &oci::ContainerConfig::on_build};
  for (int i = 0; i < kImages; ++i) {
    const oci::ImageConfig image = random.image();
    for (const auto member : lists) {
      const auto& entries = image.config.*member;
      for (std::size_t at = 0; at < entries.size(); ++at) {
        oci::ImageConfig less = image, more = image, moved = image;
        auto& shorter = less.config.*member;
        shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(at));
        expect_another(image, less, "an entry less");
        (more.config.*member).insert((more.config.*member).begin() + static_cast<std::ptrdiff_t>(at), entries[at]);
        expect_another(image, more, "an entry twice");
        std::swap((moved.config.*member)[at], (moved.config.*member)[0]);
        if (entries[at] != entries[0]) expect_another(image, moved, "another order");
      }
    }
    for (std::size_t at = 0; at < image.diff_ids.size(); ++at) {
      oci::ImageConfig less = image;
      less.diff_ids.erase(less.diff_ids.begin() + static_cast<std::ptrdiff_t>(at));
      expect_another(image, less, "a layer less");
    }
  }
}

TEST(FingerprintProperty, IsTheSameForNoTwoOfThousandsOfImages) {
  Random random;
  std::map<std::string, oci::ImageConfig> seen;
  for (int i = 0; i < kImages * 20; ++i) {
    oci::ImageConfig image = random.image();
    const auto [known, added] = seen.try_emplace(fingerprint(image, {}), image);
    const auto same = [](const oci::ImageConfig& one, const oci::ImageConfig& other) {
      return one.platform == other.platform && one.diff_ids == other.diff_ids && one.config == other.config;
    };
    ASSERT_TRUE(added || same(known->second, image));
  }
}

TEST(FingerprintProperty, IgnoresTheChosenLabelsAndNoOther) {
  Random random;
  for (int i = 0; i < kImages; ++i) {
    oci::ImageConfig image = random.image(), changed = image;
    const std::string label = random.text();
    changed.config.labels[label] = random.text() + "x";
    if (image.config.labels.contains(label) && image.config.labels[label] == changed.config.labels[label]) continue;
    ASSERT_EQ(fingerprint(image, {label}), fingerprint(changed, {label}));
    ASSERT_NE(fingerprint(image, {label + "x"}), fingerprint(changed, {label + "x"}));
  }
}

}  // namespace
}  // namespace crategate::image
