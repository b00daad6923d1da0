// A question to the API and its answer, as values.
#pragma once

#include <optional>
#include <string>

#include "net/http.h"

namespace crategate::github {

struct Query {
  std::string method = "GET";
  std::string path;             ///< below the API's address, from '/', encoded
  std::optional<net::Url> url;  ///< a further page of a list, instead of `path`
  std::string task;             ///< "list the artifacts of run 7 of o/r"; stands in every error
  std::string needs;            ///< permission, as a workflow writes it: "actions: read"; empty = none that it could
  std::string body;             ///< JSON
  bool only_reads = false;      ///< a POST that changes nothing: repeated as a GET is
  bool to_location = false;     ///< the answer sought is a 302, which is not followed
};

struct Answer {
  net::Response response;
  net::Url url;        ///< that answered
  bool by_api = true;  ///< false after a redirect to another origin
};

}  // namespace crategate::github
