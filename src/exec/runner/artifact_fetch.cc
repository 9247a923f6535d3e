#include "exec/runner/runner.h"
namespace docket::runner {
int run_fetch(int) { return 1; }
}  // namespace docket::runner
