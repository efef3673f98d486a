#!/usr/bin/env python3
"""helm installs, upgrades, rolls back and uninstalls the chart helm/chart.

  helm_test.py --kulisse PROGRAM       what ctest runs
  helm_test.py --kubeconfig F          against a cluster that runs

helm is $KULISSE_HELM, or the one of PATH; without it the test is skipped (exit status 77).
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "support"))

import servers

SKIPPED = 77
TIMEOUT_S = 120
CHART = os.path.join(HERE, "helm", "chart")
NAMESPACE, RELEASE = "helm-client", "shop"
API = "/apis/{}/namespaces/" + NAMESPACE
CORE = f"/api/v1/namespaces/{NAMESPACE}"
# Where each object of the chart is.
OBJECTS = [f"{CORE}/{kind}/{RELEASE}" for kind in
           ("configmaps", "secrets", "persistentvolumeclaims", "services", "serviceaccounts")] + [
    f"{API.format(group)}/{kind}/{RELEASE}" for group, kind in (
        ("apps/v1", "deployments"), ("networking.k8s.io/v1", "ingresses"),
        ("networking.k8s.io/v1", "networkpolicies"), ("rbac.authorization.k8s.io/v1", "roles"),
        ("rbac.authorization.k8s.io/v1", "rolebindings"),
        ("autoscaling/v2", "horizontalpodautoscalers"), ("policy/v1", "poddisruptionbudgets"),
        ("batch/v1", "cronjobs"))]


class HelmTest(unittest.TestCase):
    server = program = None

    def setUp(self):
        self.home = tempfile.TemporaryDirectory(prefix="kulisse-helm-")
        self.addCleanup(self.home.cleanup)

    def helm(self, *arguments):
        places = {f"HELM_{name}_HOME": self.home.name for name in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run([self.program, "--kubeconfig", self.server.kubeconfig,
                               "--namespace", NAMESPACE, *arguments], timeout=TIMEOUT_S, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **places})
        self.assertEqual(0, done.returncode, f"helm {' '.join(arguments)}:\n{done.stdout}")
        return done.stdout

    def get(self, target):
        status, body = self.server.get(target)
        return status, json.loads(body)

    def greeting_and_replicas(self):
        config = self.get(f"{CORE}/configmaps/{RELEASE}")[1]
        deployment = self.get(f"{API.format('apps/v1')}/deployments/{RELEASE}")[1]
        return config["data"]["greeting"], deployment["spec"]["replicas"]

    def test_the_life_of_a_release_with_server_side_apply(self):
        self.check_life("--server-side=true")

    def test_the_life_of_a_release_with_patches(self):
        self.check_life("--server-side=false")

    def check_life(self, how):
        self.helm("install", RELEASE, CHART, "--create-namespace", how)
        for target in OBJECTS:
            self.assertEqual(200, self.get(target)[0], target)
        self.assertEqual(("hello", 2), self.greeting_and_replicas())

        self.helm("upgrade", RELEASE, CHART, "--set", "greeting=bye,replicas=3,ingress=false",
                  how)
        self.assertEqual(("bye", 3), self.greeting_and_replicas())
        ingress = f"{API.format('networking.k8s.io/v1')}/ingresses/{RELEASE}"
        self.assertEqual(404, self.get(ingress)[0], "what the chart has no more is deleted")
        hook = self.get(f"{CORE}/configmaps/{RELEASE}-before")[1]
        self.assertEqual("2", hook["data"]["revision"])

        self.helm("rollback", RELEASE, "1", how)
        self.assertEqual(("hello", 2), self.greeting_and_replicas())
        self.assertEqual(200, self.get(ingress)[0], "what the old revision had is there again")
        history = json.loads(self.helm("history", RELEASE, "--output", "json"))
        self.assertEqual(["superseded", "superseded", "deployed"], [r["status"] for r in history])
        self.assertIn(RELEASE, self.helm("list", "--short"))
        self.assertIn("greeting: hello", self.helm("get", "values", RELEASE, "--all"))

        self.helm("uninstall", RELEASE)
        for target in OBJECTS:
            status, found = self.get(target)
            self.assertTrue(status == 404 or found["metadata"].get("deletionTimestamp"), target)
        self.assertEqual("", self.helm("list", "--short").strip())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kulisse", help="program to start")
    where.add_argument("--kubeconfig", help="of a cluster that runs")
    options, rest = parser.parse_known_args()
    HelmTest.program = os.environ.get("KULISSE_HELM") or shutil.which("helm")
    if not HelmTest.program:
        print("skipped: no helm in PATH, and KULISSE_HELM is not set")
        return SKIPPED
    if options.kubeconfig:
        with tempfile.TemporaryDirectory() as folder:
            HelmTest.server = servers.from_kubeconfig(options.kubeconfig, folder)
            good = unittest.main(argv=[sys.argv[0], *rest], exit=False).result.wasSuccessful()
            return 0 if good else 1
    started = servers.Kulisse(options.kulisse, [])
    with started as server:
        HelmTest.server = server
        good = unittest.main(argv=[sys.argv[0], *rest], exit=False).result.wasSuccessful()
    return 0 if good and not started.exit_code else 1


if __name__ == "__main__":
    sys.exit(main())
