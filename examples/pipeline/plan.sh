#!/usr/bin/env bash
# The job of a pull request: what would change? It may read the cluster and the state, and nothing else.
# plan.sh TENANT RELEASE PLAN saves the plan in the file PLAN, for the release job, and what a reviewer reads in PLAN.md.
set -euo pipefail
cd "$(dirname "$0")"
kplan plan -input=false -lock-timeout=3m -var tenant="$1" -var release="$2" -out="$3"
kplan show -markdown "$3" >"$3.md"
