# SPDX-License-Identifier: MIT
# cmake -DOUT=x.c -DFILES="a.c|b.c" -P embed.cmake: the files' texts as C arrays, each named
# engine_source_<name of the file>, with _wat where that is its extension, and ended by a zero.
set(text "/* Made by bench/embed.cmake. */\n#include \"engines/sources.h\"\n")
string(REPLACE "|" ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
    get_filename_component(name ${file} NAME_WE)
    get_filename_component(extension ${file} EXT)
    if(extension STREQUAL ".wat")
        string(APPEND name "_wat")
    endif()
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND text "const char engine_source_${name}[] = {${bytes}0};\n")
endforeach()
file(WRITE ${OUT} "${text}")
