#!/usr/bin/env python3
"""Takes defences away, one at a time, and expects the tests named after their rule to fail.

    defences.py [RULE…]      root; works on a copy of the sources, so nothing here changes; some minutes for all of them

A test that passes without the defence it is named after proves nothing.
"""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Defence:
    rule: str
    what: str
    file: str
    text: str  # stands once in the file
    without: str  # what stands there once the defence is gone
    unit: str = ""  # the unit tests that notice; otherwise the integration tests do


DEFENCES = [
    Defence("R01", "seals on the copy of init", "runtime/launch/init_image.cc",
            "F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;", "F_SEAL_SEAL;"),
    Defence("R03", "everything is closed on exec", "runtime/init/main.cc",
            "  raw::close_range(3 + ctx.plan.header().preserved_fds, ~0U, CLOSE_RANGE_CLOEXEC);\n", ""),
    Defence("R06", "no mount below /proc", "runtime/init/path.cc",
            "(flags & plan::kMountAllowBelowProc) == 0 && !names_proc_itself", "target == nullptr"),
    Defence("R07", "getcwd must be absolute", "runtime/init/execute.cc",
            "raw::getcwd(buffer, size) > 0 && buffer[0] == '/'", "raw::getcwd(buffer, size) > 0 || buffer != nullptr"),
    Defence("R08", "init is not dumpable", "runtime/init/main.cc", "raw::prctl(PR_SET_DUMPABLE, 0);", "raw::prctl(PR_SET_DUMPABLE, 1);"),
    Defence("R15", "exec --cap leaves inheritable alone", "runtime/launch/plan_exec.cc",
            "{&sets.bounding, &sets.effective, &sets.permitted}",
            "{&sets.bounding, &sets.effective, &sets.permitted, &sets.inheritable}"),
    Defence("R16", "devices are denied by default", "cgroups/device_policy.cc",
            "{{kDefaults.begin(), kDefaults.end()}, false}", "{{kDefaults.begin(), kDefaults.end()}, true}"),
    Defence("R19", "a number is read to its end", "runtime/base/text.h",
            "error != std::errc{} || stopped_at != end)", "error != std::errc{} || stopped_at == text.data())"),
    Defence("R20", "a packet of another size is refused", "runtime/launch/sync_socket.cc",
            "if (packet.size != sizeof(Frame))", "if (packet.size > sizeof(packet.bytes))", unit="launch"),
    Defence("R21", "names that CRIU reads as syntax are refused", "runtime/checkpoint/external_mounts.cc",
            "is_canonical(bound.target) && !could_be_syntax(bound.target)", "is_canonical(bound.target) || could_be_syntax(bound.target) || true",
            unit="checkpoint"),
    Defence("R22", "a pid is believed only with its start time", "runtime/base/pidfd.cc",
            "if (process_.pidfd_inode == 0) return read_start_time(process_.pid) == process_.start_time;",
            "if (process_.pidfd_inode == 0) return read_start_time(process_.pid).has_value();"),
]


def run(command, where, **more):
    return subprocess.run(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def copy_of_the_sources(target):
    listed = run(["git", "ls-files", "-co", "--exclude-standard"], ROOT).stdout.split("\n")
    for name in filter(None, listed):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)


def build(tree, targets):
    for command in (["cmake", "--preset", "dev"], ["cmake", "--build", "--preset", "dev", "--target", *targets]):
        made = run(command, tree)
        if made.returncode != 0:
            raise SystemExit(f"defences.py: the build fails:\n{made.stdout[-3000:]}")


def tests_of(defence, tree):
    if defence.unit:
        return run([f"build/dev/tests/{defence.unit}/{defence.unit}_test", f"{defence.rule} *"], tree)
    command = [sys.executable, "-m", "pytest", "-q", "-c", "integration/pytest.ini", "integration/test_security.py", "-k", defence.rule]
    return run(command, tree, env={**os.environ, "RUNTIME": str(tree / "build/dev/capsule")})


def try_without(defence, tree):
    """True if the tests notice that the defence is gone."""
    path = tree / defence.file
    text = path.read_text()
    if text.count(defence.text) != 1:
        raise SystemExit(f"defences.py: {defence.file} does not hold once: {defence.text}")
    path.write_text(text.replace(defence.text, defence.without))
    build(tree, [f"{defence.unit}_test" if defence.unit else "capsule"])
    tests = tests_of(defence, tree)
    path.write_text(text)
    failed = tests.returncode > 0 if defence.unit else tests.returncode == 1  # pytest's others: it could not even run them
    return failed, last_line(tests.stdout)


def last_line(text):
    return text.strip().splitlines()[-1] if text.strip() else ""


def expect_all_to_pass(defences, tree):
    build(tree, ["capsule", *(f"{defence.unit}_test" for defence in defences if defence.unit)])
    for defence in defences:
        tests = tests_of(defence, tree)
        if tests.returncode != 0:
            raise SystemExit(f"defences.py: the tests of {defence.rule} fail as it is:\n{tests.stdout[-3000:]}")


def main(rules):
    wanted = [defence for defence in DEFENCES if not rules or defence.rule in rules]
    unnoticed = 0
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="defences-", dir=ROOT / "build") as name:
        tree = pathlib.Path(name)
        copy_of_the_sources(tree)
        expect_all_to_pass(wanted, tree)
        for defence in wanted:
            noticed, said = try_without(defence, tree)
            unnoticed += not noticed
            print(f"{defence.rule} without “{defence.what}”: {'the tests fail' if noticed else 'NOTHING FAILS'} ({said})", flush=True)
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
