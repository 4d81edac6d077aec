#!/bin/sh
# customize-engines.sh TREE: mmdebstrap's last hook for the image with engines. The kernel and its modules come afterwards.
set -eu
tree=$1

install -m 755 "$(dirname "$0")/guest/stub.sh" "$tree/sbin/vm-init"
mkdir -p "$tree/capsule" "$tree/output" "$tree/scratch"
echo capsule-vm >"$tree/etc/hostname"
echo 127.0.0.1 localhost capsule-vm >"$tree/etc/hosts"

# The engines are started by who wants one, not by systemd at boot.
for unit in docker.service docker.socket containerd.service podman.service podman.socket podman-restart.service \
  podman-auto-update.timer podman-clean-transient.service; do
  rm -f "$tree"/etc/systemd/system/*.wants/"$unit"
done
rm -f "$tree/etc/apt/apt.conf.d/99mmdebstrap"
rm -rf "$tree/var/cache/apt" "$tree/var/lib/apt/lists" "$tree/usr/share/doc" "$tree/usr/share/locale"
