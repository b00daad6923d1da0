"""`python3 -m opencrate_mini [key=value ...]` prints what an experiment would run with."""

import json
import os
import sys

from opencrate_mini import Settings, SettingsError, choose_device, version

DEFAULTS = {"name": "experiment", "seed": 0, "model": {"depth": 4, "dropout": 0.1}}


def main() -> int:
    try:
        settings = Settings(DEFAULTS).overridden(sys.argv[1:])
        device = choose_device(os.environ)
    except (SettingsError, ValueError) as error:
        print(f"opencrate-mini: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"version": version(), "device": str(device), "settings": settings.values}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
