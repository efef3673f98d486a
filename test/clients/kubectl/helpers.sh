# shellcheck shell=bash
# Sourced by bash before each command of a session (BASH_ENV).

# service_account NAMESPACE: the account that pods must have, where no controller makes it.
service_account() {
  kubectl get serviceaccount default -n "$1" >/dev/null 2>&1 ||
    kubectl create serviceaccount default -n "$1" >/dev/null
}

# ready_node NAME: the node of node.yaml, under another name, Ready.
ready_node() {
  kubectl get node "$1" >/dev/null 2>&1 ||
    sed "s/worker-a/$1/" node.yaml | kubectl create -f - >/dev/null
  kubectl wait --for=condition=Ready "node/$1" --timeout=60s
}

# watch_while 'COMMAND…' RESOURCE…: prints the events that `kubectl get RESOURCE… --watch` sees
# while the commands run; the last one must delete the object. Waits for events, never for time.
watch_while() {
  local commands=$1 events=$HOME/events
  shift
  : >"$events"
  kubectl get "$@" --watch --output-watch-events \
    -o jsonpath='{.type} {.object.metadata.name} {.object.metadata.labels}{"\n"}' >"$events" 2>&1 &
  local watcher=$!
  until grep -q ADDED "$events"; do sleep 0.05; done
  eval "$commands"
  until grep -q DELETED "$events"; do sleep 0.05; done
  kill "$watcher"
  wait "$watcher" 2>/dev/null
  cat "$events"
}

# structure: `kubectl explain` without descriptions, which are not part of the facts.
structure() { sed -e '/^DESCRIPTION:/,/^FIELDS:/{/^FIELDS:/!d}' -e '/<no description>/d'; }
