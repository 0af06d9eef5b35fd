// SPDX-License-Identifier: Apache-2.0
#include "programs.hpp"

#include <blendr/crypto/hash.hpp>

#include "ops.hpp"

namespace blendr::compute {

namespace {

inline constexpr crypto::domain submitted_domain{"compute.spirv/1"};

bool reads_group_count(spirv_module const& m)
{
    constexpr std::uint32_t builtin = 11, num_workgroups = 24;
    for (std::uint32_t i = 0; i < m.size(); ++i) {
        auto const in = m[i];
        if (static_cast<op>(in.opcode()) == op::decorate && in.word(2) == builtin &&
            in.word(3) == num_workgroups)
            return true;
    }
    return false;
}

}  // namespace

hash256 program_hash(bytes_view spirv) noexcept { return crypto::hash(submitted_domain, spirv); }

result<prepared, failure> prepare(bytes_view spirv, policy under, device_limits const& limits,
                                  origin whose)
{
    auto const refused = [](refusal const& why) {
        return fail{failure{fault::refused, message(why)}};
    };
    auto const m = spirv_module::parse(spirv);
    if (!m) return refused(m.error());
    prepared made;
    made.submitted = program_hash(spirv);
    made.counts_groups = reads_group_count(*m);
    if (whose == origin::own) {
        auto needs = reflect(*m);
        if (!needs) return refused(needs.error());
        made.needs = *std::move(needs);
        made.code = to_bytes(spirv);
        return made;
    }
    under.device = limits;
    auto admitted = admit(spirv, under);
    if (!admitted) return refused(admitted.error());
    made.needs = std::move(admitted->needs);
    made.code = std::move(admitted->code);
    made.traps = true;
    return made;
}

}  // namespace blendr::compute
