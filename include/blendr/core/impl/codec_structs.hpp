// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/core/impl/codec_scalars.hpp>

namespace blendr {

namespace impl {

template <class T>
concept described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public |
                                                            boost::describe::mod_inherited>;

template <class T, class Descriptor>
using member_type =
    std::remove_cvref_t<decltype(std::declval<T const&>().*std::declval<Descriptor>().pointer)>;

}  // namespace impl

/// Described aggregates: their members in the order of description.
template <impl::described T>
struct codec<T> {
    using members = impl::members_of<T>;

private:
    struct shape {
        bool fixed = true;
        bool loads = true;
        std::size_t size_min = 0;
    };
    static constexpr shape measure()
    {
        shape all{};
        boost::mp11::mp_for_each<members>([&]<class D>(D) {
            using member = impl::member_type<T, D>;
            all.fixed = all.fixed && codec<member>::fixed;
            all.loads = all.loads && impl::loads<member>;
            all.size_min += codec<member>::size_min;
        });
        return all;
    }
    static constexpr shape shape_ = measure();

public:
    static constexpr bool fixed = shape_.fixed;
    static constexpr std::size_t size_min = shape_.size_min;

    static std::size_t size(T const& value)
    {
        if constexpr (fixed) return size_min;
        std::size_t sum = 0;
        boost::mp11::mp_for_each<members>([&](auto d) { sum += encoded_size(value.*d.pointer); });
        return sum;
    }
    static std::byte* write(T const& value, std::byte* out)
    {
        boost::mp11::mp_for_each<members>([&]<class D>(D d) {
            out = codec<impl::member_type<T, D>>::write(value.*d.pointer, out);
        });
        return out;
    }
    static bool load(std::byte const* in, T& out)
        requires(shape_.fixed && shape_.loads)
    {
        bool good = true;
        boost::mp11::mp_for_each<members>([&]<class D>(D d) {
            using member = codec<impl::member_type<T, D>>;
            good = member::load(in, out.*d.pointer) && good;
            in += member::size_min;
        });
        return good;
    }
    static bool read(reader& in, T& out)
    {
        // All at once when the bytes are there and good; otherwise field by field, so that the
        // error names the byte.
        if constexpr (shape_.fixed && shape_.loads) {
            if (in.left() >= size_min && load(in.here(), out)) {
                in.skip(size_min);
                return true;
            }
            return read_and_name(in, out);
        } else {
            return read_members(in, out);
        }
    }

private:
    static bool read_members(reader& in, T& out)
    {
        if (!in.enter()) return false;
        bool good = true;
        boost::mp11::mp_for_each<members>([&]<class D>(D d) {
            good = good && codec<impl::member_type<T, D>>::read(in, out.*d.pointer);
        });
        in.leave();
        return good;
    }
    [[gnu::cold, gnu::noinline]] static bool read_and_name(reader& in, T& out)
    {
        return read_members(in, out);
    }
};

}  // namespace blendr
