// SPDX-License-Identifier: Apache-2.0
// The one place that includes Boost.Asio. Compiled once, in asio.cc (BOOST_ASIO_SEPARATE_COMPILATION).
#pragma once

#include <utility>  // before awaitable.hpp, which in Boost 1.74 uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tidegate {
namespace asio = boost::asio;
}
