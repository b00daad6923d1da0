# CRATEGATE_STATIC: archives instead of shared libraries, so that starting does not mean loading and relocating thirty of
# them. The C library stays shared: names are resolved through its modules. Where one archive is missing, all are shared.
set(missing "")
foreach(name archive crypto deflate ssl yaml-cpp z zstd)
  find_library(CRATEGATE_ARCHIVE_${name} lib${name}.a)
  mark_as_advanced(CRATEGATE_ARCHIVE_${name})
  if(NOT CRATEGATE_ARCHIVE_${name})
    list(APPEND missing lib${name}.a)
  endif()
endforeach()
if(missing)
  list(JOIN missing ", " missing)
  message(WARNING "CRATEGATE_STATIC: linking shared libraries, because ${missing} is not installed (tools/install build)")
  set(CRATEGATE_STATIC OFF)
  return()
endif()

set(OPENSSL_USE_STATIC_LIBS TRUE)
set(ZLIB_USE_STATIC_LIBS TRUE)
set(LibArchive_LIBRARY "${CRATEGATE_ARCHIVE_archive}" CACHE FILEPATH "" FORCE)

# What is not reached from main is dropped: of libarchive, all but the tar reader.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-static-libstdc++ -static-libgcc -Wl,--gc-sections -Wl,--as-needed)
include(CheckLinkerFlag)
check_linker_flag(CXX -Wl,-z,pack-relative-relocs CRATEGATE_PACKS_RELOCATIONS)
if(CRATEGATE_PACKS_RELOCATIONS)
  add_link_options(-Wl,-z,pack-relative-relocs)
endif()
