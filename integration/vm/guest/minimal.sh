#!/bin/sh
# Init of the minimal mode: mounts, all controllers for the root's children, the job in a leaf, the end.
. /capsule/vm/guest/common.sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8

mount_everything() {
  ln -s /proc/self/fd /dev/fd
  for number_and_name in 0/stdin 1/stdout 2/stderr; do
    ln -s "/proc/self/fd/${number_and_name%/*}" "/dev/${number_and_name#*/}"
  done
  mkdir -p /dev/pts /dev/shm /dev/mqueue /dev/hugepages
  mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  mount -t mqueue mqueue /dev/mqueue
  mount -t hugetlbfs hugetlbfs /dev/hugepages
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=1777 tmpfs /tmp
  mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
  mount -t bpf bpf /sys/fs/bpf
  mount -t securityfs securityfs /sys/kernel/security
  mount -t tracefs tracefs /sys/kernel/tracing
  mount --make-rshared /
}

leave_the_root_group() {
  mkdir /sys/fs/cgroup/init.scope
  for process in $(cat /sys/fs/cgroup/cgroup.procs); do
    echo "$process" >/sys/fs/cgroup/init.scope/cgroup.procs 2>/dev/null  # not kernel threads
  done
}

run_the_job() {
  mkdir /sys/fs/cgroup/job
  sh -c 'echo 0 >/sys/fs/cgroup/job/cgroup.procs && exec sh /capsule/vm/guest/job.sh'
}

mount_everything
hostname capsule-vm
ip link set lo up
leave_the_root_group
delegate_every_controller
load_modules
use_the_disks
set_the_limits_of_a_server
run_the_job
poweroff -f 2>/dev/null || busybox poweroff -f
