// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/bond/draw.hpp>

namespace blendr::verify {

// Who is drawn is drawn from bonds, so the draw itself lives there.
using bond::blocks_until_unknown;
using bond::chosen;
using bond::draw;
using bond::draw_domain;
using bond::draw_owners;
using bond::million;
using bond::seed_of;

}  // namespace blendr::verify
