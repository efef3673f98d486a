// What a person asked for on the command line of kulisse.
//
//   kulisse serve [flags]    kulisse scale RESOURCE [NAME] [flags]
//   kulisse version          kulisse help [command]
//
// Threads: none; used by main before anything starts.
// Errors: one line that says what is expected; the program exits with kExitUsage.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/flags.h"

namespace kulisse::cmd {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // could not start, or failed while running
inline constexpr int kExitUsage = 2;    // the command line is wrong

struct ServeOptions {
  std::string data_dir;            // absolute or relative; with in_memory "" unless it was given
  uint64_t port = 6443;            // 0: any free one
  std::string bind = "127.0.0.1";  // an IP address
  uint64_t insecure_port = 0;      // 0: none
  std::string insecure_bind_address = "127.0.0.1";
  std::vector<std::string> cors_allowed_origins;
  uint64_t nodes = 0;
  std::string nodes_file;               // "": none
  std::string kubeconfig;               // "": kubeconfig in the data directory
  std::string durability = "buffered";  // buffered, sync or memory
  std::vector<std::string> config;      // files and folders with stages
  std::vector<std::string> stages;      // sets of shipped ones; empty: the default
  bool in_memory = false;
  bool no_simulator = false;
  bool kubelet_rules = false;
  std::string token_auth_file;                            // "": none
  std::string service_cluster_ip_range = "10.96.0.0/16";  // one, or one of each family
  std::string service_node_port_range = "30000-32767";
  std::vector<std::string> enable_admission_plugins;
  std::vector<std::string> disable_admission_plugins;
  std::optional<uint64_t> seed;  // none: a random one
  int verbosity = 0;             // 0: warnings, 1: information, 2: everything
};

struct ScaleOptions {
  std::string resource = {};  // node, pod, or the name of a KwokctlResource
  std::string name = {};      // of the objects: NAME-000000 …
  uint64_t replicas = 1;
  uint64_t serial_length = 6;            // digits of the number; 0: one object called NAME
  std::string ns = {};                   // "": of the template, else of the kubeconfig
  std::vector<std::string> params = {};  // jq expressions
  std::vector<std::string> config = {};  // files and folders with KwokctlResources
  std::string kubeconfig = {};           // paths with colons between
  bool dry_run = false;
};

struct CommandLine {
  enum class Command : uint8_t { kServe, kScale, kPrint };
  Command command;
  ServeOptions serve;  // for kServe
  ScaleOptions scale;  // for kScale
  std::string text;    // for kPrint: version or help, to standard output
};

// `args` without the program's name.
[[nodiscard]] std::expected<CommandLine, std::string> ParseCommandLine(
    std::span<const std::string_view> args, const EnvironmentLookup& environment);

[[nodiscard]] std::expected<ServeOptions, std::string> ParseServeOptions(
    std::span<const std::string_view> args, const EnvironmentLookup& environment);

[[nodiscard]] std::expected<ScaleOptions, std::string> ParseScaleOptions(
    std::span<const std::string_view> args, const EnvironmentLookup& environment);

// The flags of `kulisse serve`, bound to `options`.
[[nodiscard]] std::vector<Flag> ServeFlags(ServeOptions& options);
// Those of `kulisse scale`.
[[nodiscard]] std::vector<Flag> ScaleFlags(ScaleOptions& options);

// The process's environment.
[[nodiscard]] std::optional<std::string> ProcessEnvironment(const std::string& name);

}  // namespace kulisse::cmd
