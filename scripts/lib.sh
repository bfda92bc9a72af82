# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# Shared by the scripts here: sourced, never run. Everything works on the checkout that the script lies in.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
build=${FINDLR_BUILD:-$top/build}
me=scripts/$(basename "$0")

die() {
  echo "$me: $*" >&2
  exit 1
}

# Debian and Ubuntu packages that are not there yet are installed; without root and sudo the script says
# which they are and ends. Elsewhere the tools themselves are looked for.
need() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    for tool in cc meson ninja pkg-config python3; do
      command -v "$tool" >/dev/null 2>&1 || die "$tool is missing; install it and what CONTRIBUTING.md lists"
    done
    return 0
  fi
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
    *' installed') ;;
    *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root=sudo
  else
    echo "$me: these packages are missing, and neither root nor a password-less sudo is there to install them:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
  fi
  echo "$me: installing$missing"
  quiet=$(mktemp)
  # shellcheck disable=SC2086
  if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$quiet" 2>&1; then
    tail -n 20 "$quiet" >&2
    rm -f "$quiet"
    die "the packages could not be installed"
  fi
  rm -f "$quiet"
}

# build_tree DIR [meson options]: sets it up, with options that it was not yet set up with again, and builds
# what has changed.
build_tree() {
  directory=$1
  shift
  log=$directory.log
  set_up=
  [ -f "$directory/build.ninja" ] || set_up="meson setup"
  for option in "$@"; do
    [ -n "$set_up" ] || grep -qxF -e "$option" "$directory/findlr-options" 2>/dev/null || set_up="meson setup --reconfigure"
  done
  if [ -n "$set_up" ]; then
    $set_up "$directory" "$top" "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "meson setup failed (whole log: $log)"; }
    for option in "$@"; do echo "$option"; done >>"$directory/findlr-options"
  fi
  ninja -C "$directory" >"$log" 2>&1 || { tail -n 40 "$log" >&2; die "the build failed (whole log: $log)"; }
}

build_packages="gcc libc6-dev meson ninja-build pkg-config python3 zlib1g-dev libcjson-dev libcairo2-dev libdnnl-dev"
