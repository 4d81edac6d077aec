#!/bin/sh
# customize.sh TREE DIRECTORY: mmdebstrap's last hook. Unpacks a kernel into the tree, and a copy of it beside, and makes the tree bootable.
set -eu
tree=$1 directory=$2

# The kernel as files only: its scripts would make an initramfs, and all that is needed to mount the root is built in.
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
case "$(dpkg --print-architecture)" in
  amd64) meta=linux-image-cloud-amd64 ;;
  *) echo "no kernel is known for $(dpkg --print-architecture)" >&2; exit 1 ;;
esac
package=$(apt-cache depends "$meta" | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
mkdir "$directory/kernel"
(cd "$directory/kernel" && apt-get -qq download "$package")
dpkg-deb -x "$directory/kernel/"*.deb "$tree"
rm -r "$directory/kernel"
cp "$tree"/boot/vmlinuz-* "$directory/vmlinuz"
rm "$tree"/boot/vmlinuz-*
chroot "$tree" depmod "$(ls "$tree/lib/modules")"

install -m 755 "$(dirname "$0")/guest/stub.sh" "$tree/sbin/vm-init"
mkdir -p "$tree/capsule" "$tree/output" "$tree/scratch"
echo capsule-vm >"$tree/etc/hostname"
echo 127.0.0.1 localhost capsule-vm >"$tree/etc/hosts"
rm -f "$tree/etc/apt/apt.conf.d/99mmdebstrap"
rm -rf "$tree/var/cache/apt" "$tree/var/lib/apt/lists" "$tree/usr/share/doc" "$tree/usr/share/locale"
