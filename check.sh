#!/bin/sh
# All tests: installs what is missing (Debian 12 or 13, root), then does what CI does. Can be run again.
set -eu
cd "$(dirname "$0")"
sh packaging/install-dependencies.sh test
sh packaging/install-dependencies.sh vm
exec make --no-print-directory check
