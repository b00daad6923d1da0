// Who may what: absence is never concluded from a refusal, and no secret stands in a message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "conformance/bench.h"

namespace crategate::conformance {
namespace {

using test::RegistryQuirk;
using testing::HasSubstr;
using testing::Not;

void expect_no_secret(const Bench& bench, const Error& error) {
  const std::string shown = describe(error) + error.hint;
  for (const Login login : {Login::writer, Login::reader, Login::wrong}) {
    const std::string password = bench.password(login);
    if (password.empty()) continue;
    EXPECT_THAT(shown, Not(HasSubstr(password)));
    EXPECT_THAT(shown, Not(HasSubstr(base64(":" + password))));
  }
}

void refused(Bench& bench, Login login) {
  const Image made = make_image(bench.mark("guarded"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  const auto there = bench.client(login).manifest(Bench::tag(bench.repository(), "v1"));
  const auto absent = bench.client(login).manifest(Bench::tag(bench.repository(), "absent"));
  const auto blob = bench.client(login).has_blob(bench.repository(), oci::Digest::of(bench.mark("no blob")));
  const auto tags = bench.client(login).tags(bench.repository());
  if (!bench.subject().asks_login()) {  // then nobody is refused, and no credential is sent
    ASSERT_TRUE(there && absent && blob && tags);
    EXPECT_TRUE(*there);
    EXPECT_FALSE(*absent);
    return;
  }
  const bool hidden = bench.subject().has(RegistryQuirk::hidden_unknown) && login == Login::none;
  if (hidden && there) {
    EXPECT_FALSE(*there) << "NAME_UNKNOWN for what is not allowed cannot be told from what is absent";
    return;
  }
  // A HEAD has no body that could say DENIED.
  const bool denied = bench.subject().has(RegistryQuirk::hidden_denied) && login == Login::none;
  ASSERT_FALSE(there || absent || tags || (blob && !denied));
  for (const Error& error : {there.error(), absent.error(), tags.error(), blob ? tags.error() : blob.error()}) {
    EXPECT_TRUE(error.code == ErrorCode::unauthenticated || (denied && error.code == ErrorCode::forbidden))
        << describe(error);
    expect_no_secret(bench, error);
  }
}

/// B01.
void wrong_password(Bench& bench) { refused(bench, Login::wrong); }
void no_login(Bench& bench) { refused(bench, Login::none); }

void wrong_password_to_push(Bench& bench) {
  const std::string bytes = bench.mark("refused");
  const auto pushed = bench.client(Login::wrong).put_blob(bench.repository(), blob_descriptor(bytes), source_of(bytes));
  if (!bench.subject().asks_login()) {
    EXPECT_TRUE(pushed);
    return;
  }
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ErrorCode::unauthenticated) << describe(pushed.error());
  expect_no_secret(bench, pushed.error());
  EXPECT_FALSE(bench.client().has_blob(bench.repository(), oci::Digest::of(bytes)).value_or(false));
}

/// Where a registry knows no reader, the writer reads.
void reader_reads(Bench& bench) {
  const Image made = make_image(bench.mark("public"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  registry::HttpRegistry& client = bench.client(bench.subject().has_reader() ? Login::reader : Login::writer);
  const auto read = client.manifest(Bench::tag(bench.repository(), "v1"));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ((*read)->bytes, made.manifest);
}

/// B03.
void reader_writes(Bench& bench) {
  const Image made = make_image(bench.mark("not for the reader"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  const Login login = bench.subject().has_reader() ? Login::reader : Login::wrong;
  const auto put =
      bench.client(login).put_manifest(Bench::tag(bench.repository(), "v2"), made.manifest, made.media_type);
  if (!bench.subject().asks_login()) {
    EXPECT_TRUE(put);
    return;
  }
  ASSERT_FALSE(put);
  expect_no_secret(bench, put.error());
  const bool hidden = bench.subject().has(RegistryQuirk::hidden_unknown);
  const ErrorCode expected = !bench.subject().has_reader() ? ErrorCode::unauthenticated
                             : hidden                      ? ErrorCode::not_found
                                                           : ErrorCode::forbidden;
  EXPECT_EQ(put.error().code, expected) << describe(put.error());
  EXPECT_FALSE(put.error().hint.empty());
}

/// A52: only the scopes that are needed.
void many_with_one_login(Bench& bench) {
  const Image made = make_image(bench.mark("often"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(bench.client().manifest(Bench::tag(bench.repository(), "v1")));
  test::StrictRegistry* const strict = bench.strict();
  if (strict == nullptr || strict->scopes().empty()) return;
  EXPECT_LE(strict->scopes().size(), 2U) << "one token to push, at most one more to pull";
  for (const std::string& scope : strict->scopes()) EXPECT_THAT(scope, HasSubstr(bench.repository().path));
}

/// B02.
void token_that_expires(Bench& bench) {
  const Image made = make_image(bench.mark("long"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  if (bench.strict() == nullptr) {
    EXPECT_TRUE(*bench.client().manifest(Bench::tag(bench.repository(), "v1")));
    return;
  }
  for (int i = 0; i < 3; ++i) {
    bench.pass(std::chrono::seconds(299));
    const auto read = bench.client().manifest(Bench::tag(bench.repository(), "v1"));
    ASSERT_TRUE(read) << describe(read.error());
  }
}

void token_that_is_revoked(Bench& bench) {
  const Image made = make_image(bench.mark("revoked"));
  ASSERT_TRUE(bench.push(bench.repository(), "v1", made));
  if (bench.strict() != nullptr) bench.strict()->revoke_tokens();
  const auto read = bench.client().manifest(Bench::tag(bench.repository(), "v1"));
  ASSERT_TRUE(read) << describe(read.error());
  const auto again = bench.push(bench.repository(), "v2", made);
  ASSERT_TRUE(again) << describe(again.error());
}

}  // namespace

std::vector<Case> login_cases() {
  return {{"LoginWithAWrongPassword", wrong_password},
          {"LoginMissing", no_login},
          {"LoginWithAWrongPasswordToPush", wrong_password_to_push},
          {"LoginOfAReaderReads", reader_reads},
          {"LoginOfAReaderDoesNotWrite", reader_writes},
          {"LoginOnceForManyRequests", many_with_one_login},
          {"LoginWhoseTokenExpires", token_that_expires},
          {"LoginWhoseTokenIsRevoked", token_that_is_revoked}};
}

}  // namespace crategate::conformance
