#!/bin/sh
# Runs the command that the host handed in. What it prints goes to the host at once, through a port of its own; what it leaves in
# /output goes there at the end, as a tar archive on a disk. The last line tells its status, signed with this boot's token.
. /capsule/vm/guest/common.sh
port=$(grep -lx job /sys/class/virtio-ports/*/name)
port=/dev/$(basename "$(dirname "$port")")
mkdir -p /output
cd / || exit 1
exec >"$port" 2>&1 </dev/null
echo "@$vm_token begun"
sh /capsule/command
status=$?
tar -C /output -cf "$(disk output)" . && sync
echo "@$vm_token ended $status"
sleep 60  # the host ends the guest when it has read that line
