#include "core/seal.h"

#include <gtest/gtest.h>

#include <string>

namespace docket {
namespace {

SealKey key_of(std::uint8_t first) {
  SealKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(first + i);
  return key;
}

SealNonce nonce_of(std::uint8_t byte) {
  SealNonce nonce;
  nonce.fill(byte);
  return nonce;
}

std::string hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

TEST(Seal, OpensWhatItSealed) {
  using namespace std::string_literals;
  for (const std::string& plain : {""s, "x"s, "hunter2"s, "\0\xff\n"s, std::string(100'000, 'a')}) {
    const auto sealed = seal(key_of(1), "db/password", plain, nonce_of(7));
    EXPECT_EQ(sealed.size(), plain.size() + kSealOverhead);
    const auto opened = unseal(key_of(1), "db/password", sealed);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(*opened, plain);
  }
}

// The form is a contract with every store written so far. Computed with another implementation of
// AES-256-GCM (key 01..20, nonce 07 twelve times, authenticated 01 || "p").
TEST(Seal, FormIsFixed) {
  EXPECT_EQ(hex(seal(key_of(1), "p", "hunter2", nonce_of(7))),
            "0107070707070707070707070782b647270e994684622246a988817be9c6a92920d81fa2");
}

TEST(Seal, HidesTheTextAndDependsOnTheNonce) {
  const auto one = seal(key_of(1), "p", "hunter2", nonce_of(1));
  const auto two = seal(key_of(1), "p", "hunter2", nonce_of(2));
  EXPECT_EQ(one.find("hunter2"), std::string::npos);
  EXPECT_NE(one.substr(13), two.substr(13));
}

TEST(Seal, AnyFlippedBitIsNoticed) {
  const auto sealed = seal(key_of(1), "db/password", "hunter2", nonce_of(7));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto tampered = sealed;
    tampered[bit / 8] = static_cast<char>(tampered[bit / 8] ^ (1 << (bit % 8)));
    const auto opened = unseal(key_of(1), "db/password", tampered);
    ASSERT_FALSE(opened.has_value()) << "bit " << bit;
    EXPECT_EQ(opened.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Seal, AnyOtherLengthIsNoticed) {
  const auto sealed = seal(key_of(1), "p", "hunter2", nonce_of(7));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(unseal(key_of(1), "p", std::string_view(sealed).substr(0, size)).has_value());
  }
  EXPECT_FALSE(unseal(key_of(1), "p", sealed + '\0').has_value());
}

TEST(Seal, AnotherKeyOrBindingDoesNotOpen) {
  const auto sealed = seal(key_of(1), "db/password", "hunter2", nonce_of(7));
  EXPECT_FALSE(unseal(key_of(2), "db/password", sealed).has_value());
  EXPECT_FALSE(unseal(key_of(1), "db/passwore", sealed).has_value());
  EXPECT_FALSE(unseal(key_of(1), "", sealed).has_value());
}

TEST(Seal, RefusalSaysNothingOfTheContent) {
  auto sealed = seal(key_of(1), "db/password", "hunter2", nonce_of(7));
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  const auto opened = unseal(key_of(1), "db/password", sealed);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().message, "sealed value does not open: wrong key or changed bytes");
}

}  // namespace
}  // namespace docket
