// SPDX-License-Identifier: Apache-2.0
// fullnode: a validator or follower of the standard chain. `fullnode help` says what it can do.
// needs: node
#include <string>
#include <vector>

#include <blendr/node/command_line.hpp>
#include <blendr/node/standard_chain.hpp>

int main(int argc, char** argv)
{
    std::vector<std::string> const arguments(argv + 1, argv + argc);
    return blendr::node::run_command_line(arguments, blendr::node::standard_chain());
}
