// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/abci/form.hpp>
#include <blendr/app/application.hpp>
#include <blendr/app/snapshots.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

namespace blendr::abci {

/// What blocks are made and decided with. One thread at a time.
class decisions {
public:
    virtual ~decisions() = default;
    /// The genesis file's `app_state`; or a sentence that says why it is refused.
    virtual result<app::validator_set, std::string> init(bytes_view app_state) = 0;
    /// Entries behind the first one, and that one's head; none: cannot now.
    virtual std::optional<bytes> propose(app::proposal_context const& at,
                                         std::vector<bytes_view> const& offered,
                                         std::size_t bytes_max) = 0;
    virtual std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                               bytes_view payload) = 0;
    virtual app::finalized finalize(app::proposal_context const& at, block_id const& id,
                                    bytes_view payload) = 0;
    virtual height commit() = 0;
    virtual std::optional<entries> split(bytes_view payload) const = 0;
    virtual std::optional<bytes> join(bytes_view head,
                                      std::vector<bytes_view> const& txs) const = 0;
};

/// What may be asked on any thread, beside decisions.
class reads {
public:
    virtual ~reads() = default;
    virtual app::info last() const = 0;
    /// One answer each, in order. `again`: they were accepted before, and blocks were decided since.
    virtual std::vector<app::check_result> check(std::vector<bytes_view> const& txs,
                                                 bool again) = 0;
    virtual app::query_result query(std::string_view path, bytes_view data) const = 0;
    virtual std::vector<app::snapshot> snapshots() const = 0;
    virtual std::optional<bytes> chunk(height at, std::uint32_t index) const = 0;
    /// None where the application does not say (`form`): then the chain lasts as long as the process.
    virtual std::optional<place> tip() const = 0;
    /// Why what was committed is not durable, if it is not: then nothing more may be decided.
    virtual std::optional<std::string> failure() const = 0;
};

/// How a state is taken over in pieces. One thread at a time, never beside decisions.
class restores {
public:
    virtual ~restores() = default;
    virtual bool offer(app::snapshot const& which, hash256 const& trusted) = 0;
    virtual app::chunk_verdict restore(std::uint32_t index, bytes_view raw) = 0;
    /// The parent that a block names. A state does not prove what its own last block was called, so after a
    /// restore the next block has to say.
    virtual std::optional<block_id> parent_in(bytes_view head) const = 0;
};

/// An application seen through the three; it must outlive them.
template <app::application A, class Form = form<A>>
    requires has_form<A, Form>
class bound final : public decisions, public reads, public restores {
public:
    static constexpr bool gives_snapshots = app::snapshot_application<A>;

    explicit bound(A& app) : app_{&app} {}

    result<app::validator_set, std::string> init(bytes_view app_state) override
    {
        BLENDR_TRY(auto const document, Form::genesis(app_state));
        auto set = app_->init(document);
        if (set) return *std::move(set);
        std::string why = "the application refuses this app_state";
        if constexpr (requires { Form::refused(*app_); }) why += ": " + Form::refused(*app_);
        return fail{std::move(why)};
    }
    std::optional<bytes> propose(app::proposal_context const& at,
                                 std::vector<bytes_view> const& offered,
                                 std::size_t bytes_max) override
    {
        if (!offered.empty()) Form::admit(*app_, offered);
        return app_->propose(at, bytes_max);
    }
    std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                       bytes_view payload) override
    {
        return app_->verify(at, id, payload);
    }
    app::finalized finalize(app::proposal_context const& at, block_id const& id,
                            bytes_view payload) override
    {
        return app_->finalize(at, id, payload);
    }
    height commit() override { return app_->commit(); }
    std::optional<entries> split(bytes_view payload) const override { return Form::split(payload); }
    std::optional<bytes> join(bytes_view head, std::vector<bytes_view> const& txs) const override
    {
        return Form::join(head, txs);
    }

    app::info last() const override { return app_->last(); }
    std::vector<app::check_result> check(std::vector<bytes_view> const& txs, bool again) override
    {
        if constexpr (requires { Form::check(*app_, txs, again); }) {
            return Form::check(*app_, txs, again);
        } else {
            std::vector<app::check_result> out{};
            for (auto const& each : txs) out.push_back(static_cast<A const*>(app_)->check(each));
            return out;
        }
    }
    app::query_result query(std::string_view path, bytes_view data) const override
    {
        return static_cast<A const*>(app_)->query(path, data);
    }
    std::vector<app::snapshot> snapshots() const override
    {
        if constexpr (gives_snapshots)
            return static_cast<A const*>(app_)->snapshots();
        else
            return {};
    }
    std::optional<bytes> chunk(height at, std::uint32_t index) const override
    {
        if constexpr (gives_snapshots)
            return static_cast<A const*>(app_)->chunk(at, index);
        else
            return std::nullopt;
    }
    std::optional<place> tip() const override
    {
        if constexpr (requires { Form::tip(*app_); })
            return Form::tip(*app_);
        else
            return std::nullopt;
    }

    std::optional<std::string> failure() const override
    {
        if constexpr (requires { Form::failure(*app_); })
            return Form::failure(*app_);
        else
            return std::nullopt;
    }

    bool offer(app::snapshot const& which, hash256 const& trusted) override
    {
        if constexpr (gives_snapshots)
            return app_->offer(which, trusted);
        else
            return false;
    }
    app::chunk_verdict restore(std::uint32_t index, bytes_view raw) override
    {
        if constexpr (gives_snapshots)
            return app_->restore(index, raw);
        else
            return app::chunk_verdict::abandoned;
    }

    std::optional<block_id> parent_in(bytes_view head) const override
    {
        if constexpr (requires { Form::parent_in(head); })
            return Form::parent_in(head);
        else
            return std::nullopt;
    }

private:
    A* app_;
};

}  // namespace blendr::abci
