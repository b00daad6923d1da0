#include "docker/stream_frames.h"

#include <gmock/gmock.h>

namespace crategate::docker {
namespace {

using testing::HasSubstr;

std::string frame(char stream, const std::string& payload) {
  std::string bytes{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((payload.size() >> shift) & 0xffU);
  return bytes + payload;
}

TEST(FrameParser, JoinsBothStreamsInTheirOrderWhereverTheBytesAreCut) {
  const std::string bytes = frame(1, "out ") + frame(2, "err ") + frame(1, "") + frame(1, std::string(300, 'x'));
  const std::string expected = "out err " + std::string(300, 'x');
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    FrameParser parser;
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const auto fed =
          parser.feed(std::string_view(bytes).substr(at, piece), [&](std::string_view payload) -> Result<void> {
            text += payload;
            return {};
          });
      ASSERT_TRUE(fed) << fed.error().message;
    }
    EXPECT_EQ(text, expected) << "cut into " << piece;
    EXPECT_TRUE(parser.at_boundary());
  }
}

TEST(FrameParser, KnowsThatAFrameIsIncomplete) {
  const auto ignore = [](std::string_view) -> Result<void> { return {}; };
  for (const std::string& cut :
       {frame(1, "abc").substr(0, 3), frame(1, "abc").substr(0, 8), frame(1, "abc").substr(0, 10)}) {
    FrameParser parser;
    ASSERT_TRUE(parser.feed(cut, ignore));
    EXPECT_FALSE(parser.at_boundary()) << cut.size();
  }
}

TEST(FrameParser, RefusesBytesThatAreNoFrames) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1"), std::string("\x04\0\0\0\0\0\0\1x", 9), std::string("\x01\0\1\0\0\0\0\1x", 9)}) {
    FrameParser parser;
    const auto fed = parser.feed(bytes, [](std::string_view) -> Result<void> { return {}; });
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, ErrorCode::engine);
  }
}

TEST(FrameParser, ReportsAMessageOfTheEngineItself) {
  FrameParser parser;
  const auto fed = parser.feed(frame(3, "disk gone"), [](std::string_view) -> Result<void> { return {}; });
  ASSERT_FALSE(fed);
  EXPECT_THAT(fed.error().message, HasSubstr("disk gone"));
}

TEST(FrameParser, StopsWhenTheSinkFails) {
  FrameParser parser;
  const auto fed = parser.feed(frame(1, "a") + frame(1, "b"),
                               [](std::string_view) -> Result<void> { return fail(ErrorCode::no_space, "full"); });
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, ErrorCode::no_space);
}

}  // namespace
}  // namespace crategate::docker
