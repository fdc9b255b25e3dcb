"""`python -m services.doctor`: examine the database of DATABASE_URL, and print what was found as JSON.

Of several shards (DATABASE_URLS) each is examined, and a strategy is sound where it is so on all of them.

With `--reader` the address is that of somebody who only looks, so it is not asked for rights to write.

The exit code is 0 fine, 1 works with warnings that a result must carry, 2 does not work, or a bad setting.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys

from services.doctor.examine import examine_all
from settings import Environment, SettingError
from settings.addresses.postgres_url import parse
from settings.catalogue.database import addresses, listening


def main() -> int:
    """Examine. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.doctor", description="Examine the database of a run.")
    parser.add_argument("--reader", action="store_true", help="the address is that of somebody who only looks")
    reader = parser.parse_args().reader
    env = Environment(os.environ)
    try:
        urls = addresses(env)
        listen = listening(env, len(urls))
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    parsed = [parse(url) for url in urls]
    found = asyncio.run(examine_all(parsed, parse(listen) if listen else None, reader=reader))
    print(json.dumps(found.document().to_dict(), indent=2))
    return found.code


if __name__ == "__main__":
    sys.exit(main())
