#!/usr/bin/env python3
"""Stages step by step on real KWOK and on Kulisse: an object goes through the same states.

A file of plays/ has objects and, for each, the stages that apply to it alone (play_files.py).
record runs KWOK on a real control plane and writes every state that a watch shows, and the events,
into plays/NAME.txt; replay runs Kulisse with the same stages and waits until its watches have shown
the same. --kwok-stages: with KWOK's own files where a play takes those that are shipped.

  test/differential/plays.py record --reference DIR [NAME…]
  test/differential/plays.py replay --kulisse build/release/kulisse [NAME…]  # ctest -L differential
"""
import argparse
import contextlib
import difflib
import json
import os
import sys
import tempfile
import threading
import time

import play_files
import stages
from stages import request, servers

NAMESPACE = "plays"
SETTLE_S = 2   # record: KWOK may overlook a pod that comes right after its node
QUIET_S = 7    # record: nothing more comes after this
LATE_S = 30    # replay: what has not come by then is missing; record: what goes on is endless
IN_NAMESPACE = f"/namespaces/{NAMESPACE}/"
COLLECTIONS = {"ConfigMap": "/api/v1" + IN_NAMESPACE + "configmaps",
               "Secret": "/api/v1" + IN_NAMESPACE + "secrets",
               "Pod": "/api/v1" + IN_NAMESPACE + "pods",
               "Deployment": "/apis/apps/v1" + IN_NAMESPACE + "deployments",
               "Node": "/api/v1/nodes"}
RBAC = "rbac.authorization.k8s.io"
# What plays need: their namespace, and the user that some patches are made as.
PREPARED = [("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
            ("/api/v1" + IN_NAMESPACE + "serviceaccounts", {"metadata": {"name": "default"}}),
            (f"/apis/{RBAC}/v1/clusterrolebindings",
             {"metadata": {"name": "plays"},
              "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
              "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "system:admin-of-plays"}]})]


# ---- what is seen

def shown(item, paths):
    """The parts of an object that stages change, and those of `paths`."""
    metadata = item["metadata"]
    labels = {k: v for k, v in metadata.get("labels", {}).items() if k not in ("play", "case")}
    annotations = {k: v for k, v in metadata.get("annotations", {}).items() if "/" not in k}
    parts = {"labels": labels, "annotations": annotations,
             "finalizers": metadata.get("finalizers"), "data": item.get("data"),
             "deleting": "deletionTimestamp" in metadata, "status": item.get("status"),
             "unschedulable": item.get("spec", {}).get("unschedulable")}
    parts = stages.comparable({name: value for name, value in parts.items() if value})
    for path in paths:
        found = [holder[name] for holder, name in play_files.parts_of(item, path)]
        parts |= {path: found} if found else {}
    return parts


class Watches:
    """Follows the objects of all plays: what a watch shows of each, one line a state."""

    def __init__(self, server, plays, is_kwok):
        self._plays = plays
        self._is_kwok = is_kwok
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
        play = self._plays[key[0]]
        if not self._is_kwok:
            item = play_files.without(item, play.said_more)
        line = f"  {event['type']} {json.dumps(shown(item, play.shown), sort_keys=True)}"
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
        by = f"{event['source'].get('component')}, of {about.get('apiVersion', 'no version')}"
        line = f"  EVENT {event['type']} {event['reason']}: {event['message']} " \
               f"×{event['count']} (by {by})"
        lines.setdefault((about["kind"], about["name"]), []).append(line)
    return lines


def text_of(lines, events):
    """{object: what was seen of it}."""
    return {" ".join(key): "\n".join([" ".join(key), *seen, *sorted(events.get(key, []))]) + "\n"
            for key, seen in sorted(lines.items())}


# ---- both servers

class Stagehand:
    """Makes the objects of the plays, and sends what a play has for its object once that looks
    as the play says."""

    def __init__(self, server, plays, watches, settle):
        self._server, self._watches = server, watches
        self._waiting = {}  # (play, kind, name) -> what is still to be sent
        for play in plays.values():
            for item in play.before:
                self._send("POST", COLLECTIONS[item["kind"]], item)
        time.sleep(settle)
        for play in plays.values():
            for item in play.objects:
                name = item["metadata"]["name"]
                self._send("POST", COLLECTIONS[item["kind"]], item)
                if play.then[name]:
                    self._waiting[play.name, item["kind"], name] = list(play.then[name])
                self.work()

    def _send(self, method, target, body=None, content_type="application/json"):
        code, answer = request(self._server, method, target, body, content_type)
        if code >= 300:
            raise RuntimeError(f"{method} {target}: {code} {answer.get('message')}")

    def work(self):
        """Whether there is more to come."""
        for (play, kind, name), rest in list(self._waiting.items()):
            seen = self._watches.of(play).get((kind, name), [""])
            if rest[0] not in seen[-1]:
                continue
            self._act(f"{COLLECTIONS[kind]}/{name}", rest[1])
            del rest[:2]
            if not rest:
                del self._waiting[play, kind, name]
        return bool(self._waiting)

    def _act(self, target, what):
        if what == "DELETE":
            self._send("DELETE", target)
        elif "POST" in what:
            self._send("POST", what["POST"], what["body"])
        else:
            self._send("PATCH", target, what, "application/merge-patch+json")


def seen_on(server, plays, is_kwok, is_done):
    """{play: {object: what was seen of it}}, once is_done(it, watches) says so."""
    for collection, item in PREPARED:
        request(server, "POST", collection, item)
    watches = Watches(server, plays, is_kwok)
    stagehand = Stagehand(server, plays, watches, SETTLE_S if is_kwok else 0)
    while True:
        more = stagehand.work()
        events = events_of(server)
        found = {name: text_of(watches.of(name), events) for name in plays}
        if is_done(found, watches, more):
            return found
        time.sleep(0.1)


# A KwokConfiguration without these stops KWOK, or parts of it.
WORKERS = {"podPlayStageParallelism": 4, "nodePlayStageParallelism": 4, "nodeLeaseParallelism": 4,
           "podsOnNodeSyncParallelism": 1}


def write_config(folder, plays):
    path = os.path.join(folder, "stages.yaml")
    with open(path, "w", encoding="utf-8") as file:
        for play in plays.values():
            documents = list(play.stages)
            if play.options:
                documents.append(json.dumps({
                    "apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration",
                    "metadata": {"name": "kwok"}, "options": WORKERS | play.options}))
            file.write("".join(document + "\n---\n" for document in documents))
    return path


def record_path(play, server="KWOK"):
    end = ".txt" if server == "KWOK" else ".kulisse.txt"
    return os.path.join(play_files.FOLDER, play.name + end)


def write_record(play, found, server="KWOK"):
    with open(record_path(play, server), "w", encoding="utf-8") as file:
        file.write("".join(found.values()))


def read_record(play, server="KWOK"):
    """{object: what was seen of it}."""
    objects = []
    if not os.path.exists(record_path(play, server)):
        return {}
    with open(record_path(play, server), encoding="utf-8") as file:
        for line in file:
            if line.startswith(" "):
                objects[-1].append(line)
            else:
                objects.append([line])
    return {lines[0].strip(): "".join(lines) for lines in objects}


def is_by_design(play, key):
    return key.split(" ", 1)[1].removeprefix(play.name + "-") in play.by_design


def expected_of(play):
    """What Kulisse is to show: what KWOK showed, but for what differs by design."""
    expected = read_record(play)
    if not play.by_design:
        return expected
    own = read_record(play, "Kulisse")
    for key in expected:
        if is_by_design(play, key):
            if own.get(key) == expected[key]:
                raise RuntimeError(f"{key}: does not differ, take it out of by_design")
            expected[key] = own.get(key, "")
    return expected


def record(reference, options):
    plays = chosen(options)
    with servers.Reference(reference, options.port, ["--no-kwok"]) as server, \
            tempfile.TemporaryDirectory() as folder, \
            stages.real_kwok(server, write_config(folder, plays), options.port + 50):
        deadline = time.monotonic() + 2 * LATE_S
        found = seen_on(server, plays, True, lambda _, watches, more: time.monotonic() > deadline or
                        watches.quiet_for() > QUIET_S and not more)
    for name, play in plays.items():
        write_record(play, found[name])
    return 0


def replay(program, options):
    plays = chosen(options)
    expected = {name: expected_of(play) for name, play in plays.items()}
    deadline = time.monotonic() + LATE_S
    with tempfile.TemporaryDirectory() as folder:
        started = servers.Kulisse(
            program, ["--stages", "none", "--config", write_config(folder, plays)])
        with started as server:
            found = seen_on(server, plays, False, lambda seen, *_: seen == expected or
                            time.monotonic() > deadline)
    differ = 0
    for name, texts in expected.items():
        for key in sorted(texts.keys() | found[name].keys()):
            text, got = texts.get(key, ""), found[name].get(key, "")
            if text != got:
                differ += 1
                print(f"FAILED plays/{name}: {key}")
                print("\n".join(difflib.unified_diff(text.split("\n"), got.split("\n"),
                                                     "KWOK", "Kulisse", lineterm="", n=0)))
    if options.accept:
        for name, play in plays.items():
            write_record(play, {key: text for key, text in found[name].items()
                                if is_by_design(play, key)}, "Kulisse")
    count = sum(len(play.objects) for play in plays.values())
    print(f"{count} objects, {differ} differ")
    return 1 if differ or getattr(started, "exit_code", 0) else 0


def chosen(options):
    plays = play_files.read(options.kwok_stages)
    return {name: play for name, play in plays.items() if name in (options.name or plays)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="plays; all when there is none")
    parser.add_argument("--kwok-stages", metavar="DIR", help="kustomize/stage of KWOK's source")
    parser.add_argument("--accept", action="store_true",
                        help="replay: write what Kulisse shows where it differs by design")
    return stages.run(parser, record, replay)


if __name__ == "__main__":
    sys.exit(main())
