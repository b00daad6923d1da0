// Rendering of tokens with one cell's variables. The tokens are our own and not a library's: kainjow's mustache splits
// section names at dots (`python < 3.12` becomes a path) and drops a line whose rendered text is blank, so that it is
// neither able to compare nor exact to the byte.
// Belongs here: values, truth and comparison.  Not here: grammar (tokens).
#include "dockerfile/template.h"

#include <compare>
#include <optional>

#include "base/strings.h"
#include "base/version.h"
#include "dockerfile/tokens.h"

namespace crategate::dockerfile {
namespace {

constexpr std::size_t kMaxBytes = 1u << 20;

bool holds(Comparison comparison, std::strong_ordering order) {
  switch (comparison) {
    case Comparison::less:
      return order < 0;
    case Comparison::less_equal:
      return order <= 0;
    case Comparison::greater:
      return order > 0;
    case Comparison::greater_equal:
      return order >= 0;
    case Comparison::equal:
      return order == 0;
    case Comparison::not_equal:
      return order != 0;
    case Comparison::none:
      break;
  }
  return false;
}

struct Renderer {
  std::string_view text;
  std::string_view file_name;
  const Variables& variables;

  Failure refuse(const Token& token, std::string message, std::string hint) const {
    Error error{ErrorCode::bad_input, std::move(message), std::move(hint), {}, std::nullopt, std::nullopt};
    error.location = locate(text, token.offset, file_name);
    return fail(std::move(error));
  }

  Failure unknown(const Token& token) const {
    std::vector<std::string> names;
    for (const auto& [name, value] : variables) names.push_back(name);
    const auto near = nearest(token.text, names);
    return refuse(token, concat("unknown variable ", quoted(token.text)),
                  near ? concat("did you mean ", *near, "?") : concat("known here: ", join(names, ", ")));
  }

  Result<bool> compares(const Token& token) const {
    const auto variable = variables.find(std::string(token.text));
    if (variable == variables.end()) return unknown(token);
    const auto order = compare_dotted(variable->second, token.operand);
    if (!order)
      return refuse(token, concat("expected ", token.text, " to be a dotted version, found ", quoted(variable->second)),
                    "only versions are compared; for other conditions give the value a variable and use {{#variable}}");
    return holds(token.comparison, *order);
  }

  Result<bool> is_true(const Token& token) const {
    if (token.comparison != Comparison::none) return compares(token);
    const auto variable = variables.find(std::string(token.text));
    return variable != variables.end() && !variable->second.empty() && variable->second != "false";
  }

  Result<std::string> run(const std::vector<Token>& tokens) const {
    std::string out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      if (token.kind == Token::Kind::text) {
        out += token.text;
      } else if (token.kind == Token::Kind::variable) {
        const auto variable = variables.find(std::string(token.text));
        if (variable == variables.end()) return unknown(token);
        out += variable->second;
      } else if (token.kind != Token::Kind::close) {
        CG_TRY(const bool truth, is_true(token));
        if (truth == (token.kind == Token::Kind::inverted)) i = token.end;
      }
      if (out.size() > kMaxBytes)
        return refuse(token, "expected at most 1 MiB of output, found more", "make the template smaller");
    }
    return out;
  }
};

}  // namespace

Result<std::string> render(std::string_view text, const Variables& variables, std::string_view file_name) {
  if (text.size() > kMaxBytes)
    return fail(ErrorCode::bad_input,
                concat(file_name, ": expected a template of at most 1 MiB, found ", format_bytes(text.size())),
                "make the template smaller");
  CG_TRY(const auto tokens, tokenize(text, file_name));
  return Renderer{text, file_name, variables}.run(tokens);
}

}  // namespace crategate::dockerfile
