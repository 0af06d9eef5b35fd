// SPDX-License-Identifier: Apache-2.0
// The view and the codec take the same bytes, and show the same in them.
#include <cstdint>
#include <cstdlib>

#include <blendr/ledger/transaction.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::ledger;
    auto const require = [](bool holds) {
        if (!holds) std::abort();
    };
    auto const raw = std::as_bytes(std::span{data, size});
    auto const view = decode_transaction(raw);
    auto const value = decode<transaction>(raw);
    bool const takes = value && size <= transaction_bytes_max &&
                       value->version == transaction_version && !value->sender.empty() &&
                       !value->signature.empty() && !value->messages.empty();
    require(view.has_value() == takes);
    if (!view) {
        require(group(view.error()) == reject_group::malformed);
        return 0;
    }
    require(encode(*value) == to_bytes(raw));
    require(view->chain == value->chain && view->shard == value->shard &&
            view->sender == value->sender && view->sequence == value->sequence &&
            view->fee_max == value->fee_max && view->tip == value->tip &&
            view->expires == value->expires && view->signature == value->signature);
    require(view->id() == id_of(*value));
    require(view->messages.size() == value->messages.size());
    auto expected = value->messages.begin();
    for (auto const each : view->messages) {
        require(each.contract == expected->contract && each.index == expected->index &&
                equal(each.body, expected->body));
        ++expected;
    }
    return 0;
}
