"""What differs from run to run, and the placeholders that stand for it.

A numbered placeholder (<uid:1>, <rv:2>, <ip:1>) is the same value everywhere in a file, and another
number is another value; the others (<now>, <rv>, <continue> …) only say what kind of thing it is.
"""
import difflib
import re

from wire_text import MARK_CLOSE, MARK_OPEN

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# "2006-01-02T15:04:05" is how Go writes a format, in messages.
_TIME = r"(?!2006-01-02T15:04:05)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
_NUMBERED = re.compile(r"<(uid|rv|ip):\d+>")
_OPEN, _CLOSE = MARK_OPEN, MARK_CLOSE

# (pattern, replacement), in this order.
_PLAIN_RULES = [
    (re.compile(r'("metadata":\{"resourceVersion":")\d+"'), r'\1<rv>"'),  # of lists and bookmarks
    (re.compile(r'("continue":")[^"]+"'), r'\1<continue>"'),
    (re.compile(r"(too old resource version: \d+ \()\d+\)"), r"\1<rv>)"),
    (re.compile(r"(Too large resource version: \d+, current: )\d+"), r"\1<rv>"),
    (re.compile(r"(in record \()\d+\)"), r"\1<rv>)"),
    (re.compile(r"kube-api-access-[a-z0-9]{5}"), "kube-api-access-<suffix>"),
    (re.compile(r"apiserver-[a-z2-7]{26}"), "apiserver-<id>"),
    (re.compile(r"X509SHA256=[0-9a-f]{64}"), "X509SHA256=<hash>"),
    # Of an object that is quoted within a string.
    (re.compile(r'(\\{3}"resourceVersion\\{3}":\\{3}")\d+'), r"\1<rv>"),
    # ListMeta in protobuf.
    (re.compile(r'^( *1: "[^"]*"\n *2: ")\d+(?="\n *3: )', re.M), r"\1<rv>"),
    (re.compile(r"^(metadata:\n  resourceVersion: )\"\d+\"", re.M), r'\1"<rv>"'),
]
_NUMBERED_RULES = [
    ("rv", re.compile(r'("resourceVersion":")(\d+)(?=")')),
    ("rv", re.compile(r'(\bresourceVersion: ")(\d+)(?=")')),
    ("rv", re.compile(r'^( *6: ")(\d+)(?="$)', re.M)),  # ObjectMeta in protobuf
    ("uid", re.compile(rf"()({_UUID})")),
    ("ip", re.compile(r"()(?<![\d.])(10\.\d+\.\d+\.\d+)(?![\d.]|/)")),
]
# Kulisse has no descriptions, and neither have the transcripts.
_DESCRIPTION = re.compile(
    r'("type":"[^"]*","format":"[^"]*","description":)"(?:[^"\\]|\\.)*"')
_YAML_DESCRIPTION = re.compile(r"^(- description: )(?:.*\n)(?:    .*\n|\n)*", re.M)
_AGE = re.compile(r'"(?:\d+[smhdy]){1,2}"')


class Masker:
    """The masks of one file. `literal` is what its requests say: times in it are not masked."""

    def __init__(self, literal, rules):
        self._literal = literal
        self._rules = rules  # of the file: (pattern, replacement)

    def __call__(self, text):
        for pattern, replacement in self._rules + _PLAIN_RULES:
            text = pattern.sub(replacement, text)
        text = re.sub(_TIME, lambda m: m.group(0) if m.group(0) in self._literal else "<now>", text)
        if '"kind":"Table"' in text:
            text = _DESCRIPTION.sub(r'\1"<text>"', _AGE.sub('"<age>"', text))
        if "\nkind: Table\n" in text:
            text = re.sub(r"^  - \d+s$", "  - <age>", _YAML_DESCRIPTION.sub(r"\1<text>\n", text),
                          flags=re.M)
        for kind, pattern in _NUMBERED_RULES:
            text = pattern.sub(
                lambda m, kind=kind: m.group(0) if self._is_literal(kind, m.group(2)) else
                f"{m.group(1)}{_OPEN}{kind} {m.group(2)}{_CLOSE}", text)
        return text

    def _is_literal(self, kind, value):
        return kind != "rv" and value in self._literal


_MARKED = re.compile(f"{_OPEN}([a-z]+) ([^{_CLOSE}]*){_CLOSE}")


class Numbers:
    """Which value a numbered placeholder of a file stands for."""

    def __init__(self):
        self._value_of = {}  # "<uid:1>" -> value
        self._name_of = {}   # (kind, value) -> "<uid:1>"

    def assign(self, marked):
        """Recording: replaces the values by placeholders, new ones where a value is new."""
        def name(match):
            key = match.groups()
            if key not in self._name_of:
                count = sum(1 for kind, _ in self._name_of if kind == key[0])
                self._bind(f"<{key[0]}:{count + 1}>", key)
            return self._name_of[key]
        return _MARKED.sub(name, marked)

    def unify(self, expected, marked):
        """Replaying: returns the text with the placeholders that `expected` has at these places,
        as far as that is consistent with what is known."""
        want_lines = expected.split("\n")
        got_lines = marked.split("\n")
        want_plain = [_NUMBERED.sub(r"<\1>", line) for line in want_lines]
        got_plain = [_MARKED.sub(r"<\1>", line) for line in got_lines]
        matcher = difflib.SequenceMatcher(None, want_plain, got_plain, autojunk=False)
        for start_want, start_got, size in matcher.get_matching_blocks():
            for i in range(size):
                self._bind_line(want_lines[start_want + i], got_lines[start_got + i])
        return _MARKED.sub(self._known_name, marked)

    def _bind_line(self, want, got):
        for placeholder, value in zip(_NUMBERED.finditer(want), _MARKED.finditer(got)):
            self._bind(placeholder.group(0), value.groups())

    def _bind(self, placeholder, key):
        if placeholder not in self._value_of and key not in self._name_of:
            self._value_of[placeholder] = key
            self._name_of[key] = placeholder

    def _known_name(self, match):
        return self._name_of.get(match.groups(), f"<{match.group(1)} {match.group(2)}>")
