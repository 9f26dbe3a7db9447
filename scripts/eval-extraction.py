#!/usr/bin/env python3
"""Compares the entries that are extracted from FAQ pages with the questions and answers that people see, and
prints the table of docs/ingestion.md.

usage: scripts/eval-extraction.py PAGES_DIR SCORER.py [--binary HELPBOT]

PAGES_DIR  folder with gold.jsonl and pages/*.html
SCORER     program that is called with PREDICTIONS.jsonl --gold GOLD.jsonl --json OUT.json
--binary   a built `helpbot`; defaults to a new debug build
Needs only the standard library of Python 3.8 or later. The exit code is 1 when a target is missed."""
import argparse, glob, json, os, subprocess, sys, tempfile

# Targets: F1 over all pairs, F1 over kinds of markup, F1 of each kind, and the share of over-long answers.
MICRO, MACRO, EACH, LONG = .93, .88, .70, .03


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pages")
    a.add_argument("scorer")
    a.add_argument("--binary")
    a = a.parse_args()
    program = a.binary
    if not program:
        subprocess.run(["cargo", "build", "-q", "-p", "helpbot-server", "--bin", "helpbot"], check=True)
        program = os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "debug/helpbot")
    pages = sorted(glob.glob(os.path.join(a.pages, "pages", "*.html")))
    if not pages:
        sys.exit("no pages/*.html in " + a.pages)
    with tempfile.TemporaryDirectory() as work:
        pairs, scores = os.path.join(work, "pairs.jsonl"), os.path.join(work, "scores.json")
        with open(pairs, "wb") as out:
            subprocess.run([program, "extract", "--json", *pages], check=True, stdout=out)
        command = [sys.executable, a.scorer, pairs, "--gold", os.path.join(a.pages, "gold.jsonl"), "--json", scores]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(scores, encoding="utf-8") as scores:
            scores = json.load(scores)

    def row(name, of, f1):
        long = of["over"] / of["hit"] if of["hit"] else 0
        cells = [name, of["pages"], of["gold"], "%.3f" % of["p"], "%.3f" % of["r"], "%.3f" % f1, "%.1f %%" % (100 * long)]
        print("| " + " | ".join(str(cell) for cell in cells) + " |")
        return long

    styles, total = scores["styles"], scores["all"]
    macro = sum(of["f1"] for of in styles.values()) / len(styles)
    print("| markup | pages | questions | precision | recall | F1 | over-long |\n|---|---|---|---|---|---|---|")
    for name in sorted(styles):
        row(name, styles[name], styles[name]["f1"])
    long = row("**all**", total, total["f1"])
    print("\nF1 %.3f over all questions, %.3f over kinds of markup" % (total["f1"], macro))
    low = [name for name in styles if styles[name]["f1"] < EACH]
    if total["f1"] < MICRO or macro < MACRO or low or long > LONG:
        sys.exit("below the targets: F1 %.2f, %.2f over kinds, %.2f each (%s), over-long %.2f" % (MICRO, MACRO, EACH, ", ".join(low), LONG))


if __name__ == "__main__":
    main()
