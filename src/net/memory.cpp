// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/memory.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <blendr/net/book.hpp>

namespace blendr::net {
namespace {

constexpr std::size_t queue_bytes_max = std::size_t{64} << 20;

class memory_transport;

}  // namespace

struct memory_network::state {
    std::mutex mutex{};
    std::map<public_key, memory_transport*> started{};
    std::set<std::pair<public_key, public_key>> cut{};
};

namespace {

/// What one member has not heard yet: joins and leaves first, then by lane.
class memory_transport final : public transport {
public:
    memory_transport(std::shared_ptr<memory_network::state> net, public_key const& me)
        : net_{std::move(net)},
          me_{me}
    {}
    ~memory_transport() override { stop(); }

    result<std::string, error> start(receiver& who) override
    {
        receiver_ = &who;
        {
            std::lock_guard const lock{net_->mutex};
            if (!net_->started.emplace(me_, this).second) return fail{error::own_key};
            for (auto const& [key, other] : net_->started) {
                if (other == this) continue;
                other->put({me_, news::joined});
                put({key, news::joined});
            }
        }
        thread_ = std::thread{[this] { run(); }};
        return std::string{"memory"};
    }

    void stop() override
    {
        {
            std::lock_guard const lock{net_->mutex};
            auto const found = net_->started.find(me_);
            if (found != net_->started.end() && found->second == this) {
                net_->started.erase(found);
                for (auto const& [key, other] : net_->started) other->put({me_, news::left});
            }
        }
        {
            std::lock_guard const lock{mutex_};
            stopped_ = true;
        }
        wake_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

    bool send(public_key const& to, lane on, shared_message message) override
    {
        std::lock_guard const lock{net_->mutex};
        auto const found = net_->started.find(to);
        if (found == net_->started.end() || found->second == this) return false;
        if (net_->cut.contains(std::minmax(me_, to))) return true;  // lost on its way
        return found->second->deliver(me_, on, std::move(message));
    }

    std::size_t broadcast(lane on, shared_message message) override
    {
        std::size_t sent = 0;
        std::lock_guard const lock{net_->mutex};
        for (auto const& [key, other] : net_->started) {
            if (other == this) continue;
            if (!net_->cut.contains(std::minmax(me_, key))) other->deliver(me_, on, message);
            ++sent;
        }
        return sent;
    }

    std::vector<peer_info> peers() const override
    {
        std::vector<peer_info> out{};
        std::lock_guard const lock{net_->mutex};
        for (auto const& [key, other] : net_->started)
            if (other != this) out.push_back({key, "memory", "blendr", false, false, 0, 0, 0, 0});
        return out;
    }

    void penalise(public_key const&, std::int64_t, std::string_view) override {}
    result<nothing, error> dial(std::string const&) override { return nothing{}; }

private:
    struct news {
        enum kind : std::uint8_t { joined, left };
        public_key who{};
        kind what{};
    };
    struct letter {
        public_key from{};
        shared_message message{};
    };

    void put(news what)
    {
        std::lock_guard const lock{mutex_};
        news_.push_back(what);
        wake_.notify_one();
    }

    bool deliver(public_key const& from, lane on, shared_message message)
    {
        std::lock_guard const lock{mutex_};
        if (held_ + message->size() > queue_bytes_max) return false;
        held_ += message->size();
        lanes_[static_cast<std::size_t>(on)].push_back({from, std::move(message)});
        wake_.notify_one();
        return true;
    }

    void run()
    {
        std::unique_lock lock{mutex_};
        for (;;) {
            if (stopped_) return;
            if (!news_.empty()) {
                auto const what = news_.front();
                news_.pop_front();
                lock.unlock();
                if (what.what == news::joined)
                    receiver_->on_joined(what.who);
                else
                    receiver_->on_left(what.who, error::closed);
                lock.lock();
                continue;
            }
            auto const next = std::find_if(lanes_.begin(), lanes_.end(),
                                           [](auto const& each) { return !each.empty(); });
            if (next == lanes_.end()) {
                wake_.wait(lock);
                continue;
            }
            auto const one = std::move(next->front());
            next->pop_front();
            held_ -= one.message->size();
            auto const on = static_cast<lane>(next - lanes_.begin());
            lock.unlock();
            receiver_->on_message(one.from, on, *one.message);
            lock.lock();
        }
    }

    std::shared_ptr<memory_network::state> net_;
    public_key me_;
    receiver* receiver_ = nullptr;
    std::thread thread_{};
    std::mutex mutex_{};
    std::condition_variable wake_{};
    std::deque<news> news_{};
    std::array<std::deque<letter>, 3> lanes_{};
    std::size_t held_ = 0;
    bool stopped_ = false;
};

}  // namespace

memory_network::memory_network() : state_{std::make_shared<state>()} {}
memory_network::~memory_network() = default;

std::unique_ptr<transport> memory_network::join(public_key const& as)
{
    return std::make_unique<memory_transport>(state_, as);
}

void memory_network::cut(public_key const& a, public_key const& b, bool on)
{
    std::lock_guard const lock{state_->mutex};
    if (on)
        state_->cut.insert(std::minmax(a, b));
    else
        state_->cut.erase(std::minmax(a, b));
}

}  // namespace blendr::net
