// `/regen`: which comments are the command, who may ask for which commit, and docs/regen.md.
#include "pipeline/regen_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using Kind = RegenCommand::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kSha = "0123456789abcdef0123456789abcdef01234567";

// --- the command -----------------------------------------------------------------------------------------------------

struct Line {
  const char* name;
  std::string comment;
  Kind kind;
  std::string sha = {};
};

class A29Command : public ::testing::TestWithParam<Line> {};

TEST_P(A29Command, IsExactlyThatWordAtTheStart) {
  const auto command = parse_regen_command(GetParam().comment);
  EXPECT_EQ(command.kind, GetParam().kind) << quoted(GetParam().comment);
  EXPECT_EQ(command.sha, GetParam().sha);
  EXPECT_EQ(command.argument.empty(), command.kind != Kind::wrong_argument);
}

std::string name_of(const ::testing::TestParamInfo<Line>& each) { return each.param.name; }

INSTANTIATE_TEST_SUITE_P(Ours, A29Command,
                         ::testing::Values(Line{"Bare", "/regen", Kind::command},
                                           Line{"LineEnd", "/regen\n", Kind::command},
                                           Line{"WindowsLineEnd", "/regen\r\n", Kind::command},
                                           Line{"OldLineEnd", "/regen\rplease", Kind::command},
                                           Line{"BlanksBehind", "/regen  \t ", Kind::command},
                                           Line{"TextBelow", "/regen\nplease, as main has moved", Kind::command},
                                           Line{"CodeBelow", "/regen\r\n```\r\n/regen main\r\n```", Kind::command},
                                           Line{"Commit", "/regen " + kSha, Kind::command, kSha},
                                           Line{"SevenDigits", "/regen 0123456", Kind::command, "0123456"},
                                           Line{"EightDigits", "/regen 01234567", Kind::command, "01234567"},
                                           Line{"TabBefore", "/regen\t0123456", Kind::command, "0123456"},
                                           Line{"BlanksAround", "/regen \t 0123456 \t\r\n", Kind::command, "0123456"},
                                           Line{"Capitals", "/regen ABCDEF0", Kind::command, "abcdef0"}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(
    NotOurs, A29Command,
    ::testing::Values(
        Line{"Nothing", "", Kind::none}, Line{"LongerWord", "/regenerate", Kind::none},
        Line{"Hyphen", "/regen-all", Kind::none}, Line{"Slash", "/regen/", Kind::none},
        Line{"FullStop", "/regen.", Kind::none}, Line{"Colon", "/regen:0123456", Kind::none},
        Line{"Equals", "/regen=0123456", Kind::none}, Line{"NoBlank", "/regen0123456", Kind::none},
        Line{"Quoted", "> /regen", Kind::none}, Line{"QuotedAtOnce", ">/regen", Kind::none},
        Line{"Fenced", "```\n/regen\n```", Kind::none}, Line{"Tildes", "~~~\n/regen\n~~~", Kind::none},
        Line{"CodeSpan", "`/regen`", Kind::none}, Line{"IndentedCode", "    /regen", Kind::none},
        Line{"LeadingBlank", " /regen", Kind::none}, Line{"LeadingTab", "\t/regen", Kind::none},
        Line{"SecondLine", "please\n/regen", Kind::none}, Line{"AfterAnEmptyLine", "\n/regen", Kind::none},
        Line{"AfterAWindowsLine", "\r\n/regen", Kind::none}, Line{"TextBefore", "x /regen", Kind::none},
        Line{"Mention", "@bot /regen", Kind::none}, Line{"HtmlComment", "<!-- x -->/regen", Kind::none},
        Line{"NoSlash", "regen", Kind::none}, Line{"Capital", "/Regen", Kind::none},
        Line{"AllCapitals", "/REGEN", Kind::none}, Line{"TwoSlashes", "//regen", Kind::none},
        Line{"Backslash", "\\/regen", Kind::none}, Line{"ByteOrderMark", "\xEF\xBB\xBF/regen", Kind::none},
        Line{"CyrillicE", "/r\xD0\xB5gen", Kind::none},
        Line{"CyrillicG",
             "/re\xD4\xA1"
             "en",
             Kind::none},
        Line{"FullWidthSlash", "\xEF\xBC\x8Fregen", Kind::none}, Line{"DivisionSlash", "\xE2\x88\x95regen", Kind::none},
        Line{"ZeroWidthBehind", "/regen\xE2\x80\x8B", Kind::none},
        Line{"ZeroWidthInside", "/re\xE2\x80\x8Bgen", Kind::none},
        Line{"ZeroWidthBefore", "\xE2\x80\x8B/regen", Kind::none}, Line{"SoftHyphen", "/re\xC2\xADgen", Kind::none},
        Line{"WideBlank",
             "/regen\xC2\xA0"
             "0123456",
             Kind::none},
        Line{"LineSeparator", "x\xE2\x80\xA8/regen", Kind::none}, Line{"Nul", std::string("/regen\0", 7), Kind::none},
        Line{"NulBefore", std::string("\0/regen", 7), Kind::none}, Line{"VerticalTab", "/regen\v0123456", Kind::none},
        Line{"FormFeed", "/regen\f", Kind::none}, Line{"Escape", "/regen\x1b[0m", Kind::none},
        Line{"InvalidByte", "/regen\xFF", Kind::none}, Line{"Half", "/rege", Kind::none}),
    name_of);

INSTANTIATE_TEST_SUITE_P(A30WrongArgument, A29Command,
                         ::testing::Values(Line{"Option", "/regen --image=evil", Kind::wrong_argument},
                                           Line{"Branch", "/regen main", Kind::wrong_argument},
                                           Line{"Head", "/regen HEAD", Kind::wrong_argument},
                                           Line{"SixDigits", "/regen 012345", Kind::wrong_argument},
                                           Line{"FortyOneDigits", "/regen " + kSha + "0", Kind::wrong_argument},
                                           Line{"TwoCommits", "/regen 0123456 789abcd", Kind::wrong_argument},
                                           Line{"TextBehind", "/regen 0123456 please", Kind::wrong_argument},
                                           Line{"NoDigit", "/regen 012345g", Kind::wrong_argument},
                                           Line{"Prefix", "/regen 0x12345678", Kind::wrong_argument},
                                           Line{"Parent", "/regen 0123456~1", Kind::wrong_argument},
                                           Line{"Span", "/regen `0123456`", Kind::wrong_argument},
                                           Line{"FullWidthDigit", "/regen 012345\xEF\xBC\x96", Kind::wrong_argument},
                                           Line{"ZeroWidth", "/regen 0123456\xE2\x80\x8B", Kind::wrong_argument},
                                           Line{"ZeroByte", std::string("/regen 0123456\0", 15), Kind::wrong_argument},
                                           Line{"Substitution", "/regen $(id)", Kind::wrong_argument},
                                           Line{"Expression", "/regen ${{ github.token }}", Kind::wrong_argument}),
                         name_of);

// --- who may ask -----------------------------------------------------------------------------------------------------

RegenTime at(int seconds) { return RegenTime(std::chrono::seconds(seconds)); }

/// A writer's bare command on a pull request of this repository, whose branch is older.
RegenFacts good() {
  return {.comment = {.action = "created",
                      .body = "/regen",
                      .on_pull_request = true,
                      .repository = 1,
                      .pull_request = 7,
                      .id = 100,
                      .author = 5,
                      .sender = 5,
                      .login = "alice",
                      .type = "User",
                      .created_at = "2026-11-20T09:29:18Z"},
          .bots = {},
          .commented_at = at(1000),
          .permission = RegenPermission{.user = 5, .may_write = true, .role = "maintain", .unknown = {}},
          .pull = RegenPull{.state = "open",
                            .merged = false,
                            .head_sha = kSha,
                            .head_branch = "fix",
                            .head_repository = "o/r",
                            .head_repository_id = 1,
                            .base_repository_id = 1,
                            .pushed_at = at(1000)}};
}

void from_fork(RegenFacts& facts, const std::string& body) {
  facts.comment.body = body;
  facts.pull->head_repository_id = 2;
  facts.pull->head_repository = "stranger/r";
  facts.pull->head_branch = "main";
}

void by_app(RegenFacts& facts, const std::string& login, const std::string& type = "Bot") {
  facts.comment.login = login;
  facts.comment.type = type;
}

struct Row {
  const char* name;
  std::function<void(RegenFacts&)> change;
  RegenReason reason;
};

class RegenRequest : public ::testing::TestWithParam<Row> {};

TEST_P(RegenRequest, FollowsTheTable) {
  RegenFacts facts = good();
  GetParam().change(facts);
  const auto verdict = judge_regen(facts);
  EXPECT_EQ(verdict.reason, GetParam().reason) << verdict.id() << ": " << verdict.text;
  if (verdict.reason == RegenReason::none) {
    EXPECT_EQ(verdict.outcome, RegenOutcome::accepted);
    EXPECT_EQ(verdict.target.sha, facts.pull->head_sha);
    return;
  }
  EXPECT_EQ(verdict.outcome, regen_table()[static_cast<std::size_t>(verdict.reason)].outcome);
  EXPECT_EQ(verdict.id(), regen_table()[static_cast<std::size_t>(verdict.reason)].id);
  EXPECT_THAT(verdict.text, Not(IsEmpty()));
  EXPECT_EQ(verdict.target.sha, "") << "nothing follows from a refusal";
  if (verdict.comment.empty()) return;
  EXPECT_EQ(parse_regen_command(verdict.comment).kind, Kind::command) << verdict.comment;
}

using R = RegenReason;
const std::vector<Row> kRows = {
    {"Writer", [](RegenFacts&) {}, R::none},
    {"WriterWithCommit", [](RegenFacts& f) { f.comment.body = "/regen " + kSha.substr(0, 7); }, R::none},
    {"CommitNeedsNoTimes",
     [](RegenFacts& f) {
       f.comment.body = "/regen " + kSha;
       f.pull->pushed_at.reset();
       f.commented_at.reset();
     },
     R::none},
    {"A37Edited", [](RegenFacts& f) { f.comment.action = "edited"; }, R::not_created},
    {"A37Deleted", [](RegenFacts& f) { f.comment.action = "deleted"; }, R::not_created},
    {"NoAction", [](RegenFacts& f) { f.comment.action.clear(); }, R::not_created},
    {"A37Issue", [](RegenFacts& f) { f.comment.on_pull_request = false; }, R::not_a_pull_request},
    {"Chat", [](RegenFacts& f) { f.comment.body = "> /regen"; }, R::no_command},
    {"A37App", [](RegenFacts& f) { by_app(f, "renovate[bot]"); }, R::bot},
    {"AppByItsNameOnly", [](RegenFacts& f) { by_app(f, "renovate[bot]", "User"); }, R::bot},
    {"OurOwn",
     [](RegenFacts& f) {
       f.bots = {"renovate[bot]"};
       by_app(f, "github-actions[bot]");
     },
     R::bot},
    {"AppOfTheList",
     [](RegenFacts& f) {
       f.bots = {"renovate[bot]"};
       by_app(f, "renovate[bot]");
       f.permission.reset();
     },
     R::none},
    {"PersonOfTheList",
     [](RegenFacts& f) {
       f.bots = {"alice"};
       f.permission->may_write = false;
     },
     R::permission},
    {"AppOfTheListOnAFork",
     [](RegenFacts& f) {
       f.bots = {"renovate[bot]"};
       by_app(f, "renovate[bot]");
       from_fork(f, "/regen");
     },
     R::sha_needed},
    {"NoAuthor", [](RegenFacts& f) { f.comment.author.reset(); }, R::unclear},
    {"NoSender", [](RegenFacts& f) { f.comment.sender.reset(); }, R::unclear},
    {"NeitherOfThem",
     [](RegenFacts& f) {
       f.comment.author.reset();
       f.comment.sender.reset();
     },
     R::unclear},
    {"NoLogin", [](RegenFacts& f) { f.comment.login.clear(); }, R::unclear},
    {"NoType", [](RegenFacts& f) { f.comment.type.clear(); }, R::unclear},
    {"NoCommentId", [](RegenFacts& f) { f.comment.id.reset(); }, R::unclear},
    {"NoNumber", [](RegenFacts& f) { f.comment.pull_request.reset(); }, R::unclear},
    {"NoRepository", [](RegenFacts& f) { f.comment.repository.reset(); }, R::unclear},
    {"AnotherSender", [](RegenFacts& f) { f.comment.sender = 6; }, R::sender},
    {"A30Option", [](RegenFacts& f) { f.comment.body = "/regen --image=evil"; }, R::argument},
    {"A31Reader",
     [](RegenFacts& f) {
       f.permission->may_write = false;
       f.permission->role = "triage";
     },
     R::permission},
    {"A31AnotherAccount", [](RegenFacts& f) { f.permission->user = 6; }, R::permission_unknown},
    {"A31NoAccount", [](RegenFacts& f) { f.permission->user.reset(); }, R::permission_unknown},
    {"A31NoAnswer", [](RegenFacts& f) { f.permission->unknown = "404"; }, R::permission_unknown},
    {"NothingToldOfThem", [](RegenFacts& f) { f.permission = RegenPermission{}; }, R::permission_unknown},
    {"Merged",
     [](RegenFacts& f) {
       f.pull->state = "closed";
       f.pull->merged = true;
     },
     R::merged},
    {"Closed", [](RegenFacts& f) { f.pull->state = "closed"; }, R::closed},
    {"NoState", [](RegenFacts& f) { f.pull->state.clear(); }, R::closed},
    {"ForkDeleted", [](RegenFacts& f) { f.pull->head_repository_id.reset(); }, R::head_gone},
    {"NoBase", [](RegenFacts& f) { f.pull->base_repository_id.reset(); }, R::unclear},
    {"AnotherBase",
     [](RegenFacts& f) {
       f.pull->base_repository_id = 3;
       f.pull->head_repository_id = 3;
     },
     R::unclear},
    {"NoHead", [](RegenFacts& f) { f.pull->head_sha.clear(); }, R::unclear},
    {"ShortHead", [](RegenFacts& f) { f.pull->head_sha.resize(39); }, R::unclear},
    {"HeadThatIsNone", [](RegenFacts& f) { f.pull->head_sha = std::string(40, 'x'); }, R::unclear},
    {"NoBranch", [](RegenFacts& f) { f.pull->head_branch.clear(); }, R::unclear},
    {"A32Fork", [](RegenFacts& f) { from_fork(f, "/regen"); }, R::sha_needed},
    {"A33ForkWithCommit", [](RegenFacts& f) { from_fork(f, "/regen 0123456"); }, R::none},
    {"ForkWithAnotherCommit", [](RegenFacts& f) { from_fork(f, "/regen 0123457"); }, R::sha_differs},
    {"AnotherCommit", [](RegenFacts& f) { f.comment.body = "/regen 1234567"; }, R::sha_differs},
    {"A32PushedAfterwards", [](RegenFacts& f) { f.pull->pushed_at = at(1001); }, R::head_newer},
    {"A32PushedAfterwardsWithTheWholeCommit",
     [](RegenFacts& f) {
       f.comment.body = "/regen " + kSha;
       f.pull->pushed_at = at(1001);
     },
     R::none},
    {"A32PushedAfterwardsWithAnAbbreviation",
     [](RegenFacts& f) {
       f.comment.body = "/regen " + kSha.substr(0, 39);
       f.pull->pushed_at = at(1001);
     },
     R::head_newer},
    {"A32ForkPushedAfterwardsWithAnAbbreviation",
     [](RegenFacts& f) {
       from_fork(f, "/regen 0123456");
       f.pull->pushed_at = at(1001);
     },
     R::head_newer},
    {"A32ForkPushedAfterwardsWithTheWholeCommit",
     [](RegenFacts& f) {
       from_fork(f, "/regen " + kSha);
       f.pull->pushed_at = at(1001);
     },
     R::none},
    {"A32NoTimeOfTheForksPush",
     [](RegenFacts& f) {
       from_fork(f, "/regen 0123456");
       f.pull->pushed_at.reset();
     },
     R::unclear},
    {"A32NoTimeOfThePush", [](RegenFacts& f) { f.pull->pushed_at.reset(); }, R::unclear},
    {"A32NoTimeOfTheComment", [](RegenFacts& f) { f.commented_at.reset(); }, R::unclear},
};

INSTANTIATE_TEST_SUITE_P(Rows, RegenRequest, ::testing::ValuesIn(kRows),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(RegenRequest, AsksTheCheapestFirst) {
  RegenFacts facts = good();
  const auto pull = std::exchange(facts.pull, std::nullopt);
  const auto permission = std::exchange(facts.permission, std::nullopt);
  EXPECT_EQ(judge_regen(facts).outcome, RegenOutcome::ask_permission);
  facts.pull = pull;
  EXPECT_EQ(judge_regen(facts).outcome, RegenOutcome::ask_permission) << "nothing counts without it";
  facts.pull.reset();
  facts.permission = permission;
  EXPECT_EQ(judge_regen(facts).outcome, RegenOutcome::ask_pull_request);
  facts.comment.body = "thanks";
  EXPECT_EQ(judge_regen(facts).outcome, RegenOutcome::ignored);
  facts.comment.body = "/regen main";
  EXPECT_EQ(judge_regen(facts).reason, RegenReason::argument) << "of that nobody need be asked";
  facts.permission.reset();
  EXPECT_EQ(judge_regen(facts).outcome, RegenOutcome::ask_permission) << "a stranger's words are not repeated";
}

TEST(RegenRequest, IsSomebodysWhoMayOnceThatIsKnown) {
  const struct {
    const char* name;
    void (*change)(RegenFacts& facts);
    bool may;
  } rows[] = {
      {"write", [](RegenFacts&) {}, true},
      {"an argument", [](RegenFacts& f) { f.comment.body = "/regen main"; }, true},
      {"closed", [](RegenFacts& f) { f.pull->state = "closed"; }, true},
      {"not asked yet", [](RegenFacts& f) { f.permission.reset(); }, false},
      {"read", [](RegenFacts& f) { f.permission->may_write = false; }, false},
      {"another account's", [](RegenFacts& f) { f.permission->user = 6; }, false},
      {"another sender", [](RegenFacts& f) { f.comment.sender = 6; }, false},
      {"no author", [](RegenFacts& f) { f.comment.author.reset(); }, false},
      {"no command", [](RegenFacts& f) { f.comment.body = "thanks"; }, false},
      {"an app", [](RegenFacts& f) { f.comment.type = "Bot"; }, false},
      {"an app of the list",
       [](RegenFacts& f) {
         f.comment.type = "Bot";
         f.bots = {f.comment.login};
         f.permission.reset();
       },
       true},
  };
  for (const auto& row : rows) {
    RegenFacts facts = good();
    row.change(facts);
    EXPECT_EQ(may_ask(facts), row.may) << row.name;
  }
}

TEST(RegenRequest, PinsWhatItHasSeen) {
  RegenFacts facts = good();
  from_fork(facts, "/regen " + kSha);
  const auto target = judge_regen(facts).target;
  EXPECT_EQ(target.pull_request, 7);
  EXPECT_EQ(target.sha, kSha);
  EXPECT_EQ(target.head_branch, "main");
  EXPECT_EQ(target.head_repository, "stranger/r");
  EXPECT_EQ(target.head_repository_id, 2);
  EXPECT_TRUE(target.is_fork) << "by ids, whatever the branch is called (A33)";
  EXPECT_FALSE(judge_regen(good()).target.is_fork);
}

TEST(RegenRequest, OffersTheWholeCommit) {
  for (const auto* const body : {"/regen", "/regen 0123456", "/regen 1234567"}) {
    RegenFacts facts = good();
    from_fork(facts, body);
    facts.pull->pushed_at = at(1001);
    EXPECT_EQ(judge_regen(facts).comment, "/regen " + kSha) << body;
  }
}

TEST(RegenRequest, QuotesWhatStrangersWrite) {
  RegenFacts facts = good();
  facts.comment.body = "/regen \x1b[31m\"x";
  EXPECT_THAT(judge_regen(facts).text, AllOf(HasSubstr(R"(\x1b[31m\"x)"), Not(HasSubstr("\x1b"))));
}

/// A32: whatever has changed of what was pinned, nothing follows from what was seen before.
TEST(RegenAgain, RefusesAnythingThatIsNotAsItWas) {
  const auto target = judge_regen(good()).target;
  const auto again = [&target](const std::function<void(RegenPull&)>& change) {
    RegenPull now = *good().pull;
    change(now);
    const auto verdict = judge_regen_again(target, now);
    return verdict ? verdict->reason : RegenReason::none;
  };
  EXPECT_EQ(again([](RegenPull&) {}), RegenReason::none);
  EXPECT_EQ(again([](RegenPull& now) { now.pushed_at = at(5000); }), RegenReason::none) << "of another branch";
  EXPECT_EQ(again([](RegenPull& now) { now.head_sha = std::string(40, 'f'); }), RegenReason::head_moved);
  EXPECT_EQ(again([](RegenPull& now) { now.head_branch = "other"; }), RegenReason::head_moved);
  EXPECT_EQ(again([](RegenPull& now) { now.head_repository_id = 9; }), RegenReason::head_moved);
  EXPECT_EQ(again([](RegenPull& now) { now.head_repository_id.reset(); }), RegenReason::head_gone);
  EXPECT_EQ(again([](RegenPull& now) { now.state = "closed"; }), RegenReason::closed);
  EXPECT_EQ(again([](RegenPull& now) { now.merged = true; }), RegenReason::merged);
  EXPECT_EQ(regen_head_moved(target).comment, "/regen");
  auto fork = target;
  fork.is_fork = true;
  EXPECT_EQ(regen_head_moved(fork).comment, "") << "a fork needs a commit, and which one somebody must see first";
}

// --- the payload -----------------------------------------------------------------------------------------------------

const std::string kPayload = R"({"action":"created","repository":{"id":1},"sender":{"id":5,"type":"User"},
"issue":{"number":7,"state":"open","pull_request":{"url":"x"},"user":{"id":9}},
"comment":{"id":100,"body":"/regen\r\n","created_at":"2026-11-20T09:29:18Z","author_association":"OWNER",
"user":{"id":6,"login":"alice","type":"User"}}})";

TEST(RegenComment, IsReadFromThePayload) {
  const auto comment = parse_regen_comment(kPayload, "payload");
  ASSERT_TRUE(comment) << describe(comment.error());
  EXPECT_EQ(comment->action, "created");
  EXPECT_TRUE(comment->on_pull_request);
  EXPECT_EQ(comment->repository, 1);
  EXPECT_EQ(comment->pull_request, 7);
  EXPECT_EQ(comment->id, 100);
  EXPECT_EQ(comment->author, 6) << "of the comment, not of the pull request";
  EXPECT_EQ(comment->sender, 5);
  EXPECT_EQ(comment->login, "alice");
  EXPECT_EQ(comment->type, "User");
  EXPECT_EQ(comment->created_at, "2026-11-20T09:29:18Z");
  EXPECT_EQ(comment->body, "/regen\r\n");
}

TEST(RegenComment, LeavesOpenWhatIsNotThere) {
  for (const std::string text : {"{}", R"({"issue":null,"comment":null,"sender":null,"repository":null})",
                                 R"({"comment":{"user":null}})", R"({"issue":{"number":null,"pull_request":null}})"}) {
    const auto comment = parse_regen_comment(text, "payload");
    ASSERT_TRUE(comment) << text;
    EXPECT_FALSE(comment->author || comment->sender || comment->pull_request || comment->on_pull_request) << text;
    EXPECT_NE(judge_regen({.comment = *comment}).outcome, RegenOutcome::accepted);
  }
}

TEST(RegenComment, RefusesWhatIsOfAnotherShape) {
  for (const std::string text :
       {"", "[]", "7", R"({"action":7})", R"({"sender":{"id":"5"}})", R"({"comment":[]})", R"({"comment":{"body":{}}})",
        R"({"issue":7})", R"({"comment":{"user":{"id":5.0}}})", R"({"comment":{"id":1,"id":2}})"}) {
    const auto comment = parse_regen_comment(text, "payload");
    ASSERT_FALSE(comment) << text;
    EXPECT_EQ(comment.error().code, ErrorCode::bad_input);
  }
}

// --- the table -------------------------------------------------------------------------------------------------------

TEST(RegenTable, HasOneRowForEachReasonInOrder) {
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < regen_table().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(regen_table()[i].reason), i);
    ids.insert(regen_table()[i].id);
  }
  EXPECT_EQ(ids.size(), kRegenRows);
  std::set<RegenReason> tested = {RegenReason::head_moved};
  for (const auto& row : kRows) tested.insert(row.reason);
  EXPECT_EQ(tested.size(), kRegenRows + 1) << "a reason without a case";
}

std::vector<std::string> documented_rows() {
  std::ifstream file(std::string(CRATEGATE_SOURCE_DIR) + "/docs/regen.md");
  std::stringstream text;
  text << file.rdbuf();
  std::vector<std::string> rows;
  bool inside = false;
  for (const auto& line : split(text.str(), '\n')) {
    if (line.starts_with("#")) inside = line == "## Who may ask";
    if (inside && line.starts_with("| ")) rows.push_back(line);
  }
  return rows;
}

TEST(RegenDocs, ListTheReasonsOfTheCodeAndNoOther) {
  std::vector<std::string> rows = {"| outcome | reason | when |"};
  for (const auto& row : regen_table()) {
    rows.push_back(concat("| ", row.outcome == RegenOutcome::ignored ? "ignored" : "refused", " | `", row.id, "` | ",
                          row.when, " |"));
  }
  rows.emplace_back("| accepted | `accepted` | none of these |");
  EXPECT_EQ(documented_rows(), rows) << join(rows, "\n");
}

}  // namespace
}  // namespace crategate::pipeline
