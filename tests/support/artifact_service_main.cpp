// The test's artifact service as a program, for clients that are not ours.
//
// usage: artifact-service [--act] RUN JOB…
// Prints `ACTIONS_RESULTS_URL=…` and for each job `<JOB>=<its token>`, then serves until its input ends. For each line
// of input it prints `complaints=NUMBER`: how many requests so far no client should have made.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "support/artifact_service.h"

int main(int argc, char** argv) {
  using crategate::test::ArtifactService;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto rules = ArtifactService::Rules::service;
  if (!arguments.empty() && arguments.front() == "--act") {
    rules = ArtifactService::Rules::act;
    arguments.erase(arguments.begin());
  }
  if (arguments.size() < 2) {
    std::fputs("usage: artifact-service [--act] RUN JOB…\n", stderr);
    return 2;
  }
  ArtifactService service(rules);
  std::cout << "ACTIONS_RESULTS_URL=" << service.url().text() << "\n";
  for (std::size_t i = 1; i < arguments.size(); ++i)
    std::cout << arguments[i] << "=" << crategate::test::job_token(arguments[0], arguments[i]) << "\n";
  std::cout << std::flush;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << "complaints=" << service.complaints().size() << std::endl;
  for (const std::string& complaint : service.complaints()) std::cerr << "complaint: " << complaint << "\n";
  return service.complaints().empty() ? 0 : 1;
}
