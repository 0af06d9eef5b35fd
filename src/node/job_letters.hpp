// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/seal.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/node/client.hpp>
#include <blendr/node/shelf.hpp>
#include <node/job_book.hpp>

namespace blendr::node::impl {

/// A renter's inputs and who may read them: each stage's lie sealed under a key of its own, which is wrapped
/// for the renter, for those who do its units, and, where strangers may be drawn to do them again, for all
/// who may be drawn. The wrapped keys are a blob; the chain has its name under the stage's number.
class job_letters {
public:
    job_letters(client const& node, crypto::identity const& me, std::shared_ptr<shelf> blobs,
                job_book const& book);

    /// A key for the inputs of a stage. With `drawn` those who may be drawn can read them from the beginning:
    /// they must do so in time, whether the renter is there or not.
    result<nothing, std::string> begin(std::uint64_t number, std::uint64_t stage, bool drawn);
    /// An input of the stage, sealed if the stage's are: its blob's name, and what was put there.
    result<hash256, std::string> put(std::uint64_t number, std::uint64_t stage, bytes_view packed);
    result<bytes, std::string> get(std::uint64_t number, std::uint64_t stage, hash256 const& blob);

    /// Lets these read too, where they have a box. What is to be said to the chain, if it does not know yet.
    std::optional<ledger::wire_message> tell(std::uint64_t number, std::uint64_t stage,
                                             std::span<crypto::address const> readers);
    /// When the stage is over: what takes the letter from the chain, as long as it is there.
    std::optional<ledger::wire_message> withdraw(std::uint64_t stage) const;

private:
    struct letter {
        crypto::content_key key;
        crypto::sealed_for whom{};
        hash256 blob{};                     ///< where `whom` lies
        bool kept = false;                  ///< on disk and there, as it is now
        bool shown = false;                 ///< the chain names that blob
        std::set<crypto::address> added{};  ///< whose box was looked at
    };
    /// Nothing where the stage's inputs lie open.
    result<letter*, std::string> find(std::uint64_t number, std::uint64_t stage);
    result<nothing, std::string> keep(std::uint64_t number, std::uint64_t stage, letter& what);
    bool add(letter& to, crypto::sealing_public_key const& reader) const;

    client const& node_;
    crypto::address self_;
    std::shared_ptr<shelf> blobs_;
    job_book const& book_;
    crypto::sealing_key mine_;
    std::map<std::uint64_t, letter> letters_;  // by stage
};

}  // namespace blendr::node::impl
