# The page that promises what attacks get is what their test reads.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/proxy/hostile_test.cc ${CMAKE_SOURCE_DIR}/src/proxy/settings_test.cc PROPERTIES
                            COMPILE_DEFINITIONS "TIDEGATE_TREE=\"${CMAKE_SOURCE_DIR}\"")
