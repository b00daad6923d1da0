// The table, and its reasons.
#include "sweep/fault_sweep.h"

#include <algorithm>

namespace crategate::sweep {

using test::RegistryFault;
using test::RequestKind;
using Kind = RegistryFault::Kind;

std::vector<NamedFault> all_faults() {
  const auto status = [](const char* name, int code, net::Headers headers = {}, std::string body = {}) {
    RegistryFault fault;
    fault.status = code;
    fault.headers = std::move(headers);
    fault.body = std::move(body);
    return NamedFault{name, std::move(fault)};
  };
  const auto kind = [](const char* name, Kind what) {
    RegistryFault fault;
    fault.kind = what;
    return NamedFault{name, std::move(fault)};
  };
  return {kind("Refused", Kind::refused),                         // B16
          kind("ResetBefore", Kind::reset_before),                // B09
          kind("ResetAfter", Kind::reset_after),                  // B09: it was done
          kind("Stall", Kind::stall),                             // B10
          status("Status429For1s", 429, {{"Retry-After", "1"}}),  // B06
          status("Status429UntilDate", 429, {{"Retry-After", "Fri, 20 Nov 2026 09:29:30 GMT"}}),
          status("Status429ForADay", 429, {{"Retry-After", "86400"}}),  // B06
          status("Status429ResetIn2s", 429, {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "2"}}),
          status("Status429Garbage", 429, {{"Retry-After", "soon"}}),
          status("Status500", 500, {}, R"({"errors":[{"code":"UNKNOWN","message":"defect"}]})"),  // B08
          status("Status502", 502, {{"Content-Type", "text/html"}}, "<html>bad gateway</html>"),  // B08
          status("Status503For2s", 503, {{"Retry-After", "2"}}),
          kind("Truncated", Kind::truncated),                   // B11
          kind("WrongDigest", Kind::wrong_digest),              // A45, B12
          kind("WrongType", Kind::wrong_type),                  // A47
          kind("Duplicate", Kind::duplicate),                   // B13
          kind("Slow", Kind::slow),                             // B10
          kind("RedirectElsewhere", Kind::redirect_elsewhere),  // A42
          kind("RedirectLoop", Kind::redirect_loop),            // A43
          kind("NoEffect", Kind::no_effect)};                   // A53
}

std::vector<RequestKind> all_kinds() {
  using enum RequestKind;
  return {blob_head,     blob_get,     upload_start, upload_chunk,    upload_status, upload_end, mount,
          manifest_head, manifest_get, manifest_put, manifest_delete, tags,          referrers,  token_get};
}

namespace {

enum class When : unsigned char { once, always, both };

struct Exception {
  std::vector<RequestKind> kinds;
  std::vector<std::string_view> faults;
  When when;
  End end;
  std::string_view reason;
};

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const std::vector<Exception>& exceptions() {
  using enum RequestKind;
  static const std::vector<Exception> all{
      {{upload_chunk, upload_end, mount, manifest_put},
       {"ResetAfter", "Truncated"},
       When::always,
       {true, {}},
       "it was done, and another question tells so"},
      {{token_get},
       {"Status429For1s", "Status429UntilDate", "Status429ResetIn2s", "Status429Garbage"},
       When::once,
       {true, {ErrorCode::rate_limited}},
       "a token server that counts may be left alone"},
      {{blob_get, tags, referrers}, {"WrongDigest"}, When::both, {false, {ErrorCode::integrity}}, "A45, A47"},
      {{manifest_get}, {"WrongDigest"}, When::always, {false, {ErrorCode::integrity}}, "A45, B12: asked twice"},
      {{manifest_head},
       {"WrongDigest"},
       When::both,
       {false, {ErrorCode::not_found}},
       "the digest of a tag is the registry's word; who reads the manifest checks it"},
      {{token_get}, {"WrongDigest"}, When::both, {false, {ErrorCode::unauthenticated}}, "A51: it is no JSON any more"},
      {{blob_head, manifest_head},
       {"RedirectElsewhere"},
       When::both,
       {true, {}},
       "a blob that is stored elsewhere is there; a manifest is asked by GET"},
      {{blob_head}, {"RedirectLoop"}, When::both, {true, {}}, "as above: no redirect of it is followed"},
      {{blob_get, manifest_head, manifest_get},
       {"RedirectLoop"},
       When::once,
       {true, {}},
       "one redirect is none too many"},
      {{upload_status}, {"Refused"}, When::always, {false, {ErrorCode::unavailable}}, "then nobody answers the rest"},
      {{upload_start},
       {"NoEffect"},
       When::always,
       {false, {ErrorCode::not_found}},
       "uploads that nobody knows of; begun anew a few times"},
      {{upload_chunk},
       {"NoEffect"},
       When::both,
       {false, {ErrorCode::integrity}},
       "the digest does not match at the end"},
      {{manifest_put}, {"NoEffect"}, When::both, {false, {ErrorCode::unavailable}}, "A53, B05: read back for a minute"},
  };
  return all;
}

/// What holds for every request that is no exception.
End usual_end(std::string_view fault, bool once) {
  if (fault == "Status429ForADay") return {false, {ErrorCode::rate_limited}};  // B06
  if (fault.starts_with("Redirect")) return {false, {ErrorCode::unavailable, ErrorCode::integrity}};
  if (once || contains({"WrongDigest", "WrongType", "Duplicate", "Slow", "NoEffect"}, fault)) return {true, {}};
  if (fault.starts_with("Status429")) return {false, {ErrorCode::rate_limited}};
  if (fault == "Truncated") return {false, {ErrorCode::integrity, ErrorCode::unavailable}};  // B11
  return {false, {ErrorCode::unavailable}};                                                  // B08, B09
}

}  // namespace

End expected_end(RequestKind kind, const std::string& fault, bool once) {
  for (const Exception& each : exceptions()) {
    const bool now = each.when == When::both || (each.when == When::once) == once;
    const bool of_kind = std::find(each.kinds.begin(), each.kinds.end(), kind) != each.kinds.end();
    if (now && of_kind && contains(each.faults, fault)) return each.end;
  }
  // B14: the state of an upload is asked to save bytes; without an answer the upload begins anew.
  if (kind == RequestKind::upload_status && fault != "Status429ForADay") return {true, {}};
  return usual_end(fault, once);
}

}  // namespace crategate::sweep
