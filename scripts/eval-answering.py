#!/usr/bin/env python3
"""Measures the answering engine on labelled sets and prints one Markdown table.

usage: scripts/eval-answering.py SETS_DIR SCORER.py [--lexical-only] [--typos SEED]

SETS_DIR  a folder per set with corpus.jsonl and queries.jsonl
SCORER    a program that takes QUERIES.jsonl RUN.jsonl --json and prints {"all": {figure: value}}
Python 3.8+, standard library only; builds the release form of the engine's `eval` example."""
import argparse, json, os, subprocess, sys, tempfile

FIGURES = ["recall@1", "recall@5", "mrr@10", "auroc", "best_f1", "balanced_acc", "right_answers", "wrong_answers", "false_answers"]


def shown(value):
    return "" if value is None or value != value else ("%.3f" % value).lstrip("0")


def mean(rows, figure):
    values = [r[figure] for r in rows if r.get(figure) is not None and r[figure] == r[figure]]
    return sum(values) / len(values) if values else None


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("sets")
    a.add_argument("scorer")
    a.add_argument("--lexical-only", action="store_true")
    a.add_argument("--typos")
    a = a.parse_args()
    subprocess.run(["cargo", "build", "-q", "--release", "-p", "helpbot-engine", "--example", "eval"], check=True)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    options = (["--lexical-only"] if a.lexical_only else []) + (["--typos", a.typos] if a.typos else [])
    print("| set | " + " | ".join(FIGURES) + " |")
    print("|---" * (len(FIGURES) + 1) + "|")
    english, abstaining = [], []
    for name in sorted(os.listdir(a.sets)):
        folder = os.path.join(a.sets, name)
        for corpus in ("corpus.jsonl", "corpus-all-phrasings.jsonl"):
            if not os.path.exists(os.path.join(folder, corpus)):
                continue
            with tempfile.NamedTemporaryFile(suffix=".jsonl") as run:
                subprocess.run([os.path.join(target, "release/examples/eval"), "--corpus", folder, "--corpus-file", corpus, "--run", run.name] + options, check=True)
                scored = subprocess.run([sys.executable, a.scorer, os.path.join(folder, "queries.jsonl"), run.name, "--json"], check=True, stdout=subprocess.PIPE)
            row = json.loads(scored.stdout)["all"]
            label = name if corpus == "corpus.jsonl" else name + ", all phrasings"
            print("| " + label + " | " + " | ".join(shown(row.get(f)) for f in FIGURES) + " |", flush=True)
            if corpus == "corpus.jsonl":
                if not name.endswith("-de"):
                    english.append(row)
                if row.get("unanswerable"):
                    abstaining.append(row)
    for label, rows, figures in (("mean, English", english, FIGURES[:3]), ("mean, with unanswerable", abstaining, FIGURES[3:])):
        print("| **" + label + "** | " + " | ".join(shown(mean(rows, f)) if f in figures else "" for f in FIGURES) + " |")


if __name__ == "__main__":
    main()
