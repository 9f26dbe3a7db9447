#!/usr/bin/env python3
"""Measures answering on a site with pages in several languages and prints a Markdown table.

usage: scripts/eval-pages.py PAGES_DIR GOLD.jsonl [--binary HELPBOT]

PAGES_DIR  HTML files, which `helpbot extract` reads
GOLD       one line for each page: {"page": file name, "lang", "pairs": [{"q": question}]}

All pages belong to one site. Each question must be answered from its own page, first unchanged and then with
about half of its words. Then every second page is left out, and its questions have no answer. Needs only the
standard library of Python 3.8 or later. Builds the binary in release mode unless one is given."""
import argparse, collections, json, os, random, subprocess, sys, tempfile

KEPT_WORDS = 0.55


def shortened(draw, question, lang):
    if lang in ("ja", "zh", "th"):
        length = max(4, len(question) // 2)
        start = draw.randrange(0, max(1, len(question) - length))
        return question[start:start + length]
    words = question.split()
    count = min(len(words), max(2, round(len(words) * KEPT_WORDS)))
    return " ".join(words[at] for at in sorted(draw.sample(range(len(words)), count)))


def auroc(right, wrong):
    pairs = sum((r > w) + 0.5 * (r == w) for r in right for w in wrong)
    return pairs / (len(right) * len(wrong)) if right and wrong else None


def measure(binary, entries, questions):
    """Rows by language: answerable questions, answered from the right page, unanswerable questions, wrongly answered."""
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("corpus", entries), ("queries", questions)):
            with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8") as f:
                f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        run = os.path.join(folder, "run.jsonl")
        subprocess.run([binary, "eval", "--corpus", folder, "--run", run], check=True, stdout=subprocess.DEVNULL)
        lines = [json.loads(line) for line in open(run, encoding="utf-8")]
    counts, right, wrong = collections.defaultdict(lambda: [0, 0, 0, 0]), [], []
    for question, line in zip(questions, lines):
        is_right = line["ranked"][:1] and line["ranked"][0] in question["relevant"]
        (right if is_right else wrong).append(line["score"])
        for key in (question["lang"], "all"):
            row = counts[key]
            place = 0 if question["relevant"] else 2
            row[place] += 1
            row[place + 1] += bool(line["answered"] and (is_right or place))
    return counts, auroc(right, wrong)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pages")
    a.add_argument("gold")
    a.add_argument("--binary")
    a = a.parse_args()
    if not a.binary:
        subprocess.run(["cargo", "build", "-q", "--release"], check=True)
        a.binary = os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release/helpbot")
    gold = [json.loads(line) for line in open(a.gold, encoding="utf-8")]
    files = [os.path.join(a.pages, page["page"]) for page in gold]
    read = subprocess.run([a.binary, "extract", "--json"] + files, check=True, stdout=subprocess.PIPE).stdout
    entries = []
    for number, line in enumerate(read.decode().splitlines()):
        pair = json.loads(line)
        url = "https://site.example/" + pair["page"]
        entries.append({"id": "%s#%d" % (pair["page"], number), "question": pair["q"], "text": pair["a"], "url": url})
    page_of = lambda entry: entry["id"].split("#")[0]
    print("| questions | pages | language | asked | answered from the right page | without answer | wrongly answered | AUROC |")
    print("|---" * 8 + "|")
    for how in ("copied", "shortened"):
        for pages in ("all", "half"):
            draw = random.Random(5)
            kept = {page["page"] for at, page in enumerate(sorted(gold, key=lambda p: p["page"])) if pages == "all" or at % 2 == 0}
            site = [entry for entry in entries if page_of(entry) in kept]
            ids = collections.defaultdict(list)
            for entry in site:
                ids[page_of(entry)].append(entry["id"])
            questions = []
            for page in gold:
                for pair in page["pairs"]:
                    text = pair["q"] if how == "copied" else shortened(draw, pair["q"], page["lang"])
                    questions.append({"id": str(len(questions)), "text": text, "lang": page["lang"], "relevant": ids[page["page"]]})
            counts, area = measure(a.binary, site, questions)
            for lang in sorted(counts, key=lambda key: (key == "all", key)):
                asked, right, none, false = counts[lang]
                share = lambda part, whole: "%.3f" % (part / whole) if whole else ""
                shown = "%.3f" % area if lang == "all" and area is not None and none else ""
                print("| %s | %s | %s | %d | %s | %d | %s | %s |" % (how, pages, lang, asked, share(right, asked), none, share(false, none), shown), flush=True)


if __name__ == "__main__":
    sys.exit(main())
