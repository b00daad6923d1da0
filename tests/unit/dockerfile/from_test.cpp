#include "dockerfile/from.h"

#include <gtest/gtest.h>

namespace crategate::dockerfile {
namespace {

TEST(From, FindsTheImageThatAStageBeginsWith) {
  for (const char* text : {"FROM ubuntu:22.04", "# x\r\nfrom --platform=linux/amd64 ubuntu:22.04 AS base\r\n",
                           "FROM debian\nFROM\tubuntu:22.04\n"}) {
    EXPECT_TRUE(may_begin_with(text, "ubuntu:22.04")) << text;
  }
  for (const char* text :
       {"FROM ubuntu:24.04", "FROM debian AS ubuntu:22.04", "FROM debian\nCOPY --from=ubuntu:22.04 / /",
        "FROM ubuntu:22.04@sha256:0", "FROM docker.io/library/ubuntu:22.04"}) {
    EXPECT_FALSE(may_begin_with(text, "ubuntu:22.04")) << text;
  }
}

TEST(From, LeavesOpenWhatIsNotSaid) {
  for (const char* text : {"ARG BASE\nFROM ${BASE}", "FROM $BASE", "FROM \\\n  debian", "", "RUN x"}) {
    EXPECT_TRUE(may_begin_with(text, "ubuntu:22.04")) << text;
  }
}

}  // namespace
}  // namespace crategate::dockerfile
