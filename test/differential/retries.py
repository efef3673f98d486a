#!/usr/bin/env python3
"""What KWOK does when a write of a stage fails: whether it tries again, when, and from where on.

Real KWOK works on a real control plane through a proxy that answers the writes of each object in
CASES with a failure, so many times. record writes test/golden/retries.json: the stages, the whole
seconds between tries, the object and the events in the end; StageRetryTest plays the same in
virtual time. Record on an idle machine.

  test/differential/retries.py record --reference DIR
"""
import argparse
import contextlib
import http.client
import http.server
import json
import os
import sys
import tempfile
import threading
import time

import stages
from stages import request, servers

RECORD = os.path.join(stages.ROOT, "test", "golden", "retries.json")
NAMESPACE = "retries"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
QUIET_S = 12  # longer than the longest pause that is asked for
STEPS = {
    # The object no longer matches after the first patch; the second sees it as it was.
    "patch": [{"event": {"type": "Normal", "reason": "Before", "message": "said"}},
              {"patch": {"template": "data: {first: null, a: '1'}"}},
              {"event": {"type": "Normal", "reason": "With", "message": "said"},
               "patch": {"template": "data: {b: 'was {{ .data.first }}'}"}},
              {"patch": {"template": "data: {c: '3'}"}}],
    "finalizers": [{"patch": {"template": "data: {first: null}"}},
                   {"event": {"type": "Normal", "reason": "With", "message": "said"},
                    "finalizers": {"add": [{"value": "example.com/a"}]}}],
    "delete": [{"event": {"type": "Normal", "reason": "Before", "message": "said"}},
               {"delete": True, "event": {"type": "Normal", "reason": "With", "message": "said"}},
               {"event": {"type": "Normal", "reason": "After", "message": "said"}}],
    "apply": [{"apply": {"template": "{apiVersion: v1, kind: ConfigMap, metadata: {name: "
                                     "'made-by-{{ .metadata.name }}'}, data: {b: '1'}}"}},
              {"patch": {"template": "data: {first: null}"}}]}
# Name: steps, code and reason of the failure, how often.
CASES = {
    "unavailable": ("patch", 503, "ServiceUnavailable", 4),
    "timeout": ("patch", 504, "Timeout", 2),
    "server-timeout": ("patch", 500, "ServerTimeout", 1),
    "too-many": ("patch", 429, "TooManyRequests", 1),
    "503-alone": ("patch", 503, "", 1),
    "504-alone": ("patch", 504, "", 1),
    "429-alone": ("patch", 429, "", 1),
    "500-alone": ("patch", 500, "", 1),
    "conflict": ("patch", 409, "Conflict", 1),
    "internal": ("patch", 500, "InternalError", 1),
    "invalid": ("patch", 422, "Invalid", 1),
    "forbidden": ("patch", 403, "Forbidden", 1),
    "missing": ("patch", 404, "NotFound", 1),
    "429-forbidden": ("patch", 429, "Forbidden", 1),
    "503-internal": ("patch", 503, "InternalError", 1),
    "finalizers": ("finalizers", 503, "ServiceUnavailable", 2),
    "delete": ("delete", 503, "ServiceUnavailable", 2),
    "apply": ("apply", 503, "ServiceUnavailable", 1)}


def failing_case(method, path, body):
    """The case whose write this is, if it is one that may fail."""
    if not path.startswith(CONFIG_MAPS):
        return None
    name = path.partition("?")[0][len(CONFIG_MAPS) + 1:]
    if method == "POST" and b"made-by-" in body:
        return json.loads(body)["metadata"]["name"].removeprefix("made-by-")
    fails = method == "DELETE" or method == "PATCH" and (b'"b"' in body or b"finalizers" in body)
    return name if fails and name in CASES else None


class Faults:
    """How often each case is to fail still, and when it was tried. Threads: any."""

    def __init__(self):
        self._lock = threading.Lock()
        self._left = {name: times for name, (*_, times) in CASES.items()}
        self.tries = {name: [] for name in CASES}

    def next(self, case):
        """The Status to answer with, or None."""
        with self._lock:
            self.tries[case].append(time.monotonic())
            if self._left[case] == 0:
                return None
            self._left[case] -= 1
        _, code, reason, _ = CASES[case]
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "not now", "reason": reason, "code": code}


def proxy_of(server, faults):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            case = failing_case(self.command, self.path, body)
            status = faults.next(case) if case else None
            if status:
                self._answer(status["code"], "application/json", json.dumps(status).encode())
            else:
                self._forward(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_any

        def _forward(self, body):
            connection = server.connect("admin")
            headers = {name: value for name, value in self.headers.items()
                       if name.lower() not in ("host", "connection", "accept-encoding")}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content_type = answer.getheader("Content-Type", "application/json")
            if "watch=true" not in self.path:
                return self._answer(answer.status, content_type, answer.read())
            self.send_response(answer.status)
            self.send_header("Content-Type", content_type)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            with contextlib.suppress(OSError, http.client.HTTPException):  # until either ends
                while piece := answer.read1(65536):
                    self.wfile.write(piece)
                    self.wfile.flush()
            return None

        def _answer(self, code, content_type, body):
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    return proxy


def stage_of(name):
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name},
            "spec": {"resourceRef": {"apiGroup": "v1", "kind": "ConfigMap"},
                     "selector": {"matchLabels": {"case": name}, "matchExpressions": [
                         {"key": ".data.first", "operator": "Exists"}]},
                     "steps": STEPS[CASES[name][0]]}}


def outcome(server, name, tries):
    code, item = request(server, "GET", f"{CONFIG_MAPS}/{name}")
    steps, failure, reason, times = CASES[name]
    events = request(server, "GET", f"/api/v1/namespaces/{NAMESPACE}/events")[1]["items"]
    return {"stage": stage_of(name), "writes": steps,
            "failure": {"code": failure, "reason": reason, "times": times},
            "pauses": [int(after - before) for before, after in zip(tries, tries[1:])],
            "object": "gone" if code == 404 else {
                "data": item.get("data", {}), "finalizers": item["metadata"].get("finalizers", [])},
            "events": {event["reason"]: event["count"] for event in events
                       if event["involvedObject"]["name"] == name}}


def record(reference, options):
    faults = Faults()
    with servers.Reference(reference, options.port, ["--no-kwok"]) as server, \
            tempfile.TemporaryDirectory() as folder:
        proxy = proxy_of(server, faults)
        through = os.path.join(folder, "kubeconfig")
        with open(through, "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "c",
                       "clusters": [{"name": "c", "cluster": {
                           "server": f"http://127.0.0.1:{proxy.server_port}"}}],
                       "users": [{"name": "u", "user": {}}],
                       "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}, file)
        config = os.path.join(folder, "stages.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("\n---\n".join(json.dumps(stage_of(name)) for name in CASES))
        request(server, "POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        for name in CASES:
            request(server, "POST", CONFIG_MAPS,
                    {"metadata": {"name": name, "labels": {"case": name}},
                     "data": {"first": "yes"}})
        with stages.real_kwok(servers.Server(through, *[None] * 5), config, options.port + 50):
            started = time.monotonic()
            while time.monotonic() - max([started, *sum(faults.tries.values(), [])]) < QUIET_S:
                time.sleep(0.2)
        found = {name: outcome(server, name, faults.tries[name]) for name in CASES}
        proxy.shutdown()
    with open(RECORD, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, sort_keys=True)
        file.write("\n")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["record"])
    parser.add_argument("--reference", required=True,
                        help="folder with up.sh and down.sh of a real control plane")
    parser.add_argument("--port", type=int, default=26643, help="of the reference")
    options = parser.parse_args()
    return record(options.reference, options)


if __name__ == "__main__":
    sys.exit(main())
