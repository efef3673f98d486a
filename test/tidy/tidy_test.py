#!/usr/bin/env python3
"""Tests of tidy.py on snippets: each rule finds what it is for and leaves the rest alone."""

import pathlib
import tempfile
import unittest
from unittest import mock

import rules
import tidy


def code(path, text):
    return [message for _, message in tidy.check_code(path, text)]


class BlankTest(unittest.TestCase):
    def test_literals_and_comments_go_and_lines_stay(self):
        text = 'a("{"); // }\nb(\'{\'); /* {\n{ */ c(R"x({")x");'
        self.assertEqual(tidy.blank(text).count("\n"), 2)
        self.assertNotIn("{", tidy.blank(text))
        self.assertIn("c(", tidy.blank(text))

    def test_digit_separators_are_no_characters(self):
        self.assertEqual(tidy.blank("x = 1'000; y = 2'000;"), "x = 1'000; y = 2'000;")


class FunctionsTest(unittest.TestCase):
    def lengths(self, text):
        return {name: size for name, _, size in tidy.functions(tidy.blank(text))}

    def test_finds_functions_methods_and_tests(self):
        text = ("namespace a {\nint F(int x) {\n  if (x) {\n  }\n  return 0;\n}\n"
                "class C : public D {\n  void M() const {\n  }\n  int y_ = 0;\n};\n"
                "TEST(FooTest, Works) {\n  auto l = [&](int i) {\n  };\n}\n}\n"
                "C::C(int a)\n    : b_(a) {\n}\n")
        self.assertEqual(self.lengths(text), {"F": 5, "M": 2, "TEST": 4, "C::C": 3})

    def test_leaves_tables_and_types_alone(self):
        text = ("constexpr Row kRows[] = {\n  {F(1), 2},\n  {3, 4},\n};\n"
                "struct S {\n  int a = f(1);\n  int b;\n};\n"
                "enum class E : uint8_t { kA };\n#define M(x) \\\n  do { x; } while (0)\n")
        self.assertEqual(self.lengths(text), {})

    def test_reports_what_is_too_long(self):
        body = "  F();\n" * rules.FUNCTION_LINES_MAX
        found = list(tidy.lengths("a/b.cc", "void G() {\n" + body + "}\n"))
        self.assertEqual(found, [("function", "a/b.cc:G", 72, 70)])
        self.assertEqual(list(tidy.lengths("a/b.cc", "void G() {\n  F();\n}\n" * 200)), [])
        many = list(tidy.lengths("a/b.cc", "int x;\n" * 801))
        self.assertEqual(many, [("file", "a/b.cc", 801, 800)])


class BannedTest(unittest.TestCase):
    def test_names_the_replacement(self):
        found = code("storage/a.cc", "auto t = std::chrono::system_clock::now();")
        self.assertEqual(found, ["system_clock::now is banned: use Runtime::Now or "
                                 "Runtime::MonotonicNow"])

    def test_finds_each_call(self):
        for text in ("std::thread t;", "sleep(1);", "std::this_thread::sleep_for(1s);",
                     "int x = rand();", "std::random_device d;", "time(nullptr);",
                     "co_spawn(e, f(), asio::detached);", "using namespace std;",
                     "std::regex r;", "rapidjson::Document d;", "std::cout << 1;",
                     "atoi(s);", "assert(x);", "printf(s);",
                     "class A : std::enable_shared_from_this<A> {};"):
            self.assertEqual(len(code("openapi/a.cc", text)), 1, text)

    def test_leaves_likenesses_alone(self):
        for text in ("// std::thread", 's = "std::regex";', "runtime.time(1);", "my_rand();",
                     "static_assert(true);", "std::this_thread::get_id();", "Timeout(1);",
                     "#include <regex>", "lifetime(3);", "Random random(1);",
                     "using namespace std::chrono_literals;", "snprintf(a, b);", "strand(x);"):
            self.assertEqual(code("openapi/a.cc", text), [], text)

    def test_allows_where_the_table_says(self):
        self.assertEqual(code("storage/writer.cc", "std::thread t;"), [])
        self.assertEqual(len(code("openapi/writer.cc", "std::thread t;")), 1)

    def test_hides_headers(self):
        rocks = "#include <rocksdb/db.h>"
        self.assertEqual(code("storage/engine.cc", rocks), [])
        self.assertEqual(len(code("storage/engine.h", rocks)), 1)
        self.assertEqual(len(code("apiserver/a.cc", rocks)), 1)
        self.assertEqual(len(code("simulator/a.cc", "#include <boost/asio.hpp>")), 1)


class LayersTest(unittest.TestCase):
    LAYERS = {"base": [], "storage": ["base"], "test": ["*"]}

    def found(self, path, text):
        return [m for _, m in tidy.check_layers(path, text, self.LAYERS)]

    def test_downwards_only(self):
        self.assertEqual(self.found("storage/a.cc", '#include "base/x.h"'), [])
        self.assertEqual(self.found("storage/a.cc", '#include "storage/x.h"'), [])
        self.assertEqual(self.found("test/unit/a.cc", '#include "storage/x.h"'), [])
        self.assertEqual(self.found("base/a.cc", '\n#include "storage/x.h"'),
                         ["base/ may not include storage/: see test/tidy/layers.txt"])
        self.assertEqual(len(self.found("util/a.cc", "")), 1)


class TextTest(unittest.TestCase):
    def found(self, text):
        return [line for line, _ in tidy.check_text(text)]

    def test_finds_leftovers(self):
        self.assertEqual(self.found("a\n// FIX" "ME\n"), [2])
        self.assertEqual(self.found("// TO" "DO: later"), [1])
        self.assertEqual(self.found("// TO" "DO(#12): later"), [])
        self.assertEqual(self.found("see /wor" "k/main"), [1])
        self.assertEqual(self.found("a network/path, ~/work/x"), [])

    def test_columns(self):
        self.assertEqual(list(tidy.check_columns("x" * 100)), [])
        self.assertEqual(list(tidy.check_columns("ä" * 100)), [])
        literal = '"' + "x" * 101 + '"},'
        self.assertEqual(list(tidy.check_columns(literal, "test/a.cc")), [])
        self.assertEqual(len(list(tidy.check_columns(literal, "base/a.cc"))), 1)
        self.assertEqual(list(tidy.check_columns("\n" + "x" * 101)),
                         [(2, "101 columns, at most 100")])


class MarkdownTest(unittest.TestCase):
    FILES = {"base", "base/", "base/limits.h", "docs", "docs/style.md", "test/tidy"}

    def found(self, text, path="docs/a.md"):
        return [m for _, m in tidy.check_markdown(path, text, self.FILES.__contains__)]

    def test_one_title(self):
        self.assertEqual(self.found("# A\n\n## B\n\n```\n# comment\n```\n"), [])
        self.assertEqual(self.found("text\n"), ["has 0 titles (# …), not one"])
        self.assertEqual(self.found("# A\n# B\n"), ["has 2 titles (# …), not one"])

    def test_named_files_exist(self):
        self.assertEqual(self.found("# A\n`base/limits.h` `style.md` `base/` `application/json` "
                                    "`build/release` `a.go` `pods`"), [])
        self.assertEqual(self.found("# A\n`base/gone.h`"), ["`base/gone.h` does not exist"])
        self.assertEqual(self.found("# A\n`gone.cc`"), ["`gone.cc` does not exist"])


class TreeTest(unittest.TestCase):
    def test_files_are_found_without_git(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch("shutil.which", return_value=None):
            root = pathlib.Path(folder)
            for name in ("a.cc", "b/c.h", "build/d.cc", ".git/e"):
                (root / name).parent.mkdir(exist_ok=True)
                (root / name).write_text("")
            self.assertEqual(tidy.list_files(root), ["a.cc", "b/c.h"])

    def test_allow_list_may_only_shrink(self):
        too_long = [("file", "a.cc", 900, 800)]
        def found(allowed):
            return list(tidy.check_allowed(too_long, allowed))
        self.assertEqual(found({("file", "a.cc"): 900}), [])
        self.assertIn("at most 800", found({})[0])
        self.assertIn("has grown from 850 to 900", found({("file", "a.cc"): 850})[0])
        self.assertIn("write that number", found({("file", "a.cc"): 950})[0])
        self.assertIn("remove the line",
                      found({("file", "a.cc"): 900, ("function", "b.cc:F"): 80})[0])

    def test_files_are_registered(self):
        texts = {"CMakeLists.txt": "add_subdirectory(a)",
                 "a/CMakeLists.txt": "SRCS x.cc b/y.cc ../d/w.cc",
                 "a/x.cc": "", "a/b/y.cc": "", "a/b/z.cc": "", "a/xx.cc": "",
                 "c/CMakeLists.txt": "", "d/w.cc": "",
                 "cmake/r.cmake": "add(${CMAKE_SOURCE_DIR}/d/v.cc)", "d/v.cc": ""}
        found = list(tidy.check_registered(sorted(texts), lambda p: texts.get(p, "")))
        self.assertEqual(found, ["a/b/z.cc: is in no CMakeLists.txt",
                                 "a/xx.cc: is in no CMakeLists.txt",
                                 "c/CMakeLists.txt: is not added by the folder above"])

    def test_folder_table_equals_the_tree(self):
        readme = "# R\n| `a/` | x |\n| `old/` | y |\n"
        self.assertEqual(list(tidy.check_folder_table(readme, {"a", "new"})),
                         ["README.md: the table of folders lacks new/",
                          "README.md: the table of folders has old/, which does not exist"])

    def test_folders_say_what_they_are(self):
        self.assertEqual(list(tidy.check_folder_readmes({"a/README.md"}, {"a", "b", "docs"})),
                         ["b/: has no README.md"])


if __name__ == "__main__":
    unittest.main()
