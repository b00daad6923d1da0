// One process that publishes, one elementary request at a time: the effects of pipeline/release_protocol in a world.
// Belongs here: what the production driver does, and what can happen to it.  Not here: what happens (the tests).
#pragma once

#include <optional>
#include <random>
#include <vector>

#include "pipeline/release_protocol.h"
#include "simulation/world.h"

namespace crategate::simulation {

/// What happens to one request.
enum class Fault : unsigned char {
  none,
  forbidden,
  immutable,    ///< and "unsupported" for a removal
  unavailable,  ///< it did not take effect
  lost_answer,  ///< it did
  rate_limited,
  late,          ///< no answer, and it takes effect later, whoever lives then
  late_refused,  ///< the same, and another try was refused
  wrong_digest,  ///< it took effect, and what came back is not it
  not_found,
  no_space,
  cancelled,  ///< SIGTERM: nothing more is started
};
std::string_view to_string(Fault fault);
Error error_of(Fault fault);

struct Request {
  enum class Kind : unsigned char { open, read, stage, keep, look, check, hold, write, wait };
  Kind kind;
  std::size_t position = 0;  ///< in the effect
  std::size_t tag = 0;
  Content content = kNothing;  ///< what is written
};
std::string_view to_string(Request::Kind kind);

/// A driver with a defect, to prove that the judge sees it.
enum class Defect : unsigned char {
  none,
  late_journal,        ///< kept after the first write
  no_recheck,          ///< what was seen once is believed
  overwrites_foreign,  ///< a stranger's tag counts as an old one
  ignores_answers,     ///< every write counts as done, every look as seen
  ignores_lease,
  unverified,  ///< publishes what did not pass
  steps_back,  ///< moves `latest` whatever it names
};

struct Mission {
  int run = 1;
  std::size_t release = 0;  ///< what it publishes
  pipeline::protocol::Goal goal = pipeline::protocol::Goal::publish;
  int shelf = 0;
  unsigned seed = 1;  ///< of the order in which the requests of one effect are performed
  Defect defect = Defect::none;
};

class Process {
 public:
  Process(World& world, const Mission& mission);
  /// The process of `other` in a copy of its world.
  Process(const Process& other, World& world);

  /// What comes next; nothing = it has ended.
  const Request* next() const;
  void perform(Fault fault = Fault::none, Duration late = std::chrono::seconds(1));
  /// To its end, undisturbed.
  void run();
  /// At once; what it asked for may still arrive.
  void die();
  int code() const;
  const pipeline::protocol::Ending& ending() const;
  const pipeline::protocol::State& state() const { return step_.state; }

 private:
  void begin_effect();
  void answer(pipeline::protocol::Event event);
  void perform_one(const Request& request, Fault fault, Duration late);
  void finish_effect();
  std::optional<Error> attempt(const Request& request, Fault fault, Duration late);
  Result<Content> read(const Request& request, Fault fault);
  pipeline::protocol::Event looked();
  Result<pipeline::Journal> survey() const;
  std::size_t tag_of(std::size_t move) const;
  void enqueue(const pipeline::protocol::Effect& effect);
  void believe(const Request& request, const Result<Content>& seen);

  World* world_;
  Mission mission_;
  std::mt19937 random_;
  pipeline::protocol::Step step_;
  std::vector<Request> requests_;  ///< of the effect; the last is next
  std::vector<std::optional<Error>> problems_;
  std::vector<Content> seen_;
  std::vector<std::optional<Content>> believed_;  ///< by tag
  std::optional<Error> failed_;
  std::optional<Error> cancelled_;
  bool taken_over_ = false, refused_ = false, opened_ = false;
};

/// What of `release` is to be moved, by the rules of pipeline/tags.
Result<std::vector<pipeline::TagMove>> planned_moves(const Scene& scene, std::size_t release,
                                                     const std::vector<Content>& now,
                                                     const std::map<std::string, std::string>& newest);

}  // namespace crategate::simulation
