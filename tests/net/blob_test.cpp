// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/blob.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <blendr/core/random.hpp>
#include <blendr/crypto/identity.hpp>

using namespace blendr;
using net::blob_fetch;
using net::blob_message;

namespace {

bytes some(std::size_t size, std::uint64_t seed)
{
    rng random{seed};
    bytes out(size);
    for (auto& each : out) each = static_cast<std::byte>(random());
    return out;
}

crypto::public_key key(std::uint8_t n)
{
    std::array<std::byte, 32> seed{};
    seed.fill(std::byte{n});
    return crypto::identity{crypto::secret_key::from_seed(seed)}.self();
}

/// Peers, each with the data that it claims the blob is, and a fault.
struct world {
    enum class fault { none, lies_about_chunks, silent };
    struct peer {
        bytes claims{};
        fault with{};
        std::size_t served{};
    };
    crypto::cid what{};
    std::map<crypto::public_key, peer> peers{};
    std::set<crypto::public_key> blamed{};
    bytes got{};
    std::optional<time_ms> done{};

    void run(blob_fetch& f)
    {
        std::uint64_t turn = f.turn();
        if (f.list() != nullptr) got.resize(f.list()->size);
        for (time_ms now{1'000}; now < time_ms{200'000} && !done; now = now + std::int64_t{50}) {
            blob_fetch::sends out{};
            f.tick(now, out);
            for (auto const& [to, raw] : out) {
                auto& p = peers.at(to);
                if (p.with == fault::silent) continue;
                auto const answer = reply(p, *decode<blob_message>(raw));
                auto const heard = f.take(to, answer, now);
                if (!heard.good) blamed.insert(to);
                if (f.list() != nullptr && turn != f.turn()) {
                    turn = f.turn();
                    got.assign(f.list()->size, std::byte{});
                }
                if (heard.chunk) {
                    auto const& data = std::get<net::tell_chunk>(answer).data;
                    std::copy(data.begin(), data.end(),
                              got.begin() + static_cast<std::ptrdiff_t>(*heard.chunk *
                                                                        net::blob_chunk_bytes));
                    ++p.served;
                }
            }
            if (!f.complete()) continue;
            if (what.names(got)) {
                done = now;
                continue;
            }
            for (auto const& each : f.refute()) blamed.insert(each);
        }
    }
    static blob_message reply(peer const& p, blob_message const& asked)
    {
        if (auto const* a = std::get_if<net::ask_blob>(&asked))
            return net::tell_blob{a->what, !p.claims.empty(), *net::list_of(p.claims)};
        auto const& a = std::get<net::ask_chunk>(asked);
        net::tell_chunk out{a.what, a.index, {}};
        auto const at = a.index * net::blob_chunk_bytes;
        auto const piece =
            bytes_view{p.claims}.subspan(at, std::min(net::blob_chunk_bytes, p.claims.size() - at));
        static_cast<bytes&>(out.data) = to_bytes(piece);
        if (p.with == fault::lies_about_chunks) out.data.back() ^= std::byte{1};
        return out;
    }
};

constexpr std::uint64_t much = std::uint64_t{1} << 30;

}  // namespace

TEST_CASE("blob: a list names every chunk, the last one shorter")
{
    auto const whole = some(net::blob_chunk_bytes * 2 + 7, 1);
    auto const list = net::list_of(whole);
    REQUIRE(list);
    CHECK(sound(*list));
    REQUIRE(list->chunks.size() == 3);
    CHECK(chunk_size(*list, 1) == net::blob_chunk_bytes);
    CHECK(chunk_size(*list, 2) == 7);
    CHECK(chunk_size(*list, 3) == 0);
    CHECK(list->chunks[2] == net::chunk_hash(bytes_view{whole}.last(7)));
    auto wrong = *list;
    ++wrong.size += net::blob_chunk_bytes;
    CHECK_FALSE(sound(wrong));
    CHECK(sound(*net::list_of({})));
}

TEST_CASE("blob: everybody who has it gives part of it")
{
    world w{};
    auto const whole = some(net::blob_chunk_bytes * 20 + 100, 2);
    w.what = crypto::cid::of(whole);
    blob_fetch f{w.what, much};
    for (std::uint8_t i = 1; i <= 3; ++i) {
        w.peers[key(i)] = {whole, world::fault::none, 0};
        f.joined(key(i));
    }
    w.peers[key(4)] = {};  // has nothing
    f.joined(key(4));
    w.run(f);
    REQUIRE(w.done);
    CHECK(w.got == whole);
    CHECK(w.blamed.empty());
    for (std::uint8_t i = 1; i <= 3; ++i) CHECK(w.peers[key(i)].served >= 3);
}

TEST_CASE("blob: a chunk that is a lie names its giver, and others finish")
{
    world w{};
    auto const whole = some(net::blob_chunk_bytes * 9, 3);
    w.what = crypto::cid::of(whole);
    blob_fetch f{w.what, much};
    w.peers[key(1)] = {whole, world::fault::lies_about_chunks, 0};
    w.peers[key(2)] = {whole, world::fault::silent, 0};
    w.peers[key(3)] = {whole, world::fault::none, 0};
    for (std::uint8_t i = 1; i <= 3; ++i) f.joined(key(i));
    w.run(f);
    REQUIRE(w.done);
    CHECK(w.blamed == std::set{key(1)});
    CHECK(w.peers[key(1)].served == 0);
}

TEST_CASE("blob: whoever gives the list of another blob is found out at the end, alone")
{
    // two liars agree, and are heard first
    world w{};
    auto const whole = some(net::blob_chunk_bytes * 5 + 1, 4);
    auto const other = some(net::blob_chunk_bytes * 5 + 1, 5);
    w.what = crypto::cid::of(whole);
    std::vector<crypto::public_key> keys{key(1), key(2), key(3)};
    std::sort(keys.begin(), keys.end());
    blob_fetch f{w.what, much};
    w.peers[keys[0]] = {other, world::fault::none, 0};
    w.peers[keys[1]] = {other, world::fault::none, 0};
    w.peers[keys[2]] = {whole, world::fault::none, 0};
    for (auto const& each : keys) f.joined(each);
    w.run(f);
    REQUIRE(w.done);
    CHECK(w.blamed == std::set{keys[0], keys[1]});
    CHECK(w.got == whole);
}

TEST_CASE("blob: what was fetched before is not fetched again")
{
    world w{};
    auto const whole = some(net::blob_chunk_bytes * 10, 6);
    w.what = crypto::cid::of(whole);
    blob_fetch f{w.what, much};
    std::vector<bool> held(10, true);
    held[3] = held[7] = false;
    f.resume(*net::list_of(whole), held);
    w.peers[key(1)] = {whole, world::fault::none, 0};
    f.joined(key(1));
    w.got = whole;
    w.run(f);
    REQUIRE(w.done);
    CHECK(w.peers[key(1)].served == 2);
}

TEST_CASE("blob: lists that are unsound, too long, or that a peer changes, are not taken")
{
    auto const whole = some(net::blob_chunk_bytes * 2, 7);
    auto const what = crypto::cid::of(whole);
    blob_fetch f{what, net::blob_chunk_bytes};
    f.joined(key(1));
    blob_fetch::sends out{};
    f.tick(time_ms{1}, out);
    REQUIRE(out.size() == 1);
    auto list = *net::list_of(whole);
    CHECK(f.take(key(1), net::tell_blob{what, true, list}, time_ms{2}).good);
    CHECK(f.list() == nullptr);  // longer than we want
    ++list.size;
    CHECK_FALSE(f.take(key(1), net::tell_blob{what, true, list}, time_ms{2}).good);
    auto const small = *net::list_of(as_bytes("small"));
    CHECK(f.take(key(2), net::tell_blob{what, true, small}, time_ms{2}).good);
    CHECK(f.list() == nullptr);  // nobody asked it
    CHECK(f.take(key(1), net::tell_blob{what, true, small}, time_ms{2}).good);
    CHECK(f.list() != nullptr);
    CHECK_FALSE(
        f.take(key(1), net::tell_blob{what, true, *net::list_of(as_bytes("other"))}, time_ms{3})
            .good);
}

TEST_CASE("blob: where nobody has it the fetch gives up")
{
    blob_fetch f{crypto::cid::of(as_bytes("x")), much};
    f.joined(key(1));
    blob_fetch::sends out{};
    f.tick(time_ms{1}, out);
    CHECK_FALSE(f.hopeless(time_ms{100}));
    f.take(key(1), net::tell_blob{crypto::cid::of(as_bytes("x")), false, {}}, time_ms{2});
    f.tick(time_ms{blob_fetch::give_up_ms + 10}, out);
    CHECK(f.hopeless(time_ms{blob_fetch::give_up_ms + 10}));
}
