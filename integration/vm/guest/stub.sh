#!/bin/sh
# The image's own init: mounts what the host handed in and goes on with the script of the mode from there. Only a change of this file
# needs a new image; all other scripts of the guest come with each boot. vm_mode and vm_token are words of the kernel's command line.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
modprobe virtio_blk
for disk in /sys/block/vd*; do
  [ "$(cat "$disk/serial")" != input ] || mount -t ext4 -o ro,noatime "/dev/$(basename "$disk")" /capsule
done
exec /bin/sh "/capsule/vm/guest/$vm_mode.sh"
