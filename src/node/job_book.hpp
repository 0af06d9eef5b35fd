// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/node/renter.hpp>

namespace blendr::node::impl {

/// What a renter remembers of its jobs: below its home a directory each, with what was asked for, the story
/// so far, and results.
class job_book {
public:
    explicit job_book(std::filesystem::path home) : home_{std::move(home)} {}

    /// A job's directory, with what was asked for.
    result<nothing, std::string> begin(std::uint64_t number, job_request const& what) const;
    void drop(std::uint64_t number) const;
    std::vector<std::uint64_t> numbers() const;

    result<job_request, std::string> request(std::uint64_t number) const;
    result<job_story, std::string> story(std::uint64_t number) const;
    result<nothing, std::string> keep(job_story const& story) const;

    /// Who may open a stage's inputs: the renter's own way back to their key. Empty where they are not sealed.
    result<nothing, std::string> put_letter(std::uint64_t number, std::uint64_t stage,
                                            bytes_view letter) const;
    bytes letter(std::uint64_t number, std::uint64_t stage) const;

    /// A unit's result. Stages are known by their number on the chain.
    bool put(std::uint64_t number, std::uint64_t stage, std::uint32_t unit,
             bytes_view result) const;
    result<std::vector<bytes>, std::string> results(std::uint64_t number,
                                                    stage_story const& of) const;
    /// Results of all stages.
    result<std::vector<std::vector<bytes>>, std::string> results(job_story const& of) const;

    /// What the job made; the name that it was kept under.
    result<std::string, std::string> put(std::uint64_t number, work::file const& made) const;
    result<std::vector<work::file>, std::string> files(job_story const& of) const;

private:
    std::filesystem::path place(std::uint64_t number) const
    {
        return home_ / std::to_string(number);
    }
    std::filesystem::path place(std::uint64_t number, std::uint64_t stage,
                                std::uint32_t unit) const;
    std::filesystem::path letter_place(std::uint64_t number, std::uint64_t stage) const;

    std::filesystem::path home_;
};

}  // namespace blendr::node::impl
