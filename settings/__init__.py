"""Settings come from the environment: typed, bounded, and refused by name before any work begins."""

from settings.environment import UNSET, Environment, SettingError

__all__ = ["UNSET", "Environment", "SettingError"]
