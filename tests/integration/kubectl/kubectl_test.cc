// SPDX-License-Identifier: Apache-2.0
// What people do with kubectl, done with a real one: the program that TIDEGATE_KUBECTL names, else the one on
// PATH. The server runs on a thread of the test, with nothing beside it: no pods run, no garbage is
// collected.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "apiserver/server.h"
#include "net/event_loop.h"
#include "tests/support/temp_dir.h"

namespace tidegate {
namespace {

struct CommandResult {
  int status = -1;
  std::string output;  // both streams
  bool says(std::string_view text) const { return output.find(text) != std::string::npos; }
};

CommandResult run(const std::string& command) {
  CommandResult result;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return result;
  std::array<char, 4096> buffer;
  while (const auto bytes = std::fread(buffer.data(), 1, buffer.size(), pipe))
    result.output.append(buffer.data(), bytes);
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

std::string kubectl_program() {
  const char* named = std::getenv("TIDEGATE_KUBECTL");
  return named && *named ? named : "kubectl";
}

// One server for all tests; each has a namespace of its own.
class ServerThread {
 public:
  ServerThread() : thread_([this] { serve(); }) { problem_ = started_.get_future().get(); }
  ~ServerThread() {
    loop_.stop();
    thread_.join();
  }
  const std::string& problem() const { return problem_; }
  // Its own home: kubectl keeps discovery for hours.
  std::string command() const {
    return "HOME=" + dir_.path() + " timeout 30 " + kubectl_program() + " --kubeconfig " + dir_.path() +
           "/kubeconfig ";
  }

 private:
  void serve() {
    apiserver::Server::Options options;
    options.address = {"127.0.0.1", 0};
    options.data_dir = dir_.path() + "/data";
    auto server = apiserver::Server::open(loop_, options);
    if (!server) return started_.set_value(server.error().detail);
    std::ofstream(dir_.path() + "/kubeconfig") << (*server)->kubeconfig();
    started_.set_value("");
    loop_.run();
  }

  test::TempDir dir_;
  net::EventLoop loop_;
  std::promise<std::string> started_;
  std::string problem_;
  std::thread thread_;
};

class KubectlTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (run(kubectl_program() + " version --client").status == 0) server_ = std::make_unique<ServerThread>();
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (!server_) GTEST_SKIP() << "no kubectl: install one, or name it in TIDEGATE_KUBECTL";
    ASSERT_EQ(server_->problem(), "");
    ns_ = "test-" + std::to_string(++tests_);
    ok("create namespace " + ns_);
  }
  std::string command(const std::string& arguments) const {
    return server_->command() + "-n " + ns_ + " " + arguments;
  }
  CommandResult kubectl(const std::string& arguments) const { return run(command(arguments)); }
  CommandResult ok(const std::string& arguments) const {
    auto result = kubectl(arguments);
    EXPECT_EQ(result.status, 0) << "kubectl " << arguments << "\n" << result.output;
    return result;
  }
  // kubectl VERB -f FILE with this text.
  std::string file(const std::string& text) const {
    const std::string path = dir_.path() + "/manifest-" + std::to_string(++files_) + ".yaml";
    std::ofstream(path) << text;
    return "-f " + path + " ";
  }
  std::string field(const std::string& object, const std::string& path) const {
    return ok("get " + object + " -o 'jsonpath={" + path + "}'").output;
  }

  static constexpr const char* kDeployment = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: example.com/web:1, ports: [{containerPort: 80}]}]}
)";
  std::string definition() const {
    return "---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: "
           "things." +
           ns_ + ".example.com}, spec: {group: " + ns_ +
           ".example.com, scope: Namespaced, names: {plural: things, singular: thing, kind: Thing, "
           "shortNames: [th]}, versions: [{name: v1, served: true, "
           "storage: true, subresources: {status: {}, scale: {specReplicasPath: .spec.size, "
           "statusReplicasPath: .status.size}}, additionalPrinterColumns: "
           "[{name: Size, type: integer, jsonPath: .spec.size}], schema: {openAPIV3Schema: {type: object, "
           "properties: {spec: {type: object, properties: "
           "{size: {type: integer, minimum: 0, description: How large it is.}}}, status: {type: object, "
           "x-kubernetes-preserve-unknown-fields: "
           "true}}}}}]}}";
  }
  std::string thing(const std::string& name, const std::string& metadata = "") const {
    return "---\n{apiVersion: " + ns_ + ".example.com/v1, kind: Thing, metadata: {name: " + name + metadata +
           "}, spec: {size: 3}}";
  }

  static inline std::unique_ptr<ServerThread> server_;
  static inline int tests_ = 0;
  mutable int files_ = 0;
  test::TempDir dir_;
  std::string ns_;
};

TEST_F(KubectlTest, AppliesAndDiffs) {
  std::string text = kDeployment;
  EXPECT_TRUE(ok("apply " + file(text)).says("deployment.apps/web created"));
  EXPECT_TRUE(ok("apply " + file(text)).says("unchanged"));
  text.replace(text.find("web:1"), 5, "web:2");
  EXPECT_EQ(kubectl("diff " + file(text)).status, 1) << "differs";
  EXPECT_TRUE(ok("apply --dry-run=server " + file(text)).says("configured"));
  EXPECT_TRUE(ok("apply " + file(text)).says("configured"));
  EXPECT_EQ(kubectl("diff " + file(text)).status, 0);
  EXPECT_EQ(field("deployment web", ".metadata.generation"), "2");
}

TEST_F(KubectlTest, AppliesOnTheServerSide) {
  std::string text = kDeployment;
  EXPECT_TRUE(ok("apply --server-side " + file(text)).says("serverside-applied"));
  EXPECT_TRUE(ok("scale deployment web --replicas=4").says("scaled"));
  const auto refused = kubectl("apply --server-side --field-manager=other " + file(text));
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(refused.says(".spec.replicas")) << refused.output;
  ok("apply --server-side --force-conflicts " + file(text));
  EXPECT_EQ(field("deployment web", ".spec.replicas"), "2");
}

TEST_F(KubectlTest, CreatesEachKindItKnows) {
  ok("create configmap c --from-literal=k=v");
  ok("create secret generic s --from-literal=k=v");
  ok("create service clusterip web --tcp=80:8080");
  ok("create deployment web --image=example.com/web");
  EXPECT_EQ(field("configmap c", ".data.k"), "v");
  EXPECT_EQ(field("secret s", ".data.k"), "dg==");
  EXPECT_EQ(field("service web", ".spec.ports[0].targetPort"), "8080");
  EXPECT_TRUE(kubectl("create configmap c --from-literal=k=v").says("already exists"));
}

TEST_F(KubectlTest, PrintsTablesAndSelects) {
  ok("apply " + file(kDeployment));
  const auto wide = ok("get deployments -o wide -l app=web");
  for (const char* text : {"READY", "SELECTOR", "0/2", "example.com/web:1"})
    EXPECT_TRUE(wide.says(text)) << wide.output;
  EXPECT_TRUE(ok("get deployments -l app=db").says("No resources found"));
  EXPECT_EQ(ok("get deployments --field-selector metadata.name=web -o name").output, "deployment.apps/web\n");
  EXPECT_TRUE(ok("describe deployment web").says("example.com/web:1"));
  EXPECT_TRUE(
      kubectl("get configmap none").says("Error from server (NotFound): configmaps \"none\" not found"));
}

TEST_F(KubectlTest, PatchesInEachWay) {
  ok("create configmap c --from-literal=a=1");
  ok(R"(patch configmap c -p '{"data":{"b":"2"}}')");
  ok(R"(patch configmap c --type=merge -p '{"data":{"a":null}}')");
  ok(R"(patch configmap c --type=json -p '[{"op":"add","path":"/data/c","value":"3"}]')");
  ok("annotate configmap c note=x");
  ok("label configmap c tier=web");
  EXPECT_EQ(
      field("configmap c", ".data.a}{.data.b}{.data.c}{.metadata.annotations.note}{.metadata.labels.tier"),
      "23xweb");
}

TEST_F(KubectlTest, ReplacesAndEdits) {
  ok("create configmap c --from-literal=a=one");
  const std::string copy = file(ok("get configmap c -o yaml").output);
  ok("annotate configmap c changed=since");
  const auto refused = kubectl("replace " + copy);
  EXPECT_TRUE(refused.says("(Conflict)")) << refused.output;
  const auto edited = run("KUBE_EDITOR='sed -i s/one/two/' " + command("edit configmap c"));
  EXPECT_EQ(edited.status, 0) << edited.output;
  EXPECT_EQ(field("configmap c", ".data.a"), "two");
}

TEST_F(KubectlTest, ScalesRestartsAndWaitsForDeployments) {
  ok("apply " + file(kDeployment));
  ok("scale deployment web --replicas=3");
  ok("set image deployment/web main=example.com/web:2");
  ok("rollout restart deployment/web");
  EXPECT_EQ(field("deployment web", ".spec.replicas}{.spec.template.spec.containers[0].image"),
            "3example.com/web:2");
  EXPECT_EQ(kubectl("rollout status deployment/web --timeout=1s").status, 1) << "nobody runs it";
}

TEST_F(KubectlTest, ServesADefinitionAtOnce) {
  ok("apply " + file(definition()));
  ok("wait --for=condition=established crd/things." + ns_ + ".example.com --timeout=10s");
  ok("apply " + file(thing("t")));
  EXPECT_TRUE(ok("get th").says("SIZE"));
  ok("scale thing t --replicas=5");
  EXPECT_EQ(field("thing t", ".spec.size"), "5");
  EXPECT_TRUE(kubectl(R"(patch thing t --type=merge -p '{"spec":{"size":-1}}')")
                  .says("spec.size: Invalid value: -1"));
  EXPECT_TRUE(
      ok("explain things.spec.size --api-version=" + ns_ + ".example.com/v1").says("How large it is."));
  EXPECT_TRUE(ok("api-resources --api-group=" + ns_ + ".example.com").says("things"));
  ok("delete crd things." + ns_ + ".example.com");
  EXPECT_NE(kubectl("get th").status, 0);
}

TEST_F(KubectlTest, DeletesWhatFinalizersHoldOnceTheyAreGone) {
  ok("apply " + file(definition()));
  ok("apply " + file(thing("t", ", finalizers: [example.com/hold]")));
  ok("delete thing t --wait=false");
  EXPECT_NE(field("thing t", ".metadata.deletionTimestamp"), "");
  auto deletion = std::async(std::launch::async, [this] { return ok("delete thing t --ignore-not-found"); });
  ok(R"(patch thing t --type=merge -p '{"metadata":{"finalizers":null}}')");
  deletion.get();
  EXPECT_TRUE(kubectl("get thing t").says("NotFound"));
}

TEST_F(KubectlTest, WatchesUntilItIsTold) {
  ok("create configmap first --from-literal=k=v");
  const std::string log = dir_.path() + "/watch";
  // Ends by itself once the last line has come.
  auto watching = std::async(std::launch::async, [&] {
    return run("timeout 20 sh -c '" + command("get configmap -w -o name") +
               "| while read -r line; do echo $line; [ $line = configmap/last ] && break; done'");
  });
  bool seen = false;
  for (int i = 0; i < 100 && !seen;
       ++i) {  // each write may come before the watch; the last name comes until it was seen
    ok("create configmap last --from-literal=k=v");
    ok("delete configmap last");
    seen = watching.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  const auto watched = watching.get();
  EXPECT_TRUE(watched.says("configmap/first\n")) << watched.output;
  EXPECT_TRUE(watched.says("configmap/last\n")) << watched.output;
}

TEST_F(KubectlTest, MarksNamespacesAsTerminating) {
  ok("delete namespace " + ns_ + " --wait=false");
  EXPECT_TRUE(ok("get namespace " + ns_).says("Terminating"));
  EXPECT_TRUE(kubectl("create configmap late --from-literal=k=v").says("because it is being terminated"));
  ok("replace --raw /api/v1/namespaces/" + ns_ + "/finalize " +
     file("{\"metadata\":{\"name\":\"" + ns_ + "\"},\"spec\":{\"finalizers\":[]}}"));
  EXPECT_TRUE(kubectl("get namespace " + ns_).says("NotFound"));
}

TEST_F(KubectlTest, AnswersQuestionsAboutItself) {
  EXPECT_TRUE(ok("version").says("v1.31.0+tidegate"));
  EXPECT_TRUE(ok("auth can-i create pods").says("yes"));
  EXPECT_TRUE(ok("api-versions").says("apps/v1"));
  EXPECT_TRUE(ok("get --raw /readyz").says("ok"));
  EXPECT_TRUE(ok("get events").says("No resources found"));
  EXPECT_TRUE(ok("explain deployment.spec.replicas").says("How many"));
}

}  // namespace
}  // namespace tidegate
