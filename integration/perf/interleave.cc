// The measuring program: runs commands of several runtimes in random order and writes down what each took.
//
// Blocks of one command after the other drift: the same runtime was seen at 7.1 and 10.3 ms within an hour on
// a shared machine. So every round runs everything once: the operations in random order, and within an
// operation the runtimes in random order, next to each other, which makes the ratio of two runtimes within
// one round a fair pair.
//
//   interleave --plan FILE --samples FILE --errors FILE [--rounds N] [--warmup N] [--settle-us N] [--seed N]
//
// interleave_plan.h says what a plan looks like.
// The samples are a table with a heading. A failed command's exit status is recorded; the reader leaves such
// rows out.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <spawn.h>
#include <string>
#include <thread>
#include <vector>

#include "interleave_plan.h"

namespace {

using interleave::Case;
using interleave::Command;
using interleave::fail;
using interleave::read_plan;
using interleave::Step;

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

struct Options {
  std::string plan;
  std::string samples;
  std::string errors;
  int rounds = 100;
  int warmup = 5;
  int settle_us = 0;
  unsigned seed = 1;
};

struct Sample {
  Microseconds wall{};
  rusage usage{};
  int status = 0;
};

// Containers outlive the command that made them and then belong to this process (see become_subreaper). They
// are reaped here in passing and at once, as a container manager would: `delete` looks different to a runtime
// while a zombie is left.
Sample await_exit(pid_t pid, Clock::time_point begin) {
  for (;;) {
    Sample sample;
    const pid_t ended = wait4(-1, &sample.status, 0, &sample.usage);
    if (ended == pid) {
      sample.wall = Clock::now() - begin;
      return sample;
    }
    if (ended < 0 && errno != EINTR) {
      fail(std::string("wait4: ") + std::strerror(errno));
    }
  }
}

void reap_orphans() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

// A runtime that hangs shall cost one sample, not the whole benchmark.
constexpr unsigned kDeadlineSeconds = 20;
volatile sig_atomic_t running_command = 0;

void end_running_command(int) {
  if (running_command > 0) {
    kill(running_command, SIGKILL);
  }
}

// posix_spawn, because it does not copy this process's page tables and so costs every command the same
// little. Standard input, output and error are already where they belong: opening them here would be part of
// the measured time.
Sample run(const Command& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);

  pid_t pid = 0;
  const Clock::time_point begin = Clock::now();
  const int error = posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (error != 0) {
    fail(command[0] + ": " + std::strerror(error));
  }
  running_command = pid;
  const Sample sample = await_exit(pid, begin);
  running_command = 0;
  return sample;
}

Sample run_with_deadline(const Command& command) {
  alarm(kDeadlineSeconds);
  const Sample sample = run(command);
  alarm(0);
  return sample;
}

bool is_empty(const std::string& cgroup) {
  std::ifstream events(cgroup + "/cgroup.events");
  for (std::string line; std::getline(events, line);) {
    if (line == "populated 1") {
      return false;
    }
  }
  return true;
}

void await_empty(const std::string& cgroup) {
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(kDeadlineSeconds);
  while (!is_empty(cgroup)) {
    if (Clock::now() > deadline) {
      fail("still populated: " + cgroup);
    }
    reap_orphans();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

void prepare(const Case& current, int settle_us) {
  for (const Step& step : current.before) {
    if (step.kind == Step::Kind::await_empty) {
      await_empty(step.command[0]);
    } else if (run_with_deadline(step.command).status != 0) {
      // What follows fails as well and is recorded as failed; this line says where it began.
      std::fprintf(stderr, "interleave: preparing %s of %s failed\n", current.operation.c_str(),
                   current.runtime.c_str());
    }
  }
  std::this_thread::sleep_for(std::chrono::microseconds(settle_us));
  reap_orphans();
}

double in_microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

void write_sample(std::FILE* out, const Case& current, int round, const Sample& sample) {
  const int exit_status =
      WIFEXITED(sample.status) ? WEXITSTATUS(sample.status) : 128 + WTERMSIG(sample.status);
  std::fprintf(out, "%s\t%s\t%d\t%.1f\t%.0f\t%.0f\t%ld\t%d\n", current.operation.c_str(),
               current.runtime.c_str(), round, sample.wall.count(), in_microseconds(sample.usage.ru_utime),
               in_microseconds(sample.usage.ru_stime), sample.usage.ru_minflt, exit_status);
}

Sample measure(const Case& current, int settle_us) {
  prepare(current, settle_us);
  const Sample sample = run_with_deadline(current.timed);
  if (sample.status != 0) {
    for (const Command& command : current.rescue) {
      run_with_deadline(command);
    }
  }
  for (const Command& command : current.after) {
    run_with_deadline(command);
  }
  return sample;
}

std::vector<std::vector<const Case*>> group_by_operation(const std::vector<Case>& cases) {
  std::map<std::string, std::vector<const Case*>> groups;
  for (const Case& current : cases) {
    groups[current.operation].push_back(&current);
  }
  std::vector<std::vector<const Case*>> result;
  for (auto& [operation, members] : groups) {
    result.push_back(std::move(members));
  }
  return result;
}

void run_rounds(const std::vector<Case>& cases, const Options& options, std::FILE* out) {
  std::mt19937 random(options.seed);
  std::vector<std::vector<const Case*>> groups = group_by_operation(cases);
  for (int round = -options.warmup; round < options.rounds; ++round) {
    std::shuffle(groups.begin(), groups.end(), random);
    for (std::vector<const Case*>& group : groups) {
      std::shuffle(group.begin(), group.end(), random);
      for (const Case* current : group) {
        const Sample sample = measure(*current, options.settle_us);
        if (round >= 0) {
          write_sample(out, *current, round, sample);
        }
      }
    }
  }
}

void become_subreaper() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    fail(std::string("subreaper: ") + std::strerror(errno));
  }
}

void redirect(int descriptor, const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) {
    fail(std::string(path) + ": " + std::strerror(errno));
  }
  close(file);
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--plan") {
      options.plan = value;
    } else if (name == "--samples") {
      options.samples = value;
    } else if (name == "--errors") {
      options.errors = value;
    } else if (name == "--rounds") {
      options.rounds = std::atoi(value);
    } else if (name == "--warmup") {
      options.warmup = std::atoi(value);
    } else if (name == "--settle-us") {
      options.settle_us = std::atoi(value);
    } else if (name == "--seed") {
      options.seed = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    } else {
      fail("unknown option " + name);
    }
  }
  if (options.plan.empty() || options.samples.empty() || options.errors.empty()) {
    fail("--plan, --samples and --errors are needed");
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  const std::vector<Case> cases = read_plan(options.plan);
  std::FILE* out = std::fopen(options.samples.c_str(), "we");
  if (out == nullptr) {
    fail("cannot write " + options.samples);
  }
  become_subreaper();
  redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
  redirect(STDOUT_FILENO, "/dev/null", O_WRONLY);
  redirect(STDERR_FILENO, options.errors.c_str(), O_WRONLY | O_CREAT | O_APPEND);
  struct sigaction action {};
  action.sa_handler = end_running_command;
  sigaction(SIGALRM, &action, nullptr);

  std::fputs("operation\truntime\tround\twall_us\tuser_us\tsystem_us\tminor_faults\texit_status\n", out);
  run_rounds(cases, options, out);
  if (std::fclose(out) != 0) {
    fail("cannot write " + options.samples);
  }
  return 0;
}
