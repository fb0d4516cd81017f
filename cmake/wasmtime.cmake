# SPDX-License-Identifier: MIT
# rusm_wasmtime: the library that deps/build makes of deps/wasmtime, with all that it needs. The Rust
# part is the same in every preset; no sanitizer looks into it.
if(NOT RUSM_WASM)
    return()
endif()
if(DEFINED ENV{RUSM_WASMTIME_PREFIX})
    set(RUSM_WASMTIME_PREFIX "$ENV{RUSM_WASMTIME_PREFIX}" CACHE PATH "A built deps/wasmtime" FORCE)
endif()
execute_process(
    COMMAND ${CMAKE_COMMAND} -E env "RUSM_WASMTIME_PREFIX=${RUSM_WASMTIME_PREFIX}"
        ${PROJECT_SOURCE_DIR}/deps/build
    OUTPUT_VARIABLE rusm_wasmtime_prefix
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE rusm_wasmtime_result)
if(NOT rusm_wasmtime_result EQUAL 0)
    message(FATAL_ERROR "No Wasmtime; the lines above say why. -DRUSM_WASM=OFF leaves it out.")
endif()

add_library(rusm_wasmtime STATIC IMPORTED GLOBAL)
set(rusm_wasmtime_archive ${rusm_wasmtime_prefix}/lib/librusm_wasmtime.a)
set_target_properties(rusm_wasmtime PROPERTIES
    IMPORTED_LOCATION ${rusm_wasmtime_archive}
    INTERFACE_INCLUDE_DIRECTORIES ${rusm_wasmtime_prefix}/include)
target_link_libraries(rusm_wasmtime INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)

# The next build configures again when the crate has changed or the prefix has gone.
file(GLOB_RECURSE rusm_wasmtime_inputs deps/wasmtime/src/* deps/wasmtime/include/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rusm_wasmtime_inputs}
    ${PROJECT_SOURCE_DIR}/deps/build ${PROJECT_SOURCE_DIR}/deps/wasmtime/Cargo.toml
    ${PROJECT_SOURCE_DIR}/deps/wasmtime/Cargo.lock ${rusm_wasmtime_archive})

install(DIRECTORY ${rusm_wasmtime_prefix}/share/licenses/rusm-wasmtime/
    DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
