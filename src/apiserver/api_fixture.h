// SPDX-License-Identifier: Apache-2.0
// For tests: the API over a store in a temporary folder, called without sockets, on fake time. Thread: the
// test's.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apiserver/api.h"
#include "base/text.h"
#include "session/responder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace tidegate::apiserver {

// What a client would have read. `leave()` is the client going away.
class RecordedStream final : public session::ServerStream {
 public:
  void set_events(session::ServerStreamEvents* events) override { events_ = events; }
  void send_continue() override {}
  void send_head(const http::ResponseHead& head, bool end) override {
    status = head.status;
    headers = head.headers;
    ended = end;
  }
  void send_data(std::string_view data) override { body.append(data); }
  void send_end(const http::Headers&) override { ended = true; }
  void reset() override { cut = true; }
  std::size_t unsent_bytes() const override { return unsent; }
  void pause() override {}
  void resume() override {}
  const std::string& client_address() const override { return address_; }
  std::string_view client_common_name() const override { return "tester"; }
  std::string_view server_name() const override { return {}; }
  void leave() {
    if (events_) events_->on_abort(session::StreamError::kReset);
  }

  int status = 0;
  http::Headers headers;
  std::string body;
  bool ended = false, cut = false;
  std::size_t unsent = 0;

 private:
  session::ServerStreamEvents* events_ = nullptr;
  const std::string address_ = "127.0.0.1:1";
};

struct Answer {
  int status = 0;
  std::string text;
  http::Headers headers;
  Json json;  // null where the text is none

  std::string at(std::string_view path) const { return json::string_at(json, path); }
  std::string version() const { return at("metadata.resourceVersion"); }
};

class ApiTest : public testing::Test {
 protected:
  ApiTest() { open(); }

  void open() {
    api_.reset();
    storage_.reset();
    auto storage = Storage::open(dir_.path() + "/state.db");
    EXPECT_TRUE(storage) << storage.error().detail;
    storage_ = std::move(*storage);
    api_ = std::make_unique<Api>(*storage_, scheduler_);
    handler_ = [this](session::Request request, session::Responder responder) {
      api_->handle(std::move(request), std::move(responder));
    };
    EXPECT_TRUE(api_->prepare());
  }

  struct Extra {
    std::string content_type = "application/json", accept = "application/json";
  };
  std::shared_ptr<RecordedStream> begin(const std::string& method, const std::string& target,
                                        const std::string& body, const Extra& extra) {
    http::RequestHead head;
    head.method = method;
    head.target = target;
    if (!extra.content_type.empty()) head.headers.set("Content-Type", extra.content_type);
    head.headers.set("Accept", extra.accept);
    head.headers.set("User-Agent", "test/1");
    auto stream = std::make_shared<RecordedStream>();
    auto answering = std::make_shared<session::Answering>(std::move(head), stream, options_, handler_);
    answering->start(false);
    answering->on_data(body);
    answering->on_end({});
    return stream;
  }
  Answer call_text(const std::string& method, const std::string& target, const std::string& body,
                   const Extra& extra) {
    const auto stream = begin(method, target, body, extra);
    EXPECT_TRUE(stream->ended) << method << " " << target << " was not answered";
    return {stream->status, stream->body, stream->headers, json::parse(stream->body).value_or(Json())};
  }
  Answer call(const std::string& method, const std::string& target) {
    return call_text(method, target, "", {});
  }
  Answer call(const std::string& method, const std::string& target, const Json& body) {
    return call_text(method, target, json::dump(body), {});
  }
  Answer merge(const std::string& target, const Json& body) {
    Extra extra;
    extra.content_type = "application/merge-patch+json";
    return call_text("PATCH", target, json::dump(body), extra);
  }
  std::shared_ptr<RecordedStream> watch(const std::string& target) { return begin("GET", target, "", {}); }

  // Type and name of each event so far, and the revision of each.
  static std::vector<Json> events(const RecordedStream& stream) {
    std::vector<Json> found;
    for (const auto line : text::split(stream.body, '\n')) {
      if (!line.empty()) found.push_back(json::parse(line).value_or(Json()));
    }
    return found;
  }
  static std::string told(const RecordedStream& stream) {
    std::string told;
    for (const auto& event : events(stream)) {
      told += (told.empty() ? "" : " ") + json::string_at(event, "type") + ":" +
              json::string_at(event, "object.metadata.name");
    }
    return told;
  }

  static Json config_map(const std::string& name, const std::string& value = "1",
                         const Json& labels = Json::object()) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"labels", labels}}},
            {"data", {{"key", value}}}};
  }
  // things.example.com, with status, scale, a default and a bound.
  static Json thing_definition() {
    return json::parse(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
      "metadata":{"name":"things.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
      "names":{"plural":"things","singular":"thing","kind":"Thing","listKind":"ThingList"},"versions":[
        {"name":"v1","served":true,"storage":true,
         "subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.size"}},
         "schema":{"openAPIV3Schema":{"type":"object","properties":{
           "spec":{"type":"object","properties":{"size":{"type":"integer","minimum":0},"color":{"type":"string","default":"red"}}},
           "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}})")
        .value();
  }
  void define_things() { ASSERT_EQ(call("POST", kDefinitions, thing_definition()).status, 201); }
  static Json thing(const std::string& name, int size) {
    return {{"apiVersion", "example.com/v1"},
            {"kind", "Thing"},
            {"metadata", {{"name", name}}},
            {"spec", {{"size", size}}}};
  }

  static constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";
  static constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  static constexpr const char* kThings = "/apis/example.com/v1/namespaces/default/things";
  static std::string in(const std::string& collection, const std::string& name) {
    return collection + "/" + name;
  }

  test::TempDir dir_;
  test::FakeScheduler scheduler_;
  session::HttpServer::Options options_;
  session::HttpServer::Handler handler_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<Api> api_;
};

}  // namespace tidegate::apiserver
