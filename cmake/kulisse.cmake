# Build rules shared by all folders: warnings, sanitizers, and one function per kind of target.
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Threads REQUIRED)
find_package(RocksDB REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
# The archive, so that the program asks for no library of its own on the machine.
find_library(RE2_LIBRARY NAMES libre2.a re2 REQUIRED)
find_library(YAML_LIBRARY yaml REQUIRED)
find_library(RE2_LIBRARY re2 REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
                    -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees uninitialised members in moved variants and optionals that are none.
  add_compile_options(-Wno-maybe-uninitialized)
endif()
# Relative paths in objects and diagnostics: ccache then serves every checkout of the tree.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION
                        BOOST_BEAST_SEPARATE_COMPILATION BOOST_ERROR_CODE_HEADER_ONLY)
# Debian's compilers make code for a program that may be loaded anywhere (-fPIE). Code for a library
# (-fPIC), with frame pointers, made a create 8 % dearer.
if(KULISSE_SANITIZE)
  add_compile_options(-fsanitize=${KULISSE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${KULISSE_SANITIZE})
endif()
if(KULISSE_SANITIZE MATCHES "thread")
  # TSan does not model fences, and GCC warns of each; an io_context with one thread needs none.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Debian's RapidJSON assigns to a const member; clang forgives that only in unused templates.
  add_compile_options(-fdelayed-template-parsing -Wno-delayed-template-parsing-in-cxx20
                      -Wno-deprecated -Wno-unknown-warning-option)
endif()

# kulisse_library(NAME SRCS a.cc … DEPS base … SYSTEM Boost::headers …)
# DEPS are the folders that this one may include: the layering of the tree, written once.
function(kulisse_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;SYSTEM" ${ARGN})
  add_library(kulisse_${name} STATIC ${ARG_SRCS})
  target_include_directories(kulisse_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  foreach(dep ${ARG_DEPS})
    target_link_libraries(kulisse_${name} PUBLIC kulisse_${dep})
  endforeach()
  target_link_libraries(kulisse_${name} PUBLIC ${ARG_SYSTEM})
endfunction()

# kulisse_embed(NAME VARIABLE FILE…): makes a library kulisse_NAME with the bytes of the files.
# C++ side: `extern const kulisse::EmbeddedFile VARIABLE[]; extern const size_t VARIABLECount;`
# declared by base/embedded_file.h. File names are relative to the calling folder.
function(kulisse_embed name variable)
  set(asm ${CMAKE_CURRENT_BINARY_DIR}/${name}.S)
  set(cc ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  set(asm_text ".section .note.GNU-stack,\"\",@progbits\n.section .rodata\n")
  set(externs "")
  set(rows "")
  set(index 0)
  foreach(file ${ARGN})
    set(symbol kulisse_embed_${variable}_${index})
    string(APPEND asm_text ".global ${symbol}\n.global ${symbol}_end\n.balign 16\n${symbol}:\n.incbin \"${CMAKE_CURRENT_SOURCE_DIR}/${file}\"\n${symbol}_end:\n.byte 0\n")
    string(APPEND externs "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND rows "    {\"${file}\", ${symbol}, ${symbol}_end},\n")
    list(APPEND inputs ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    math(EXPR index "${index}+1")
  endforeach()
  file(CONFIGURE OUTPUT ${asm} CONTENT "${asm_text}" @ONLY)
  file(CONFIGURE OUTPUT ${cc} CONTENT "#include \"base/embedded_file.h\"\n${externs}namespace kulisse {\nextern const EmbeddedFile ${variable}[] = {\n${rows}};\nextern const size_t ${variable}Count = ${index};\n}\n" @ONLY)
  set_source_files_properties(${asm} PROPERTIES OBJECT_DEPENDS "${inputs}" LANGUAGE ASM)
  add_library(kulisse_${name} STATIC ${cc} ${asm})
  target_include_directories(kulisse_${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# kulisse_test(NAME LABEL unit SRCS a_test.cc … DEPS storage …): one gtest program per folder;
# every TEST in it is a test of ctest, with the label.
function(kulisse_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SRCS;DEPS;SYSTEM" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  foreach(dep ${ARG_DEPS})
    target_link_libraries(${name} PRIVATE kulisse_${dep})
  endforeach()
  target_link_libraries(${name} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main ${ARG_SYSTEM})
  target_compile_definitions(${name} PRIVATE KULISSE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()

# kulisse_fuzz(NAME SRC file.cc DEPS …): a fuzz target. With KULISSE_FUZZ it is a libFuzzer program;
# otherwise it is linked with a plain main that replays test/fuzz/corpus/NAME and seeded mutations.
function(kulisse_fuzz name)
  cmake_parse_arguments(ARG "" "SRC" "DEPS;SYSTEM" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SRC})
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  foreach(dep ${ARG_DEPS})
    target_link_libraries(fuzz_${name} PRIVATE kulisse_${dep})
  endforeach()
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_SYSTEM})
  if(KULISSE_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/test/fuzz/replay_main.cc)
    add_test(NAME fuzz_smoke.${name}
             COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/test/fuzz/corpus/${name})
    set_tests_properties(fuzz_smoke.${name} PROPERTIES LABELS fuzz-smoke TIMEOUT 120)
  endif()
endfunction()
