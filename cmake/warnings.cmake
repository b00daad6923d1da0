# Warnings for our own targets; errors unless CRATEGATE_WERROR=OFF.
add_library(crategate_warnings INTERFACE)
target_compile_options(crategate_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  # Aggregates are initialised by name where the rest keeps its default; GCC counts that as missing.
  -Wno-missing-field-initializers
  $<$<BOOL:${CRATEGATE_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of GCC 12 in std::string and tl::expected at -O2 (GCC bugs 105651, 105562).
  target_compile_options(crategate_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
