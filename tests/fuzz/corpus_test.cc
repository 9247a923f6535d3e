// Every target over its corpus, without a fuzzer, so that what was found once stays found.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Corpus : public ::testing::TestWithParam<const Target*> {};

TEST_P(Corpus, KeepsItsPromises) {
  std::size_t inputs = 0;
  for (const auto& file : fs::directory_iterator(fs::path(DOCKET_CORPUS) / GetParam()->name)) {
    const std::string input = content_of(file.path());
    std::cerr << file.path().string() << std::endl;  // the last one named is the one that crashed
    EXPECT_NO_THROW(GetParam()->run(input)) << file.path();
    ++inputs;
  }
  EXPECT_GT(inputs, 0U);
  GetParam()->run("");
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(targets()),
                         [](const auto& tested) { return tested.param->name; });

}  // namespace
}  // namespace docket::fuzz
