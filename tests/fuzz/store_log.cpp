// SPDX-License-Identifier: Apache-2.0
// Any bytes in a log's file: it opens or is refused by name; what opens reads, checks and goes on.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <blendr/store/block_log.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::store;
    auto const raw = std::as_bytes(std::span{data, size});
    memory_files disk;
    std::string const path = "log/00000000000000000001.log";
    if (!disk.make_directory("log")) std::abort();
    if (!disk.open(path, open_mode::create).value()->write(0, raw)) std::abort();
    {
        auto const log = open_block_log(disk, "log");
        if (!log) {
            if (!log.error().where.starts_with(path)) std::abort();
            return 0;
        }
        auto const held = (*log)->held();
        bool whole = true;  // checksums fit, and yet a payload may be no block
        std::uint64_t next = 1;
        for (; held && next <= held->last.get(); ++next) {
            auto const block = (*log)->read(height{next});
            whole = whole && block.has_value();
            if (block && !block->has_value()) std::abort();
        }
        if ((*log)->check().has_value() != whole) std::abort();
        ledger::logged_block more;
        more.at.at = height{next};
        if (!(*log)->append(more) || !(*log)->sync()) std::abort();
        auto const again = (*log)->read(height{next});
        if (!again || !again->has_value() || **again != more) std::abort();
    }
    if (!open_block_log(disk, "log")) std::abort();  // what it made of the bytes opens again
    return 0;
}
