#include "cmd/command_line.h"

#include <gtest/gtest.h>

#include <map>

#include "base/text.h"

namespace kulisse::cmd {
namespace {

using Environment = std::map<std::string, std::string>;

EnvironmentLookup Lookup(Environment environment) {
  return [environment =
              std::move(environment)](const std::string& name) -> std::optional<std::string> {
    const auto it = environment.find(name);
    if (it == environment.end()) return std::nullopt;
    return it->second;
  };
}

std::expected<ServeOptions, std::string> Serve(std::vector<std::string_view> args,
                                               Environment environment = {{"HOME", "/home/ann"}}) {
  return ParseServeOptions(args, Lookup(std::move(environment)));
}

// The printed text, "serve", or "error: …".
std::string RunLine(std::vector<std::string_view> args) {
  const auto line = ParseCommandLine(args, Lookup({{"HOME", "/home/ann"}}));
  if (!line) return "error: " + line.error();
  if (line->command == CommandLine::Command::kScale) return "scale " + line->scale.name;
  return line->command == CommandLine::Command::kServe ? "serve" : line->text;
}

TEST(ServeOptionsTest, DefaultsAreThoseOfTheHelp) {
  const ServeOptions options = Serve({}).value();
  EXPECT_EQ(options.data_dir, "/home/ann/.local/share/kulisse");
  EXPECT_EQ(options.port, 6443u);
  EXPECT_EQ(options.bind, "127.0.0.1");
  EXPECT_EQ(options.insecure_port, 0u);
  EXPECT_EQ(options.insecure_bind_address, "127.0.0.1");
  EXPECT_EQ(options.nodes, 0u);
  EXPECT_EQ(options.durability, "buffered");
  EXPECT_FALSE(options.in_memory);
  EXPECT_FALSE(options.no_simulator);
  EXPECT_FALSE(options.seed.has_value());
}

TEST(ServeOptionsTest, EveryFlagReachesItsOption) {
  const ServeOptions options = Serve({"--data-dir",
                                      "d",
                                      "--port=0",
                                      "--bind",
                                      "::1",
                                      "--insecure-port",
                                      "8080",
                                      "--insecure-bind-address=::",
                                      "--cors-allowed-origins",
                                      "//a$,//b$",
                                      "--nodes",
                                      "3",
                                      "--kubeconfig",
                                      "k",
                                      "--durability",
                                      "sync",
                                      "--config",
                                      "a.yaml",
                                      "--config",
                                      "b.yaml",
                                      "--no-simulator",
                                      "--token-auth-file",
                                      "t.csv",
                                      "--seed",
                                      "7",
                                      "-v",
                                      "-v"})
                                   .value();
  EXPECT_EQ(options.data_dir, "d");
  EXPECT_EQ(options.port, 0u);
  EXPECT_EQ(options.bind, "::1");
  EXPECT_EQ(options.insecure_port, 8080u);
  EXPECT_EQ(options.insecure_bind_address, "::");
  EXPECT_EQ(options.cors_allowed_origins, std::vector<std::string>{"//a$,//b$"});
  EXPECT_EQ(options.nodes, 3u);
  EXPECT_EQ(options.kubeconfig, "k");
  EXPECT_EQ(options.durability, "sync");
  EXPECT_EQ(options.config, (std::vector<std::string>{"a.yaml", "b.yaml"}));
  EXPECT_TRUE(options.no_simulator);
  EXPECT_EQ(options.token_auth_file, "t.csv");
  EXPECT_EQ(options.seed, 7u);
  EXPECT_EQ(options.verbosity, 2);
}

TEST(ServeOptionsTest, DataDirectoryFollowsTheEnvironment) {
  EXPECT_EQ(Serve({}, {{"XDG_DATA_HOME", "/x"}, {"HOME", "/h"}})->data_dir, "/x/kulisse");
  EXPECT_EQ(Serve({}, {{"KULISSE_DATA_DIR", "/d"}})->data_dir, "/d");
  EXPECT_EQ(Serve({}, {}).error(),
            "--data-dir is needed: HOME is not set, so there is no default for it");
  EXPECT_TRUE(Serve({"--in-memory"}, {}).has_value());
}

TEST(ServeOptionsTest, InMemoryKeepsNothing) {
  EXPECT_EQ(Serve({"--in-memory"})->durability, "memory");
  EXPECT_EQ(Serve({"--in-memory"})->data_dir, "");
  EXPECT_EQ(Serve({"--in-memory", "--data-dir", "d"})->data_dir, "d");
  EXPECT_FALSE(Serve({"--in-memory", "--durability", "sync"}).has_value());
}

TEST(ServeOptionsTest, RefusesWhatCannotBe) {
  EXPECT_EQ(Serve({"--bind", "example.com"}).error(),
            "--bind: \"example.com\" is not an IP address such as 127.0.0.1 or ::");
  EXPECT_EQ(Serve({"--insecure-bind-address", "all"}).error(),
            "--insecure-bind-address: \"all\" is not an IP address such as 127.0.0.1 or ::");
  EXPECT_EQ(Serve({"--port", "65536"}).error(),
            "--port: \"65536\" is not a number from 0 to 65535");
  EXPECT_EQ(Serve({"--nodes", "1000000"}).error(),
            "--nodes: \"1000000\" is not a number from 0 to 100000");
  EXPECT_EQ(Serve({"--durability", "fast"}).error(),
            "--durability: \"fast\" is not one of buffered, sync, memory");
  EXPECT_EQ(Serve({"--node", "1"}).error(), "unknown flag --node; did you mean --nodes?");
  EXPECT_EQ(Serve({"--bind", "localhost"})->bind, "127.0.0.1");
}

TEST(CommandLineTest, PrintsHelpAndVersion) {
  const std::string overview = RunLine({});
  EXPECT_TRUE(overview.starts_with("Kulisse is")) << overview;
  for (const char* help : {"help", "--help", "-h"}) EXPECT_EQ(RunLine({help}), overview);
  EXPECT_TRUE(RunLine({"version"}).starts_with("kulisse "));
  EXPECT_EQ(RunLine({"--version"}), RunLine({"version"}));
  EXPECT_EQ(RunLine({"help", "serve"}), RunLine({"serve", "--nodes", "1", "--help"}));
  EXPECT_NE(RunLine({"help", "serve"}).find("--token-auth-file FILE"), std::string::npos);
}

TEST(CommandLineTest, ServesAndRefuses) {
  EXPECT_EQ(RunLine({"serve", "--nodes", "10"}), "serve");
  EXPECT_EQ(RunLine({"server"}),
            "error: unknown command \"server\"; there are serve, scale, version and help");
  EXPECT_EQ(RunLine({"help", "server"}),
            "error: unknown command \"server\"; there are serve, scale, version and help");
  EXPECT_EQ(RunLine({"--nodes", "1"}),
            "error: unknown command \"--nodes\"; there are serve, scale, version and help");
  EXPECT_EQ(RunLine({"help", "serve", "version"}), "error: help wants one command, not 2");
  EXPECT_EQ(RunLine({"version", "x"}), "error: version takes no arguments");
  EXPECT_EQ(RunLine({"serve", "x"}), "error: unexpected argument \"x\"");
}

TEST(CommandLineTest, HelpFitsATerminal) {
  for (const std::string& text : {RunLine({"help"}), RunLine({"help", "serve"})}) {
    for (const std::string_view line : Split(text, '\n')) EXPECT_LE(line.size(), 88u) << line;
  }
}

std::expected<ScaleOptions, std::string> ScaleLine(std::vector<std::string_view> args,
                                                   Environment environment = {
                                                       {"HOME", "/home/ann"}}) {
  return ParseScaleOptions(args, Lookup(std::move(environment)));
}

TEST(ScaleOptionsTest, FlagsAndNamesMayStandInAnyOrder) {
  const ScaleOptions options =
      ScaleLine({"--replicas", "7", "pod", "--param", ".a = 1", "web", "-n", "team",
                 "--serial-length=3", "--param=.b = 2", "--config", "f.yaml", "--dry-run"})
          .value();
  EXPECT_EQ(options.resource, "pod");
  EXPECT_EQ(options.name, "web");
  EXPECT_EQ(options.replicas, 7u);
  EXPECT_EQ(options.ns, "team");
  EXPECT_EQ(options.serial_length, 3u);
  EXPECT_EQ(options.params, (std::vector<std::string>{".a = 1", ".b = 2"}));
  EXPECT_EQ(options.config, std::vector<std::string>{"f.yaml"});
  EXPECT_TRUE(options.dry_run);
}

TEST(ScaleOptionsTest, DefaultsAreThoseOfTheHelp) {
  const ScaleOptions options = ScaleLine({"node"}).value();
  EXPECT_EQ(options.name, "node");
  EXPECT_EQ(options.replicas, 1u);
  EXPECT_EQ(options.serial_length, 6u);
  EXPECT_EQ(options.kubeconfig, "/home/ann/.local/share/kulisse/kubeconfig");
}

TEST(ScaleOptionsTest, TheKubeconfigOfTheFlagCountsBeforeThatOfTheEnvironment) {
  const Environment both = {{"KUBECONFIG", "a:b"}, {"HOME", "/home/ann"}};
  EXPECT_EQ(ScaleLine({"node"}, both)->kubeconfig, "a:b");
  EXPECT_EQ(ScaleLine({"node", "--kubeconfig", "c"}, both)->kubeconfig, "c");
}

TEST(ScaleOptionsTest, RefusesWhatItCannotMean) {
  EXPECT_EQ(ScaleLine({}).error(), "scale wants a resource: node, pod …");
  EXPECT_EQ(ScaleLine({"a", "b", "c"}).error(), "unexpected argument \"c\"");
  EXPECT_EQ(ScaleLine({"node"}, {}).error(), "--kubeconfig or KUBECONFIG is needed");
  EXPECT_FALSE(ScaleLine({"node", "--replicas", "-1"}).has_value());
}

}  // namespace
}  // namespace kulisse::cmd
