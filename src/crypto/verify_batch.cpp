// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/verify_batch.hpp>

#include <atomic>
#include <string_view>
#include <vector>

#include <sodium.h>

#include "crypto/lanes/kernels.hpp"
#include <blendr/core/assert.hpp>
#include <blendr/crypto/strict.hpp>

namespace blendr::crypto {
namespace {

verdict verify_one(signed_bytes const& claim) noexcept
{
    if (claim.key.size() != 32 || claim.signature.size() != 64 ||
        !strict_form(claim.key.first<32>(), claim.signature.first<64>()))
        return verdict::invalid;
    auto const raw = [](bytes_view b) { return reinterpret_cast<unsigned char const*>(b.data()); };
    int const failed = crypto_sign_ed25519_verify_detached(raw(claim.signature), raw(claim.message),
                                                           claim.message.size(), raw(claim.key));
    return failed == 0 ? verdict::valid : verdict::invalid;
}

cpu runnable(cpu asked) noexcept
{
    if (asked == cpu::avx512 && !runs(asked)) asked = cpu::avx2;
    return runs(asked) ? asked : cpu::portable;
}

/// Runs the strict vectors through lanes before they are trusted, once for each path.
void self_test(cpu path, lanes::lane_verifier& kernel)
{
    static std::atomic<unsigned> passed{0};
    unsigned const mine = 1u << static_cast<unsigned>(path);
    if ((passed & mine) != 0) return;
    auto const vectors = strict_vectors();
    std::vector<bytes> owned;
    std::vector<signed_bytes> claims;
    owned.reserve(3 * vectors.size());
    auto const parsed = [&](std::string_view hex) -> bytes_view {
        return owned.emplace_back(*from_hex(hex));
    };
    for (auto const& v : vectors)
        claims.push_back({parsed(v.key), parsed(v.message), parsed(v.signature)});
    std::vector<verdict> out(claims.size());
    kernel.verify(claims.data(), claims.size(), out.data());
    for (std::size_t i = 0; i < claims.size(); ++i)
        BLENDR_ASSERT((out[i] == verdict::valid) == vectors[i].good);
    passed |= mine;
}

}  // namespace

struct batch_verifier::state {
    cpu path{};
    std::unique_ptr<lanes::lane_verifier> kernel;  // none on the portable path
};

batch_verifier::batch_verifier() : batch_verifier{options{}} {}

batch_verifier::batch_verifier(options how) : state_{std::make_unique<state>()}
{
    state_->path = runnable(how.path);
    if (auto const* const kernels = lanes::kernels_of(state_->path);
        kernels != nullptr && kernels->make_verifier != nullptr)
        state_->kernel.reset(kernels->make_verifier(how.cached_keys));
    if (state_->kernel)
        self_test(state_->path, *state_->kernel);
    else
        BLENDR_ASSERT(start());
}

batch_verifier::~batch_verifier() = default;
batch_verifier::batch_verifier(batch_verifier&&) noexcept = default;
batch_verifier& batch_verifier::operator=(batch_verifier&&) noexcept = default;

void batch_verifier::verify(std::span<signed_bytes const> claims, std::span<verdict> out)
{
    BLENDR_ASSERT(claims.size() == out.size());
    // Four lanes with one signature in them are slower than libsodium; eight are not.
    bool const too_few = state_->path == cpu::avx2 && claims.size() == 1;
    if (state_->kernel && !too_few) {
        state_->kernel->verify(claims.data(), claims.size(), out.data());
        return;
    }
    for (std::size_t i = 0; i < claims.size(); ++i) out[i] = verify_one(claims[i]);
}

cpu batch_verifier::path() const noexcept { return state_->path; }

void verify_batch(std::span<signed_bytes const> claims, std::span<verdict> out, cpu path)
{
    batch_verifier{{.path = path, .cached_keys = 0}}.verify(claims, out);
}

}  // namespace blendr::crypto
