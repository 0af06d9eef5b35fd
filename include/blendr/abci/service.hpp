// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <blendr/abci/frame.hpp>
#include <blendr/abci/host.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::abci {

struct service_options {
    std::string name = "libblendr";  ///< what `info` calls the application
    std::uint64_t version = 1;       ///< of the application's rules: stands in every header
    crypto::public_key self{};       ///< the validator that CometBFT signs for here, if it is one
    std::size_t frame_bytes_max = frame_bytes_max_default;
    std::uint64_t blocks_kept = 0;  ///< CometBFT may forget what is older; 0: it keeps all
    std::size_t batch_max = 256;    ///< transactions that are checked at once
};

/// What answers CometBFT: one for all connections, safe from any of their threads.
///
/// Calls that make or decide blocks run one at a time, in the order that the protocol allows; whatever
/// does not follow gets an exception with a sentence and changes nothing. Everything else runs beside them.
///
/// The decided block keeps its name from this library (`app::make_block_id`) and its place: the parent is the
/// last decided block, the time is CometBFT's in milliseconds, at least one above the parent's. So the
/// same blocks give the same hashes under every engine.
class service {
public:
    /// `decide`, `read` and `restore` must outlive it; they are one application.
    service(decisions& decide, reads& read, restores& restore, service_options chosen);
    ~service();
    service(service const&) = delete;
    service& operator=(service const&) = delete;

private:
    friend class session;
    struct state;
    std::unique_ptr<state> state_;
};

/// One connection: bytes in, bytes out, every request answered in its order. One thread at a time.
class session {
public:
    explicit session(service& by);
    ~session();
    session(session const&) = delete;
    session& operator=(session const&) = delete;

    enum class state_of : std::uint8_t {
        hungry = 1,  ///< every whole request is answered; bring more bytes
        full = 2,    ///< send what `out` holds, then call again with no bytes
        broken = 3,  ///< the stream cannot be read on: send, the last of it says why, and close
    };
    static constexpr std::size_t out_bytes_max = std::size_t{1}
                                                 << 20;  ///< then `full`, one answer over

    /// Takes bytes as they came and appends to `out` the answers of requests that are whole.
    state_of receive(bytes_view raw, bytes& out);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace blendr::abci
