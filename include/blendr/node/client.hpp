// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/ledger/message.hpp>

namespace blendr::node {

/// A node somewhere, asked over its public RPC. Nothing is remembered between calls but the chain's
/// number, so several threads may use copies of one.
class client {
public:
    /// `rpc`: "host:port".
    explicit client(std::string rpc, std::int64_t limit_ms = 10'000)
        : rpc_{std::move(rpc)},
          limit_ms_{limit_ms}
    {}

    std::string const& rpc() const noexcept { return rpc_; }

    /// A method's result, or a sentence: nobody answers, or what the node says to it.
    result<boost::json::value, std::string> call(std::string_view method,
                                                 boost::json::value params) const;

    struct question {
        std::string_view path{};  ///< "<contract>/<table or query>"
        bytes what{};             ///< encoded
    };
    /// What the chain answers, encoded; an absent row is empty. Many questions are one request.
    result<bytes, std::string> ask(std::string_view path, bytes_view what) const;
    std::vector<result<bytes, std::string>> ask(std::span<question const> all) const;

    template <class Answer, class Question>
    result<Answer, std::string> ask(std::string_view path, Question const& what) const
    {
        auto const raw = ask(path, bytes_view{encode(what)});
        if (!raw) return fail{raw.error()};
        return read<Answer>(path, *raw);
    }
    /// Row `key` of table T, or a default one where there is none.
    template <class C, class T>
    result<typename T::row, std::string> row(typename T::key const& key) const
    {
        auto const path = path_of<C, T>();
        auto const raw = ask(path, bytes_view{encode(key)});
        if (!raw) return fail{raw.error()};
        return read<typename T::row>(path, *raw);
    }
    template <class C, class T>
    static std::string path_of()
    {
        return std::string{C::name} + '/' + std::string{T::name};
    }
    template <class T>
    static result<T, std::string> read(std::string_view path, bytes_view raw)
    {
        if (raw.empty()) return T{};
        auto out = decode<T>(raw);
        if (!out) return fail{std::string{path} + " is of another version of this software"};
        return *std::move(out);
    }

    /// Where the chain stands.
    struct standing {
        height last{};
        time_ms block_time{};
        std::string state{};
    };
    result<standing, std::string> where() const;
    struct purse {
        amount balance{};
        std::uint64_t nonce{};
    };
    result<purse, std::string> purse_of(crypto::address const& who) const;
    result<ledger::chain_id, std::string> chain() const;

    /// A signed transaction's name once the node took it.
    result<hash256, std::string> submit(ledger::transaction const& tx) const;

    /// What became of a transaction: nothing while it waits or is unknown; else its code and words.
    struct fate {
        height at{};
        std::uint32_t code{};
        std::string what{};
        amount fee{};
    };
    result<std::optional<fate>, std::string> fate_of(hash256 const& tx) const;

private:
    std::string rpc_;
    std::int64_t limit_ms_;
};

/// What somebody wants the chain to do, each thing under a name of its own, until it is done: signs,
/// numbers, sends and follows transactions. What is on its way is not said twice; what was refused is
/// not said again for some blocks. Forgetting all of it, as a restart does, is safe for whoever derives
/// its wishes from what the chain shows.
class outbox {
public:
    outbox(client const& node, crypto::identity const& me, amount fee_max)
        : node_{node},
          me_{me},
          fee_max_{fee_max}
    {}

    /// Looks what became of what was sent; once a block.
    void settle(height now);

    /// Sends messages that happen all together, unless they are on their way under that name, or were
    /// refused a moment ago. False when nothing was sent.
    bool say(std::string const& name, std::vector<ledger::wire_message> messages);
    bool waits(std::string const& name) const { return sent_.contains(name); }
    bool idle() const noexcept { return sent_.empty(); }

    /// What did not happen and why, since the last call.
    struct refusal {
        std::string name{};
        std::string why{};
    };
    std::vector<refusal> refused() { return std::exchange(refused_, {}); }
    amount fees_paid() const noexcept { return fees_; }
    /// Blocks after which something that was refused is tried again, and after which what was not
    /// taken into a block is given up.
    static constexpr std::uint64_t try_again_after = 8;
    static constexpr std::uint64_t give_up_after = 40;

private:
    struct letter {
        hash256 id{};
        height expires{};
    };
    void refuse(std::string const& name, std::string why);

    client node_;
    crypto::identity me_;
    amount fee_max_;
    height now_{};
    std::optional<ledger::chain_id> chain_{};
    std::optional<std::uint64_t> nonce_{};
    std::map<std::string, letter> sent_{};
    std::map<std::string, height> not_before_{};
    std::vector<refusal> refused_{};
    amount fees_{};
};

}  // namespace blendr::node
