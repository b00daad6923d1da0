"""Experiment settings, device choice and snapshots for small machine-learning projects."""

from pathlib import Path

from opencrate_mini.device import Device, choose_device
from opencrate_mini.settings import Settings, SettingsError
from opencrate_mini.snapshot import Snapshot, SnapshotStore

__all__ = [
    "Device",
    "Settings",
    "SettingsError",
    "Snapshot",
    "SnapshotStore",
    "choose_device",
    "version",
]


def version() -> str:
    """The text of VERSION: beside the package in an image, at the root of a checkout."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "VERSION", package.parents[1] / "VERSION"):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8").strip()
    raise FileNotFoundError("VERSION is neither in the package nor at the root of a checkout")
