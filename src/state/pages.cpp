// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/pages.hpp>

#include <new>

#if defined(__linux__)
#include <cstdint>

#include <sys/mman.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define BLENDR_LOOKS_FOR_LEAKS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLENDR_LOOKS_FOR_LEAKS
#endif
#endif
#if defined(BLENDR_LOOKS_FOR_LEAKS)
#include <sanitizer/lsan_interface.h>
#endif

namespace blendr::state::impl {
namespace {

// large pages of the system, where they fit: a random row then costs one miss, not two
constexpr std::size_t large = std::size_t{1} << 21;

#if defined(__linux__)

// Straight from the system: an allocator may write beside what it gives, or note where it is not used
// (AddressSanitizer writes an eighth of it), and a table of one row has a whole page.
void* get(std::size_t bytes)
{
    auto const slack = bytes >= large ? large : 0;
    auto* const got = ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) throw std::bad_alloc{};
    auto* first = static_cast<std::byte*>(got);
    if (slack != 0) {  // from the first multiple of a large page on
        auto const before = (large - reinterpret_cast<std::uintptr_t>(got) % large) % large;
        if (before != 0) ::munmap(first, before);
        first += before;
        if (before != slack) ::munmap(first + bytes, slack - before);
    }
#if defined(BLENDR_LOOKS_FOR_LEAKS)
    __lsan_register_root_region(first, bytes);  // what rows own is reached from here only
#endif
    return first;
}

void give(void* page, std::size_t bytes) noexcept
{
#if defined(BLENDR_LOOKS_FOR_LEAKS)
    __lsan_unregister_root_region(page, bytes);
#endif
    ::munmap(page, bytes);
}

#else

constexpr std::align_val_t alignment{4096};
void* get(std::size_t bytes) { return ::operator new(bytes, alignment); }
void give(void* page, std::size_t) noexcept { ::operator delete(page, alignment); }

#endif

}  // namespace

void add_page(std::vector<void*>& pages, std::size_t bytes)
{
    if (pages.size() == pages.capacity()) pages.reserve(2 * pages.size() + 1);
    auto* const fresh = get(bytes);
#if defined(__linux__)
    // a first page is not worth a large page of the system: most tables are small
    if (bytes >= large && !pages.empty()) ::madvise(fresh, bytes, MADV_HUGEPAGE);
#endif
    pages.push_back(fresh);
}

void free_pages(std::vector<void*> const& pages, std::size_t bytes) noexcept
{
    for (auto* const each : pages) give(each, bytes);
}

}  // namespace blendr::state::impl
