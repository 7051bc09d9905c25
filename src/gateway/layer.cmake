# The golden cases of the translation are read, and on demand rewritten, where they stand in the source tree.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/gateway/translate_golden_test.cc PROPERTIES
                            COMPILE_DEFINITIONS "TIDEGATE_GOLDEN_DIR=\"${CMAKE_SOURCE_DIR}/tests/golden/translate\"")
