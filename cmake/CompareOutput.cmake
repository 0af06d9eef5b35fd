# SPDX-License-Identifier: Apache-2.0
# cmake -D program=P -D expected=F -P CompareOutput.cmake: runs P and compares what it prints with F,
# unless that is why the machine cannot show it.
execute_process(COMMAND "${program}" OUTPUT_VARIABLE printed RESULT_VARIABLE code)
file(READ "${expected}" wanted)
if(NOT code EQUAL 0)
    message(FATAL_ERROR "${program} ended with ${code}\n${printed}")
elseif(printed MATCHES "^skipped: ")
    message("${printed}")  # this machine lacks what the program shows; ctest looks for the word
elseif(NOT printed STREQUAL wanted)
    message(FATAL_ERROR "--- expected (${expected})\n${wanted}--- printed\n${printed}---")
endif()
