// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/pages.hpp>

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace blendr::state::impl {
namespace {

// large pages of the system, where they fit: a random row then costs one miss, not two
constexpr std::size_t large = std::size_t{1} << 21;

std::align_val_t alignment(std::size_t bytes) noexcept
{
    return std::align_val_t{bytes >= large ? large : 4096};
}

}  // namespace

void add_page(std::vector<void*>& pages, std::size_t bytes)
{
    if (pages.size() == pages.capacity()) pages.reserve(2 * pages.size() + 1);
    auto* const fresh = ::operator new(bytes, alignment(bytes));
#if defined(__linux__)
    // a first page is not worth a large page of the system: most tables are small
    if (bytes >= large && !pages.empty()) ::madvise(fresh, bytes, MADV_HUGEPAGE);
#endif
    pages.push_back(fresh);
}

void free_pages(std::vector<void*> const& pages, std::size_t bytes) noexcept
{
    for (auto* const each : pages) ::operator delete(each, alignment(bytes));
}

}  // namespace blendr::state::impl
