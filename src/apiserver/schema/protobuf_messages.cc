// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/protobuf_messages.h"

namespace tidegate::apiserver::schema {
namespace {

using enum WireType;

constexpr WireRule kOwnerRules[] = {{1, "kind", kText},          {3, "name", kText},
                                    {4, "uid", kText},           {5, "apiVersion", kText},
                                    {6, "controller", kBoolean}, {7, "blockOwnerDeletion", kBoolean}};
constexpr WireMessage kOwner{"OwnerReference", kOwnerRules};

constexpr WireRule kMetaRules[] = {{1, "name", kText},
                                   {2, "generateName", kText},
                                   {3, "namespace", kText},
                                   {4, "selfLink", kIgnored},
                                   {5, "uid", kText},
                                   {6, "resourceVersion", kText},
                                   {7, "generation", kNumber},
                                   {8, "creationTimestamp", kTime},
                                   {9, "deletionTimestamp", kTime},
                                   {10, "deletionGracePeriodSeconds", kOptionalNumber},
                                   {11, "labels", kTextMap},
                                   {12, "annotations", kTextMap},
                                   {13, "ownerReferences", kMessage, true, &kOwner},
                                   {14, "finalizers", kText, true},
                                   {17, "managedFields", kIgnored}};
constexpr WireMessage kMeta{"ObjectMeta", kMetaRules};

constexpr WireRule kNamespaceSpecRules[] = {{1, "finalizers", kText, true}};
constexpr WireMessage kNamespaceSpec{"NamespaceSpec", kNamespaceSpecRules};
constexpr WireRule kNamespaceRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                        {2, "spec", kMessage, false, &kNamespaceSpec},
                                        {3, "status", kIgnored}};

constexpr WireRule kConfigMapRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                        {2, "data", kTextMap},
                                        {3, "binaryData", kBase64Map},
                                        {4, "immutable", kBoolean}};
constexpr WireRule kSecretRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                     {2, "data", kBase64Map},
                                     {3, "type", kText},
                                     {4, "stringData", kTextMap},
                                     {5, "immutable", kBoolean}};
constexpr WireRule kLocalReferenceRules[] = {{1, "name", kText}};
constexpr WireMessage kLocalReference{"LocalObjectReference", kLocalReferenceRules};
constexpr WireRule kServiceAccountRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                             {3, "imagePullSecrets", kMessage, true, &kLocalReference},
                                             {4, "automountServiceAccountToken", kBoolean}};

constexpr WireRule kServicePortRules[] = {{1, "name", kText},       {2, "protocol", kText},
                                          {3, "port", kNumber},     {4, "targetPort", kIntOrString},
                                          {5, "nodePort", kNumber}, {6, "appProtocol", kText}};
constexpr WireMessage kServicePort{"ServicePort", kServicePortRules};
constexpr WireRule kServiceSpecRules[] = {{1, "ports", kMessage, true, &kServicePort},
                                          {2, "selector", kTextMap},
                                          {3, "clusterIP", kText},
                                          {4, "type", kText},
                                          {5, "externalIPs", kText, true},
                                          {7, "sessionAffinity", kText},
                                          {8, "loadBalancerIP", kText},
                                          {9, "loadBalancerSourceRanges", kText, true},
                                          {10, "externalName", kText},
                                          {11, "externalTrafficPolicy", kText},
                                          {12, "healthCheckNodePort", kNumber},
                                          {13, "publishNotReadyAddresses", kBoolean},
                                          {17, "ipFamilyPolicy", kText},
                                          {18, "clusterIPs", kText, true},
                                          {19, "ipFamilies", kText, true}};
constexpr WireMessage kServiceSpec{"ServiceSpec", kServiceSpecRules};
constexpr WireRule kServiceRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                      {2, "spec", kMessage, false, &kServiceSpec},
                                      {3, "status", kIgnored}};

constexpr WireRule kContainerPortRules[] = {{1, "name", kText},
                                            {2, "hostPort", kNumber},
                                            {3, "containerPort", kNumber},
                                            {4, "protocol", kText},
                                            {5, "hostIP", kText}};
constexpr WireMessage kContainerPort{"ContainerPort", kContainerPortRules};
constexpr WireRule kEnvRules[] = {{1, "name", kText}, {2, "value", kText}};
constexpr WireMessage kEnv{"EnvVar", kEnvRules};
constexpr WireMessage kEmpty{"empty message", {}};
constexpr WireRule kContainerRules[] = {{1, "name", kText},
                                        {2, "image", kText},
                                        {3, "command", kText, true},
                                        {4, "args", kText, true},
                                        {5, "workingDir", kText},
                                        {6, "ports", kMessage, true, &kContainerPort},
                                        {7, "env", kMessage, true, &kEnv},
                                        {8, "resources", kMessage, false, &kEmpty},
                                        {13, "terminationMessagePath", kText},
                                        {14, "imagePullPolicy", kText},
                                        {16, "stdin", kBoolean},
                                        {17, "stdinOnce", kBoolean},
                                        {18, "tty", kBoolean},
                                        {20, "terminationMessagePolicy", kText}};
constexpr WireMessage kContainer{"Container", kContainerRules};
constexpr WireRule kPodSpecRules[] = {{2, "containers", kMessage, true, &kContainer},
                                      {3, "restartPolicy", kText},
                                      {4, "terminationGracePeriodSeconds", kOptionalNumber},
                                      {5, "activeDeadlineSeconds", kOptionalNumber},
                                      {6, "dnsPolicy", kText},
                                      {7, "nodeSelector", kTextMap},
                                      {8, "serviceAccountName", kText},
                                      {9, "serviceAccount", kText},
                                      {10, "nodeName", kText},
                                      {11, "hostNetwork", kBoolean},
                                      {12, "hostPID", kBoolean},
                                      {13, "hostIPC", kBoolean},
                                      {14, "securityContext", kMessage, false, &kEmpty},
                                      {16, "hostname", kText},
                                      {17, "subdomain", kText},
                                      {19, "schedulerName", kText},
                                      {20, "initContainers", kMessage, true, &kContainer},
                                      {24, "priorityClassName", kText}};
constexpr WireMessage kPodSpec{"PodSpec", kPodSpecRules};
constexpr WireRule kTemplateRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                       {2, "spec", kMessage, false, &kPodSpec}};
constexpr WireMessage kTemplate{"PodTemplateSpec", kTemplateRules};

constexpr WireRule kRequirementRules[] = {
    {1, "key", kText}, {2, "operator", kText}, {3, "values", kText, true}};
constexpr WireMessage kRequirement{"LabelSelectorRequirement", kRequirementRules};
constexpr WireRule kSelectorRules[] = {{1, "matchLabels", kTextMap},
                                       {2, "matchExpressions", kMessage, true, &kRequirement}};
constexpr WireMessage kSelector{"LabelSelector", kSelectorRules};
constexpr WireRule kRollingRules[] = {{1, "maxUnavailable", kIntOrString}, {2, "maxSurge", kIntOrString}};
constexpr WireMessage kRolling{"RollingUpdateDeployment", kRollingRules};
constexpr WireRule kStrategyRules[] = {{1, "type", kText}, {2, "rollingUpdate", kMessage, false, &kRolling}};
constexpr WireMessage kStrategy{"DeploymentStrategy", kStrategyRules};
constexpr WireRule kDeploymentSpecRules[] = {{1, "replicas", kOptionalNumber},
                                             {2, "selector", kMessage, false, &kSelector},
                                             {3, "template", kMessage, false, &kTemplate},
                                             {4, "strategy", kMessage, false, &kStrategy},
                                             {5, "minReadySeconds", kNumber},
                                             {6, "revisionHistoryLimit", kOptionalNumber},
                                             {7, "paused", kBoolean},
                                             {9, "progressDeadlineSeconds", kOptionalNumber}};
constexpr WireMessage kDeploymentSpec{"DeploymentSpec", kDeploymentSpecRules};
constexpr WireRule kDeploymentRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                         {2, "spec", kMessage, false, &kDeploymentSpec},
                                         {3, "status", kIgnored}};

constexpr WireRule kPreconditionRules[] = {{1, "uid", kText}, {2, "resourceVersion", kText}};
constexpr WireMessage kPreconditions{"Preconditions", kPreconditionRules};
constexpr WireRule kDeleteRules[] = {{1, "gracePeriodSeconds", kOptionalNumber},
                                     {2, "preconditions", kMessage, false, &kPreconditions},
                                     {3, "orphanDependents", kBoolean},
                                     {4, "propagationPolicy", kText},
                                     {5, "dryRun", kText, true}};

constexpr WireRule kResourceAttributeRules[] = {{1, "namespace", kText},
                                                {2, "verb", kText},
                                                {3, "group", kText},
                                                {4, "version", kText},
                                                {5, "resource", kText},
                                                {6, "subresource", kText},
                                                {7, "name", kText},
                                                {8, "fieldSelector", kIgnored},
                                                {9, "labelSelector", kIgnored}};
constexpr WireMessage kResourceAttributes{"ResourceAttributes", kResourceAttributeRules};
constexpr WireRule kPathAttributeRules[] = {{1, "path", kText}, {2, "verb", kText}};
constexpr WireMessage kPathAttributes{"NonResourceAttributes", kPathAttributeRules};
constexpr WireRule kAccessSpecRules[] = {{1, "resourceAttributes", kMessage, false, &kResourceAttributes},
                                         {2, "nonResourceAttributes", kMessage, false, &kPathAttributes}};
constexpr WireMessage kAccessSpec{"SelfSubjectAccessReviewSpec", kAccessSpecRules};
constexpr WireRule kAccessRules[] = {{1, "metadata", kMessage, false, &kMeta},
                                     {2, "spec", kMessage, false, &kAccessSpec},
                                     {3, "status", kIgnored}};
constexpr WireRule kReviewRules[] = {{1, "metadata", kMessage, false, &kMeta}, {2, "status", kIgnored}};

constexpr WireMessage kKinds[] = {
    {"Namespace", kNamespaceRules},     {"ConfigMap", kConfigMapRules},
    {"Secret", kSecretRules},           {"ServiceAccount", kServiceAccountRules},
    {"Service", kServiceRules},         {"Deployment", kDeploymentRules},
    {"DeleteOptions", kDeleteRules},    {"SelfSubjectAccessReview", kAccessRules},
    {"SelfSubjectReview", kReviewRules}};

}  // namespace

const WireMessage* wire_message(std::string_view kind) {
  for (const auto& message : kKinds) {
    if (kind == message.name) return &message;
  }
  return nullptr;
}

}  // namespace tidegate::apiserver::schema
