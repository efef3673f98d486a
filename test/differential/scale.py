#!/usr/bin/env python3
"""`kulisse scale` and `kwokctl scale` with the same arguments: they make the same objects.

record runs kwokctl on a real control plane and writes scale.json: after each command its exit code
and all objects; replay runs kulisse on itself and compares.

  test/differential/scale.py record --reference DIR
  test/differential/scale.py replay --kulisse build/release/kulisse      # ctest -L differential
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import stages
from stages import request, servers

RECORD = os.path.join(stages.HERE, "scale.json")
CORE = "/api/v1"
LABEL = "kwok.x-k8s.io/kwokctl-scale"
# What the server says of itself, or the moment.
LEFT_OUT = {"managedFields", "uid", "resourceVersion", "creationTimestamp", "generation",
            "deletionTimestamp", "timeAdded"}
OWN = """
kind: KwokctlResource
apiVersion: config.kwok.x-k8s.io/v1alpha1
metadata: {name: queue}
parameters: {size: 3, text: x, list: [a, b], ratio: 0.5, big: 12345678901}
template: |
  kind: ConfigMap
  apiVersion: v1
  metadata: {name: other, labels: {own: "yes"}, annotations: {a: {{ Quote Name }}}}
  data:
    size: "{{ .size }}"
    ratio: "{{ .ratio }} {{ .big }}"
    text: {{ .text | upper | Quote }}
    where: "{{ Name }} {{ Namespace }} {{ Index }} {{ add Index 1 }}"
    addresses: {{ AddIP "10.0.0.250" Index }} {{ AddIP "fd00::1" Index }}
    cidr: {{ AddCIDR "10.0.0.0/24" Index }}
    list: "{{ range $i, $x := .list }}{{ $i }}{{ $x }},{{ end }}"
---
kind: KwokctlResource
apiVersion: config.kwok.x-k8s.io/v1alpha1
metadata: {name: placed}
parameters: {a: 1}
template: |
  kind: ConfigMap
  apiVersion: v1
  metadata: {namespace: team}
  data: {a: b}
---
kind: KwokctlResource
apiVersion: config.kwok.x-k8s.io/v1alpha1
metadata: {name: broken}
template: "{{ .zz.y | fail }}"
"""
RESOURCES = ("{requests: {cpu: \"100m\", memory: \"1Gi\"}, limits: {cpu: 1}}")
# Arguments of a command, or a request that is sent between two.
STEPS = [
    ["node", "--replicas", "2"],
    ["node", "big", "--replicas", "3",
     "--param", '.allocatable = {cpu: 96, memory: "768Gi", pods: 250}', "--param",
     ".capacity.cpu = 100", "--param", '.nodeInfo.architecture = "arm64"'],
    ["node", "big", "--replicas", "3"],
    ("DELETE", CORE + "/nodes/big-000001", None),
    ["node", "big", "--replicas", "5"],
    ["node", "big", "--replicas", "0"],
    ["node", "down", "--replicas", "4"],
    ["node", "down", "--replicas", "2"],  # of one age: of others kwokctl deletes too many
    ["node", "down", "--replicas", "0"],
    ["node", "one", "--serial-length", "0"],
    ["node", "two", "--serial-length", "0", "--replicas", "2"],
    ["node", "short", "--serial-length", "2", "--replicas", "2"],
    ["node", "far", "--replicas", "8", "--param", '.podCIDRs = ["10.9.252.0/22"]',
     "--param", '.nodeIPs = ["10.1.2.250"]'],
    ["node", "bare", "--param", ".podCIDRs = []", "--param", ".nodeIPs = []"],
    ["node", "gpu", "--param", '.allocatable["nvidia.com/gpu"] = 8',
     "--param", '.capacity["nvidia.com/gpu"] = "9"'],
    ["pod", "--replicas", "2"],
    ["pod", "web", "-n", "team", "--replicas", "2", "--param", '.nodeName = "node-000000"',
     "--param", ".hostNetwork = true"],
    ["pod", "rich", "--param", f'.containers = [{{name: "a", image: "i", resources: {RESOURCES}}}]',
     "--param", '.initContainers = [{name: "b", image: "j"}]',
     "--param", '.containers += [{name: "c", image: "k"}]'],
    ["pod", "web", "-n", "team", "--replicas", "1"],
    ["queue", "q", "--replicas", "3"],
    ["queue", "q", "-n", "team", "--replicas", "2", "--param", ".size = 5",
     "--param", '.text = "y z"', "--param", ".size += 1", "--param", ".list = []"],
    ("POST", CORE + "/namespaces/default/configmaps",
     {"metadata": {"name": "taken-000000"}, "data": {"old": "yes"}}),
    ["queue", "taken", "-n", "default", "--replicas", "2"],
    ["placed", "--replicas", "1"],
    ["placed", "moved", "-n", "default"],
    ["queue", "bad", "-n", "default", "--param", ".size ="],
    ["queue", "many", "-n", "default", "--param", ".size = 1, .size = 2"],
    ["broken"],
    ["nothing"],
]
# Steps in which kulisse is meant to differ, and why. What it does stands in scale.json as well.
BY_DESIGN = {
    "node bare --param .podCIDRs = [] --param .nodeIPs = []": "nodes may have no addresses yet",
    "queue q --replicas 3": "without -n objects go to the namespace of the kubeconfig",
}
PREPARED = [(CORE + "/namespaces", {"metadata": {"name": "team"}}),
            (CORE + "/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}),
            (CORE + "/namespaces/team/serviceaccounts", {"metadata": {"name": "default"}})]


def comparable(value):
    if isinstance(value, dict):
        return {name: comparable(part) for name, part in sorted(value.items())
                if name not in LEFT_OUT and part != []}
    if isinstance(value, list):
        return [comparable(part) for part in value if not stages.is_controllers(part)]
    # The token of a pod has a random name.
    return re.sub(r"^(kube-api-access-)\w{5}$", r"\1<random>", value) if isinstance(value, str) \
        else value


def objects_of(server):
    found = {}
    for resource in ("nodes", "pods", "configmaps"):
        for item in request(server, "GET", f"{CORE}/{resource}?labelSelector={LABEL}")[1]["items"]:
            where = item["metadata"].get("namespace", "")
            found[f"{resource} {where}/{item['metadata']['name']}"] = comparable(item)
    return found


def played(server, scale):
    """What there is after each step: exit code and objects that are new, changed or gone."""
    for collection, item in PREPARED:
        request(server, "POST", collection, item)
    before, steps = {}, []
    for step in STEPS:
        code = scale(step) if isinstance(step, list) else request(server, *step)[0]
        now = objects_of(server)
        steps.append({"step": " ".join(step) if isinstance(step, list) else " ".join(step[:2]),
                      "code": code, "gone": sorted(before.keys() - now.keys()),
                      "made": {name: item for name, item in now.items()
                               if before.get(name) != item}})
        before = now
    return steps


def command(program, *arguments, **environment):
    return subprocess.run([program, *arguments], check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env={**os.environ, **environment}).returncode


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def record(reference, options):
    kwokctl = os.path.join(os.environ.get("REF_BIN", os.path.expanduser("~/.cache/reference/bin")),
                           "kwokctl")
    with servers.Reference(reference, options.port, ["--no-kwok"]) as server, \
            tempfile.TemporaryDirectory() as folder:
        cluster = os.path.join(folder, "clusters", "kwok")  # all that scale asks of one
        write(os.path.join(cluster, "kwok.yaml"), json.dumps({
            "kind": "KwokctlConfiguration", "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "metadata": {"name": "kwok"}, "options": {"runtime": "binary"}}))
        os.symlink(server.kubeconfig, os.path.join(cluster, "kubeconfig.yaml"))
        config = write(os.path.join(folder, "own.yaml"), OWN)
        steps = played(server, lambda arguments: command(
            kwokctl, "--config", config, "scale", *arguments, KWOK_WORKDIR=folder))
    write(RECORD, json.dumps(steps, indent=1, sort_keys=True) + "\n")
    return 0


def replay(program, options):
    with open(RECORD, encoding="utf-8") as file:
        expected = json.load(file)
    with tempfile.TemporaryDirectory() as folder:
        config = write(os.path.join(folder, "own.yaml"), OWN)
        started = servers.Kulisse(program, ["--stages", "none"])
        with started as server:
            found = played(server, lambda arguments: command(
                program, "scale", *arguments, "--config", config, "--kubeconfig",
                server.kubeconfig))
    if options.accept:
        for want, got in zip(expected, found):
            if want["step"] in BY_DESIGN:
                want["kulisse"] = got
        write(RECORD, json.dumps(expected, indent=1, sort_keys=True) + "\n")
    late = [(want, got) for want, got in zip(expected, found) if want.get("kulisse", want) != got]
    late += [(want, got) for want, got in zip(expected, found) if want["step"] in BY_DESIGN and
             {part: want[part] for part in got} == got]  # no longer by design: take it out
    for want, got in late:
        print(f"FAILED {want['step']}")
        for part in ("code", "gone", "made"):
            if want[part] != got[part]:
                print(f"  kwokctl: {json.dumps(want[part])}\n  kulisse: {json.dumps(got[part])}")
    print(f"{len(found)} steps, {len(late)} differ")
    return 1 if late or len(found) != len(expected) or getattr(started, "exit_code", 0) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accept", action="store_true",
                        help="replay: write what kulisse does where it differs by design")
    return stages.run(parser, record, replay)


if __name__ == "__main__":
    sys.exit(main())
