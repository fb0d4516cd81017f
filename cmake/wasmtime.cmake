# SPDX-License-Identifier: MIT
# rusm_wasmtime: the library that deps/build makes of deps/wasmtime, with all that it needs. The Rust
# part is the same in every preset; no sanitizer looks into it. Programs and libraries that are
# installed get the archive. Tests share one library made of it: their links take no time then.
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

set(rusm_wasmtime_built ${rusm_wasmtime_prefix}/lib/librusm_wasmtime.a)
set(rusm_wasmtime_archive ${CMAKE_BINARY_DIR}/lib/librusm_wasmtime.a)
set(rusm_wasmtime_for_tests ${CMAKE_BINARY_DIR}/lib/librusm_wasmtime.so)
set(rusm_wasmtime_exports ${CMAKE_BINARY_DIR}/lib/rusm_wasmtime.map)
file(WRITE ${rusm_wasmtime_exports} "{ global: rwt_*; local: *; };\n")

# Without the line tables of Rust, which are three quarters of it; names stay, for profiles.
add_custom_command(OUTPUT ${rusm_wasmtime_archive}
    COMMAND ${CMAKE_OBJCOPY} --strip-debug ${rusm_wasmtime_built} ${rusm_wasmtime_archive}
    DEPENDS ${rusm_wasmtime_built}
    COMMENT "Copying librusm_wasmtime.a" VERBATIM)
add_custom_target(rusm_wasmtime_copy DEPENDS ${rusm_wasmtime_archive})

add_custom_command(OUTPUT ${rusm_wasmtime_for_tests}
    COMMAND ${CMAKE_C_COMPILER} -shared -Wl,-soname,librusm_wasmtime.so
        -Wl,--version-script=${rusm_wasmtime_exports} -Wl,--gc-sections
        -Wl,--whole-archive ${rusm_wasmtime_archive} -Wl,--no-whole-archive
        -pthread -ldl -lm -o ${rusm_wasmtime_for_tests}
    DEPENDS ${rusm_wasmtime_archive}
    COMMENT "Linking librusm_wasmtime.so, for tests" VERBATIM)
add_custom_target(rusm_wasmtime_link DEPENDS ${rusm_wasmtime_for_tests})

add_library(rusm_wasmtime_static STATIC IMPORTED GLOBAL)
set_target_properties(rusm_wasmtime_static PROPERTIES IMPORTED_LOCATION ${rusm_wasmtime_archive})
target_link_libraries(rusm_wasmtime_static INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_options(rusm_wasmtime_static INTERFACE -Wl,--gc-sections)
add_dependencies(rusm_wasmtime_static rusm_wasmtime_copy)

add_library(rusm_wasmtime_shared SHARED IMPORTED GLOBAL)
set_target_properties(rusm_wasmtime_shared PROPERTIES
    IMPORTED_LOCATION ${rusm_wasmtime_for_tests})
add_dependencies(rusm_wasmtime_shared rusm_wasmtime_link)

add_library(rusm_wasmtime INTERFACE)
target_include_directories(rusm_wasmtime SYSTEM INTERFACE ${rusm_wasmtime_prefix}/include)
target_link_libraries(rusm_wasmtime INTERFACE
    $<IF:$<BOOL:$<TARGET_PROPERTY:RUSM_IS_TEST>>,rusm_wasmtime_shared,rusm_wasmtime_static>)

# The next build configures again when the crate has changed or the prefix has gone.
file(GLOB_RECURSE rusm_wasmtime_inputs deps/wasmtime/src/* deps/wasmtime/include/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${rusm_wasmtime_inputs}
    ${PROJECT_SOURCE_DIR}/deps/build ${PROJECT_SOURCE_DIR}/deps/wasmtime/Cargo.toml
    ${PROJECT_SOURCE_DIR}/deps/wasmtime/Cargo.lock ${rusm_wasmtime_built})

install(FILES ${rusm_wasmtime_archive} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT guests)
install(DIRECTORY ${rusm_wasmtime_prefix}/share/licenses/rusm-wasmtime/
    DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT guests OPTIONAL)
