#!/usr/bin/env bash
# Plays a platform with two tenants, on the cluster of KUBECONFIG and the registry of REGISTRY: play.sh [PREFIX]
# PREFIX comes before the names of the tenants.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
prefix=${1:-}
registry=${REGISTRY:?the registry to publish to, such as localhost:5000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export KPLAN_IN_AUTOMATION=1

tell() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
fail() { printf 'play.sh: %s\n' "$*" >&2; exit 1; }
has() { grep -q -- "$1" "$dir/out" || { cat "$dir/out" >&2; fail "it does not say: $1"; }; }

# The tenants' directories, with the registry that there is.
cp -r "$here/tenants" "$dir/tenants"
sed -i.bak "s#oci://registry.example#oci://$registry#" "$dir"/tenants/*/main.kplan.hcl
in_acme() (cd "$dir/tenants/acme" && KPLAN_VAR_tenant=${prefix}acme run kplan "$@")
in_globex() (cd "$dir/tenants/globex" && KPLAN_VAR_tenant=${prefix}globex run kplan "$@")

tell "The platform team publishes a version of its module."
run kplan module push "oci://$registry/platform/app" "$here/app/1.4.2" -version=1.4.2

tell "Two tenants use it. kplan init writes down which version that is, and what is in it."
in_acme init
cat "$dir/tenants/acme/.kplan.lock.hcl"
in_globex init
in_acme apply -auto-approve >"$dir/out"
has 'Resources: 3 added'
in_globex apply -auto-approve >"$dir/out"
has 'Resources: 3 added'

tell "The next version is published. It changes nobody: no run but kplan init -upgrade takes another version than the lock file has."
run kplan module push "oci://$registry/platform/app" "$here/app/1.5.0" -version=1.5.0
in_acme plan -detailed-exitcode
in_acme module list
in_globex module list

tell "acme is upgraded: a change of its lock file, and a plan of what that means."
in_acme init -upgrade
in_acme plan -out="$dir/acme.plan" | tee "$dir/out"
has 'moved from module.app.Deployment.app'
has '+ resource "PodDisruptionBudget" "app"'
has '^Plan: 1 to add, 1 to change, 0 to destroy, 1 to move\.'
in_acme apply "$dir/acme.plan" >"$dir/out"
has 'Resources: 1 added, 1 changed, 0 destroyed'

tell "globex stays where it is: its constraint allows this version alone."
in_globex init -upgrade >"$dir/out"
in_globex plan -detailed-exitcode

tell "A pipeline has a fresh checkout and an empty cache. It gets what the lock file has, or nothing."
(
  export KPLAN_CACHE_DIR=$dir/cache
  in_acme init -lockfile=readonly
  in_acme plan -detailed-exitcode
)

tell "A version is published once: other files under the same number are refused."
if run kplan module push "oci://$registry/platform/app" "$here/app/1.4.2" -version=1.5.0 2>"$dir/out"; then fail "1.5.0 was replaced"; fi
has "Can't publish the module"

tell "acme goes back, for now."
sed -i.bak 's/"~> 1.4"/"1.4.2"/' "$dir/tenants/acme/main.kplan.hcl"
in_acme init
in_acme apply -auto-approve >"$dir/out"
has 'Resources: 0 added, 1 changed, 1 destroyed'

tell "Both leave."
in_acme destroy -auto-approve >"$dir/out"
in_globex destroy -auto-approve >"$dir/out"
has 'Destroy complete'
tell "Done."
