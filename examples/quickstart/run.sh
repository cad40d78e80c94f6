#!/bin/sh
# The main job of nhictl from nothing: install it into a private virtual environment, then validate, plan, apply, edit,
# plan and apply again, find a change made behind its back, and ask the ledger. Works on a copy; needs only Python 3.11.
# Usage: sh examples/quickstart/run.sh [--keep]     (--keep leaves the copy behind)
# Environment: NHICTL_VENV, the virtual environment to use (default: .venv of the checkout); PYTHON, the interpreter.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
venv=${NHICTL_VENV:-$checkout/.venv}
keep=${1:-}

fail() {
  printf '\n%s\n' "run.sh: $*" >&2
  exit 1
}

find_python() {
  for candidate in ${PYTHON:-} python3.11 python3 python python3.12 python3.13 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  fail "needs Python 3.11 or newer; name it with PYTHON=..."
}

# An editable installation of this checkout is up to date already.
is_editable() {
  "$venv/bin/python" - "$checkout" <<'PYTHON' 2>/dev/null
import importlib.metadata, json, pathlib, sys, urllib.parse
source = json.loads(importlib.metadata.distribution("nhictl").read_text("direct_url.json"))
path = urllib.parse.unquote(urllib.parse.urlsplit(source["url"]).path)
same = pathlib.Path(path).resolve() == pathlib.Path(sys.argv[1]).resolve()
sys.exit(not (same and source["dir_info"].get("editable")))
PYTHON
}

install_nhictl() {
  if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python)
    "$python" -m venv "$venv" || fail "cannot make a virtual environment (Debian: apt install python3-venv)"
  fi
  if ! is_editable; then
    echo "Installing nhictl from $checkout into $venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$checkout" || fail "the installation failed"
  fi
}

title() {
  printf '\n\n# %s\n' "$*"
}

# run EXPECTED COMMAND...: show the command, run it, and stop unless it ends with the expected exit code.
run() {
  expected=$1
  shift
  printf '\n$ %s\n' "$*"
  status=0
  "$@" || status=$?
  [ "$status" -eq "$expected" ] || fail "'$*' ended with exit code $status instead of $expected"
}

install_nhictl
PATH="$venv/bin:$PATH"
export PATH
# settings of the caller must not change what is shown
for name in $(env | sed -n 's/^\(NHICTL_[A-Z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done

work=$(mktemp -d)
if [ "$keep" != "--keep" ]; then
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
fi
cp -R "$here/nhictl.yaml" "$here/manifests" "$work"
cd "$work"

title "Check the manifests, see what would happen, make it so"
run 0 nhictl validate
run 0 nhictl plan
run 0 nhictl apply --yes
run 0 nhictl plan --detailed-exitcode

title "Edit a manifest: a role gets one action more; the plan says which identities gain access by it"
edit='s,actions: \[orders/read\],actions: [orders/read\, orders/refund],'
printf "\n\$ sed '%s' manifests/roles/payments.yaml\n" "$edit"
sed "$edit" manifests/roles/payments.yaml > edited
if cmp -s edited manifests/roles/payments.yaml; then fail "the edit changed nothing"; fi
mv edited manifests/roles/payments.yaml
run 0 nhictl fmt --check
run 2 nhictl plan --detailed-exitcode
run 0 nhictl apply --yes
run 0 nhictl drift

title "Somebody widens a role behind nhictl's back: drift ends with exit code 2 and names object and field"
cat > behind.py <<'PYTHON'
import sqlite3
directory = sqlite3.connect(".nhictl/directory.db")
with directory:
    directory.execute(
        "INSERT INTO permissions (role_id, action, resource)"
        " SELECT id, 'deployment/delete', 'service/*' FROM roles WHERE name = 'payments-deployer'"
    )
PYTHON
printf '\n$ cat behind.py\n'
cat behind.py
run 0 python behind.py
rm behind.py
run 2 nhictl drift
run 0 nhictl apply --yes
run 0 nhictl drift

title "Ask the ledger: what happened, was it altered, who did what to one identity"
run 0 nhictl audit log -n 12
run 0 nhictl audit verify
run 0 nhictl history support-agent

if [ "$keep" = "--keep" ]; then
  printf '\nThe workspace is in %s\n' "$work"
fi
printf '\nDone: every command ended as expected.\n'
