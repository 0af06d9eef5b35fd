// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <vector>

#include "analysis.hpp"

namespace blendr::compute {

namespace {

/// Words after the first that name ids, as far as the use of a result matters: never too few.
std::uint32_t ids_end(instruction const& in, op code)
{
    switch (code) {
    case op::composite_extract:
        return std::min(in.size(), 4u);
    case op::composite_insert:
    case op::vector_shuffle:
        return std::min(in.size(), 5u);
    default:
        return in.size();
    }
}

class examiner {
public:
    examiner(spirv_module const& m, analysis const& a, policy const& under)
        : m_{m},
          a_{a},
          under_{under},
          exact_{under.as == profile::exact}
    {}

    result<nothing, refusal> examine()
    {
        BLENDR_CHECK(device());
        if (a_.seen.inlined_size > under_.inlined_size_max)
            return fail{refusal{rule::too_much_code}};
        if (a_.seen.private_bytes > under_.private_bytes_max)
            return fail{refusal{rule::private_too_large}};
        if (a_.largest_value > under_.value_bytes_max)
            return fail{at(rule::value_too_large, m_[a_.largest_value_at])};
        if (exact_ && a_.first_float_at != refusal::nowhere)
            return fail{at(rule::not_exact, m_[a_.first_float_at])};
        if (exact_) find_uses();
        for (std::uint32_t i = 0; i < m_.size(); ++i) {
            auto const in = m_[i];
            BLENDR_CHECK(instruction_(in));
        }
        return nothing{};
    }

private:
    using verdict = result<nothing, refusal>;

    verdict device() const
    {
        auto const& seen = a_.seen;
        auto const& has = under_.device;
        std::uint64_t invocations = 1;
        for (std::size_t k = 0; k < 3; ++k) {
            if (seen.local_size[k] == 0 || seen.local_size[k] > has.local_size_max[k])
                return fail{refusal{rule::workgroup_too_large}};
            invocations = multiply_capped(invocations, seen.local_size[k]);
        }
        if (invocations > has.invocations_max) return fail{refusal{rule::workgroup_too_large}};
        if (seen.shared_bytes > has.shared_bytes_max) return fail{refusal{rule::shared_too_large}};
        if (seen.push_bytes > has.push_bytes_max) return fail{refusal{rule::push_too_large}};
        if (a_.storage_buffers + 1 > has.storage_buffers_max ||  // the trap buffer is one too
            a_.uniform_buffers > has.uniform_buffers_max)
            return fail{refusal{rule::too_many_bindings}};
        return nothing{};
    }

    void find_uses()
    {
        used_.resize(m_.bound());
        for (auto const& each : a_.functions) {
            for (auto i = each.first + 1; i < m_.size(); ++i) {
                auto const in = m_[i];
                auto const code = static_cast<op>(in.opcode());
                if (code == op::function_end) break;
                auto const end = ids_end(in, code);
                for (std::uint32_t k = in.type() != 0 ? 3 : 1; k < end; ++k)
                    if (in.word(k) < used_.size()) used_[in.word(k)] = true;
            }
        }
    }

    verdict instruction_(instruction const& in) const
    {
        auto const code = static_cast<op>(in.opcode());
        switch (code) {
        case op::capability:
            return capability(in);
        case op::ext_inst:
            return extended(in);
        default:
            break;
        }
        return exact_ ? exact(in, code) : verdict{nothing{}};
    }

    verdict capability(instruction const& in) const
    {
        auto const& has = under_.device;
        bool there = false;
        switch (in.word(1)) {
        case 0:  // Matrix
        case 1:
            there = true;
            break;  // Shader
        case 9:
            there = has.float16;
            break;  // Float16
        case 10:
            there = has.float64;
            break;  // Float64
        case 11:
            there = has.int64;
            break;  // Int64
        case 22:
            there = has.int16;
            break;  // Int16
        case 39:
            there = has.int8;
            break;  // Int8
        case 4433:  // StorageBuffer16BitAccess
        case 4434:
            there = has.storage16;
            break;  // UniformAndStorageBuffer16BitAccess
        case 4448:  // StorageBuffer8BitAccess
        case 4449:
            there = has.storage8;
            break;  // UniformAndStorageBuffer8BitAccess
        default:
            return fail{at(rule::capability_not_allowed, in)};
        }
        if (!there) return fail{at(rule::feature_missing, in)};
        return nothing{};
    }

    /// GLSL.std.450 by number. Those with a pointer (Modf, Frexp) and Interpolate* are left out.
    verdict extended(instruction const& in) const
    {
        static constexpr std::array<std::uint32_t, 11> integers{5,  7,  38, 39, 41, 42,
                                                                44, 45, 73, 74, 75};
        auto const which = in.word(4);
        if (exact_) {
            if (std::find(integers.begin(), integers.end(), which) == integers.end())
                return fail{at(rule::not_exact, in)};
            return nothing{};
        }
        if (which == 0 || which > 81 || which == 35 || which == 51 || (which >= 76 && which <= 78))
            return fail{at(rule::unknown_instruction, in)};
        return nothing{};
    }

    /// What may differ from device to device, or from run to run.
    verdict exact(instruction const& in, op code) const
    {
        switch (code) {
        case op::atomic_load:
        case op::atomic_store:
        case op::atomic_exchange:
        case op::atomic_compare_exchange:
            return fail{at(rule::not_exact, in)};
        case op::vector_shuffle:  // this literal stands for a component without a value
            for (std::uint32_t k = 5; k < in.size(); ++k)
                if (in.word(k) == 0xFFFFFFFF) return fail{at(rule::not_exact, in)};
            break;
        case op::bit_field_insert:
            return bit_field(in, 5);
        case op::bit_field_s_extract:
        case op::bit_field_u_extract:
            return bit_field(in, 4);
        default:
            break;
        }
        bool const atomic = in.opcode() >= static_cast<std::uint16_t>(op::atomic_i_increment) &&
                            in.opcode() <= static_cast<std::uint16_t>(op::atomic_xor);
        if (atomic && used_[in.result()]) return fail{at(rule::not_exact, in)};
        return nothing{};
    }

    verdict bit_field(instruction const& in, std::uint32_t offset) const
    {
        auto const& t = a_.type(in.type());
        auto const width = t.kind == op::type_vector ? a_.type(t.element).width : t.width;
        auto const from = a_.constant(in.word(offset));
        auto const count = a_.constant(in.word(offset + 1));
        if (!from || !count || *from > width || *count > width - *from)
            return fail{at(rule::not_exact, in)};
        return nothing{};
    }

    spirv_module const& m_;
    analysis const& a_;
    policy const& under_;
    bool exact_;
    std::vector<bool> used_;
};

}  // namespace

result<nothing, refusal> check_policy(spirv_module const& m, analysis const& a, policy const& under)
{
    return examiner{m, a, under}.examine();
}

}  // namespace blendr::compute
