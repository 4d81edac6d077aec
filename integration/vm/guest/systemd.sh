#!/bin/sh
# Init of the systemd mode: puts the units in place and becomes systemd, which starts dbus, logind and the job, and nothing else.
units=/run/systemd/system
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p $units "$units/user@.service.d"
cp /capsule/vm/guest/capsule-job.service /capsule/vm/guest/capsule-job.target $units/
printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >"$units/user@.service.d/delegate.conf"

# An ordinary user whose service manager runs without a session, and another who has nothing.
add_user() {
  echo "$1:x:$2:$2::/home/$1:/bin/sh" >>/etc/passwd
  echo "$1:x:$2:" >>/etc/group
  echo "$1:*:20000::::::" >>/etc/shadow
  echo "$1:$3:65536" | tee -a /etc/subuid >>/etc/subgid
  mkdir -p "/home/$1"
  chown "$2:$2" "/home/$1"
}
add_user tester 1000 100000
add_user nobody-special 1001 200000
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/tester

# Clocks, first-boot questions, hardware: nothing a container runtime needs. The nodes in /dev are the kernel's own.
for unit in systemd-hwdb-update systemd-udev-trigger systemd-udev-settle systemd-machine-id-commit systemd-journal-flush systemd-firstboot \
  systemd-random-seed systemd-timesyncd systemd-networkd systemd-resolved systemd-update-utmp systemd-update-done systemd-sysusers \
  systemd-binfmt systemd-pcrmachine systemd-pcrphase systemd-journal-catalog-update ldconfig e2scrub_reap apparmor \
  modprobe@drm modprobe@configfs modprobe@fuse modprobe@efi_pstore modprobe@dm_mod modprobe@loop systemd-udevd systemd-udev-load-credentials \
  systemd-tmpfiles-setup-dev-early systemd-tmpfiles-setup-dev systemd-modules-load systemd-sysctl systemd-vconsole-setup \
  kmod-static-nodes systemd-remount-fs quotaon e2scrub_all systemd-tpm2-setup systemd-tpm2-setup-early nftables; do
  ln -s /dev/null "$units/$unit.service"
done
for unit in dev-hugepages.mount sys-kernel-debug.mount systemd-udevd-control.socket systemd-udevd-kernel.socket \
  proc-sys-fs-binfmt_misc.automount; do
  ln -s /dev/null "$units/$unit"
done
echo "vm_token=$vm_token" >/run/capsule-vm.env
exec /sbin/init
