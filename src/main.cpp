// Entry point; everything else is in app/.
#include <string>
#include <vector>

#include "app/program.h"

int main(int argc, char** argv) { return crategate::app::run_program(std::vector<std::string>(argv + 1, argv + argc)); }
