#include "core/seal.h"

#include <openssl/evp.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <new>

namespace docket {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonceSize = std::tuple_size_v<SealNonce>;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kHeadSize = 1 + kNonceSize;
// OpenSSL counts in int; far above any secret.
constexpr std::size_t kMaxPlain = INT_MAX / 2;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* bytes(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }
int size_of(std::string_view text) { return static_cast<int>(text.size()); }

enum class Direction { kOpen = 0, kSeal = 1 };

// A cipher that has the key, the nonce and the data that is only authenticated: the version and
// the binding. With arguments of the right sizes OpenSSL fails here only when memory runs out.
Cipher start(const SealKey& key, const std::uint8_t* nonce, std::string_view bound_to,
             Direction direction) {
  Cipher cipher(EVP_CIPHER_CTX_new());
  const std::uint8_t version = kVersion;
  int ignored = 0;
  if (!cipher || bound_to.size() > kMaxPlain ||
      EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce,
                        static_cast<int>(direction)) != 1 ||
      EVP_CipherUpdate(cipher.get(), nullptr, &ignored, &version, 1) != 1 ||
      EVP_CipherUpdate(cipher.get(), nullptr, &ignored, bytes(bound_to), size_of(bound_to)) != 1) {
    throw std::bad_alloc();
  }
  return cipher;
}

}  // namespace

std::string seal(const SealKey& key, std::string_view bound_to, std::string_view plain,
                 const SealNonce& nonce) {
  if (plain.size() > kMaxPlain) throw std::bad_alloc();
  const Cipher cipher = start(key, nonce.data(), bound_to, Direction::kSeal);
  std::string out(plain.size() + kSealOverhead, '\0');
  out[0] = kVersion;
  std::copy(nonce.begin(), nonce.end(), bytes(out) + 1);
  std::uint8_t* text = bytes(out) + kHeadSize;
  int written = 0;
  if (EVP_CipherUpdate(cipher.get(), text, &written, bytes(plain), size_of(plain)) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), text + plain.size(), &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, text + plain.size()) != 1) {
    throw std::bad_alloc();
  }
  return out;
}

Result<std::string> unseal(const SealKey& key, std::string_view bound_to, std::string_view sealed) {
  if (sealed.size() < kSealOverhead || sealed.size() > kMaxPlain) {
    return fail(ErrorKind::kInvalid, "not a sealed value: wrong length");
  }
  if (sealed[0] != kVersion) {
    return fail(ErrorKind::kInvalid, "sealed value of a version that this program does not know");
  }
  const auto text = sealed.substr(kHeadSize, sealed.size() - kSealOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  const Cipher cipher = start(key, bytes(sealed) + 1, bound_to, Direction::kOpen);
  std::string plain(text.size(), '\0');
  int written = 0;
  // The tag is compared in constant time by OpenSSL; nothing of `plain` leaves before it has
  // matched.
  if (EVP_CipherUpdate(cipher.get(), bytes(plain), &written, bytes(text), size_of(text)) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) != 1 ||
      EVP_CipherFinal_ex(cipher.get(), bytes(plain) + plain.size(), &written) != 1) {
    return fail(ErrorKind::kInvalid, "sealed value does not open: wrong key or changed bytes");
  }
  return plain;
}

}  // namespace docket
