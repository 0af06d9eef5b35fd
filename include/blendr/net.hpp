// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/net/blob.hpp>
#include <blendr/net/book.hpp>
#include <blendr/net/error.hpp>
#include <blendr/net/frames.hpp>
#include <blendr/net/gossip.hpp>
#include <blendr/net/handshake.hpp>
#include <blendr/net/http.hpp>
#include <blendr/net/memory.hpp>
#include <blendr/net/tcp.hpp>
#include <blendr/net/transport.hpp>
#include <blendr/net/websocket.hpp>
