#!/usr/bin/env bash
# Writes page.txt: what KWOK 0.8 serves for usage.yaml, when objects.yaml is on its API server.
# usage: KULISSE_REFERENCE_BIN=DIR record.sh KULISSE PORT     (Kulisse is no more than the API here)
set -euo pipefail
kulisse=$1 port=$2 here=$(cd "$(dirname "$0")" && pwd) bin=$KULISSE_REFERENCE_BIN
stages=$(cd "$(go env GOMODCACHE)/sigs.k8s.io/kwok@v0.8.0" && pwd)/kustomize/stage
work=$(mktemp -d)
pids=()
stop() {
  kill "${pids[@]}"
  wait
  rm -r "$work"
}
trap stop EXIT

"$kulisse" serve --in-memory --no-simulator --port "$port" --kubeconfig "$work/kubeconfig" \
  >"$work/log" 2>&1 &
pids+=($!)
kubectl=("$bin/kubectl" --kubeconfig "$work/kubeconfig")
until "${kubectl[@]}" create serviceaccount default >/dev/null 2>&1; do sleep 0.2; done
"$bin/kwok" --kubeconfig "$work/kubeconfig" --manage-all-nodes --config "$here/usage.yaml" \
  --config "$stages/node/fast/node-initialize.yaml" --config "$stages/pod/fast/pod-ready.yaml" \
  --server-address "127.0.0.1:$((port + 1))" >>"$work/log" 2>&1 &
pids+=($!)
"${kubectl[@]}" create -f "$here/objects.yaml"
"${kubectl[@]}" wait --for=condition=Ready pod --all --timeout=60s
# KWOK begins to look at pods with the first question.
until curl -s "http://127.0.0.1:$((port + 1))/metrics/nodes/n1/own" >"$work/page" &&
  grep -q '^pod_cpu{' "$work/page"; do sleep 0.2; done
grep -v promhttp_ "$work/page" >"$here/page.txt"
