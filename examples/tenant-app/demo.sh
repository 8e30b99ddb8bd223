#!/usr/bin/env bash
# `make demo`: runs this example on a real control plane.
set -euo pipefail
cd "$(dirname "$0")"
dir=../../${DEMO_DIR:-.sandbox/demo}
export PATH="$PWD/../../bin:$PWD/../../bin/sandbox:$PATH" KUBECONFIG="$dir/kubeconfig" KPLAN_IN_AUTOMATION=1
bold=""; plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m'; plain=$'\e[0m'; fi

tell() { printf '\n%s\n' "$*"; }
run() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }

tell "Start a control plane for the demo: etcd, kube-apiserver, controllers, scheduler, two nodes."
kplan-sandbox up -dir "$dir" -detach

state=$dir/acme.kplan.state.json
acme=(-state="$state" -var-file=tenants/acme.kpvars.hcl)
if [ -e "$state" ]; then
  tell "The demo has run before. Delete its objects first, to begin from scratch."
  run kplan destroy "${acme[@]}" -auto-approve
fi

tell "The configuration of the tenant acme:"
run cat tenants/acme.kpvars.hcl
tell "Show what would change, and save the plan. Nothing changes yet."
run kplan plan "${acme[@]}" -out="$dir/acme.plan"
tell "Apply exactly that plan, and wait until the pods are running."
run kplan apply -state="$state" "$dir/acme.plan"
tell "The objects in the cluster:"
run kubectl --namespace=acme get pods,replicationcontrollers,services
tell "The next plan has no changes:"
run kplan plan "${acme[@]}"

cat <<TEXT

${bold}The demo is complete.${plain} The control plane is still running. To continue:

  cd examples/tenant-app
  export KUBECONFIG=$dir/kubeconfig PATH=\$PWD/../../bin:\$PWD/../../bin/sandbox:\$PATH
  kplan plan -state=$state -var-file=tenants/acme.kpvars.hcl

Change a value in tenants/acme.kpvars.hcl and plan again, or plan the second tenant
with its own state: -state=$dir/globex.kplan.state.json -var-file=tenants/globex.kpvars.hcl

To stop the control plane and delete all its data: make demo-down
TEXT
