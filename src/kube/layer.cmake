# Coroutine frames of Asio 1.74 are freed by a sized operator delete that GCC 12 takes for another allocator's.
target_compile_options(${target} PUBLIC $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
