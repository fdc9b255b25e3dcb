"""One drill, with a mutant in it or without, by the command line as a person runs it, and what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.mutants.drills.judgement import Played
from tests.mutants.drills.pairs import Pair

ROOT: Final = Path(__file__).parents[3]
KEPT: Final = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "TMPDIR")
WITHIN_S: Final = 600


def play(pair: Pair, results: Path, *, mutant: bool) -> Played:
    """Run the drill once, and leave its bundles in a folder of their own in `results`.

    Nothing of it is left running, whatever comes. Raises subprocess.TimeoutExpired.
    """
    folder = results / f"{pair.key}-{'mutant' if mutant else 'control'}"
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= {"PYTHONPATH": str(ROOT), "COLUMNS": "120", "COMPOSE_PROJECT_NAME": "none-of-ours"}
    env |= pair.environment(mutant=mutant)
    line = [sys.executable, "-m", "bench", "drill", pair.drill, "--repeat", "1", "--results", str(folder)]
    with subprocess.Popen(line, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ran:
        try:
            said, _ = ran.communicate(timeout=WITHIN_S)
        except BaseException:
            # It ends what it has started, in order; the block waits for that.
            ran.terminate()
            raise
    found = [json.loads(path.read_text()) for path in folder.glob("*-drills-*/drills.json")]
    return Played(ran.returncode, said, found[0]["drills"][0] if found and found[0]["drills"] else {})
