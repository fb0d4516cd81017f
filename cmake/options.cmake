# SPDX-License-Identifier: MIT
# Build options and the flags that every target of the project gets.
include(CMakeDependentOption)

set(RUSM_SANITIZE "" CACHE STRING "Sanitizers: empty, 'address' (with undefined), or 'thread'")
option(RUSM_SIM "Simulation mode: seeded schedules and logical time instead of threads" OFF)
option(RUSM_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(RUSM_COVERAGE "Instrument for coverage" OFF)
option(RUSM_WERROR "Warnings are errors" ON)
# Wasmtime has threads and a clock of its own, which a seed does not decide.
cmake_dependent_option(RUSM_WASM "WebAssembly, by deps/wasmtime" ON "NOT RUSM_SIM" OFF)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(RUSM_SIM AND RUSM_SANITIZE STREQUAL "thread")
    message(FATAL_ERROR "simulation runs on one thread; ThreadSanitizer has nothing to see there")
endif()
if(RUSM_FUZZ AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "RUSM_FUZZ needs clang: cmake --preset fuzz")
endif()

add_library(rusm_flags INTERFACE)
target_compile_definitions(rusm_flags INTERFACE _GNU_SOURCE)
target_include_directories(rusm_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(rusm_flags INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Wmissing-prototypes
    -fno-omit-frame-pointer
    $<$<BOOL:${RUSM_WERROR}>:-Werror>)
# The release build keeps line tables, so that profiles and reports name functions.
target_compile_options(rusm_flags INTERFACE $<$<CONFIG:Release>:-g1>)
if(RUSM_SANITIZE STREQUAL "address")
    target_compile_options(rusm_flags INTERFACE -fsanitize=address,undefined
        -fno-sanitize-recover=all)
    target_link_options(rusm_flags INTERFACE -fsanitize=address,undefined)
elseif(RUSM_SANITIZE STREQUAL "thread")
    target_compile_options(rusm_flags INTERFACE -fsanitize=thread)
    target_link_options(rusm_flags INTERFACE -fsanitize=thread)
elseif(NOT RUSM_SANITIZE STREQUAL "")
    message(FATAL_ERROR "RUSM_SANITIZE is '${RUSM_SANITIZE}'; allowed are '', address, thread")
endif()
if(RUSM_SIM)
    target_compile_definitions(rusm_flags INTERFACE RUSM_SIM=1)
endif()
if(RUSM_COVERAGE)
    target_compile_options(rusm_flags INTERFACE --coverage)
    target_link_options(rusm_flags INTERFACE --coverage)
endif()
target_link_libraries(rusm_flags INTERFACE Threads::Threads)
