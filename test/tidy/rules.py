"""The tables of tidy.py: what is banned, where it is allowed, and what to use instead."""

COLUMNS_MAX = 100
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70

# Banned in C++ code (comments and strings do not count):
# (pattern, path prefixes where it is allowed, replacement)
BANNED_CODE = [
    (r"\b(system|steady|high_resolution)_clock::now\b",
     ("base/real_runtime.cc", "base/log.cc", "bench/",
      "apiserver/net/server.cc", "test/unit/apiserver/net/"),  # sockets live on the machine's time
     "Runtime::Now or Runtime::MonotonicNow"),
    (r"\bstd::(thread|jthread|async)\b",
     ("base/real_runtime.", "storage/", "apiserver/net/", "cmd/", "test/", "bench/"),
     "Runtime::Post; threads belong to base, storage, net and cmd"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.:>])sleep\(",
     ("bench/",), "Runtime::ScheduleAfter; in tests VirtualRuntime::RunFor"),
    (r"(?<![\w.:>])(?<!\w )(std::)?(rand|srand|random|drand48)\("
     r"|\bstd::(random_device|mt19937\w*)\b", ("cmd/", "test/"),
     "Runtime::RandomBits or Random with a seed"),
    (r"(?<![\w.:>])(std::)?(time|gettimeofday|clock_gettime)\(",
     ("base/real_runtime.cc", "base/log.cc", "bench/"),
     "Runtime::Now"),
    (r"\bdetached\b", (), "a coroutine that somebody can cancel and await"),
    (r"\benable_shared_from_this\b", ("apiserver/net/", "test/unit/apiserver/net/"),
     "an owner, or values"),
    (r"\busing namespace\b(?! std::(\w+::)?\w*literals\b)", (),
     "using-declarations of single names"),
    (r"\bstd::regex\b", (), "a parser of a few lines: std::regex recurses on its input"),
    (r"\brapidjson\b", ("test/unit/base/",), "base/json/value.h"),
    (r"\bstd::(cout|cerr|clog)\b|(?<![\w.:>])(std::)?(printf|puts)\(",
     ("cmd/", "test/", "bench/", "openapi/generate/"), "base/log.h: libraries do not print"),
    (r"(?<![\w.:>])(std::)?(atoi|atol|atof|strtok|sprintf|strcpy|strcat|gets)\(",
     ("bench/", "test/"),
     "base/text.h or fmt::format"),
    (r"(?<![\w.:>])assert\(", (), "KULISSE_ASSERT, which release builds keep"),
]

# Headers that are slow to compile, or that one folder hides from the rest:
# (prefix of the included path, path prefixes that may include it, in headers too?, replacement)
BANNED_INCLUDES = [
    ("boost/beast", ("apiserver/net/", "cmd/client/", "test/", "bench/"), True, "apiserver/http.h"),
    ("boost/asio", ("apiserver/net/", "cmd/client/", "test/", "bench/"), True, "base/runtime.h"),
    ("rocksdb/", ("storage/", "test/unit/storage/", "bench/"), False, "storage/engine.h"),
    ("openssl/", ("certs/", "apiserver/", "simulator/sprig/", "cmd/client/", "test/", "bench/"),
     False, "certs/certificate.h"),
    ("rapidjson/", ("test/unit/base/",), False, "base/json/value.h"),
    ("gtest/", ("test/",), True, "a test under test/"),
    ("gmock/", ("test/",), True, "a test under test/"),
]

# Banned in every text file: the repository speaks of the project alone.
BANNED_TEXT = [
    (r"\b(FIX" r"ME|XX" r"X)\b", "do it now, or write down an issue: TODO(#123)"),
    (r"\bTODO\b(?!\(#\d+\)|s\b)", "TODO(#123): with the number of an issue"),
    (r"(?<![\w.~-])/(work|root)/", "a path of one machine: take it from a flag or the environment"),
    (r"\.\./(shared|work)\b", "a path outside of the repository"),
    (r"(?i)\b(claude|anthropic|chatgpt|copilot|language model)\b", "words about the project"),
]

# Folders whose files are recorded or generated: only BANNED_TEXT's paths concern them.
DATA = ("openapi/facts/", "test/golden/", "test/fuzz/corpus/", "simulator/stages/")

# Documents may name files that do not exist here under these prefixes.
DOC_PATHS_ELSEWHERE = ("build/", "pki/", "store/", "D/")
