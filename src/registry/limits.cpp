// A small reader of structured fields (RFC 9651), and which of the headers count.
#include "registry/limits.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "base/strings.h"
#include "net/retry.h"
#include "sys/clock.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr std::size_t kLongest = 1024;                    // bytes of a header
constexpr std::size_t kMostMembers = 16;                  // and of parameters of each
constexpr std::uint64_t kMostRequests = 999999999999999;  // what a structured field can hold
constexpr std::uint64_t kLongestPause = 366ULL * 24 * 3600;
constexpr std::uint64_t kEarliest = 1000000000, kLatest = 7258118400;  // Unix times: the years 2001 to 2200

using Parameters = std::map<std::string, std::string, std::less<>>;

/// `key=item;name=value`, of which only the item is always there.
struct Member {
  std::string key, item;
  Parameters parameters;
};
using Members = std::vector<Member>;

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-.*:/").find(c) != std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  std::optional<Members> members() {
    Members found;
    do {
      auto next = member();
      if (!next || found.size() == kMostMembers) return std::nullopt;
      found.push_back(*std::move(next));
    } while (takes(','));
    if (!left_.empty()) return std::nullopt;
    return found;
  }

 private:
  bool takes(char wanted) {
    skip_blanks();
    if (left_.empty() || left_.front() != wanted) return false;
    left_.remove_prefix(1);
    skip_blanks();
    return true;
  }

  void skip_blanks() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t"), left_.size())); }

  std::optional<std::string> word() {
    skip_blanks();
    if (takes('"')) return rest_of_string();
    const auto end = std::ranges::find_if_not(left_, is_token);
    std::string found(left_.begin(), end);
    left_.remove_prefix(found.size());
    if (found.empty()) return std::nullopt;
    return found;
  }

  std::optional<std::string> rest_of_string() {
    std::string found;
    while (!left_.empty()) {
      char next = left_.front();
      left_.remove_prefix(1);
      if (next == '"') return found;
      if (next == '\\') {
        if (left_.empty() || (left_.front() != '"' && left_.front() != '\\')) return std::nullopt;
        next = left_.front();
        left_.remove_prefix(1);
      }
      if (next < 0x20 || next == 0x7f) return std::nullopt;
      found += next;
    }
    return std::nullopt;
  }

  std::optional<Member> member() {
    Member found;
    auto first = word();
    if (!first) return std::nullopt;
    found.item = *std::move(first);
    if (takes('=')) {
      auto value = word();
      if (!value) return std::nullopt;
      found.key = std::exchange(found.item, *std::move(value));
    }
    while (takes(';')) {
      auto name = word();
      auto value = name && takes('=') ? word() : std::optional<std::string>("1");
      if (!name || !value || found.parameters.size() == kMostMembers) return std::nullopt;
      // The last of one name counts, as the RFC says.
      found.parameters.insert_or_assign(*std::move(name), *std::move(value));
    }
    return found;
  }

  std::string_view left_;
};

/// All values of a header as one list. An empty list = there is none; nullopt = it cannot be read.
std::optional<Members> members_of(const net::Response& response, std::string_view name) {
  std::string all;
  for (const auto& [each, value] : response.headers) {
    if (to_lower(each) == name) all += concat(all.empty() ? "" : ", ", value);
  }
  if (all.empty()) return Members{};
  if (all.size() > kLongest) return std::nullopt;
  return Reader(all).members();
}

std::optional<std::uint64_t> number(const Parameters& parameters, std::string_view name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::nullopt : parse_unsigned(found->second);
}

std::optional<std::uint64_t> requests(std::optional<std::uint64_t> number) {
  return number && *number <= kMostRequests ? number : std::nullopt;
}

std::optional<seconds> window(std::optional<std::uint64_t> number) {
  if (!number || *number == 0 || *number > kLongestPause) return std::nullopt;
  return seconds(static_cast<std::int64_t>(*number));
}

void set_reset(Quota& quota, std::optional<std::uint64_t> number) {
  if (!number) return;
  if (*number <= kLongestPause) quota.reset_in = seconds(static_cast<std::int64_t>(*number));
  if (*number >= kEarliest && *number <= kLatest) {
    quota.reset_at = std::chrono::sys_seconds(seconds(static_cast<std::int64_t>(*number)));
  }
}

bool says_something(const Quota& quota) { return quota.limit || quota.remaining || quota.reset_in || quota.reset_at; }

/// The one that ends first, and of those the one that lasts longest.
bool is_tighter(const Quota& left, const Quota& right) {
  const auto rank = [](const Quota& quota) {
    return std::tuple(quota.remaining.value_or(kMostRequests), -quota.reset_in.value_or(seconds(0)),
                      -quota.reset_at.value_or(std::chrono::sys_seconds()).time_since_epoch());
  };
  return rank(left) < rank(right);
}

/// `"name";q=100;w=60`, or of before `100;w=60`.
void add_policy(Quota& quota, const std::string& name, const Members& policies) {
  for (const Member& policy : policies) {
    const bool named = !name.empty() && policy.item == name;
    if (!named && (!quota.limit || parse_unsigned(policy.item) != quota.limit)) continue;
    if (named) quota.limit = requests(number(policy.parameters, "q"));
    if (!quota.window) quota.window = window(number(policy.parameters, "w"));
    return;
  }
}

/// `limit=100, remaining=50, reset=5`.
Quota of_dictionary(const Members& members) {
  Quota quota;
  for (const Member& each : members) {
    if (each.key == "limit") quota.limit = requests(parse_unsigned(each.item));
    if (each.key == "remaining") quota.remaining = requests(parse_unsigned(each.item));
    if (each.key == "reset") set_reset(quota, parse_unsigned(each.item));
  }
  return quota;
}

std::optional<Quota> of_one_header(const net::Response& response) {
  const auto members = members_of(response, "ratelimit");
  const auto policies = members_of(response, "ratelimit-policy");
  if (!members || members->empty() || !policies) return std::nullopt;
  Quota tightest = of_dictionary(*members);
  add_policy(tightest, "", *policies);
  for (const Member& each : *members) {
    if (!each.key.empty()) continue;
    Quota quota;
    quota.remaining = requests(number(each.parameters, "r"));
    set_reset(quota, number(each.parameters, "t"));
    add_policy(quota, each.item, *policies);
    if (!says_something(tightest) || is_tighter(quota, tightest)) tightest = quota;
  }
  return tightest;
}

std::optional<Quota> of_three_headers(const net::Response& response, const std::string& prefix) {
  const auto limit = members_of(response, prefix + "-limit");
  const auto remaining = members_of(response, prefix + "-remaining");
  const auto reset = members_of(response, prefix + "-reset");
  // What is left and until when is one number each; beside the limit its policies may stand.
  if (!limit || !remaining || !reset || remaining->size() > 1 || reset->size() > 1) return std::nullopt;
  Quota quota;
  if (!limit->empty()) {
    quota.limit = requests(parse_unsigned(limit->front().item));
    quota.window = window(number(limit->front().parameters, "w"));
    add_policy(quota, "", Members(limit->begin() + 1, limit->end()));
  }
  if (!remaining->empty()) {
    quota.remaining = requests(parse_unsigned(remaining->front().item));
    if (!quota.window) quota.window = window(number(remaining->front().parameters, "w"));
  }
  if (!reset->empty()) set_reset(quota, parse_unsigned(reset->front().item));
  return quota;
}

}  // namespace

std::optional<Quota> quota_of(const net::Response& response) {
  for (const auto& quota :
       {of_one_header(response), of_three_headers(response, "ratelimit"), of_three_headers(response, "x-ratelimit")}) {
    if (quota && says_something(*quota)) return quota;
  }
  return std::nullopt;
}

std::optional<milliseconds> until_reset(const Quota& quota, const net::Response& response,
                                        system_clock::time_point now) {
  if (quota.reset_in) return *quota.reset_in;
  if (!quota.reset_at) return std::nullopt;
  const auto by = net::parse_http_date(response.header("date")).value_or(now);
  return std::clamp(std::chrono::ceil<milliseconds>(*quota.reset_at - by), milliseconds(0),
                    milliseconds(seconds(kLongestPause)));
}

std::optional<milliseconds> asked_pause(const net::Response& response, system_clock::time_point now) {
  if (const auto asked = net::requested_pause(response, now)) return asked;
  const auto quota = response.status == 429 ? quota_of(response) : std::nullopt;
  if (!quota || quota->remaining.value_or(0) > 0) return std::nullopt;
  const auto reset = until_reset(*quota, response, now);
  return reset && *reset > milliseconds(0) ? reset : std::nullopt;
}

std::string describe(const Quota& quota) {
  std::string text;
  const auto add = [&text](std::string part) { text += concat(text.empty() ? "" : ", ", part); };
  const auto time = [](seconds length) { return format_duration(milliseconds(length).count()); };
  if (quota.limit) add(concat("limit ", *quota.limit, quota.window ? concat(" in ", time(*quota.window)) : ""));
  if (quota.remaining) add(concat(*quota.remaining, " left"));
  if (quota.reset_in) add(concat("more in ", time(*quota.reset_in)));
  if (quota.reset_at) add(concat("more at ", sys::rfc3339(*quota.reset_at)));
  return text;
}

}  // namespace crategate::registry
