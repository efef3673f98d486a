// `kulisse serve`: puts the cluster together and runs it until a signal.
#pragma once

#include "cmd/command_line.h"

namespace kulisse::cmd {

// Blocks SIGTERM and SIGINT in this thread and those it starts. Call first, before any thread.
void BlockSignals();

// Runs until SIGTERM or SIGINT. Returns the exit code; errors are printed, one line each.
int Serve(const ServeOptions& options);

}  // namespace kulisse::cmd
