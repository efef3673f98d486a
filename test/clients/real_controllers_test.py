#!/usr/bin/env python3
"""The real kube-controller-manager and kube-scheduler, unmodified, run a cluster on Kulisse.

  real_controllers_test.py --kulisse PROGRAM     what ctest runs
  real_controllers_test.py --kubeconfig F        against a cluster that has them

The two programs of version 1.36 are taken from the folder $KULISSE_REFERENCE_BIN; without them the
test is skipped (exit status 77). They are started with their default content types and with leader
election; each controller has its own service account and token.
"""
import argparse
import collections
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "support"))

import servers

SKIPPED = 77
NODES = 10
REPLICAS, MORE_REPLICAS = 100, 120
NAMESPACE = "real-controllers"
WAIT_TIMEOUT_S = 120
PROGRAMS = ("kube-controller-manager", "kube-scheduler")
PATCH_TYPE = "application/merge-patch+json"


class Controllers:
    """The two programs, running against a cluster. Use with `with`."""

    def __init__(self, folder, kubeconfig):
        self._folder = folder
        self._kubeconfig = kubeconfig
        self._logs = tempfile.TemporaryDirectory(prefix="kulisse-controllers-")
        self._processes = {}

    def __enter__(self):
        pki = os.path.join(os.path.dirname(self._kubeconfig), "data", "pki")
        common = ["--kubeconfig", self._kubeconfig, "--leader-elect=true", "--secure-port=0",
                  "--kube-api-qps=5000", "--kube-api-burst=10000"]
        self._start("kube-controller-manager", *common, "--use-service-account-credentials=false",
                    "--service-account-private-key-file", os.path.join(pki, "sa.key"),
                    "--root-ca-file", os.path.join(pki, "ca.crt"),
                    # Autoscalers look every second, and at pods as soon as they run.
                    "--horizontal-pod-autoscaler-sync-period=1s",
                    "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
                    "--horizontal-pod-autoscaler-initial-readiness-delay=1s")
        self._start("kube-scheduler", *common)
        return self

    def _start(self, name, *arguments):
        with open(self._log(name), "wb") as log:
            self._processes[name] = subprocess.Popen([os.path.join(self._folder, name), *arguments],
                                                     stdout=log, stderr=log)

    def _log(self, name):
        return os.path.join(self._logs.name, name + ".log")

    def ended(self):
        """{name: exit code} of programs that should still run."""
        return {name: process.poll() for name, process in self._processes.items()
                if process.poll() is not None}

    def show(self):
        """What they complain about, each message once."""
        for name in self._processes:
            with open(self._log(name), encoding="utf-8", errors="replace") as log:
                complaints = collections.Counter(line.split("] ", 1)[-1].rstrip()[:300]
                                                 for line in log if line[:1] in "EF")
            for text, count in complaints.most_common(20):
                print(f"{name}: {count} × {text}")

    def __exit__(self, *_):
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._logs.cleanup()


class Api:
    """The few requests that the test makes."""

    def __init__(self, server):
        self._server = server

    def call(self, method, target, body=None, content_type="application/json"):
        connection = self._server.connect("admin")
        try:
            connection.request(method, target, json.dumps(body) if body is not None else None,
                               {"Content-Type": content_type})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise AssertionError(f"{method} {target}: {answer.status} {text[:500]!r}")
            return json.loads(text)
        finally:
            connection.close()

    def wait(self, collection, condition, what, selector=None):
        """Lists and then watches a collection until condition({name: object}) holds."""
        query = {"labelSelector": selector} if selector else {}
        listed = self.call("GET", collection + "?" + urllib.parse.urlencode(query))
        found = {item["metadata"]["name"]: item for item in listed["items"]}
        deadline = time.monotonic() + WAIT_TIMEOUT_S
        if condition(found):
            return found
        query.update(watch=1, resourceVersion=listed["metadata"]["resourceVersion"],
                     timeoutSeconds=WAIT_TIMEOUT_S)
        connection = self._server.connect("admin")
        try:
            connection.request("GET", collection + "?" + urllib.parse.urlencode(query))
            stream = connection.getresponse()
            while time.monotonic() < deadline and (line := stream.readline()):
                event = json.loads(line)
                name = event["object"]["metadata"]["name"]
                if event["type"] == "DELETED":
                    found.pop(name, None)
                else:
                    found[name] = event["object"]
                if condition(found):
                    return found
        finally:
            connection.close()
        raise AssertionError(f"{what}: not within {WAIT_TIMEOUT_S} s; {len(found)} objects: " +
                             json.dumps([o.get("status") for o in found.values()][:3]))


def template(labels, **spec):
    return {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "registry.example/web:1"}], **spec}}


class RealControllersTest(unittest.TestCase):
    server = controllers = None
    core = f"/api/v1/namespaces/{NAMESPACE}"
    apps = f"/apis/apps/v1/namespaces/{NAMESPACE}"
    batch = f"/apis/batch/v1/namespaces/{NAMESPACE}"

    @classmethod
    def setUpClass(cls):
        cls.api = Api(cls.server)
        cls.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        cls.api.wait(f"{cls.core}/serviceaccounts", lambda found: "default" in found,
                     "the service account of the namespace")

    def tearDown(self):
        if self.controllers:
            self.assertEqual({}, self.controllers.ended())

    def wait_for_deployment(self, name, replicas):
        def is_done(found):
            deployment = found.get(name, {})
            status = deployment.get("status", {})
            return (status.get("observedGeneration") == deployment["metadata"]["generation"]
                    and status.get("replicas") == status.get("updatedReplicas") == replicas
                    and status.get("availableReplicas") == replicas)
        return self.api.wait(f"{self.apps}/deployments", is_done, f"{replicas} of {name}")[name]

    def test_a_deployment_becomes_available_is_scaled_rolled_and_collected(self):
        self.api.call("POST", f"{self.core}/services", {
            "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"},
                                                  "ports": [{"port": 80}]}})
        created = self.api.call("POST", f"{self.apps}/deployments", {
            "metadata": {"name": "web"},
            "spec": {"replicas": REPLICAS, "selector": {"matchLabels": {"app": "web"}},
                     "template": template({"app": "web"})}})
        self.wait_for_deployment("web", REPLICAS)
        pods = self.api.call("GET", f"{self.core}/pods")["items"]
        self.assertEqual({"Running"}, {pod["status"]["phase"] for pod in pods})
        self.assertEqual(NODES, len({pod["spec"]["nodeName"] for pod in pods}))

        self.api.call("PATCH", f"{self.apps}/deployments/web/scale",
                      {"spec": {"replicas": MORE_REPLICAS}}, PATCH_TYPE)
        self.wait_for_deployment("web", MORE_REPLICAS)

        self.api.call("PATCH", f"{self.apps}/deployments/web", {"spec": {"template": {"spec": {
            "containers": [{"name": "main", "image": "registry.example/web:2"}]}}}}, PATCH_TYPE)
        self.wait_for_deployment("web", MORE_REPLICAS)
        sets = self.api.wait(f"{self.apps}/replicasets",
                             lambda found: len(found) == 2 and MORE_REPLICAS in
                             [s["status"]["replicas"] for s in found.values()],
                             "the old and the new replica set")
        self.assertEqual({created["metadata"]["uid"]},
                         {s["metadata"]["ownerReferences"][0]["uid"] for s in sets.values()})
        self.api.wait(f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices",
                      lambda found: sum(len(s.get("endpoints") or []) for s in found.values())
                      == MORE_REPLICAS, "an endpoint for each pod",
                      "kubernetes.io/service-name=web")
        reasons = {e["reason"] for e in self.api.call("GET", f"{self.core}/events")["items"]}
        self.assertLessEqual({"ScalingReplicaSet", "SuccessfulCreate", "Scheduled"}, reasons)

        self.api.call("DELETE", f"{self.apps}/deployments/web", {
            "propagationPolicy": "Background"})
        self.api.wait(f"{self.apps}/replicasets", lambda found: not found, "no replica set left")
        self.api.wait(f"{self.core}/pods", lambda found: not found, "no pod left", "app=web")

    def test_a_stateful_set_is_deleted_in_the_foreground(self):
        self.api.call("POST", f"{self.apps}/statefulsets", {
            "metadata": {"name": "db"},
            "spec": {"replicas": 3, "serviceName": "db",
                     "selector": {"matchLabels": {"app": "db"}},
                     "template": template({"app": "db"})}})
        self.api.wait(f"{self.apps}/statefulsets",
                      lambda found: found["db"]["status"].get("availableReplicas") == 3,
                      "three pods, one after the other")
        self.api.call("DELETE", f"{self.apps}/statefulsets/db", {
            "propagationPolicy": "Foreground"})
        self.api.wait(f"{self.apps}/statefulsets", lambda found: not found, "no stateful set left")
        left = self.api.call("GET", f"{self.core}/pods?labelSelector=app%3Ddb")["items"]
        self.assertEqual([], left)

    def test_a_daemon_set_runs_on_every_node(self):
        self.api.call("POST", f"{self.apps}/daemonsets", {
            "metadata": {"name": "agent"},
            "spec": {"selector": {"matchLabels": {"app": "agent"}},
                     "template": template({"app": "agent"})}})
        self.api.wait(f"{self.apps}/daemonsets",
                      lambda found: found["agent"]["status"].get("numberAvailable") == NODES,
                      "a pod on each node")

    def test_a_job_completes(self):
        self.api.call("POST", f"{self.batch}/jobs", {
            "metadata": {"name": "once"},
            "spec": {"completions": 3, "parallelism": 2,
                     "template": template({}, restartPolicy="Never")}})
        self.api.wait(f"{self.batch}/jobs", lambda found: any(
            c["type"] == "Complete" and c["status"] == "True"
            for c in found["once"]["status"].get("conditions", [])), "the job is complete")

    def test_an_autoscaler_follows_simulated_load(self):
        spec = template({"app": "busy"})
        spec["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}
        self.api.call("POST", f"{self.apps}/deployments", {
            "metadata": {"name": "busy"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "busy"}},
                     "template": spec}})
        self.wait_for_deployment("busy", 2)

        def set_load(value, verb="PUT"):
            path = "/apis/kwok.x-k8s.io/v1alpha1/clusterresourceusages"
            usage = {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterResourceUsage",
                     "metadata": {"name": "load"}, "spec": {
                "selector": {"matchNamespaces": [NAMESPACE]},
                "usages": [{"usage": {"cpu": {"value": value}}}]}}
            if verb == "PUT":
                path += "/load"
                found = self.api.call("GET", path)
                usage["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
            self.api.call(verb, path, usage)

        # Each pod uses half of what it asked for: as many pods as there are. Then 200 %: four
        # times as many, and no more than the autoscaler may have. Then less: back to one.
        set_load("50m", "POST")
        self.api.call("POST", f"/apis/autoscaling/v2/namespaces/{NAMESPACE}"
                      "/horizontalpodautoscalers", {
                          "metadata": {"name": "busy"}, "spec": {
                              "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment",
                                                 "name": "busy"},
                              "minReplicas": 1, "maxReplicas": 7,
                              "metrics": [{"type": "Resource", "resource": {
                                  "name": "cpu", "target": {"type": "Utilization",
                                                            "averageUtilization": 50}}}],
                              "behavior": {"scaleUp": {"stabilizationWindowSeconds": 0},
                                           "scaleDown": {"stabilizationWindowSeconds": 0}}}})
        scalers = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"

        def utilization(found):
            metrics = found["busy"].get("status", {}).get("currentMetrics") or [{}]
            return metrics[0].get("resource", {}).get("current", {}).get("averageUtilization")
        self.api.wait(scalers, lambda found: utilization(found) == 50, "the load is seen")
        set_load("200m")
        self.wait_for_deployment("busy", 7)
        set_load("1m")
        self.wait_for_deployment("busy", 1)
        self.api.call("DELETE", f"{scalers}/busy")
        self.api.call("DELETE", f"{self.apps}/deployments/busy")
        self.api.call("DELETE", "/apis/kwok.x-k8s.io/v1alpha1/clusterresourceusages/load")

    def test_a_namespace_goes_with_everything_in_it(self):
        path = "/api/v1/namespaces/doomed"
        self.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": "doomed"}})
        self.api.call("POST", f"{path}/configmaps", {"metadata": {"name": "c"}})
        self.api.wait(f"{path}/configmaps", lambda found: "kube-root-ca.crt" in found,
                      "the certificates of the cluster")
        self.api.call("DELETE", path)
        self.api.wait("/api/v1/namespaces", lambda found: "doomed" not in found,
                      "the namespace is gone")

    def test_a_quota_counts_what_is_there(self):
        self.api.call("POST", f"{self.core}/configmaps", {"metadata": {"name": "counted"}})
        self.api.call("POST", f"{self.core}/resourcequotas", {
            "metadata": {"name": "quota"}, "spec": {"hard": {"count/configmaps": "100"}}})
        self.api.wait(f"{self.core}/resourcequotas",
                      lambda found: int(found["quota"].get("status", {}).get("used", {})
                                        .get("count/configmaps", 0)) >= 1, "the quota's usage")

    def test_leaders_hold_their_leases(self):
        self.api.wait("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases",
                      lambda found: all(found.get(name, {}).get("spec", {}).get("holderIdentity")
                                        for name in PROGRAMS), "the leases of the two")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kulisse", help="program to start")
    where.add_argument("--kubeconfig", help="of a cluster that runs, with the controllers")
    options, rest = parser.parse_known_args()
    folder = os.environ.get("KULISSE_REFERENCE_BIN", "")
    missing = [name for name in PROGRAMS if not os.path.exists(os.path.join(folder, name))]
    if options.kulisse and missing:
        print(f"skipped: no {' and no '.join(missing)} in $KULISSE_REFERENCE_BIN")
        return SKIPPED
    started = None
    with contextlib.ExitStack() as stack:
        if options.kulisse:
            started = servers.Kulisse(options.kulisse, ["--nodes", str(NODES)])
            RealControllersTest.server = stack.enter_context(started)
            RealControllersTest.controllers = stack.enter_context(
                Controllers(folder, RealControllersTest.server.kubeconfig))
        else:
            temporary = stack.enter_context(tempfile.TemporaryDirectory())
            RealControllersTest.server = servers.from_kubeconfig(options.kubeconfig, temporary)
        ran = unittest.main(argv=[sys.argv[0], *rest], exit=False)
        if RealControllersTest.controllers and not ran.result.wasSuccessful():
            RealControllersTest.controllers.show()
    good = ran.result.wasSuccessful() and (started is None or started.exit_code == 0)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
