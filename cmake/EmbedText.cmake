# tidegate_embed(TARGET NAMESPACE FUNCTION FILES...)
# Compiles text files into TARGET as `std::span<const EmbeddedFile> NAMESPACE::FUNCTION()`, in the order given (base/embedded.h).
function(tidegate_embed target namespace function)
  set(out ${CMAKE_BINARY_DIR}/embedded/${target}_${function}.cc)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAMESPACE=${namespace} -DFUNCTION=${function} "-DFILES=${ARGN}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_text_script.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed_text_script.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
