// The command line of one buildx build, by the policy table P-ST-4.
// Belongs here: request → argv.  Not here: which builder, running it, reading what it prints.
#include "base/strings.h"
#include "docker/build.h"

namespace crategate::docker {
namespace {

// --load with OCI media types, so that the manifest is an OCI one in every image store and in OCI layouts.
constexpr std::string_view kLoad = "--output=type=docker,oci-mediatypes=true";
constexpr std::string_view kEpoch = "SOURCE_DATE_EPOCH=";

// Cache options are one CSV record to buildx; quoting keeps a comma in a path from becoming another option.
std::string csv_field(std::string text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return concat('"', replace_all(std::move(text), "\"", "\"\""), '"');
}

std::string cache_location(const Cache& cache, std::string_view directory_key) {
  if (!cache.reference.empty()) return concat("type=registry,", csv_field(concat("ref=", cache.reference)));
  return concat("type=local,", csv_field(concat(directory_key, '=', cache.directory)));
}

/// As an image's manifest: registries that check what a manifest names refuse BuildKit's older form, an index of layers.
std::string cache_form(const Cache& cache) {
  return cache.reference.empty() ? "" : ",image-manifest=true,oci-mediatypes=true";
}

std::string output(const BuildRequest& request) {
  if (!request.layout.empty())
    return concat("--output=type=oci,tar=false,", csv_field(concat("dest=", request.layout)));
  if (request.archive.empty()) return std::string(kLoad);
  return concat(kLoad, ",", csv_field(concat("dest=", request.archive)),
                request.source_date_epoch.empty() ? "" : ",rewrite-timestamp=true");
}

std::string platforms(const BuildRequest& request) {
  std::string text = request.platform.text();
  for (const auto& more : request.more_platforms) text += concat(",", more.text());
  return text;
}

bool names_a_place(const Cache& cache) { return !cache.reference.empty() || !cache.directory.empty(); }

void add_caches(const BuildRequest& request, std::vector<std::string>& argv) {
  for (const Cache& cache : request.cache_from) {
    if (!request.fresh && names_a_place(cache)) argv.push_back(concat("--cache-from=", cache_location(cache, "src")));
  }
  for (const Cache& cache : request.cache_to) {
    if (!names_a_place(cache)) continue;
    argv.push_back(concat("--cache-to=", cache_location(cache, "dest"), ",mode=max", cache_form(cache),
                          cache.ignore_error ? ",ignore-error=true" : ""));
  }
  if (request.inline_cache) argv.emplace_back("--cache-to=type=inline");
}

void add_each(std::string_view option, const std::vector<std::string>& values, std::vector<std::string>& argv) {
  for (const std::string& value : values) argv.push_back(concat(option, value));
}

void add_if_set(std::string_view option, const std::string& value, std::vector<std::string>& argv) {
  if (!value.empty()) argv.push_back(concat(option, value));
}

// A context is positional: one that looks like an option or like "read standard input" is a directory of that name.
std::string context_argument(const std::string& context) {
  if (context.empty()) return ".";
  return context.front() == '-' ? concat("./", context) : context;
}

}  // namespace

std::vector<std::string> build_arguments(const BuildRequest& request) {
  std::vector<std::string> argv{"build", concat("--platform=", platforms(request))};
  add_if_set("--file=", request.dockerfile, argv);
  add_each("--tag=", request.tags, argv);
  argv.insert(argv.end(), {output(request), "--progress=plain", concat("--provenance=", request.provenance)});
  if (request.fresh) argv.insert(argv.end(), {"--pull", "--no-cache"});
  add_caches(request, argv);
  if (!request.source_date_epoch.empty()) argv.push_back(concat("--build-arg=", kEpoch, request.source_date_epoch));
  add_each("--build-arg=", request.build_args, argv);  // the last one of a name counts
  add_each("--build-context=", request.build_contexts, argv);
  add_each("--secret=", request.secrets, argv);
  for (const auto& [key, value] : request.labels) argv.push_back(concat("--label=", key, '=', value));
  add_each("--annotation=", request.annotations, argv);
  add_if_set("--target=", request.target, argv);
  add_if_set("--network=", request.network, argv);
  add_if_set("--builder=", request.builder, argv);
  add_if_set("--metadata-file=", request.metadata_file, argv);
  argv.push_back(context_argument(request.context));
  return argv;
}

}  // namespace crategate::docker
