// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstring>
#include <future>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

/// `size()` values of T in a device's memory, released with it. Begins as zeros.
template <class T>
    requires std::is_trivially_copyable_v<T>
class tensor {
public:
    static result<tensor, failure> make(device& on, std::size_t size)
    {
        if (size > ~std::uint64_t{0} / sizeof(T)) return fail{failure{fault::out_of_memory, {}}};
        BLENDR_TRY(auto const id, on.allocate(std::uint64_t{size} * sizeof(T)));
        return tensor{on, id, size};
    }

    /// Holds a copy of the values.
    static result<tensor, failure> make(device& on, std::span<T const> values)
    {
        BLENDR_TRY(auto made, make(on, values.size()));
        batch work;
        work.steps.emplace_back(upload{made.all(), std::as_bytes(values)});
        if (auto const ended = on.run(work); !ended) return fail{failure{ended.what, ended.why}};
        return made;
    }

    tensor(tensor&& other) noexcept
        : on_{std::exchange(other.on_, nullptr)},
          id_{other.id_},
          size_{other.size_}
    {}
    tensor& operator=(tensor&& other) noexcept
    {
        std::swap(on_, other.on_);
        std::swap(id_, other.id_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~tensor()
    {
        if (on_ != nullptr) on_->release(id_);
    }

    std::size_t size() const noexcept { return size_; }
    part all() const noexcept { return {id_, 0, std::uint64_t{size_} * sizeof(T)}; }

    /// A copy of the values.
    result<std::vector<T>, failure> values() const
    {
        std::vector<T> out(size_);
        batch work;
        work.steps.emplace_back(download{all(), std::as_writable_bytes(std::span{out})});
        if (auto const ended = on_->run(work); !ended) return fail{failure{ended.what, ended.why}};
        return out;
    }

private:
    tensor(device& on, memory_id id, std::size_t size) : on_{&on}, id_{id}, size_{size} {}

    device* on_;
    memory_id id_;
    std::size_t size_;
};

/// A program on a device. The device keeps it until `forget`.
class program {
public:
    /// One's own: runs as it is.
    static result<program, failure> own(device& on, bytes_view spirv)
    {
        BLENDR_TRY(auto made, on.load(spirv, policy{}, origin::own));
        return program{std::move(made)};
    }

    /// A stranger's: admitted under the policy and hardened, or refused with the rule.
    static result<program, failure> stranger(device& on, bytes_view spirv, policy const& under)
    {
        BLENDR_TRY(auto made, on.load(spirv, under, origin::stranger));
        return program{std::move(made)};
    }

    loaded const& what() const noexcept { return what_; }

private:
    explicit program(loaded what) : what_{std::move(what)} {}

    loaded what_;
};

/// Steps, written down one after the other and then run as one batch, as often as one likes.
///
///     sequence{gpu}.upload(a, values).dispatch(add, {n / 64, 1, 1}, {a.all(), b.all()}).download(b, out).run();
class sequence {
public:
    explicit sequence(device& on) : on_{&on} {}

    template <class T>
    sequence& upload(tensor<T> const& to, std::type_identity_t<std::span<T const>> from)
    {
        work_.steps.emplace_back(
            compute::upload{{to.all().of, 0, from.size_bytes()}, std::as_bytes(from)});
        return *this;
    }
    template <class T>
    sequence& download(tensor<T> const& from, std::type_identity_t<std::span<T>> to)
    {
        work_.steps.emplace_back(
            compute::download{{from.all().of, 0, to.size_bytes()}, std::as_writable_bytes(to)});
        return *this;
    }
    sequence& dispatch(program const& what, std::array<std::uint32_t, 3> groups,
                       std::vector<part> bound)
    {
        work_.steps.emplace_back(compute::dispatch{what.what().id, groups, std::move(bound), {}});
        return *this;
    }
    template <class Push>
        requires std::is_trivially_copyable_v<Push>
    sequence& dispatch(program const& what, std::array<std::uint32_t, 3> groups,
                       std::vector<part> bound, Push const& push)
    {
        bytes raw(sizeof(Push));
        std::memcpy(raw.data(), &push, sizeof(Push));
        work_.steps.emplace_back(
            compute::dispatch{what.what().id, groups, std::move(bound), std::move(raw)});
        return *this;
    }
    sequence& deadline(std::chrono::milliseconds all)
    {
        work_.deadline = all;
        return *this;
    }

    outcome run() { return on_->run(work_); }
    std::future<outcome> submit() const { return on_->submit(work_); }
    compute::batch const& batch() const noexcept { return work_; }

private:
    device* on_;
    compute::batch work_;
};

}  // namespace blendr::compute
