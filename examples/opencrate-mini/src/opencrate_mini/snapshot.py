"""Snapshots of an experiment, one JSON file each, written so that nobody reads half of one."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Snapshot:
    step: int
    state: dict[str, Any]

    def digest(self) -> str:
        """SHA-256 over canonical JSON: the same state gives the same digest."""
        text = json.dumps({"step": self.step, "state": self.state}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class SnapshotStore:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, snapshot: Snapshot) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        document = {"step": snapshot.step, "state": snapshot.state, "digest": snapshot.digest()}
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, sort_keys=True)
        target = self.folder / f"{snapshot.step:08d}.json"
        os.replace(temporary, target)
        return target

    def latest(self) -> Snapshot | None:
        """The newest snapshot, or None; a damaged file is an error, never an older state."""
        files = sorted(self.folder.glob("*.json"))
        if not files:
            return None
        document = json.loads(files[-1].read_text(encoding="utf-8"))
        snapshot = Snapshot(document["step"], document["state"])
        if snapshot.digest() != document["digest"]:
            raise ValueError(f"{files[-1].name} is damaged: its digest does not match its state")
        return snapshot
