// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace blendr::state {

namespace impl {
/// Memory for one more page of that many bytes, none of it touched.
void add_page(std::vector<void*>& pages, std::size_t bytes);
void free_pages(std::vector<void*> const& pages, std::size_t bytes) noexcept;
}  // namespace impl

/// An array that grows without moving what it holds: pages of 2^16 elements, got from the system
/// untouched, so that a page costs only what is used of it. References stay valid until `pop`.
/// `reserve` is for one thread; elements within what was reserved may then be built by many.
template <class T>
class pages {
public:
    static constexpr std::size_t page_bits = 16;
    static constexpr std::size_t page_size = std::size_t{1} << page_bits;

    pages() = default;
    pages(pages const&) = delete;
    pages& operator=(pages const&) = delete;
    ~pages() { impl::free_pages(pages_, bytes); }

    /// Makes room for elements 0 to count - 1, each a `T{}`.
    void reserve(std::size_t count)
    {
        while (capacity() < count) impl::add_page(pages_, bytes);
    }

    std::size_t capacity() const noexcept { return pages_.size() * page_size; }

    T& operator[](std::size_t i) noexcept
    {
        return static_cast<T*>(pages_[i >> page_bits])[i & (page_size - 1)];
    }
    T const& operator[](std::size_t i) const noexcept
    {
        return static_cast<T const*>(pages_[i >> page_bits])[i & (page_size - 1)];
    }

    /// Begins the life of element i, which must not have begun.
    T& start(std::size_t i) { return *::new (static_cast<void*>(&(*this)[i])) T{}; }

    /// Ends the lives of elements 0 to count - 1.
    void stop(std::size_t count) noexcept
    {
        if constexpr (!std::is_trivially_destructible_v<T>)
            for (std::size_t i = 0; i < count; ++i) std::destroy_at(&(*this)[i]);
    }

private:
    static constexpr std::size_t bytes = page_size * sizeof(T);

    std::vector<void*> pages_{};
};

}  // namespace blendr::state
