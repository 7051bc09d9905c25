// SPDX-License-Identifier: Apache-2.0
#include "apiserver/request_path.h"

#include <gtest/gtest.h>

namespace tidegate::apiserver {
namespace {

// group|version|ns|plural|name|subresource
std::string parts(std::string_view path) {
  const auto parsed = parse_resource_path(path);
  if (!parsed) return "none";
  return parsed->group + "|" + parsed->version + "|" + parsed->ns + "|" + parsed->plural + "|" +
         parsed->name + "|" + parsed->subresource;
}

TEST(RequestPath, Reads) {
  const struct {
    const char *path, *parts;
  } cases[] = {
      {"/api/v1", "|v1||||"},
      {"/apis/apps/v1", "apps|v1||||"},
      {"/api/v1/pods", "|v1||pods||"},
      {"/api/v1/nodes/n", "|v1||nodes|n|"},
      {"/api/v1/namespaces", "|v1||namespaces||"},
      {"/api/v1/namespaces/shop", "|v1||namespaces|shop|"},
      {"/api/v1/namespaces/shop/status", "|v1||namespaces|shop|status"},
      {"/api/v1/namespaces/shop/finalize", "|v1||namespaces|shop|finalize"},
      {"/api/v1/namespaces/shop/pods", "|v1|shop|pods||"},
      {"/api/v1/namespaces/shop/pods/p/log", "|v1|shop|pods|p|log"},
      {"/apis/apps/v1/namespaces/shop/deployments/d/scale", "apps|v1|shop|deployments|d|scale"},
      {"/apis/rbac.authorization.k8s.io/v1/clusterroles/a%3Ab",
       "rbac.authorization.k8s.io|v1||clusterroles|a:b|"},
  };
  for (const auto& test : cases) EXPECT_EQ(parts(test.path), test.parts) << test.path;
}

TEST(RequestPath, RefusesWhatIsNoResource) {
  for (const char* path :
       {"", "/", "api/v1", "/api", "/apis", "/apis/apps", "/other/v1/pods", "/api/v1//pods", "/api/v1/pods/",
        "/api/v1/pods/a/b/c", "/api/v1/pods/%zz", "/api/v1/pods/%"}) {
    EXPECT_EQ(parts(path), "none") << path;
  }
}

TEST(Query, Reads) {
  const auto query =
      Query::parse("limit=500&labelSelector=a%3Db%2Cc+in+%28d%29&watch=1&force=true&empty=&flag&limit=7");
  EXPECT_EQ(query.number("limit", 0), 500) << "the first one counts";
  EXPECT_EQ(query.get("labelSelector"), "a=b,c in (d)");
  EXPECT_TRUE(query.is_true("watch"));
  EXPECT_TRUE(query.is_true("force"));
  EXPECT_FALSE(query.is_true("flag"));
  EXPECT_EQ(query.get("none", "else"), "else");
  EXPECT_EQ(query.number("labelSelector", -1), -1);
}

}  // namespace
}  // namespace tidegate::apiserver
