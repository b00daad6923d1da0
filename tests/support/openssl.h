// The openssl program: it makes the keys of tests, and judges what was signed with them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "support/test_directory.h"
#include "sys/process.h"

namespace crategate::test {

/// What it prints, with `input` on its standard input; a failure of it fails the test.
inline std::string openssl(std::vector<std::string> arguments, std::string input = {}) {
  sys::PosixProcessRunner processes;
  const auto outcome = processes.run({.program = "openssl",
                                      .arguments = std::move(arguments),
                                      .environment = {{"PATH", "/usr/bin:/bin"}},
                                      .input = std::move(input)},
                                     {.timeout = std::chrono::seconds(60)});
  EXPECT_TRUE(outcome) << describe(outcome.error());
  if (!outcome) return {};
  EXPECT_EQ(outcome->exit_code, 0) << outcome->err;
  return outcome->out;
}

/// An RSA key in PEM (PKCS #8).
inline std::string rsa_key(int bits = 2048) {
  return openssl({"genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + std::to_string(bits)});
}

/// Whether `signature` is that of `bytes`, by the key's public half.
inline bool is_signed_rs256(const std::string& key, const std::string& bytes, const std::string& signature) {
  const TestDirectory directory;
  directory.write("public", openssl({"pkey", "-pubout"}, key));
  directory.write("signature", signature);
  sys::PosixProcessRunner processes;
  const auto outcome = processes.run({.program = "openssl",
                                      .arguments = {"dgst", "-sha256", "-verify", (directory / "public").string(),
                                                    "-signature", (directory / "signature").string()},
                                      .environment = {{"PATH", "/usr/bin:/bin"}},
                                      .input = bytes},
                                     {.timeout = std::chrono::seconds(60)});
  return outcome && outcome->exit_code == 0;
}

}  // namespace crategate::test
