// SPDX-License-Identifier: Apache-2.0
// "%s has %d".format([...]) and strings.quote() (the strings library of CEL). Pure. Thread: any.
#pragma once

#include <string>

#include "apiserver/cel/value.h"

namespace tidegate::apiserver::cel {

// Clauses %s %d %f %e %x %X %o %b %%, the middle ones with a precision (%.2f). A failure where clauses and
// arguments do not fit each other.
Value formatted(const std::string& format, const Value& arguments, Budget& budget);

std::string quoted(const std::string& text);

}  // namespace tidegate::apiserver::cel
