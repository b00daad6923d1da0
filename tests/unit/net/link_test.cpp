// Where the next page is.
#include "net/link.h"

#include <gtest/gtest.h>

namespace crategate::net {
namespace {

struct NextRow {
  const char* name;
  Headers headers;
  std::optional<std::string> next;
};

class NextPage : public testing::TestWithParam<NextRow> {};

TEST_P(NextPage, IsTheTargetOfRelNext) {
  const auto next = next_page(GetParam().headers);
  ASSERT_TRUE(next) << describe(next.error());
  EXPECT_EQ(*next, GetParam().next);
}

Headers link(std::string value) { return {{"Link", std::move(value)}}; }

INSTANTIATE_TEST_SUITE_P(
    Rows, NextPage,
    testing::Values(
        NextRow{"NoHeader", {{"Content-Type", "x"}}, std::nullopt}, NextRow{"EmptyHeader", link(""), std::nullopt},
        NextRow{"AsGitHubSendsIt",
                link(R"(<https://api.github.com/r?page=2>; rel="next", <https://api.github.com/r?page=9>; rel="last")"),
                "https://api.github.com/r?page=2"},
        NextRow{"LastPage", link(R"(<https://h/?page=1>; rel="prev", <https://h/?page=1>; rel="first")"), std::nullopt},
        NextRow{"NextIsNotFirst", link(R"(<a>; rel="prev", <b>; rel="next")"), "b"},
        NextRow{"RelWithoutQuotes", link("<b>; rel=next"), "b"},
        NextRow{"NoSpaces", link("<b>;rel=next,<c>;rel=last"), "b"},
        NextRow{"SpacesEverywhere", link("  <b>\t;  rel = \"next\"  ,  <c> ; rel=last"), "b"},
        NextRow{"SeveralRelations", link(R"(<b>; rel="prefetch NEXT http://x/rel")"), "b"},
        NextRow{"PartOfAWordIsNoRelation", link(R"(<b>; rel="nextish")"), std::nullopt},
        NextRow{"NameWithoutCase", link(R"(<b>; REL="next")"), "b"},
        NextRow{"OnlyTheFirstRelCounts", link(R"(<b>; rel="prev"; rel="next")"), std::nullopt},
        NextRow{"CommaAndSemicolonInTheAddress", link(R"(<https://h/?a=1,2;3>; rel="next")"), "https://h/?a=1,2;3"},
        NextRow{"CommaInAnotherParameter", link(R"(<b>; title="a, <x>; rel=\"prev\""; rel="next")"), "b"},
        NextRow{"ParameterWithoutValue", link("<b>; crossorigin; rel=next"), "b"},
        NextRow{"EmptyParameter", link("<b>;; rel=next;"), "b"},
        NextRow{"EmptyElements", link(", ,<b>; rel=next, ,"), "b"},
        NextRow{"AnotherContext", link(R"(<b>; rel="next"; anchor="#x")"), std::nullopt},
        NextRow{"TwoHeaders", {{"link", "<a>; rel=prev"}, {"LINK", "<b>; rel=next"}}, "b"},
        NextRow{"TheSameTwice", link("<b>; rel=next, <b>; rel=next"), "b"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(NextPage, OfAMalformedHeaderIsAnErrorNotTheEnd) {
  for (const char* text : {"b; rel=next", "<b; rel=next", "<b> rel=next", "<b>; rel=\"next", "<b>; rel=\"next\\",
                           "<b>; rel=, <c>", "<b>; =next", "<b>; rel=next x", "<a>; rel=prev <b>; rel=next",
                           "<b>; rel=next, <c>; rel=next", "<b>; rel=\"next\"x"}) {
    const auto next = next_page(link(text));
    ASSERT_FALSE(next) << text;
    EXPECT_EQ(next.error().code, ErrorCode::integrity);
  }
}

TEST(Links, KeepTheirParametersUnquoted) {
  const auto links = parse_links(R"(<t>; Rel="a b"; title="say \"x\"")");
  ASSERT_TRUE(links);
  ASSERT_EQ(links->size(), 1U);
  EXPECT_EQ(links->front().parameters,
            (std::vector<std::pair<std::string, std::string>>{{"rel", "a b"}, {"title", "say \"x\""}}));
}

TEST(Links, OfHostileLengthAreReadInOnePass) {
  std::string many;
  for (int i = 0; i < 4000; ++i) many += "<a>; rel=x, ";
  EXPECT_EQ(parse_links(many)->size(), 4000U);
  EXPECT_FALSE(parse_links(std::string(60000, '<')));
  EXPECT_FALSE(parse_links("<a>; t=\"" + std::string(60000, '\\')));
}

}  // namespace
}  // namespace crategate::net
