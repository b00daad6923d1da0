#include "pipeline/lease.h"

#include <utility>

#include "base/strings.h"
#include "pipeline/document.h"

namespace crategate::pipeline {
namespace {

using json::Reader;
using json::Value;

Value lease_value(const Lease& lease) {
  auto value = Value::object({{"schema", kSchema}, {"epoch", lease.epoch}});
  if (!lease.holder) return value;
  value.set("holder",
            Value::object({{"run", lease.holder->run}, {"attempt", lease.holder->attempt}, {"id", lease.holder->id}}));
  value.set("until", lease.until);
  return value;
}

Result<Lease> read_lease(const Reader& from) {
  Lease lease;
  CG_TRY(lease.epoch, count_at(from, "epoch"));
  CG_TRY(const auto holder, from.find("holder"));
  if (!holder) return lease;
  LeaseHolder who;
  CG_TRY(who.run, holder->string("run"));
  CG_TRY(who.attempt, holder->string("attempt"));
  CG_TRY(who.id, holder->string("id"));
  lease.holder = std::move(who);
  CG_TRY(lease.until, time_at(from, "until"));
  return lease;
}

bool is_earlier_attempt(const LeaseHolder& holder, const LeaseHolder& self) {
  const auto before = parse_unsigned(holder.attempt), now = parse_unsigned(self.attempt);
  return !self.run.empty() && holder.run == self.run && before && now && *before < *now;
}

}  // namespace

std::string LeaseHolder::text() const {
  return run.empty() ? id : concat("attempt ", attempt, " of the workflow run ", run, " (", id, ")");
}

std::string to_json(const Lease& lease) { return concat(lease_value(lease).canonical(), "\n"); }

Result<Lease> parse_lease(std::string_view text, std::string_view file_name) {
  return parse_document(text, file_name, read_lease, lease_value,
                        "A lease is never edited by hand; see docs/leases.md for how to remove one.");
}

Claim judge_lease(const std::optional<Lease>& lease, const LeaseHolder& self, std::string_view before) {
  if (!lease || !lease->holder) return Claim::free;
  if (lease->holder->id == self.id) return Claim::own;
  if (is_earlier_attempt(*lease->holder, self)) return Claim::resumed;
  return lease->until <= before ? Claim::expired : Claim::held;
}

}  // namespace crategate::pipeline
