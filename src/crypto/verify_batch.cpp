// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/verify_batch.hpp>

#include <utility>

#include <sodium.h>

#include "crypto/lanes/kernels.hpp"
#include <blendr/core/assert.hpp>

namespace blendr::crypto {
namespace {

verdict verify_one(signed_bytes const& claim) noexcept
{
    if (claim.key.size() != crypto_sign_PUBLICKEYBYTES ||
        claim.signature.size() != crypto_sign_BYTES)
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
}

batch_verifier::~batch_verifier() = default;
batch_verifier::batch_verifier(batch_verifier&&) noexcept = default;
batch_verifier& batch_verifier::operator=(batch_verifier&&) noexcept = default;

void batch_verifier::verify(std::span<signed_bytes const> claims, std::span<verdict> out)
{
    BLENDR_ASSERT(claims.size() == out.size());
    if (state_->kernel) {
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
