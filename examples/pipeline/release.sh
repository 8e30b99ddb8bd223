#!/usr/bin/env bash
# The job of a release: exactly what was reviewed. release.sh PLAN
# It fails, and changes nothing, if anything that the plan was made from is another by now.
set -euo pipefail
cd "$(dirname "$0")"
kplan apply -input=false -lock-timeout=3m "$1"
