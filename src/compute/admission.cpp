// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/admission.hpp>

#include <blendr/crypto/hash.hpp>

#include "analysis.hpp"

namespace blendr::compute {

namespace {

inline constexpr crypto::domain submitted_domain{"compute.spirv/1"};
inline constexpr crypto::domain hardened_domain{"compute.code/1"};

bytes little_endian_bytes(std::span<std::uint32_t const> words)
{
    bytes raw(words.size() * 4);
    for (std::size_t i = 0; i < raw.size(); ++i)
        raw[i] = static_cast<std::byte>(words[i / 4] >> (i % 4 * 8));
    return raw;
}

}  // namespace

result<admitted, refusal> admit(bytes_view raw, policy const& under)
{
    BLENDR_TRY(auto const m, spirv_module::parse(raw));
    BLENDR_TRY(auto const a, analyse(m));
    BLENDR_CHECK(check_policy(m, a, under));
    BLENDR_CHECK(validate(m.words(), "as submitted: "));
    BLENDR_TRY(auto const code, harden(m, a, under));
    BLENDR_CHECK(validate(code, "after hardening: "));
    admitted made;
    made.submitted = crypto::hash(submitted_domain, raw);
    made.code = little_endian_bytes(code);
    made.code_hash = crypto::hash(hardened_domain, made.code);
    made.needs = a.seen;
    made.under = under;
    return made;
}

}  // namespace blendr::compute
