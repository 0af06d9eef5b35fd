// SPDX-License-Identifier: Apache-2.0
// Any bytes are refused with a sentence, or admitted; what hardening writes always passes the validator.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <blendr/compute/admission.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::compute;
    auto const raw = std::as_bytes(std::span{data, size});
    for (auto const as : {profile::exact, profile::tolerance}) {
        policy under;
        under.as = as;
        under.device.storage_buffers_max = 8;
        under.device.int64 = under.device.int16 = under.device.float64 = true;
        auto const made = admit(raw, under);
        if (!made && message(made.error()).find("after hardening") != std::string::npos)
            std::abort();
        if (made && admit(made->code, under)) std::abort();  // it names the trap buffer
    }
    return 0;
}
