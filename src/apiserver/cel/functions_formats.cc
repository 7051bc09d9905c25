// SPDX-License-Identifier: Apache-2.0
// format.dns1123Label().validate(text) of Kubernetes: none where it has the format, else what is wrong.
#include <nlohmann/json.hpp>
#include "apiserver/cel/functions.h"
#include "apiserver/schema/formats.h"

namespace tidegate::apiserver::cel {
namespace {

// A format is a pattern and a greatest length, or one of those that schemas have.
struct Known {
  std::string_view name, pattern;
  std::size_t max_length;
  std::string_view schema_format, expected;
};
constexpr std::string_view kLabelText = "a lowercase RFC 1123 label";
constexpr Known kKnown[] = {
    {"dns1123Label", "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 63, "", kLabelText},
    {"dns1123Subdomain", R"(^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)", 253, "",
     "a lowercase RFC 1123 subdomain"},
    {"dns1035Label", "^[a-z]([-a-z0-9]*[a-z0-9])?$", 63, "", "a DNS-1035 label"},
    {"dns1123LabelPrefix", "^[a-z0-9]([-a-z0-9]*[-a-z0-9])?$", 63, "", "the beginning of an RFC 1123 label"},
    {"dns1123SubdomainPrefix", R"(^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*[-.]?$)",
     253, "", "the beginning of an RFC 1123 subdomain"},
    {"dns1035LabelPrefix", "^[a-z]([-a-z0-9]*[-a-z0-9])?$", 63, "", "the beginning of a DNS-1035 label"},
    {"qualifiedName",
     R"(^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$)",
     317, "", "a name of up to 63 characters, with an optional DNS subdomain and a slash before it"},
    {"labelValue", "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", 63, "", "a label value"},
    {"uri", "", 65536, "uri", "an absolute URI"},
    {"uuid", "", 64, "uuid", "a UUID"},
    {"byte", "", SIZE_MAX, "byte", "base64"},
    {"date", "", 64, "date", "a date such as 2026-01-31"},
    {"datetime", "", 64, "date-time", "a time in RFC 3339 form"},
};

template <std::size_t index>
Value named(Arguments, Budget&) {
  return Format{std::string(kKnown[index].name)};
}

Value by_name(Arguments given, Budget&) {
  for (const Known& one : kKnown) {
    if (one.name == given[0].as<std::string>()) return Value::some(Format{std::string(one.name)});
  }
  return Value::none();
}

bool has(const Known& format, const std::string& text) {
  if (!format.schema_format.empty()) return schema::has_format(Json(text), format.schema_format);
  return schema::matches_pattern(text, format.pattern);
}

Value validate(Arguments given, Budget& budget) {
  const auto& text = given[1].as<std::string>();
  budget.spend_bytes(text.size());
  for (const Known& one : kKnown) {
    if (one.name != given[0].as<Format>().name) continue;
    if (text.size() > one.max_length)
      return Value::some(Value::list({"must be no more than " + std::to_string(one.max_length) + " bytes"}));
    if (has(one, text)) return Value::none();
    return Value::some(Value::list({"must be " + std::string(one.expected)}));
  }
  return Value::none();
}

constexpr Row kRows[] = {
    {"format.dns1123Label", "g", ">F", named<0>},
    {"format.dns1123Subdomain", "g", ">F", named<1>},
    {"format.dns1035Label", "g", ">F", named<2>},
    {"format.dns1123LabelPrefix", "g", ">F", named<3>},
    {"format.dns1123SubdomainPrefix", "g", ">F", named<4>},
    {"format.dns1035LabelPrefix", "g", ">F", named<5>},
    {"format.qualifiedName", "g", ">F", named<6>},
    {"format.labelValue", "g", ">F", named<7>},
    {"format.uri", "g", ">F", named<8>},
    {"format.uuid", "g", ">F", named<9>},
    {"format.byte", "g", ">F", named<10>},
    {"format.date", "g", ">F", named<11>},
    {"format.datetime", "g", ">F", named<12>},
    {"format.named", "g", "s>oF", by_name},
    {"validate", "m", "Fs>ols", validate},
};

}  // namespace

std::span<const Row> format_rows() { return kRows; }

}  // namespace tidegate::apiserver::cel
