"""A machine: QEMU with disks from files, a console that is logged, and a port through which the guest's job talks.

    with Machine(image, directory, accelerator, disks) as machine:
        outcome = machine.follow(write)

The guest is ended when the block is left, whatever happened: by its process, never by its name.
"""

import dataclasses
import pathlib
import secrets
import subprocess
import time

import time_stamps
from processes import dies_with_parent

KERNEL_WORDS = (
    "root=/dev/nvme0n1 rw rootfstype=ext4 init=/sbin/vm-init console=ttyS0 quiet panic=-1 "
    "tsc=reliable no_timer_check nokaslr mitigations=off audit=0 lsm=capability,landlock,yama,apparmor,bpf "
    "rcupdate.rcu_expedited=1 random.trust_cpu=on "
    "cryptomgr.notests systemd.show_status=no systemd.log_target=console systemd.unit=capsule-job.target "
    "systemd.machine_id=00000000000000000000000000000001 systemd.firstboot=no net.ifnames=0"
)
# cmpxchg16b is broken in the emulation of QEMU 7.2: the kernel's allocator dies of it. So, now and then, is code
# that one emulated processor patches while another runs it: hence one processor unless a test needs two.
ACCELERATORS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max,-cx16"],
}
# A disk that is the bottleneck even for an emulated processor: what two share of it can be told.
SLOW = ",throttling.iops-total=100"


@dataclasses.dataclass
class Disks:
    """Beside the root, which is the image's. The names are their serial numbers in the guest."""

    input: pathlib.Path
    output: pathlib.Path
    scratch: pathlib.Path
    slow: pathlib.Path
    swap: pathlib.Path


@dataclasses.dataclass
class Outcome:
    status: int | None  # the job's, if it came to its end
    why: str = ""
    panicked: bool = False


class Machine:
    """`networks` are QEMU's -netdev words, one network device each: 'socket,listen=127.0.0.1:PORT' on one machine
    and 'socket,connect=127.0.0.1:PORT' on another make a cable between the two."""

    def __init__(self, image, directory, accelerator, disks, mode="minimal", cpus=1, megabytes=2048, networks=()):
        self.image = image
        self.directory = pathlib.Path(directory)
        self.accelerator = accelerator
        self.disks = disks
        self.mode = mode
        self.cpus = cpus
        self.megabytes = megabytes
        self.networks = networks
        self.token = secrets.token_hex(8)
        self.process = None

    def __enter__(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in (self.console, self.port):
            path.write_bytes(b"")
        with open(self.directory / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=dies_with_parent
            )
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def console(self):
        return self.directory / "console.log"

    @property
    def port(self):
        return self.directory / "port"

    def command(self):
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        words += ["-machine", "q35,hpet=off,smm=off,usb=off,vmport=off", *ACCELERATORS[self.accelerator]]
        words += ["-smp", str(self.cpus), "-m", str(self.megabytes), *self.memory_nodes()]
        words += ["-kernel", str(self.image.kernel), "-append", self.kernel_words()]
        words += ["-serial", f"file:{self.console}", *self.port_words(), *self.disk_words(), *self.network_words()]
        return words

    def memory_nodes(self):
        """Two of them, all processors at the first: enough to see where memory comes from."""
        words = []
        for node, processors in enumerate((f",cpus=0-{self.cpus - 1}", "")):
            words += ["-object", f"memory-backend-ram,id=node{node},size={self.megabytes // 2}M"]
            words += ["-numa", f"node,nodeid={node},memdev=node{node}{processors}"]
        return words

    def kernel_words(self):
        words = [KERNEL_WORDS, f"vm_mode={self.mode}", f"vm_token={self.token}"]
        rate = time_stamps.kilohertz() if self.accelerator == "tcg" else None
        return " ".join([*words, *([f"tsc_early_khz={rate}"] if rate else [])])

    def port_words(self):
        backend = ["-chardev", f"file,id=job,path={self.port}"]
        return [*backend, "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=job,name=job"]

    def disk_words(self):
        """The root is the only NVMe disk: its driver is built in, but several would be named in the order they
        answer. The others are told apart by their serial numbers, see guest/common.sh."""
        words = ["-drive", f"file={self.image.disk},format=raw,if=none,id=root,snapshot=on,cache=unsafe"]
        words += ["-device", "nvme,drive=root,serial=root"]
        for name, path in vars(self.disks).items():
            pace = SLOW if name == "slow" else ""
            words += ["-drive", f"file={path},format=raw,if=none,id={name},cache=unsafe{pace}"]
            words += ["-device", f"virtio-blk-pci,drive={name},serial={name}"]
        return words

    def network_words(self):
        words = []
        for number, backend in enumerate(self.networks):
            words += ["-netdev", f"{backend},id=net{number}"]
            words += ["-device", f"virtio-net-pci,netdev=net{number},romfile=,mac=52:54:00:00:{number:02x}:{self.token[:2]}"]
        return words

    def follow(self, write, to_begin=300, to_end=3600):
        """Passes on what the job prints at once; ends with the job, the guest or a deadline (seconds)."""
        started = time.monotonic()
        lines = PortLines(self.port, self.token)
        while lines.status is None:
            ended = self.process.poll() is not None
            lines.pass_on(write)
            if lines.status is None and ended:
                return self.died()
            if lines.status is None and time.monotonic() - started > (to_end if lines.begun else to_begin):
                return Outcome(None, "the job did not end in time" if lines.begun else "the guest did not answer in time")
            time.sleep(0.02)
        return Outcome(lines.status)

    def died(self):
        console = self.console.read_text(errors="replace")
        if "Kernel panic" in console:
            return Outcome(None, "the guest's kernel panicked", panicked=True)
        said = (self.directory / "qemu.log").read_text(errors="replace").strip()
        return Outcome(None, f"the guest ended before its job{': ' + said if said else ''}")


class PortLines:
    """Reads the port's file as it grows; tells the job's lines from the two that job.sh signs with the token."""

    def __init__(self, path, token):
        self.file = open(path, "rb")
        self.mark = f"@{token} ".encode()
        self.rest = b""
        self.begun = False
        self.status = None

    def pass_on(self, write):
        self.rest += self.file.read()
        while (at := self.rest.find(self.mark)) >= 0 and (end := self.rest.find(b"\n", at)) >= 0:
            write(self.rest[:at])
            self.note(self.rest[at + len(self.mark) : end].split())
            self.rest = self.rest[end + 1 :]
        kept = self.start_of_a_mark()
        write(self.rest[: len(self.rest) - kept])
        self.rest = self.rest[len(self.rest) - kept :]

    def note(self, words):
        self.begun = True
        if words[0] == b"ended":
            self.status = int(words[1])

    def start_of_a_mark(self):
        """How many bytes at the end may belong to a line of ours that has not arrived as a whole."""
        at = self.rest.rfind(b"@")
        tail = self.rest[at:] if at >= 0 else b""
        return len(tail) if tail and (self.mark.startswith(tail) or tail.startswith(self.mark)) else 0
