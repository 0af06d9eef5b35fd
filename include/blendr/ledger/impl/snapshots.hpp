// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/app/snapshots.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/impl/ground.hpp>
#include <blendr/ledger/impl/state_loader.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/state/same.hpp>
#include <blendr/state/snapshot.hpp>

namespace blendr::ledger::impl {

/// The version of how a machine's snapshots are made.
inline constexpr std::uint32_t snapshot_format = 1;

/// What a snapshot says of itself. The hash of the roots is what is trusted; everything else about the
/// block is in the rows.
struct snapshot_note {
    roots after{};
};
BOOST_DESCRIBE_STRUCT(snapshot_note, (), (after))

/// A snapshot that is ready to be handed out.
struct made_snapshot {
    app::snapshot what{};
    std::vector<bytes> chunks{};
};

/// Makes a snapshot of the last committed block, chunks side by side on all cores.
template <class Registry>
class snapshot_maker {
public:
    snapshot_maker(ground<Registry> const& of, task_pool& pool) : of_{&of}, pool_{&pool}
    {
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::table_count>>(
            [&](auto t) { find_places<decltype(t)::value>(); });
        std::sort(places_.begin(), places_.end(),
                  [](place const& a, place const& b) { return a.prefix < b.prefix; });
    }

    /// None only if a row is larger than any chunk.
    std::optional<made_snapshot> operator()() const
    {
        for (auto bits = state::snapshot_bits(places_.size());
             bits <= state::snapshot_manifest::bits_max; ++bits)
            if (auto out = make(bits)) return out;
        return std::nullopt;
    }

private:
    /// Where the row of a hashed key is.
    struct place {
        std::uint64_t prefix{};
        state::slot at{};
        std::uint8_t table{};
    };

    static std::uint64_t prefix_of(hash256 const& key) noexcept
    {
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < 8; ++i) out = out << 8 | std::to_integer<std::uint64_t>(key[i]);
        return out;
    }

    template <std::size_t T>
    void find_places()
    {
        using table = typename Registry::template table_at<T>;
        auto const& in = of_->seen.state().template table<table>();
        auto const first = places_.size();
        for (std::size_t i = 0; i < in.size(); ++i) {
            auto const at = static_cast<state::slot>(i);
            if (!state::same(of_->seen.template row_at<table>(at), typename table::row{}))
                places_.push_back({0, at, static_cast<std::uint8_t>(T)});
        }
        pool_->parallel_for(places_.size() - first, 1024, [&](std::size_t begin, std::size_t end) {
            for (auto i = first + begin; i < first + end; ++i)
                places_[i].prefix = prefix_of(state::key_hash(key_at<T>(places_[i].at)));
        });
    }

    template <std::size_t T>
    bytes key_at(state::slot at) const
    {
        using table = typename Registry::template table_at<T>;
        using owner = typename Registry::template owner_of<table>;
        return state_key<owner, table>(of_->seen.state().template table<table>().key(at));
    }

    state::snapshot_row row_at(place const& where) const
    {
        state::snapshot_row out{};
        boost::mp11::mp_with_index<Registry::table_count>(where.table, [&](auto t) {
            constexpr auto number = decltype(t)::value;
            using table = typename Registry::template table_at<number>;
            out = {this->template key_at<number>(where.at),
                   encode(of_->seen.template row_at<table>(where.at))};
        });
        return out;
    }

    std::optional<state::snapshot_row> find(state::leaf const& wanted) const
    {
        auto const prefix = prefix_of(wanted.key);
        auto next = std::partition_point(places_.begin(), places_.end(),
                                         [&](place const& each) { return each.prefix < prefix; });
        for (; next != places_.end() && next->prefix == prefix; ++next)
            if (auto row = row_at(*next); state::key_hash(row.key) == wanted.key) return row;
        return std::nullopt;
    }

    std::optional<made_snapshot> make(std::uint8_t bits) const
    {
        auto const& tip = of_->blocks.committed();
        made_snapshot out{};
        out.what = {tip.head.at, snapshot_format, std::uint32_t{1} << bits,
                    encode(snapshot_note{tip.after})};
        out.chunks.resize(out.what.chunks);
        std::atomic<bool> good{true};
        pool_->parallel_for(out.chunks.size(), 1, [&](std::size_t begin, std::size_t end) {
            for (auto i = begin; i < end && good; ++i) {
                auto chunk = state::make_chunk(of_->blocks.tree(), tip.version, bits,
                                               static_cast<std::uint32_t>(i),
                                               [&](state::leaf const& leaf) { return find(leaf); });
                if (chunk)
                    out.chunks[i] = *std::move(chunk);
                else
                    good = false;
            }
        });
        if (!good) return std::nullopt;
        return out;
    }

    ground<Registry> const* of_;
    task_pool* pool_;
    std::vector<place> places_{};  // by prefix
};

/// Puts a state together beside the one that the machine has, chunk by chunk.
template <class Registry>
class snapshot_restorer {
public:
    /// None: the format or size is not known here, or it is no snapshot of what is trusted.
    static std::unique_ptr<snapshot_restorer> begin(app::snapshot const& which,
                                                    hash256 const& trusted,
                                                    std::unique_ptr<ground<Registry>> empty)
    {
        auto const note = decode<snapshot_note>(which.metadata);
        if (which.format != snapshot_format || !std::has_single_bit(which.chunks) || !note ||
            which.at == height{} || app_hash(note->after) != trusted)
            return nullptr;
        auto const bits = static_cast<std::uint8_t>(std::bit_width(which.chunks) - 1);
        auto intake = state::snapshot_intake::begin({which.at, note->after.state, bits});
        if (!intake) return nullptr;
        return std::unique_ptr<snapshot_restorer>{
            new snapshot_restorer{*std::move(intake), note->after, std::move(empty)}};
    }

    app::chunk_verdict take(std::uint32_t index, bytes_view raw, task_pool& pool)
    {
        using enum app::chunk_verdict;
        if (ground_ == nullptr) return abandoned;
        auto const rows = intake_.take(index, raw);
        if (!rows) {
            fault_ = rows.error();
            return corrupt;
        }
        std::vector<state::change> changes;
        for (auto const& [key, value] : *rows) {
            if (!load_row(ground_->blocks.state(), key, value)) return abandon();
            changes.push_back({state::key_hash(key), state::value_hash(value)});
        }
        auto& tree = ground_->blocks.tree();
        if (!changes.empty()) tree.decide(tree.apply(tree.decided(), changes, &pool));
        if (!intake_.complete()) return taken;
        return finish() ? complete : abandon();
    }

    /// The chunk that was refused last.
    std::optional<state::chunk_error> fault() const { return fault_; }

    /// Once complete: the state, begun.
    std::unique_ptr<ground<Registry>> result() { return std::move(ground_); }

private:
    snapshot_restorer(state::snapshot_intake intake, roots const& after,
                      std::unique_ptr<ground<Registry>> empty)
        : intake_{std::move(intake)},
          after_{after},
          ground_{std::move(empty)}
    {}

    /// What is proven and yet cannot be the state of this chain's software.
    app::chunk_verdict abandon()
    {
        ground_.reset();
        return app::chunk_verdict::abandoned;
    }

    bool finish()
    {
        auto& blocks = ground_->blocks;
        block_node<Registry> first{};
        auto const& now = ground_->runner.template now<facts>();
        auto const& fixed = ground_->runner.template now<rules>();
        first.head.chain = fixed.chain;
        first.head.shard = fixed.shard;
        first.head.at = now.at;
        first.head.block_time = now.block_time;
        first.after = after_;
        first.next = validators_in(blocks.state());
        first.version = blocks.tree().decided();
        bool const fits = now.at == intake_.manifest().at &&
                          blocks.tree().root(first.version) == after_.state &&
                          validators_root(first.next) == after_.validators && !first.next.empty();
        if (fits) ground_->take_up(std::move(first));
        return fits;
    }

    state::snapshot_intake intake_;
    roots after_;
    std::unique_ptr<ground<Registry>> ground_;
    std::optional<state::chunk_error> fault_{};
};

}  // namespace blendr::ledger::impl
