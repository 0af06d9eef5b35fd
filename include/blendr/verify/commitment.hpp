// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::verify {

inline constexpr crypto::domain commit_domain{"verify.commit/1"};

/// What a worker binds itself to before anybody shows a result. The worker's own address is inside,
/// so that a lazy peer can neither copy a commitment nor claim it; the nonce keeps anybody from
/// guessing results of few values. Choose a fresh random nonce for each task.
struct opening {
    crypto::address worker{};
    hash256 task{};
    hash256 nonce{};
    hash256 digest{};  ///< of the result
};
BOOST_DESCRIBE_STRUCT(opening, (), (worker, task, nonce, digest))

inline hash256 commit(opening const& to) noexcept
{
    std::array<std::byte, codec<opening>::size_min> wire{};
    encode_into(to, wire);
    return crypto::hash(commit_domain, wire);
}

}  // namespace blendr::verify
