// The process environment, the cores it may use, and the kernel's random numbers.
#include "sys/environment.h"

#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fstream>

#include "base/strings.h"

namespace crategate::sys {
namespace {

/// The quota of the control group, rounded up; a large number without one.
/// https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
int cores_of_quota() {
  constexpr int kUnlimited = 4096;
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota, period;
  if (!(file >> quota >> period)) return kUnlimited;
  const auto allowed = parse_unsigned(quota), of = parse_unsigned(period);
  if (!allowed || !of || *of == 0) return kUnlimited;
  return static_cast<int>(std::min<std::uint64_t>((*allowed + *of - 1) / *of, kUnlimited));
}

}  // namespace

std::optional<std::string> SystemEnvironment::get(std::string_view name) const {
  const char* const value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::map<std::string, std::string> SystemEnvironment::all() const {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return std::max(1, std::min(allowed, cores_of_quota()));
}

std::string random_hex(std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  unsigned char bytes[64];
  while (text.size() < digits) {
    const ssize_t count = ::getrandom(bytes, sizeof bytes, 0);
    if (count < 0 && errno != EINTR) std::terminate();
    for (ssize_t i = 0; i < count && text.size() < digits; ++i) text += kDigits[bytes[i] & 15u];
  }
  return text;
}

}  // namespace crategate::sys
