#!/usr/bin/env python3
"""The same requests to kube-apiserver and to Kulisse, for every kind: what differs?

  differential.py replay --kulisse PROGRAM [FILE…]     what ctest runs
  differential.py summary --kulisse PROGRAM [FILE…]    what differs, by cause and by kind
  differential.py accept --kulisse PROGRAM [--new]     rewrites known_differences.txt: what has
                                                       vanished goes, with --new what is new comes
  differential.py record --reference DIR [FILE…]       writes the scenarios and records the answers

FILE is a file or folder of api/. The format and the runner are those of test/golden.
"""
import argparse
import collections
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "golden"), os.path.join(HERE, "..", "support")]

import causes
import generate
import golden
import servers

JOBS = 4
SHOWN_KINDS = 12
README = os.path.join(HERE, "README.md")
KNOWN_DIFFERENCES = os.path.join(HERE, "known_differences.txt")
HEADER = """\
# Cases in which Kulisse does not answer as kube-apiserver does today: FILE: CASE => REASON
# Written by `differential.py accept`; the reasons are those of causes.py, and docs/compatibility.md
# has them at length. A line whose difference has vanished fails the test.
"""


def replay_all(program, suite, files):
    """({id: difference as text}, ids of the cases that agree)."""
    started = servers.Kulisse(program, ["--no-simulator"])
    with started as server:
        outcomes = golden.replay_all(suite, server, files, JOBS)
    if started.exit_code != 0:
        raise RuntimeError("the server did not end well")
    failed, passed = {}, set()
    for outcome in outcomes:
        failed.update(outcome.failed)
        passed.update(outcome.passed)
    return failed, passed


def summarize(failed, passed):
    by_cause = collections.defaultdict(list)
    for case, text in failed.items():
        by_cause[causes.cause_of(case, text)].append(case)
    print(f"{len(failed) + len(passed)} cases: {len(passed)} agree, {len(failed)} differ")
    for cause, cases in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        kinds = collections.Counter(case.split(".http")[0].split("/")[-1] for case in cases)
        shown = ", ".join(f"{kind} {n}" for kind, n in kinds.most_common(SHOWN_KINDS))
        more = " …" if len(kinds) > SHOWN_KINDS else ""
        print(f"\n{len(cases):5} {cause}\n      {shown}{more}\n      e.g. {cases[0]}")


def accept(suite, failed, passed, with_new):
    known = suite.known_differences() if os.path.exists(KNOWN_DIFFERENCES) else {}
    new = [case for case in failed if case not in known]
    kept = [case for case in failed if case in known or with_new]
    with open(KNOWN_DIFFERENCES, "w", encoding="utf-8") as file:
        file.write(HEADER)
        for case in sorted(kept):
            file.write(f"{case} => {causes.cause_of(case, failed[case])}\n")
    with open(README, encoding="utf-8") as file:
        text = file.read()
    total = len(failed) + len(passed)
    with open(README, "w", encoding="utf-8") as file:
        file.write(re.sub(r"Of \d+ cases, \d+ agree",
                          f"Of {total} cases, {len(passed)} agree", text))
    print(f"{total} cases: {len(passed)} agree, {len(kept)} known differences, {len(new)} new, "
          f"{len([case for case in known if case in passed])} vanished")
    if new and not with_new:
        print("\n".join(f"new: {case}" for case in new))
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["replay", "summary", "accept", "record"])
    parser.add_argument("--kulisse", help="program to start")
    parser.add_argument("--reference", help="folder with up.sh and down.sh of a real control plane")
    parser.add_argument("--port", type=int, default=26443, help="of the reference")
    parser.add_argument("--new", action="store_true", help="accept: new differences too")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_intermixed_args()
    if not (options.reference if options.action == "record" else options.kulisse):
        parser.error("record wants --reference, all else --kulisse")
    suite = golden.Suite(HERE)
    if options.action == "record":
        generate.write()
        with servers.Reference(options.reference, options.port, ["--no-kwok"]) as server:
            for path in suite.find_files(options.paths):
                golden.record_file(suite, server, path)
                print(suite.name(path), flush=True)
        return 0
    files = suite.find_files([] if options.action == "accept" else options.paths)
    if options.action == "replay":
        with servers.Kulisse(options.kulisse, ["--no-simulator"]) as server:
            return golden.replay(suite, server, files, JOBS)
    failed, passed = replay_all(options.kulisse, suite, files)
    if options.action == "summary":
        summarize(failed, passed)
        return 0
    return accept(suite, failed, passed, options.new)


if __name__ == "__main__":
    sys.exit(main())
