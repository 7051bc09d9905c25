# Warnings, sanitizers, ccache and the precompiled header that all layers share.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(TIDEGATE_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
option(TIDEGATE_FUZZ "Build fuzz targets with libFuzzer (clang)" OFF)
if(TIDEGATE_FUZZ)
  add_custom_target(fuzzers)  # all of them, and of the rest only what they need
endif()

add_library(tidegate_compiler INTERFACE)
target_compile_options(tidegate_compiler INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers)
# Everywhere, since GCC takes a precompiled header only under the very same macros. For the same reason nothing is included ahead of it.
target_compile_options(tidegate_compiler INTERFACE -pthread)
target_include_directories(tidegate_compiler INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(tidegate_compiler INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ALL_NO_LIB)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives out of inlined standard library code.
  target_compile_options(tidegate_compiler INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>
                         $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict> -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 17)
  # It has coroutines, but not the macro by which libstdc++ and Boost 1.74 look for them.
  target_compile_definitions(tidegate_compiler INTERFACE __cpp_impl_coroutine=201902L BOOST_ASIO_HAS_CO_AWAIT
                             BOOST_ASIO_HAS_STD_COROUTINE)
endif()
if(TIDEGATE_SANITIZE)
  # Global, so that the test framework's own main is instrumented alike.
  add_compile_options(-fsanitize=${TIDEGATE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TIDEGATE_SANITIZE})
  if(TIDEGATE_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND TIDEGATE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=function)  # Clang 14 can't have it in coroutines
  endif()
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers need these; the sources use neither __DATE__ nor __TIME__.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  add_compile_options($<$<AND:$<CXX_COMPILER_ID:GNU>,$<COMPILE_LANGUAGE:CXX>>:-fpch-preprocess>)
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
