import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

import opencrate_mini


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = str(Path(opencrate_mini.__file__).resolve().parents[1])
    return subprocess.run(
        [sys.executable, "-m", "opencrate_mini", *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class CommandTest(unittest.TestCase):
    def test_prints_version_device_and_settings(self) -> None:
        result = run("model.depth=8", OPENCRATE_RUNTIME="cuda", CUDA_VISIBLE_DEVICES="1")
        self.assertEqual(result.returncode, 0, result.stderr)
        printed = json.loads(result.stdout)
        self.assertEqual(printed["version"], opencrate_mini.version())
        self.assertEqual(printed["device"], "cuda:1")
        self.assertEqual(printed["settings"]["model"]["depth"], 8)

    def test_a_bad_override_ends_with_exit_code_2(self) -> None:
        result = run("model.depth=deep")
        self.assertEqual(result.returncode, 2)
        self.assertIn("'model.depth' is a int, found 'deep'", result.stderr)


if __name__ == "__main__":
    unittest.main()
