# Shared by the scripts: where they are, and how what they need gets onto a Debian machine. Source it.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED="${CGO_ENABLED:-0}"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# need COMMAND PACKAGE…: installs the packages unless the command is there.
need() {
  have "$1" && return
  command=$1
  shift
  have apt-get || die "needs $command, and this is no Debian machine: install it yourself"
  say "installing $*"
  root apt-get update -qq
  root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo; then sudo "$@"; else die "needs root for: $*"; fi
}

# cache is where what takes long to make is kept between runs, outside of the tree.
cache() {
  dir="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/entrain"
  mkdir -p "$dir"
  echo "$dir"
}
