// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/websocket.hpp>

#include <array>
#include <utility>

#include <blendr/core/codec.hpp>

namespace blendr::net::websocket {

void append_frame(std::string& out, opcode what, std::string_view payload)
{
    out.push_back(static_cast<char>(0x80 | static_cast<unsigned>(what)));
    auto const n = payload.size();
    std::size_t more = 0;
    if (n < 126) {
        out.push_back(static_cast<char>(n));
    } else if (n <= 0xffff) {
        out.push_back(126);
        more = 2;
    } else {
        out.push_back(127);
        more = 8;
    }
    for (std::size_t i = more; i-- > 0;) out.push_back(static_cast<char>(n >> (8 * i)));
    out.append(payload);
}

result<bool, close_code> parser::next(incoming& out)
{
    for (;;) {
        if (at_ > 0 && at_ >= waiting_.size() / 2) {
            waiting_.erase(0, at_);
            at_ = 0;
        }
        auto const left = waiting_.size() - at_;
        if (left < 2) return false;
        auto const byte = [&](std::size_t i) {
            return static_cast<unsigned char>(waiting_[at_ + i]);
        };
        bool const last = (byte(0) & 0x80) != 0;
        if ((byte(0) & 0x70) != 0 || (byte(1) & 0x80) == 0) return fail{close_code::protocol};
        auto const what = static_cast<opcode>(byte(0) & 15);
        bool const control = (byte(0) & 8) != 0;
        std::uint64_t size = byte(1) & 127;
        std::size_t head = 2;
        if (size >= 126) {
            std::size_t const more = size == 126 ? 2 : 8;
            if (left < 2 + more) return false;
            size = 0;
            for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(2 + i);
            if (size < (more == 2 ? 126u : 65536u)) return fail{close_code::protocol};
            head += more;
        }
        if (control && (size > 125 || !last)) return fail{close_code::protocol};
        if (size > bytes_max_ || whole_.size() + size > bytes_max_)
            return fail{close_code::too_big};
        if (left < head + 4 + size) return false;
        std::array<char, 4> const mask{waiting_[at_ + head], waiting_[at_ + head + 1],
                                       waiting_[at_ + head + 2], waiting_[at_ + head + 3]};
        std::string payload = waiting_.substr(at_ + head + 4, size);
        for (std::size_t i = 0; i < payload.size(); ++i)
            payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
        at_ += head + 4 + size;
        if (control) {
            if (what != opcode::close && what != opcode::ping && what != opcode::pong)
                return fail{close_code::protocol};
            out = {what, std::move(payload)};
            return true;
        }
        if (what == opcode::more) {
            if (begun_ == opcode::more) return fail{close_code::protocol};
        } else {
            if (what == opcode::binary) return fail{close_code::unsupported};
            if (what != opcode::text || begun_ != opcode::more) return fail{close_code::protocol};
            begun_ = what;
        }
        whole_ += payload;
        if (!last) continue;
        if (!blendr::impl::valid_utf8(as_bytes(whole_))) return fail{close_code::not_text};
        out = {std::exchange(begun_, opcode::more), std::exchange(whole_, {})};
        return true;
    }
}

}  // namespace blendr::net::websocket
