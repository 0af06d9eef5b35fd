// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

namespace blendr {

/// Why bytes are not the encoding of any value. The numbers are for ever.
enum class decode_fault : std::uint8_t {
    none = 0,
    truncated = 1,    ///< the bytes end before the value does
    trailing = 2,     ///< bytes are left after the value
    non_minimal = 3,  ///< a length or tag is written longer than it needs to be
    unknown_tag = 4,  ///< an option, variant or enumeration has no such alternative
    too_long = 5,     ///< a list or text is longer than its type allows
    bad_value = 6,    ///< a field holds what its type does not allow
    too_deep = 7,     ///< values are nested deeper than anything real is
};

/// Why decoding was refused, and at which byte.
struct decode_error {
    decode_fault what{};
    std::size_t at{};

    friend bool operator==(decode_error const&, decode_error const&) = default;
};

/// A sentence for people.
std::string message(decode_error const& e);

/// How a T is written. One value has one encoding and every other byte string is refused:
/// integers little-endian at full width; lengths, option and variant tags as minimal varints;
/// arrays without a count; structs as their described members in order.
///
/// A described aggregate (`BOOST_DESCRIBE_STRUCT(transfer, (), (to, value))`) needs nothing else.
/// Another type specialises codec with
///     static constexpr bool fixed;            // does every value take the same number of bytes?
///     static constexpr std::size_t size_min;  // the least number of bytes, above zero
///     static std::size_t size(T const&);
///     static std::byte* write(T const&, std::byte* out);  // size() bytes are there; returns the end
///     static bool read(reader&, T&);                      // false after reader.refuse(why)
/// or derives from codec_as below.
template <class T>
struct codec;

/// The bytes being decoded. Keeps the first refusal; after one, nothing that was read counts.
class reader {
public:
    static constexpr unsigned depth_max = 32;

    explicit reader(bytes_view raw) noexcept
        : begin_{raw.data()},
          at_{raw.data()},
          end_{raw.data() + raw.size()}
    {}

    std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
    decode_error error() const noexcept { return error_; }

    /// Names the fault at `back` bytes before here. Always false, so that `return in.refuse(...)`
    /// reads as it should.
    [[gnu::cold]] bool refuse(decode_fault why, std::size_t back = 0) noexcept
    {
        if (error_.what == decode_fault::none) error_ = {why, offset() - back};
        return false;
    }

    /// The next n bytes in place, or null after refusing.
    std::byte const* take(std::size_t n) noexcept
    {
        if (left() < n) {
            refuse(decode_fault::truncated);
            return nullptr;
        }
        return std::exchange(at_, at_ + n);
    }

    /// Where the reader stands; left() bytes are there.
    std::byte const* here() const noexcept { return at_; }
    /// Goes on by n bytes, which are there.
    void skip(std::size_t n) noexcept { at_ += n; }

    /// A minimal varint of at most `max`.
    bool read_varint(std::uint64_t& out, std::uint64_t max) noexcept;

    bool enter() noexcept { return ++depth_ <= depth_max ? true : refuse(decode_fault::too_deep); }
    void leave() noexcept { --depth_; }

private:
    std::byte const* begin_;
    std::byte const* at_;
    std::byte const* end_;
    decode_error error_{};
    unsigned depth_{};
};

template <class T>
concept encodable = requires(T const& value, T& out, std::byte* to, reader& in) {
    { codec<T>::fixed } -> std::convertible_to<bool>;
    { codec<T>::size_min } -> std::convertible_to<std::size_t>;
    { codec<T>::size(value) } -> std::same_as<std::size_t>;
    { codec<T>::write(value, to) } -> std::same_as<std::byte*>;
    { codec<T>::read(in, out) } -> std::same_as<bool>;
};

/// A codec for a type that travels as another. The derived codec gives
///     static Wire to(T const&);             static bool from(Wire const&, T&);
/// where `from` says false for a wire value that no T has.
template <class Derived, class T, class Wire>
struct codec_as {
    static constexpr bool fixed = codec<Wire>::fixed;
    static constexpr std::size_t size_min = codec<Wire>::size_min;
    static std::size_t size(T const& value) { return codec<Wire>::size(Derived::to(value)); }
    static std::byte* write(T const& value, std::byte* out)
    {
        return codec<Wire>::write(Derived::to(value), out);
    }
    static bool read(reader& in, T& out)
    {
        Wire wire{};
        if (!codec<Wire>::read(in, wire)) return false;
        return Derived::from(wire, out) || in.refuse(decode_fault::bad_value);
    }
};

/// How many bytes `value` takes.
template <encodable T>
std::size_t encoded_size(T const& value)
{
    if constexpr (codec<T>::fixed)
        return codec<T>::size_min;
    else
        return codec<T>::size(value);
}

/// Writes into `out`, which must hold encoded_size(value) bytes, and returns the part written.
template <encodable T>
std::span<std::byte> encode_into(T const& value, std::span<std::byte> out)
{
    BLENDR_ASSERT(out.size() >= encoded_size(value));
    auto* const end = codec<T>::write(value, out.data());
    return out.first(static_cast<std::size_t>(end - out.data()));
}

template <encodable T>
bytes encode(T const& value)
{
    bytes out(encoded_size(value));
    auto* const end = codec<T>::write(value, out.data());
    BLENDR_ASSERT(end == out.data() + out.size());
    return out;
}

/// Writes behind what `out` already holds.
template <encodable T>
void append(bytes& out, T const& value)
{
    auto const before = out.size();
    out.resize(before + encoded_size(value));
    codec<T>::write(value, out.data() + before);
}

/// Reads one value and leaves the reader behind it.
template <encodable T>
bool read(reader& in, T& out)
{
    return codec<T>::read(in, out);
}

/// Reads exactly one value; anything left over is an error.
template <encodable T>
result<T, decode_error> decode(bytes_view raw)
{
    reader in{raw};
    T value{};
    if (!codec<T>::read(in, value)) return fail{in.error()};
    if (in.left() != 0) return fail{decode_error{decode_fault::trailing, in.offset()}};
    return value;
}

inline bool reader::read_varint(std::uint64_t& out, std::uint64_t max) noexcept
{
    std::uint64_t value = 0;
    auto const* const start = at_;
    for (unsigned shift = 0;; shift += 7) {
        if (at_ == end_) return refuse(decode_fault::truncated);
        auto const b = std::to_integer<std::uint64_t>(*at_++);
        if (shift == 63 && b > 1) return at_ = start, refuse(decode_fault::too_long);
        value |= (b & 0x7f) << shift;
        if (b < 0x80) {
            if (b == 0 && shift != 0) return at_ = start, refuse(decode_fault::non_minimal);
            break;
        }
        if (shift == 63) return at_ = start, refuse(decode_fault::too_long);
    }
    if (value > max) return at_ = start, refuse(decode_fault::too_long);
    out = value;
    return true;
}

inline std::string message(decode_error const& e)
{
    auto const at = " at byte " + std::to_string(e.at);
    switch (e.what) {
    case decode_fault::none:
        return "nothing is wrong" + at;
    case decode_fault::truncated:
        return "the bytes end before the value does" + at;
    case decode_fault::trailing:
        return "bytes are left after the value" + at;
    case decode_fault::non_minimal:
        return "a length or tag is longer than it needs to be" + at;
    case decode_fault::unknown_tag:
        return "a tag names no alternative" + at;
    case decode_fault::too_long:
        return "a length is above what its type allows" + at;
    case decode_fault::bad_value:
        return "a field holds what its type does not allow" + at;
    case decode_fault::too_deep:
        return "values are nested too deep" + at;
    }
    return "unknown decode error" + at;
}

}  // namespace blendr

#include <blendr/core/impl/codec_lists.hpp>    // IWYU pragma: export
#include <blendr/core/impl/codec_scalars.hpp>  // IWYU pragma: export
#include <blendr/core/impl/codec_structs.hpp>  // IWYU pragma: export
