#!/usr/bin/env python3
"""Checks the rules of this repository that no compiler checks: layers, lengths, banned calls,
documents that still tell the truth. Prints one line a violation, with what to do, and exits 1.

usage: tidy.py [ROOT]
"""

import pathlib
import posixpath
import re
import shutil
import subprocess
import sys

import rules

CXX = (".h", ".cc")
CODE = CXX + (".py", ".sh")
DOC_EXTENSIONS = (".h", ".cc", ".py", ".md", ".txt", ".cmake", ".yaml", ".tsv")
TOP_LEVEL_WITHOUT_README = ("docs", "cmake", ".ci")


# --- C++ text ----------------------------------------------------------------------------------

TOKEN = re.compile(
    r'R"(?P<tag>[^()\\\s]{0,16})\((?P<raw>.*?)\)(?P=tag)"'
    r'|//[^\n]*|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def blank(text):
    """The C++ text with comments and literals as blanks; lines and columns stay."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())
    return TOKEN.sub(spaces, text)


NOT_A_FUNCTION = re.compile(
    r"^\s*(\[\[.*?\]\]\s*)*(template\s*<.*?>\s*)?"
    r"(namespace|class|struct|enum|union|extern|requires)\b"
    r"|=\s*$")
CONTROL = re.compile(r"^\s*(if|for|while|switch|catch|do|else|try)\b")
NAME = re.compile(r"([\w:~]+|operator\W+)\s*\(")


def functions(code):
    """(name, first line, lines) of every function with a body, in blanked C++ text. A heuristic
    by braces: a body is a brace outside of functions that follows a parenthesis."""
    found = []
    depth = 0
    body_depth = None
    start = 0      # of the declaration that is being read
    begin = None
    name = ""
    for match in re.finditer(r"[{};]|^\s*#(?:[^\n]*\\\n)*[^\n]*", code, re.MULTILINE):
        token = match.group()
        if token.lstrip().startswith("#"):
            if body_depth is None:
                start = match.end()
            continue
        if token == "{":
            head = code[start:match.start()]
            if (body_depth is None and ")" in head and not NOT_A_FUNCTION.search(head)
                    and not CONTROL.search(head)):
                body_depth = depth
                begin = start + len(head) - len(head.lstrip())
                named = NAME.search(head)
                name = named.group(1) if named else "?"
            depth += 1
        elif token == "}":
            depth -= 1
            if body_depth == depth:
                first = code.count("\n", 0, begin) + 1
                last = code.count("\n", 0, match.start()) + 1
                found.append((name, first, last - first + 1))
                body_depth = None
        if body_depth is None:
            start = match.end()
    return found


# --- rules on one file -------------------------------------------------------------------------

def check_code(path, text):
    """Violations of banned calls and includes in a C++ file: (line, message)."""
    code = blank(text)
    for number, line in enumerate(code.split("\n"), 1):
        for pattern, allowed, instead in rules.BANNED_CODE:
            match = re.search(pattern, line)
            if match and not path.startswith(tuple(allowed)):
                yield number, f"{match.group().strip()} is banned: use {instead}"
    for number, line in enumerate(text.split("\n"), 1):
        included = re.match(r'\s*#\s*include\s+[<"]([^>"]+)', line)
        if not included:
            continue
        for prefix, allowed, in_headers, instead in rules.BANNED_INCLUDES:
            if not included.group(1).startswith(prefix):
                continue
            if not path.startswith(tuple(allowed)) or (path.endswith(".h") and not in_headers):
                yield number, f"<{included.group(1)}> is not included here: use {instead}"


def check_layers(path, text, layers):
    folder = path.split("/")[0]
    if folder not in layers:
        yield 1, f"{folder}/ is in no line of test/tidy/layers.txt"
        return
    allowed = layers[folder]
    for number, line in enumerate(text.split("\n"), 1):
        included = re.match(r'\s*#\s*include\s+"([^"/]+)/', line)
        if not included or "*" in allowed:
            continue
        other = included.group(1)
        if other != folder and other in layers and other not in allowed:
            yield number, f"{folder}/ may not include {other}/: see test/tidy/layers.txt"


def check_columns(text, path=""):
    """Of a C++ test, literals do not count: they are what a real server said."""
    if path.startswith("test/") and path.endswith(CXX):
        text = TOKEN.sub(lambda m: "\n" * m.group().count("\n"), text)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > rules.COLUMNS_MAX:
            yield number, f"{len(line)} columns, at most {rules.COLUMNS_MAX}"


def check_text(text, is_data=False):
    for pattern, instead in rules.BANNED_TEXT:
        if is_data and "/" not in pattern:
            continue
        for match in re.finditer(pattern, text):
            number = text.count("\n", 0, match.start()) + 1
            yield number, f"\"{match.group()}\": {instead}"


def lengths(path, text):
    """(rule, key, lines, limit) of what is too long."""
    lines = text.count("\n")
    if lines > rules.FILE_LINES_MAX:
        yield "file", path, lines, rules.FILE_LINES_MAX
    for name, _, size in functions(blank(text)):
        if size > rules.FUNCTION_LINES_MAX:
            yield "function", f"{path}:{name}", size, rules.FUNCTION_LINES_MAX


def prose(text):
    """The Markdown text with its code blocks as empty lines."""
    return re.sub(r"^```.*?^```", lambda m: "\n" * m.group().count("\n"), text,
                  flags=re.DOTALL | re.MULTILINE)


def check_markdown(path, text, exists):
    titles = re.findall(r"^# ", prose(text), re.MULTILINE)
    if len(titles) != 1 and path != "AGENTS.md":
        yield 1, f"has {len(titles)} titles (# …), not one"
    folder = path.rpartition("/")[0]
    for number, line in enumerate(prose(text).split("\n"), 1):
        for name in re.findall(r"`([\w.\-/]+)`", line):
            if is_document_path(name, exists) and not any(
                    exists(f"{base}/{name}".lstrip("/")) for base in ancestors(folder)):
                yield number, f"`{name}` does not exist"


def is_document_path(name, exists):
    """Whether a document that says `name` means a file or folder of this repository."""
    if name.startswith(rules.DOC_PATHS_ELSEWHERE) or name.startswith("/"):
        return False
    if name.endswith(DOC_EXTENSIONS):
        return True
    return "/" in name and exists(name.split("/")[0])


def ancestors(folder):
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


# --- rules on the tree -------------------------------------------------------------------------

def check_allowed(too_long, allowed):
    """The allow-list may only shrink. `allowed`: {(rule, key): lines}."""
    left = dict(allowed)
    for rule, key, lines, limit in too_long:
        limit_here = left.pop((rule, key), None)
        if limit_here is None:
            yield f"{key}: {rule} of {lines} lines, at most {limit}: take it apart"
        elif lines > limit_here:
            yield f"{key}: {rule} has grown from {limit_here} to {lines} lines: take it apart"
        elif lines < limit_here:
            yield f"test/tidy/allowed.txt: {rule} {key} has {lines} lines now: write that number"
    for rule, key in left:
        yield f"test/tidy/allowed.txt: {rule} {key} is short enough now: remove the line"


def check_registered(files, read):
    """Every .cc file is in some CMakeLists.txt, every CMakeLists.txt in the one above it."""
    cmakes = [f for f in files if posixpath.basename(f) == "CMakeLists.txt"]
    listed = set()
    for rules_file in (f for f in files if f.endswith(".cmake")):
        listed.update(re.findall(r"\$\{CMAKE_SOURCE_DIR\}/([\w./-]+\.cc)", read(rules_file)))
    for cmake in cmakes:
        for name in re.findall(r"[\w./-]+\.cc\b", read(cmake)):
            listed.add(posixpath.normpath(posixpath.join(posixpath.dirname(cmake), name)))
    for path in files:
        if path.endswith(".cc") and path not in listed:
            yield f"{path}: is in no CMakeLists.txt"
    for cmake in cmakes:
        folder, name = posixpath.split(posixpath.dirname(cmake))
        above = read(posixpath.join(folder, "CMakeLists.txt"))
        if name and f"add_subdirectory({name})" not in above:
            yield f"{cmake}: is not added by the folder above"


def check_folder_table(readme, folders):
    listed = re.findall(r"^\| `([\w.-]+)/` \|", readme, re.MULTILINE)
    for folder in sorted(folders - set(listed)):
        yield f"README.md: the table of folders lacks {folder}/"
    for folder in sorted(set(listed) - folders):
        yield f"README.md: the table of folders has {folder}/, which does not exist"


def check_folder_readmes(files, folders):
    for folder in sorted(folders):
        if folder not in TOP_LEVEL_WITHOUT_README and f"{folder}/README.md" not in files:
            yield f"{folder}/: has no README.md"


# --- putting it together -----------------------------------------------------------------------

def list_files(root):
    """What git knows or would add; without git, what is there."""
    names = None
    if shutil.which("git"):
        git = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                             cwd=root, capture_output=True, text=True, check=False)
        names = git.stdout.splitlines() if git.returncode == 0 else None
    if names is None:
        names = [str(p.relative_to(root)) for p in root.rglob("*")]
        names = [n for n in names if not n.startswith(("build/", ".git/"))]
    return sorted(n for n in set(names) if (root / n).is_file())


def read_layers(text):
    layers = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            folder, _, others = line.partition(":")
            layers[folder.strip()] = others.split()
    return layers


def read_allowed(text):
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {(rule, key): int(lines) for rule, key, lines in rows}


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = list_files(root)
        self.folders = {f.split("/")[0] for f in self.files if "/" in f}
        self._texts = {}

    def read(self, path):
        if path not in self._texts:
            data = (self.root / path).read_bytes() if path in self.files else b""
            self._texts[path] = "" if b"\0" in data else data.decode("utf-8", "replace")
        return self._texts[path]

    def exists(self, path):
        return (self.root / path).exists()


def check_file(tree, path, layers):
    text = tree.read(path)
    is_data = path.startswith(rules.DATA)
    if path != "test/tidy/rules.py":
        yield from check_text(text, is_data)
    if is_data:
        return
    if path.endswith(CODE) or path in ("dev", ".ci/run"):
        yield from check_columns(text, path)
    if path.endswith(CXX):
        yield from check_code(path, text)
        yield from check_layers(path, text, layers)
    if path.endswith(".md"):
        yield from check_markdown(path, text, tree.exists)


def check_tree(tree):
    layers = read_layers(tree.read("test/tidy/layers.txt"))
    too_long = []
    for path in tree.files:
        for line, message in check_file(tree, path, layers):
            yield f"{path}:{line}: {message}"
        if path.endswith(CXX):
            too_long.extend(lengths(path, tree.read(path)))
    yield from check_allowed(too_long, read_allowed(tree.read("test/tidy/allowed.txt")))
    yield from check_registered(tree.files, tree.read)
    yield from check_folder_table(tree.read("README.md"), tree.folders)
    yield from check_folder_readmes(set(tree.files), tree.folders)


def main(arguments):
    default = pathlib.Path(__file__).resolve().parents[2]
    root = pathlib.Path(arguments[0]).resolve() if arguments else default
    violations = list(check_tree(Tree(root)))
    for violation in violations:
        print(violation)
    print(f"tidy: {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
