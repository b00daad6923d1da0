"""Which device an experiment runs on, from the image's environment and never from guessing."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    kind: str
    index: int | None = None

    def __str__(self) -> str:
        return self.kind if self.index is None else f"{self.kind}:{self.index}"


def choose_device(environment: Mapping[str, str]) -> Device:
    """The image's runtime decides; a CUDA image without a visible GPU falls back to the CPU."""
    runtime = environment.get("OPENCRATE_RUNTIME", "cpu")
    if runtime == "cpu":
        return Device("cpu")
    if runtime != "cuda":
        raise ValueError(f"OPENCRATE_RUNTIME is 'cpu' or 'cuda', not '{runtime}'")
    visible = environment.get("CUDA_VISIBLE_DEVICES", "").strip()
    if not visible or visible == "-1":
        return Device("cpu")
    first = visible.split(",")[0]
    if not first.isdigit():
        raise ValueError(f"CUDA_VISIBLE_DEVICES starts with '{first}', expected a number")
    return Device("cuda", int(first))
