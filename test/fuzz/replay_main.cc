// Runs a fuzz target without libFuzzer: every file of a corpus, then mutations of them by a fixed
// seed. So all targets run in each test run, with any compiler.
//
//   fuzz_NAME CORPUS_FOLDER [MUTATIONS]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr uint64_t kSeed = 123;
constexpr int64_t kMutationsDefault = 5'000;
constexpr size_t kEditsMax = 8;

std::vector<std::string> ReadCorpus(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);  // the same order everywhere
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// A few random edits: change, insert or drop a byte, cut a piece out, join two inputs.
std::string Mutate(const std::vector<std::string>& inputs, kulisse::Random& random) {
  const auto below = [&random](size_t limit) { return limit == 0 ? 0 : random.Below(limit); };
  std::string input = inputs[below(inputs.size())];
  for (size_t edits = 1 + below(kEditsMax); edits > 0; --edits) {
    const size_t at = below(input.size() + 1);
    switch (below(5)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(random.Next());
        break;
      case 1:
        input.insert(at, 1, static_cast<char>(random.Next()));
        break;
      case 2:
        input.erase(at, 1);
        break;
      case 3:
        input.erase(at, below(16));
        break;
      default: {
        const std::string& other = inputs[below(inputs.size())];
        const size_t from = below(other.size() + 1);
        input = input.substr(0, at) + other.substr(from);
        break;
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS]\n", argv[0]);
    return 2;
  }
  const std::vector<std::string> inputs = ReadCorpus(argv[1]);
  if (inputs.empty()) {
    std::fprintf(stderr, "no inputs in %s\n", argv[1]);
    return 2;
  }
  for (const std::string& input : inputs) Run(input);
  kulisse::Random random(kSeed);
  const int64_t mutations = argc > 2 ? kulisse::ParseInt64(argv[2]).value_or(0) : kMutationsDefault;
  for (int64_t i = 0; i < mutations; ++i) Run(Mutate(inputs, random));
  return 0;
}
