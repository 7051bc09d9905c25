// SPDX-License-Identifier: Apache-2.0
// What a write does to an object, verb by verb, as clients see it.
#include "apiserver/api_fixture.h"

namespace tidegate::apiserver {
namespace {

class WritesTest : public ApiTest {
 protected:
  std::int64_t generation(const std::string& target) {
    return json::int_at(call("GET", target).json, "metadata.generation");
  }
};

TEST_F(WritesTest, CreateFillsInMetadata) {
  const auto made = call("POST", kMaps, config_map("a"));
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(made.at("metadata.uid").size(), 36u);
  EXPECT_EQ(made.at("metadata.namespace"), "default");
  EXPECT_EQ(made.at("metadata.creationTimestamp"), text::format_time(scheduler_.clock().now()));
  EXPECT_FALSE(made.version().empty());
  EXPECT_EQ(made.json, call("GET", in(kMaps, "a")).json) << "the answer is what is stored";
}

TEST_F(WritesTest, CreateRefusesATakenName) {
  call("POST", kMaps, config_map("a"));
  const auto again = call("POST", kMaps, config_map("a"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.at("reason"), "AlreadyExists");
  EXPECT_EQ(again.at("details.name"), "a");
}

TEST_F(WritesTest, GenerateNameMakesDifferentNames) {
  const Json object = {{"metadata", {{"generateName", "job-"}}}};
  const auto first = call("POST", kMaps, object), second = call("POST", kMaps, object);
  ASSERT_EQ(first.status, 201);
  EXPECT_TRUE(first.at("metadata.name").starts_with("job-"));
  EXPECT_NE(first.at("metadata.name"), second.at("metadata.name"));
}

TEST_F(WritesTest, RefusesMalformedObjects) {
  const struct {
    const char* what;
    std::string body;
    int status;
  } cases[] = {
      {"no JSON", "{", 400},
      {"no object", "[]", 400},
      {"another kind", R"({"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}})", 400},
      {"another namespace", R"({"metadata":{"name":"a","namespace":"other"}})", 400},
      {"no name", R"({"metadata":{}})", 422},
      {"upper case", R"({"metadata":{"name":"A"}})", 422},
      {"name is a number", R"({"metadata":{"name":1}})", 422},
      {"labels are a list", R"({"metadata":{"name":"a","labels":["x"]}})", 422},
      {"a label is a number", R"({"metadata":{"name":"a","labels":{"x":1}}})", 422},
      {"a label's value has spaces", R"({"metadata":{"name":"a","labels":{"x":"a b"}}})", 422},
      {"an owner without uid",
       R"({"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p"}]}})", 422},
      {"finalizers are text", R"({"metadata":{"name":"a","finalizers":"x"}})", 422},
      {"wrong type of a field", R"({"metadata":{"name":"a"},"data":{"k":1}})", 422},
  };
  for (const auto& test : cases) {
    const auto answer = call_text("POST", kMaps, test.body, {});
    EXPECT_EQ(answer.status, test.status) << test.what << ": " << answer.text;
    EXPECT_EQ(answer.at("kind"), "Status") << test.what;
    EXPECT_FALSE(answer.at("message").empty()) << test.what;
  }
  EXPECT_TRUE(json::array_at(call("GET", kMaps).json, "items").empty());
}

TEST_F(WritesTest, NamesByKind) {
  const std::string services = "/api/v1/namespaces/default/services",
                    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  const struct {
    std::string collection, name;
    int status;
  } cases[] = {
      {kMaps, "a.b", 201},
      {kMaps, std::string(253, 'a'), 201},
      {kMaps, std::string(254, 'a'), 422},
      {kMaps, "a_b", 422},
      {kMaps, "a/b", 422},
      {"/api/v1/namespaces", "a.b", 422},
      {services, "a.b", 422},
      {services, "1a", 422},
      {services, "a1", 201},
      {roles, "system:node", 201},
      {roles, "a/b", 422},
  };
  for (const auto& test : cases) {
    Json object = {{"metadata", {{"name", test.name}}}};
    if (test.collection == services) object["spec"]["ports"] = {{{"port", 80}}};
    const auto answer = call("POST", test.collection, object);
    EXPECT_EQ(answer.status, test.status) << test.collection << " " << test.name << ": " << answer.text;
  }
}

TEST_F(WritesTest, MalformedBodiesOfSpecialKindsCostNothingButTheRequest) {
  const char* bodies[] = {R"({"metadata":{"name":"x"},"spec":1,"status":2})",
                          R"({"metadata":{"name":"x"},"spec":[],"status":[]})",
                          R"({"metadata":{"name":"x"},"spec":{"names":[],"versions":{}}})",
                          "[]",
                          "null",
                          "\"x\"",
                          ""};
  for (const char* target :
       {"/api/v1/namespaces", kDefinitions, "/api/v1/namespaces/default/pods",
        "/api/v1/namespaces/default/secrets", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews"}) {
    for (const char* body : bodies) {
      const auto answer = call_text("POST", target, body, {});
      EXPECT_NE(answer.status, 0) << target << " " << body;
    }
  }
  EXPECT_EQ(call("GET", "/api/v1/namespaces/default").status, 200);
}

TEST_F(WritesTest, PutWithAnOldRevisionIsAConflict) {
  auto object = call("POST", kMaps, config_map("a")).json;
  object["data"]["key"] = "2";
  ASSERT_EQ(call("PUT", in(kMaps, "a"), object).status, 200);
  object["data"]["key"] = "3";
  const auto refused = call("PUT", in(kMaps, "a"), object);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.at("reason"), "Conflict");
  EXPECT_EQ(call("GET", in(kMaps, "a")).at("data.key"), "2");
}

TEST_F(WritesTest, PutWithoutARevisionReplaces) {
  call("POST", kMaps, config_map("a"));
  EXPECT_EQ(call("PUT", in(kMaps, "a"), config_map("a", "2")).status, 200);
  EXPECT_EQ(call("GET", in(kMaps, "a")).at("data.key"), "2");
}

TEST_F(WritesTest, AWriteThatChangesNothingTakesNoRevision) {
  const auto made = call("POST", kMaps, config_map("a"));
  EXPECT_EQ(merge(in(kMaps, "a"), {{"data", {{"key", "1"}}}}).version(), made.version());
}

TEST_F(WritesTest, ClientsCannotWriteTheServersMetadata) {
  const auto made = call("POST", kMaps, config_map("a"));
  const auto patched = merge(
      in(kMaps, "a"), {{"metadata", {{"creationTimestamp", "2001-01-01T00:00:00Z"}, {"generation", 77}}}});
  EXPECT_EQ(patched.at("metadata.creationTimestamp"), made.at("metadata.creationTimestamp"));
  EXPECT_EQ(json::int_at(patched.json, "metadata.generation"),
            json::int_at(made.json, "metadata.generation"));
  EXPECT_EQ(merge(in(kMaps, "a"), {{"metadata", {{"uid", "0"}}}}).status, 409);
}

TEST_F(WritesTest, GenerationCountsChangesOfSpecOnly) {
  define_things();
  const std::string target = in(kThings, "t");
  ASSERT_EQ(call("POST", kThings, thing("t", 1)).status, 201);
  merge(target, {{"metadata", {{"labels", {{"a", "b"}}}}}});
  merge(target + "/status", {{"status", {{"phase", "Ok"}}}});
  EXPECT_EQ(generation(target), 1);
  merge(target, {{"spec", {{"size", 2}}}});
  EXPECT_EQ(generation(target), 2);
}

TEST_F(WritesTest, StatusAndSpecAreWrittenApart) {
  define_things();
  Json object = thing("t", 1);
  object["status"]["phase"] = "Mine";
  EXPECT_FALSE(call("POST", kThings, object).json.contains("status")) << "dropped on create";
  merge(in(kThings, "t") + "/status",
        {{"status", {{"phase", "Ok"}}}, {"spec", {{"size", 9}}}, {"metadata", {{"labels", {{"a", "b"}}}}}});
  auto now = call("GET", in(kThings, "t"));
  EXPECT_EQ(now.at("status.phase"), "Ok");
  EXPECT_EQ(json::int_at(now.json, "spec.size"), 1);
  EXPECT_EQ(json::find(now.json, "metadata.labels"), nullptr);
  call("PUT", in(kThings, "t"), object);
  EXPECT_EQ(call("GET", in(kThings, "t")).at("status.phase"), "Ok")
      << "a PUT of the object leaves status alone";
}

TEST_F(WritesTest, SchemasGiveDefaultsAndBounds) {
  define_things();
  EXPECT_EQ(call("POST", kThings, thing("t", 1)).at("spec.color"), "red");
  const auto refused = call("POST", kThings, thing("u", -1));
  EXPECT_EQ(refused.status, 422);
  ASSERT_EQ(json::array_at(refused.json, "details.causes").size(), 1u);
  EXPECT_EQ(refused.json["details"]["causes"][0]["field"], "spec.size");
}

TEST_F(WritesTest, UnknownFieldsByFieldValidation) {
  define_things();
  Json object = thing("t", 1);
  object["spec"]["bogus"] = true;
  const auto strict = call("POST", std::string(kThings) + "?fieldValidation=Strict", object);
  EXPECT_EQ(strict.status, 400);
  EXPECT_NE(strict.at("message").find("unknown field \"spec.bogus\""), std::string::npos) << strict.text;
  const auto warned = call("POST", std::string(kThings) + "?fieldValidation=Warn&dryRun=All", object);
  EXPECT_EQ(warned.headers.get("Warning"), "299 - \"unknown field \\\"spec.bogus\\\"\"");
  const auto ignored = call("POST", std::string(kThings) + "?fieldValidation=Ignore", object);
  EXPECT_FALSE(ignored.headers.has("Warning"));
  EXPECT_EQ(json::find(ignored.json, "spec.bogus"), nullptr) << "pruned all the same";
}

TEST_F(WritesTest, DryRunStoresNothing) {
  EXPECT_EQ(call("POST", std::string(kMaps) + "?dryRun=All", config_map("a")).status, 201);
  EXPECT_EQ(call("GET", in(kMaps, "a")).status, 404);
  call("POST", kMaps, config_map("a"));
  const auto revision = storage_->revision();
  EXPECT_EQ(call("DELETE", in(kMaps, "a") + "?dryRun=All").status, 200);
  EXPECT_EQ(storage_->revision(), revision);
}

TEST_F(WritesTest, FinalizersHoldADeletedObject) {
  Json object = config_map("a");
  object["metadata"]["finalizers"] = {"example.com/hold"};
  call("POST", kMaps, object);
  const auto going = call("DELETE", in(kMaps, "a"));
  EXPECT_EQ(going.status, 200);
  EXPECT_FALSE(going.at("metadata.deletionTimestamp").empty());
  const auto again = call("DELETE", in(kMaps, "a"));
  EXPECT_EQ(again.version(), going.version()) << "a second DELETE changes nothing";
  EXPECT_EQ(
      merge(in(kMaps, "a"), {{"metadata", {{"finalizers", nullptr}, {"deletionTimestamp", nullptr}}}}).status,
      200);
  EXPECT_EQ(call("GET", in(kMaps, "a")).status, 404) << "gone with its last finalizer";
}

TEST_F(WritesTest, DeleteChecksPreconditions) {
  const auto made = call("POST", kMaps, config_map("a"));
  EXPECT_EQ(call("DELETE", in(kMaps, "a"), {{"preconditions", {{"uid", "other"}}}}).status, 409);
  EXPECT_EQ(call("DELETE", in(kMaps, "a"), {{"preconditions", {{"uid", made.at("metadata.uid")}}}}).status,
            200);
  EXPECT_EQ(call("DELETE", in(kMaps, "a")).status, 404);
}

TEST_F(WritesTest, DeleteCollectionTakesWhatIsSelected) {
  call("POST", kMaps, config_map("a", "1", {{"t", "x"}}));
  call("POST", kMaps, config_map("b", "1", {{"t", "y"}}));
  EXPECT_EQ(call("DELETE", std::string(kMaps) + "?labelSelector=t%3Dx").status, 200);
  EXPECT_EQ(call("GET", in(kMaps, "a")).status, 404);
  EXPECT_EQ(call("GET", in(kMaps, "b")).status, 200);
}

TEST_F(WritesTest, OrphaningStripsOwnerReferences) {
  const auto owner = call("POST", kMaps, config_map("owner"));
  Json dependant = config_map("dependant");
  dependant["metadata"]["ownerReferences"] = {
      {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", owner.at("metadata.uid")}}};
  call("POST", kMaps, dependant);
  call("DELETE", in(kMaps, "owner"), {{"propagationPolicy", "Orphan"}});
  EXPECT_TRUE(json::array_at(call("GET", in(kMaps, "dependant")).json, "metadata.ownerReferences").empty());
}

TEST_F(WritesTest, ForegroundDeletionWaitsForTheGarbageCollector) {
  call("POST", kMaps, config_map("a"));
  call("DELETE", in(kMaps, "a"), {{"propagationPolicy", "Foreground"}});
  EXPECT_EQ(call("GET", in(kMaps, "a")).json["metadata"]["finalizers"], Json::array({"foregroundDeletion"}));
}

TEST_F(WritesTest, ScheduledPodsAreDeletedGracefully) {
  const std::string pods = "/api/v1/namespaces/default/pods";
  const auto pod = [](const std::string& name, const std::string& node) {
    Json object = {
        {"metadata", {{"name", name}}},
        {"spec", {{"terminationGracePeriodSeconds", 7}, {"containers", {{{"name", "c"}, {"image", "i"}}}}}}};
    if (!node.empty()) object["spec"]["nodeName"] = node;
    return object;
  };
  ASSERT_EQ(call("POST", pods, pod("placed", "local")).status, 201);
  ASSERT_EQ(call("POST", pods, pod("waiting", "")).status, 201);
  call("DELETE", in(pods, "waiting"));
  EXPECT_EQ(call("GET", in(pods, "waiting")).status, 404) << "nobody runs it";
  EXPECT_EQ(json::int_at(call("DELETE", in(pods, "placed")).json, "metadata.deletionGracePeriodSeconds"), 7);
  EXPECT_EQ(call("GET", in(pods, "placed")).status, 200);
  call("DELETE", in(pods, "placed"), {{"gracePeriodSeconds", 0}});
  EXPECT_EQ(call("GET", in(pods, "placed")).status, 404);
}

TEST_F(WritesTest, NamespacesEndByFinalisation) {
  ASSERT_EQ(call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "shop"}}}}).status, 201);
  const auto made = call("GET", "/api/v1/namespaces/shop");
  EXPECT_EQ(made.json["metadata"]["labels"]["kubernetes.io/metadata.name"], "shop");
  EXPECT_EQ(made.at("status.phase"), "Active");
  EXPECT_EQ(call("DELETE", "/api/v1/namespaces/shop").at("status.phase"), "Terminating");
  EXPECT_EQ(call("POST", "/api/v1/namespaces/shop/configmaps", config_map("late")).status, 403);
  Json going = call("GET", "/api/v1/namespaces/shop").json;
  going["spec"]["finalizers"] = Json::array();
  EXPECT_EQ(call("PUT", "/api/v1/namespaces/shop/finalize", going).status, 200);
  EXPECT_EQ(call("GET", "/api/v1/namespaces/shop").status, 404);
}

TEST_F(WritesTest, ObjectsNeedTheirNamespace) {
  EXPECT_EQ(call("POST", "/api/v1/namespaces/nowhere/configmaps", config_map("a")).status, 404);
}

TEST_F(WritesTest, SecretsKeepPlainTextAsData) {
  const std::string secrets = "/api/v1/namespaces/default/secrets";
  call("POST", secrets, {{"metadata", {{"name", "s"}}}, {"stringData", {{"p", "hello"}}}});
  const auto stored = call("GET", in(secrets, "s"));
  EXPECT_EQ(stored.at("data.p"), "aGVsbG8=");
  EXPECT_FALSE(stored.json.contains("stringData"));
}

TEST_F(WritesTest, ScaleReadsAndWritesReplicas) {
  const std::string target = "/apis/apps/v1/namespaces/default/deployments";
  const Json object = {{"metadata", {{"name", "web"}}},
                       {"spec",
                        {{"replicas", 2},
                         {"selector", {{"matchLabels", {{"app", "web"}}}}},
                         {"template",
                          {{"metadata", {{"labels", {{"app", "web"}}}}},
                           {"spec", {{"containers", {{{"name", "c"}, {"image", "i"}}}}}}}}}}};
  ASSERT_EQ(call("POST", target, object).status, 201);
  const auto scale = call("GET", in(target, "web") + "/scale");
  EXPECT_EQ(scale.at("kind"), "Scale");
  EXPECT_EQ(scale.at("status.selector"), "app=web");
  EXPECT_EQ(json::int_at(scale.json, "spec.replicas"), 2);
  EXPECT_EQ(merge(in(target, "web") + "/scale", {{"spec", {{"replicas", 5}}}}).status, 200);
  EXPECT_EQ(json::int_at(call("GET", in(target, "web")).json, "spec.replicas"), 5);
  EXPECT_EQ(call("PUT", in(target, "web") + "/scale", scale.json).status, 409) << "its revision is old";
  EXPECT_EQ(merge(in(target, "web") + "/scale", {{"spec", {{"replicas", -1}}}}).status, 422);
  EXPECT_EQ(merge(in(target, "web") + "/scale", Json::array()).status, 400);
}

TEST_F(WritesTest, DefinitionsAreServedAtOnceAndGoWithTheirObjects) {
  EXPECT_EQ(call("GET", kThings).status, 404);
  define_things();
  const auto definition = call("GET", in(kDefinitions, "things.example.com"));
  EXPECT_EQ(definition.json["status"]["storedVersions"], Json::array({"v1"}));
  EXPECT_EQ(json::array_at(definition.json, "status.conditions").size(), 2u);
  call("POST", kThings, thing("t", 1));
  EXPECT_EQ(call("DELETE", in(kDefinitions, "things.example.com")).status, 200);
  EXPECT_EQ(call("GET", kThings).status, 404);
  define_things();
  EXPECT_EQ(call("GET", in(kThings, "t")).status, 404) << "old objects must not come back";
}

TEST_F(WritesTest, ADefinitionWaitsForObjectsThatFinalizersHold) {
  define_things();
  Json held = thing("t", 1);
  held["metadata"]["finalizers"] = {"example.com/hold"};
  call("POST", kThings, held);
  call("DELETE", in(kDefinitions, "things.example.com"));
  EXPECT_FALSE(call("GET", in(kThings, "t")).at("metadata.deletionTimestamp").empty());
  EXPECT_EQ(merge(in(kThings, "t"), {{"metadata", {{"finalizers", nullptr}}}}).status, 200);
  EXPECT_EQ(call("GET", in(kDefinitions, "things.example.com")).status, 404);
  EXPECT_EQ(call("GET", kThings).status, 404);
}

TEST_F(WritesTest, DefinitionsOutliveTheProcess) {
  define_things();
  call("POST", kThings, thing("t", 1));
  open();
  EXPECT_EQ(call("GET", in(kThings, "t")).status, 200);
}

TEST_F(WritesTest, ApplyReportsWhoseFieldsItWouldTake) {
  Extra apply;
  apply.content_type = "application/apply-patch+yaml";
  const std::string target = in(kMaps, "a");
  EXPECT_EQ(call_text("PATCH", target + "?fieldManager=one",
                      "{apiVersion: v1, kind: ConfigMap, data: {key: \"1\"}}", apply)
                .status,
            201);
  const auto refused =
      call_text("PATCH", target + "?fieldManager=two", json::dump(config_map("a", "2")), apply);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.at("message"), "Apply failed with 1 conflict: conflict with \"one\": .data.key");
  EXPECT_EQ(refused.json["details"]["causes"][0]["reason"], "FieldManagerConflict");
  EXPECT_EQ(refused.json["details"]["causes"][0]["field"], ".data.key");
  EXPECT_EQ(
      call_text("PATCH", target + "?fieldManager=two&force=true", json::dump(config_map("a", "2")), apply)
          .status,
      200);
  EXPECT_EQ(call_text("PATCH", target, json::dump(config_map("a", "2")), apply).status, 400)
      << "apply needs a fieldManager";
}

TEST_F(WritesTest, CustomResourcesTakeNoStrategicPatch) {
  define_things();
  call("POST", kThings, thing("t", 1));
  Extra strategic;
  strategic.content_type = "application/strategic-merge-patch+json";
  EXPECT_EQ(call_text("PATCH", in(kThings, "t"), "{}", strategic).status, 415);
}

// Things whose size does not shrink, and is even.
class RulesTest : public WritesTest {
 protected:
  static Json definition() {
    Json definition = thing_definition();
    Json& spec = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["x-kubernetes-validations"] = {{{"rule", "self.size % 2 == 0"}, {"message", "size is odd"}},
                                        {{"rule", "self.size >= oldSelf.size"}, {"message", "size shrinks"}}};
    return definition;
  }
};

TEST_F(RulesTest, RefuseInKubernetesWords) {
  ASSERT_EQ(call("POST", kDefinitions, definition()).status, 201);
  const auto refused = call("POST", kThings, thing("t", 3));
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.at("reason"), "Invalid");
  EXPECT_EQ(refused.at("message"),
            "Thing.example.com \"t\" is invalid: spec: Invalid value: \"object\": size is odd");
  EXPECT_EQ(
      json::dump(*json::find(refused.json, "details.causes")),
      R"([{"field":"spec","message":"Invalid value: \"object\": size is odd","reason":"FieldValueInvalid"}])");
}

TEST_F(RulesTest, HoldForEachWayToWrite) {
  ASSERT_EQ(call("POST", kDefinitions, definition()).status, 201);
  ASSERT_EQ(call("POST", kThings, thing("t", 4)).status, 201);
  EXPECT_EQ(merge(in(kThings, "t"), {{"spec", {{"size", 5}}}}).status, 422);
  EXPECT_EQ(merge(in(kThings, "t"), {{"spec", {{"size", 2}}}}).status, 422);
  EXPECT_EQ(call("PUT", in(kThings, "t"), thing("t", 2)).status, 422);
  Extra apply;
  apply.content_type = "application/apply-patch+yaml";
  EXPECT_EQ(
      call_text("PATCH", in(kThings, "t") + "?fieldManager=m&force=true", json::dump(thing("t", 2)), apply)
          .status,
      422);
  EXPECT_EQ(merge(in(kThings, "t"), {{"spec", {{"size", 6}}}}).status, 200);
}

TEST_F(RulesTest, LetBeWhatWasBrokenBeforeTheyCame) {
  define_things();
  ASSERT_EQ(call("POST", kThings, thing("t", 3)).status, 201);
  ASSERT_EQ(call("PUT", in(kDefinitions, "things.example.com"), definition()).status, 200);
  EXPECT_EQ(merge(in(kThings, "t"), {{"metadata", {{"labels", {{"a", "b"}}}}}}).status, 200);
  EXPECT_EQ(merge(in(kThings, "t") + "/status", {{"status", {{"size", 3}}}}).status, 200);
  EXPECT_EQ(merge(in(kThings, "t"), {{"spec", {{"size", 5}}}}).status, 422);
}

TEST_F(RulesTest, ThatDoNotCompileRefuseTheDefinition) {
  Json wrong = definition();
  wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"]
       [0]["rule"] = "self.sise > 0";
  const auto refused = call("POST", kDefinitions, wrong);
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(json::string_at(refused.json, "/details/causes/0/field"),
            "spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule");
  EXPECT_EQ(
      json::string_at(refused.json, "/details/causes/0/message"),
      "Invalid value: \"self.sise > 0\": compilation failed: ERROR: <input>:1:5: undefined field 'sise'");
}

}  // namespace
}  // namespace tidegate::apiserver
