"""Reads plays/*.json: the objects of a play, the stages that apply to them, and what happens to
them meanwhile.

  object, selector, step, before, then, shown   of all cases, see below
  cases      {name: {object, stages, before, then}}; "matches", "delays", "choices" and "finalizers"
             are short for cases of one theme
  options    of the KwokConfiguration
  set        instead of stages: files that are shipped, which KWOK ships under the same names
  said_more  {path: reason}: what Kulisse's files of the set say beyond KWOK's
  by_design  {case: reason}: it differs; what Kulisse shows is in NAME.kulisse.txt

before: objects that are there first. then: [text, request, …]: once the last state of the object
has the text, the request is sent: "DELETE", a merge patch, or {"POST": path, "body": …}.
shown: paths of the object that are compared besides the usual ones.
"""
import copy
import glob
import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FOLDER = os.path.join(HERE, "plays")
SHIPPED = os.path.join(ROOT, "simulator", "stages")


class Play:
    """A file. objects: what is created, with "then" by name; stages: text of YAML documents."""

    def __init__(self, name, content, kwok_folder):
        self.name = name
        self.shown = content.get("shown", [])
        # KWOK's own files differ in nothing.
        differing = {} if kwok_folder and "set" in content else content
        self.said_more = differing.get("said_more", {})
        self.by_design = differing.get("by_design", {})
        self.options = content.get("options", {})
        self.before = list(content.get("before", []))
        self.objects, self.stages, self.then = [], [], {}
        for case, parts in _cases_of(content).items():
            self._add(case, content, parts)
        for pattern in content.get("set", []):
            self._add_set(pattern, kwok_folder)

    def _add(self, case, content, parts):
        name = f"{self.name}-{case}"
        labels = {"play": self.name, "case": case}
        item = merged(copy.deepcopy(content["object"]), parts.get("object", {}))
        self.objects.append(merged(item, {"metadata": {"name": name, "labels": labels}}))
        self.before += parts.get("before", [])
        self.then[name] = parts.get("then", content.get("then", []))
        for number, spec in enumerate(parts.get("stages", [])):
            spec = merged({"selector": content.get("selector", {})}, spec)
            spec = merged(spec, {
                "resourceRef": {"apiGroup": item["apiVersion"], "kind": item["kind"]},
                "selector": {"matchLabels": labels}})
            self.stages.append(json.dumps({
                "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage",
                "metadata": {"name": f"{name}-{number}"}, "spec": spec}))

    def _add_set(self, pattern, kwok_folder):
        """Stages of the files, for the objects of this play alone."""
        paths = sorted(glob.glob(os.path.join(SHIPPED, pattern)))
        if kwok_folder:
            paths = [os.path.join(kwok_folder, "pod", os.path.relpath(path, SHIPPED))
                     for path in paths]
            paths = [path for path in paths if os.path.exists(path)]
        if not paths:
            raise RuntimeError(f"plays/{self.name}: no stages in {pattern}")
        for path in paths:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            text = re.sub(r"(?m)^  name: ", f"  name: {self.name}-", text, count=1)
            labels = f"    matchLabels: {{play: {self.name}}}\n"
            self.stages.append(
                re.sub(r"(?m)^  selector:\n", f"  selector:\n{labels}", text, count=1))


def _cases_of(content):
    """Objects (what they have besides the play's) and stages, by name; a file may abbreviate."""
    cases = dict(content.get("cases", {}))
    step = content.get("step")
    for name, expressions in content.get("matches", {}).items():
        cases[name] = {"stages": [{"selector": {"matchExpressions": expressions}, "steps": [step]}]}
    for name, delay in content.get("delays", {}).items():
        cases[name] = {"stages": [{"delay": delay, "steps": [step]}]}
    chosen = json.dumps(content.get("chosen", {"data": {"first": None, "by": "%d"}}))
    for name, weights in content.get("choices", {}).items():
        cases[name] = {"stages": [weight | {"steps": [{"patch": {"template": chosen % number}}]}
                                  for number, weight in enumerate(weights)]}
    for name, (there, action) in content.get("finalizers", {}).items():
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


def read(kwok_folder=None):
    """{name: Play}; `kwok_folder`: kustomize/stage of KWOK, for its files instead of ours."""
    plays = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.json"))):
        with open(path, encoding="utf-8") as file:
            name = os.path.splitext(os.path.basename(path))[0]
            plays[name] = Play(name, json.load(file), kwok_folder)
    return plays


def parts_of(item, path):
    """(holder, name) of all that a dotted path names; in a list, of each element."""
    holders, names = [item], path.split(".")
    for name in names[:-1]:
        found = []
        for holder in holders:
            part = holder.get(name)
            found += part if isinstance(part, list) else [part]
        holders = [part for part in found if isinstance(part, dict)]
    return [(holder, names[-1]) for holder in holders if names[-1] in holder]


def without(item, paths):
    item = copy.deepcopy(item)
    for path in paths:
        for holder, name in parts_of(item, path):
            del holder[name]
    return item
