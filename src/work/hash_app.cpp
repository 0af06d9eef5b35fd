// SPDX-License-Identifier: Apache-2.0
// `hash`: BLAKE2b-256 of every block of a file, and the list of digests.
#include <algorithm>
#include <array>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/blake2b_lanes.hpp>
#include <blendr/crypto/hash.hpp>

#include "builtin.hpp"
#include "on_device.hpp"
#include "options.hpp"
#include "programs_spirv.hpp"

namespace blendr::work {
namespace {

constexpr crypto::domain hash_domain{"work.hash/1"};
constexpr std::uint32_t digest_bytes = 32, block_bytes_max = 1u << 20, unit_bytes = 1u << 22;

struct hash_options {
    std::string file{};
    std::uint32_t block_bytes = 4096;
};
BOOST_DESCRIBE_STRUCT(hash_options, (), (file, block_bytes))

/// What a unit is told. Its one input is its part of the file.
struct hash_unit {
    std::uint32_t block_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(hash_unit, (), (block_bytes))

struct hash_push {
    std::uint32_t blocks, block_bytes, last_bytes;
};

std::uint32_t hash_natively(compute::native_call const& call)
{
    hash_push push{};
    std::memcpy(&push, call.push.data(), sizeof push);
    auto const words = call.buffers[0];
    auto const digests = call.buffers[1];
    auto const blocks = std::min<std::uint64_t>(push.blocks, std::uint64_t{call.groups[0]} * 64);
    if (blocks == 0) return 0;
    auto const before = std::uint64_t{push.block_bytes} * (push.blocks - 1);
    if (push.block_bytes % 4 != 0 || push.last_bytes > push.block_bytes ||
        before + push.last_bytes > words.size() || digests.size() < blocks * digest_bytes)
        return out_of_bounds;
    call.pool->parallel_for(blocks, 16, [&](std::size_t begin, std::size_t end) {
        std::vector<bytes_view> inputs;
        for (auto i = begin; i < end; ++i)
            inputs.push_back(words.subspan(
                i * push.block_bytes, i + 1 == push.blocks ? push.last_bytes : push.block_bytes));
        std::vector<hash256> out(inputs.size());
        crypto::blake2b_256_many(crypto::blake2b_256_start, inputs, out);
        std::memcpy(digests.data() + begin * digest_bytes, out.data(), out.size() * digest_bytes);
    });
    return 0;
}

result<hash_unit, problem> read_unit(unit const& what)
{
    auto const refuse = [](char const* why) { return fail{problem{fault::program_failed, why}}; };
    auto const read = decode<hash_unit>(what.parameters);
    if (!read || read->block_bytes == 0 || read->block_bytes % 4 != 0 ||
        read->block_bytes > block_bytes_max)
        return refuse("the parameters are none of hashing");
    if (what.inputs.size() != 1 || what.where.size.rows() != 1 ||
        groups_for(what.inputs[0]->size(), read->block_bytes) != what.where.size.x ||
        what.inputs[0]->empty() || what.inputs[0]->size() > std::size_t{1} << 28)
        return refuse("the input has not as many blocks as the unit");
    return *read;
}

class hashing final : public task {
public:
    /// Cuts the content once: a stage only shares its parts.
    hashing(bytes_view content, std::uint32_t block_bytes, std::vector<box> parts)
        : block_bytes_{block_bytes},
          parts_{std::move(parts)}
    {
        for (auto const& each : parts_) {
            auto const begin = std::size_t{each.from.x} * block_bytes;
            auto const size =
                std::min(content.size() - begin, std::size_t{each.size.x} * block_bytes);
            content_.push_back(share(to_bytes(content.subspan(begin, size))));
        }
    }

    check_kind check() const noexcept override { return check_kind::exact; }

    hash256 identity() const override
    {
        crypto::hasher h{hash_domain};
        h.update(encode(block_bytes_)).update(encode(parts_));
        for (auto const& each : content_) h.update(*each);
        return h.finish();
    }

    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        if (!results.empty()) return std::nullopt;
        stage out{"hash", {}};
        auto const parameters = encode(hash_unit{block_bytes_});
        for (std::size_t k = 0; k < parts_.size(); ++k)
            out.units.push_back({parts_[k],
                                 parameters,
                                 {content_[k]},
                                 std::uint64_t{parts_[k].size.x} * digest_bytes});
        return out;
    }

    result<std::vector<file>, problem> files(std::span<bytes const> results) const override
    {
        file list{"digests.txt", {}};
        for (auto const& each : results)
            for (std::size_t at = 0; at + digest_bytes <= each.size(); at += digest_bytes)
                append_text(list.content,
                            to_hex(bytes_view{each}.subspan(at, digest_bytes)) + "\n");
        std::vector<file> out;
        out.push_back(std::move(list));
        return out;
    }

private:
    std::uint32_t block_bytes_;
    std::vector<box> parts_;
    std::vector<shared_bytes> content_{};
};

class hash_on_devices final : public app {
public:
    app_info info() const noexcept override
    {
        return {"hash", "BLAKE2b-256 of every block of a file"};
    }

    result<std::unique_ptr<task>, problem> make(order const& what,
                                                std::span<double const> speeds) const override
    {
        BLENDR_TRY(auto const asked, options_of(what.options, hash_options{}));
        BLENDR_TRY(auto const* const from, file_of(what, asked.file));
        if (asked.block_bytes == 0 || asked.block_bytes % 4 != 0 ||
            asked.block_bytes > block_bytes_max)
            return fail{problem{fault::bad_input,
                                "a block has a multiple of 4 bytes, and at most 1048576"}};
        if (from->content.empty()) return fail{problem{fault::bad_input, from->name + " is empty"}};
        if (from->content.size() > std::size_t{1} << 31)
            return fail{problem{fault::bad_input, from->name + " is larger than 2 GiB"}};
        if (from->content.size() / asked.block_bytes >= std::size_t{1} << 25)
            return fail{problem{fault::bad_input, "more than 33554432 blocks: make them larger"}};
        extent const range{groups_for(from->content.size(), asked.block_bytes), 1, 1};
        split_rules rules;
        rules.most = std::max(1u, unit_bytes / asked.block_bytes);
        BLENDR_TRY(auto parts, split(range, speeds, rules));
        return std::make_unique<hashing>(from->content, asked.block_bytes, std::move(parts));
    }

    result<bytes, problem> run(unit const& what, workplace const& where) const override
    {
        BLENDR_TRY(auto const read, read_unit(what));
        auto const& content = *what.inputs[0];
        auto const blocks = what.where.size.x;
        on_device device{where};
        BLENDR_TRY(auto const program,
                   device.program(program_bytes(spirv::hash), compute::profile::exact));
        BLENDR_TRY(auto const in, device.room((content.size() + 3) / 4 * 4));
        BLENDR_TRY(auto const out, device.room(std::uint64_t{blocks} * digest_bytes));
        bytes digests(std::size_t{blocks} * digest_bytes);
        device.upload(in, content);
        auto const last = content.size() - std::size_t{blocks - 1} * read.block_bytes;
        device.dispatch(program, {groups_for(blocks, 64), 1, 1}, {in, out},
                        hash_push{blocks, read.block_bytes, static_cast<std::uint32_t>(last)});
        device.download(out, digests);
        BLENDR_CHECK(device.run());
        return digests;
    }

    cost estimate(unit const& of) const override
    {
        auto const size = of.inputs.empty() ? 0 : of.inputs[0]->size();
        return {static_cast<double>(size) * 12, size, of.where.size.points() * digest_bytes};
    }
};

// ------------------------------------------------------------ a step is a block
struct hash_state {
    std::uint32_t block_bytes = 0;
    bytes content{}, digests{};
};
BOOST_DESCRIBE_STRUCT(hash_state, (), (block_bytes, content, digests))

result<std::uint64_t, problem> count_blocks(unit const& what)
{
    BLENDR_CHECK(read_unit(what));
    return std::uint64_t{what.where.size.x};
}

result<bytes, problem> first_of_hash(unit const& what)
{
    BLENDR_TRY(auto const read, read_unit(what));
    return encode(hash_state{read.block_bytes, *what.inputs[0],
                             bytes(std::size_t{what.where.size.x} * digest_bytes)});
}

bytes hash_step(std::uint64_t number, bytes_view before)
{
    auto state = decode<hash_state>(before);
    if (!state || state->block_bytes == 0 || state->block_bytes > block_bytes_max ||
        number >= state->digests.size() / digest_bytes ||
        number * state->block_bytes >= state->content.size())
        return to_bytes(before);
    auto const from = static_cast<std::size_t>(number) * state->block_bytes;
    auto const size = std::min<std::size_t>(state->block_bytes, state->content.size() - from);
    auto const digest =
        crypto::foreign::blake2b_256(bytes_view{state->content}.subspan(from, size));
    std::copy(digest.begin(), digest.end(),
              state->digests.begin() + static_cast<std::ptrdiff_t>(number * digest_bytes));
    return encode(*state);
}

result<bytes, problem> last_of_hash(bytes_view first, bytes_view result)
{
    auto state = decode<hash_state>(first).value();
    if (result.size() != state.digests.size())
        return fail{problem{fault::wrong_size, "a list of digests"}};
    state.digests = to_bytes(result);
    return encode(state);
}

}  // namespace

unit_steps const& hash_steps()
{
    static unit_steps const it{"hash", first_of_hash, count_blocks, hash_step, last_of_hash};
    return it;
}

app const& hash_app()
{
    static hash_on_devices const it;
    return it;
}

void add_hash_kernels(std::vector<compute::native_kernel>& to)
{
    to.push_back({to_bytes(program_bytes(spirv::hash)), hash_natively});
}

}  // namespace blendr::work
