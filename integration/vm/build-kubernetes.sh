#!/bin/sh
# build-kubernetes.sh TREE DIRECTORY: mmdebstrap's last hook. Builds Kubernetes from Debian's source package in the tree, which has
# Go, and leaves its programs in the directory.
set -eu
tree=$1 directory=$2
source=$tree/go/src/k8s.io/kubernetes

export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
mkdir "$directory/source"
(cd "$directory/source" && apt-get -qq source --download-only kubernetes)
mkdir -p "$source"
tar -C "$source" --strip-components=1 -xf "$directory/source/"*.orig.tar.gz
rm -r "$directory/source"

cat >"$tree/build" <<'SCRIPT'
set -eu
export HOME=/root CGO_ENABLED=0 GO111MODULE=off GOPATH=/go GOFLAGS='-trimpath -p=2'
root=k8s.io/kubernetes
cd "/go/src/$root"

# The only generated file that is not in the archive: what the API's types are. The schemes of configuration files, which no
# server tells, are left out: with this Go the generator stumbles over a duration in one of them.
go build -o /go/openapi-gen "$root/vendor/k8s.io/kube-openapi/cmd/openapi-gen"
types=$(grep -rlE '^// *\+k8s:openapi-gen=' --include='*.go' pkg vendor/k8s.io/*/ | xargs -n 1 dirname | sort -u |
  grep -vE 'sample-|/code-generator|/gengo|/kube-openapi|/config/v1' | sed "s,^,$root/," | paste -sd,)
/go/openapi-gen -O zz_generated.openapi -p "$root/pkg/generated/openapi" -h hack/boilerplate/boilerplate.generatego.txt \
  -r /dev/null -i "$types"

version=k8s.io/component-base/version
go build -o /go/ -ldflags "-s -w -X $version.gitVersion=v1.20.2 -X $version.gitMajor=1 -X $version.gitMinor=20" \
  "$root/cmd/kubelet" "$root/cmd/kube-apiserver" "$root/cmd/kube-controller-manager" "$root/cmd/kube-scheduler"
SCRIPT
nice -n 10 chroot "$tree" sh /build
cp "$tree"/go/kube* "$directory/"
