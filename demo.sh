#!/bin/sh
# From a fresh clone to a running container: installs what is missing (Debian 12 or 13, root), builds, makes a bundle in ./demo from busybox-static, and runs
# it so that isolation and limits can be seen. Can be run again.
set -eu
cd "$(dirname "$0")"

sh packaging/install-dependencies.sh build
make --no-print-directory release
capsule=$PWD/build/release/capsule

echo
echo "== a bundle: demo/rootfs from busybox, demo/config.json from 'capsule spec'"
rm -rf demo
mkdir -p demo/rootfs/bin demo/rootfs/etc demo/rootfs/proc demo/rootfs/sys demo/rootfs/dev demo/rootfs/tmp
cp "$(command -v busybox)" demo/rootfs/bin/
for applet in $(demo/rootfs/bin/busybox --list); do
  [ "$applet" = busybox ] || ln -s busybox "demo/rootfs/bin/$applet"
done
echo 'root:x:0:0:root:/:/bin/sh' >demo/rootfs/etc/passwd
echo 'root:x:0:' >demo/rootfs/etc/group
cd demo
"$capsule" spec

# run COMMAND: runs it with a shell in the container; the exit status is left in $status.
run() {
  sed -e 's/"terminal": true/"terminal": false/' -e "s%\"sh\"\$%\"sh\", \"-c\", \"$1\"%" -i.spec config.json
  status=0
  "$capsule" run demo 2>&1 || status=$?
  mv config.json.spec config.json
}

echo
echo "== isolation: its own users, host name, processes, mounts and cgroup"
run 'id; hostname; ps; echo; mount | head -4; grep ^0:: /proc/self/cgroup; touch /here'
echo "   (the root file system is read-only; exit status $status)"

echo
echo "== limits: descriptors by rlimit, devices by cgroup"
run 'echo descriptors: $(ulimit -n); mknod /dev/mem c 1 1 \&\& cat /dev/mem'
echo "   (exit status $status)"

cp config.json config.json.unlimited
controllers=$(cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null || true)
case " $controllers " in
  *" memory "*)
    echo
    echo "== limits: 16 MiB of memory, 64 MiB wanted"
    sed -i 's|"resources": {|"resources": {\n\t\t\t"memory": {"limit": 16777216, "swap": 16777216},|' config.json
    run 'dd if=/dev/zero of=/dev/null bs=64M count=1'
    echo "   (exit status $status: 137 is SIGKILL, by the kernel)"
    ;;
  *)
    echo
    echo "== a limit this host cannot keep is refused, with the reason"
    sed -i 's|"resources": {|"resources": {\n\t\t\t"memory": {"limit": 16777216},|' config.json
    run 'true'
    ;;
esac
mv config.json.unlimited config.json
echo
echo "Now try it yourself: cd demo && sudo ../build/release/capsule run me"
