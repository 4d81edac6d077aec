"""What fields of version 1's making become in the kernel's files of version 2; the same with every runtime, where the peers agree.

What happens at the limits is in test_quotas_*.py; here only the numbers.
"""

import json

import pytest

from support.marks import covers
from support.quotas import MEGABYTE, needs

from test_cgroups import DENY_ALL, READ_KMSG, WRITE_KMSG, kmsg_node, rule

GIGABYTE = 1024 * MEGABYTE


def same(name, controller, asked, file, expected):
    return pytest.param(asked, file, expected, id=name, marks=needs(controller))


MEMORY_AND = {"limit": 64 * MEGABYTE}

CONVERSIONS = [
    same("shares-least", "cpu", {"cpu": {"shares": 2}}, "cpu.weight", "1"),
    same("shares-default", "cpu", {"cpu": {"shares": 1024}}, "cpu.weight", "100"),
    same("shares-most", "cpu", {"cpu": {"shares": 262144}}, "cpu.weight", "10000"),
    same("shares-between", "cpu", {"cpu": {"shares": 512}}, "cpu.weight", "59"),
    same("quota", "cpu", {"cpu": {"quota": 20000}}, "cpu.max", "20000 100000"),
    same("quota-none", "cpu", {"cpu": {"quota": -1, "period": 50000}}, "cpu.max", "max 50000"),
    same("period-alone", "cpu", {"cpu": {"period": 50000}}, "cpu.max", "max 50000"),
    same("cpus", "cpuset", {"cpu": {"cpus": "0"}}, "cpuset.cpus", "0"),
    same("memory", "memory", {"memory": {"limit": 64 * MEGABYTE}}, "memory.max", str(64 * MEGABYTE)),
    same("memory-none", "memory", {"memory": {"limit": -1}}, "memory.max", "max"),
    same("reservation", "memory", {"memory": {"reservation": 32 * MEGABYTE}}, "memory.low", str(32 * MEGABYTE)),
    same("swap", "memory", {"memory": {**MEMORY_AND, "swap": 96 * MEGABYTE}}, "memory.swap.max", str(32 * MEGABYTE)),
    same("swap-equal", "memory", {"memory": {**MEMORY_AND, "swap": 64 * MEGABYTE}}, "memory.swap.max", "0"),
    same("swap-none", "memory", {"memory": {**MEMORY_AND, "swap": -1}}, "memory.swap.max", "max"),
    same("pids", "pids", {"pids": {"limit": 20}}, "pids.max", "20"),
    same("pids-none", "pids", {"pids": {"limit": -1}}, "pids.max", "max"),
    same("unified", "memory", {"unified": {"memory.high": str(GIGABYTE)}}, "memory.high", str(GIGABYTE)),
]


@pytest.mark.parametrize("asked, file, expected", CONVERSIONS)
@covers(
    "/linux/resources/cpu/shares", "/linux/resources/cpu/quota", "/linux/resources/cpu/period", "/linux/resources/cpu/cpus",
    "/linux/resources/memory/limit", "/linux/resources/memory/reservation", "/linux/resources/memory/swap",
    "/linux/resources/pids/limit", "/linux/resources/unified/*",
)  # fmt: skip
def test_a_field_is_converted_for_the_file_it_has_in_version_2(container, bundle, measured, asked, file, expected):
    bundle.resources.update(asked)
    container.create()

    found = (container.cgroup / file).read_text().strip()

    measured("conversions", f"`{json.dumps(asked)}` in `{file}`", found)
    assert found == expected


@covers("/linux/resources/devices/*/access", "/linux/resources/devices/*/allow")
def test_a_device_may_be_used_as_its_rule_says(container, bundle, measured):
    kmsg_node(bundle)
    bundle.resources["devices"] = [DENY_ALL, rule(True, "w", major=1, minor=11)]

    found = container.output(f"{READ_KMSG}; {WRITE_KMSG}").split()

    measured("devices", "/dev/kmsg may be written and not be read", f"reading {found[0]}, writing: {found[1]}")
    assert found == ["refused", "written"]
