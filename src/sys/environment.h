// The process environment as a seam; the only place that calls getenv.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace crategate::sys {

class Environment {
 public:
  virtual ~Environment() = default;
  virtual std::optional<std::string> get(std::string_view name) const = 0;
  virtual std::map<std::string, std::string> all() const = 0;
};

class SystemEnvironment final : public Environment {
 public:
  std::optional<std::string> get(std::string_view name) const override;
  std::map<std::string, std::string> all() const override;
};

/// Number of cores this process may use, at least 1.
int available_cores();
/// Random lower-case hex digits from the kernel.
std::string random_hex(std::size_t digits);

}  // namespace crategate::sys
