#include "dialects/metronome/metronome.h"

#include <iterator>
#include <utility>

#include "dialects/metronome/errors.h"
#include "dialects/metronome/routes.h"

namespace docket::metronome {

std::shared_ptr<const http::Door> make_metronome_door(engine::Loop& loop, engine::Archive& archive,
                                                      const MetronomeSettings& settings) {
  const auto context = std::make_shared<const Context>(Context{loop, archive, settings});
  auto door = std::make_shared<http::Door>();
  door->name = "metronome";
  door->envelope = failure_response;
  door->body_limit = 100 * 1024;
  door->collapse_slashes = true;
  door->wrong_method_is_404 = true;
  for (auto routes : {job_routes(context), schedule_routes(context), run_routes(context),
                      info_routes(context), event_routes(context), public_routes()}) {
    std::move(routes.begin(), routes.end(), std::back_inserter(door->routes));
  }
  return door;
}

}  // namespace docket::metronome
