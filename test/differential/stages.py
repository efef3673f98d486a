#!/usr/bin/env python3
"""The shipped stages on real KWOK and on Kulisse: the same objects come to the same end.

record runs KWOK on a real control plane and writes stages.json; replay runs Kulisse with the same
stage files and waits until its objects are those of the record.

  test/differential/stages.py record --reference DIR
  test/differential/stages.py replay --kulisse build/release/kulisse      # ctest -L differential
"""
import argparse
import contextlib
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "test", "support"))
import servers  # noqa: E402  (found by the path above)

RECORD = os.path.join(HERE, "stages.json")
# All that KWOK understands of what is shipped; heartbeats change nothing that is compared.
STAGES = ["common/node-initialize.yaml", "general/*.yaml", "chaos/*.yaml", "volume/*.yaml",
          "nodes/*.yaml"]
TIMEOUT_S = 60
CORE = "/api/v1"
PODS = CORE + "/namespaces/default/pods"


def pod(name, annotations=None, labels=None, **spec):
    """A pod whose stages do not wait."""
    quick = {f"{stage}.stage.kwok.x-k8s.io/{what}": "0s"
             for stage in ("pod-create", "pod-init-container-running", "pod-ready",
                           "pod-init-container-completed") for what in ("delay", "jitter-delay")}
    return {"metadata": {"name": name, "annotations": quick | (annotations or {}),
                         "labels": labels or {}},
            "spec": {"nodeName": "node-b", "automountServiceAccountToken": False,
                     "containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}],
                     **spec}}


def node(name, labels):
    return {"metadata": {"name": name, "labels": labels}}


SUFFIX = ".stage.kwok.x-k8s.io"
INITS = {"initContainers": [{"name": "one", "image": "i"},
                            {"name": "side", "image": "i", "restartPolicy": "Always"}]}
FAILS = "pod-container-running-failed" + SUFFIX
# Collection, object, and what the object says when it has come to its end.
OBJECTS = [
    (CORE + "/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}, '"name"'),
    (CORE + "/nodes", node("node-a", {"node-pressure" + SUFFIX: "MemoryPressure"}),
     "KubeletHasInsufficientMemory"),
    (CORE + "/nodes", node("node-b", {"node-drain" + SUFFIX: "true"}), '"unschedulable"'),
    (CORE + "/nodes", node("node-c", {"node-not-ready" + SUFFIX: "true"}), "node failed"),
    (CORE + "/nodes", node("node-d", {"node-death" + SUFFIX: "true"}), "NodeStatusUnknown"),
    (PODS, pod("plain"), '"Running"'),
    (PODS, pod("inits", **INITS), '"Running"'),
    (PODS, pod("fails", {FAILS + "/exit-code": "7", FAILS + "/container-name": "b"},
               {FAILS: "true"}), '"Failed"'),
    (PODS, pod("init-fails", labels={"pod-init-container-running-failed" + SUFFIX: "true"},
               initContainers=[{"name": "one", "image": "i"}]), '"Failed"'),
    ("/apis/storage.k8s.io/v1/storageclasses",
     {"metadata": {"name": "kwok-volume"}, "provisioner": "kwok.x-k8s.io/volume"}, '"name"'),
    (CORE + "/namespaces/default/persistentvolumeclaims",
     {"metadata": {"name": "data"}, "spec": {
         "accessModes": ["ReadWriteOnce"], "storageClassName": "kwok-volume",
         "resources": {"requests": {"storage": "1Gi"}}}}, '"Bound"'),
]
# What depends on the server, the moment, or the options of KWOK.
LEFT_OUT = {"managedFields", "uid", "resourceVersion", "creationTimestamp", "generation",
            "selfLink", "podCIDR", "podCIDRs", "addresses", "hostIP", "hostIPs", "podIP", "podIPs",
            "timeAdded"}
MASKS = [(re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z"), "<time>"),
         (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"), "<uid>"),
         (re.compile(r"^kwok-v?[0-9.]+$"), "kwok-<version>")]


def comparable(value):
    if isinstance(value, dict):
        return {name: comparable(part) for name, part in sorted(value.items())
                if name not in LEFT_OUT}
    if isinstance(value, list):
        return [comparable(part) for part in value if not is_controllers(part)]
    if isinstance(value, str):
        for pattern, text in MASKS:
            value = pattern.sub(text, value)
    return value


def is_controllers(part):
    """Taints that controllers set: there are none beside KWOK in the reference."""
    return isinstance(part, dict) and str(part.get("key", "")).startswith("node.kubernetes.io/")


def request(server, method, target, body=None, content_type="application/json"):
    connection = server.connect("admin")
    try:
        connection.request(method, target, None if body is None else json.dumps(body),
                           {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def create_all(server):
    for collection, made, _ in OBJECTS:
        code, answer = request(server, "POST", collection, made)
        if code not in (201, 409):
            raise RuntimeError(f"{collection}: {code} {answer.get('message')}")


def read(server, collection, name):
    return request(server, "GET", f"{collection}/{name}")[1]


def wait(describe, done):
    """Asks again until it is done; says what is missing when time is over."""
    deadline = time.monotonic() + TIMEOUT_S
    while not done():
        if time.monotonic() > deadline:
            return describe()
        time.sleep(0.2)
    return None


def play(server, expected):
    """The objects at their end, by collection and name; with `expected`, when they are that."""
    create_all(server)
    found, late = {}, []
    for collection, made, mark in OBJECTS:
        name = made["metadata"]["name"]
        key = f"{collection}/{name}"

        def done(collection=collection, name=name, key=key, mark=mark):
            found[key] = comparable(read(server, collection, name))
            if expected is not None:
                return found[key] == expected.get(key)
            return mark in json.dumps(found[key])
        late += filter(None, [wait(lambda key=key: key, done)])
    return found, late


@contextlib.contextmanager
def real_kwok(server, config, port):
    programs = os.environ.get("REF_BIN", os.path.expanduser("~/.cache/reference/bin"))
    kwok = subprocess.Popen(
        [os.path.join(programs, "kwok"), "--kubeconfig", server.kubeconfig, "--config", config,
         "--manage-all-nodes", "--server-address", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        kwok.terminate()
        kwok.wait()


def record(reference, options):
    with servers.Reference(reference, options.port, ["--no-kwok"]) as server, \
            tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "stages.yaml")
        with open(config, "w", encoding="utf-8") as out:
            for path in stage_files():
                with open(path, encoding="utf-8") as file:
                    out.write(file.read() + "---\n")
        with real_kwok(server, config, options.port + 50):
            found, late = play(server, None)
    if late:
        print("did not come to their end:", ", ".join(late))
        return 1
    with open(RECORD, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, sort_keys=True)
        file.write("\n")
    return 0


def stage_files():
    folder = os.path.join(ROOT, "simulator", "stages")
    return sorted(path for pattern in STAGES for path in glob.glob(os.path.join(folder, pattern)))


def replay(program, _options):
    with open(RECORD, encoding="utf-8") as file:
        expected = json.load(file)
    arguments = ["--stages", "none"]
    for path in stage_files():
        arguments += ["--config", path]
    started = servers.Kulisse(program, arguments)
    with started as server:
        found, late = play(server, expected)
    for key in late:
        print(f"FAILED {key}\n  KWOK:    {json.dumps(expected.get(key))}\n"
              f"  Kulisse: {json.dumps(found[key])}")
    print(f"{len(found)} objects, {len(late)} differ")
    return 1 if late or getattr(started, "exit_code", 0) else 0


def run(parser, record_with, replay_with):
    parser.add_argument("action", choices=["record", "replay"])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kulisse", help="program to start")
    where.add_argument("--reference", help="folder with up.sh and down.sh of a real control plane")
    parser.add_argument("--port", type=int, default=26643, help="of the reference")
    options = parser.parse_args()
    if (options.action == "record") != bool(options.reference):
        parser.error("record wants --reference, replay wants --kulisse")
    return (record_with(options.reference, options) if options.reference else
            replay_with(options.kulisse, options))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    return run(parser, record, replay)


if __name__ == "__main__":
    sys.exit(main())
