#!/usr/bin/env python3
"""Rules of this repository for workflows. usage: workflows.py ROOT SNIPPETS

Writes every workflow of the docs into the folder SNIPPETS, for the other linters.
"""

import pathlib
import re
import sys

import yaml

ROOT, SNIPPETS = map(pathlib.Path, sys.argv[1:3])
# Jobs that reach a registry have what the caller of the reusable workflow grants.
CALLERS_PERMISSIONS = {
    "build-and-test-images",
    "build-and-push-images",
    "release-latest",
    "report",
}
DOCUMENTS = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
# What a project writes to have one of these, without the jobs of its own.
CALLED, PROMISED_LINES = {"image-pipeline.yml", "ci-image.yml", "build-ci-image.yml", "regen.yml"}, 15
SHA = re.compile(r"^[0-9a-f]{40}$")
problems: list[str] = []


def repository() -> str:
    text = (ROOT / "src/base/product.h").read_text(encoding="utf-8")
    return re.search(r'kRepository = "([^"]+)"', text).group(1)


def check_literals(name: str, text: str, wanted: str) -> int:
    """Every way in which a file names the repository or its image."""
    pattern = r"(?:uses: |ghcr\.io/|github\.com/|--local-repository )([\w.-]+/crategate)(?![\w-])"
    found = re.findall(pattern, text) + re.findall(r"(?<![\w/.-])([\w.-]+/crategate)@", text)
    for literal in found:
        if literal != wanted:
            problems.append(f"{name}: expected {wanted}, found {literal}")
    return len(found)


def snippets() -> dict[str, str]:
    found = {}
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", text, re.S | re.M)):
            if re.search(r"^jobs:", block, re.M):
                found[f"{document.replace('/', '-')}-{number}.yml"] = block
    return found


def check_short(name: str, text: str) -> int:
    """1 = the workflow calls one of CALLED. Comments, empty lines and jobs of the project's own do not count."""
    jobs = yaml.safe_load(text)["jobs"]
    own = [job for job, body in jobs.items() if str(body.get("uses", "")).split("@")[0].rpartition("/")[2] not in CALLED]
    if len(own) == len(jobs):
        return 0
    lines, in_own = 0, False
    for line in text.splitlines():
        job = re.match(r"  ([\w-]+):", line)
        in_own = job[1] in own if job else in_own and line.startswith("   ")
        lines += bool(line.strip() and not line.lstrip().startswith("#") and not in_own)
    if lines > PROMISED_LINES:
        problems.append(f"{name}: a workflow is promised in {PROMISED_LINES} lines, found {lines}")
    return 1


def check_step(where: str, step: dict, inputs: set[str], wanted: str) -> None:
    uses = step.get("uses", "")
    if not uses or uses.startswith("./"):
        return
    action, _, reference = uses.partition("@")
    if action == wanted:
        unknown = {name.lower() for name in step.get("with", {})} - inputs
        if unknown:
            problems.append(f"{where}: inputs that action.yml does not have: {', '.join(sorted(unknown))}")
        if not step.get("with", {}).get("stage"):
            problems.append(f"{where}: expected an input stage")
    elif not SHA.match(reference):
        problems.append(f"{where}: expected a full commit SHA, found {uses}")
    if action == "actions/checkout" and step.get("with", {}).get("persist-credentials") is not False:
        problems.append(f"{where}: expected persist-credentials: false")


def check_workflow(name: str, text: str, inputs: set[str], pipeline: set[str], wanted: str) -> None:
    workflow = yaml.safe_load(text)
    for job, body in workflow["jobs"].items():
        where = f"{name}: {job}"
        inherits = name.endswith("image-pipeline.yml") and job in CALLERS_PERMISSIONS
        if inherits and "permissions" in body:
            problems.append(f"{where}: expected no permissions, for the caller decides them")
        if not inherits and "permissions" not in body and "permissions" not in workflow:
            problems.append(f"{where}: expected permissions of its own")
        if "steps" in body and "timeout-minutes" not in body and name.startswith(".github"):
            problems.append(f"{where}: expected timeout-minutes")
        if body.get("uses", "").split("@")[0].endswith("image-pipeline.yml"):
            unknown = set(body.get("with", {})) - pipeline
            if unknown:
                problems.append(f"{where}: inputs that the pipeline does not have: {', '.join(sorted(unknown))}")
        for number, step in enumerate(body.get("steps", [])):
            check_step(f"{where}[{number}]", step, inputs, wanted)


def check_pipeline(text: str) -> None:
    """No secret where a pull request's code runs, and nothing that publishes is ever cancelled."""
    jobs = yaml.safe_load(text)["jobs"]
    order = ["plan", "static-checks", "generate-dockerfiles", "build-and-test-images", "build-and-push-images"]
    if list(jobs) != [*order, "release-latest", "report", "result"]:
        problems.append(f"image-pipeline.yml: job ids, found {', '.join(jobs)}")
    publishing = {"build-and-push-images", "release-latest"}
    for job, body in jobs.items():
        if ("concurrency" in body) != (job in publishing) or body.get("concurrency", {}).get("cancel-in-progress"):
            problems.append(f"image-pipeline.yml: {job}: a group for jobs that publish, never cancelled")
        if re.search(r"github\.(ref|sha|head_ref|event\.number)", body.get("concurrency", {}).get("group", "")):
            problems.append(f"image-pipeline.yml: {job}: two refs publish at once, for the group depends on the ref")
        for step in body.get("steps", []):
            for key, value in {**step.get("with", {}), **step.get("env", {})}.items():
                guarded = str(value).startswith("${{ needs.plan.outputs.login == 'true' && ")
                if re.search(r"secrets\.|github\.token", str(value)) and job not in publishing and not guarded:
                    problems.append(f"image-pipeline.yml: {job}: {key} is not bound to needs.plan.outputs.login")
    if set(jobs["result"]["needs"]) != set(jobs) - {"result"}:
        problems.append("image-pipeline.yml: result needs every other job")
    if jobs["build-and-test-images"]["strategy"]["fail-fast"] is not False:
        problems.append("image-pipeline.yml: build-and-test-images: expected fail-fast: false")


def check_regen(text: str) -> None:
    """What can push goes to the job that runs nothing of a pull request; what a failed job says is quoted and decides nothing."""
    said = "${{ needs.generate.outputs.error }}"
    jobs = yaml.safe_load(text)["jobs"]
    for job, body in jobs.items():
        if job != "apply" and "secrets.PUSH_" in str(body):
            problems.append(f"regen.yml: {job}: expected no secret that can push")
    if jobs["apply"]["steps"][-1]["with"].get("regen-failure") != said or text.count("generate.outputs.error") != 2:
        problems.append("regen.yml: expected the error of generate as regen-failure of apply, and nowhere else")


def check_documented(workflow: str, document: str) -> None:
    """Whoever calls a workflow reads of every input, secret and output of it."""
    call = yaml.safe_load((ROOT / workflow).read_text(encoding="utf-8"))[True]["workflow_call"]
    text = (ROOT / document).read_text(encoding="utf-8")
    for kind in ["inputs", "secrets", "outputs"]:
        for name in call[kind]:
            if f"`{name}`" not in text:
                problems.append(f"{document}: expected {name}, one of the {kind} of {workflow}")


def main() -> int:
    wanted = repository()
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    inputs = {name.lower() for name in action["inputs"]}
    pipeline = (ROOT / ".github/workflows/image-pipeline.yml").read_text(encoding="utf-8")
    # YAML reads the key `on` as true.
    settings = yaml.safe_load(pipeline)[True]["workflow_call"]["inputs"]
    check_pipeline(pipeline)
    check_documented(".github/workflows/image-pipeline.yml", "docs/action.md")
    for name in ["ci-image.yml", "build-ci-image.yml"]:
        check_documented(f".github/workflows/{name}", "docs/ci-image.md")
    regen = ".github/workflows/regen.yml"
    check_documented(regen, "docs/regen.md")
    check_regen((ROOT / regen).read_text(encoding="utf-8"))
    if not set(settings) - {"runs-on", "timeout-minutes", "environment"} <= inputs:
        problems.append("image-pipeline.yml: an input that is neither the action's nor the jobs'")
    found = snippets()
    for name, text in found.items():
        (SNIPPETS / name).write_text(text, encoding="utf-8")
    paths = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/*/.github/workflows/*.yml")]
    examples = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in paths}
    short = sum(check_short(name, text) for name, text in (found | examples).items() if not name.startswith(".github/"))
    if short < 8:
        problems.append(f"a workflow of few lines was found {short} times only: does the rule still see README, docs and examples?")
    found.update(examples)
    for name, text in sorted(found.items()):
        check_workflow(name, text, inputs, set(settings), wanted)
    literals = 0
    others = ["action.yml", "Dockerfile", "docker/action-image.yml", ".github/zizmor.yml"]
    for name in [*DOCUMENTS, *others, *(str(p.relative_to(ROOT)) for p in paths)]:
        literals += check_literals(name, (ROOT / name).read_text(encoding="utf-8"), wanted)
    if literals < 20:
        problems.append(f"the repository's name was found {literals} times only: does the rule still see it?")
    for problem in problems:
        print(f"workflows: {problem}", file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
