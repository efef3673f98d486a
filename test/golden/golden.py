#!/usr/bin/env python3
"""Golden HTTP transcripts: records them from a real kube-apiserver, replays them against Kulisse.

  golden.py replay --kulisse PROGRAM [DIRECTORY|FILE…]   what ctest runs
  golden.py replay --kubeconfig F [DIRECTORY|FILE…]      against a server that runs
  golden.py record --reference DIR [DIRECTORY|FILE…]     rewrites the expected answers
  golden.py record --kubeconfig F [DIRECTORY|FILE…]

Exit status: 0 all as expected, 1 differences, 2 bad usage or a bad file.
"""
import argparse
import concurrent.futures
import difflib
import gzip
import http.client
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "support"))

import masks
import servers
import transcript
import wire_text

SHOWN_HEADERS = ["Content-Type", "Content-Encoding", "Cache-Control", "Vary", "ETag",
                 "Last-Modified", "Expires", "Location", "Allow", "Retry-After", "Warning",
                 "WWW-Authenticate", "X-Content-Type-Options", "Sec-WebSocket-Accept",
                 "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "Frames"]
# A header that says the usual is left out.
USUAL_HEADERS = {"Cache-Control": "no-cache, private"}
HEADER_MASKS = [("ETag", re.compile(r"[0-9A-Fa-f]{32,}"), "<hash>"),
                ("Last-Modified", re.compile(r".+"), "<date>"),
                ("Expires", re.compile(r".+"), "<date>")]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return ", ".join(v for k, v in self.headers if k.lower() == name.lower())


class Suite:
    """A folder with transcripts in api/ and its known_differences.txt."""

    def __init__(self, folder):
        self.api = os.path.join(os.path.abspath(folder), "api")
        self._known_differences = os.path.join(folder, "known_differences.txt")
        # Other suites show them where a case asks for it.
        self._managed_fields = os.path.abspath(folder) == HERE

    def load(self, path):
        with open(path, encoding="utf-8") as file:
            script = transcript.Transcript(self.name(path), file.read())
        if self._managed_fields:
            for case in script.cases:
                case.options.setdefault("show", "managedFields")
        return script

    def name(self, path):
        return os.path.relpath(path, self.api)

    def known_differences(self):
        """{case id: reason}. A line is `FILE: CASE => REASON`."""
        known = {}
        with open(self._known_differences, encoding="utf-8") as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    case, arrow, reason = line.strip().partition(" => ")
                    if not arrow or not reason:
                        raise transcript.BadTranscript(
                            f"{self._known_differences}: no reason in {line!r}")
                    known[case] = reason
        return known

    def find_files(self, arguments):
        found = []
        for argument in arguments or [self.api]:
            path = argument if os.path.exists(argument) else os.path.join(self.api, argument)
            if os.path.isfile(path):
                found.append(os.path.abspath(path))
                continue
            for folder, _, names in sorted(os.walk(path)):
                found += [os.path.join(folder, n) for n in sorted(names) if n.endswith(".http")]
        if not found:
            raise transcript.BadTranscript(f"no transcripts in {arguments}")
        return found


class Session:
    """Runs the cases of one file against one server."""

    def __init__(self, server, script):
        self._server, self._script = server, script
        self._connections = {}
        self._variables = {}
        self._answers = {case.options["on-answer"]: "{}" for case in script.cases
                         if "on-answer" in case.options}
        self._mask = masks.Masker(script.request_text(), script.masks)

    def close(self):
        for connection in self._connections.values():
            connection.close()

    def prepare(self):
        """The namespaces of the file, each with the service account that pods must have."""
        for name in self._script.namespaces:
            self._create("/api/v1/namespaces", {"metadata": {"name": name}})
            self._create(f"/api/v1/namespaces/{name}/serviceaccounts",
                         {"metadata": {"name": "default"}})

    def _create(self, target, body):
        answer = self._send("admin", "POST", target, [("Content-Type", "application/json")],
                            json.dumps(body).encode())
        if answer.status not in (201, 409):
            raise RuntimeError(f"POST {target}: {answer.status} {answer.body[:300]!r}")

    def run(self, case):
        """Sends the request; returns the answer as text, values marked."""
        body = self._substitute(case.body)
        if "on-answer" in case.options:
            body = transcript.patched(self._answers[case.options["on-answer"]], body)
        data = body.encode()
        if case.options.get("body") == "protobuf":
            data = wire_text.protobuf_from_text(body)
        identity = case.options.get("as", "admin")
        headers = [(k, self._substitute(v)) for k, v in case.headers]
        if identity not in ("admin", "anonymous"):
            headers.append(("Authorization", f"Bearer {identity}-token"))
        answer = self._send(identity, case.method, self._substitute(case.target), headers, data)
        if case.name in self._answers and answer.status < 300:
            self._answers[case.name] = answer.body.decode()
        for variable, path in case.saves:
            self._variables[variable] = _look_up(answer, path)
        return show_answer(answer, self._mask, case.options.get("show"))

    def _send(self, identity, method, target, headers, data):
        for attempt in (1, 2):
            connection = self._connections.get(identity)
            fresh = connection is None
            if fresh:
                connection = self._connections[identity] = self._server.connect(identity)
            try:
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in headers:
                    connection.putheader(name, value)
                if data or method in ("POST", "PUT", "PATCH"):
                    connection.putheader("Content-Length", str(len(data)))
                connection.endheaders(data or None)
                response = connection.getresponse()
                if response.status == 101:
                    answer = web_socket_answer(response.getheaders(), response.fp.read())
                else:
                    answer = Answer(response.status, response.getheaders(), response.read())
                if response.will_close or response.status == 101:
                    self._drop(identity)
                return answer
            except (http.client.HTTPException, OSError) as error:
                self._drop(identity)
                if fresh or attempt == 2:  # not a kept connection that the server closed meanwhile
                    return Answer(0, [], f"no answer: {error!r}".encode())
        raise AssertionError("unreachable")

    def _drop(self, identity):
        self._connections.pop(identity).close()

    def _substitute(self, text):
        def value(match):
            name = match.group(1)
            if name.startswith("fill:"):
                return "x" * int(name[5:])
            if name.startswith("ops:"):
                return ",".join(['{"op":"test","path":"/kind","value":"x"}'] * int(name[4:]))
            return str(self._variables.get(name, f"UNSET-{name}"))
        return re.sub(r"\$\{([^}]+)\}", value, text)


def web_socket_answer(headers, data):
    """What came over a WebSocket until it closed, as if it were the body of a plain watch."""
    kinds, body, at = [], b"", 0
    while at < len(data):
        opcode, size = data[at] & 15, data[at + 1]
        at += 2
        if size > 125:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at:at + width], "big"), at + width
        payload, at = data[at:at + size], at + size
        if opcode == 8:
            kinds.append(f"close {int.from_bytes(payload, 'big')}")
        else:
            kinds.append({1: "text", 2: "binary", 10: "pong"}[opcode])
            body += payload if opcode == 1 else len(payload).to_bytes(4, "big") + payload
    format = "vnd.kubernetes.protobuf" if "binary" in kinds else "json"
    return Answer(101, headers + [("Frames", ", ".join(kinds)),
                                  ("Content-Type", f"application/{format}")], body)


def _look_up(answer, path):
    try:
        if path.startswith("header "):
            return answer.header(path[7:])
        value = json.loads(answer.body)
        for part in path.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        return value
    except (ValueError, KeyError, IndexError, TypeError):
        return "UNSET"


def show_answer(answer, mask, show=None):
    """The answer as it stands in the transcripts, values marked. `show` is the value of @show."""
    lines = []
    for name in SHOWN_HEADERS:
        values = [v for k, v in answer.headers if k.lower() == name.lower()]
        if name in USUAL_HEADERS:
            if values == [USUAL_HEADERS[name]]:
                continue
            values = values or ["(none)"]
        for value in values:
            for header, pattern, replacement in HEADER_MASKS:
                if header == name:
                    value = pattern.sub(replacement, value, count=1)
            lines.append(f"{name}: {mask(value)}")
    body = answer.body
    if answer.header("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if show == "outcome" and answer.status < 300:
        body = b""
    layout, text = show_body(answer.header("Content-Type"), body, mask, show == "managedFields")
    status = f"---- {answer.status}" + (f" ({layout})" if layout else "")
    return "\n".join([status] + lines + (["", text] if text else []))


def show_body(content_type, body, mask, managed_fields=False):
    if "protobuf" in content_type and body:
        try:
            return "", wire_text.show_protobuf(body, mask, managed_fields)
        except ValueError as error:
            return f"not protobuf: {error}", repr(body)
    text = wire_text.LONG_RUN.sub(lambda m: f"${{fill:{len(m.group(0))}}}",
                                  body.decode("utf-8", errors="backslashreplace"))
    if "json" in content_type and text:
        try:
            return wire_text.show_json(text, mask, managed_fields)
        except wire_text.NotJson as error:
            return ("not JSON: " + str(error)).replace("\n", " "), mask(text)
    if "yaml" in content_type:
        text = wire_text.show_yaml(text, managed_fields)
    if not text:
        return "", ""
    layout = "" if text.endswith("\n") else "no newline"
    return layout, mask(text.rstrip("\n"))


# ---- Recording and replaying.
class Outcome:
    """What replaying one file found."""

    def __init__(self):
        self.passed = []  # ids of cases
        self.failed = {}  # id: the difference as text


def record_file(suite, server, path):
    script = suite.load(path)
    session = Session(server, script)
    numbers = masks.Numbers()
    try:
        session.prepare()
        for case in script.cases:
            case.expected = numbers.assign(session.run(case))
    finally:
        session.close()
    with open(path, "w", encoding="utf-8") as file:
        file.write(script.text())


def replay_file(suite, server, path):
    script = suite.load(path)
    session = Session(server, script)
    numbers = masks.Numbers()
    outcome = Outcome()
    try:
        session.prepare()
        for case in script.cases:
            got = numbers.unify(case.expected, session.run(case))
            if got == case.expected:
                outcome.passed.append(case.id)
            else:
                outcome.failed[case.id] = (f"FAILED {case.id}\n  {case.method} {case.target}\n"
                                           + difference(case.expected, got))
    except RuntimeError as error:
        for case in script.cases:
            if case.id not in outcome.passed:
                outcome.failed.setdefault(case.id, f"FAILED {case.id}: {error}")
    finally:
        session.close()
    return outcome


def replay_all(suite, server, files, jobs):
    """The outcome of each file; `jobs` files at a time, those that want to be alone at the end."""
    alone = [path for path in files if suite.load(path).alone]
    together = [path for path in files if path not in alone]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(lambda path: replay_file(suite, server, path), together))
    return outcomes + [replay_file(suite, server, path) for path in alone]


def difference(expected, got):
    lines = difflib.unified_diff(expected.split("\n"), got.split("\n"), n=2, lineterm="")
    return "\n".join("  " + line for line in list(lines)[2:])


def replay(suite, server, files, jobs):
    """Replays the files and prints what is new; returns the exit status."""
    known = suite.known_differences()
    passed, failed, report = set(), set(), []

    for outcome in replay_all(suite, server, files, jobs):
        passed.update(outcome.passed)
        failed.update(outcome.failed)
        report += [text for case, text in outcome.failed.items() if case not in known]
    print("\n\n".join(sorted(report)))
    vanished = sorted(passed & known.keys())
    for case in vanished:
        print(f"FAILED {case}\n  is as kube-apiserver's now: take it out of known_differences.txt")
    ran = {suite.name(path) for path in files}
    unknown = [c for c in known if c.split(": ")[0] in ran and c not in passed | failed]
    for case in unknown:
        print(f"FAILED {case}\n  stands in known_differences.txt, but there is no such case")
    new = failed - known.keys()
    print(f"{len(files)} files, {len(passed) + len(failed)} cases: {len(passed)} the same, "
          f"{len(failed) - len(new)} known differences, {len(new)} new differences, "
          f"{len(vanished)} vanished")
    return 1 if new or vanished or unknown else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["record", "replay"])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kulisse", help="program to start")
    where.add_argument("--kubeconfig", help="of a running server")
    where.add_argument("--reference", help="folder with up.sh and down.sh of a real control plane")
    parser.add_argument("--port", type=int, default=26443,
                        help="of the reference (it takes the next five too)")
    parser.add_argument("--jobs", type=int, default=4, help="replay: files at a time")
    parser.add_argument("--suite", type=Suite, default=Suite(HERE),
                        help="folder with api/ and known_differences.txt")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_intermixed_args()
    files = options.suite.find_files(options.paths)
    for path in files:
        options.suite.load(path)  # a mistake in one is found before anything is started
    if options.kubeconfig:
        folder = os.path.dirname(os.path.abspath(options.kubeconfig))
        return act(options, servers.from_kubeconfig(options.kubeconfig, folder), files)
    started = (servers.Kulisse(options.kulisse, ["--no-simulator"]) if options.kulisse
               else servers.Reference(options.reference, options.port, ["--no-kwok"]))
    with started as server:
        result = act(options, server, files)
    return result or (1 if getattr(started, "exit_code", 0) else 0)


def act(options, server, files):
    if options.action == "replay":
        return replay(options.suite, server, files, options.jobs)
    for path in files:
        record_file(options.suite, server, path)
        print(options.suite.name(path))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (transcript.BadTranscript, wire_text.NotJson) as problem:
        print(f"golden.py: {problem}", file=sys.stderr)
        sys.exit(2)
