// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/consensus/engine.hpp>

namespace blendr::consensus::impl {

/// When a question that nobody answered is put again: after a while, then after twice as long, up to
/// 32 times the first wait. An application that is slow is not swamped, one that forgot is reminded.
class patience {
public:
    void begin(time_ms now, std::int64_t first_ms) noexcept
    {
        wait_ms_ = first_ms;
        most_ms_ = 32 * first_ms;
        next_ = after(now, wait_ms_);
    }

    /// Whether it is time. If so the next wait has begun.
    bool over(time_ms now) noexcept
    {
        if (now < next_) return false;
        wait_ms_ = wait_ms_ < most_ms_ ? 2 * wait_ms_ : most_ms_;
        next_ = after(now, wait_ms_);
        return true;
    }

private:
    time_ms next_{};
    std::int64_t wait_ms_{};
    std::int64_t most_ms_{};
};

}  // namespace blendr::consensus::impl
