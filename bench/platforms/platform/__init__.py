"""The platform protocol: a system under test, the parts that it is made of, and the powers over a part."""

from bench.platforms.platform.powers import (
    Backends,
    Change,
    Disk,
    Disturb,
    Kill,
    Kind,
    LacksPower,
    LacksShards,
    Part,
    Pause,
    Replace,
    Start,
)
from bench.platforms.platform.system import (
    Leaders,
    Platform,
    System,
)

__all__ = [
    "Backends",
    "Change",
    "Disk",
    "Disturb",
    "Kill",
    "Kind",
    "LacksPower",
    "LacksShards",
    "Leaders",
    "Part",
    "Pause",
    "Platform",
    "Replace",
    "Start",
    "System",
]
