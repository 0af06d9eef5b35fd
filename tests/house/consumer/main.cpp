// SPDX-License-Identifier: Apache-2.0
#include <blendr/version.hpp>

#include <iostream>

int main()
{
    std::cout << "libblendr " << blendr::library_version() << '\n';
    return blendr::library_version() == blendr::header_version ? 0 : 1;
}
