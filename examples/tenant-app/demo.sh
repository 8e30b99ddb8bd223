#!/usr/bin/env bash
# `make demo`: this example on a real control plane, before your eyes.
set -euo pipefail
cd "$(dirname "$0")"
dir=../../${DEMO_DIR:-.sandbox/demo}
export PATH="$PWD/../../bin:$PWD/../../bin/sandbox:$PATH" KUBECONFIG="$dir/kubeconfig" KPLAN_IN_AUTOMATION=1
bold=""; plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m'; plain=$'\e[0m'; fi

tell() { printf '\n%s\n' "$*"; }
run() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }

tell "A control plane of its own for the demo: etcd, kube-apiserver, controllers, scheduler, two nodes."
kplan-sandbox up -dir "$dir" -detach

state=$dir/acme.kplan.state.json
acme=(-state="$state" -var-file=tenants/acme.kpvars.hcl)
if [ -e "$state" ]; then
  tell "The demo has run before. Everything it made is deleted first, so that you see it from the start."
  run kplan destroy "${acme[@]}" -auto-approve
fi

tell "What the tenant acme wants:"
run cat tenants/acme.kpvars.hcl
tell "What would change. Nothing does yet; the plan is kept in a file."
run kplan plan "${acme[@]}" -out="$dir/acme.plan"
tell "Do exactly that, and wait until the pods run."
run kplan apply -state="$state" "$dir/acme.plan"
tell "What the cluster says:"
run kubectl --namespace=acme get pods,replicationcontrollers,services
tell "And the next plan:"
run kplan plan "${acme[@]}"

cat <<TEXT

${bold}That was kplan.${plain} The control plane still runs. To go on:

  cd examples/tenant-app
  export KUBECONFIG=$dir/kubeconfig PATH=\$PWD/../../bin:\$PWD/../../bin/sandbox:\$PATH
  kplan plan -state=$state -var-file=tenants/acme.kpvars.hcl

Change a value in tenants/acme.kpvars.hcl and plan again, or give the second tenant
a state of its own: -state=$dir/globex.kplan.state.json -var-file=tenants/globex.kpvars.hcl

To stop the control plane and remove all of it: make demo-down
TEXT
