// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/table.h"

#include <gtest/gtest.h>

#include "apiserver/schema/column_functions.h"
#include "base/text.h"
#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

Json from_yaml(std::string_view text) { return yaml::parse_all(text)->front().value; }

const TimePoint kNow = *text::parse_time("2026-01-01T01:00:00Z");

const Version& builtin(std::string_view kind) {
  for (const auto& type : builtin_types()) {
    if (type->kind == kind) return type->storage_version();
  }
  throw std::out_of_range(std::string(kind));
}

struct RowCase {
  const char* name;
  const char* kind;
  const char* object;
  const char* cells;
};
class Rows : public testing::TestWithParam<RowCase> {};
TEST_P(Rows, PrintAsKubectlDoes) {
  const Json row =
      table_row(from_yaml(GetParam().object), builtin(GetParam().kind), IncludeObject::kNone, kNow);
  EXPECT_EQ(json::dump(row.at("cells")), GetParam().cells);
}
INSTANTIATE_TEST_SUITE_P(
    All, Rows,
    testing::Values(
        RowCase{"namespace", "Namespace",
                "{metadata: {name: a, creationTimestamp: '2026-01-01T00:00:00Z'}, status: {phase: Active}}",
                R"(["a","Active","60m"])"},
        RowCase{"config_map", "ConfigMap", "{metadata: {name: a}, data: {x: y}, binaryData: {z: ''}}",
                R"(["a",2,null])"},
        RowCase{"service", "Service",
                "{metadata: {name: a}, spec: {type: ClusterIP, clusterIP: 10.0.0.1, selector: {x: y}, ports: "
                "[{port: 80, "
                "protocol: TCP}, {port: 53, protocol: UDP, nodePort: 30053}]}}",
                R"(["a","ClusterIP","10.0.0.1","<none>","80/TCP,53:30053/UDP",null,"x=y"])"},
        RowCase{"service_pending", "Service", "{metadata: {name: a}, spec: {type: LoadBalancer}}",
                R"(["a","LoadBalancer","<none>","<pending>","<none>",null,"<none>"])"},
        RowCase{"deployment", "Deployment",
                "{metadata: {name: a}, spec: {replicas: 3, selector: {matchLabels: {x: y}, matchExpressions: "
                "[{key: k, "
                "operator: In, values: [p, q]}]}, template: {spec: {containers: [{name: c, image: i}, {name: "
                "d, image: j}]}}}, "
                "status: {readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2}}",
                R"~(["a","2/3",3,2,null,"c,d","i,j","x=y,k in (p,q)"])~"},
        RowCase{"pod", "Pod",
                "{metadata: {name: a}, spec: {nodeName: n, containers: [{name: c}, {name: d}]}, status: "
                "{phase: Running, podIP: "
                "127.1.0.1, containerStatuses: [{ready: true, state: {running: {}}, restartCount: 2, "
                "lastState: {terminated: {finishedAt: "
                "'2026-01-01T00:58:00Z'}}}, {ready: false, state: {running: {}}}]}}",
                R"~(["a","1/2","Running","2 (2m ago)",null,"127.1.0.1","n","<none>","<none>"])~"},
        RowCase{"event", "Event",
                "{metadata: {name: e}, type: Normal, reason: Made, involvedObject: {kind: Pod, name: p}, "
                "message: \"hello\\n\", "
                "lastTimestamp: '2026-01-01T00:59:30Z', source: {component: x}}",
                R"(["30s","Normal","Made","pod/p",null,"x","hello","<unknown>",1,"e"])"},
        RowCase{"slice", "EndpointSlice",
                "{metadata: {name: a}, addressType: IPv4, ports: [{port: 80}], endpoints: [{addresses: [a]}, "
                "{addresses: [b]}, "
                "{addresses: [c]}, {addresses: [d]}]}",
                R"(["a","IPv4","80","a,b,c + 1 more...",null])"},
        RowCase{"node", "Node",
                "{metadata: {name: n, labels: {node-role.kubernetes.io/control-plane: ''}}, spec: "
                "{unschedulable: true}, status: "
                "{conditions: [{type: Ready, status: 'True'}]}}",
                R"(["n","Ready,SchedulingDisabled","control-plane",null,null,null,null,null,null])"}),
    [](const auto& info) { return info.param.name; });

struct StatusCase {
  const char* name;
  const char* pod;
  const char* status;
};
class PodStatus : public testing::TestWithParam<StatusCase> {};
TEST_P(PodStatus, SaysWhatKeepsItFromRunning) {
  EXPECT_EQ(compute_cell("pod-status", from_yaml(GetParam().pod), kNow), GetParam().status);
}
INSTANTIATE_TEST_SUITE_P(
    All, PodStatus,
    testing::Values(
        StatusCase{"phase", "{status: {phase: Running}}", "Running"},
        StatusCase{"none", "{status: {}}", "Pending"},
        StatusCase{"reason", "{status: {phase: Failed, reason: Evicted}}", "Evicted"},
        StatusCase{"waiting",
                   "{status: {phase: Running, containerStatuses: [{state: {waiting: {reason: "
                   "CrashLoopBackOff}}}]}}",
                   "CrashLoopBackOff"},
        StatusCase{"exit",
                   "{status: {phase: Failed, containerStatuses: [{state: {terminated: {exitCode: 3}}}]}}",
                   "ExitCode:3"},
        StatusCase{"init",
                   "{spec: {initContainers: [{}, {}]}, status: {initContainerStatuses: [{state: "
                   "{terminated: {exitCode: 0}}}, "
                   "{state: {running: {}}}]}}",
                   "Init:1/2"},
        StatusCase{"deleted",
                   "{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, status: {phase: Running}}",
                   "Terminating"}),
    [](const auto& info) { return info.param.name; });

Version custom() {
  Version version;
  version.columns = {
      {.name = "Hosts", .type = "string", .json_path = ".spec.hostnames"},
      {.name = "Weight", .type = "integer", .json_path = ".spec.weight"},
      {.name = "Ready", .type = "string", .json_path = ".status.conditions[?(@.type==\"Ready\")].status"}};
  return version;
}

TEST(CustomColumns, ConvertToTheirType) {
  const Json object = from_yaml(
      "{metadata: {name: a}, spec: {hostnames: [x, y], weight: '5'}, status: {conditions: [{type: Ready, "
      "status: 'True'}]}}");
  EXPECT_EQ(json::dump(table_row(object, custom(), IncludeObject::kNone, kNow).at("cells")),
            R"(["a","[\"x\",\"y\"]",null,"True"])");
}

TEST(Tables, WithoutColumnsShowNameAndAge) {
  const Json object = from_yaml("{metadata: {name: a, creationTimestamp: '2026-01-01T00:59:57Z'}}");
  const Json table =
      make_table({object}, Version{}, IncludeObject::kMetadata, true, kNow, {{"resourceVersion", "7"}});
  EXPECT_EQ(json::string_at(table, "/columnDefinitions/1/name"), "Age");
  EXPECT_EQ(json::dump(table.at("rows")[0].at("cells")), R"(["a","3s"])");
  EXPECT_EQ(json::string_at(table, "/rows/0/object/kind"), "PartialObjectMetadata");
  EXPECT_EQ(json::string_at(table, "metadata.resourceVersion"), "7");
}

TEST(Tables, HaveAsManyCellsAsColumnsInEveryBuiltinKind) {
  for (const auto& type : builtin_types()) {
    const Version& version = type->storage_version();
    EXPECT_EQ(table_row(Json::object(), version, IncludeObject::kNone, kNow).at("cells").size(),
              table_columns(version).size());
    for (const auto& column : version.columns) {
      EXPECT_TRUE(column.function.empty() || is_column_function(column.function)) << column.function;
    }
  }
}

}  // namespace
}  // namespace tidegate::apiserver::schema
