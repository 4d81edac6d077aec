#!/bin/sh
# Installs what building and testing need and is not there yet, from Debian's packages (12 or 13). Needs root only if something is missing.
#
#   install-dependencies.sh build    to build the binary and make a bundle
#   install-dependencies.sh test     everything the tests use as well
#   install-dependencies.sh vm       what makes and runs the virtual machine of integration/vm
set -eu

build="cmake g++ make ninja-build pkg-config git libseccomp-dev libcap-dev libdbus-1-dev musl-dev nlohmann-json3-dev busybox-static"
test="catch2 clang libclang-rt-dev clang-format crun runc procps python3 python3-pytest iproute2 uidmap golang-github-containers-common"
vm="qemu-system-x86 mmdebstrap e2fsprogs git python3 util-linux"

case "${1:-build}" in
  build) wanted="$build" ;;
  test) wanted="$build $test" ;;
  vm) wanted="$vm" ;;
  *) echo "usage: $0 build|test|vm" >&2; exit 1 ;;
esac

missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
cannot() {
  echo "$0: Debian's packages cannot be installed, and nothing here works without them:$missing" >&2
  exit 1
}
patiently="-o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30"
# shellcheck disable=SC2086  # lists of words
apt-get update -qq $patiently && apt-get install -y -qq --no-install-recommends $patiently ca-certificates $missing >/dev/null || cannot
