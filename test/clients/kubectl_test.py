#!/usr/bin/env python3
"""A real kubectl does the same on Kulisse as on the real control plane.

  kubectl_test.py check --kulisse PROGRAM [FILE…]     what ctest runs
  kubectl_test.py check --kubeconfig F [FILE…]        against a cluster that runs
  kubectl_test.py record --reference DIR [FILE…]      rewrites the outputs

The files kubectl/*.txt are sessions: a line "$ command" is run by bash, below it stands what it
printed. kubectl is $KULISSE_KUBECTL, or the one of PATH; without one of version 1.35 or newer the
test is skipped (exit status 77). Ages, times, uids, addresses and revisions are masked.
"""
import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "support"))

import servers

SESSIONS = os.path.join(HERE, "kubectl")
KUBECTL_MINOR_MIN = 35
COMMAND_TIMEOUT_S = 120
SKIPPED = 77
KNOWN_DIFFERENCES = os.path.join(SESSIONS, "known_differences.txt")

MASKS = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \S+"), "<time>"),
    (re.compile(r'("?resourceVersion"?: ?)"\d+"'), r'\1"<rv>"'),
    (re.compile(r"(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?![\d.])"), "<ip>"),
    (re.compile(r"(?<=\s)(\d+[dhms]){1,2}(?=\s|$)", re.M), "<age>"),
    (re.compile(r"^  Kube-Proxy Version:.*\n", re.M), ""),  # kubectl 1.36 has it no more
    (re.compile(r"kwok-v?\d+\.\d+\.\d+"), "<kubelet>"),
    (re.compile(r"(HolderIdentity: +)\S+"), r"\1<holder>"),
    (re.compile(r"(?<=\S) {2,}(?=\S)"), "  "),  # columns, whose width depends on what is masked
    (re.compile(r"[ \t]+$", re.M), ""),
    (re.compile(r"(localhost:|<ip>:)\d{4,5}"), r"\1<port>"),
]


def find_kubectl():
    """The path of a kubectl that is new enough, or a reason why there is none."""
    path = os.environ.get("KULISSE_KUBECTL") or shutil.which("kubectl")
    if not path:
        return None, "no kubectl in PATH, and KULISSE_KUBECTL is not set"
    version = json.loads(subprocess.run([path, "version", "--client", "-o", "json"], check=True,
                                        stdout=subprocess.PIPE).stdout)["clientVersion"]
    if int(re.match(r"\d+", version["minor"]).group(0)) < KUBECTL_MINOR_MIN:
        return None, f"{path} is {version['gitVersion']}; 1.{KUBECTL_MINOR_MIN} or newer is needed"
    return os.path.abspath(path), None


class Shell:
    """Runs the commands of a session, with kubectl and a home of its own."""

    def __init__(self, kubectl, kubeconfig):
        self._home = tempfile.mkdtemp(prefix="kulisse-kubectl-")
        os.symlink(kubectl, os.path.join(self._home, "kubectl"))
        self._environment = {
            "PATH": self._home + os.pathsep + os.environ["PATH"], "HOME": self._home,
            "KUBECONFIG": os.path.abspath(kubeconfig), "TMPDIR": self._home, "LC_ALL": "C.UTF-8",
            "BASH_ENV": os.path.join(SESSIONS, "helpers.sh"),
        }

    def close(self):
        shutil.rmtree(self._home, ignore_errors=True)

    def run(self, command):
        try:
            done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  cwd=os.path.join(SESSIONS, "manifests"), env=self._environment,
                                  timeout=COMMAND_TIMEOUT_S, check=False)
            output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as expired:
            output, code = (expired.stdout or b"").decode(), "timeout"
        for pattern, replacement in MASKS:
            output = pattern.sub(replacement, output)
        lines = output.rstrip("\n").split("\n") if output.rstrip("\n") else []
        # A line of output that looks like a command or a comment is told apart by a backslash.
        lines = ["\\" + line if line.startswith(("$ ", "#", "\\")) else line for line in lines]
        return lines + ([f"(exit status {code})"] if code else [])


def parse(path):
    """[(command or None for comments, lines below)]"""
    steps = [(None, [])]
    with open(path, encoding="utf-8") as file:
        for line in file.read().rstrip("\n").split("\n"):
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif line.startswith("#") and steps[-1][0] is not None:
                steps.append((None, [line]))
            else:
                steps[-1][1].append(line)
    return steps


def strip_blank_end(lines):
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def record(shell, path):
    text = []
    for command, below in parse(path):
        if command is None:
            text += below
        else:
            text += ["$ " + command] + shell.run(command) + [""]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(strip_blank_end(text)) + "\n")


def check(shell, path, known):
    """Returns (report, all ids of differing commands, all ids)."""
    report, differing, every = [], set(), set()
    for command, below in parse(path):
        if command is None:
            continue
        expected = strip_blank_end(below)
        got = shell.run(command)
        step = f"{os.path.basename(path)}: {command}"
        every.add(step)
        if strip_blank_end(got) == expected:
            continue
        differing.add(step)
        if step not in known:
            lines = list(difflib.unified_diff(expected, got, n=2, lineterm=""))[2:]
            report.append(f"FAILED {step}\n" + "\n".join("  " + line for line in lines))
    return report, differing, every


def load_known_differences():
    known = {}
    with open(KNOWN_DIFFERENCES, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                step, arrow, reason = line.strip().rpartition(" => ")
                if not arrow or not reason:
                    raise ValueError(f"{KNOWN_DIFFERENCES}: no reason in {line!r}")
                known[step] = reason
    return known


def check_all(shell, files):
    known = load_known_differences()
    failed = False
    for path in files:
        report, differing, every = check(shell, path, known)
        prefix = os.path.basename(path) + ": "
        listed = {step for step in known if step.startswith(prefix)}
        report += [f"FAILED {s}\n  is as recorded now: take it out of known_differences.txt"
                   for s in sorted(listed & every - differing)]
        report += [f"FAILED {s}\n  is listed in known_differences.txt, but there is no such command"
                   for s in sorted(listed - every)]
        failed = failed or bool(report)
        print("\n".join(report + [f"{os.path.basename(path)}: {len(every)} commands, "
                                  f"{len(every - differing)} the same, "
                                  f"{len(differing & listed)} known differences"]), flush=True)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["record", "check"])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kulisse", help="program to start")
    where.add_argument("--kubeconfig", help="of a running cluster")
    where.add_argument("--reference", help="folder with up.sh and down.sh of a real control plane")
    parser.add_argument("--port", type=int, default=26443)
    parser.add_argument("files", nargs="*")
    options = parser.parse_intermixed_args()
    kubectl, reason = find_kubectl()
    if not kubectl:
        print("skipped:", reason)
        return SKIPPED
    files = options.files or sorted(
        os.path.join(SESSIONS, name) for name in os.listdir(SESSIONS)
        if name.endswith(".txt") and name != os.path.basename(KNOWN_DIFFERENCES))
    if options.kubeconfig:
        return run(options.action, kubectl, options.kubeconfig, files)
    started = (servers.Kulisse(options.kulisse, []) if options.kulisse
               else servers.Reference(options.reference, options.port, []))
    with started as server:
        result = run(options.action, kubectl, server.kubeconfig, files)
    return result or (1 if getattr(started, "exit_code", 0) else 0)


def run(action, kubectl, kubeconfig, files):
    shell = Shell(kubectl, kubeconfig)
    try:
        if action == "check":
            return check_all(shell, files)
        for path in files:
            record(shell, path)
        return 0
    finally:
        shell.close()


if __name__ == "__main__":
    sys.exit(main())
