#pragma once

namespace docket::runner {

// bench DIR N [runner options]: N attempts of /bin/true through RunnerExecutor, at most 256 at
// once.
int bench(const char* program, int argc, char** argv);

}  // namespace docket::runner
