# The built-in kinds, compiled in (schema/builtin_types.cc reads them).
set(builtin ${CMAKE_SOURCE_DIR}/src/apiserver/resources)
tidegate_embed(tidegate_apiserver tidegate::apiserver::schema builtin_files ${builtin}/definitions.yaml ${builtin}/core.yaml
               ${builtin}/events.yaml ${builtin}/service.yaml ${builtin}/workloads.yaml ${builtin}/cluster.yaml)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/apiserver/schema/gateway_crds_test.cc
                            ${CMAKE_SOURCE_DIR}/src/apiserver/schema/crd_rules_test.cc
                            PROPERTIES COMPILE_DEFINITIONS TIDEGATE_CRDS="${CMAKE_SOURCE_DIR}/crds")
