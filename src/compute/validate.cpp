// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>

#include <spirv-tools/libspirv.h>

#include "analysis.hpp"

namespace blendr::compute {

result<nothing, refusal> validate(std::span<std::uint32_t const> words, std::string_view when)
{
    using context = std::unique_ptr<spv_context_t, decltype(&spvContextDestroy)>;
    context const tools{spvContextCreate(SPV_ENV_VULKAN_1_3), &spvContextDestroy};
    spv_diagnostic said = nullptr;
    auto const verdict = spvValidateBinary(tools.get(), words.data(), words.size(), &said);
    std::unique_ptr<spv_diagnostic_t, decltype(&spvDiagnosticDestroy)> const owner{
        said, &spvDiagnosticDestroy};
    if (verdict == SPV_SUCCESS) return nothing{};
    refusal why{rule::invalid};
    why.detail = std::string{when};
    if (said != nullptr && said->error != nullptr) {
        // Its first line; the next ones print the instruction with the submitter's own names in it.
        std::string const text{said->error};
        why.detail += text.substr(0, std::min<std::size_t>(text.find('\n'), 200));
    }
    return fail{why};
}

}  // namespace blendr::compute
