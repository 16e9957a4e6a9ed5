#!/usr/bin/env bash
# Instructions that `fokker run` takes on small versions of the problems, under valgrind: a check for regressions that no
# other load on the machine disturbs. Compared with benches/instructions.txt within a few per cent.
# `benches/instructions.sh [FOKKER]`; `UPDATE=1` writes the table anew.
#
# For each problem the count of a run with few paths is taken from that of one with more, so that loading and compiling,
# counted by themselves, do not hide the steps. Valgrind has AES-NI and AVX2, but neither VAES nor AVX-512: it is those
# versions of the kernels that are counted.
set -euo pipefail
cd "$(dirname "$0")"

fokker=${1:-${CARGO_TARGET_DIR:-../target}/release/fokker}
table=instructions.txt
tolerance=3   # per cent

if ! command -v valgrind >/dev/null; then
  echo "skipped: valgrind is not installed"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Instructions of a run: FILE, paths.
count() {
  valgrind --tool=callgrind --callgrind-out-file="$scratch/out" --smc-check=all-non-file \
    "$fokker" run "problems/$1.sde" --paths "$2" --threads 1 >"$scratch/stdout" 2>"$scratch/stderr" ||
    { cat "$scratch/stderr"; exit 1; }
  awk '/Collected/ { print $NF }' "$scratch/stderr"
}

{
  echo "# problem  instructions to load and compile (millions), and for one step of one path"
  while read -r problem few many steps; do
    a=$(count "$problem" "$few")
    b=$(count "$problem" "$many")
    awk -v p="$problem" -v a="$a" -v b="$b" -v few="$few" -v many="$many" -v steps="$steps" 'BEGIN {
      each = (b - a) / ((many - few) * steps)
      printf "%s %.1f %.2f\n", p, (a - each * few * steps) / 1e6, each }'
  done <<'EOF'
p1 64 4096 1000
p2 64 4096 1000
p3 64 512 1000
p4 64 1024 1000
p5 64 8192 250
p6 64 128 500
EOF
} | tee "$scratch/now"

if [[ -n ${UPDATE:-} ]]; then
  cp "$scratch/now" "$table"
  exit 0
fi
awk -v tolerance="$tolerance" '
  /^#/ { next }
  FNR == NR { load[$1] = $2; step[$1] = $3; next }
  !($1 in load) { print $1 " is not in the table"; bad = 1; next }
  {
    report("load", $1, load[$1], $2); report("step", $1, step[$1], $3)
  }
  function report(what, problem, before, now) {
    change = 100 * (now / before - 1)
    if (change > tolerance) { printf "%s of %s: %.2f, was %.2f (%+.1f %%)\n", what, problem, now, before, change; bad = 1 }
    if (change < -tolerance) printf "%s of %s: %.2f, was %.2f (%+.1f %%): UPDATE=1 takes the gain over\n", what, problem, now, before, change
  }
  END { exit bad }' "$table" "$scratch/now"
echo "within $tolerance % of $table"
