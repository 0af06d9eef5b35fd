// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/keystore.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <boost/describe/class.hpp>
#include <sodium.h>

#include <blendr/core/assert.hpp>
#include <blendr/core/codec.hpp>

#include "library.hpp"

namespace blendr::crypto {
namespace {

namespace fs = std::filesystem;
using kind = keystore_error::kind;

constexpr domain checksum_domain{"keystore.sum/1"};
constexpr std::array<std::byte, 8> magic_bytes = {std::byte{'b'}, std::byte{'l'}, std::byte{'e'},
                                                  std::byte{'n'}, std::byte{'d'}, std::byte{'r'},
                                                  std::byte{'k'}, std::byte{'s'}};
constexpr std::uint8_t version = 1;

/// What is authenticated but not encrypted.
struct head {
    std::array<std::byte, 8> magic{};
    std::uint8_t version{};
    public_key owner{};
    std::uint64_t passes{};
    std::uint64_t memory_bytes{};
    std::array<std::byte, crypto_pwhash_argon2id_SALTBYTES> salt{};
    std::array<std::byte, 32> check{};  // the half of the stretched passphrase that may be known
    std::array<std::byte, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> nonce{};
};
BOOST_DESCRIBE_STRUCT(head, (), (magic, version, owner, passes, memory_bytes, salt, check, nonce))

/// A keystore, byte by byte. The checksum tells damage from a wrong passphrase; it stops nobody.
struct body {
    head shown{};
    std::array<std::byte, 32 + crypto_aead_xchacha20poly1305_ietf_ABYTES> box{};
    hash256 checksum{};
};
BOOST_DESCRIBE_STRUCT(body, (), (shown, box, checksum))

constexpr std::size_t keystore_size = 8 + 1 + 34 + 8 + 8 + 16 + 32 + 24 + 48 + 32;

auto failure(kind what, std::string detail = {})
{
    return fail{keystore_error{what, std::move(detail)}};
}

hash256 checksum_of(bytes_view whole) noexcept
{
    return hash(checksum_domain, whole.first(whole.size() - sizeof(hash256)));
}

bool affordable(std::uint64_t passes, std::uint64_t memory_bytes) noexcept
{
    return passes <= keystore_cost::passes_max && memory_bytes <= keystore_cost::memory_bytes_max;
}

/// 64 bytes: the sealing key, then the check. Nothing when the system has not the memory.
std::optional<secret> stretched(secret const& passphrase, head const& from)
{
    secret out{64};
    auto const words = passphrase.expose();
    auto const* const text = words.empty() ? "" : reinterpret_cast<char const*>(words.data());
    if (crypto_pwhash_argon2id(raw(out.expose().data()), out.size(), text, words.size(),
                               raw(from.salt.data()), from.passes,
                               static_cast<std::size_t>(from.memory_bytes),
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return std::nullopt;
    return out;
}

result<body, keystore_error> parse(bytes_view sealed)
{
    auto const common = std::min(sealed.size(), magic_bytes.size());
    if (!std::equal(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(common),
                    magic_bytes.begin()))
        return failure(kind::not_a_keystore);
    if (sealed.size() <= magic_bytes.size()) return failure(kind::truncated);
    if (sealed[magic_bytes.size()] != std::byte{version}) return failure(kind::unknown_version);
    if (sealed.size() < keystore_size) return failure(kind::truncated);
    if (sealed.size() > keystore_size) return failure(kind::tampered);
    auto const whole = decode<body>(sealed);
    if (!whole || whole->checksum != checksum_of(sealed)) return failure(kind::tampered);
    auto const& shown = whole->shown;
    if (!affordable(shown.passes, shown.memory_bytes)) return failure(kind::too_costly);
    if (shown.owner.scheme() != key_scheme::ed25519 || shown.passes == 0 ||
        shown.memory_bytes < keystore_cost::memory_bytes_min)
        return failure(kind::tampered);
    return *whole;
}

// ---------------------------------------------------------------- files

std::string system_words(fs::path const& at, char const* doing)
{
    return at.string() + ": " + doing + ": " + std::strerror(errno);
}

/// An open file that is closed in any case.
class descriptor {
public:
    explicit descriptor(int fd) noexcept : fd_{fd} {}
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

bool write_all(int fd, bytes_view data) noexcept
{
    while (!data.empty()) {
        auto const written = ::write(fd, data.data(), data.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        data = data.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

fs::path directory_of(fs::path const& at)
{
    return at.has_parent_path() ? at.parent_path() : fs::path{"."};
}

/// Makes a move durable: a name lives in its directory.
bool sync_directory(fs::path const& at) noexcept
{
    descriptor const directory{
        ::open(directory_of(at).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return directory && ::fsync(directory.get()) == 0;
}

enum class existing : std::uint8_t { refuse, replace };

result<nothing, keystore_error> write_file(fs::path const& at, bytes_view data, existing old)
{
    std::array<std::byte, 8> name;
    randombytes_buf(name.data(), name.size());
    auto const beside = directory_of(at) / ("." + at.filename().string() + "." + to_hex(name));
    {
        descriptor const file{
            ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
        if (!file) return failure(kind::system, system_words(beside, "creating it"));
        if (::fchmod(file.get(), 0600) != 0 || !write_all(file.get(), data) ||
            ::fsync(file.get()) != 0) {
            auto const words = system_words(at, "writing it");
            ::unlink(beside.c_str());
            return failure(kind::system, words);
        }
    }
    if (old == existing::replace) {
        if (::rename(beside.c_str(), at.c_str()) != 0) {
            auto const words = system_words(at, "replacing it");
            ::unlink(beside.c_str());
            return failure(kind::system, words);
        }
    } else {
        // A hard link refuses to replace, where a rename would not.
        bool const linked = ::link(beside.c_str(), at.c_str()) == 0;
        bool const there = errno == EEXIST;
        auto const words = system_words(at, "creating it");
        ::unlink(beside.c_str());
        if (!linked)
            return there ? failure(kind::exists, at.string()) : failure(kind::system, words);
    }
    if (!sync_directory(at)) return failure(kind::system, system_words(at, "making it durable"));
    return nothing{};
}

result<bytes, keystore_error> read_file(fs::path const& at)
{
    descriptor const file{::open(at.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file) {
        if (errno == ENOENT) return failure(kind::missing, at.string());
        return failure(kind::system, system_words(at, "opening it"));
    }
    struct stat about{};
    if (::fstat(file.get(), &about) != 0)
        return failure(kind::system, system_words(at, "looking at it"));
    if (!S_ISREG(about.st_mode)) return failure(kind::not_a_keystore, at.string());
    if ((about.st_mode & 077) != 0) return failure(kind::exposed, at.string());
    bytes out(keystore_size + 1);  // one more, to see that there is more
    std::size_t filled = 0;
    while (filled < out.size()) {
        auto const got = ::read(file.get(), out.data() + filled, out.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure(kind::system, system_words(at, "reading it"));
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    out.resize(filled);
    return out;
}

/// Says in which file something is wrong.
template <class T>
result<T, keystore_error> in_file(fs::path const& at, result<T, keystore_error> outcome)
{
    if (!outcome && outcome.error().detail.empty()) outcome.error().detail = at.string();
    return outcome;
}

}  // namespace

std::string message(keystore_error const& e)
{
    auto const sentence = [&]() -> std::string_view {
        switch (e.what) {
        case kind::not_a_keystore:
            return "this is no keystore";
        case kind::unknown_version:
            return "the keystore was made by software newer than this";
        case kind::truncated:
            return "the keystore is cut short";
        case kind::tampered:
            return "the keystore is damaged or was changed";
        case kind::wrong_passphrase:
            return "the passphrase is wrong";
        case kind::too_costly:
            return "the keystore asks for more work or memory than any should";
        case kind::no_memory:
            return "there is not enough memory to open the keystore";
        case kind::exists:
            return "there is a file already; it was left alone";
        case kind::missing:
            return "there is no such keystore";
        case kind::exposed:
            return "others can read or write the keystore; give it the permissions 0600";
        case kind::system:
            return "the system refused";
        }
        return "unknown keystore error";
    }();
    return std::string{sentence} + (e.detail.empty() ? "" : " (" + e.detail + ")");
}

result<bytes, keystore_error> seal_keystore(secret_key const& key, secret const& passphrase,
                                            keystore_cost const& cost)
{
    BLENDR_ASSERT(cost.passes > 0 && cost.memory_bytes >= keystore_cost::memory_bytes_min &&
                  affordable(cost.passes, cost.memory_bytes));
    require_library();
    body out{};
    out.shown = {.magic = magic_bytes,
                 .version = version,
                 .owner = key.self(),
                 .passes = cost.passes,
                 .memory_bytes = cost.memory_bytes};
    randombytes_buf(out.shown.salt.data(), out.shown.salt.size());
    randombytes_buf(out.shown.nonce.data(), out.shown.nonce.size());
    auto const both = stretched(passphrase, out.shown);
    if (!both) return failure(kind::no_memory);
    auto const halves = both->expose();
    std::copy_n(halves.begin() + 32, 32, out.shown.check.begin());

    auto const shown = encode(out.shown);
    auto const seed = key.expose_seed();
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        raw(out.box.data()), nullptr, raw(seed.data()), seed.size(), raw(shown.data()),
        shown.size(), nullptr, raw(out.shown.nonce.data()), raw(halves.data()));
    out.checksum = checksum_of(encode(out));
    auto whole = encode(out);
    BLENDR_ASSERT(whole.size() == keystore_size);
    return whole;
}

result<secret_key, keystore_error> open_keystore(bytes_view sealed, secret const& passphrase)
{
    require_library();
    BLENDR_TRY(auto const whole, parse(sealed));
    auto const both = stretched(passphrase, whole.shown);
    if (!both) return failure(kind::no_memory);
    auto const halves = both->expose();
    if (sodium_memcmp(halves.data() + 32, whole.shown.check.data(), 32) != 0)
        return failure(kind::wrong_passphrase);
    auto const shown = encode(whole.shown);
    secret seed{32};
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            raw(seed.expose().data()), nullptr, nullptr, raw(whole.box.data()), whole.box.size(),
            raw(shown.data()), shown.size(), raw(whole.shown.nonce.data()),
            raw(halves.data())) != 0)
        return failure(kind::tampered);
    auto key = secret_key::from_seed(std::as_const(seed).expose().first<32>());
    if (key.self() != whole.shown.owner) return failure(kind::tampered);
    return key;
}

result<public_key, keystore_error> keystore_owner(bytes_view sealed)
{
    BLENDR_TRY(auto const whole, parse(sealed));
    return whole.shown.owner;
}

result<nothing, keystore_error> create_keystore(fs::path const& at, secret_key const& key,
                                                secret const& passphrase, keystore_cost const& cost)
{
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(at, ignored))) return failure(kind::exists, at.string());
    BLENDR_TRY(auto const sealed, in_file(at, seal_keystore(key, passphrase, cost)));
    return write_file(at, sealed, existing::refuse);
}

result<secret_key, keystore_error> open_keystore(fs::path const& at, secret const& passphrase)
{
    BLENDR_TRY(auto const raw, read_file(at));
    return in_file(at, open_keystore(bytes_view{raw}, passphrase));
}

result<public_key, keystore_error> keystore_owner(fs::path const& at)
{
    BLENDR_TRY(auto const raw, read_file(at));
    return in_file(at, keystore_owner(bytes_view{raw}));
}

result<nothing, keystore_error> change_passphrase(fs::path const& at, secret const& old_passphrase,
                                                  secret const& new_passphrase,
                                                  keystore_cost const& cost)
{
    BLENDR_TRY(auto const key, open_keystore(at, old_passphrase));
    BLENDR_TRY(auto const sealed, in_file(at, seal_keystore(key, new_passphrase, cost)));
    return write_file(at, sealed, existing::replace);
}

}  // namespace blendr::crypto
