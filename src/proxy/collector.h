// SPDX-License-Identifier: Apache-2.0
// The data plane's counters as Prometheus families (their names and labels are promised to dashboards). Sums
// the workers' cells at each scrape. Thread: control.
#pragma once

#include <memory>

namespace prometheus {
class Collectable;
}

namespace tidegate::proxy {

class SeriesBook;

std::shared_ptr<prometheus::Collectable> make_collector(std::shared_ptr<SeriesBook> series);

}  // namespace tidegate::proxy
