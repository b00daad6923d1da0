// Result<T> and the two early-return macros.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "base/error.h"

namespace crategate {

/// A value or the Error that kept us from it. Absence is not failure: use Result<std::optional<T>>.
template <class T = void>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

inline Failure fail(Error error) { return Failure{std::move(error)}; }
inline Failure fail(ErrorCode code, std::string message, std::string hint = {}) {
  return Failure{Error{code, std::move(message), std::move(hint), {}, std::nullopt, std::nullopt}};
}

}  // namespace crategate

#define CG_CONCAT_INNER(a, b) a##b
#define CG_CONCAT(a, b) CG_CONCAT_INNER(a, b)
#define CG_TRY_IMPL(temporary, declaration, expression)                   \
  auto temporary = (expression);                                          \
  if (!temporary) return ::crategate::fail(std::move(temporary).error()); \
  declaration = *std::move(temporary)
/// CG_TRY(const auto plan, load_plan(path)); returns the error to the caller, else binds the value.
#define CG_TRY(declaration, expression) CG_TRY_IMPL(CG_CONCAT(cg_try_, __LINE__), declaration, expression)
/// CG_CHECK(write(path)); for Result<void>.
#define CG_CHECK(expression)                                                                            \
  do {                                                                                                  \
    if (auto cg_check = (expression); !cg_check) return ::crategate::fail(std::move(cg_check).error()); \
  } while (false)
