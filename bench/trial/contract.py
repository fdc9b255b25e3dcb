"""What a target promises, checked: its contract before the load, and durability before and after it.

What does not hold ends the run without a number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from bench.bundle.folder import Bundle
from bench.ends import signals
from bench.ends.errors import RunFailed
from bench.oracle.conformance.check import check
from bench.platforms import http_client
from bench.platforms.platform import System
from bench.preflight.durability import require_durable
from bench.report.progress import Progress
from metrics.records.answers.conformance import Checked, Found
from settings.catalogue.capabilities import CAPABILITIES, Capability
from settings.targets.manifest import Manifest

OF_A_PROOF: Final = ("events", "applied")
"""What a proof rests on."""
FILE: Final = "contract.json"
"""In the bundle: each rule with what was sent and what came, and how many events of the check the log has now."""


def require_contract(system: System, bundle: Bundle, progress: Progress) -> tuple[System, list[str]]:
    """Check what is required and what is declared, over HTTP. Raises RunFailed that tells each call that failed.

    Of what somebody else runs nothing is declared: then the required rules alone count, and what else the proof of the
    run may rest on is decided by what held here, once. The system with that, and a warning where it looked like more.
    """
    settings, target = system.settings, system.settings.target
    progress.step("checking that it keeps the contract")
    declared = target.capabilities if target.told else None
    before = _events(system)
    cost_s = settings.handler_latency_ms / 1000
    checked = check(system.base_url, declared, short=True, target=target.name, latency_s=cost_s)
    signals.check()
    after = _events(system)
    left = None if before is None or after is None else after - before
    bundle.write(FILE, {**checked, "events_left": left})
    # One that died meanwhile has more to say.
    system.processes.check()
    if not checked["held"]:
        calls = [_call(rule) for rule in checked["rules"] if rule["counts"] and rule["state"] != "held"]
        raise RunFailed(f"{target.name} does not keep the contract: {checked['why']}", "\n".join(calls))
    if target.told:
        return system, []
    seen = decided(target.capabilities, checked)
    return replace(system, settings=replace(settings, target=target.offering(seen))), list(_less(target, seen, checked))


def decided(at_attach: Collection[Capability], checked: Checked) -> tuple[Capability, ...]:
    """What an undeclared target offers: `events` and `applied` where their rules held, the rest as it was seen."""
    return tuple(name for name in CAPABILITIES if name in (checked["offered"] if name in OF_A_PROOF else at_attach))


def _less(target: Manifest, seen: Collection[Capability], checked: Checked) -> Iterator[str]:
    """A sentence for each part of the contract that it seemed to offer, and that did not hold."""
    for name in target.capabilities:
        broken = [one for one in checked["rules"] if one["part"] == name and one["state"] != "held"]
        if name not in seen and broken:
            yield f"{name} is there and not as the contract says, so the proof does without it: {_call(broken[0])}"


def looked_at(system: System) -> bool:
    """Whether durability is checked: of Postgres it is, ours by the doctor; of any other store it is told alone."""
    return system.database_url is not None


def require_durability(system: System) -> None:
    """Ours is examined by the doctor; any other is checked, since nobody knows what its program does. Raises RunFailed.

    Again after the load, for a program may change its database when it is at work. Where nothing can be looked at,
    nothing is, and the result says so.
    """
    if not system.has_store and system.database_url is not None:
        require_durable(system.database_url, system.settings.target.name)


def _events(system: System) -> int | None:
    found = (http_client.stats(system.base_url) or {}).get("eventCount")
    return found if isinstance(found, int) else None


def _call(rule: Found) -> str:
    return f"{rule['rule']}: sent {rule['sent']}; came {rule['came']}; expected {rule['expected']}; {rule['remedy']}"
