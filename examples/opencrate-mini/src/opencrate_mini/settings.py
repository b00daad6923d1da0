"""Settings of an experiment: nested values with `model.depth=8` overrides, typed by the default."""

import copy
import json
from collections.abc import Iterable
from typing import Any


class SettingsError(ValueError):
    """An override that does not fit the settings."""


class Settings:
    def __init__(self, values: dict[str, Any]) -> None:
        self.values = copy.deepcopy(values)

    def __getitem__(self, path: str) -> Any:
        found: Any = self.values
        for key in path.split("."):
            if not isinstance(found, dict) or key not in found:
                raise SettingsError(f"no setting '{path}'")
            found = found[key]
        return found

    def overridden(self, overrides: Iterable[str]) -> "Settings":
        """A copy with `path=value` overrides; a value must have the type of what it replaces."""
        result = Settings(self.values)
        for override in overrides:
            path, equals, text = override.partition("=")
            if not equals:
                raise SettingsError(f"expected path=value, found '{override}'")
            value = _typed(path, text, result[path])
            *parents, last = path.split(".")
            place = result[".".join(parents)] if parents else result.values
            place[last] = value
        return result


def _typed(path: str, text: str, old: Any) -> Any:
    if isinstance(old, dict):
        raise SettingsError(f"'{path}' is a group of settings, not a value")
    if isinstance(old, str):
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(old):
        raise SettingsError(f"'{path}' is a {type(old).__name__}, found '{text}'")
    return value
