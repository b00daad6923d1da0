// The vectors of RFC 4648, as its section 5 writes them.
#include "base/base64url.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace crategate {
namespace {

TEST(Base64Url, HasNoPaddingAndItsOwnAlphabet) {
  const struct {
    std::string bytes, text;
  } rows[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},           {"foo", "Zm9v"},
              {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"\xfb\xff\xfe", "-__-"}};
  for (const auto& row : rows) {
    EXPECT_EQ(base64url(row.bytes), row.text);
    EXPECT_EQ(decode_base64(row.text), row.bytes);
  }
}

}  // namespace
}  // namespace crategate
