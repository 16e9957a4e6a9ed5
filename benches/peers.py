"""For peers.sh: runs Fokker on a problem and prints a line of JSON as the peers do, or makes the table of all lines."""

import json
import subprocess
import sys

PATHS = dict(p1=40960, p2=40960, p3=4096, p4=16384, p5=65536, p6=512, p7=64)
NAMES = dict(p1="P1 gbm", p2="P2 doublewell", p3="P3 gmm2d", p4="P4 lorenz", p5="P5 heston", p6="P6 phi4", p7="P7 logreg")
REPEATS = 5


def fokker(program, file, problem):
    command = [program, "run", file, "--threads", "1", "--paths", str(PATHS[problem]), "--json"]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["runs"][0] for _ in range(REPEATS)]
    seconds = sorted(run["seconds"] for run in runs)
    steps = runs[0]["steps"]
    line = dict(peer="Fokker", problem=NAMES[problem], paths=PATHS[problem], steps=steps, seconds=seconds[len(seconds) // 2],
                spread=[seconds[0], seconds[-1]], compile_seconds=runs[0]["compile_seconds"])
    print(json.dumps(line))


def table(lines):
    best = {}
    for text in open(lines):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if "paths" not in line:
            continue
        fastest = min([line["seconds"], *line.get("spread", [])])
        key = line["peer"], line["problem"][:2]
        best[key] = max(best.get(key, 0), line["paths"] * line["steps"] / fastest)
    problems = [f"P{k}" for k in range(1, 8)]
    ours = {p: best.get(("Fokker", p)) for p in problems}
    peers = sorted({k[0] for k in best}, key=lambda peer: (peer != "Fokker", not peer.startswith("limit"), peer))

    def cell(peer, problem):
        rate = best.get((peer, problem))
        if rate is None:
            return ""
        rate_text = "%.2g" % rate
        return rate_text if peer == "Fokker" or not ours[problem] else f"{rate_text} ({ours[problem] / rate:.2f})"

    print("| | " + " | ".join(problems) + " |")
    print("|---" * 8 + "|")
    for peer in peers:
        print(f"| {peer} | " + " | ".join(cell(peer, p) for p in problems) + " |")


if sys.argv[1] == "fokker":
    fokker(*sys.argv[2:])
else:
    table(sys.argv[2])
