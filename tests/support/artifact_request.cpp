// Targets and claims.
#include "support/artifact_request.h"

#include <map>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::test {
namespace {

const std::map<std::string, Ask> kCalls{{"CreateArtifact", Ask::create},
                                        {"FinalizeArtifact", Ask::finalize},
                                        {"ListArtifacts", Ask::list},
                                        {"GetSignedArtifactURL", Ask::get_signed},
                                        {"DeleteArtifact", Ask::remove}};

}  // namespace

std::string path_of(const ReceivedRequest& request) { return request.target.substr(0, request.target.find('?')); }

/// The query as it was signed, without what a client adds.
std::string signed_part(const ReceivedRequest& request) {
  const std::size_t question = request.target.find('?');
  const std::string query = question == std::string::npos ? "" : request.target.substr(question + 1);
  return query.substr(0, query.find("&comp="));
}

std::string added(const ReceivedRequest& request, const std::string& key) {
  const std::size_t begin = request.target.find(concat("&", key, "="));
  if (begin == std::string::npos) return {};
  const std::size_t value = begin + key.size() + 2;
  return request.target.substr(value, request.target.find('&', value) - value);
}

std::optional<Ask> ask_of(const ReceivedRequest& request) {
  const std::string path = path_of(request);
  const auto call = path.starts_with(kArtifactCalls) ? kCalls.find(path.substr(kArtifactCalls.size())) : kCalls.end();
  if (call != kCalls.end()) return call->second;
  if (request.method == "GET" && !signed_part(request).empty()) return Ask::get_blob;
  const std::string comp = added(request, "comp");
  if (request.method == "PUT" && comp == "block") return Ask::put_block;
  if (request.method == "PUT" && comp == "blocklist") return Ask::put_block_list;
  return std::nullopt;
}

/// Run and job of a bearer token.
std::optional<std::pair<std::string, std::string>> claims_of(const ReceivedRequest& request) {
  const std::string authorization = request.header("authorization");
  if (!authorization.starts_with("Bearer ")) return std::nullopt;
  const auto parts = split(authorization.substr(7), '.');
  const auto text = parts.size() == 3 ? decode_base64(parts[1]) : std::nullopt;
  const auto claims = json::Document::parse(text.value_or(""), "claims");
  if (!claims) return std::nullopt;
  for (const std::string& scope : split(claims->root().string("scp").value_or(""), ' ')) {
    const auto words = split(scope, ':');
    if (words.size() == 3 && words[0] == "Actions.Results") return std::pair(words[1], words[2]);
  }
  return std::nullopt;
}

std::string job_token(const std::string& run, const std::string& job) {
  const auto part = [](const std::string& text) {
    std::string encoded = replace_all(replace_all(base64(text), "+", "-"), "/", "_");
    while (encoded.ends_with('=')) encoded.pop_back();
    return encoded;
  };
  const std::string scope = concat("Actions.Results:", run, ":", job);
  const std::string claims =
      json::Value::object({{"scp", concat("Actions.GenericRead:1 ", scope)}, {"iss", "a test"}}).canonical();
  return concat(part(R"({"alg":"none"})"), ".", part(claims), ".unsigned-", job);
}

}  // namespace crategate::test
