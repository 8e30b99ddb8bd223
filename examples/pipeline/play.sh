#!/usr/bin/env bash
# Plays what these pipelines do, on the cluster of KUBECONFIG, of which the caller is an administrator: play.sh [TENANT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tenant=${1:-shop}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export KPLAN_IN_AUTOMATION=1

tell() { printf '\n== %s\n' "$*"; }
fail() { printf 'play.sh: %s\n' "$*" >&2; exit 1; }

# account NAME writes a kubeconfig with a token of that service account.
account() {
  kubectl config view --raw --minify --flatten >"$dir/$1.kubeconfig"
  KUBECONFIG=$dir/$1.kubeconfig kubectl config set-credentials job --token="$(kubectl -n kplan-states create token "$1")" >/dev/null
  KUBECONFIG=$dir/$1.kubeconfig kubectl config set-context --current --user=job >/dev/null
}

# checkout NAME is a fresh copy of the repository, as each job has one.
checkout() { rm -rf "${dir:?}/$1"; mkdir "$dir/$1"; cp "$here"/*.kplan.hcl "$here"/plan.sh "$here"/release.sh "$dir/$1"; }

plan() { checkout "$1"; KUBECONFIG=$dir/planner.kubeconfig "$dir/$1/plan.sh" "$tenant" "$2" "$dir/$1.plan"; }
release() { checkout "$1-release"; KUBECONFIG=$dir/releaser.kubeconfig "$dir/$1-release/release.sh" "$dir/$1.plan"; }

# released RELEASE is how many of the objects have a release.
released() { kubectl -n "$tenant" get configmaps -o jsonpath='{range .items[*]}{.data.release}{"\n"}{end}' | grep -cx "$1" || true; }
has() { grep -q -- "$1" "$2" || { cat "$2" >&2; fail "it does not say: $1"; }; }

tell "An administrator sets up the accounts, and the state of the tenant, once."
kubectl apply -f "$here/access.yaml"
account planner
account releaser
checkout setup
(cd "$dir/setup" && KUBECONFIG=$dir/releaser.kubeconfig kplan init -var tenant="$tenant")

tell "A plan, made with read-only credentials, is handed on as a file and applied by another job."
plan first v1 >"$dir/out"
has '102 to add' "$dir/out"
has '102 to add' "$dir/first.plan.md"
release first >"$dir/out"
has 'Resources: 102 added' "$dir/out"

tell "The planner can't release, whatever its job runs."
if (checkout evil && cd "$dir/evil" && KUBECONFIG=$dir/planner.kubeconfig kplan apply -auto-approve -var tenant="$tenant" -var release=evil) 2>"$dir/out"; then
  fail "the planner released"
fi
has 'forbidden' "$dir/out"

tell "Of two pipelines that planned from the same state, the second is refused, and plans again."
plan left v2 >"$dir/out"
plan right v3 >"$dir/out"
release left >"$dir/out"
if release right 2>"$dir/out"; then fail "a stale plan was applied"; fi
has 'Saved plan is stale' "$dir/out"
plan right v3 >"$dir/out"
release right >"$dir/out"
has 'Resources: 0 added, 100 changed' "$dir/out"

tell "Two that run at the same time wait for each other."
for release in v4 v5; do
  checkout "$release"
  (cd "$dir/$release" && KUBECONFIG=$dir/releaser.kubeconfig kplan apply -auto-approve -input=false -lock-timeout=3m \
    -var tenant="$tenant" -var release=$release >"$dir/$release.out" 2>&1) &
done
wait
has 'Apply complete' "$dir/v4.out"
has 'Apply complete' "$dir/v5.out"
[ "$(released v4)" = 100 ] || [ "$(released v5)" = 100 ] || fail "the two are mixed"

tell "One is killed in the middle. Its lock ends by itself within a minute, and the next pipeline finishes what it began."
checkout killed
(cd "$dir/killed" && KUBECONFIG=$dir/releaser.kubeconfig exec kplan apply -auto-approve -parallelism=1 \
  -var tenant="$tenant" -var release=v6 >"$dir/killed.out" 2>&1) &
killed=$!
until [ "$(grep -c 'Modifications complete' "$dir/killed.out" || true)" -ge 3 ]; do # quicker than to ask the cluster
  kill -0 $killed 2>/dev/null || { cat "$dir/killed.out" >&2; fail "it ended too soon"; }
done
kill -KILL $killed
wait $killed 2>/dev/null || true
echo "$(released v6) of 100 objects are of v6."
[ "$(released v6)" -lt 100 ] || fail "it was not in the middle"
(cd "$dir/killed" && KUBECONFIG=$dir/planner.kubeconfig kplan lock status -var tenant="$tenant")
plan next v6 >"$dir/out"
release next >"$dir/out"
[ "$(released v6)" = 100 ] || fail "it was not finished"

tell "Nothing is left to do, and state and cluster agree."
checkout last
cd "$dir/last"
export KUBECONFIG=$dir/planner.kubeconfig
kplan plan -detailed-exitcode -var tenant="$tenant" -var release=v6
kplan state check -var tenant="$tenant" -var release=v6
kplan state history -var tenant="$tenant"

tell "The tenant leaves."
KUBECONFIG=$dir/releaser.kubeconfig kplan destroy -auto-approve -var tenant="$tenant" -var release=v6 >"$dir/out"
has 'Destroy complete' "$dir/out"
tell "Done."
