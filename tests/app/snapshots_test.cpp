// SPDX-License-Identifier: Apache-2.0
#include <blendr/app/snapshots.hpp>  // first: it stands alone

#include <map>
#include <set>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

#include <doctest/doctest.h>

using namespace blendr;

namespace {

constexpr crypto::domain piece_domain{"test.piece/1"};

/// Hands out a text letter by letter; a letter's place is part of what is hashed.
class speller {
public:
    explicit speller(std::string text = {}) : text_{std::move(text)} {}

    std::string const& text() const { return text_; }

    hash256 hash() const
    {
        crypto::hasher all{piece_domain};
        for (std::uint32_t i = 0; i < text_.size(); ++i) all.update(piece(i));
        return all.finish();
    }

    std::vector<app::snapshot> snapshots() const
    {
        app::snapshot one{height{7}, 1, static_cast<std::uint32_t>(text_.size()), {}};
        for (std::uint32_t i = 0; i < text_.size(); ++i) {
            auto const each = piece(i);
            one.metadata.insert(one.metadata.end(), each.begin(), each.end());
        }
        return {one};
    }

    std::optional<bytes> chunk(height at, std::uint32_t index) const
    {
        if (at != height{7} || index >= text_.size()) return std::nullopt;
        return bytes{static_cast<std::byte>(text_[index])};
    }

    bool offer(app::snapshot const& which, hash256 const& trusted)
    {
        if (which.format != 1 || which.metadata.size() != which.chunks * 32) return false;
        if (crypto::hash(piece_domain, which.metadata) != trusted) return false;
        offered_ = which;
        have_.clear();
        return true;
    }

    app::chunk_verdict restore(std::uint32_t index, bytes_view raw)
    {
        using enum app::chunk_verdict;
        if (!offered_) return abandoned;
        if (index >= offered_->chunks || raw.size() != 1) return corrupt;
        auto const letter = static_cast<char>(raw[0]);
        auto const hash = of(index, letter);
        if (!equal(hash, bytes_view{offered_->metadata}.subspan(index * 32, 32))) return corrupt;
        have_[index] = letter;
        if (have_.size() < offered_->chunks) return taken;
        text_.clear();
        for (auto const& [at, each] : have_) text_ += each;
        return complete;
    }

private:
    static hash256 of(std::uint32_t index, char letter)
    {
        auto raw = encode(index);
        raw.push_back(static_cast<std::byte>(letter));
        return crypto::hash(piece_domain, raw);
    }
    hash256 piece(std::uint32_t i) const { return of(i, text_[i]); }

    std::string text_;
    std::optional<app::snapshot> offered_{};
    std::map<std::uint32_t, char> have_{};
};
static_assert(app::snapshot_application<speller>);

}  // namespace

TEST_CASE("snapshots: pieces come in any order and a corrupt one costs only itself")
{
    speller const source{"blend"};
    auto const offered = source.snapshots().front();
    speller copy{};
    REQUIRE(copy.offer(offered, source.hash()));
    for (std::uint32_t i : {4u, 0u, 3u, 1u}) {
        auto bad = *source.chunk(height{7}, i);
        bad[0] ^= std::byte{1};
        CHECK(copy.restore(i, bad) == app::chunk_verdict::corrupt);
        CHECK(copy.restore(i, *source.chunk(height{7}, i)) == app::chunk_verdict::taken);
        CHECK(copy.text().empty());
    }
    CHECK(copy.restore(2, *source.chunk(height{7}, 2)) == app::chunk_verdict::complete);
    CHECK(copy.text() == "blend");
}

TEST_CASE("snapshots: one that does not fit the trusted hash is refused before any piece")
{
    speller const source{"blend"};
    auto offered = source.snapshots().front();
    offered.metadata[40] ^= std::byte{1};
    speller copy{};
    CHECK_FALSE(copy.offer(offered, source.hash()));
    CHECK(copy.restore(0, *source.chunk(height{7}, 0)) == app::chunk_verdict::abandoned);
}
