// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/shelf.hpp>
#include <chrono>
#include <thread>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>

#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/net/http.hpp>

namespace blendr::node {
namespace {

namespace fs = std::filesystem;

std::string name_text(hash256 const& name)
{
    return to_text(crypto::cid{crypto::content::raw, name});
}

class memory_shelf final : public shelf {
public:
    result<hash256, std::string> put(bytes_view content) override
    {
        auto const name = crypto::cid::of(content).digest();
        std::lock_guard const lock{mutex_};
        all_.try_emplace(name, to_bytes(content));
        return name;
    }
    result<bytes, std::string> get(hash256 const& name) override
    {
        std::lock_guard const lock{mutex_};
        auto const found = all_.find(name);
        if (found == all_.end()) return fail{"nothing lies under " + name_text(name)};
        return found->second;
    }

private:
    std::mutex mutex_;
    std::map<hash256, bytes> all_;
};

class directory_shelf final : public shelf {
public:
    explicit directory_shelf(fs::path at) : at_{std::move(at)}
    {
        std::error_code ignored;
        fs::create_directories(at_, ignored);
    }
    result<hash256, std::string> put(bytes_view content) override
    {
        static std::atomic<unsigned> number{0};
        auto const name = crypto::cid::of(content).digest();
        auto const final_name = at_ / name_text(name);
        if (fs::exists(final_name)) return name;
        auto const draft =
            at_ / ("." + std::to_string(::getpid()) + "." + std::to_string(number.fetch_add(1)));
        {
            std::ofstream out{draft, std::ios::binary | std::ios::trunc};
            auto const text = as_text(content);
            out.write(text.data(), static_cast<std::streamsize>(text.size()));
            if (!out.flush()) return fail{"cannot write " + draft.string()};
        }
        std::error_code failed;
        fs::rename(draft, final_name, failed);
        if (failed) return fail{"cannot write " + final_name.string() + ": " + failed.message()};
        return name;
    }
    result<bytes, std::string> get(hash256 const& name) override
    {
        auto const path = at_ / name_text(name);
        std::ifstream in{path, std::ios::binary};
        if (!in) return fail{"nothing lies under " + name_text(name)};
        std::string const text{std::istreambuf_iterator<char>{in}, {}};
        auto out = to_bytes(std::string_view{text});
        if (crypto::cid::of(out).digest() != name)
            return fail{path.string() + " is damaged: its content is not what its name says"};
        return out;
    }

private:
    fs::path at_;
};

class node_shelf final : public shelf {
public:
    explicit node_shelf(std::string rpc) : rpc_{std::move(rpc)} {}

    result<hash256, std::string> put(bytes_view content) override
    {
        auto const name = crypto::cid::of(content).digest();
        auto const got =
            net::http_ask(rpc_, "PUT", "/blobs", std::string{as_text(content)}, limit_ms);
        if (!got)
            return fail{"no node takes blobs at " + rpc_ + " (" +
                        std::string{message(got.error())} + ")"};
        if (got->status / 100 != 2)
            return fail{rpc_ + " does not take the blob: " + got->body.substr(0, 200)};
        return name;
    }
    result<bytes, std::string> get(hash256 const& name) override
    {
        auto got = net::http_ask(rpc_, "GET", "/blobs/" + name_text(name), {}, limit_ms);
        // 503: the node asks its peers for it
        for (std::int64_t waited = 0; got && got->status == 503 && waited < limit_ms;
             waited += pause_ms) {
            std::this_thread::sleep_for(std::chrono::milliseconds{pause_ms});
            got = net::http_ask(rpc_, "GET", "/blobs/" + name_text(name), {}, limit_ms);
        }
        if (!got)
            return fail{"no node gives blobs at " + rpc_ + " (" +
                        std::string{message(got.error())} + ")"};
        if (got->status / 100 != 2) return fail{"nothing lies under " + name_text(name)};
        auto out = to_bytes(std::string_view{got->body});
        if (crypto::cid::of(out).digest() != name)
            return fail{rpc_ + " gives something else than " + name_text(name)};
        return out;
    }

private:
    static constexpr std::int64_t limit_ms = 30'000;
    static constexpr std::int64_t pause_ms = 100;
    std::string rpc_;
};

}  // namespace

std::unique_ptr<shelf> make_memory_shelf() { return std::make_unique<memory_shelf>(); }
std::unique_ptr<shelf> make_directory_shelf(fs::path const& at)
{
    return std::make_unique<directory_shelf>(at);
}
std::unique_ptr<shelf> make_node_shelf(std::string rpc)
{
    return std::make_unique<node_shelf>(std::move(rpc));
}
std::unique_ptr<shelf> make_shelf(std::string const& where, std::string const& rpc)
{
    if (where.starts_with("dir:")) return make_directory_shelf(where.substr(4));
    return make_node_shelf(rpc);
}

}  // namespace blendr::node
