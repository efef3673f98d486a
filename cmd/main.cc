// The program: reads the command line and runs one command.
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "cmd/command_line.h"
#include "cmd/scale.h"
#include "cmd/serve.h"

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  const auto command = kulisse::cmd::ParseCommandLine(args, kulisse::cmd::ProcessEnvironment);
  if (!command) {
    std::fprintf(stderr, "kulisse: %s\n", command.error().c_str());
    return kulisse::cmd::kExitUsage;
  }
  if (command->command == kulisse::cmd::CommandLine::Command::kPrint) {
    std::fputs(command->text.c_str(), stdout);
    return kulisse::cmd::kExitOk;
  }
  try {
    if (command->command == kulisse::cmd::CommandLine::Command::kScale) {
      return kulisse::cmd::Scale(command->scale);
    }
    kulisse::cmd::BlockSignals();
    return kulisse::cmd::Serve(command->serve);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kulisse: %s\n", error.what());
    return kulisse::cmd::kExitFailure;
  }
}
