#!/usr/bin/env python3
"""A program written with the client library of a language works on Kulisse.

  program_test.py LANGUAGE --kulisse PROGRAM       what ctest runs
  program_test.py LANGUAGE --kubeconfig F          against a cluster that runs

LANGUAGE is go, javascript, java or rust; the programs are in the folders of that name. What
`./dev clients` has built of them is in the folder $KULISSE_CLIENTS; without it the test is skipped
(exit status 77).
"""
import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "support"))

import servers

SKIPPED = 77
TIMEOUT_S = 300
NODES = 1


def command_of(language, folder):
    """The command of the program, or why there is none."""
    program, needed = {
        "go": ([os.path.join(folder, "go_client")], None),
        "rust": ([os.path.join(folder, "rust_client")], None),
        "javascript": (["node", os.path.join(folder, "javascript", "client.mjs")], "node"),
        "java": (["java", "-cp", os.path.join(folder, "java", "lib", "*"),
                  os.path.join(folder, "java", "Client.java")], "java"),
    }[language]
    if needed and not shutil.which(needed):
        return None, f"no {needed}"
    if not os.path.exists(program[-1]):
        return None, f"no {program[-1]}: ./dev clients makes it where the language is there"
    return program, None


def run(command, kubeconfig):
    finished = subprocess.run([*command, kubeconfig], timeout=TIMEOUT_S)
    return finished.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", choices=["go", "javascript", "java", "rust"])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kulisse", help="program to start")
    where.add_argument("--kubeconfig", help="of a cluster that runs")
    options = parser.parse_args()
    command, reason = command_of(options.language, os.environ.get("KULISSE_CLIENTS", ""))
    if command is None:
        print(f"skipped: {reason}")
        return SKIPPED
    if options.kubeconfig:
        return run(command, options.kubeconfig)
    started = servers.Kulisse(options.kulisse, ["--nodes", str(NODES)])
    with started as server:
        result = run(command, server.kubeconfig)
    return result or (1 if started.exit_code else 0)


if __name__ == "__main__":
    sys.exit(main())
