// SPDX-License-Identifier: Apache-2.0
// Keys: make one, name its owner, sign, verify, seal something for somebody, keep the key under a passphrase.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iostream>
#include <string>

#include <blendr/crypto.hpp>

using namespace blendr;

namespace {

// What a signature is about. One made here is worth nothing in any other domain.
constexpr crypto::domain greeting{"example.hello/1"};

/// A program for people would call secret_key::generate(); this one prints the same every time.
crypto::secret_key somebody(unsigned char number)
{
    std::array<std::byte, 32> seed{};
    seed.fill(std::byte{number});
    return crypto::secret_key::from_seed(seed);
}

int run()
{
    // A library that judges signatures differently would split a network: refuse it before anything else.
    if (auto const started = crypto::start(); !started) {
        std::cerr << "this machine's crypto library differs: " << started.error() << '\n';
        return 1;
    }

    crypto::identity const alice{somebody(1)};
    std::cout << "public key  " << crypto::to_text(alice.self()) << '\n';
    std::cout << "address     " << crypto::to_text(alice.account()) << '\n';

    auto const sig = alice.sign(greeting, as_bytes("hello"));
    std::cout << "hello       "
              << (crypto::verify(alice.self(), greeting, as_bytes("hello"), sig) ? "signed"
                                                                                 : "forged")
              << '\n';
    std::cout << "hallo       "
              << (crypto::verify(alice.self(), greeting, as_bytes("hallo"), sig) ? "signed"
                                                                                 : "forged")
              << '\n';

    // A mistyped address says what is wrong with it.
    auto mistyped = crypto::to_text(alice.account());
    mistyped[10] = mistyped[10] == 'q' ? 'p' : 'q';
    std::cout << "mistyped    " << message(crypto::parse_address(mistyped).error()) << '\n';

    // Bob publishes where to seal things for him; only he opens them.
    auto const bob = crypto::sealing_key::of(somebody(2));
    auto const eve = crypto::sealing_key::of(somebody(3));
    auto const sealed = crypto::seal(as_bytes("meet me at height 100"), bob.self());
    if (!sealed) {
        std::cerr << message(sealed.error()) << '\n';
        return 1;
    }
    auto const opened = crypto::open(*sealed, bob);
    std::cout << "sealed      " << sealed->size() << " bytes, as "
              << crypto::to_text(crypto::cid::of(*sealed)).substr(0, 10) << "...\n";
    std::cout << "bob reads   " << (opened ? as_text(*opened) : "nothing") << '\n';
    std::cout << "eve reads   " << message(crypto::open(*sealed, eve).error()) << '\n';

    // The key itself rests in a file that its owner alone can read, under a passphrase.
    auto const at =
        std::filesystem::temp_directory_path() / ("blendr-example-" + std::to_string(::getpid()));
    std::string words = "correct horse battery staple";
    auto const passphrase = crypto::secret::take(words);  // and `words` is empty now
    auto const kept =
        crypto::create_keystore(at, alice.key(), passphrase, crypto::keystore_cost::quick());
    if (!kept) {
        std::cerr << message(kept.error()) << '\n';
        return 1;
    }
    std::string guess = "password";
    auto const wrong = crypto::open_keystore(at, crypto::secret::take(guess));
    auto const right = crypto::open_keystore(at, passphrase);
    std::filesystem::remove(at);
    std::cout << "keystore    "
              << (wrong.has_value() ? "opens for anybody"
                  : wrong.error().what == crypto::keystore_error::kind::wrong_passphrase
                      ? "refuses a wrong passphrase"
                      : "is broken")
              << ", "
              << (right && right->self() == alice.self() ? "gives alice's key back" : "lost it")
              << '\n';
    return 0;
}

}  // namespace

int main() { return run(); }
