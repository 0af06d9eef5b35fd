// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace blendr::bench {

/// A directory on the disk that is measured, BLENDR_BENCH_DIR or the temporary one. It goes when this
/// does.
class directory {
public:
    directory()
    {
        namespace fs = std::filesystem;
        auto const* const chosen = std::getenv("BLENDR_BENCH_DIR");
        auto text =
            ((chosen != nullptr ? fs::path{chosen} : fs::temp_directory_path()) / "blendr_XXXXXX")
                .string();
        if (::mkdtemp(text.data()) == nullptr) std::abort();
        path = text;
    }
    ~directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    directory(directory const&) = delete;
    directory& operator=(directory const&) = delete;

    std::filesystem::path path{};
};

}  // namespace blendr::bench
