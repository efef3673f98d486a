#!/usr/bin/env python3
"""Stages step by step on real KWOK and on Kulisse: an object goes through the same states.

A file of plays/ has objects and, for each, the stages that apply to it alone. record runs KWOK on a
real control plane and writes every state that a watch shows into plays/NAME.txt; replay runs
Kulisse with the same stages and waits until its watches have shown the same.

  test/differential/plays.py record --reference DIR
  test/differential/plays.py replay --kulisse build/release/kulisse      # ctest -L differential
"""
import argparse
import contextlib
import copy
import difflib
import glob
import json
import os
import sys
import tempfile
import threading
import time

import stages
from stages import request, servers

FOLDER = os.path.join(stages.HERE, "plays")
NAMESPACE = "plays"
QUIET_S = 3    # record: nothing more comes after this
LATE_S = 30    # replay: what has not come by then is missing
IN_NAMESPACE = f"/namespaces/{NAMESPACE}/"
COLLECTIONS = {"ConfigMap": "/api/v1" + IN_NAMESPACE + "configmaps",
               "Secret": "/api/v1" + IN_NAMESPACE + "secrets",
               "Deployment": "/apis/apps/v1" + IN_NAMESPACE + "deployments",
               "Node": "/api/v1/nodes"}
RBAC = "rbac.authorization.k8s.io"
# What plays need: their namespace, and the user that some patches are made as.
PREPARED = [("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
            (f"/apis/{RBAC}/v1/clusterrolebindings",
             {"metadata": {"name": "plays"},
              "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
              "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "system:admin-of-plays"}]})]


# ---- what is played

def cases_of(play):
    """Objects (what they have besides the play's) and stages, by name; a file may abbreviate."""
    cases = dict(play.get("cases", {}))
    step = play.get("step")
    for name, expressions in play.get("matches", {}).items():
        cases[name] = {"stages": [{"selector": {"matchExpressions": expressions}, "steps": [step]}]}
    for name, delay in play.get("delays", {}).items():
        cases[name] = {"stages": [{"delay": delay, "steps": [step]}]}
    for name, weights in play.get("choices", {}).items():
        cases[name] = {"stages": [
            weight | {"steps": [{"patch": {"template": f'data: {{first: null, by: "{number}"}}'}}]}
            for number, weight in enumerate(weights)]}
    for name, (there, action) in play.get("finalizers", {}).items():
        done = {"patch": {"template": 'metadata: {annotations: {done: "yes"}}'}}
        cases[name] = {"object": {"metadata": {"finalizers": there}},
                       "stages": [{"steps": [{"finalizers": action}, done]}]}
    return cases


def merged(base, change):
    result = dict(base)
    for name, value in change.items():
        both = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = merged(result[name], value) if both else value
    return result


def expand(play_name, play):
    """The objects and the stages of a file."""
    objects, made = [], []
    for case, parts in cases_of(play).items():
        name = f"{play_name}-{case}"
        labels = {"play": play_name, "case": case}
        item = merged(copy.deepcopy(play["object"]), parts.get("object", {}))
        objects.append(merged(item, {"metadata": {"name": name, "labels": labels}}))
        for number, spec in enumerate(parts["stages"]):
            spec = merged({"selector": play.get("selector", {})}, spec)
            spec = merged(spec, {
                "resourceRef": {"apiGroup": item["apiVersion"], "kind": item["kind"]},
                "selector": {"matchLabels": labels}})
            made.append({"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage",
                         "metadata": {"name": f"{name}-{number}"}, "spec": spec})
    return objects, made


def read_plays():
    plays = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.json"))):
        with open(path, encoding="utf-8") as file:
            name = os.path.splitext(os.path.basename(path))[0]
            plays[name] = expand(name, json.load(file))
    return plays


# ---- what is seen

def shown(item):
    """The parts of an object that stages change."""
    metadata = item["metadata"]
    labels = {k: v for k, v in metadata.get("labels", {}).items() if k not in ("play", "case")}
    annotations = {k: v for k, v in metadata.get("annotations", {}).items() if "/" not in k}
    parts = {"labels": labels, "annotations": annotations,
             "finalizers": metadata.get("finalizers"), "data": item.get("data"),
             "deleting": "deletionTimestamp" in metadata, "status": item.get("status"),
             "unschedulable": item.get("spec", {}).get("unschedulable")}
    return stages.comparable({name: value for name, value in parts.items() if value})


class Watches:
    """Follows the objects of all plays: what a watch shows of each, one line a state."""

    def __init__(self, server):
        self._lines = {}  # (play, kind, name) -> lines
        self._last_change = time.monotonic()
        self._lock = threading.Lock()
        self._connections = []
        for kind, collection in COLLECTIONS.items():
            connection = server.connect("admin")
            connection.request("GET", f"{collection}?watch=true&labelSelector=play")
            self._connections.append(connection)
            threading.Thread(target=self._follow, args=(kind, connection.getresponse()),
                             daemon=True).start()

    def _follow(self, kind, answer):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            while line := answer.readline():
                self._note(kind, json.loads(line))

    def _note(self, kind, event):
        item = event["object"]
        key = (item["metadata"]["labels"]["play"], kind, item["metadata"]["name"])
        line = f"  {event['type']} {json.dumps(shown(item), sort_keys=True)}"
        with self._lock:
            lines = self._lines.setdefault(key, [])
            # A change of what is not shown is nobody's business here.
            if not lines or lines[-1].split(" ", 3)[3] != line.split(" ", 3)[3] or \
                    event["type"] == "DELETED":
                lines.append(line)
                self._last_change = time.monotonic()

    def quiet_for(self):
        return time.monotonic() - self._last_change

    def of(self, play):
        with self._lock:
            return {key[1:]: list(lines) for key, lines in self._lines.items() if key[0] == play}


def events_of(server):
    """What was recorded about each object."""
    lines = {}
    for event in request(server, "GET", "/api/v1/events")[1]["items"]:
        about = event["involvedObject"]
        line = f"  EVENT {event['type']} {event['reason']}: {event['message']} ×{event['count']}"
        lines.setdefault((about["kind"], about["name"]), []).append(line)
    return lines


def text_of(lines, events):
    text = []
    for key in sorted(lines):
        text += [" ".join(key), *lines[key], *sorted(events.get(key, []))]
    return "\n".join(text) + "\n"


# ---- both servers

@contextlib.contextmanager
def watching(server, plays):
    for collection, item in PREPARED:
        request(server, "POST", collection, item)
    watches = Watches(server)
    for objects, _ in plays.values():
        for item in objects:
            code, answer = request(server, "POST", COLLECTIONS[item["kind"]], item)
            if code != 201:
                raise RuntimeError(f"{item['metadata']['name']}: {code} {answer.get('message')}")
    yield watches


def write_config(folder, plays):
    path = os.path.join(folder, "stages.yaml")
    with open(path, "w", encoding="utf-8") as file:
        for _, made in plays.values():
            for stage in made:
                file.write(json.dumps(stage) + "\n---\n")
    return path


def record(reference, port):
    plays = read_plays()
    with servers.Reference(reference, port, ["--no-kwok"]) as server, \
            tempfile.TemporaryDirectory() as folder:
        with stages.real_kwok(server, write_config(folder, plays), port + 50), \
                watching(server, plays) as watches:
            while watches.quiet_for() < QUIET_S:
                time.sleep(0.1)
            events = events_of(server)
            for name in plays:
                with open(os.path.join(FOLDER, name + ".txt"), "w", encoding="utf-8") as file:
                    file.write(text_of(watches.of(name), events))
    return 0


def replay(program):
    plays = read_plays()
    expected = {}
    for name in plays:
        with open(os.path.join(FOLDER, name + ".txt"), encoding="utf-8") as file:
            expected[name] = file.read()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        started = servers.Kulisse(
            program, ["--stages", "none", "--config", write_config(folder, plays)])
        with started as server, watching(server, plays) as watches:
            deadline = time.monotonic() + LATE_S
            while found != expected and time.monotonic() < deadline:
                time.sleep(0.1)
                events = events_of(server)
                found = {name: text_of(watches.of(name), events) for name in plays}
    for name, text in expected.items():
        if found[name] != text:
            print(f"FAILED plays/{name}")
            print("\n".join(difflib.unified_diff(text.split("\n"), found[name].split("\n"),
                                                 "KWOK", "Kulisse", lineterm="", n=2)))
    count = sum(len(objects) for objects, _ in plays.values())
    print(f"{count} objects, {sum(found[n] != t for n, t in expected.items())} files differ")
    return 1 if found != expected or getattr(started, "exit_code", 0) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    return stages.run(parser, record, replay)


if __name__ == "__main__":
    sys.exit(main())
