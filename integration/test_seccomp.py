"""System call filters."""

import errno
import json
import os

import pytest

from support import filters, machine_code
from support.marks import covers, extension, normative

FIELD = "/linux/seccomp/"
DENY_MKDIR = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}
MKDIR = "mkdir /made 2>&1 && echo made || true"


def filtered(bundle, *rules, **fields):
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": list(rules),
        **fields,
    }
    return bundle


def said(number, text):
    return os.strerror(number).lower() in text.lower()


@covers("/linux/seccomp/defaultAction", "/linux/seccomp/syscalls/*/names", "/linux/seccomp/syscalls/*/action")
def test_a_forbidden_call_fails_with_eperm(container, bundle):
    filtered(bundle, DENY_MKDIR)

    assert said(errno.EPERM, container.output(MKDIR))


def test_other_calls_are_not_affected(container, bundle):
    filtered(bundle, DENY_MKDIR)

    assert container.output("touch /made && echo made") == "made\n"


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_an_executed_process_has_the_containers_filter(container, bundle, no_new_privileges):
    bundle.process["noNewPrivileges"] = no_new_privileges
    filtered(bundle, DENY_MKDIR)
    container.launch_sleeper()

    assert said(errno.EPERM, container.exec("sh", "-c", MKDIR).out)


@extension("the compiled filter is kept beside the record")
def test_no_process_is_executed_without_the_filter_that_was_kept(container, bundle):
    filtered(bundle, DENY_MKDIR)
    container.launch_sleeper()
    kept = container.state_directory / "seccomp.bpf"
    assert kept.stat().st_mode & 0o7777 == 0o600
    whole = kept.read_bytes()

    for size in (len(whole) - 1, 8, 0):
        kept.write_bytes(whole[:size])
        assert f"{kept} is not the filter that was kept there" in container.try_exec("true").failed().err
    kept.unlink()
    assert "openat seccomp.bpf: no such file or directory" in container.try_exec("true").failed().err
    kept.write_bytes(whole)
    assert said(errno.EPERM, container.exec("sh", "-c", MKDIR).out)


@extension("the compiled filter is kept beside the record")
def test_a_frozen_configuration_has_no_rules_beside_their_filter(container, bundle):
    filtered(bundle, DENY_MKDIR, listenerMetadata="")
    container.launch_sleeper()

    frozen = json.loads((container.state_directory / "config.json").read_text())
    asked = json.loads(json.dumps(bundle.config))
    asked["linux"]["seccomp"]["syscalls"] = []
    assert frozen == asked


def test_a_filter_works_without_no_new_privileges(container, bundle):
    bundle.process["noNewPrivileges"] = False
    filtered(bundle, DENY_MKDIR)

    assert said(errno.EPERM, container.output(MKDIR))


def test_a_filter_works_for_an_unprivileged_user(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    filtered(bundle, DENY_MKDIR)

    assert said(errno.EPERM, container.output("mkdir /tmp/x 2>&1; true"))


def test_a_program_starts_under_a_filter_that_gives_it_no_memory(container, bundle):
    filtered(bundle, {"names": ["mmap"], "action": "SCMP_ACT_ERRNO"})
    bundle.process["noNewPrivileges"] = False  # then the filter is in force a little earlier

    assert container.output("echo $((6 * 7))") == "42\n"


def test_why_a_program_cannot_be_executed_is_told_past_a_filter_of_sockets(container, bundle):
    filtered(bundle, {"names": ["sendto", "sendmsg"], "action": "SCMP_ACT_ERRNO"})
    script = bundle.rootfs / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    bundle.process.update(args=["/script"], noNewPrivileges=False)

    container.try_run().refused("/script")


@covers("/linux/seccomp/syscalls/*/errnoRet")
def test_the_error_number_can_be_chosen(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "errnoRet": errno.EXDEV})

    assert said(errno.EXDEV, container.output(MKDIR))


def test_kill_process_ends_it_with_sigsys(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "action": "SCMP_ACT_KILL_PROCESS"})
    bundle.sh("mkdir /made; echo $?")

    assert container.run().lines[-1] == "159"


@covers("/linux/seccomp/syscalls/*/action")
@pytest.mark.parametrize("action", ["SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"])
def test_other_actions_that_kill_end_it_with_sigsys(container, bundle, action):
    filtered(bundle, {**DENY_MKDIR, "action": action})
    bundle.sh("mkdir /made; echo $?")

    assert container.run().lines[-1] == "159"


def test_trace_without_a_tracer_fails_with_enosys(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "action": "SCMP_ACT_TRACE", "errnoRet": 7})

    assert said(errno.ENOSYS, container.output(MKDIR))


def test_log_lets_the_call_pass(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "action": "SCMP_ACT_LOG"})

    assert container.output(MKDIR) == "made\n"


@covers("/linux/seccomp/syscalls/*/args/*/index", "/linux/seccomp/syscalls/*/args/*/value")
def test_all_conditions_on_different_arguments_must_hold(container, bundle):
    both = [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]
    filtered(bundle, {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EXDEV, "args": both})

    output = container.output(
        "sleep 100 & other=$!; kill -0 1 2>&1; kill -0 $other && echo other; kill -CHLD 1 && echo signal; kill $other"
    )

    first, *rest = output.splitlines()
    assert said(errno.EXDEV, first)
    assert rest == ["other", "signal"]


@covers("/linux/seccomp/syscalls/*/args/*/op", "/linux/seccomp/syscalls/*/args/*/value")
@pytest.mark.parametrize(
    "op, value, denied",
    [
        ("SCMP_CMP_EQ", 0o777, ["777"]),
        ("SCMP_CMP_NE", 0o777, ["700", "70"]),
        ("SCMP_CMP_LT", 0o700, ["70"]),
        ("SCMP_CMP_LE", 0o700, ["700", "70"]),
        ("SCMP_CMP_GE", 0o700, ["777", "700"]),
        ("SCMP_CMP_GT", 0o700, ["777"]),
    ],
)
def test_every_comparison_works(container, bundle, op, value, denied):
    condition = {"index": 1, "value": value, "op": op}
    filtered(bundle, {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [condition]})
    bundle.write("/file", "")

    output = container.output("for mode in 777 700 70; do chmod $mode /file 2>/dev/null || echo $mode; done; true")

    assert output.split() == denied


@covers("/linux/seccomp/syscalls/*/args/*/valueTwo")
def test_a_masked_comparison_works(container, bundle):
    condition = {"index": 1, "value": 0o700, "valueTwo": 0o700, "op": "SCMP_CMP_MASKED_EQ"}
    filtered(bundle, {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [condition]})
    bundle.write("/file", "")

    assert container.output("for m in 777 707 70; do chmod $m /file 2>/dev/null || echo $m; done; true").split() == [
        "777",
        "707",
    ]


@covers("/linux/seccomp/syscalls/*/args/*/index")
def test_any_condition_on_the_same_argument_will_do(container, bundle):
    """libseccomp has no way to say `and` here; runc and crun read it this way as well."""
    either = [{"index": 1, "value": mode, "op": "SCMP_CMP_EQ"} for mode in (0o700, 0o070)]
    filtered(bundle, {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": either})
    bundle.write("/file", "")

    assert container.output("for m in 777 700 70; do chmod $m /file 2>/dev/null || echo $m; done; true").split() == [
        "700",
        "70",
    ]


def test_exec_is_filtered_too(container, bundle):
    filtered(bundle, DENY_MKDIR).sleeper()
    container.launch()

    assert said(errno.EPERM, container.exec("sh", "-c", MKDIR).out)


def test_unknown_calls_are_ignored(container, bundle):
    filtered(bundle, {"names": ["a_call_of_the_future", "mkdir"], "action": "SCMP_ACT_ERRNO"})

    container.output(MKDIR)


@covers("/linux/seccomp/flags")
@pytest.mark.parametrize(
    "flags",
    [[], ["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ["SECCOMP_FILTER_FLAG_TSYNC"]],
    ids=lambda flags: (flags or ["none"])[0],
)
def test_the_flags_of_a_filter_are_understood(container, bundle, flags):
    filtered(bundle, DENY_MKDIR, flags=flags)

    assert said(errno.EPERM, container.output(MKDIR))


@covers("/linux/seccomp/defaultErrnoRet")
@pytest.mark.parametrize(
    "flags, word",
    [
        (None, filters.SPEC_ALLOW),
        ([], 0),
        (["SECCOMP_FILTER_FLAG_LOG"], filters.LOG),
        (["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], filters.SPEC_ALLOW),
        (["SECCOMP_FILTER_FLAG_TSYNC"], 0),
        (["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], filters.LOG | filters.SPEC_ALLOW),
        (["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], 0),
    ],
    ids=["absent", "none", "LOG", "SPEC_ALLOW", "TSYNC", "two", "WAIT_KILLABLE_RECV"],
)
@covers("/linux/seccomp/flags")
@extension("runc probes the kernel's flags first")
def test_the_kernel_is_asked_for_exactly_these_flags(container, bundle, flags, word):
    filtered(bundle, DENY_MKDIR)
    if flags is not None:
        bundle.linux["seccomp"]["flags"] = flags
    bundle.sh(MKDIR)

    result = container.try_run(preexec_fn=filters.with_these_flags_alone(word))

    assert said(errno.EPERM, result.succeeded().out)


@covers("/linux/seccomp/flags")
@extension("crun loads the filter without flags then")
@pytest.mark.parametrize("flag", ["LOG", "SPEC_ALLOW"])
def test_a_flag_that_the_kernel_lacks_is_named(container, bundle, flag):
    filtered(bundle, DENY_MKDIR, flags=[f"SECCOMP_FILTER_FLAG_{flag}"])

    result = container.try_run(preexec_fn=filters.without_flag(getattr(filters, flag)))

    result.refused(f"seccomp SECCOMP_FILTER_FLAG_{flag}")


def test_the_process_has_one_filter(container, bundle):
    filtered(bundle, DENY_MKDIR)
    here = int(open("/proc/self/status").read().partition("Seccomp_filters:")[2].split()[0])

    output = container.output("grep Seccomp /proc/self/status")

    assert output.split() == ["Seccomp:", "2", "Seccomp_filters:", str(here + 1)]


def test_a_large_profile_is_loaded(container, bundle):
    names = [name for name in calls_of_this_machine() if name not in ("mkdir", "mkdirat")]
    allowed = {"names": names, "action": "SCMP_ACT_ALLOW"}
    filtered(bundle, allowed, defaultAction="SCMP_ACT_ERRNO", defaultErrnoRet=errno.EXDEV)

    assert said(errno.EXDEV, container.output(MKDIR))


def calls_of_this_machine():
    """The names in <asm/unistd_64.h> when it is installed, else those a shell needs."""
    try:
        with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") as header:
            return [line.split()[1][len("__NR_"):] for line in header if line.startswith("#define __NR_")]
    except FileNotFoundError:
        pytest.skip("no <asm/unistd_64.h> here")


# The other ways into the kernel.


@pytest.fixture
def enter(container, bundle):
    """enter(code, …) runs each program of machine_code in the container, and tells what they exit with."""
    if not machine_code.is_available:
        pytest.skip("the programs are for x86-64")

    def outcomes(*programs):
        for number, code in enumerate(programs):
            path = bundle.rootfs / f"bin/enter{number}"
            path.write_bytes(code)
            path.chmod(0o755)
        output = container.output("for p in /bin/enter*; do $p; echo $?; done 2>&1")
        return [int(line) for line in output.split() if line.isdigit()]

    return outcomes


def i386_or_skip(work):
    if machine_code.outcome_here(work, machine_code.i386(I386_GETPID)) != 0:
        pytest.skip("this kernel takes no 32-bit calls (CONFIG_IA32_EMULATION)")


MKDIR_64, MKDIR_32, GETPID_64, I386_GETPID = 83, 39, 39, 20


@covers("/linux/seccomp/architectures")
def test_calls_by_every_entry_are_judged(enter, bundle, work):
    """The kernel asks the filter before it looks whether it has x32 calls at all."""
    i386_or_skip(work)
    filtered(bundle, {**DENY_MKDIR, "errnoRet": errno.EXDEV})

    outcomes = enter(
        machine_code.native(MKDIR_64, b"/made", 0o755),
        machine_code.i386(MKDIR_32, b"/made", 0o755),
        machine_code.x32(MKDIR_64, b"/made", 0o755),
        machine_code.native(GETPID_64),
        machine_code.i386(I386_GETPID),
    )

    assert outcomes == [errno.EXDEV, errno.EXDEV, errno.EXDEV, 0, 0]


@covers("/linux/seccomp/architectures")
def test_an_entry_of_an_architecture_that_is_not_listed_kills(enter, bundle, work):
    i386_or_skip(work)
    filtered(bundle, {**DENY_MKDIR, "errnoRet": errno.EXDEV}, architectures=["SCMP_ARCH_X86_64"])

    assert enter(
        machine_code.native(GETPID_64),
        machine_code.i386(I386_GETPID),
        machine_code.x32(GETPID_64),
    ) == [0, 159, 159]


@covers("/linux/seccomp/architectures")
def test_the_machines_own_architecture_need_not_be_listed(container, bundle):
    filtered(bundle, DENY_MKDIR, architectures=[])

    assert said(errno.EPERM, container.output(MKDIR))


def test_arguments_are_compared_by_every_entry(enter, bundle, work):
    i386_or_skip(work)
    condition = {"index": 1, "value": 0o700, "op": "SCMP_CMP_EQ"}
    filtered(bundle, {**DENY_MKDIR, "errnoRet": errno.EXDEV, "args": [condition]})

    assert enter(
        machine_code.native(MKDIR_64, b"/one", 0o700),
        machine_code.i386(MKDIR_32, b"/one", 0o700),
        machine_code.i386(MKDIR_32, b"/two", 0o755),
    ) == [errno.EXDEV, errno.EXDEV, 0]


@covers("/linux/seccomp/defaultErrnoRet")
@extension("ENOSYS for calls newer than the profile, by every entry")
def test_calls_newer_than_the_profile_do_not_exist_by_any_entry(enter, bundle, work):
    i386_or_skip(work)
    names = [name for name in calls_of_this_machine() if name not in ("mkdir", "mkdirat")]
    filtered(bundle, {"names": names, "action": "SCMP_ACT_ALLOW"}, defaultAction="SCMP_ACT_ERRNO", defaultErrnoRet=7)

    assert enter(
        machine_code.native(MKDIR_64, b"/made", 0o755),
        machine_code.native(999),
        machine_code.i386(MKDIR_32, b"/made", 0o755),
        machine_code.i386(999),
        machine_code.x32(MKDIR_64, b"/made", 0o755),
    ) == [7, errno.ENOSYS, 7, errno.ENOSYS, 7]


@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="no /usr/bin/python3 to borrow")
def test_calls_newer_than_the_profile_do_not_exist(container, bundle):
    """A C library falls back to older calls on ENOSYS, never on EPERM. The newest call this profile knows is clone3 (435)."""
    names = calls_of_this_machine()
    known = names[: names.index("clone3") + 1]
    known.remove("mkdir")
    filtered(bundle, {"names": known, "action": "SCMP_ACT_ALLOW"}, defaultAction="SCMP_ACT_ERRNO")
    bundle.bind("/usr", "/usr", "rbind", "ro")
    for link in ("lib", "lib64"):
        (bundle.rootfs / link).symlink_to(f"usr/{link}")
    script = "import ctypes; c = ctypes.CDLL(None, use_errno=True)\n"
    script += "for n in (83, 443): c.syscall(n, 0, 0, 0); print(ctypes.get_errno())"
    bundle.args("/usr/bin/python3", "-c", script)

    mkdir, quotactl_fd = map(int, container.run().lines)

    assert (mkdir, quotactl_fd) == (errno.EPERM, errno.ENOSYS)


@covers("/linux/seccomp/syscalls/*/names")
@extension("the message is ours")
def test_unknown_calls_are_told_in_the_debug_log(container, bundle, work):
    filtered(bundle, {"names": ["a_call_of_the_future"], "action": "SCMP_ACT_ERRNO"}).save()
    log = work / "log"

    container.call_with(["--debug", "--log", log, "run", "--bundle", bundle.path, container.id]).succeeded()

    assert "a_call_of_the_future" in log.read_text()


@covers("/linux/seccomp/syscalls/*/errnoRet")
@extension("an error number makes sense with ERRNO and TRACE only")
def test_an_error_number_on_another_action_is_refused(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "action": "SCMP_ACT_KILL", "errnoRet": 5})

    container.try_create().refused("/linux/seccomp/syscalls/0")


@covers("/linux/seccomp/defaultErrnoRet")
@extension("an error number makes sense with ERRNO and TRACE only")
def test_a_default_error_number_on_another_action_is_refused(container, bundle):
    filtered(bundle, DENY_MKDIR, defaultErrnoRet=5)

    container.try_create().refused("/linux/seccomp/defaultErrnoRet")


@extension("the sentence is ours")
@pytest.mark.parametrize("wrong", ["mount", "program"])
def test_what_fails_while_the_filter_is_compiled_is_told(container, bundle, wrong):
    """Init may have gone before the filter is sent to it; a profile of many rules takes longer to compile."""
    conditions = [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in range(2)]
    filtered(bundle, *[{**DENY_MKDIR, "args": [condition]} for condition in conditions for _ in range(60)])
    if wrong == "mount":
        bundle.mounts.insert(0, {"destination": "/broken", "type": "nosuchfs", "source": "none"})
    else:
        bundle.process["args"] = ["/no/such/program"]

    for _ in range(20):
        container.try_run().refused("nosuchfs" if wrong == "mount" else "no such file or directory")


@extension("the sentence is ours")
@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_profile_that_is_too_long_is_refused_beside_init_and_leaves_nothing(container, bundle, nothing_left, no_new_privileges):
    """Only its compiler notices, when init is at work already."""
    bundle.process["noNewPrivileges"] = no_new_privileges
    pairs = [[{"index": index, "value": value, "op": "SCMP_CMP_EQ"} for index in (0, 1)] for value in range(1100)]
    filtered(bundle, *[{**DENY_MKDIR, "args": pair} for pair in pairs], architectures=["SCMP_ARCH_X86_64"])
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_create().refused("instructions, more than the 4096 that the kernel takes")
    nothing_left.soon()


@covers("/linux/seccomp/syscalls/*/action", "/linux/seccomp/architectures", "/linux/seccomp/flags")
@normative("B22")
@pytest.mark.parametrize(
    "fields, pointer",
    [
        ({"syscalls": [{**DENY_MKDIR, "action": "SCMP_ACT_DENY"}]}, "syscalls/0/action"),
        ({"defaultAction": "ALLOW"}, "defaultAction"),
        ({"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_Z80"]}, "architectures/1"),
        ({"flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}, "flags/0"),
    ],
    ids=["action", "default-action", "architecture", "flag"],
)
@extension("the field is named")
def test_R17_a_name_that_means_nothing_is_refused_and_not_skipped(container, bundle, fields, pointer, nothing_left):
    filtered(bundle, DENY_MKDIR)
    bundle.linux["seccomp"].update(fields)
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_create().refused(FIELD + pointer)
    nothing_left.soon()


def test_R17_the_filter_is_loaded_before_the_rights_to_load_it_are_given_up(container, bundle):
    """Without no_new_privs that needs CAP_SYS_ADMIN. What gives rights up is itself judged by the filter then."""
    bundle.process["noNewPrivileges"] = False
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    filtered(bundle, {"names": ["setresuid", "setuid", "setresgid", "setgid", "capset"], "action": "SCMP_ACT_ERRNO"})

    container.try_create().refused("peration not permitted" if not container.runtime.is_capsule else "EPERM")


@normative("B29")
def test_R17_with_no_new_privileges_the_filter_judges_the_command_alone(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    filtered(bundle, {"names": ["setresuid", "setuid", "setresgid", "setgid", "capset"], "action": "SCMP_ACT_ERRNO"})

    assert container.output("id -u; grep -E '^Seccomp:' /proc/self/status").split() == ["1000", "Seccomp:", "2"]
