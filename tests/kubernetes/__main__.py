"""`task kubernetes:check`: all renderings before the schemas, our rules and Checkov, and who catches which mistake.

Exit code 1 where something is found in what is not planted, or where a planted mistake is caught by nobody.
"""

from __future__ import annotations

import sys

from tests.kubernetes.mistakes import MISTAKES, MORE
from tests.kubernetes.mistakes_of_shards import SHARDS
from tests.kubernetes.rendering import NAMES, WHOLES, rendered
from tests.kubernetes.rules import ALL, WHOLE, findings
from tests.kubernetes.validators import checkov, schema


def main() -> int:
    """Check everything, and print it."""
    found = [f"{name}: {each}" for name in NAMES for each in (*findings(rendered(name), ALL), *schema(rendered(name)))]
    mistakes = (*MISTAKES, *MORE, *SHARDS)
    renderings = {name: rendered(name) for name in WHOLES}
    for mistake in mistakes:
        renderings[mistake.name] = rendered(mistake.where)
        mistake.plant(renderings[mistake.name])
    judged = checkov(renderings)
    for name in WHOLES:
        found += [f"{name}: {each}" for each in (*findings(rendered(name), WHOLE), *judged[name])]
    print("\n".join(found) or f"{len(NAMES) + len(WHOLES)} renderings: nothing is found")
    print("\n| mistake | schemas | Checkov | ours |\n|---|---|---|---|")
    missed = 0
    for mistake in mistakes:
        documents = renderings[mistake.name]
        caught = (schema(documents), set(judged[mistake.name]) - set(judged[mistake.where]), findings(documents, WHOLE))
        missed += not any(caught)
        print(f"| {mistake.name} | {' | '.join('yes' if each else '' for each in caught)} |")
    return 1 if found or missed else 0


if __name__ == "__main__":
    sys.exit(main())
