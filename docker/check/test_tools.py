"""What a check image promises: its Python, and tools that work on a project, each at the version that is fixed."""

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import zipfile

HERE = pathlib.Path(__file__).parent
CLEAN = '"""A module."""\n\n\ndef twice(number: int) -> int:\n    return 2 * number\n'


class ToolsTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = pathlib.Path(folder.name)

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text, encoding="utf-8")

    def run_tool(self, *argv: str, expected: int = 0) -> str:
        done = subprocess.run(argv, cwd=self.project, capture_output=True, text=True, timeout=120)
        output = done.stdout + done.stderr
        self.assertEqual(done.returncode, expected, f"{' '.join(argv)}:\n{output}")
        return output

    def test_python_is_the_one_the_image_is_named_after(self) -> None:
        version = "import sys; print('%d.%d' % sys.version_info[:2])"
        self.assertEqual(self.run_tool("python3", "-c", version).strip(), os.environ["CHECK_PYTHON"])
        self.assertEqual(self.run_tool("python", "-c", version).strip(), os.environ["CHECK_PYTHON"])

    def test_installed_packages_are_exactly_the_pinned_ones(self) -> None:
        pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (HERE / "requirements.txt").read_text(), re.MULTILINE))
        listed = json.loads(self.run_tool("pip", "list", "--format=json"))
        installed = {item["name"].lower().replace("_", "-"): item["version"] for item in listed}
        for own in ("pip", "setuptools"):  # what `python3 -m venv` brings
            installed.pop(own, None)
        self.assertEqual(installed, pinned)
        self.run_tool("pip", "check")

    def test_pip_installs_a_package(self) -> None:
        members = {
            "greeting.py": "WORD = 'hello'\n",
            "greeting-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
            "greeting-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = ""
        for name, text in members.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += f"{name},sha256={digest},{len(text)}\n"
        members["greeting-1.0.dist-info/RECORD"] = record + "greeting-1.0.dist-info/RECORD,,\n"
        wheel = self.project / "greeting-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
        self.addCleanup(subprocess.run, ["pip", "uninstall", "-y", "greeting"], capture_output=True)
        self.run_tool("pip", "install", "--no-index", str(wheel))
        self.assertEqual(self.run_tool("python3", "-c", "import greeting; print(greeting.WORD)").strip(), "hello")

    def test_make_runs_a_target_and_reports_its_failure(self) -> None:
        self.write("Makefile", "good:\n\t@echo made $@\nbad:\n\t@exit 3\n")
        self.assertEqual(self.run_tool("make", "good").strip(), "made good")
        self.assertIn("Error 3", self.run_tool("make", "bad", expected=2))

    def test_git_commits_and_describes(self) -> None:
        self.write("file", "text\n")
        self.run_tool("git", "init", "--quiet")
        self.run_tool("git", "add", "file")
        who = ("-c", "user.name=check", "-c", "user.email=check@example.invalid")
        self.run_tool("git", *who, "commit", "--quiet", "--message", "first")
        self.run_tool("git", "tag", "v1.0.0")
        self.assertEqual(self.run_tool("git", "describe", "--tags").strip(), "v1.0.0")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to give files to another user")
    def test_git_reads_a_mounted_workspace_of_another_user(self) -> None:
        self.run_tool("git", "init", "--quiet", "/work")
        for folder, _, files in os.walk("/work"):
            for name in (folder, *(os.path.join(folder, file) for file in files)):
                os.chown(name, 12345, 12345)
        self.run_tool("git", "-C", "/work", "status")

    def test_ruff_accepts_clean_code_and_names_what_is_wrong(self) -> None:
        self.write("clean.py", CLEAN)
        self.run_tool("ruff", "check", "clean.py")
        self.run_tool("ruff", "format", "--check", "clean.py")
        self.write("unused.py", "import os\n")
        self.assertIn("F401", self.run_tool("ruff", "check", "unused.py", expected=1))

    def test_mypy_accepts_typed_code_and_names_what_is_wrong(self) -> None:
        self.write("clean.py", CLEAN)
        self.run_tool("mypy", "--strict", "clean.py")
        self.write("wrong.py", "def half(number: int) -> int:\n    return str(number)\n")
        self.assertIn("return-value", self.run_tool("mypy", "wrong.py", expected=1))

    def test_pytest_tells_passed_failed_and_none(self) -> None:
        self.write("test_good.py", "def test_sum():\n    assert 1 + 1 == 2\n")
        self.assertIn("1 passed", self.run_tool("pytest", "-q"))
        self.write("test_bad.py", "def test_sum():\n    assert 1 + 1 == 3\n")
        self.assertIn("1 failed, 1 passed", self.run_tool("pytest", "-q", expected=1))
        self.run_tool("pytest", "-q", "--deselect", "test_good.py", "--deselect", "test_bad.py", expected=5)


if __name__ == "__main__":
    unittest.main()
