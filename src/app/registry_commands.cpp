#include "app/registry_commands.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "oci/media_types.h"
#include "registry/copy.h"
#include "registry/untag.h"
#include "stages/image_place.h"
#include "sys/parallel.h"

namespace crategate::app {
namespace {

using stages::ImagePlace;

constexpr std::size_t kRequestsAtATime = 64;

/// The words after the command; `names`: what is expected, for the error.
/// Errors: bad_input for fewer than `least`, or an empty one.
Result<std::vector<std::string>> words_of(const Application& app, std::size_t least, std::string_view names) {
  const auto& words = app.line().positional;
  const bool empty = std::ranges::find(words, "") != words.end();
  if (words.size() >= least && !empty) return words;
  return fail(ErrorCode::bad_input,
              concat(app.line().command, ": expected ", names, ", found ", empty ? "an empty word" : "fewer words"),
              concat("`crategate ", app.line().command, " --help` shows an example."));
}

bool writes(const Application& app) { return app.invocation().publish && !app.invocation().dry_run; }

/// An image to be read; `latest` where the name says neither tag nor digest.
Result<ImagePlace> image_at(Application& app, const std::string& text) {
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  return stages::find_place(text, *client, *client, "latest", false);
}

Failure absent(const ImagePlace& place) {
  return fail(ErrorCode::not_found, concat(place.text(), ": expected an image, found none"),
              place.layout ? "`crategate registry ls oci:DIR` prints the names in a layout"
                           : "check the name; `crategate registry ls` prints the tags of a repository");
}

Result<registry::StoredManifest> stored_at(const ImagePlace& place) {
  CG_TRY(auto stored, place.reader->manifest(place.reference));
  if (!stored) return absent(place);
  return *std::move(stored);
}

json::Value json_of(const oci::Descriptor& descriptor) {
  auto value = json::Value::object(
      {{"mediaType", descriptor.media_type}, {"digest", descriptor.digest.text()}, {"size", descriptor.size}});
  if (descriptor.platform) value.set("platform", descriptor.platform->text());
  if (!descriptor.artifact_type.empty()) value.set("artifactType", descriptor.artifact_type);
  return value;
}

json::Value json_of(const std::vector<oci::Descriptor>& descriptors) {
  auto rows = json::Value::array();
  for (const auto& descriptor : descriptors) rows.push(json_of(descriptor));
  return rows;
}

/// A registry's or a layout's own words, which must not look like lines of ours.
std::string one_line(std::string_view text) { return replace_all(std::string(text), "\n", "\\n"); }

/// "  layer    sha256:…  3.4 MiB  application/…"
std::string row(std::string_view title, const oci::Descriptor& descriptor, std::string_view what) {
  return concat("  ", title, "  ", descriptor.digest.text(), "  ", format_bytes(descriptor.size), "  ", one_line(what),
                "\n");
}

/// What a manifest or an index names, for people and as JSON members.
Result<std::string> describe_parts(const registry::StoredManifest& stored, json::Value& document) {
  const std::string& type = stored.descriptor.media_type;
  std::string text;
  if (oci::is_index(type)) {
    CG_TRY(const auto index, oci::parse_index(stored.bytes, type));
    document.set("manifests", json_of(index.manifests));
    for (const auto& child : index.manifests) {
      text += row("manifest", child, child.platform ? child.platform->text() : child.media_type);
    }
    return text;
  }
  CG_TRY(const auto manifest, oci::parse_manifest(stored.bytes, type));
  document.set("config", json_of(manifest.config)).set("layers", json_of(manifest.layers));
  text += row("config  ", manifest.config, manifest.config.media_type);
  for (const auto& layer : manifest.layers) text += row("layer   ", layer, layer.media_type);
  return text;
}

void say_what_was_copied(Application& app, const ImagePlace& from, const ImagePlace& to,
                         const registry::Copied& copied) {
  for (const auto& name : copied.kept) log::warning(concat("kept ", name, ": it names another signature already"));
  if (app.line().json) {
    app.console().document(json::Value::object({{"from", from.text()},
                                                {"to", to.text()},
                                                {"digest", copied.digest.text()},
                                                {"manifests", copied.manifests},
                                                {"mounted", copied.mounted},
                                                {"present", copied.present},
                                                {"uploaded", copied.uploaded},
                                                {"bytes", copied.bytes},
                                                {"kept", json::Value::array_of(copied.kept)}})
                               .pretty());
    return;
  }
  app.console().lines(concat(copied.digest.text(), "  ", to.text(), "\n"));
  log::info(concat(copied.manifests, copied.manifests == 1 ? " manifest" : " manifests", "; blobs: ", copied.mounted,
                   " mounted, ", copied.present, " there already, ", copied.uploaded, " uploaded (",
                   format_bytes(copied.bytes), ")"));
}

/// A layout has no repository that a person knows: its directory stands in the message.
Error as_written(Error error, const ImagePlace& from, const ImagePlace& to) {
  const ImagePlace& layout = from.layout ? from : to;
  if (layout.layout) {
    error.message =
        replace_all(error.message, layout.reference.repository.familiar(), concat("oci:", layout.directory));
  }
  return error;
}

/// `ghcr.io`, `localhost:5000` or a repository: the first word of a repository's name is a host when it looks like one.
Result<oci::Repository> registry_or_repository(const std::string& text) {
  const bool host =
      text.find('/') == std::string::npos && (text.find_first_of(".:") != std::string::npos || text == "localhost");
  if (!host) return oci::parse_repository(text);
  CG_TRY(oci::Repository repository, oci::parse_repository(concat(text, "/any")));
  repository.path.clear();
  return repository;
}

std::string right(const std::optional<Error>& refusal) { return refusal ? "no" : "yes"; }

}  // namespace

Result<void> registry_ls(Application& app) {
  CG_TRY(const auto words, words_of(app, 1, "REPOSITORY"));
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  CG_TRY(const ImagePlace place, stages::find_place(words[0], *client, *client, "", false));
  if (place.reference.tag || place.reference.digest) {
    return fail(ErrorCode::bad_input, concat(words[0], ": expected a repository, found an image in it"),
                concat("Leave out the ", place.reference.tag ? "tag" : "digest", "."));
  }
  CG_TRY(const auto tags, place.reader->tags(place.reference.repository));
  if (!tags) {
    return fail(ErrorCode::not_found, concat(words[0], ": expected a repository with tags, found none"),
                "check the name; nothing has been pushed to it, or the login may not see it");
  }
  if (app.line().json) {
    app.console().document(
        json::Value::object({{"repository", words[0]}, {"tags", json::Value::array_of(*tags)}}).pretty());
    return {};
  }
  std::string text;
  for (const auto& tag : *tags) text += concat(one_line(tag), "\n");
  app.console().lines(text);
  return {};
}

Result<void> registry_inspect(Application& app) {
  CG_TRY(const auto words, words_of(app, 1, "IMAGE"));
  CG_TRY(const ImagePlace place, image_at(app, words[0]));
  CG_TRY(const auto stored, stored_at(place));
  CG_TRY(const auto referrers, place.reader->referrers(place.reference.repository, stored.descriptor.digest));
  auto document = json_of(stored.descriptor);
  document.set("image", place.text());
  CG_TRY(std::string text, describe_parts(stored, document));
  document.set("referrers", json_of(referrers));
  if (app.line().json) {
    app.console().document(document.pretty());
    return {};
  }
  for (const auto& entry : referrers) {
    text += row("referrer", entry, entry.artifact_type.empty() ? entry.media_type : entry.artifact_type);
  }
  app.console().lines(
      concat(place.text(), "\n", row("this    ", stored.descriptor, stored.descriptor.media_type), text));
  return {};
}

Result<void> registry_copy(Application& app) {
  CG_TRY(const auto words, words_of(app, 2, "FROM TO"));
  CG_TRY(const ImagePlace from, image_at(app, words[0]));
  if (!writes(app)) {
    CG_TRY(const auto stored, stored_at(from));
    const std::string digest = stored.descriptor.digest.text();
    if (app.line().json) {
      app.console().document(
          json::Value::object({{"from", from.text()}, {"to", words[1]}, {"digest", digest}}).pretty());
    } else {
      app.console().lines(concat("would copy ", from.text(), " (", digest, ") to ", words[1], "\n"));
    }
    return {};
  }
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  CG_TRY(ImagePlace to, stages::find_place(words[1], *client, *client, "latest", true));
  if (!to.layout && to.reference.digest) {
    return fail(ErrorCode::bad_input, concat(words[1], ": expected a tag to copy to, found a digest"),
                "Name a tag; without one it is `latest`.");
  }
  if (to.layout && !to.reference.tag && !to.reference.digest) to.reference.tag = from.reference.tag.value_or("latest");
  auto copied =
      registry::copy_image(*from.reader, from.reference, *to.reader, *to.writer, to.reference,
                           {.with_referrers = app.invocation().referrers, .may_mount = !from.layout && !to.layout});
  if (!copied) return fail(as_written(std::move(copied).error(), from, to));
  say_what_was_copied(app, from, to, *copied);
  return {};
}

Result<void> registry_tag(Application& app) {
  CG_TRY(const auto words, words_of(app, 2, "IMAGE TAG..."));
  CG_TRY(const ImagePlace place, image_at(app, words[0]));
  std::vector<oci::Reference> targets;
  for (std::size_t i = 1; i < words.size(); ++i) {
    CG_TRY(auto tag, oci::parse_tag(words[i]));
    targets.push_back({place.reference.repository, std::move(tag), std::nullopt});
  }
  CG_TRY(const auto stored, stored_at(place));
  const oci::Descriptor& descriptor = stored.descriptor;
  if (writes(app)) {
    auto written = sys::for_each_parallel(targets.size(), kRequestsAtATime, [&](std::size_t i) -> Result<void> {
      CG_CHECK(place.writer->put_manifest(targets[i], stored.bytes, descriptor.media_type));
      return {};
    });
    if (!written) return written;
  }
  auto rows = json::Value::array();
  std::string text;
  for (const auto& target : targets) {
    const std::string name = ImagePlace{target, {}, {}, place.layout, place.directory}.text();
    rows.push(json::Value::object({{"image", name}, {"digest", descriptor.digest.text()}}));
    text += concat(writes(app) ? "" : "would tag ", descriptor.digest.text(), "  ", name, "\n");
  }
  if (app.line().json) {
    app.console().document(rows.pretty());
  } else {
    app.console().lines(text);
  }
  return {};
}

Result<void> registry_untag(Application& app) {
  CG_TRY(const auto words, words_of(app, 1, "IMAGE:TAG..."));
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  std::vector<ImagePlace> places;
  for (const auto& word : words) {
    CG_TRY(ImagePlace place, stages::find_place(word, *client, *client, "", false));
    if (!place.reference.tag || place.reference.digest) {
      return fail(ErrorCode::bad_input, concat(word, ": expected a tag to remove, found none of its own"),
                  "write NAME:TAG or oci:DIR:NAME, without a digest; the image itself stays");
    }
    places.push_back(std::move(place));
  }
  std::vector<std::string> digests;  // of all, before the first is removed
  for (const auto& place : places) {
    CG_TRY(const auto digest, place.reader->digest(place.reference));
    if (!digest) return absent(place);
    digests.push_back(digest->text());
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (writes(app)) CG_CHECK(registry::remove_tag(*places[i].reader, *places[i].writer, places[i].reference));
    app.console().lines(concat(writes(app) ? "removed  " : "would remove  ", places[i].text(), "  ", digests[i], "\n"));
  }
  return {};
}

Result<void> registry_digest(Application& app) {
  CG_TRY(const auto words, words_of(app, 1, "IMAGE..."));
  std::vector<ImagePlace> places;
  for (const auto& word : words) {
    CG_TRY(ImagePlace place, image_at(app, word));
    places.push_back(std::move(place));
  }
  std::vector<std::optional<oci::Digest>> digests(places.size());
  std::vector<std::optional<Error>> failures(places.size());
  CG_CHECK(sys::for_each_parallel(places.size(), kRequestsAtATime, [&](std::size_t i) -> Result<void> {
    auto digest = places[i].reader->digest(places[i].reference);
    if (digest) {
      digests[i] = *std::move(digest);
    } else {
      failures[i] = std::move(digest).error();
    }
    return {};
  }));
  auto rows = json::Value::array();
  std::string text;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::string digest = digests[i] ? digests[i]->text() : std::string();
    rows.push(json::Value::object(
        {{"image", places[i].text()}, {"digest", digest.empty() ? json::Value() : json::Value(digest)}}));
    if (!digest.empty()) text += concat(digest, "  ", places[i].text(), "\n");
    if (failures[i]) log::error(describe(*failures[i]));
    if (!failures[i] && digest.empty()) log::error(concat(places[i].text(), ": found none"));
  }
  if (app.line().json) {
    app.console().document(rows.pretty());
  } else {
    app.console().lines(text);
  }
  // What was found is printed all the same; the first that was not decides.
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (failures[i]) return fail(*std::move(failures[i]));
    if (!digests[i]) return absent(places[i]);
  }
  return {};
}

Result<void> registry_auth_check(Application& app) {
  CG_TRY(const auto words, words_of(app, 1, "REGISTRY[/REPOSITORY]"));
  CG_TRY(const auto repository, registry_or_repository(words[0]));
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  CG_TRY(const auto access, client->check_access(repository));
  const std::string user = access.user.empty() ? std::string("(anonymous)") : access.user;
  if (app.line().json) {
    auto document =
        json::Value::object({{"registry", repository.registry}, {"user", access.user}, {"pull", !access.no_pull}});
    if (access.asked_push) document.set("repository", repository.familiar()).set("push", !access.no_push);
    app.console().document(document.pretty());
  } else {
    app.console().lines(concat(words[0], "\n  user  ", user, "\n  ", access.asked_push ? "pull  " : "login ",
                               !access.asked_push && access.user.empty() ? "none needed so far" : right(access.no_pull),
                               "\n",
                               access.asked_push ? concat("  push  ", right(access.no_push), "\n") : std::string()));
  }
  if (access.no_pull) return fail(*access.no_pull);
  if (access.no_push) return fail(*access.no_push);
  return {};
}

}  // namespace crategate::app
