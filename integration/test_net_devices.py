"""Network devices: moved into the container with what belongs to them, or left exactly as they were."""

import json
import os
import re
import shutil
import subprocess
import threading

import pytest

from support.marks import covers, normative
from support.rootfs import chown_tree
from support.waiting import eventually

pytestmark = pytest.mark.skipif(not shutil.which("ip"), reason="needs iproute2: busybox cannot set what is kept here")


def ip(*words, of=None):
    inside = ["nsenter", f"--net=/proc/{of}/ns/net"] if of else []
    done = subprocess.run([*inside, "ip", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(map(str, words))}: {done.stderr}"
    return done.stdout


def links(of=None):
    """name → what `ip` knows of the device and its addresses"""
    return {link["ifname"]: link for link in json.loads(ip("-json", "-details", "address", "show", of=of)) if link}


def addresses(link, family="inet", scope="global"):
    return [info for info in link["addr_info"] if info["family"] == family and info["scope"] == scope]


def picture(name):
    """All that must be the same again when a device was moved and came back."""
    link = links()[name]
    kept = {key: link[key] for key in ("ifindex", "mtu", "address", "txqlen")}
    return {**kept, "up": "UP" in link["flags"], "inet": addresses(link), "inet6": settled(addresses(link, "inet6"))}


def settled(infos):
    """Whether duplicates are still looked for is a matter of time."""
    return [{key: value for key, value in info.items() if key != "tentative"} for info in infos]


@pytest.fixture(autouse=True)
def no_device_is_left():
    before = set(links())
    yield
    for name in set(links()) - before:
        subprocess.run(["ip", "link", "delete", name], capture_output=True)


@pytest.fixture
def make_device():
    """make_device(name) is one end of a pair in the suite's own network namespace, up, the other end being there too."""

    def make(name):
        ip("link", "add", "name", name, "type", "veth", "peer", "name", f"{name}-out")
        ip("link", "set", f"{name}-out", "up")
        ip("link", "set", name, "up")
        return name

    return make


@pytest.fixture
def device(make_device):
    make_device("capsule0")
    ip("addr", "add", "198.51.100.7/24", "dev", "capsule0")
    return "capsule0"


@pytest.fixture
def launched(container, bundle):
    """launched(netDevices) is what the container's network namespace holds then."""

    def launch(devices):
        bundle.linux["netDevices"] = devices
        bundle.sleeper()
        container.launch()
        return links(container.pid)

    return launch


@pytest.fixture
def busy_network(make_device):
    """A namespace with so many addresses that the kernel lists them in parts, and another that comes and goes all the time."""
    device, stopped = make_device("busy0"), threading.Event()
    many = [f"address add 10.{number >> 8}.{number & 255}.1/32 dev {device}\n" for number in range(1500)]
    subprocess.run(["ip", "-batch", "-"], input="".join(many), text=True, check=True)

    def change():
        both = "".join(f"address {verb} 192.0.2.77/32 dev {device}-out\n" for verb in ("add", "delete"))
        while not stopped.is_set():
            subprocess.run(["ip", "-batch", "-"], input=both * 200, text=True, capture_output=True)

    changes = threading.Thread(target=change)
    changes.start()
    yield
    stopped.set()
    changes.join()


@pytest.fixture
def joined(make_container, make_bundle):
    """Another container, whose network namespace the one of the test joins."""
    other = make_container(make_bundle())
    other.bundle.sleeper()
    other.launch()
    return other


# What is kept.


@covers("/linux/netDevices/*/name")
@pytest.mark.parametrize(
    "entry, name",
    [({}, "capsule0"), ({"name": "eth0"}, "eth0"), ({"name": "net%d"}, r"net\d+")],
    ids=["same", "renamed", "numbered"],
)
def test_a_network_device_moves_into_the_container_with_its_address(container, bundle, device, entry, name):
    bundle.linux["netDevices"] = {device: entry}

    output = container.output("ip -o addr show")

    assert re.search(rf"\b{name}(@\S+)? +inet 198\.51\.100\.7/24", output)


def test_a_moved_device_is_gone_from_the_host(launched, device):
    launched({device: {}})

    assert device not in links()


@normative("B17")
@pytest.mark.parametrize("state", ["up", "down"])
def test_a_moved_device_is_up(launched, device, state):
    ip("link", "set", device, state)

    inside = launched({device: {}})

    assert "UP" in inside[device]["flags"]


@normative("B17")
def test_an_ipv4_address_keeps_all_that_belongs_to_it(launched, make_device):
    device = make_device("capsule0")
    ip("addr", "add", "203.0.113.5/27", "broadcast", "203.0.113.30", "label", f"{device}:web", "metric", 77,
       "valid_lft", "forever", "preferred_lft", 0, "noprefixroute", "dev", device)  # fmt: skip
    ip("addr", "add", "192.0.2.1", "peer", "192.0.2.9/30", "dev", device)
    before = addresses(links()[device])
    assert [before[0][key] for key in ("broadcast", "label", "metric", "noprefixroute", "deprecated")] == [
        "203.0.113.30", "capsule0:web", 77, True, True,
    ]  # fmt: skip

    inside = launched({device: {}})

    assert addresses(inside[device]) == before
    assert before[1]["address"] == "192.0.2.9"


@normative("B17")
def test_an_ipv6_address_keeps_all_that_belongs_to_it(launched, make_device):
    device = make_device("capsule0")
    ip("addr", "add", "2001:db8::7/64", "metric", 88, "noprefixroute", "nodad", "dev", device)
    ip("addr", "add", "2001:db8:1::1", "peer", "2001:db8:1::2/127", "nodad", "dev", device)
    before = settled(addresses(links()[device], "inet6"))
    assert any(info.get("metric") == 88 and info.get("noprefixroute") for info in before)

    inside = launched({device: {}})

    assert settled(addresses(inside[device], "inet6")) == before


def test_addresses_keep_their_order(launched, make_device):
    device = make_device("capsule0")
    for number in (3, 1, 2):
        ip("addr", "add", f"198.51.100.{number}/24", "dev", device)
        ip("addr", "add", f"2001:db8::{number}/64", "nodad", "dev", device)
    order = lambda link, family: [info["local"] for info in addresses(link, family)]
    before = links()[device]

    inside = launched({device: {}})

    assert order(inside[device], "inet") == order(before, "inet") == [f"198.51.100.{number}" for number in (3, 1, 2)]
    assert order(inside[device], "inet6") == order(before, "inet6")


@normative("B17")
def test_addresses_that_are_not_permanent_and_global_stay_behind(launched, device):
    ip("addr", "add", "198.51.100.8/24", "valid_lft", 600, "preferred_lft", 600, "dev", device)
    ip("addr", "add", "169.254.9.9/16", "scope", "link", "dev", device)

    inside = launched({device: {}})

    assert [info["local"] for info in inside[device]["addr_info"] if info["family"] == "inet"] == ["198.51.100.7"]


def test_changes_in_the_hosts_network_meanwhile_do_not_matter(launched, make_device, busy_network):
    devices = [make_device(f"capsule{number}") for number in range(12)]
    for number, device in enumerate(devices):
        ip("addr", "add", f"198.51.{number}.1/24", "dev", device)

    inside = launched({device: {} for device in devices})

    found = {device: [info["local"] for info in addresses(inside[device])] for device in devices}
    assert found == {device: [f"198.51.{number}.1"] for number, device in enumerate(devices)}


@covers("/linux/netDevices/*/name")
def test_a_label_follows_the_name(launched, make_device):
    device = make_device("capsule0")
    for number, label in enumerate(["capsule0", "capsule0:web", "other"], 1):
        ip("addr", "add", f"198.51.{number}.1/24", "label", label, "dev", device)

    inside = launched({device: {"name": "eth0"}})

    assert [info["label"] for info in addresses(inside["eth0"])] == ["eth0", "eth0:web", "other"]


def test_the_size_of_packets_and_the_hardware_address_are_kept(launched, device):
    ip("link", "set", device, "mtu", 1400, "address", "02:00:5e:10:00:01")

    inside = launched({device: {"name": "eth0"}})

    assert (inside["eth0"]["mtu"], inside["eth0"]["address"]) == (1400, "02:00:5e:10:00:01")


# Names.


@covers("/linux/netDevices/*/name")
def test_a_numbered_name_is_the_next_free_one(launched, make_device):
    make_device("capsule0"), make_device("capsule1")

    inside = launched({"capsule0": {"name": "net%d"}, "capsule1": {"name": "net%d"}})

    names = set(inside) - {"lo"}
    assert len(names) == 2 and all(re.fullmatch(r"net\d", name) for name in names)


@covers("/linux/netDevices/*/name")
def test_two_devices_may_exchange_their_names(launched, make_device):
    for name, address in (("capsule0", "198.51.100.1/24"), ("capsule1", "203.0.113.1/24")):
        ip("addr", "add", address, "dev", make_device(name))

    inside = launched({"capsule0": {"name": "capsule1"}, "capsule1": {"name": "capsule0"}})

    assert [addresses(inside[name])[0]["local"] for name in ("capsule0", "capsule1")] == ["203.0.113.1", "198.51.100.1"]


@normative("B17")
def test_a_name_that_is_taken_in_the_container_is_refused_and_nothing_moves(
    container, bundle, joined, device, make_device
):
    ip("link", "add", "name", "eth0", "type", "bridge", of=joined.pid)
    make_device("another")
    before = picture(device), picture("another")
    bundle.namespace("network", f"/proc/{joined.pid}/ns/net")
    bundle.linux["netDevices"] = {"another": {}, device: {"name": "eth0"}}

    container.try_create().refused(
        '/linux/netDevices/capsule0: the container\'s network namespace has a device "eth0" already'
    )

    assert (picture(device), picture("another")) == before


def test_a_name_that_two_devices_want_is_refused(container, bundle, device, make_device):
    make_device("capsule1")
    bundle.linux["netDevices"] = {device: {"name": "eth0"}, "capsule1": {"name": "eth0"}}

    container.try_create().refused("/linux/netDevices/capsule1: \"eth0\" is the name in the container of \"capsule0\" too")


def test_an_alternative_name_is_not_a_device(container, bundle, device):
    ip("link", "property", "add", "dev", device, "altname", "the-other-name")
    bundle.linux["netDevices"] = {"the-other-name": {}}

    container.try_create().refused('/linux/netDevices/the-other-name: is only another name of "capsule0"')


# Where it goes, and when.


def test_exec_sees_the_device(container, launched, device):
    launched({device: {"name": "eth0"}})

    assert "198.51.100.7/24" in container.exec("ip", "-o", "addr", "show", "dev", "eth0").out


def test_a_create_runtime_hook_finds_the_device_inside(container, bundle, device, work):
    hook = work / "hook"
    hook.write_text(
        '#!/bin/sh\npid=$(sed \'s/.*"pid": *\\([0-9]*\\).*/\\1/\')\n'
        f"nsenter --net=/proc/$pid/ns/net ip -o addr show dev eth0 >{work}/seen\n"
    )
    hook.chmod(0o755)
    bundle.config["hooks"] = {
        "createRuntime": [{"path": str(hook), "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]
    }
    bundle.linux["netDevices"] = {device: {"name": "eth0"}}

    container.run()

    assert "198.51.100.7/24" in (work / "seen").read_text()


def test_R03_nothing_that_moved_the_device_is_open_in_the_container(container, bundle, device):
    bundle.linux["netDevices"] = {device: {}}
    bundle.sh("ip -o link show dev capsule0 >/dev/null && { for fd in /proc/self/fd/*; do readlink $fd; done; true; }")

    opened = container.run().out

    assert opened and not re.search(r"net:\[|socket:\[", opened)


def test_R24_the_devices_move_before_anything_of_the_container_runs(container, bundle, device, work):
    """Its /proc entry is trusted to name its namespace as long as only our own code runs in it."""
    seen = work / "seen"
    bundle.config["hooks"] = {
        "createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", f"ip -o addr show dev eth0 >{seen}"]}]
    }
    bundle.linux["netDevices"] = {device: {"name": "eth0"}}

    container.run()

    assert "198.51.100.7/24" in seen.read_text()


def test_a_device_moves_into_a_network_namespace_joined_by_path(launched, bundle, joined, device):
    bundle.namespace("network", f"/proc/{joined.pid}/ns/net")

    launched({device: {"name": "eth0"}})

    assert addresses(links(joined.pid)["eth0"])[0]["local"] == "198.51.100.7"


def test_a_device_whose_index_is_taken_gets_another_one(launched, bundle, joined, device):
    index = links()[device]["ifindex"]
    ip("link", "add", "name", "taker", "index", index, "type", "bridge", of=joined.pid)
    bundle.namespace("network", f"/proc/{joined.pid}/ns/net")

    inside = launched({device: {"name": "net%d"}})

    moved = [link for name, link in inside.items() if name.startswith("net")]
    assert len(moved) == 1 and moved[0]["ifindex"] != index
    assert addresses(moved[0])[0]["local"] == "198.51.100.7"


def test_a_device_moves_into_a_user_namespaces_network(launched, bundle, device):
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)

    inside = launched({device: {"name": "eth0"}})

    assert addresses(inside["eth0"])[0]["local"] == "198.51.100.7"
    assert "UP" in inside["eth0"]["flags"]


def test_a_virtual_device_ends_with_its_namespace(container, launched, device):
    launched({device: {}})

    container.delete("--force")

    eventually(lambda: f"{device}-out" not in links(), "the pair is gone")
    assert device not in links()


@normative("B17")
def test_a_device_stays_in_a_joined_namespace_when_the_container_is_deleted(
    container, launched, bundle, joined, device
):
    bundle.namespace("network", f"/proc/{joined.pid}/ns/net")
    launched({device: {}})

    container.delete("--force")

    assert addresses(links(joined.pid)[device])[0]["local"] == "198.51.100.7"


# What cannot be done is not done by half.


def test_a_device_that_may_not_move_brings_back_those_that_did(container, bundle, device):
    ip("addr", "add", "2001:db8::7/64", "nodad", "dev", device)
    ip("addr", "add", "198.51.100.9/24", "label", f"{device}:web", "metric", 5, "dev", device)
    ip("link", "add", "name", "zbridge", "type", "bridge")
    before = picture(device), picture("zbridge")
    bundle.linux["netDevices"] = {device: {"name": "eth0"}, "zbridge": {}}

    container.try_create().refused("/linux/netDevices/zbridge: move it: rtnetlink zbridge: invalid argument (EINVAL)")

    assert (picture(device), picture("zbridge")) == before


@pytest.mark.parametrize("user_namespace", [False, True], ids=["ours", "of-a-user-namespace"])
def test_a_launch_that_fails_later_gives_the_device_back(container, bundle, device, user_namespace):
    if user_namespace:
        bundle.map_ids((0, 100000, 65536))
        chown_tree(bundle.rootfs, 100000)
    before = picture(device)
    bundle.linux["netDevices"] = {device: {"name": "net%d"}}
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}

    container.try_create().refused("hook")

    assert picture(device) == before


def test_a_program_that_cannot_run_gives_the_device_back(container, bundle, device):
    before = picture(device)
    bundle.linux["netDevices"] = {device: {"name": "eth0"}}
    bundle.write("/bad", "\x7fELF no program", 0o755)
    bundle.args("/bad")

    container.try_run().refused("exec format error", crun="Exec format error")

    assert picture(device) == before


def test_a_device_that_was_down_goes_back_down(container, bundle, device):
    ip("link", "set", device, "down")
    before = picture(device)
    bundle.linux["netDevices"] = {device: {}}
    bundle.args("no-such-program")

    container.try_create().refused("no-such-program")

    assert picture(device) == before
    assert not before["up"]


def test_the_loopback_device_is_not_moved(container, bundle):
    bundle.linux["netDevices"] = {"lo": {"name": "lo1"}}

    container.try_create().refused("/linux/netDevices/lo: a loopback device cannot be moved")


def test_a_device_that_is_in_the_namespace_already_is_refused(container, bundle, device):
    bundle.namespace("network", f"/proc/{os.getpid()}/ns/net")
    before = picture(device)
    bundle.linux["netDevices"] = {device: {"name": "eth0"}}

    container.try_create().refused("/linux/netDevices: the container's network namespace is the one")

    assert picture(device) == before


def test_network_devices_are_refused_without_privileges(container, bundle, device, runtime):
    program = os.open(runtime.path, os.O_RDONLY)  # the checkout may lie where only root may go
    try:
        bundle.map_ids((0, 65534, 1))
        bundle.linux["netDevices"] = {device: {}}
        bundle.save()
        os.set_inheritable(program, True)
        result = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"/proc/self/fd/{program}",
             "--root", bundle.path / "root", "create", "--bundle", bundle.path, container.id],
            capture_output=True, text=True, close_fds=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        os.close(program)

    assert result.returncode != 0
    assert "/linux/netDevices: network devices are not supported for rootless containers" in result.stderr
    assert device in links()


@covers("features/linux/netDevices/enabled")
def test_features_says_that_network_devices_move(runtime):
    assert runtime.call("features").succeeded().json["linux"]["netDevices"] == {"enabled": True}
