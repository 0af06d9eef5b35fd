// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/spirv.hpp>

#include <bit>

#include "ops.hpp"

namespace blendr::compute {

namespace {

constexpr std::uint32_t magic = 0x07230203;
constexpr std::uint32_t version_min = 0x00010300;
constexpr std::uint32_t version_max = 0x00010600;

std::vector<std::uint32_t> little_endian_words(bytes_view raw)
{
    std::vector<std::uint32_t> words(raw.size() / 4);
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::uint32_t word = 0;
        for (std::size_t k = 4; k-- > 0;)
            word = word << 8 | std::to_integer<std::uint32_t>(raw[4 * i + k]);
        words[i] = word;
    }
    return words;
}

}  // namespace

result<spirv_module, refusal> spirv_module::parse(bytes_view raw)
{
    if (raw.size() % 4 != 0 || raw.size() < header_words * 4) return fail{refusal{rule::not_words}};
    if (raw.size() > bytes_max) return fail{refusal{rule::too_many_bytes}};
    spirv_module made;
    made.words_ = little_endian_words(raw);
    auto const& words = made.words_;
    if (words[0] != magic || words[4] != 0) return fail{refusal{rule::bad_header}};
    if (words[1] < version_min || words[1] > version_max || (words[1] & 0xFF0000FF) != 0)
        return fail{refusal{rule::version_not_allowed}};
    if (words[3] == 0 || words[3] > ids_max) return fail{refusal{rule::too_many_ids}};

    made.defined_.assign(words[3], refusal::nowhere);
    for (std::size_t at = header_words; at < words.size();) {
        auto const index = made.size();
        auto const opcode = static_cast<std::uint16_t>(words[at]);
        std::size_t const count = words[at] >> 16;
        auto const* const facts = facts_of(opcode);
        if (facts == nullptr) return fail{refusal{rule::unknown_instruction, index, opcode}};
        if (count < facts->words_min || count > words.size() - at)
            return fail{refusal{rule::cut_off, index, opcode}};
        instruction const in{index, std::span{words}.subspan(at, count), facts->typed,
                             facts->results};
        if (facts->typed && made.definition(in.type()) == refusal::nowhere)
            return fail{refusal{rule::bad_type, index, opcode}};
        if (facts->results) {
            if (in.result() == 0 || in.result() >= words[3])
                return fail{refusal{rule::bad_id, index, opcode}};
            auto& place = made.defined_[in.result()];
            if (place != refusal::nowhere) return fail{refusal{rule::defined_twice, index, opcode}};
            place = index;
        }
        made.starts_.push_back(static_cast<std::uint32_t>(at));
        at += count;
    }
    return made;
}

instruction spirv_module::operator[](std::uint32_t i) const noexcept
{
    auto const at = starts_[i];
    auto const count = words_[at] >> 16;
    auto const* const facts = facts_of(static_cast<std::uint16_t>(words_[at]));
    return {i, std::span{words_}.subspan(at, count), facts->typed, facts->results};
}

}  // namespace blendr::compute
