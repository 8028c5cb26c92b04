# Shared by the scripts: where they are, and how what they need gets onto a Debian machine. Source it.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED="${CGO_ENABLED:-0}"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# need WHAT…: installs what is missing, all at once. WHAT is a command, and the missing_packages that hold it where those have other
# names: need python3 "gcc gcc libc6-dev".
need() {
  missing "$@"
  [ "$missing_commands" ] || return 0
  installs || die "$missing_commands; install first: apt-get install$missing_packages"
  say "installing$missing_packages"
  root apt-get update -qq
  # shellcheck disable=SC2086 # a list of packages
  root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing_packages >/dev/null
}

# missing sets missing_commands (for a message) and missing_packages (what holds them). A shell function has no variables of
# its own, so no script may use these names: with a plain "packages" the list of an image's packages was emptied here.
missing() {
  missing_commands="" missing_packages=""
  for what; do
    have "${what%% *}" && continue
    missing_commands="$missing_commands${missing_commands:+, }${what%% *}"
    missing_packages="$missing_packages ${what#* }"
  done
  missing_commands="${missing_commands:+missing: }$missing_commands"
}

installs() { have apt-get && { [ "$(id -u)" = 0 ] || have sudo; }; }

# need_go WHAT…: Go, and the certificates that it downloads modules with unless it has them. Where nothing can be installed
# it names everything that is missing at once, WHAT too; else that waits until it is needed.
need_go() {
  certificates=""
  trusts || modules || certificates=ca-certificates
  # shellcheck disable=SC2086 # none or one
  missing $certificates "$@"
  have go || die "missing: go, from https://go.dev/dl${missing_commands:+; $missing_commands, by apt-get install$missing_packages}"
  # shellcheck disable=SC2086 # none or one
  if installs; then need $certificates; else need $certificates "$@"; fi
}

modules() { have go && GOPROXY=off go list -deps . >/dev/null 2>&1; }

trusts() {
  for file in "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt; do
    [ ! -s "$file" ] || return 0
  done
  return 1
}

root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo; then sudo "$@"; else die "this needs root, or sudo: $*"; fi
}

# cache is where what takes long to make is kept between runs, outside of the tree.
cache() {
  dir="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/entrain"
  mkdir -p "$dir"
  echo "$dir"
}
