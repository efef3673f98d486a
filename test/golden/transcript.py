"""The files of test/golden/api: requests, and what a real kube-apiserver answered."""
import json
import re

_SEPARATOR = "### "
_EXPECTED = "---- "
_SHOWN = ("outcome", "managedFields")


class BadTranscript(ValueError):
    """The file is not in the format of README.md."""


class Case:
    """One request and the answer that is expected."""

    def __init__(self, path, name, lines):
        self.name = name
        self.id = f"{path}: {name}"
        at = next((i for i, line in enumerate(lines) if line.startswith(_EXPECTED)), len(lines))
        self.request_lines = _without_blank_end(lines[:at])
        self.expected = "\n".join(_without_blank_end(lines[at:]))
        self.options = {}  # @name value, without "save"
        self.saves = []    # (variable, path in the answer)
        self._parse_request()

    def _parse_request(self):
        lines = list(self.request_lines)
        while lines and lines[0].startswith(("@", "#")):
            self._parse_directive(lines.pop(0))
        if not lines:
            raise BadTranscript(f"{self.id}: no request line")
        match = re.fullmatch(r"([A-Z]+) (/\S*)", lines.pop(0))
        if not match:
            raise BadTranscript(f"{self.id}: bad request line")
        self.method, self.target = match.groups()
        self.headers = []
        while lines and lines[0]:
            name, colon, value = lines.pop(0).partition(": ")
            if not colon:
                raise BadTranscript(f"{self.id}: bad header {name!r}")
            self.headers.append((name, value))
        self.body = "\n".join(lines[1:])

    def _parse_directive(self, line):
        if line.startswith("#"):
            return
        name, _, value = line[1:].partition(" ")
        if name == "save":
            variable, equals, path = value.partition(" = ")
            if not equals:
                raise BadTranscript(f"{self.id}: @save NAME = PATH")
            self.saves.append((variable, path))
        elif name in ("as", "body", "on", "on-answer") or (name == "show" and value in _SHOWN):
            self.options[name] = value
        else:
            raise BadTranscript(f"{self.id}: unknown @{name}")


class Transcript:
    """One file: a scenario whose cases run one after the other."""

    def __init__(self, path, text):
        self.path = path
        self.header = []
        self.cases = []
        self.namespaces = []
        self.masks = []
        self.alone = False
        self._parse(text.split("\n"))

    def _parse(self, lines):
        starts = [i for i, line in enumerate(lines) if line.startswith(_SEPARATOR)]
        if not starts:
            raise BadTranscript(f"{self.path}: no case")
        self.header = _without_blank_end(lines[:starts[0]])
        for line in self.header:
            self._parse_header(line)
        names = set()
        for start, end in zip(starts, starts[1:] + [len(lines)]):
            name = lines[start][len(_SEPARATOR):].strip()
            if name in names:
                raise BadTranscript(f"{self.path}: two cases are named {name!r}")
            names.add(name)
            self.cases.append(Case(self.path, name, lines[start + 1:end]))
        self._make_bodies()

    def _make_bodies(self):
        """The body of a case with @on is a JSON patch of the body of the case it names."""
        for at, case in enumerate(self.cases):
            if "on" in case.options:
                base = next((c for c in self.cases[:at] if c.name == case.options["on"]), None)
                if base is None:
                    raise BadTranscript(f"{case.id}: no case {case.options['on']!r} before it")
                case.body = patched(base.body, case.body)

    def _parse_header(self, line):
        match = re.fullmatch(r"# (namespace|mask|alone): (.*)", line)
        if not match:
            return
        if match.group(1) == "namespace":
            self.namespaces.append(match.group(2))
        elif match.group(1) == "alone":
            self.alone = True
        else:
            pattern, arrow, replacement = match.group(2).partition(" => ")
            if not arrow:
                raise BadTranscript(f"{self.path}: # mask: PATTERN => TEXT")
            self.masks.append((re.compile(pattern), replacement))

    def request_text(self):
        return "\n".join(line for case in self.cases for line in case.request_lines)

    def text(self):
        parts = ["\n".join(self.header) + "\n"]
        for case in self.cases:
            parts.append("\n".join([_SEPARATOR + case.name] + case.request_lines)
                         + f"\n{case.expected}\n")
        return "\n".join(parts)


def patched(document, operations):
    """A JSON text after a JSON patch."""
    body = json.loads(document)
    for operation in json.loads(operations):
        _patch(body, operation)
    return json.dumps(body, separators=(",", ":"))


def _patch(document, operation):
    """An operation add, replace or remove of a JSON patch; its path is that of a member."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~")
                      for part in operation["path"].split("/")[1:]]
    for part in parents:
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError):  # an answer may lack what was asked for
            return
    if isinstance(document, list) and operation["op"] == "add":
        document.insert(len(document) if last == "-" else int(last), operation["value"])
        return
    key = int(last) if isinstance(document, list) else last
    if operation["op"] != "remove":
        document[key] = operation["value"]
    elif isinstance(document, list):
        del document[key]
    else:
        document.pop(key, None)


def _without_blank_end(lines):
    lines = list(lines)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
