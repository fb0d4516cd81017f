# SPDX-License-Identifier: MIT
# The verbs that the CMakeLists of the components use.

# rusm_component(NAME SOURCES a.c ... USES other ...): one folder of src/ as an object library.
# What it may include is what it lists under USES; tools/check_deps reads that line.
function(rusm_component name)
    cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
    add_library(rusm_${name} OBJECT ${arg_SOURCES})
    target_link_libraries(rusm_${name} PUBLIC rusm_flags ${arg_LIBRARIES})
    target_include_directories(rusm_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
    set_property(GLOBAL APPEND PROPERTY rusm_components ${name})
endfunction()

# rusm_test(NAME SOURCES a_test.c ... LINK target ... [SIM | NOSIM] [LABELS l ...]): a cmocka
# program. SIM: only in simulation builds; NOSIM: only outside them.
function(rusm_test name)
    cmake_parse_arguments(arg "SIM;NOSIM" "" "SOURCES;LINK;LABELS;ARGS" ${ARGN})
    if((arg_SIM AND NOT RUSM_SIM) OR (arg_NOSIM AND RUSM_SIM))
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE rusm_flags ${arg_LINK} cmocka)
    set_target_properties(${name} PROPERTIES RUSM_IS_TEST ON
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS "${arg_LABELS}")
endfunction()
