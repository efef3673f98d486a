#!/usr/bin/env python3
"""The Python client of Kubernetes (PyPI: kubernetes) works with Kulisse: list, watch, create,
patch, delete, typed and dynamic.

  python_client_test.py --kulisse PROGRAM       what ctest runs
  python_client_test.py --kubeconfig F          against a cluster that runs (KWOK or Kulisse)

The interpreter with the client is $KULISSE_PYTHON, or this one; without the client the test is
skipped (exit status 77).
"""
import argparse
import importlib.util
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "support"))

import servers

SKIPPED = 77
NAMESPACE = "python-client"
WATCH_TIMEOUT_S = 30
CAPACITY = {"cpu": "8", "memory": "16Gi", "pods": "110"}


def find_client():
    """Goes on in the interpreter that has the client, or says why there is none."""
    if importlib.util.find_spec("kubernetes"):
        return None
    other = os.environ.get("KULISSE_PYTHON")
    if other and not os.environ.get("KULISSE_PYTHON_STARTED"):
        os.environ["KULISSE_PYTHON_STARTED"] = "1"
        os.execv(other, [other, *sys.argv])
    return f"{other or sys.executable} has no module kubernetes, and KULISSE_PYTHON names no other"


def pod(name, node=None):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"nodeName": node, "automountServiceAccountToken": False,
                     "containers": [{"name": "main", "image": "registry.example/app:1"}]}}


class PythonClientTest(unittest.TestCase):
    kubeconfig = None

    @classmethod
    def setUpClass(cls):
        from kubernetes import client, config
        config.load_kube_config(cls.kubeconfig)
        cls.core = client.CoreV1Api()
        cls.apps = client.AppsV1Api()
        cls.core.create_namespace({"metadata": {"name": NAMESPACE}})
        cls.core.create_node({"metadata": {"name": "python-node"},
                              "status": {"capacity": CAPACITY, "allocatable": CAPACITY}})

    def config_map(self, name, **data):
        return self.core.create_namespaced_config_map(
            NAMESPACE, {"metadata": {"name": name, "labels": {"app": name}}, "data": data})

    def refused(self, status, call, *arguments, **keywords):
        from kubernetes.client.exceptions import ApiException
        with self.assertRaises(ApiException) as caught:
            call(*arguments, **keywords)
        self.assertEqual(caught.exception.status, status)
        return caught.exception.body

    def test_create_read_list(self):
        created = self.config_map("read", a="1")
        read = self.core.read_namespaced_config_map("read", NAMESPACE)
        self.assertEqual(read.metadata.uid, created.metadata.uid)
        self.assertEqual(read.data, {"a": "1"})
        listed = self.core.list_namespaced_config_map(NAMESPACE, label_selector="app=read")
        self.assertEqual([m.metadata.name for m in listed.items], ["read"])
        self.assertIn("already exists", self.refused(409, self.config_map, "read"))
        self.refused(404, self.core.read_namespaced_config_map, "nope", NAMESPACE)

    def test_pages(self):
        for i in range(5):
            self.config_map(f"page-{i}")
        names, token = [], None
        while True:
            page = self.core.list_namespaced_config_map(
                NAMESPACE, limit=2, _continue=token, field_selector="metadata.name!=other")
            names += [m.metadata.name for m in page.items]
            token = page.metadata._continue
            if not token:
                break
        self.assertEqual([n for n in names if n.startswith("page-")],
                         [f"page-{i}" for i in range(5)])

    def test_patch_and_replace(self):
        self.config_map("patch", a="1", b="2")
        merged = self.core.patch_namespaced_config_map(
            "patch", NAMESPACE, {"data": {"a": None, "c": "3"}},
            _content_type="application/merge-patch+json")
        self.assertEqual(merged.data, {"b": "2", "c": "3"})
        patched = self.core.patch_namespaced_config_map(
            "patch", NAMESPACE, [{"op": "replace", "path": "/data/c", "value": "4"}])
        self.assertEqual(patched.data, {"b": "2", "c": "4"})
        stale = merged.metadata.resource_version
        patched.data["d"] = "5"
        replaced = self.core.replace_namespaced_config_map("patch", NAMESPACE, patched)
        self.assertEqual(replaced.data["d"], "5")
        replaced.metadata.resource_version = stale
        self.refused(409, self.core.replace_namespaced_config_map, "patch", NAMESPACE, replaced)

    def test_watch_sees_what_happens_after_a_list(self):
        from kubernetes import watch
        start = self.core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
        self.config_map("watched", a="1")
        self.core.patch_namespaced_config_map(
            "watched", NAMESPACE, {"data": {"a": "2"}},
            _content_type="application/merge-patch+json")
        self.core.delete_namespaced_config_map("watched", NAMESPACE)
        seen, watcher = [], watch.Watch()
        for event in watcher.stream(self.core.list_namespaced_config_map, NAMESPACE,
                                    resource_version=start, label_selector="app=watched",
                                    timeout_seconds=WATCH_TIMEOUT_S):
            seen.append((event["type"], event["object"].data))
            if event["type"] == "DELETED":
                watcher.stop()
        self.assertEqual(seen, [("ADDED", {"a": "1"}), ("MODIFIED", {"a": "2"}),
                                ("DELETED", {"a": "2"})])

    def test_a_pod_on_a_node_runs_and_goes(self):
        from kubernetes import watch
        self.core.create_namespaced_pod(NAMESPACE, pod("runs", "python-node"))
        watcher, phases = watch.Watch(), []
        for event in watcher.stream(self.core.list_namespaced_pod, NAMESPACE,
                                    field_selector="metadata.name=runs",
                                    timeout_seconds=WATCH_TIMEOUT_S):
            phases.append(event["object"].status.phase)
            if phases[-1] == "Running":
                watcher.stop()
        self.assertEqual(phases[-1], "Running")
        status = self.core.read_namespaced_pod_status("runs", NAMESPACE).status
        self.assertTrue(status.pod_ip)
        self.assertIn(("Ready", "True"), [(c.type, c.status) for c in status.conditions])
        self.core.delete_namespaced_pod("runs", NAMESPACE)
        left = self.core.list_namespaced_pod(NAMESPACE, field_selector="metadata.name=runs")
        gone, watcher = not left.items, watch.Watch()
        if not gone:
            for event in watcher.stream(self.core.list_namespaced_pod, NAMESPACE,
                                        field_selector="metadata.name=runs",
                                        resource_version=left.metadata.resource_version,
                                        timeout_seconds=WATCH_TIMEOUT_S):
                gone = event["type"] == "DELETED"
                if gone:
                    watcher.stop()
        self.assertTrue(gone)

    def test_a_deployment_and_its_scale(self):
        template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("web")["spec"]}
        self.apps.create_namespaced_deployment(NAMESPACE, {
            "metadata": {"name": "web"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                     "template": template}})
        scale = self.apps.patch_namespaced_deployment_scale(
            "web", NAMESPACE, {"spec": {"replicas": 3}},
            _content_type="application/merge-patch+json")
        self.assertEqual(scale.spec.replicas, 3)
        self.assertEqual(self.apps.read_namespaced_deployment("web", NAMESPACE).spec.replicas, 3)
        self.apps.delete_namespaced_deployment("web", NAMESPACE)

    def test_secrets_services_and_namespaces(self):
        secret = self.core.create_namespaced_secret(
            NAMESPACE, {"metadata": {"name": "s"}, "stringData": {"k": "value"}})
        self.assertEqual((secret.data, secret.type), ({"k": "dmFsdWU="}, "Opaque"))
        service = self.core.create_namespaced_service(NAMESPACE, {
            "metadata": {"name": "web"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
        self.assertEqual(service.spec.ports[0].port, 80)
        self.core.delete_namespaced_service("web", NAMESPACE)
        self.assertIn("default", [n.metadata.name for n in self.core.list_namespace().items])

    def test_delete_collection(self):
        for name in ("gone-a", "gone-b"):
            self.config_map(name)
        self.core.delete_collection_namespaced_config_map(
            NAMESPACE, label_selector="app in (gone-a,gone-b)")
        left = self.core.list_namespaced_config_map(NAMESPACE).items
        self.assertFalse([m for m in left if m.metadata.name.startswith("gone-")])

    def test_the_dynamic_client_finds_its_way_by_discovery(self):
        from kubernetes import client, dynamic
        dynamic_client = dynamic.DynamicClient(client.ApiClient())
        config_maps = dynamic_client.resources.get(api_version="v1", kind="ConfigMap")
        config_maps.create(namespace=NAMESPACE,
                           body={"metadata": {"name": "dynamic"}, "data": {"a": "1"}})
        config_maps.patch(namespace=NAMESPACE, name="dynamic", body={"data": {"a": "2"}},
                          content_type="application/merge-patch+json")
        self.assertEqual(config_maps.get(namespace=NAMESPACE, name="dynamic").data.a, "2")
        config_maps.delete(namespace=NAMESPACE, name="dynamic")
        self.refused(404, self.core.read_namespaced_config_map, "dynamic", NAMESPACE)

    def test_versions_and_resources(self):
        from kubernetes import client
        self.assertEqual(client.VersionApi().get_code().major, "1")
        groups = [g.name for g in client.ApisApi().get_api_versions().groups]
        self.assertIn("apps", groups)
        names = [r.name for r in self.core.get_api_resources().resources]
        self.assertIn("pods/status", names)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kulisse", help="program to start")
    where.add_argument("--kubeconfig", help="of a running cluster")
    options = parser.parse_args()
    reason = find_client()
    if reason:
        print("skipped:", reason)
        return SKIPPED
    if options.kubeconfig:
        return run(options.kubeconfig)
    started = servers.Kulisse(options.kulisse, [])
    with started as server:
        result = run(server.kubeconfig)
    return result or (1 if started.exit_code else 0)


def run(kubeconfig):
    PythonClientTest.kubeconfig = kubeconfig
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(PythonClientTest)
    return 0 if unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
