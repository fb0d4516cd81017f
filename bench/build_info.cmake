# SPDX-License-Identifier: MIT
# cmake -DSOURCE_DIR=d -DOUT=x.c -P build_info.cmake: the commit that is built, and whether the tree
# differs from it. Run at every build, but writes only a change, so that nothing else is built anew.
set(commit "unknown")
set(dirty false)
find_package(Git QUIET)
if(GIT_FOUND)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE_DIR} rev-parse --short=12 HEAD
        OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(failed EQUAL 0)
        set(commit ${head})
        execute_process(COMMAND ${GIT_EXECUTABLE} --no-optional-locks -C ${SOURCE_DIR} status
            --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
        if(NOT changes STREQUAL "")
            set(dirty true)
        endif()
    endif()
endif()
set(text "/* Made by bench/build_info.cmake. */\n#include \"runner/build_info.h\"\n")
string(APPEND text "const char build_commit[] = \"${commit}\";\nconst bool build_dirty = ${dirty};\n")
set(before "")
if(EXISTS ${OUT})
    file(READ ${OUT} before)
endif()
if(NOT text STREQUAL before)
    file(WRITE ${OUT} "${text}")
endif()
