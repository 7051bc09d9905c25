# The built-in kinds, compiled in (schema/builtin_types.cc reads them).
set(builtin ${CMAKE_SOURCE_DIR}/src/apiserver/resources)
tidegate_embed(tidegate_apiserver tidegate::apiserver::schema builtin_files ${builtin}/definitions.yaml ${builtin}/core.yaml
               ${builtin}/events.yaml ${builtin}/service.yaml ${builtin}/workloads.yaml ${builtin}/cluster.yaml)
