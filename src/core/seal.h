#pragma once

// Sealing of small secrets for storage: AES-256-GCM, so that a reader without the key learns only
// the length, and any change of the text or of what it is bound to is noticed. Pure: the caller
// brings the nonce, which must be fresh for every seal under one key (96 random bits are).
//
//   version (1 byte, 1) | nonce (12) | ciphertext (as long as the plain text) | tag (16)
//
// `bound_to` is authenticated but not stored: a value sealed for one path does not open under
// another. The version byte is authenticated too. Tested by seal_test.cc.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace docket {

using SealKey = std::array<std::uint8_t, 32>;
using SealNonce = std::array<std::uint8_t, 12>;

// What sealing adds to the length of the plain text.
inline constexpr std::size_t kSealOverhead = 1 + 12 + 16;

std::string seal(const SealKey& key, std::string_view bound_to, std::string_view plain,
                 const SealNonce& nonce);

// kInvalid: not a sealed value, another version, another key, another binding, or changed bytes.
// The message does not say which of the last three, nor anything of the content.
Result<std::string> unseal(const SealKey& key, std::string_view bound_to, std::string_view sealed);

}  // namespace docket
