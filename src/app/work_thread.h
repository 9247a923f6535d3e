#pragma once

// One thread that does the work it is given, one piece after the other.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace docket::app {

class WorkThread {
 public:
  explicit WorkThread(const std::string& name);  // at most 15 characters, for ps and debuggers
  ~WorkThread();                                 // finishes the current piece, drops the others
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;

  void run(std::function<void()> piece);  // any thread

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> pieces_;
  bool stopping_ = false;
  std::thread thread_;  // last: starts once everything else exists
};

}  // namespace docket::app
