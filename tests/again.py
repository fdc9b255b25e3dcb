"""The same comparison again and again, each at a sitting of its own: how often it gives a verdict, and which.

`python -m tests.again 20 --arm --arm` asks A against A twenty times; whatever follows the number goes to
`python -m bench compare`. Settings are environment variables, as ever. The exit code is that of the last sitting that
failed, else 0.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any


def main(sittings: int, arguments: list[str]) -> int:
    """Run the sittings one after the other, and print a line for each and what they come to."""
    kinds: Counter[str] = Counter()
    code = 0
    with tempfile.TemporaryDirectory(prefix="tidemark-again-") as folder:
        for number in range(1, sittings + 1):
            results = Path(folder) / str(number)
            results.mkdir()
            command = [sys.executable, "-m", "bench", "compare", "--results", str(results), *arguments]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
            code = done.returncode or code
            kind, line = told(results)
            kinds[kind] += 1
            print(f"sitting {number:>2}: {kind}; {line}", flush=True)
    print(f"{sittings} sittings: " + ", ".join(f"{kind} in {count}" for kind, count in kinds.most_common()))
    return code


def told(results: Path) -> tuple[str, str]:
    """What a sitting came to, and each of its answers or, without any, the ratios of its lead metrics."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in results.glob("*-compare-*/comparison.json")]
    if not documents or documents[0]["why"]:
        return "no comparison", documents[0]["why"] if documents else "it left none"
    (document,) = documents
    every = [(metric, contrast) for metric in document["metrics"] for contrast in metric["contrasts"]]
    answered = [(metric, contrast) for metric, contrast in every if contrast["answer"] != "no verdict"]
    if answered:
        return "a verdict", ", ".join(_told(metric, contrast) for metric, contrast in answered)
    kind = "no verdict" if not document["no_verdict"] else "in doubt"
    leads = [_told(metric, contrast) for metric, contrast in every if metric["lead"] and contrast["ratio"]]
    return kind, "; ".join(filter(None, (document["no_verdict"], ", ".join(leads))))


def _told(metric: dict[str, Any], contrast: dict[str, Any]) -> str:
    ends = "–".join("" if end is None else f"{end:.3f}" for end in (contrast["low"], contrast["high"]))
    return f"{metric['name']} {contrast['ratio']:.3f} ({ends})"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
