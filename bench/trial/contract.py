"""What a target promises, checked: its contract before the load, and durability before and after it.

What does not hold ends the run without a number.
"""

from __future__ import annotations

from typing import Final

from bench.bundle.folder import Bundle
from bench.ends import signals
from bench.ends.errors import RunFailed
from bench.oracle.conformance.check import check
from bench.platforms import http_client
from bench.platforms.platform import System
from bench.preflight.durability import require_durable
from bench.report.progress import Progress
from metrics.records.answers.conformance import Found

FILE: Final = "contract.json"
"""In the bundle: each rule with what was sent and what came, and how many events of the check the log has now."""


def require_contract(system: System, bundle: Bundle, progress: Progress) -> None:
    """Check what is required and what is declared, over HTTP. Raises RunFailed that tells each call that failed.

    Of what somebody else runs nothing is declared: then the required rules alone count.
    """
    target = system.settings.target
    progress.step("checking that it keeps the contract")
    declared = target.capabilities if target.told else None
    before = _events(system)
    checked = check(system.base_url, declared, short=True, target=target.name)
    signals.check()
    after = _events(system)
    left = None if before is None or after is None else after - before
    bundle.write(FILE, {**checked, "events_left": left})
    # One that died meanwhile has more to say.
    system.processes.check()
    if not checked["held"]:
        calls = [_call(rule) for rule in checked["rules"] if rule["counts"] and rule["state"] != "held"]
        raise RunFailed(f"{target.name} does not keep the contract: {checked['why']}", "\n".join(calls))


def require_durability(system: System) -> None:
    """Ours is examined by the doctor; any other is checked, since nobody knows what its program does. Raises RunFailed.

    Again after the load, for a program may change its database when it is at work.
    """
    if not system.has_store and system.database_url is not None:
        require_durable(system.database_url, system.settings.target.name)


def _events(system: System) -> int | None:
    found = (http_client.stats(system.base_url) or {}).get("eventCount")
    return found if isinstance(found, int) else None


def _call(rule: Found) -> str:
    return f"{rule['rule']}: sent {rule['sent']}; came {rule['came']}; expected {rule['expected']}; {rule['remedy']}"
