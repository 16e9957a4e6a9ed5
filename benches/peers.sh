#!/usr/bin/env bash
# Other programs and Fokker side by side on the problems P1 to P7, one core; a table for docs/performance.md.
# `benches/peers.sh FOLDER [ROUNDS]`, after `cargo build --release`.
#
# FOLDER has peer_NAME.py scripts and limit/limit_NAME programs, each of which prints lines of JSON with `peer`, `problem`,
# `paths`, `steps` and `seconds` or `spread`, and takes the name of a problem (p1 ... p7, normal). Their Python is
# FOLDER/.venv/bin/python, or $PYTHON. Scripts whose packages are missing are left out and named. The rounds interleave
# all programs problem by problem, so that a change of the machine's load meets each; the fastest repeat counts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "${1:?the folder of the peers}" && pwd)
rounds=${2:-2}
python=${PYTHON:-$folder/.venv/bin/python}
command -v "$python" >/dev/null || python=python3
fokker=${FOKKER:-${CARGO_TARGET_DIR:-$here/../target}/release/fokker}
core() { if command -v taskset >/dev/null; then taskset -c "${CORE:-0}" "$@"; else "$@"; fi; }

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
peers=${PEERS:-numpy numba jax diffrax}
limits=${LIMITS:-aes}

for round in $(seq "$rounds"); do
  for problem in p1 p2 p3 p4 p5 p6 p7; do
    for limit in $limits; do
      if [[ $problem != p7 && -x $folder/limit/limit_$limit ]]; then
        core "$folder/limit/limit_$limit" "limit-$limit" "$problem" >>"$lines"
      fi
    done
    core "$python" "$here/peers.py" fokker "$fokker" "$here/problems/$problem.sde" "$problem" >>"$lines"
    for peer in $peers; do
      script=$folder/peer_$peer.py
      [[ -f $script ]] || continue
      (cd "$folder" && core timeout "${PATIENCE:-120}" "$python" "$script" "$problem") >>"$lines" 2>/dev/null ||
        echo "left out in round $round: $peer on $problem" >&2
    done
  done
done
"$python" "$here/peers.py" table "$lines"
echo "load while this ran (1, 5, 15 minutes): $(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown)"
