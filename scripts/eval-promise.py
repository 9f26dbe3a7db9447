#!/usr/bin/env python3
"""Measures whether sites keep their promise on wrong answers, and prints the table of docs/answering.md.

usage: scripts/eval-promise.py SETS_DIR [--check] [--dump FILE]

SETS_DIR  folder with a subfolder for each set, which contains corpus.jsonl and queries.jsonl
--dump    a file that the `fit` example wrote with --dump, in place of running it
--check   fails when a promise is not kept often enough
Each set is asked with a confidence that was fitted without it. Each tenant of a set is a site. The questions of a site
come in random order. A share of its answers is judged, and moves the threshold as in domain/src/promise.rs, from which
this script reads its constants. Needs only the standard library of Python 3.8 or later."""
import argparse, json, os, random, re, subprocess, sys, tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PROMISES = (.05, .10, .20)
JUDGED_SHARES = (0, .1, .3, 1)
ORDERS = 40
MIN_ANSWERS = 30
LEAST_KEPT = .95


def constants():
    promise = open(os.path.join(ROOT, "domain/src/promise.rs"), encoding="utf-8").read()
    decide = open(os.path.join(ROOT, "engine/src/decide.rs"), encoding="utf-8").read()
    number = lambda text, name: float(re.search(r"const %s: \w+ = ([\d.]+);" % name, text).group(1))
    table = re.search(r"const PRECISION: .*?= \[(.*?)\];", decide, re.S).group(1)
    pairs = [(float(a), float(b)) for a, b in re.findall(r"\(([\d.]+), ([\d.]+)\)", table)]
    return number(promise, "HORIZON"), number(promise, "RESERVE"), number(decide, "CLOSED"), number(decide, "OTHER_WORDS"), pairs


HORIZON, RESERVE, CLOSED, OTHER_WORDS, PRECISION = constants()


def threshold(promised, judged, wrong):
    expected = promised * (judged + HORIZON)
    reserve = RESERVE * (promised * judged * (1 - promised)) ** .5
    allowed = min(max((expected - wrong - reserve) / HORIZON, 0), promised)
    if allowed <= 0:
        return CLOSED
    target = min(max(1 - allowed, PRECISION[0][0]), PRECISION[-1][0])
    above = max(next(i for i, (precision, _) in enumerate(PRECISION) if precision >= target), 1)
    (low, start), (high, end) = PRECISION[above - 1], PRECISION[above]
    return start + (end - start) * (target - low) / (high - low)


def asked(site, promised, share, seed):
    """Returns (answers, wrong, right) of a site whose questions come in a random order."""
    chance = random.Random(seed)
    order = site[:]
    chance.shuffle(order)
    judged = bad = answers = wrong = right = 0
    for q in order:
        if q["conflicts"] or min(q["confidence"], OTHER_WORDS) < threshold(promised, judged, bad):
            continue
        answers += 1
        right += q["right"]
        wrong += not q["right"]
        if chance.random() < share:
            judged += 1
            bad += not q["right"]
    return answers, wrong, right


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("sets")
    a.add_argument("--dump")
    a.add_argument("--check", action="store_true")
    a = a.parse_args()
    names = sorted(name for name in os.listdir(a.sets) if os.path.isdir(os.path.join(a.sets, name)))
    with tempfile.TemporaryDirectory() as folder:
        dump = a.dump or os.path.join(folder, "dump.jsonl")
        if not a.dump:
            paths = [os.path.join(a.sets, name) for name in names]
            run = ["cargo", "run", "-q", "--release", "-p", "helpbot-engine", "--example", "fit", "--", "--dump", dump]
            subprocess.run(run + paths, check=True, stdout=subprocess.DEVNULL)
        questions = [json.loads(line) for line in open(dump, encoding="utf-8")]
    questions = [q for q in questions if q["kind"] in ("ENGLISH", "MULTILINGUAL") and q["set"] in names and not q["variant"]]
    sites = {}
    for q in questions:
        sites.setdefault((q["set"], q["tenant"]), []).append(q)
    english = {q["set"] for q in questions if q["kind"] == "ENGLISH"}
    failed = []
    print("| promise | judged | large sites that keep it | small sites together, wrong | answers rightly given, English sets |\n|---|---|---|---|---|")
    for promised in PROMISES:
        for share in JUDGED_SHARES:
            kept, cases, small, found = 0, 0, [0, 0], {name: [0, 0] for name in english}
            for key, site in sorted(sites.items(), key=lambda pair: str(pair[0])):
                for seed in range(ORDERS):
                    answers, wrong, right = asked(site, promised, share, seed)
                    if answers >= MIN_ANSWERS:
                        cases += 1
                        kept += wrong <= promised * answers
                    else:
                        small[0] += wrong
                        small[1] += answers
                    if key[0] in english:
                        found[key[0]][0] += right
                        found[key[0]][1] += sum(q["answerable"] for q in site)
            rights = [right / all_ for right, all_ in found.values() if all_]
            kept_share = kept / cases if cases else 1
            wrong_share = small[0] / small[1] if small[1] else 0
            print("| %d %% | %d %% | %.3f (of %d) | %.3f | %.3f |" % (100 * promised, 100 * share, kept_share, cases, wrong_share, sum(rights) / len(rights)))
            if share == 1 and kept_share < LEAST_KEPT:
                failed.append("%d %%: %.3f of the large sites keep it" % (100 * promised, kept_share))
            if share == 1 and wrong_share > promised:
                failed.append("%d %%: %.3f of the answers of small sites are wrong" % (100 * promised, wrong_share))
    if a.check and failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
