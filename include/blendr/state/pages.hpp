// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace blendr::state {

/// An array that grows without moving what it holds: pages of 2^16 elements, got from the system
/// untouched, so that a page costs only what is used of it. References stay valid until `pop`.
/// `reserve` is for one thread; elements within what was reserved may then be built by many.
template <class T>
class pages {
public:
    static constexpr std::size_t page_bits = 16;
    static constexpr std::size_t page_size = std::size_t{1} << page_bits;

    /// Makes room for elements 0 to count - 1, each a `T{}`.
    void reserve(std::size_t count)
    {
        // a first page is not worth a large page of the system: most tables are small
        while (capacity() < count) pages_.push_back(page{!pages_.empty()});
    }

    std::size_t capacity() const noexcept { return pages_.size() * page_size; }

    T& operator[](std::size_t i) noexcept { return pages_[i >> page_bits].at(i & (page_size - 1)); }
    T const& operator[](std::size_t i) const noexcept
    {
        return pages_[i >> page_bits].at(i & (page_size - 1));
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
    // large pages of the system, where they fit: a random row then costs one miss, not two
    static constexpr std::size_t bytes = page_size * sizeof(T);
    static constexpr std::size_t large = std::size_t{1} << 21;
    static constexpr std::size_t alignment = bytes >= large ? large : std::size_t{4096};

    struct release {
        void operator()(void* raw) const noexcept
        {
            ::operator delete(raw, std::align_val_t{alignment});
        }
    };

    class page {
    public:
        explicit page([[maybe_unused]] bool whole)
            : raw_{::operator new(bytes, std::align_val_t{alignment})}
        {
#if defined(__linux__)
            if (bytes >= large && whole) ::madvise(raw_.get(), bytes, MADV_HUGEPAGE);
#endif
        }
        T& at(std::size_t i) const noexcept { return static_cast<T*>(raw_.get())[i]; }

    private:
        std::unique_ptr<void, release> raw_;
    };

    std::vector<page> pages_{};
};

}  // namespace blendr::state
