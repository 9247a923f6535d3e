#pragma once

// A reaper is a tiny process between the runner and one command: it is the command's parent, waits
// for its end, and appends "end <code> <signal> <time us>" to the attempt's record. So an exit
// code depends only on the life of its reaper: a runner that is killed, by an operator, by the
// kernel or by a job, finds the line when it is back.
//
// It shares the runner's memory (CLONE_VM), so making one copies no page tables and executes
// nothing, and the memory outlives the runner. It has a stack of its own and descriptors of its
// own: the record (the command's record_fd), and 0 to 2. It makes raw system calls only and blocks
// every signal.
//
// It waits for the end of the command without reaping it (WNOWAIT) and exits. The command, still a
// zombie, then passes to the runner, which is the subreaper, as if it had been its own child:
// until the runner has reaped it, neither its pid nor its group can belong to another process. The
// command of a reaper that is killed passes to the runner in the same way, alive.
//
// Runner thread only. Tested by runner_crash_test.cc and spawn_test.cc.

#include <sys/types.h>

#include <unordered_map>
#include <vector>

#include "exec/runner/child.h"

namespace docket::runner {

inline constexpr char kReaperName[] = "job-reaper";  // as ps shows it

class Reapers {
 public:
  // As make_child() of child.h, with a reaper as the child's parent.
  void make_child(ChildPlan& plan, void* child_stack);
  // A child of the runner is over. If it was a reaper, its stack is free for the next one.
  void ended(pid_t pid);
  bool owns(pid_t pid) const { return stacks_.contains(pid); }

 private:
  void* take_stack();
  void take_over(ChildPlan& plan, pid_t reaper) const;

  std::unordered_map<pid_t, void*> stacks_;  // of reapers that live
  std::vector<void*> free_;                  // never unmapped: reapers outlive the runner
};

}  // namespace docket::runner
