#!/usr/bin/env python3
"""What the shipped workflows and their tools do, as far as no runner is needed."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PIPELINE = ".github/workflows/image-pipeline.yml"
DIGEST = "sha256:" + "0123456789abcdef" * 4
JOBS = {
    "plan": "always",
    "static-checks": "run",
    "generate-dockerfiles": "run",
    "build-and-test-images": "run",
    "build-and-push-images": "push",
    "release-latest": "latest",
    "report": "run",
}


class ReleaseReference(unittest.TestCase):
    """tools/release-reference: exactly one line, or nothing."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "action.yml"
        self.text = (ROOT / "action.yml").read_text(encoding="utf-8")

    def point(self, reference: str, text: str | None = None) -> int:
        self.file.write_text(self.text if text is None else text, encoding="utf-8")
        command = [ROOT / "tools/release-reference", reference, self.file]
        return subprocess.run(command, capture_output=True, check=False).returncode

    def test_replaces_the_line_and_nothing_else(self) -> None:
        self.assertEqual(self.point(f"ghcr.io/crategate/crategate@{DIGEST}"), 0)
        new = f"  image: docker://ghcr.io/crategate/crategate@{DIGEST}\n"
        self.assertEqual(self.file.read_text(encoding="utf-8"), self.text.replace("  image: Dockerfile\n", new))

    def test_replaces_an_earlier_reference(self) -> None:
        earlier = self.text.replace("image: Dockerfile", f"image: docker://ghcr.io/a/b@sha256:{'f' * 64}")
        self.assertEqual(self.point(f"localhost:5000/a/b@{DIGEST}", earlier), 0)
        document = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        self.assertEqual(document["runs"]["image"], f"docker://localhost:5000/a/b@{DIGEST}")

    def test_refuses_what_is_no_digest(self) -> None:
        name = "ghcr.io/crategate/crategate"
        for reference in [name, f"{name}:v1", f"{name}@{DIGEST[:-1]}", f"{name}@{DIGEST}0", f"{name}@{DIGEST.upper()}",
                          f"docker://{name}@{DIGEST}", f"{name}\n@{DIGEST}", f"{name}&@{DIGEST}", f"@{DIGEST}", ""]:
            with self.subTest(reference):
                self.assertEqual(self.point(reference), 2)
                self.assertEqual(self.file.read_text(encoding="utf-8"), self.text)

    def test_refuses_a_file_where_it_is_not_clear(self) -> None:
        line = "  image: Dockerfile\n"
        for text in ["", self.text.replace(line, ""), self.text + line, self.text.replace(line, "  image: other\n"),
                     self.text.replace(line, "").replace("outputs:\n", "outputs:\n" + line)]:
            with self.subTest(text[-60:]):
                self.assertEqual(self.point(f"ghcr.io/a/b@{DIGEST}", text), 2)
                self.assertEqual(self.file.read_text(encoding="utf-8"), text)


class ResultJob(unittest.TestCase):
    """The one required check: green only when every job did what the plan says."""

    def result(self, said_by_plan: str, **found: str) -> int:
        step = yaml.safe_load((ROOT / PIPELINE).read_text(encoding="utf-8"))["jobs"]["result"]["steps"][0]
        said = dict(zip(("SHOULD_RUN", "PUSH", "LATEST"), said_by_plan.split()))
        wanted = {"always": "true", "run": said.get("SHOULD_RUN"), "push": said.get("PUSH"),
                  "latest": said.get("LATEST")}
        lines = step["env"]["RESULTS"]
        for job, when in JOBS.items():
            expected = "success" if wanted[when] == "true" else "skipped"
            line = f"{job} {when} " + "${{ needs." + job + ".result }}"
            self.assertIn(line, lines)
            lines = lines.replace(line, f"{job} {when} " + found.get(job.replace("-", "_"), expected))
        self.assertNotIn("${{", lines)
        return subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env={"RESULTS": lines, **said},
                              capture_output=True, check=False).returncode

    def test_is_green_when_all_is_as_planned(self) -> None:
        for plan in ["true true true", "true true false", "true false false", "false false false"]:
            with self.subTest(plan):
                self.assertEqual(self.result(plan), 0)

    def test_is_red_when_a_job_failed_or_was_cancelled_or_skipped(self) -> None:
        for job in JOBS:
            for outcome in ["failure", "cancelled", "skipped"]:
                with self.subTest(job=job, outcome=outcome):
                    self.assertEqual(self.result("true true true", **{job.replace("-", "_"): outcome}), 1)

    def test_is_red_when_something_was_published_that_was_not_planned(self) -> None:
        self.assertEqual(self.result("true false false", build_and_push_images="success"), 1)

    def test_is_red_when_the_plan_failed_and_said_nothing(self) -> None:
        self.assertEqual(self.result("", plan="failure"), 1)


class Rules(unittest.TestCase):
    """tools/lint/workflows.py sees what it is for."""

    CASES = {
        "a secret without the plan's consent": ("needs.plan.outputs.login == 'true' && (secrets.REGISTRY_USERNAME",
                                                "true && (secrets.REGISTRY_PASSWORD", "not bound"),
        "a variable with a secret without it": ("needs.plan.outputs.login == 'true' && secrets.CRATEGATE_HMAC_SECRET || ''",
                                                "secrets.CRATEGATE_HMAC_SECRET", "not bound"),
        "a cancelled publication": ("cancel-in-progress: false", "cancel-in-progress: true", "never cancelled"),
        "two refs that publish at once": ("needs.plan.outputs.push == 'true' && 'all'", "github.ref", "two refs"),
        "a group of its own for a release": ("crategate-release-${{ inputs.config }}",
                                             "crategate-release-${{ github.ref_name }}", "two refs"),
        "an unknown input": ("stage: digest", "stage: digest\n          registri: x", "registri"),
        "a branch for a commit": ("checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "checkout@v7", "full commit SHA"),
        "credentials that stay": ("persist-credentials: false", "persist-credentials: true", "persist-credentials"),
        "another repository": ("uses: crategate/crategate@v1", "uses: somebody/crategate@v1", "somebody/crategate"),
        "a job that result does not see": ("release-latest, report]", "release-latest]", "result needs"),
        "one cell that stops the others": ("fail-fast: false", "fail-fast: true", "fail-fast"),
        "a renamed job": ("  static-checks:\n", "  checks:\n", "job ids"),
        "a job without permissions": ("    permissions: {}\n", "", "result: expected permissions"),
        "a job without a limit": ("    timeout-minutes: 5\n", "", "timeout-minutes"),
    }

    CHECKS = "examples/ci-image/.github/workflows/checks.yml"

    def run_rules(self, text: str, change=lambda copy: None) -> str:
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "copy"
            for name in ["README.md", "action.yml", "Dockerfile", "src/base/product.h", "docker/action-image.yml"]:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
            for name in [".github", "docs", "examples/opencrate-mini/.github", "examples/ci-image/.github"]:
                shutil.copytree(ROOT / name, copy / name)
            (copy / PIPELINE).write_text(text, encoding="utf-8")
            (copy / "snippets").mkdir()
            change(copy)
            done = subprocess.run([ROOT / "tools/lint/workflows.py", copy, copy / "snippets"], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 1 if done.stderr else 0)
            return done.stderr

    def test_find_each_fault(self) -> None:
        text = (ROOT / PIPELINE).read_text(encoding="utf-8")
        self.assertEqual(self.run_rules(text), "")
        for name, (old, new, said) in self.CASES.items():
            with self.subTest(name):
                self.assertIn(old, text)
                self.assertIn(said, self.run_rules(text.replace(old, new, 1)))

    def test_counts_the_lines_that_a_project_writes_for_it(self) -> None:
        def change(copy: pathlib.Path, old: str, new: str) -> None:
            file = copy / self.CHECKS
            text = file.read_text(encoding="utf-8")
            self.assertIn(old, text)
            file.write_text(text.replace(old, new, 1), encoding="utf-8")

        text = (ROOT / PIPELINE).read_text(encoding="utf-8")
        own = self.run_rules(text, lambda copy: change(copy, "    steps:\n", "    steps:\n      - run: 'true'\n"))
        self.assertEqual(own, "")
        more = self.run_rules(text, lambda copy: change(copy, "  push: {branches: [main]}\n", "  push:\n    branches: [main]\n"))
        self.assertIn(f"{self.CHECKS}: a workflow is promised in 15 lines, found 16", more)


if __name__ == "__main__":
    unittest.main()
