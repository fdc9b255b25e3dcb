"""Kinds of settings: what an entry of the catalogue says, and how its value is read and spelled.

An entry is the one place of a variable's name, type, default and bounds. Reading raises SettingError, whose text names
the variable, the value and what is allowed; `spell` gives the text that `read` reads back as the same value.
"""

from settings.catalogue.kinds.bounded import Choice, Duration, Flag, Integer, Number, Words
from settings.catalogue.kinds.modules import Modules, Plugin
from settings.catalogue.kinds.setting import Reader, Setting
from settings.catalogue.kinds.text import (
    Database,
    Databases,
    HostAndPort,
    ServiceAddress,
    ServiceRoot,
    StackSecret,
    Text,
)

__all__ = [
    "Choice",
    "Database",
    "Databases",
    "Duration",
    "Flag",
    "HostAndPort",
    "Integer",
    "Modules",
    "Number",
    "Plugin",
    "Reader",
    "ServiceAddress",
    "ServiceRoot",
    "Setting",
    "StackSecret",
    "Text",
    "Words",
]
