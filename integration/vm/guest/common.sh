# What both modes do before the job. Sourced.

# disk NAME: the device of the disk that machine.py gave this name
disk() {
  for found in /sys/block/vd*; do
    [ "$(cat "$found/serial")" != "$1" ] || echo "/dev/$(basename "$found")"
  done
}

load_modules() {
  for module in overlay fuse loop tun veth bridge dummy bfq; do
    modprobe -q "$module" || echo "no module $module"
  done
}

use_the_disks() {
  mkdir -p /scratch /slow
  mount -t ext4 -o noatime "$(disk scratch)" /scratch
  mount -t ext4 -o noatime "$(disk slow)" /slow
  # The scheduler that divides by weight, and by nothing else.
  queue=/sys/block/$(basename "$(disk slow)")/queue
  echo bfq >"$queue/scheduler"
  echo 0 >"$queue/iosched/low_latency"
  echo 100 >"$queue/iosched/slice_idle"  # ms; an emulated processor is slow to ask again
  mkswap "$(disk swap)" >/dev/null && swapon "$(disk swap)"
}

set_the_limits_of_a_server() {
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 16 >/proc/sys/vm/nr_hugepages
}

delegate_every_controller() {
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
  done
}
