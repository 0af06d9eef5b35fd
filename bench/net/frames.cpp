// SPDX-License-Identifier: Apache-2.0
// Encrypted frames beside the cipher alone, in memory and over loopback TCP.
#include <harness.hpp>

#include <sodium.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <blendr/net/frames.hpp>
#include <blendr/net/tcp.hpp>

namespace {

using namespace blendr;
using bench::run;

constexpr std::size_t size = 16 << 10;

unsigned char* raw(std::byte* p) { return reinterpret_cast<unsigned char*>(p); }

/// Seals and opens; the yardstick calls the library's cipher on the same bytes, key expanded beforehand.
void frames(run& r, net::cipher how, std::string const& name)
{
    std::array<std::byte, 32> const key{std::byte{1}};
    net::frame_key out{how, key};
    net::frame_key in{how, key};
    bytes const plain(size);
    bytes frame(net::frame_head + size + net::frame_tag);
    bytes other(size + 16);
    alignas(64) crypto_aead_aes256gcm_state state{};
    std::array<unsigned char, 32> const k{1};
    if (how == net::cipher::aes256_gcm) crypto_aead_aes256gcm_beforenm(&state, k.data());
    std::array<unsigned char, 24> nonce{};
    r.compare(
        name, bench::rate("GB/s", 1e-9 * size),
        [&] {
            out.seal(0, true, plain, frame.data());
            if (!in.open(frame)) std::abort();
        },
        [&] {
            ++nonce[0];
            auto* const to = raw(other.data());
            auto const* const from = reinterpret_cast<unsigned char const*>(plain.data());
            if (how == net::cipher::aes256_gcm) {
                crypto_aead_aes256gcm_encrypt_afternm(to, nullptr, from, size, nullptr, 0, nullptr,
                                                      nonce.data(), &state);
                if (crypto_aead_aes256gcm_decrypt_afternm(to, nullptr, nullptr, to, size + 16,
                                                          nullptr, 0, nonce.data(), &state) != 0)
                    std::abort();
            } else {
                crypto_aead_xchacha20poly1305_ietf_encrypt(to, nullptr, from, size, nullptr, 0,
                                                           nullptr, nonce.data(), k.data());
                if (crypto_aead_xchacha20poly1305_ietf_decrypt(to, nullptr, nullptr, to, size + 16,
                                                               nullptr, 0, nonce.data(),
                                                               k.data()) != 0)
                    std::abort();
            }
        });
}

struct counter final : net::receiver {
    void on_joined(crypto::public_key const&) override { ++joined; }
    bool on_message(crypto::public_key const&, net::lane, bytes_view m) override
    {
        bytes += m.size();
        return true;
    }
    void on_left(crypto::public_key const&, net::error) override {}
    std::atomic<int> joined{0};
    std::atomic<std::uint64_t> bytes{0};
};

crypto::identity person(std::uint8_t n)
{
    std::array<std::byte, 32> const seed{static_cast<std::byte>(n)};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

/// Messages from one node to another, by wall clock: two threads, one seals, one opens, TCP between them. The yardstick is one
/// thread that seals and opens the same amount with the cipher alone.
void peers(run& r, bool aes, std::string const& name)
{
    if (!r.wants(name)) return;
    counter at_a{}, at_b{};
    net::tcp_options oa{person(1)}, ob{person(2)};
    oa.aes = ob.aes = aes;
    oa.limits.bytes_per_second = oa.limits.bytes_per_second_all = std::uint64_t{64} << 30;
    ob.limits.send_bytes_per_second = ob.limits.send_bytes_per_second_all = std::uint64_t{64} << 30;
    oa.limits.messages_per_second = 100'000'000;
    auto a = net::make_tcp_transport(oa);
    auto const where = a->start(at_a);
    ob.peers = {*where};
    auto b = net::make_tcp_transport(ob);
    if (!b->start(at_b)) return;
    while (at_b.joined == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    constexpr std::size_t burst = 16 << 20;
    auto const message = net::share(bytes(size));
    auto const reader = person(1).self();
    std::uint64_t sent = 0;
    std::array<unsigned char, 32> const k{1};
    alignas(64) crypto_aead_aes256gcm_state state{};
    if (aes) crypto_aead_aes256gcm_beforenm(&state, k.data());
    std::array<unsigned char, 24> nonce{};
    bytes other(size + 16);
    // who waits must not take a core from those who work
    auto const rest = [] { std::this_thread::sleep_for(std::chrono::microseconds{100}); };
    r.compare(
        name, bench::rate("GB/s", 1e-9 * burst),
        [&] {
            for (std::size_t done = 0; done < burst; done += size) {
                while (!b->send(reader, net::lane::bulk, message)) rest();
                sent += size;
            }
            while (at_a.bytes < sent) rest();
        },
        [&] {
            auto* const to = raw(other.data());
            for (std::size_t done = 0; done < burst; done += size) {
                ++nonce[0];
                if (aes) {
                    crypto_aead_aes256gcm_encrypt_afternm(to, nullptr, to, size, nullptr, 0,
                                                          nullptr, nonce.data(), &state);
                    if (crypto_aead_aes256gcm_decrypt_afternm(to, nullptr, nullptr, to, size + 16,
                                                              nullptr, 0, nonce.data(),
                                                              &state) != 0)
                        std::abort();
                } else {
                    crypto_aead_xchacha20poly1305_ietf_encrypt(to, nullptr, to, size, nullptr, 0,
                                                               nullptr, nonce.data(), k.data());
                    if (crypto_aead_xchacha20poly1305_ietf_decrypt(to, nullptr, nullptr, to,
                                                                   size + 16, nullptr, 0,
                                                                   nonce.data(), k.data()) != 0)
                        std::abort();
                }
            }
        },
        {bench::clock::wall, 11, 10, false});
}

bench::suite const all{"net", [](run& r) {
                           if (net::has_aes()) {
                               frames(r, net::cipher::aes256_gcm, "net/frames/aes256_gcm/16k");
                               peers(r, true, "net/tcp/aes256_gcm/16k");
                           }
                           frames(r, net::cipher::xchacha20_poly1305,
                                  "net/frames/xchacha20_poly1305/16k");
                           peers(r, false, "net/tcp/xchacha20_poly1305/16k");
                       }};

}  // namespace
