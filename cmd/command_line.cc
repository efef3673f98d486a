#include "cmd/command_line.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "apiserver/registry/service/service_allocator.h"
#include "base/limits.h"
#include "cmd/version.h"

namespace kulisse::cmd {

namespace {

constexpr uint64_t kPortMax = 65'535;
constexpr uint64_t kScaleReplicasMax = 10'000'000;
constexpr uint64_t kScaleSerialLengthMax = 18;  // of a number of 64 bits

constexpr std::string_view kOverview =
    "Kulisse is a whole Kubernetes cluster in one process: the API server, its store and\n"
    "simulated nodes and pods. No containers run.\n"
    "\n"
    "Usage:\n"
    "  kulisse serve [flags]     run a cluster until SIGINT or SIGTERM\n"
    "  kulisse scale RESOURCE [NAME] [flags]\n"
    "                            make nodes, pods or other objects from templates\n"
    "  kulisse version           print the version\n"
    "  kulisse help [command]    print this text, or all about a command\n"
    "\n"
    "A first cluster:\n"
    "  kulisse serve --nodes 10\n"
    "  export KUBECONFIG=~/.local/share/kulisse/kubeconfig    (as it prints)\n"
    "  kubectl get nodes\n";

constexpr std::string_view kServeIntroduction =
    "Runs a cluster until SIGINT or SIGTERM, which drain and stop it.\n"
    "\n"
    "Usage:\n"
    "  kulisse serve [flags]\n"
    "\n"
    "Every flag is also an environment variable: --data-dir is KULISSE_DATA_DIR, a list\n"
    "has commas between its values. A flag wins over its variable.\n"
    "\n"
    "Flags:\n";

constexpr std::string_view kServeEnd =
    "\n"
    "Files in the data directory:\n"
    "  kubeconfig     for the administrator of the cluster (mode 0600)\n"
    "  pki/           the cluster's keys and certificates, kept across restarts\n"
    "  store/         the objects\n"
    "\n"
    "Exit codes: 0 stopped as asked, 1 could not start or failed, 2 wrong flags.\n";

constexpr std::string_view kScaleIntroduction =
    "Makes objects from a template until there are as many as asked for, in the cluster\n"
    "of the kubeconfig; when there are more, the newest go. As kwokctl scale.\n"
    "\n"
    "Usage:\n"
    "  kulisse scale RESOURCE [NAME] [flags]\n"
    "\n"
    "RESOURCE is node, pod, or the name of a KwokctlResource of --config. Objects are\n"
    "called NAME-000000 and so on (NAME is RESOURCE unless given) and have the label\n"
    "kwok.x-k8s.io/kwokctl-scale: NAME, by which they are counted.\n"
    "\n"
    "  kulisse scale node --replicas 1000\n"
    "  kulisse scale pod web --replicas 5000 --param '.nodeName = \"node-000000\"'\n"
    "\n"
    "Flags:\n";

constexpr std::string_view kScaleEnd =
    "\n"
    "Exit codes: 0 done, 1 failed or some objects were refused, 2 wrong flags.\n";

constexpr std::string_view kVersionHelp = "Prints the version.\n\nUsage:\n  kulisse version\n";

bool IsIpAddress(const std::string& text) {
  in6_addr address = {};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// XDG's place for a user's data.
std::expected<std::string, std::string> DefaultDataDir(const EnvironmentLookup& environment) {
  if (const auto data_home = environment("XDG_DATA_HOME"); data_home && !data_home->empty()) {
    return *data_home + "/kulisse";
  }
  if (const auto home = environment("HOME"); home && !home->empty()) {
    return *home + "/.local/share/kulisse";
  }
  return std::unexpected("--data-dir is needed: HOME is not set, so there is no default for it");
}

std::expected<void, std::string> CheckAddress(std::string_view flag, std::string* address) {
  if (*address == "localhost") *address = "127.0.0.1";
  if (IsIpAddress(*address)) return {};
  return std::unexpected(
      fmt::format("{}: \"{}\" is not an IP address such as 127.0.0.1 or ::", flag, *address));
}

std::expected<void, std::string> CheckTogether(ServeOptions& options,
                                               const EnvironmentLookup& environment) {
  if (auto good = CheckAddress("--bind", &options.bind); !good) return good;
  if (auto good = CheckAddress("--insecure-bind-address", &options.insecure_bind_address); !good) {
    return good;
  }
  if (auto ranges = apiserver::ServiceNetwork::ParseRanges(options.service_cluster_ip_range);
      !ranges) {
    return std::unexpected("--service-cluster-ip-range: " + ranges.error());
  }
  if (!apiserver::PortRange::Parse(options.service_node_port_range)) {
    return std::unexpected(
        fmt::format("--service-node-port-range: \"{}\" is not a range such as 30000-32767",
                    options.service_node_port_range));
  }
  if (options.in_memory) {
    if (options.durability == "sync") {
      return std::unexpected("--in-memory keeps nothing: --durability sync contradicts it");
    }
    options.durability = "memory";
    return {};
  }
  if (options.data_dir.empty()) {
    auto directory = DefaultDataDir(environment);
    if (!directory) return std::unexpected(std::move(directory).error());
    options.data_dir = std::move(*directory);
  }
  return {};
}

bool WantsHelp(std::span<const std::string_view> args) {
  return std::any_of(args.begin(), args.end(),
                     [](std::string_view arg) { return arg == "--help" || arg == "-h"; });
}

std::string ServeHelp() {
  ServeOptions defaults;
  return fmt::format("{}{}{}", kServeIntroduction, FlagsHelp(ServeFlags(defaults)), kServeEnd);
}

std::string ScaleHelp() {
  ScaleOptions defaults;
  return fmt::format("{}{}{}", kScaleIntroduction, FlagsHelp(ScaleFlags(defaults)), kScaleEnd);
}

std::expected<std::string, std::string> HelpText(std::span<const std::string_view> args) {
  if (args.size() > 1) {
    return std::unexpected(fmt::format("help wants one command, not {}", args.size()));
  }
  if (args.empty() || args[0] == "help") return std::string(kOverview);
  if (args[0] == "serve") return ServeHelp();
  if (args[0] == "scale") return ScaleHelp();
  if (args[0] == "version") return std::string(kVersionHelp);
  return std::unexpected(
      fmt::format("unknown command \"{}\"; there are serve, scale, version and help", args[0]));
}

std::expected<CommandLine, std::string> Print(std::expected<std::string, std::string> text) {
  if (!text) return std::unexpected(std::move(text).error());
  return CommandLine{
      .command = CommandLine::Command::kPrint, .serve = {}, .scale = {}, .text = std::move(*text)};
}

// What is simulated, and how.
std::vector<Flag> SimulationFlags(ServeOptions& options) {
  return {
      {"nodes", "N", "0", "Simulated nodes, node-0 to node-(N-1), made when they are missing.",
       NumberTarget{&options.nodes, 0, kSimulatedNodesMax}},
      {"nodes-file", "FILE", "",
       "YAML with groups of simulated nodes: how many, their zones, type, capacity, labels, "
       "taints. "
       "They are made when they are missing.",
       &options.nodes_file},
      {"config", "FILE", "",
       "YAML with stages for the simulator: a file, a folder, or - for standard input. Repeatable.",
       &options.config},
      {"stages", "SET,...", "fast",
       "Shipped stages: fast, general or kubelet, and chaos, containers, nodes, volume; or none.",
       &options.stages},
      {"kubelet-rules", "", "",
       "Nodes refuse pods that they have no room for or do not suit, fail those that outlive their "
       "deadline, and evict pods under pressure. Part of --stages kubelet.",
       &options.kubelet_rules},
      {"no-simulator", "", "", "Only the API server: nodes and pods stay as they are written.",
       &options.no_simulator},
      {"seed", "N", "a random number", "Where the simulator's chances begin.",
       OptionalNumberTarget{&options.seed}},
  };
}

}  // namespace

std::vector<Flag> ServeFlags(ServeOptions& options) {
  std::vector<Flag> flags = {
      {"data-dir", "DIR", "~/.local/share/kulisse",
       "Where objects, keys and the kubeconfig are kept. One process at a time.",
       &options.data_dir},
      {"port", "PORT", "6443", "Port to listen on; 0 takes a free one.",
       NumberTarget{&options.port, 0, kPortMax}},
      {"bind", "ADDRESS", "127.0.0.1",
       "IP address to listen on. Other machines reach the cluster only when this is not a loopback "
       "address.",
       &options.bind},
      {"insecure-port", "PORT", "0, none",
       "A second port with plain HTTP, where whoever comes may do everything without a credential.",
       NumberTarget{&options.insecure_port, 0, kPortMax}},
      {"insecure-bind-address", "ADDRESS", "127.0.0.1",
       "IP address of the insecure port. With another than a loopback address the whole network "
       "may do everything.",
       &options.insecure_bind_address},
      {"cors-allowed-origins", "REGEX,...", "",
       "Origins whose pages browsers let talk to the server, as regular expressions that pin the "
       "whole host: '//localhost(:|$)'. May be given again.",
       &options.cors_allowed_origins},
      {"kubeconfig", "FILE", "kubeconfig in the data directory",
       "Where to write the kubeconfig of the cluster's administrator.", &options.kubeconfig},
      {"durability", "MODE", "buffered",
       "What an answered write survives: buffered, the end of the process; sync, a power cut; "
       "memory, nothing.",
       ChoiceTarget{&options.durability, {"buffered", "sync", "memory"}}},
      {"in-memory", "", "",
       "Keeps nothing on disk. Keys and the kubeconfig go to a temporary directory unless "
       "--data-dir or --kubeconfig says otherwise.",
       &options.in_memory},
      {"token-auth-file", "FILE", "",
       "Static bearer tokens in kube-apiserver's format, one a line: token,user,uid,\"groups\".",
       &options.token_auth_file},
      {"service-cluster-ip-range", "CIDR", "10.96.0.0/16",
       "Addresses of services; two ranges with a comma between, one of each family, for dual "
       "stack.",
       &options.service_cluster_ip_range},
      {"service-node-port-range", "RANGE", "30000-32767", "Ports of nodes that services are given.",
       &options.service_node_port_range},
      {"enable-admission-plugins", "NAME,...", "",
       "Admission plugins to run besides those that are on by default. May be given again.",
       &options.enable_admission_plugins},
      {"disable-admission-plugins", "NAME,...", "",
       "Admission plugins not to run though they are on by default. May be given again.",
       &options.disable_admission_plugins},
      {"v", "", "",
       "More in the log: -v what happens, -v -v (or -v=2) everything. Warnings are always there.",
       CountTarget{&options.verbosity}},
  };
  std::ranges::move(SimulationFlags(options), std::back_inserter(flags));
  return flags;
}

std::vector<Flag> ScaleFlags(ScaleOptions& options) {
  return {
      {"replicas", "N", "1", "How many objects there shall be.",
       NumberTarget{&options.replicas, 0, kScaleReplicasMax}},
      {"param", "EXPRESSION", "",
       "Changes the template's parameters by a jq expression, such as '.nodeName = \"a\"' or "
       "'.allocatable.cpu = 4'. May be given again; they work one after the other.",
       &options.params},
      {"namespace", "NAMESPACE", "that of the template, else of the kubeconfig",
       "Where the objects are made.", &options.ns},
      {"n", "NAMESPACE", "", "The same as --namespace.", &options.ns},
      {"serial-length", "N", "6", "Digits of the number in the names; 0: none, for one object.",
       NumberTarget{&options.serial_length, 0, kScaleSerialLengthMax}},
      {"config", "FILE", "",
       "KwokctlResources in YAML: a file, a folder, or - for standard input. May be given again.",
       &options.config},
      {"kubeconfig", "FILE", "$KUBECONFIG, else that of the default data directory",
       "The cluster, and who asks: a client certificate or a token.", &options.kubeconfig},
      {"dry-run", "", "", "Print what would be made, and make nothing.", &options.dry_run},
  };
}

std::expected<ScaleOptions, std::string> ParseScaleOptions(std::span<const std::string_view> args,
                                                           const EnvironmentLookup& environment) {
  ScaleOptions options;
  std::vector<std::string> names;
  auto parsed = ParseFlags(ScaleFlags(options), args, environment, &names);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  if (names.empty()) return std::unexpected("scale wants a resource: node, pod …");
  if (names.size() > 2) return std::unexpected(fmt::format("unexpected argument \"{}\"", names[2]));
  options.resource = names[0];
  options.name = names.back();
  if (options.kubeconfig.empty()) options.kubeconfig = environment("KUBECONFIG").value_or("");
  if (options.kubeconfig.empty() && !options.dry_run) {
    const auto directory = DefaultDataDir(environment);
    if (!directory) return std::unexpected("--kubeconfig or KUBECONFIG is needed");
    options.kubeconfig = *directory + "/kubeconfig";
  }
  return options;
}

std::expected<ServeOptions, std::string> ParseServeOptions(std::span<const std::string_view> args,
                                                           const EnvironmentLookup& environment) {
  ServeOptions options;
  auto parsed = ParseFlags(ServeFlags(options), args, environment);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  auto checked = CheckTogether(options, environment);
  if (!checked) return std::unexpected(std::move(checked).error());
  return options;
}

std::expected<CommandLine, std::string> ParseCommandLine(std::span<const std::string_view> args,
                                                         const EnvironmentLookup& environment) {
  if (args.empty()) return Print(std::string(kOverview));
  const std::string_view command = args[0];
  const std::span<const std::string_view> rest = args.subspan(1);
  if (command == "help" || command == "--help" || command == "-h") return Print(HelpText(rest));
  if (command == "version" || command == "--version") {
    if (WantsHelp(rest)) return Print(std::string(kVersionHelp));
    if (!rest.empty()) return std::unexpected("version takes no arguments");
    return Print(VersionText());
  }
  if (command == "scale") {
    if (WantsHelp(rest)) return Print(ScaleHelp());
    auto options = ParseScaleOptions(rest, environment);
    if (!options) return std::unexpected(std::move(options).error());
    return CommandLine{.command = CommandLine::Command::kScale,
                       .serve = {},
                       .scale = std::move(*options),
                       .text = ""};
  }
  if (command != "serve") return Print(HelpText(args.first(1)));  // says which commands there are
  if (WantsHelp(rest)) return Print(ServeHelp());
  auto options = ParseServeOptions(rest, environment);
  if (!options) return std::unexpected(std::move(options).error());
  return CommandLine{.command = CommandLine::Command::kServe,
                     .serve = std::move(*options),
                     .scale = {},
                     .text = ""};
}

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace kulisse::cmd
