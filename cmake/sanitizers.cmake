# Sanitizers and coverage apply to everything we compile.
if(CRATEGATE_SANITIZE)
  add_compile_options(-fsanitize=${CRATEGATE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g)
  add_link_options(-fsanitize=${CRATEGATE_SANITIZE})
endif()
if(CRATEGATE_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
