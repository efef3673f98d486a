#!/usr/bin/env python3
"""Writes the scenarios api/**/*.http from objects/*.json and the facts of openapi/facts.

  generate.py          writes the requests; answers that belong to unchanged requests are kept
  generate.py --check  exit status 1 when a file is not as it would be written

The answers come from `differential.py record`.
"""
import argparse
import copy
import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "golden"))

import facts
import transcript
import variants

OBJECTS = os.path.join(HERE, "objects")
API = os.path.join(HERE, "api")
DEFAULT_NAMES = ["minimal", "full", "applied"]
JSON, YAML = "application/json", "application/yaml"
PATCH_TYPES = {"json": "application/json-patch+json", "merge": "application/merge-patch+json",
               "strategic": "application/strategic-merge-patch+json",
               "apply": "application/apply-patch+yaml"}
# Every change of a pod but a few is refused with a dump of its whole spec: once is enough.
CHANGED_ONLY_BY_HAND = ["v1/pods"]


def merge(target, patch):
    """JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def undo(original, patch):
    """The merge patch that takes back `patch`."""
    result = {}
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(original.get(key), dict):
            result[key] = undo(original[key], value)
        else:
            result[key] = original.get(key)
    return result


def differences(original, patch, pointer=""):
    """The operations of a JSON patch that do what the merge patch does."""
    for key, value in patch.items():
        path = f"{pointer}/{key}"
        if value is None:
            yield ["remove", path]
        elif isinstance(value, dict) and isinstance(original.get(key), dict):
            yield from differences(original[key], value, path)
        else:
            yield ["add", path, value]


def operations(pairs):
    return [dict(zip(("op", "path", "value"), pair)) for pair in pairs]


class Scenario:
    """The file of one resource, as it grows."""

    def __init__(self, resource, entry, types, seen):
        self._resource, self._entry, self._types, self._seen = resource, entry, types, seen
        group = resource.group_version.replace("/", "_") if resource.group else "core_v1"
        self.file = os.path.join(group, resource.name + ".http")
        self._namespace = re.sub("[/_.]", "-", f"{group}-{resource.name}")
        self._names = entry.get("names", DEFAULT_NAMES)
        self._collection = resource.prefix(self._namespace)
        self._cases = []

    def text(self):
        header = f"# description: {self._resource.name} of {self._resource.group_version}\n"
        if self._resource.namespaced:
            header += f"# namespace: {self._namespace}\n"
        for mask in self._entry.get("masks", []):
            header += f"# mask: {mask}\n"
        return header + "".join("\n" + case for case in self._cases)

    def _add(self, name, method, target, body=None, content_type=JSON, accept=None, **directives):
        lines = [f"### {name}"]
        for directive, value in directives.items():
            if value:
                lines.append(f"@{directive.replace('_', '-')} {value}")
        lines.append(f"{method} {target}")
        if accept:
            lines.append(f"Accept: {accept}")
        if body is not None:
            lines += [f"Content-Type: {content_type}", "",
                      json.dumps(body, separators=(",", ":"))]
        self._cases.append("\n".join(lines) + "\n")

    def _fill(self, value):
        return json.loads(json.dumps(value).replace("${namespace}", self._namespace))

    def _object(self, which, body):
        resource, body = self._resource, self._fill(body)
        metadata = {"name": self._names[which], **body.pop("metadata", {})}
        if which > 0:
            metadata.setdefault("labels", {"app": "full", "tier": "one"})
            metadata.setdefault("annotations", {"note": "by hand"})
        return {"apiVersion": resource.group_version, "kind": resource.kind, "metadata": metadata,
                **body}

    def _target(self, which, query=""):
        return f"{self._collection}/{self._names[which]}{query}"

    def _list_target(self, query):
        return f"{self._collection}?labelSelector=app%3Dfull{query}"

    def write(self):
        if "only_create" in self._entry:
            for name, body in self._fill(self._entry["only_create"]):
                self._add(name, "POST", self._collection, {
                    "apiVersion": self._resource.group_version, "kind": self._resource.kind,
                    **body})
            return
        self._full = self._object(1, self._entry["full"])
        if "asynchronous" in self._entry:  # its objects change by themselves: dry runs alone
            self._add("create full", "POST", self._collection + "?dryRun=All", self._full)
            self._refused_creations()
            return
        self._create_and_read()
        self._update()
        self._patch()
        if "status" in self._entry:
            self._status()
        self._apply()
        self._refused_changes()
        self._delete()
        self._refused_creations()

    def _create_and_read(self):
        self._add("create minimal", "POST", self._collection,
                  self._object(0, self._entry["minimal"]))
        self._add("create full", "POST", self._collection + "?fieldManager=creator", self._full,
                  show="managedFields")
        self._add("create again", "POST", self._collection, on="create full", body=[])
        self._add("get", "GET", self._target(1))
        self._add("get as YAML", "GET", self._target(0), accept=YAML)
        self._add("get as protobuf", "GET", self._target(1),
                  accept="application/vnd.kubernetes.protobuf")
        self._add("list as a table", "GET", self._list_target(""),
                  accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        self._add("list", "GET", self._list_target("&limit=1"), show="outcome")

    def _update(self):
        target = self._target(1, "?fieldManager=updater")
        change = operations(differences(self._full, self._entry["change"]))
        self._add("update", "PUT", target, change, on_answer="get", show="managedFields")
        self._add("update without a change", "PUT", target, [], on_answer="update",
                  show="managedFields")
        self._add("update without a resourceVersion", "PUT", self._target(1, "?dryRun=All"),
                  operations([["remove", "/metadata/resourceVersion"]]), on_answer="update",
                  show="outcome")
        self._add("update of a stale object", "PUT", self._target(1), [], on_answer="get")
        self._add("update of another uid", "PUT", self._target(1), operations(
            [["add", "/metadata/uid", "5b7f8a5e-0000-4000-8000-000000000000"]]),
                  on_answer="update")
        absent = self._entry.get("names", ["", "", "absent"])[2]
        self._add("update of what is not there", "PUT", f"{self._collection}/{absent}",
                  operations([["replace", "/metadata/name", absent]]), on="create full",
                  show="outcome")
        self._add("update under another name", "PUT", self._target(1), operations(
            [["replace", "/metadata/name", self._names[0]]]), on="create full")

    def _patch(self):
        def patch(name, kind, body, query="", show=None):
            self._add(name, "PATCH", self._target(1, query), body, PATCH_TYPES[kind], show=show)
        patch("JSON patch", "json", operations(
            [["test", "/metadata/labels/app", "full"], ["add", "/metadata/labels/json", "yes"],
             ["remove", "/metadata/annotations/note"]]), "?fieldManager=jsoner", "managedFields")
        patch("JSON patch whose test fails", "json", operations(
            [["test", "/metadata/labels/app", "empty"]]))
        patch("JSON patch of a path that is not there", "json", operations(
            [["remove", "/metadata/none"]]))
        body = merge({"metadata": {"labels": {"json": None, "merge": "yes"}}}, {})
        body["metadata"]["labels"]["json"] = None
        for key, value in undo(self._full, self._entry["change"]).items():
            body[key] = {**body.get(key, {}), **value} if isinstance(value, dict) else value
        patch("merge patch", "merge", body, "?fieldManager=merger", "managedFields")
        patch("merge patch without a change", "merge", {"metadata": {"labels": {"app": "full"}}})
        strategic = {"metadata": {"labels": {"strategic": "yes"}},
                     **self._entry.get("strategic", {})}
        patch("strategic merge patch", "strategic", strategic)
        patch("strategic merge patch of finalizers", "strategic", {"metadata": {
            "finalizers": ["example.com/a", "example.com/b"]}}, "?dryRun=All")
        patch("merge patch of an unknown field", "merge", {"unknown": 1}, "?fieldValidation=Strict")
        patch("strategic merge patch that is no object", "strategic", [])

    def _status(self):
        status = self._entry["status"]
        target = self._target(1, "/status?fieldManager=status")
        self._add("status get", "GET", self._target(1, "/status"))
        self._add("status update, everything else is ignored", "PUT", target, operations(
            [["add", "/metadata/labels", {"of": "status"}], ["remove", "/spec"],
             ["add", "/status", status]]), on_answer="status get", show="managedFields")
        key, value = next((k, v) for k, v in status.items())
        self._add("status merge patch", "PATCH", target,
                  {"metadata": {"labels": {"of": "status"}}, "status": {key: None}},
                  PATCH_TYPES["merge"])
        self._add("status apply", "PATCH", self._target(
            1, "/status?fieldManager=status-applier&force=true"),
            {"apiVersion": self._resource.group_version, "kind": self._resource.kind,
             "metadata": {"name": self._names[1]}, "status": {key: value}}, PATCH_TYPES["apply"],
            show="managedFields")
        self._add("status get after that", "GET", self._target(1, "/status"), show="outcome")
        self._add("status is ignored by an update", "PUT", self._target(1),
                  operations([["add", "/status", {}]]), on_answer="status get after that")

    def _apply(self):
        def apply(name, body, query):
            self._add(name, "PATCH", self._target(2, query), body, PATCH_TYPES["apply"],
                      show="managedFields")
        full = self._object(2, merge(self._entry["full"], self._entry.get("applied", {})))
        base = {"apiVersion": self._resource.group_version, "kind": self._resource.kind,
                "metadata": {"name": self._names[2], "labels": {"app": "other"}}}
        apply("apply by a", full, "?fieldManager=a")
        apply("apply by a again", full, "?fieldManager=a")
        apply("apply by b in conflict", base, "?fieldManager=b")
        apply("apply by b with force", base, "?fieldManager=b&force=true")
        apply("apply of nothing but a label by a",
              {**base, "metadata": {"name": self._names[2], "labels": {"tier": "one"}}},
              "?fieldManager=a")
        apply("apply of a change by c", merge(base, {**self._entry["change"], "metadata": {
            "name": self._names[2], "labels": {"tier": "one"}}}), "?fieldManager=c")
        apply("apply of an unknown field", {**base, "unknown": 1}, "?fieldManager=a")
        apply("apply without a manager", base, "")

    def _refused_changes(self):
        if f"{self._resource.group_version}/{self._resource.name}" in CHANGED_ONLY_BY_HAND:
            return
        base = "get before changes"
        self._add(base, "GET", self._target(1), show="outcome")
        for place in variants.places(self._types, self._types.of_kind(self._resource), self._full):
            patch = variants.changed(self._types, place)
            if place.pointer.startswith("/metadata") or place.pointer in ("/apiVersion", "/kind") \
                    or patch is None or not self._is_new("changed", place):
                continue
            self._add(f"change of {place.shown}", "PUT", self._target(1, "?dryRun=All"),
                      operations(patch), on_answer=base, show="outcome")

    def _delete(self):
        self._add("delete with another uid", "DELETE", self._target(1), {
            "preconditions": {"uid": "5b7f8a5e-0000-4000-8000-000000000000"}})
        self._add("delete as a dry run", "DELETE", self._target(1, "?dryRun=All"), show="outcome")
        self._add("delete", "DELETE", self._target(1, "?gracePeriodSeconds=0"))
        self._add("get what is gone", "GET", self._target(1))
        self._add("delete what is gone", "DELETE", self._target(1))
        if "deletecollection" in self._resource.verbs:
            self._add("delete a collection", "DELETE",
                      f"{self._collection}?labelSelector=app%3Dother&gracePeriodSeconds=0",
                      show="outcome")

    def _refused_creations(self):
        def refused(name, patch):
            self._add(name, "POST", self._collection + "?dryRun=All&fieldValidation=Strict",
                      on="create full", body=operations(patch), show="outcome")
        for name, patch in self._entry.get("invalid", []):
            refused(name, patch)
        refused("a bad name", [["replace", "/metadata/name", "-Bad_Name/"]])
        refused("a long name", [["replace", "/metadata/name", "a" * 254]])
        refused("no name", [["remove", "/metadata/name"]])
        refused("another kind", [["replace", "/kind", "Other"]])
        refused("another version", [["replace", "/apiVersion", "v7"]])
        refused("a bad label", [["add", "/metadata/labels/a b", "?"]])
        refused("unknown fields", [["add", "/unknown", 1], ["add", "/metadata/more", 1]])
        root = self._types.of_kind(self._resource)
        found = [p for p in variants.places(self._types, root, self._full)
                 if not p.pointer.startswith("/metadata/")
                 and p.pointer not in ("/apiVersion", "/kind", "/metadata")]
        for place in found:
            if self._is_new("wrong", place):
                for what, patch in variants.wrong(self._types, place):
                    refused(f"{place.shown} {what}", patch)
        for place in found:
            what, patch = variants.mistyped(self._types, place)
            key = ("mistyped", self._resource.kind, what)
            if patch and key not in self._seen:
                self._seen.add(key)
                refused(f"{place.shown} of another type", patch)

    def _is_new(self, what, place):
        """Whether no other kind has shown the same of the same field of the same type."""
        key = (what, place.owner, place.field.name)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new


def scenarios():
    """{file: its requests}, in the order of the facts."""
    entries = {}
    for path in sorted(glob.glob(os.path.join(OBJECTS, "*.json"))):
        with open(path, encoding="utf-8") as file:
            entries.update(json.load(file))
    types, seen, result = facts.Types(), set(), {}
    for key, resource in facts.resources().items():
        if key in entries:
            scenario = Scenario(resource, entries.pop(key), types, seen)
            scenario.write()
            result[scenario.file] = scenario.text()
    if entries:
        raise ValueError(f"no such resources: {sorted(entries)}")
    return result


def with_answers(requests, path):
    """The requests with the answers that the file has for the same ones."""
    new = transcript.Transcript(path, requests)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            old = {c.name: c for c in transcript.Transcript(path, file.read()).cases}
        for case in new.cases:
            before = old.get(case.name)
            if before and before.request_lines == case.request_lines:
                case.expected = before.expected
    return new.text()


def write(only_check=False):
    """Writes the files whose requests are not as they should be; returns their names."""
    different = []
    for file, requests in scenarios().items():
        path = os.path.join(API, file)
        text = with_answers(requests, path)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stored:
                if stored.read() == text:
                    continue
        different.append(file)
        if not only_check:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as stored:
                stored.write(text)
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    different = write(only_check=options.check)
    for file in different:
        print(file)
    return 1 if options.check and different else 0


if __name__ == "__main__":
    sys.exit(main())
